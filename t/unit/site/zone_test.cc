// Buckets of time zones over the days on which clocks are changed.
#include "site/zone.h"

#include <memory>
#include <string>
#include <vector>

#include "test.h"

using namespace footfall;

namespace {

constexpr int64_t kHourS = 3600;

// Zones live as long as the program: a failed test leaves by longjmp.
const Zone& zone(std::string_view name) {
  static std::vector<std::unique_ptr<Zone>> zones;
  for (const auto& known : zones) {
    if (known->name() == name) return *known;
  }
  Result<Zone> loaded = Zone::load(name);
  assert_true(loaded.ok());
  return *zones.emplace_back(std::make_unique<Zone>(*loaded));
}

int64_t utc(std::string_view text) {
  absl::Time time;
  std::string fault;
  assert_true(absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &fault));
  return absl::ToUnixSeconds(time);
}

std::string utc_text(int64_t time_s) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time_s), absl::UTCTimeZone());
}

int64_t date(const Zone& zone, std::string_view text) {
  const Result<int64_t> start_s = zone.parse_date(text);
  assert_true(start_s.ok());
  return *start_s;
}

// The day's first second in UTC, its hours, and its hour buckets' names.
void expect_day(std::string_view zone_name, std::string_view day, std::string_view start_utc, double hours,
                size_t hour_buckets) {
  const Zone& at = zone(zone_name);
  const int64_t start_s = date(at, day);
  expect_text(utc_text(start_s), start_utc);
  const int64_t next_s = at.next_bucket_s(Level::day, start_s);
  expect_number(next_s - start_s, static_cast<int64_t>(hours * kHourS));
  size_t buckets = 0;
  for (int64_t hour_s = start_s; hour_s < next_s; hour_s = at.next_bucket_s(Level::hour, hour_s)) ++buckets;
  expect_number(static_cast<int64_t>(buckets), static_cast<int64_t>(hour_buckets));
}

std::vector<std::string>& hour_names(std::string_view zone_name, std::string_view from_utc, size_t count) {
  static std::vector<std::string> names;
  names.clear();
  const Zone& at = zone(zone_name);
  int64_t hour_s = at.bucket_start_s(Level::hour, utc(from_utc));
  for (size_t i = 0; i < count; ++i, hour_s = at.next_bucket_s(Level::hour, hour_s)) {
    names.push_back(at.bucket_text(Level::hour, hour_s));
  }
  return names;
}

