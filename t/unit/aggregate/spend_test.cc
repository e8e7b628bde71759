// Spend as it is counted: in the rows of the touches that it is for, each key and day as it was told last, whatever imports come and
// go.
#include "credit/spend_hit.h"

#include <map>
#include <set>
#include <tuple>

#include "aggregate/additive.h"
#include "aggregate/checked.h"
#include "aggregate/shop.h"
#include "random.h"

namespace footfall {
namespace {

constexpr int64_t kUnit = 1'000'000;

int open_import_shop(void**) {
  Config config = two_shops();
  CodeConfig& code = config.sites[0].codes.emplace_back();
  code.code = "SPRING24", code.channel = "direct_mail", code.campaign = "spring-mailing";
  the_shop = std::make_unique<Shop>(std::move(config), Timeline::imported);
  store_config(shop());
  return 0;
}

// What a table tells of a day, on its way as an importer brings it.
void tell(absl::CivilDay day, const SpendKey& key, const SpendAmounts& amounts) {
  static SpendLineReader lines;
  static std::string line;
  line = spend_line({day, key, amounts}, "shop");
  assert_true(lines.read(line) == LineOutcome::hit);
  shop().count(lines.hit(), lines.site_name(), false);
}
SpendAmounts amounts(int64_t units, std::optional<uint64_t> clicks = {}, std::optional<uint64_t> impressions = {}, std::string_view currency = {}) {
  return {units * kUnit, parse_currency(currency), clicks, impressions};
}
void tell(absl::CivilDay day, const SpendKey& key, int64_t units) { tell(day, key, amounts(units)); }

const absl::CivilDay kDay(2026, 10, 1);
const SpendKey kSearch{.source = "google", .medium = "cpc", .campaign = "shoes"};

int64_t cost(Dimension dimension, std::string_view text, Level level = Level::day) {
  return static_cast<int64_t>(shop().sum(dimension, text, level)[Amount::cost] / kUnit);
}
int64_t cost() { return cost(Dimension::total, ""); }

void spend_is_in_the_rows_of_its_touches(void**) {
  shop().import(1);
  tell(kDay, kSearch, amounts(30, 60, 900));
  tell(kDay, {.source = "fb", .medium = "paid_social"}, 10);
  tell(kDay, {.code = "spring24"}, 5);
  tell(kDay, {.channel = "radio"}, 7);
  for (const Level level : {Level::hour, Level::day, Level::month}) {
    expect_number(cost(Dimension::total, "", level), 52);
    expect_number(cost(Dimension::channel, "paid_search", level), 30);
    expect_number(cost(Dimension::channel, "paid_social", level), 10);
    expect_number(cost(Dimension::channel, "direct_mail", level), 5);
    expect_number(cost(Dimension::channel, "radio", level), 7);
    expect_number(cost(Dimension::source, "google", level), 30);
    expect_number(cost(Dimension::source, "facebook", level), 10);
    expect_number(cost(Dimension::source, "SPRING24", level), 5);
    expect_number(cost(Dimension::source, "", level), 7);
    expect_number(cost(Dimension::medium, "cpc", level), 30);
    expect_number(cost(Dimension::campaign, "shoes", level), 30);
    expect_number(cost(Dimension::campaign, "spring-mailing", level), 5);
    expect_number(cost(Dimension::campaign, "", level), 17);
    expect_number(cost(Dimension::code, "SPRING24", level), 5);
    expect_number(cost(Dimension::content, "", level), 52);
    expect_number(cost(Dimension::term, "", level), 52);
    expect_number(shop().sum(Dimension::total, "", level)[Counter::clicks], 60);
    expect_number(shop().sum(Dimension::medium, "cpc", level)[Counter::impressions], 900);
  }
  // In Berlin the day began at 22:00.
  expect_number(static_cast<int64_t>(shop().bucket(Dimension::total, "", Level::hour, "2026-09-30 22:00")[Amount::cost] / kUnit), 52);
  expect_all_rows_to_add_up(shop().figures());
  expect_whole(shop(), "once told");
}

void who_tells_a_day_again_replaces_it(void**) {
  shop().import(1);
  tell(kDay, kSearch, amounts(30, 60));
  tell(kDay + 1, kSearch, 40);
  tell(kDay, {.source = "google", .medium = "cpc"}, 3);  // another key
  shop().import(2);
  tell(kDay, kSearch, amounts(20, {}, 5));
  expect_number(cost(), 63);
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::clicks], 0);
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::impressions], 5);
  tell(kDay, kSearch, 21);  // twice in a table
  expect_number(cost(), 64);
  shop().undo(2);
  expect_number(cost(), 73);
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::clicks], 60);
  expect_whole(shop(), "after the undo");
}

void what_a_later_import_told_stays_whatever_goes(void**) {
  shop().import(1);
  tell(kDay, kSearch, 30);
  shop().import(2);
  tell(kDay, kSearch, 30);  // the same again
  shop().import(3);
  tell(kDay, kSearch, 50);
  expect_number(cost(), 50);
  shop().undo(1);
  expect_number(cost(), 50);
  expect_whole(shop(), "without the first");
  shop().undo(2);
  expect_number(cost(), 50);
  shop().undo(3);
  expect_number(cost(), 0);
  assert_true(shop().figures().empty());
  assert_true(shop().stored("orders").empty());
}

void currencies_are_turned_into_the_sites(void**) {
  shop().import(1);
  tell(kDay, kSearch, amounts(100, {}, {}, "USD"));
  tell(kDay, {.channel = "radio"}, amounts(10, 4, {}, "CHF"));
  expect_number(cost(), 92);
  expect_number(cost(Dimension::currency, "CHF"), 10);
  expect_number(shop().sum(Dimension::channel, "radio", Level::day)[Counter::clicks], 4);
  shop().import(2);
  tell(kDay, {.channel = "radio"}, amounts(12, {}, {}, "EUR"));
  expect_number(cost(), 104);
  expect_number(cost(Dimension::currency, "CHF"), 0);
  shop().undo(2);
  expect_number(cost(Dimension::currency, "CHF"), 10);
  expect_whole(shop(), "with a cost apart");
}

