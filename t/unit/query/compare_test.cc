// What a range is compared with, and which bucket with which.
#include "query/compare.h"

#include <optional>
#include <string>

#include "query/shop.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

Zone zone_of(const char* name) { return Zone::load(name).value(); }
const char* kBerlin = "Europe/Berlin";

// Dates and clocks of the zone.
int64_t at(const Zone& zone, std::string_view day, int hours = 0) {
  return zone.parse_date(day).value() + hours * 3600;
}
TimeRange days(const Zone& zone, std::string_view first, std::string_view last) {
  return {at(zone, first), zone.next_bucket_s(Level::day, at(zone, last))};
}
std::string shown(const TimeRange& range, const Zone& zone) {
  return instant_text(range.from_s, zone).substr(0, 16) + " " + instant_text(range.to_s, zone).substr(0, 16);
}
std::string before(Compare compare, std::string_view first, std::string_view last, const char* name = kBerlin) {
  const Zone zone = zone_of(name);
  return shown(Comparison(compare, days(zone, first, last), zone).before(), zone);
}

void days_are_moved_back_by_as_many_days(void**) {
  expect_text(before(Compare::previous, "2026-10-25", "2026-10-31"), "2026-10-18T00:00 2026-10-25T00:00");
  expect_text(before(Compare::previous, "2026-10-25", "2026-10-25"),
              "2026-10-24T00:00 2026-10-25T00:00");  // 25 h, 24 h
  expect_text(before(Compare::previous, "2026-03-30", "2026-03-30"),
              "2026-03-29T00:00 2026-03-30T00:00");  // 24 h, 23 h
  expect_text(before(Compare::previous, "2026-01-01", "2026-01-30"), "2025-12-02T00:00 2026-01-01T00:00");
}

void whole_months_are_moved_back_by_as_many_months(void**) {
  expect_text(before(Compare::previous, "2026-10-01", "2026-10-31"), "2026-09-01T00:00 2026-10-01T00:00");
  expect_text(before(Compare::previous, "2026-01-01", "2026-03-31"), "2025-10-01T00:00 2026-01-01T00:00");
  expect_text(before(Compare::previous, "2026-01-01", "2026-12-31"), "2025-01-01T00:00 2026-01-01T00:00");
  expect_text(before(Compare::previous, "2026-10-01", "2026-10-30"), "2026-09-01T00:00 2026-10-01T00:00");  // 30 days
}

// The last 30 days of 30 November are a month by chance.
void the_last_days_are_moved_back_by_as_many_days(void**) {
  const Zone zone = zone_of(kBerlin);
  const TimeRange november = days(zone, "2026-11-01", "2026-11-30");
  expect_text(shown(Comparison(Compare::previous, november, zone, true).before(), zone), "2026-10-02T00:00 2026-11-01T00:00");
  expect_text(shown(Comparison(Compare::previous, november, zone).before(), zone), "2026-10-01T00:00 2026-11-01T00:00");
}

void instants_are_moved_back_by_their_length(void**) {
  const Zone zone = zone_of(kBerlin);
  const TimeRange range{at(zone, "2026-10-31", 10), at(zone, "2026-10-31", 12)};
  expect_text(shown(Comparison(Compare::previous, range, zone).before(), zone), "2026-10-31T08:00 2026-10-31T10:00");
}

void a_year_keeps_the_dates(void**) {
  expect_text(before(Compare::year, "2026-10-25", "2026-10-31"), "2025-10-25T00:00 2025-11-01T00:00");
  expect_text(before(Compare::year, "2028-02-29", "2028-02-29"), "2027-02-28T00:00 2027-03-01T00:00");
  expect_text(before(Compare::year, "2028-02-01", "2028-02-29"), "2027-02-01T00:00 2027-03-01T00:00");
  expect_text(before(Compare::year, "2028-02-20", "2028-02-28"), "2027-02-20T00:00 2027-03-01T00:00");
  expect_text(before(Compare::year, "2028-02-29", "2028-03-05"), "2027-02-28T00:00 2027-03-06T00:00");
  expect_text(before(Compare::year, "2029-02-01", "2029-02-28"), "2028-02-01T00:00 2028-02-29T00:00");
  const Zone zone = zone_of(kBerlin);
  const TimeRange range{at(zone, "2026-10-31", 10), at(zone, "2026-10-31", 12)};
  expect_text(shown(Comparison(Compare::year, range, zone).before(), zone), "2025-10-31T10:00 2025-10-31T12:00");
}

std::string bucket_before(const Comparison& comparison, TimeUnit unit, int64_t start_s, const Zone& zone) {
  const std::optional<int64_t> before_s = comparison.before_of(unit, start_s);
  return before_s ? unit_text(unit, *before_s, zone) : "-";
}

void days_go_by_their_place_or_date(void**) {
  const Zone zone = zone_of(kBerlin);
  const Comparison month(Compare::previous, days(zone, "2026-10-01", "2026-10-31"), zone);
  expect_text(bucket_before(month, TimeUnit::day, at(zone, "2026-10-01"), zone), "2026-09-01");
  expect_text(bucket_before(month, TimeUnit::day, at(zone, "2026-10-30"), zone), "2026-09-30");
  expect_text(bucket_before(month, TimeUnit::day, at(zone, "2026-10-31"), zone), "-");
  const Comparison days_before(Compare::previous, days(zone, "2026-10-20", "2026-10-29"), zone);
  expect_text(bucket_before(days_before, TimeUnit::day, at(zone, "2026-10-26"), zone), "2026-10-16");
  const Comparison leap(Compare::year, days(zone, "2028-01-01", "2028-12-31"), zone);
  expect_text(bucket_before(leap, TimeUnit::day, at(zone, "2028-12-24"), zone), "2027-12-24");
  expect_text(bucket_before(leap, TimeUnit::day, at(zone, "2028-02-29"), zone), "-");
  const Comparison leap_day(Compare::year, days(zone, "2028-02-29", "2028-02-29"), zone);
  expect_text(bucket_before(leap_day, TimeUnit::day, at(zone, "2028-02-29"), zone), "2027-02-28");
}