void test_berlin_spring_day_has_23_hours(void**) {
  expect_day("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23, 23);
  const auto& names = hour_names("Europe/Berlin", "2026-03-29T00:10:00Z", 2);
  expect_text(names[0], "2026-03-29T01:00:00+01:00");
  expect_text(names[1], "2026-03-29T03:00:00+02:00");
}

void test_berlin_autumn_day_has_25_hours(void**) {
  expect_day("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25, 25);
  const auto& names = hour_names("Europe/Berlin", "2026-10-25T00:59:59Z", 3);
  expect_text(names[0], "2026-10-25T02:00:00+02:00");
  expect_text(names[1], "2026-10-25T02:00:00+01:00");
  expect_text(names[2], "2026-10-25T03:00:00+01:00");
}

void test_kolkata_hours_begin_at_the_half(void**) {
  expect_day("Asia/Kolkata", "2026-06-01", "2026-05-31T18:30:00Z", 24, 24);
  const Zone& kolkata = zone("Asia/Kolkata");
  expect_text(utc_text(kolkata.bucket_start_s(Level::hour, utc("2026-06-01T10:29:59Z"))), "2026-06-01T09:30:00Z");
  expect_text(utc_text(kolkata.bucket_start_s(Level::hour, utc("2026-06-01T10:30:00Z"))), "2026-06-01T10:30:00Z");
}

void test_sao_paulo_day_without_midnight(void**) {
  expect_day("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23, 23);
  const auto& names = hour_names("America/Sao_Paulo", "2018-11-04T02:59:59Z", 2);
  expect_text(names[0], "2018-11-03T23:00:00-03:00");
  expect_text(names[1], "2018-11-04T01:00:00-02:00");
}

void test_sao_paulo_day_whose_last_hour_comes_twice(void**) {
  expect_day("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25, 25);
  expect_day("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z", 24, 24);
}

void test_havana_day_whose_midnight_comes_twice(void**) {
  expect_day("America/Havana", "2025-11-02", "2025-11-02T04:00:00Z", 25, 25);
}

void test_lord_howe_changes_by_half_an_hour(void**) {
  expect_day("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5, 24);
  const auto& spring = hour_names("Australia/Lord_Howe", "2026-10-03T15:00:00Z", 3);
  expect_text(spring[0], "2026-10-04T01:00:00+10:30");
  expect_text(spring[1], "2026-10-04T02:30:00+11:00");
  expect_text(spring[2], "2026-10-04T03:00:00+11:00");

  expect_day("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5, 25);
  static std::vector<std::string> autumn;
  autumn = hour_names("Australia/Lord_Howe", "2026-04-04T14:00:00Z", 3);
  expect_text(autumn[0], "2026-04-05T01:00:00+11:00");
  expect_text(autumn[1], "2026-04-05T01:30:00+10:30");
  expect_text(autumn[2], "2026-04-05T02:00:00+10:30");
}

void test_apia_left_a_day_out(void**) {
  const Zone& apia = zone("Pacific/Apia");
  expect_day("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24, 24);
  expect_number(date(apia, "2011-12-30"), date(apia, "2011-12-31"));
  expect_text(apia.date_text(date(apia, "2011-12-30")), "2011-12-31");
  const int64_t after_s = apia.next_bucket_s(Level::day, date(apia, "2011-12-29"));
  expect_text(apia.bucket_text(Level::day, after_s), "2011-12-31");
  expect_day("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24, 24);
}

void test_st_johns_clocks_went_back_over_midnight(void**) {
  // at 00:01 of the 7th back to 23:01 of the 6th: all from the first midnight on is the 7th
  const Zone& johns = zone("America/St_Johns");
  const int64_t start_s = date(johns, "2010-11-07");
  expect_text(utc_text(start_s), "2010-11-07T02:30:00Z");
  expect_number(johns.bucket_start_s(Level::day, start_s + 600), start_s);
  expect_number(johns.next_bucket_s(Level::day, start_s) - start_s, 25 * kHourS);
}

void test_months_and_weeks_run_in_the_zone(void**) {
  const Zone& berlin = zone("Europe/Berlin");
  const int64_t october_s = berlin.bucket_start_s(Level::month, utc("2026-10-25T12:00:00Z"));
  expect_text(utc_text(october_s), "2026-09-30T22:00:00Z");
  expect_text(berlin.bucket_text(Level::month, october_s), "2026-10");
  expect_text(utc_text(berlin.next_bucket_s(Level::month, october_s)), "2026-10-31T23:00:00Z");
  expect_text(berlin.bucket_text(Level::month, berlin.bucket_start_s(Level::month, utc("2026-12-31T23:00:00Z"))),
              "2027-01");

  const int64_t week_s = berlin.week_start_s(utc("2026-10-25T22:59:59Z"));
  expect_text(utc_text(week_s), "2026-10-18T22:00:00Z");
  expect_text(utc_text(berlin.next_week_s(week_s)), "2026-10-25T23:00:00Z");
  expect_number(berlin.next_week_s(week_s) - week_s, 7 * 24 * kHourS + kHourS);
  expect_number(berlin.week_start_s(week_s), week_s);
}

void test_minutes_are_those_of_utc(void**) {
  const Zone& kathmandu = zone("Asia/Kathmandu");
  const int64_t minute_s = kathmandu.bucket_start_s(Level::minute, utc("2026-10-25T00:30:59Z"));
  expect_text(kathmandu.bucket_text(Level::minute, minute_s), "2026-10-25T00:30:00Z");
  expect_number(kathmandu.next_bucket_s(Level::minute, minute_s), minute_s + 60);
  expect_number(kathmandu.bucket_start_s(Level::minute, -1), -60);
}

void test_utc_is_the_default(void**) {
  static const Zone utc_zone;
  expect_text(utc_zone.name(), "UTC");
  expect_text(utc_zone.bucket_text(Level::hour, utc("2026-10-25T02:00:00Z")), "2026-10-25T02:00:00+00:00");
  expect_text(utc_text(utc_zone.bucket_start_s(Level::day, utc("2026-10-25T23:59:59Z"))), "2026-10-25T00:00:00Z");
}

// Two years in steps that meet every kind of second: buckets tile time, and coarser ones begin with finer ones.
void test_buckets_tile_time_and_nest(void**) {
  const char* kZones[] = {"UTC",
                          "Europe/Berlin",
                          "Asia/Kolkata",
                          "America/Sao_Paulo",
                          "Pacific/Apia",
                          "America/St_Johns",
                          "Australia/Lord_Howe",
                          "America/Havana",
                          "Asia/Kathmandu",
                          "Asia/Beirut"};
  for (const char* name : kZones) {
    const Zone& at = zone(name);
    Zone fresh = at;  // its memory is another
    for (int64_t time_s = utc("2010-10-01T00:00:00Z"); time_s < utc("2012-04-10T00:00:00Z"); time_s += 1777) {
      int64_t finer_s = 0;
      for (const Level level : kLevels) {
        const int64_t start_s = at.bucket_start_s(level, time_s);
        const int64_t next_s = at.next_bucket_s(level, start_s);
        assert_true(start_s <= time_s && time_s < next_s);
        expect_number(at.bucket_start_s(level, start_s), start_s);
        expect_number(fresh.bucket_start_s(level, next_s), next_s);
        expect_number(fresh.bucket_start_s(level, next_s - 1), start_s);
        if (level != Level::minute) {
          assert_true(start_s <= finer_s);
          const Level below = static_cast<Level>(static_cast<int>(level) - 1);
          expect_number(fresh.bucket_start_s(below, start_s), start_s);
        }
        finer_s = start_s;
      }
      assert_true(at.week_start_s(time_s) <= time_s && time_s < at.next_week_s(time_s));
    }
  }
}

void test_dates_read_strictly(void**) {
  const Zone& berlin = zone("Europe/Berlin");
  expect_number(date(berlin, "2028-02-29"), utc("2028-02-28T23:00:00Z"));
  for (const char* text : {"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-10-00", "2026-10-32", "26-10-25",
                           "2026-10-25 ", "2026/10/25", "2026-1-25", "+026-10-25", "2026-10-25T00:00:00Z"}) {
    const Result<int64_t> start_s = berlin.parse_date(text);
    if (start_s.ok()) {
      print_error("%s was taken\n", text);
      fail();
    }
  }
  static Result<int64_t> fault = berlin.parse_date("2026-02-29");
  expect_text(fault.error().text, "\"2026-02-29\" is no date; it must be as 2026-10-25");
}

void test_names_that_are_no_zone(void**) {
  for (const char* name : {"", "Berlin", "Europe/Berlim", "localtime", "/etc/localtime", "../Europe/Berlin", "file:x",
                           "Europe/Berlin\n"}) {
    static Result<Zone> loaded = Error::invalid("");
    loaded = Zone::load(name);
    if (loaded.ok()) {
      print_error("%s was taken\n", name);
      fail();
    }
  }
  for (const Level level : kLevels) assert_false(level_name(level).empty());
  expect_text(level_name(Level::month), "month");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_berlin_spring_day_has_23_hours),
      cmocka_unit_test(test_berlin_autumn_day_has_25_hours),
      cmocka_unit_test(test_kolkata_hours_begin_at_the_half),
      cmocka_unit_test(test_sao_paulo_day_without_midnight),
      cmocka_unit_test(test_sao_paulo_day_whose_last_hour_comes_twice),
      cmocka_unit_test(test_havana_day_whose_midnight_comes_twice),
      cmocka_unit_test(test_lord_howe_changes_by_half_an_hour),
      cmocka_unit_test(test_apia_left_a_day_out),
      cmocka_unit_test(test_st_johns_clocks_went_back_over_midnight),
      cmocka_unit_test(test_months_and_weeks_run_in_the_zone),
      cmocka_unit_test(test_minutes_are_those_of_utc),
      cmocka_unit_test(test_utc_is_the_default),
      cmocka_unit_test(test_buckets_tile_time_and_nest),
      cmocka_unit_test(test_dates_read_strictly),
      cmocka_unit_test(test_names_that_are_no_zone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
