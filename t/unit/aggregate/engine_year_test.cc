// Whole years of hits in zones that are hard: each bucket of each level holds its hits, and rows add up to the totals.
#include <map>

#include "aggregate/additive.h"
#include "aggregate/shop.h"

namespace footfall {
namespace {

// A year of a day with 23 hours, one with 25, and zones whose offset is no whole hour.
void every_day_of_a_year_adds_up(void**) {
  for (const char* zone : {"Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"}) {
    Config config = two_shops();
    config.sites[0].timezone = zone;
    the_shop = std::make_unique<Shop>(config);
    const Zone local = Zone::load(zone).value();
    static std::map<int64_t, int64_t> hits[kLevels.size()];
    for (auto& of_level : hits) of_level.clear();
    constexpr int64_t kEvery = 3'480'000;  // 58 minutes
    const int64_t from_ms = time_of("2026-01-01 00:00"), to_ms = time_of("2027-01-02 00:00");
    size_t number = 0;
    for (int64_t time_ms = from_ms; time_ms < to_ms; time_ms += kEvery, ++number) {
      shop().at_ms(time_ms).visitor("v" + std::to_string(number % 7)).hit("/" + std::to_string(number % 3));
      for (Level level : kLevels) ++hits[static_cast<size_t>(level)][local.bucket_start_s(level, time_ms / 1000)];
      if (number % 500 == 0) shop().fold_at(time_ms);
    }
    shop().fold_at(to_ms + 4 * kDayS * 1000);
    static Figures figures;
    figures = shop().figures();
    for (Level level : kLevels)
      for (const auto& [start_s, count] : hits[static_cast<size_t>(level)])
        expect_in(figures.at({0, Dimension::total, level, start_s, ""}), Counter::hits, count);
    expect_all_rows_to_add_up(figures);
    assert_true(hits[static_cast<size_t>(Level::day)].size() >= 366);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(every_day_of_a_year_adds_up),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
