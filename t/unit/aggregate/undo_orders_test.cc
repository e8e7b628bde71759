// Undoing an import of orders, or of what came to orders: what others told goes on as if the import had never been.
#include <algorithm>
#include <array>

#include "aggregate/checked.h"
#include "aggregate/kept_figures.h"
#include "aggregate/shop.h"
#include "aggregate/traffic.h"
#include "random.h"
#include "rollup/visit_log.h"

namespace footfall {
namespace {

using enum Amount;
using enum Counter;
constexpr int64_t kEuro = kMicrosPerUnit;

int open_import_shop(void**) {
  the_shop = std::make_unique<Shop>(two_shops(), Timeline::imported);
  return 0;
}

// Of imports no minutes are kept.
#define expect_of(dimension, text, amount, expected) expect_in(shop().sum(dimension, text, Level::hour), amount, expected)

// --- cases -----------------------------------------------------------------------------------------------------------

Shop& change(std::string_view name, std::string_view more = {}) {
  return shop().event(std::string(name) + ";id=\"A-1\"" + std::string(more));
}

void a_refund_waits_again_for_an_order_that_went(void**) {
  shop().import(1).at("10:00").visitor("anna").hit("/", "utm_source=news&utm_medium=email").order("A-1", "50.00");
  shop().import(2).at("12:00").visitor("office");
  change("refund", ";value=20");
  expect_of(Dimension::total, "", refunds_last, 20 * kEuro);
  shop().undo(1);
  expect_of(Dimension::total, "", refunds_last, 0);
  expect_of(Dimension::channel, "email", refunds_last, 0);
  expect_kept_visits_to_tell_the_same("order gone", true);
  shop().import(3).at("10:00").visitor("bert").hit("/", "utm_source=google&utm_medium=cpc").order("A-1", "50.00");
  expect_of(Dimension::total, "", refunds_last, 20 * kEuro);
  expect_of(Dimension::channel, "paid_search", refunds_last, 20 * kEuro);
  expect_kept_visits_to_tell_the_same("order back", true);
}

void what_live_hits_told_waits_too(void**) {
  shop().import(1).at("10:00").visitor("anna").hit("/").order("A-1", "50.00");
  shop().import(0).at("12:00").visitor("office");
  change("order_cancelled");
  expect_of(Dimension::total, "", refunds_last, 50 * kEuro);
  shop().undo(1);
  expect_of(Dimension::total, "", refunds_last, 0);
  shop().import(0).at("13:00").visitor("anna").order("A-1", "30.00");
  expect_of(Dimension::total, "", refunds_last, 30 * kEuro);
}

void a_refund_of_the_rest_takes_back_what_another_had(void**) {
  shop().import(1).at("10:00").visitor("anna").hit("/").order("A-1", "50.00");
  shop().import(2).at("11:00").visitor("office");
  change("refund", ";value=20");
  shop().import(3).at("12:00");
  change("refund");
  expect_in(shop().bucket(Dimension::total, "", Level::hour, "12:00"), refunds_last, 30 * kEuro);
  shop().undo(2);
  expect_in(shop().bucket(Dimension::total, "", Level::hour, "12:00"), refunds_last, 50 * kEuro);
  expect_of(Dimension::total, "", refunds_last, 50 * kEuro);
  expect_kept_visits_to_tell_the_same("refund gone", true);
}

void items_of_a_refund_are_remembered_as_they_were_told(void**) {
  constexpr std::string_view kItems = ";items=\"cup:2:5.00:Cups bowl:1:20.00:Bowls\"";
  shop().import(1).at("10:00").visitor("anna").hit("/").order("A-1", "34.00", kItems);
  shop().import(2).at("11:00").visitor("office");
  change("refund", ";items=\"cup:1:0\"");
  shop().undo(1);
  shop().import(3).at("10:00").visitor("anna").order("A-1", "44.00", ";items=\"cup:4:2.50:Mugs bowl:1:34.00\"");
  expect_of(Dimension::total, "", refunds_last, 5 * kEuro / 2);
  expect_of(Dimension::item_category, "Mugs", refunds_last, 5 * kEuro / 2);
}

void nothing_is_booked_for_what_makes_no_difference(void**) {
  shop().import(1).at("10:00").visitor("anna").hit("/").order("A-1", "50.00");
  shop().import(2).at("11:00").visitor("office");
  change("refund", ";value=20");
  shop().import(3).at("12:00");
  change("refund", ";value=10");
  static std::map<std::string, std::string> before, after;
  before = shop().fold().stored("visit_rows");
  shop().undo(3);
  after = shop().fold().stored("visit_rows");
  std::erase_if(before, [](const auto& row) { return decode_visit_key(row.first)->import == 3; });
  assert_true(before == after);
}

void a_customers_touches_go_with_their_import(void**) {
  shop().import(1).at("10:00").visitor("phone").hit("/", "utm_source=news&utm_medium=email");
  shop().import(2).at("11:00").visitor("phone").order("A-1", "10.00", ";customer=\"c7\"");
  shop().undo(1);
  shop().import(3).at("12:00").visitor("desk").hit("/").order("A-2", "20.00", ";customer=\"c7\"");
  expect_in(shop().sum(Dimension::channel, "email", Level::day), revenue_first, 10 * kEuro);  // what it had given stays
  expect_in(shop().sum(Dimension::channel, "direct", Level::day), revenue_first, 20 * kEuro);
}

void who_a_customer_was_goes_with_its_import(void**) {
  shop().import(1).at("10:00").visitor("phone").hit("/", "utm_source=news&utm_medium=email");
  shop().import(2).at("11:00").visitor("phone").order("A-1", "10.00", ";customer=\"c7\"");
  shop().import(3).at("12:00").visitor("desk").hit("/").order("A-2", "20.00", ";customer=\"c7\"");
  shop().undo(2);
  shop().import(4).at("13:00").visitor("desk").order("A-3", "1.00", ";customer=\"c7\"");
  expect_in(shop().sum(Dimension::channel, "email", Level::day), revenue_first, 20 * kEuro);
  expect_in(shop().sum(Dimension::channel, "direct", Level::day), revenue_first, 1 * kEuro);
}

// --- any imports -----------------------------------------------------------------------------------------------------

// Import 0 is live hits, which come at any time; those of others come one import after the other.
struct Told {
  uint16_t import;
  int64_t time_ms;
  std::string visitor, arguments, header;
};
constexpr uint16_t kImports = 4;
constexpr int kOrders = 25;

std::string random_money(Random& random, uint64_t units) {
  return std::to_string(random.below(units)) + "." + std::to_string(10 + random.below(90));
}

std::string random_order(Random& random, const std::string& id) {
  static constexpr std::array<const char*, 4> kItems = {"", ";items=\"cup:2:5.00:Cups bowl:1:20.00\"", ";items=\"cup:3:4.50\"",
                                                        ";items=\"cup:1:5:Cups cup:2:4:Mugs\";coupon=\"MAIL24\""};
  return "purchase;id=\"" + id + "\";value=" + random_money(random, 90) + kItems[random.below(kItems.size())] +
         (random.below(5) == 0 ? ";currency=\"USD\"" : "");
}

std::string random_change(Random& random, const std::string& id) {
  static constexpr std::array<const char*, 4> kItems = {"", "", ";items=\"cup:1:0\"", ";items=\"cup:1:3.00 bowl:1:0\""};
  const std::string of = ";id=\"" + id + "\"";
  const std::string value = ";value=" + random_money(random, 60) + (random.below(6) == 0 ? ";currency=\"USD\"" : "");
  switch (random.below(6)) {
    case 0:
      return "order_cancelled" + of;
    case 1:
      return "order_changed" + of + value;
    case 2:
      return "refund" + of;
    default:
      return "refund" + of + (random.below(3) == 0 ? "" : value) + kItems[random.below(kItems.size())];
  }
}

std::vector<Told> random_orders(Random& random) {
  std::vector<Told> all;
  const auto tell = [&](std::string header) {
    const auto import = static_cast<uint16_t>(random.below(kImports + 1));
    const bool has_touch = random.below(2) == 0;
    all.push_back({import, time_of("10:00") + static_cast<int64_t>(random.below(3 * kDayS * 1000)), "v" + std::to_string(all.size()),
                   has_touch ? "utm_source=news&utm_medium=email&utm_campaign=c" + std::to_string(random.below(3)) : "",
                   std::move(header)});
  };
  for (int i = 0; i < kOrders; ++i) {
    const std::string id = "A-" + std::to_string(i);
    if (random.below(6) != 0) tell(random_order(random, id));
    for (uint64_t left = random.below(6); left > 0; --left) tell(random_change(random, id));
  }
  for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
  // Each import's in one run, live ones in between.
  std::vector<Told> in_turn;
  for (uint16_t import = 1; import <= kImports; ++import)
    std::copy_if(all.begin(), all.end(), std::back_inserter(in_turn), [&](const Told& told) { return told.import == import; });
  for (const Told& told : all)
    if (told.import == 0) in_turn.insert(in_turn.begin() + static_cast<std::ptrdiff_t>(random.below(in_turn.size() + 1)), told);
  return in_turn;
}

void tell(const Told& told, uint16_t import) {
  shop().import(import).at_ms(told.time_ms).visitor(told.visitor);
  if (!told.arguments.empty()) shop().hit("/", told.arguments);
  shop().event(told.header);
}

bool is_refund_over_revenue(const Counters& counters) { return counters[refunds_last] > counters[revenue_last]; }

void undo_is_as_if_it_had_never_been(void**) {
  static Random random(20261130);
  for (int round = 0; round < 25; ++round) {
    static std::vector<Told> all;
    static std::string without, again;
    all = random_orders(random);
    const auto gone = static_cast<uint16_t>(1 + random.below(kImports));
    const std::string run = "round " + std::to_string(round) + ", import " + std::to_string(gone);

    open_import_shop(nullptr);
    for (const Told& told : all)
      if (told.import != gone) tell(told, told.import);
    without = ::footfall::told(shop().figures());
    for (const Told& told : all)
      if (told.import == gone) tell(told, kImports + 1);
    again = ::footfall::told(shop().figures());

    open_import_shop(nullptr);
    for (const Told& told : all) {
      tell(told, told.import);
      if (random.below(20) == 0) shop().settle_ms(told.time_ms + kDayS * 1000);
    }
    if (random.below(2) == 0) shop().settle_ms(time_of("2026-10-09 10:00"));
    shop().undo(gone);
    expect_same(::footfall::told(shop().figures()), without, run + " is gone");
    expect_kept_visits_to_tell_the_same(run + " is gone", true);
    for (Level level : kLevels)
      if (is_refund_over_revenue(shop().sum(Dimension::total, "", level))) fail_msg("%s: net below zero", run.c_str());
    for (const Told& told : all)
      if (told.import == gone) tell(told, kImports + 1);
    expect_same(::footfall::told(shop().figures()), again, run + " is told again");
    expect_kept_visits_to_tell_the_same(run + " is told again", true);
  }
}

// Whichever go, in whatever turn: in the end nothing is left, and on the way no more is refunded than was paid.
void all_of_them_may_go(void**) {
  static Random random(11);
  for (int round = 0; round < 10; ++round) {
    static std::vector<Told> all;
    static std::vector<uint16_t> order;
    all = random_orders(random);
    std::erase_if(all, [](const Told& told) { return told.import == 0; });
    open_import_shop(nullptr);
    for (const Told& told : all) tell(told, told.import);
    order = {1, 2, 3, 4};
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    for (const uint16_t import : order) {
      shop().undo(import);
      if (is_refund_over_revenue(shop().sum(Dimension::total, "", Level::day))) fail_msg("round %d: net below zero", round);
    }
    for (const auto& [name, counters] : shop().figures()) fail_msg("something is left: %s", name.text.c_str());
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define import_test(name) cmocka_unit_test_setup_teardown(name, open_import_shop, close_shop)
  const CMUnitTest tests[] = {
      import_test(a_refund_waits_again_for_an_order_that_went),
      import_test(what_live_hits_told_waits_too),
      import_test(a_refund_of_the_rest_takes_back_what_another_had),
      import_test(items_of_a_refund_are_remembered_as_they_were_told),
      import_test(nothing_is_booked_for_what_makes_no_difference),
      import_test(a_customers_touches_go_with_their_import),
      import_test(who_a_customer_was_goes_with_its_import),
      import_test(undo_is_as_if_it_had_never_been),
      import_test(all_of_them_may_go),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