void hours_go_by_the_clock(void**) {
  const Zone zone = zone_of(kBerlin);
  const auto hour = [&](const Comparison& comparison, std::string_view utc) {
    return bucket_before(comparison, TimeUnit::hour, utc_s(utc), zone);
  };
  const Comparison autumn(Compare::previous, days(zone, "2026-10-25", "2026-10-25"), zone);  // 25 hours
  expect_text(hour(autumn, "2026-10-24T22:00:00Z"), "2026-10-24T00:00:00+02:00");
  expect_text(hour(autumn, "2026-10-25T00:00:00Z"), "2026-10-24T02:00:00+02:00");
  expect_text(hour(autumn, "2026-10-25T01:00:00Z"), "-");  // 02:00 again
  expect_text(hour(autumn, "2026-10-25T22:00:00Z"), "2026-10-24T23:00:00+02:00");
  const Comparison spring(Compare::previous, days(zone, "2026-03-29", "2026-03-29"), zone);  // 23 hours
  expect_text(hour(spring, "2026-03-29T01:00:00Z"), "2026-03-28T03:00:00+01:00");
  const Comparison after(Compare::previous, days(zone, "2026-03-30", "2026-03-30"), zone);
  expect_text(hour(after, "2026-03-30T00:00:00Z"), "-");  // there was no 02:00 the day before
  expect_text(hour(after, "2026-03-30T01:00:00Z"), "2026-03-29T03:00:00+02:00");
}

void weeks_and_months_go_by_their_place(void**) {
  const Zone zone = zone_of(kBerlin);
  const Comparison comparison(Compare::year, days(zone, "2026-10-01", "2026-11-30"), zone);
  expect_text(bucket_before(comparison, TimeUnit::month, at(zone, "2026-11-01"), zone), "2025-11");
  expect_text(bucket_before(comparison, TimeUnit::week, at(zone, "2026-09-28"), zone), "2025-09-29");
  expect_text(bucket_before(comparison, TimeUnit::week, at(zone, "2026-10-26"), zone), "2025-10-27");
  const Comparison turn(Compare::previous, days(zone, "2026-12-28", "2027-01-10"), zone);
  expect_text(bucket_before(turn, TimeUnit::week, at(zone, "2026-12-28"), zone), "2026-12-14");
  expect_text(bucket_before(turn, TimeUnit::week, at(zone, "2027-01-04"), zone), "2026-12-21");
}

// Each bucket before is that of one bucket now at most, and both ways agree; those without are few.
void buckets_pair_off(void**) {
  static constexpr const char* kZones[] = {"Europe/Berlin",     "Asia/Kolkata", "Australia/Lord_Howe",
                                           "America/Sao_Paulo", "Pacific/Apia", "UTC"};
  Random random(3);
  for (int round = 0; round < 120; ++round) {
    const Zone zone = zone_of(kZones[random.below(std::size(kZones))]);
    const int64_t first_s = zone.bucket_start_s(
        Level::day, utc_s("2011-01-01T12:00:00Z") + kDayS * static_cast<int64_t>(random.below(6000)));
    int64_t end_s = first_s;
    for (uint64_t left = 1 + random.below(40); left > 0; --left) end_s = zone.next_bucket_s(Level::day, end_s);
    const Compare compare = random.below(2) == 0 ? Compare::previous : Compare::year;
    const Comparison comparison(compare, {first_s, end_s}, zone);
    assert_true(comparison.before().from_s < comparison.before().to_s);
    assert_true(comparison.before().to_s <= first_s || compare == Compare::year);
    for (const TimeUnit unit : {TimeUnit::hour, TimeUnit::day, TimeUnit::week}) {
      int64_t buckets = 0, alone = 0;
      for (int64_t start_s = unit_start_s(unit, first_s, zone); start_s < end_s;
           start_s = next_unit_s(unit, start_s, zone)) {
        ++buckets;
        const std::optional<int64_t> before_s = comparison.before_of(unit, start_s);
        alone += !before_s;
        if (!before_s) continue;
        const std::optional<int64_t> back_s = comparison.now_of(unit, *before_s);
        if (!back_s || *back_s != start_s)
          fail_msg("%s: %s and %s", zone.name().c_str(), unit_text(unit, start_s, zone).c_str(),
                   unit_text(unit, *before_s, zone).c_str());
      }
      // An hour or two where clocks change, 24 of them with a date that is left out, days that a month does not have.
      const int64_t alone_max = unit == TimeUnit::hour ? 24 * 4 + 4 : 4;
      if (alone > alone_max)
        fail_msg("%s from %s: %d of %d", zone.name().c_str(), zone.date_text(first_s).c_str(), int(alone),
                 int(buckets));
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(days_are_moved_back_by_as_many_days),
      cmocka_unit_test(whole_months_are_moved_back_by_as_many_months),
      cmocka_unit_test(the_last_days_are_moved_back_by_as_many_days),
      cmocka_unit_test(instants_are_moved_back_by_their_length),
      cmocka_unit_test(a_year_keeps_the_dates),
      cmocka_unit_test(days_go_by_their_place_or_date),
      cmocka_unit_test(hours_go_by_the_clock),
      cmocka_unit_test(weeks_and_months_go_by_their_place),
      cmocka_unit_test(buckets_pair_off),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
