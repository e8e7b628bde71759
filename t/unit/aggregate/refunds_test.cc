// What comes to an order later: refunds, cancellations, other values.
#include <algorithm>
#include <random>

#include "aggregate/checked.h"
#include "aggregate/shop.h"
#include "random.h"

namespace footfall {
namespace {

using enum Counter;
using enum Amount;
constexpr auto kChannel = Dimension::channel;
constexpr int64_t kOne = kCreditWhole;
constexpr int64_t kEuro = kMicrosPerUnit;

Shop& change(std::string_view name, std::string_view id, std::string_view more = {}) {
  return shop().event(std::string(name) + ";id=\"" + std::string(id) + "\"" + std::string(more));
}
Shop& refund(std::string_view id, std::string_view more = {}) { return change("refund", id, more); }

void a_refund_counts_on_its_own_day_by_the_orders_touch(void**) {
  shop().at("10:00").visitor("anna").country("DE").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:05").order("A-1", "50.00", ";coupon=\"MAIL24\"");
  shop().at("2026-10-03 09:00").visitor("office").country("FR");
  refund("A-1", ";value=20");
  expect_figure(revenue_last, 50 * kEuro);
  expect_figure(refunds_last, 20 * kEuro);
  expect_figure(orders_last, kOne);
  expect_figure(kChannel, "email", refunds_last_non_direct, 20 * kEuro);
  expect_figure(kChannel, "direct", refunds_last, 0);
  expect_figure(Dimension::country, "DE", refunds_first, 20 * kEuro);
  expect_figure(Dimension::coupon, "MAIL24", refunds_last, 20 * kEuro);
  expect_figure(Dimension::event, "purchase", refunds_last, 20 * kEuro);
  expect_figure(Dimension::event, "refund", events, 1);
  expect_in(shop().bucket(Dimension::total, "", Level::day, "2026-10-03 09:00"), refunds_last, 20 * kEuro);
  expect_in(shop().bucket(Dimension::total, "", Level::day, "10:00"), refunds_last, 0);
}

// By a day's lookback the direct touch of the order's day has it all; so it has what goes back of it.
void a_refund_goes_by_each_lookback(void**) {
  shop().at("10:00").visitor("anna").hit("/", "utm_source=news&utm_medium=email");
  shop().at("2026-10-03 09:00").hit("/").order("A-1", "50.00");
  shop().at("2026-10-05 09:00").visitor("office");
  refund("A-1", ";value=20");
  const auto expect_moved = [](int days, int64_t sign) {
    const Dimension channel = *by_lookback(Dimension::channel, days);
    for (const auto& [value, of] : {std::pair{"email", -sign}, std::pair{"direct", sign}}) {
      expect_figure(channel, value, orders_last_non_direct, of * kOne);
      expect_figure(channel, value, revenue_last_non_direct, of * 50 * kEuro);
      expect_figure(channel, value, refunds_last_non_direct, of * 20 * kEuro);
      expect_figure(channel, value, journeys_converted, sign * sign);  // by how many of these rows are kept first
    }
  };
  expect_moved(1, 1);
  for (const int days : {7, 30, 90}) expect_moved(days, 0);
  expect_figure(*by_lookback(Dimension::medium, 1), "email", orders_first, -kOne);
  expect_figure(*by_lookback(Dimension::term, 1), "", orders_first, 0);  // all touches are alike
}

void all_that_is_left_goes_back_and_no_more(void**) {
  shop().at("10:00").order("A-1", "50.00");
  shop().at("10:10");
  refund("A-1", ";value=20");
  shop().checkpoint();
  refund("A-1");
  shop().fold();
  refund("A-1").restart();
  refund("A-1", ";value=5");
  expect_figure(refunds_last, 50 * kEuro);
}

void items_go_back_by_name(void**) {
  shop().at("10:00").order("A-1", "34.00", ";items=\"cup:2:5.00:Cups bowl:1:20.00:Bowls\"");
  shop().at("10:10");
  refund("A-1", ";items=\"cup:1\"");
  expect_figure(refunds_last, 0);  // off the form: that is no refund of the whole order
  expect_figure(rejected_orders, 1);
  refund("A-1", ";items=\"cup:1:0\"");
  expect_figure(Dimension::item, "cup", refunds_last, 5 * kEuro);
  expect_figure(Dimension::item_category, "Cups", refunds_last, 5 * kEuro);
  expect_figure(Dimension::item, "", refunds_last, 0);
  expect_figure(Dimension::item, "cup", orders_last, kOne);
  expect_figure(items_last, 3 * kOne);
  refund("A-1");
  expect_figure(refunds_last, 34 * kEuro);
  expect_figure(Dimension::item, "bowl", refunds_last, 20 * kEuro);
  expect_figure(Dimension::item, "", refunds_last, 4 * kEuro);
}

void a_refund_waits_for_its_order(void**) {
  shop().at("10:00").visitor("office");
  refund("A-1", ";value=20");
  refund("A-1", ";value=99");
  shop().fold().restart();
  expect_figure(refunds_last, 0);
  shop().at("11:00").visitor("anna").hit("/", "utm_source=news&utm_medium=email");
  shop().order("A-1", "50.00");
  expect_figure(refunds_last, 50 * kEuro);
  expect_figure(kChannel, "email", refunds_last, 50 * kEuro);
  expect_in(shop().bucket(Dimension::total, "", Level::hour, "10:00"), refunds_last, 50 * kEuro);
}

void a_cancelled_order_and_one_of_another_value(void**) {
  shop().at("10:00").order("A-1", "50.00").order("A-2", "10.00");
  change("order_cancelled", "A-1");
  change("order_changed", "A-2", ";value=12.50");
  expect_figure(orders_last, 2 * kOne);
  expect_figure(revenue_last, 62'500'000);
  expect_figure(refunds_last, 50 * kEuro);
  change("order_changed", "A-2", ";value=2.50");
  expect_figure(refunds_last, 60 * kEuro);
}

void money_of_refunds(void**) {
  shop().at("10:00").order("A-1", "100.00", ";currency=\"USD\"").order("A-2", "10.00", ";currency=\"CHF\"");
  shop().order("A-3", "100.00");
  refund("A-1", ";value=50;currency=\"USD\"");
  expect_figure(refunds_last, 46 * kEuro);  // at the rate of the order
  refund("A-1", ";value=6;currency=\"EUR\"");
  expect_figure(refunds_last, 52 * kEuro);
  refund("A-3", ";value=50;currency=\"USD\"");
  expect_figure(refunds_last, 98 * kEuro);
  refund("A-2", ";value=5");                     // without a rate: none is counted
  refund("A-3", ";value=5;currency=\"CHF\"");    // nor what cannot be compared
  expect_figure(refunds_last, 98 * kEuro);
  expect_figure(rejected_orders, 1);
  refund("A-1");
  expect_figure(refunds_last, 138 * kEuro);
}

void broken_ones_are_rejected_and_take_nothing(void**) {
  shop().at("10:00").order("A-1", "50.00");
  for (const char* header : {"refund", "refund;id=\"\"", "refund;id=\"A-1\";value=\"much\"", "refund;id=\"A-1\";value=-1",
                             "refund;id=\"A-1\";currency=\"EURO\"", "order_changed;id=\"A-1\"", "order_cancelled"})
    shop().event(header);
  expect_figure(refunds_last, 0);
  expect_figure(rejected_orders, 7);
  expect_figure(revenue_last, 50 * kEuro);
}

void one_that_is_told_twice_by_itself_is_one(void**) {
  shop().at("10:00").order("A-1", "50.00");
  for (int i = 0; i < 3; ++i) {
    shop().at("10:10").visitor("").address("");
    RawHit raw = shop().request("", {});
    raw.events_header = "refund;id=\"A-1\";value=10";
    shop().count(raw, kHitEventOnly);
  }
  expect_figure(refunds_last, 10 * kEuro);
  RawHit raw = shop().at("10:11").request("", {});
  raw.events_header = "refund;id=\"A-1\";value=10";
  shop().count(raw, kHitEventOnly);
  expect_figure(refunds_last, 20 * kEuro);
}

void items_of_one_day_are_several(void**) {
  shop().at("10:00").order("A-1", "34.00", ";items=\"cup:2:5.00 bowl:1:20.00\"");
  shop().at("12:00").visitor("anna");
  for (const char* item : {"cup:1:0", "bowl:1:0", "bowl:1:0"}) {
    const std::string header = "refund;id=\"A-1\";items=\"" + std::string(item) + "\"";
    RawHit raw = shop().request("", {});
    raw.events_header = header;
    shop().count(raw, kHitEventOnly);
  }
  expect_figure(refunds_last, 25 * kEuro);
  expect_figure(visits, 1);  // whoever is named did not come for it
  expect_figure(events, 3);
}

void an_id_that_is_told_again_after_years_is_another_order(void**) {
  shop().at("2025-01-01 10:00").order("A-1", "50.00");
  shop().at("2025-01-02 10:00");
  refund("A-1");
  shop().at("2026-06-01 10:00").order("A-1", "70.00");
  shop().at("2026-06-02 10:00");
  refund("A-1");
  expect_figure(refunds_last, 120 * kEuro);
}

void a_forgotten_order_is_not_refunded(void**) {
  shop().at("2025-06-01 10:00").order("A-1", "50.00");
  shop().at("2026-10-01 10:00");
  refund("A-1");
  expect_figure(refunds_last, 0);
}

// The order is one import's, the refund another's: each goes without the other.
void undo_takes_back_a_refund(void**) {
  the_shop = std::make_unique<Shop>(two_shops(), Timeline::imported);
  shop().import(1).at("10:00").order("A-1", "50.00");
  shop().import(2).at("10:10").visitor("office");
  refund("A-1", ";value=20");
  expect_number(int64_t(shop().sum(Dimension::total, "", Level::day)[refunds_last]), 20 * kEuro);
  shop().undo(2);
  expect_number(int64_t(shop().sum(Dimension::total, "", Level::day)[refunds_last]), 0);
  shop().import(3).at("10:20");
  refund("A-1", ";value=45");
  expect_number(int64_t(shop().sum(Dimension::total, "", Level::day)[refunds_last]), 45 * kEuro);
}

// --- whatever comes, and in whatever order ---------------------------------------------------------------------------

// Orders in three currencies, and refunds of values, of which some come before their order: told in another order, at other
// checkpoints, all of it adds up to the same, by every dimension but the item's: what takes back all at once takes it from items.
void the_order_of_telling_makes_no_difference(void**) {
  struct Told {
    std::string name, id, more;
  };
  static std::vector<Told> all;
  static std::map<std::string, __int128> first;
  constexpr std::string_view kMoney[] = {"", ";currency=\"USD\"", ";currency=\"CHF\""};
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    static Random random(0);
    random = Random(seed);
    all.clear();
    for (int i = 0; i < 12; ++i) {
      const std::string id = "A-" + std::to_string(i);
      const std::string money(kMoney[random.below(3)]);
      all.push_back({"purchase", id, ";value=" + std::to_string(random.below(100)) + ".37" + money + ";items=\"cup:1:1\""});
      for (uint64_t left = random.below(4); left > 0; --left)
        all.push_back({"refund", id, ";value=" + std::to_string(random.below(40)) + ".11" + (random.below(2) == 0 ? money : "")});
    }
    for (int round = 0; round < 3; ++round) {
      open_shop(nullptr);
      std::shuffle(all.begin(), all.end(), std::minstd_rand(static_cast<unsigned>(seed * 10 + static_cast<uint64_t>(round))));
      shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
      for (const Told& told : all) {
        change(told.name, told.id, told.more);
        if (random.below(10) == 0) shop().checkpoint();
        if (random.below(20) == 0) shop().fold();
        if (random.below(30) == 0) shop().checkpoint().restart();
      }
      std::map<std::string, __int128> sums;
      for (const auto& [name, counters] : shop().figures())
        if (name.level == Level::day && name.dimension != Dimension::item && name.dimension != Dimension::item_category)
          for (const Amount amount : {revenue_last, refunds_last, refunds_first})
            sums[std::string(dimension_name(name.dimension)) + " " + name.text + " " + std::to_string(static_cast<int>(amount))] += counters[amount];
      if (round == 0) first = sums;
      for (const auto& [name, sum] : sums)
        if (first[name] != sum) fail_msg("seed %llu: %s is another sum", static_cast<unsigned long long>(seed), name.c_str());
      assert_true(sums["total  0"] >= sums["total  4"]);
    }
  }
}

