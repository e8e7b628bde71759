// What must hold for any traffic: rows add up to totals, levels to each other, and no checkpoint, fold or restart at
// any point changes a figure.
#include "aggregate/additive.h"
#include "aggregate/shop.h"
#include "aggregate/traffic.h"

namespace footfall {
namespace {

using enum Counter;
using enum Amount;

std::vector<Request> traffic;  // 2,000 hits

int make_traffic(void**) { return traffic = random_traffic(20261001, 2000), 0; }

void rows_add_up_to_totals_at_any_time(void**) {
  for (size_t done = 0; done < traffic.size(); done += 250) {
    visit_the_shops(traffic, done, done + 250);
    expect_all_rows_to_add_up(shop().figures());
  }
  shop().settle_ms(traffic.back().time_ms + kDayS * 1000);
  expect_number(shop().open_visits(), 0);
  expect_all_rows_to_add_up(shop().figures());
}

void the_traffic_has_something_of_everything(void**) {
  visit_the_shops(traffic, 0, traffic.size());
  const uint16_t number = shop().sites().find("shop").number;
  for (Counter counter : {bytes, errors_4xx, errors_5xx, bot_hits, malformed_events, bounces, visits_with_cart,
                          visits_cart_left, duplicate_orders, rejected_orders, items_first})
    assert_true(shop().sum(Dimension::total, "", Level::month, number)[counter] > 0);
  assert_true(shop().sum(Dimension::currency, "CHF", Level::day, number)[orders_last] > 0);
  assert_true(shop().sum(Dimension::total, "", Level::day, number)[visits] > 100);
  assert_true(shop().open_visits() > 0);
  const std::pair<Dimension, const char*> kRows[] = {{Dimension::country, "DE"},         {Dimension::country, ""},
                                                     {Dimension::device, "mobile"},      {Dimension::device, "bot"},
                                                     {Dimension::bot_class, "behaviour"}};
  for (const auto& [dimension, text] : kRows)
    assert_true(shop().sum(dimension, text, Level::month, number)[hits] > 0);
  assert_true(shop().sum(Dimension::search_term, "Red shoes", Level::month, number)[exits] > 0);
  assert_true(shop().sum(Dimension::item, "A", Level::month, number)[orders_last] > 0);
  expect_number(
      shop().sum(Dimension::total, "", Level::day, 0)[hits] + shop().sum(Dimension::total, "", Level::day, 1)[hits],
      2000);
}

void minutes_add_up_to_hours_days_and_months(void**) {
  visit_the_shops(traffic, 0, traffic.size());
  for (Level level : {Level::hour, Level::day, Level::month}) {
    static Figures sums, stored;
    sums.clear();
    stored.clear();
    for (const auto& [name, counters] : shop().figures()) {
      Counters without = counters;
      without.visitors = Distinct();
      if (name.level == level) stored[name].merge(without);
      if (name.level != Level::minute) continue;
      RowName sum = name;
      sum.level = level;
      sum.bucket_s = shop().sites().at(name.site).zone.bucket_start_s(level, name.bucket_s);
      sums[sum].merge(without);
    }
    expect_same(told(stored), told(sums), std::string(level_name(level)));
  }
}

// How often a run does what an aggregator does; 0: never.
struct Timing {
  const char* name;
  size_t checkpoint, fold, settle, restart;
};

void no_timing_changes_a_figure(void**) {
  static std::string expected;
  visit_the_shops(traffic, 0, traffic.size());
  expected = told(shop().figures());
  constexpr Timing kTimings[] = {{"a checkpoint each 7 hits", 7, 0, 0, 0},
                                 {"a fold each 50 hits", 10, 50, 0, 0},
                                 {"visits closed each 20 hits", 5, 0, 20, 0},
                                 {"a restart each 13 hits", 0, 0, 0, 13},
                                 {"a restart each 100 hits, a fold each 30", 10, 30, 70, 100},
                                 {"all of it after each 11 hits", 11, 11, 11, 11}};
  for (const Timing& timing : kTimings) {
    open_shop(nullptr);
    for (size_t i = 0; i < traffic.size(); ++i) {
      visit_the_shops(traffic, i, i + 1);
      const auto is_due = [i](size_t each) { return each != 0 && (i + 1) % each == 0; };
      if (is_due(timing.checkpoint)) shop().checkpoint();
      if (is_due(timing.fold)) shop().fold();
      if (is_due(timing.settle)) shop().settle_ms(traffic[i].time_ms);
      if (is_due(timing.restart)) shop().checkpoint().restart();
    }
    expect_same(told(shop().figures()), expected, timing.name);
  }
}

// An aggregator that dies loses what came since its last checkpoint, and counts it again from the lanes.
void a_death_between_checkpoints_changes_no_figure(void**) {
  static std::string expected;
  visit_the_shops(traffic, 0, traffic.size());
  expected = told(shop().figures());
  open_shop(nullptr);
  static Random random(4);
  for (size_t stored = 0; stored < traffic.size();) {
    const size_t until = std::min(traffic.size(), stored + 1 + random.below(60));
    visit_the_shops(traffic, stored, until);
    if (random.below(2) == 0) {
      shop().restart();
    } else {
      shop().checkpoint();
      stored = until;
    }
  }
  expect_same(told(shop().figures()), expected, "deaths");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(the_traffic_has_something_of_everything),       shop_test(rows_add_up_to_totals_at_any_time),
      shop_test(minutes_add_up_to_hours_days_and_months),       shop_test(no_timing_changes_a_figure),
      shop_test(a_death_between_checkpoints_changes_no_figure),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