// Days of spend are no hits: a visit that an import left open goes on whatever was told of later days.
void no_clock_goes_by_spend(void**) {
  shop().import(1).at("10:00").hit("/a");
  shop().import(2);
  tell(kDay + 20, kSearch, 30);
  shop().import(3).at("10:05").hit("/b");
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::visits], 1);
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::late_hits], 0);
}

void what_is_off_its_form_is_no_spend(void**) {
  static Hit hit;
  hit = {};
  hit.time_ms = time_of("10:00");
  hit.flags = kHitEventOnly | kHitSpend;
  shop().import(1).count(hit, "shop", false);
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::malformed_events], 1);
}

void a_day_that_is_lost_is_found_by_the_check(void**) {
  static std::vector<std::string> faults;
  shop().import(1);
  tell(kDay, kSearch, 30);
  tell(kDay + 1, kSearch, 40);
  shop().fold();
  shop().aside([](const std::string& path) {
    LmdbEnv env = LmdbEnv::open(path, {.map_bytes = kCheckMapBytes, .databases = 16}).value();
    LmdbTxn txn = LmdbTxn::write(env).value();
    const LmdbDatabase orders = txn.database("orders").value();
    assert_true(txn.remove(orders, order_key(0, kSpendKind, shop().hasher()(spend_name(kSearch, "2026-10-01")), 1)).ok());
    assert_true(txn.commit().ok());
  });
  check(shop(), faults);
  expect_number(static_cast<int64_t>(faults.size()), 1);
  assert_true(faults[0].find("cost: 30000000, remembered spend 0") != std::string::npos);
}

// --- whatever comes and goes -----------------------------------------------------------------------------------------

using Name = std::pair<int, int>;  // key, day
struct Told {
  int64_t cost = 0, clicks = 0;
};
using Telling = std::map<uint16_t, Told>;  // by import
std::map<Name, Telling> told;

SpendKey key_of(int key) {
  switch (key) {
    case 0: return kSearch;
    case 1: return {.source = "fb", .medium = "cpc"};
    case 2: return {.code = "spring24"};
    case 3: return {.channel = "radio"};
    default: return {.source = "partner" + std::to_string(key)};
  }
}

void tell_something(Random& random, uint16_t import) {
  const Name name(static_cast<int>(random.below(6)), static_cast<int>(random.below(4)));
  const Told now{static_cast<int64_t>(random.below(50)), static_cast<int64_t>(random.below(9))};
  told[name][import] = now;
  tell(kDay + name.second, key_of(name.first), amounts(now.cost, static_cast<uint64_t>(now.clicks)));
}

void expect_the_newest() {
  int64_t cost_of_all = 0, clicks_of_all = 0;
  std::map<std::string, int64_t> by_channel;
  for (const auto& [name, telling] : told) {
    if (telling.empty()) continue;
    const Told& newest = telling.rbegin()->second;
    cost_of_all += newest.cost, clicks_of_all += newest.clicks;
    by_channel[rows_of_spend(key_of(name.first), shop().config().sites[0]).channel] += newest.cost;
  }
  expect_number(cost(), cost_of_all);
  expect_number(shop().sum(Dimension::total, "", Level::month)[Counter::clicks], clicks_of_all);
  for (const auto& [channel, of_channel] : by_channel) expect_number(cost(Dimension::channel, channel), of_channel);
  expect_all_rows_to_add_up(shop().figures());
}

void the_newest_holds_whichever_imports_go(void**) {
  static Random random(11);
  for (int round = 0; round < 6; ++round) {
    open_import_shop(nullptr);
    told.clear();
    for (uint16_t import = 1; import <= 6; ++import) {
      shop().import(import);
      for (size_t days = random.below(25); days > 0; --days) {
        tell_something(random, import);
        if (random.below(10) == 0) shop().settle_ms(time_of("10:00"));
        if (random.below(20) == 0) shop().checkpoint().restart().import(import);
      }
      expect_the_newest();
    }
    if (round % 2 == 1) {
      shop().merge_imports(2);
      expect_the_newest();
      expect_whole(shop(), "merged");
    }
    std::vector<uint16_t> left = {3, 4, 5, 6};
    if (round % 2 == 0) left.insert(left.end(), {1, 2});
    while (!left.empty()) {
      const size_t at = random.below(left.size());
      shop().undo(left[at]);
      for (auto& [name, telling] : told) telling.erase(left[at]);
      left.erase(left.begin() + static_cast<ptrdiff_t>(at));
      expect_the_newest();
      expect_whole(shop(), "undone");
    }
    if (round % 2 == 0) assert_true(shop().figures().empty());
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(spend_is_in_the_rows_of_its_touches, open_import_shop),
      cmocka_unit_test_setup(who_tells_a_day_again_replaces_it, open_import_shop),
      cmocka_unit_test_setup(what_a_later_import_told_stays_whatever_goes, open_import_shop),
      cmocka_unit_test_setup(currencies_are_turned_into_the_sites, open_import_shop),
      cmocka_unit_test_setup(no_clock_goes_by_spend, open_import_shop),
      cmocka_unit_test_setup(what_is_off_its_form_is_no_spend, open_import_shop),
      cmocka_unit_test_setup(a_day_that_is_lost_is_found_by_the_check, open_import_shop),
      cmocka_unit_test(the_newest_holds_whichever_imports_go),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