// Part by part at its rate, an order in another currency goes back to the last millionth.
void what_is_refunded_whole_leaves_nothing(void**) {
  static Random random(4);
  shop().at("10:00");
  for (int i = 0; i < 60; ++i) {
    const std::string id = "A-" + std::to_string(i);
    shop().order(id, std::to_string(1 + random.below(99)) + "." + std::to_string(10 + random.below(90)), ";currency=\"USD\";items=\"cup:3:1.37 bowl:1:2.11:B\"");
    for (uint64_t left = random.below(4); left > 0; --left)
      refund(id, random.below(3) == 0 ? ";items=\"cup:1:0\"" : ";value=0.3" + std::to_string(random.below(10)) + ";currency=\"USD\"");
    random.below(2) == 0 ? refund(id) : change("order_cancelled", id);
  }
  expect_figure(refunds_last, static_cast<int64_t>(shop().sum(Dimension::total, "", Level::day)[revenue_last]));
}

void all_of_it_can_be_checked(void**) {
  store_config(shop());
  shop().at("10:00").order("A-1", "34.00", ";items=\"cup:2:5.00:Cups bowl:1:20.00:Bowls\"");
  refund("A-1", ";items=\"cup:1:0\"");
  refund("A-0", ";value=7");
  change("order_changed", "A-1", ";value=40");
  shop().settle("12:00");
  expect_whole(shop(), "with refunds");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(a_refund_counts_on_its_own_day_by_the_orders_touch),
      shop_test(a_refund_goes_by_each_lookback),
      shop_test(all_that_is_left_goes_back_and_no_more),
      shop_test(items_go_back_by_name),
      shop_test(a_refund_waits_for_its_order),
      shop_test(a_cancelled_order_and_one_of_another_value),
      shop_test(money_of_refunds),
      shop_test(broken_ones_are_rejected_and_take_nothing),
      shop_test(one_that_is_told_twice_by_itself_is_one),
      shop_test(items_of_one_day_are_several),
      shop_test(an_id_that_is_told_again_after_years_is_another_order),
      shop_test(a_forgotten_order_is_not_refunded),
      shop_test(undo_takes_back_a_refund),
      shop_test(the_order_of_telling_makes_no_difference),
      shop_test(what_is_refunded_whole_leaves_nothing),
      shop_test(all_of_it_can_be_checked),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
