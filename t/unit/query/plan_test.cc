// Plans: each instant of a range once, in the coarsest buckets that fit.
#include "query/plan.h"

#include <string>

#include "query/range.h"
#include "query/shop.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

const Zone& berlin() {
  static const Zone zone = Zone::load("Europe/Berlin").value();
  return zone;
}

std::string shown(const std::vector<PlanPart>& plan) {
  std::string text;
  for (const PlanPart& part : plan)
    text += std::string(level_name(part.level)) + " " + utc_text_of_ms(part.from_s * 1000).substr(0, 16) + ".." +
            utc_text_of_ms(part.to_s * 1000).substr(0, 16) + "\n";
  return text;
}

std::string plan_of(std::string_view from, std::string_view to, std::optional<TimeUnit> unit) {
  return shown(plan_buckets(utc_s(from), utc_s(to), unit, berlin()));
}

void whole_months_are_months(void**) {
  expect_text(plan_of("2026-02-28T23:00:00Z", "2026-04-30T22:00:00Z", std::nullopt),
              "month 2026-02-28T23:00..2026-04-30T22:00\n");
}

void ends_are_finer_than_the_middle(void**) {
  expect_text(plan_of("2026-01-30T21:30:00Z", "2026-03-02T01:05:00Z", std::nullopt),
              "minute 2026-01-30T21:30..2026-01-30T22:00\n"
              "hour 2026-01-30T22:00..2026-01-30T23:00\n"
              "day 2026-01-30T23:00..2026-01-31T23:00\n"
              "month 2026-01-31T23:00..2026-02-28T23:00\n"
              "day 2026-02-28T23:00..2026-03-01T23:00\n"
              "hour 2026-03-01T23:00..2026-03-02T01:00\n"
              "minute 2026-03-02T01:00..2026-03-02T01:05\n");
}

void a_time_dimension_bounds_the_buckets(void**) {
  const std::string_view from = "2026-02-28T23:00:00Z", to = "2026-04-30T22:00:00Z";
  expect_text(plan_of(from, to, TimeUnit::day), "day 2026-02-28T23:00..2026-04-30T22:00\n");
  expect_text(plan_of(from, to, TimeUnit::week), "day 2026-02-28T23:00..2026-04-30T22:00\n");
  expect_text(plan_of(from, to, TimeUnit::hour), "hour 2026-02-28T23:00..2026-04-30T22:00\n");
  expect_text(plan_of(from, to, TimeUnit::minute), "minute 2026-02-28T23:00..2026-04-30T22:00\n");
}

void an_empty_range_has_no_plan(void**) {
  expect_text(plan_of("2026-02-28T23:00:00Z", "2026-02-28T23:00:00Z", std::nullopt), "");
}

void parts_cover_each_minute_once_with_whole_buckets(void**) {
  static constexpr const char* kZones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata",
                                           "America/Sao_Paulo"};
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    static Zone zone;
    zone = Zone::load(kZones[random.below(std::size(kZones))]).value();
    const int64_t from_s = utc_s("2017-01-01T00:00:00Z") + static_cast<int64_t>(random.below(500'000)) * 60;
    const int64_t to_s = from_s + static_cast<int64_t>(random.below(round % 2 ? 3'000 : 300'000)) * 60;
    static constexpr TimeUnit kUnits[] = {TimeUnit::minute, TimeUnit::hour, TimeUnit::day, TimeUnit::week,
                                          TimeUnit::month};
    const auto unit = round % 6 == 5 ? std::nullopt : std::optional(kUnits[round % 6]);
    static std::vector<PlanPart> plan;
    plan = plan_buckets(from_s, to_s, unit, zone);
    int64_t covered_s = from_s;
    assert_true(plan.size() <= 7);
    for (const PlanPart& part : plan) {
      expect_number(part.from_s, covered_s);
      assert_true(part.to_s > part.from_s);
      expect_number(zone.bucket_start_s(part.level, part.from_s), part.from_s);
      expect_number(zone.bucket_start_s(part.level, part.to_s), part.to_s);
      assert_true(part.level <= (unit ? level_of(*unit) : Level::month));
      covered_s = part.to_s;
    }
    expect_number(covered_s, to_s);
  }
}

// Whatever bucket of a level lies whole within the range is not read in finer ones.
void no_coarser_bucket_would_fit(void**) {
  Random random(8);
  for (int round = 0; round < 300; ++round) {
    const int64_t from_s = utc_s("2026-01-01T00:00:00Z") + static_cast<int64_t>(random.below(300'000)) * 60;
    const int64_t to_s = from_s + static_cast<int64_t>(random.below(100'000)) * 60;
    static std::vector<PlanPart> plan;
    plan = plan_buckets(from_s, to_s, std::nullopt, berlin());
    for (const PlanPart& part : plan) {
      if (part.level == Level::month) continue;
      const Level coarser = static_cast<Level>(static_cast<int>(part.level) + 1);
      int64_t start_s = berlin().bucket_start_s(coarser, part.from_s);
      if (start_s < from_s) start_s = berlin().next_bucket_s(coarser, start_s);
      assert_true(start_s >= part.to_s || berlin().next_bucket_s(coarser, start_s) > to_s);
    }
  }
}

void weeks_begin_on_monday(void**) {
  const int64_t sunday_s = utc_s("2026-10-25T12:00:00Z");
  expect_text(unit_text(TimeUnit::week, unit_start_s(TimeUnit::week, sunday_s, berlin()), berlin()), "2026-10-19");
  expect_text(unit_text(TimeUnit::week, next_unit_s(TimeUnit::week, sunday_s, berlin()), berlin()), "2026-10-26");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(whole_months_are_months),
      cmocka_unit_test(ends_are_finer_than_the_middle),
      cmocka_unit_test(a_time_dimension_bounds_the_buckets),
      cmocka_unit_test(an_empty_range_has_no_plan),
      cmocka_unit_test(parts_cover_each_minute_once_with_whole_buckets),
      cmocka_unit_test(no_coarser_bucket_would_fit),
      cmocka_unit_test(weeks_begin_on_monday),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
