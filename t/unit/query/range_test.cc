// Ranges: words, dates and instants, over the days on which clocks are changed.
#include "query/range.h"

#include <string>

#include "query/shop.h"
#include "test.h"

using namespace footfall;

namespace {

struct Asked {
  RangeWords words;
  std::string_view now = "2026-10-31T12:00:00Z";
  std::optional<TimeUnit> unit = {};
  std::string_view zone = "Europe/Berlin";
  Retention retention = {};
};

std::variant<TimeRange, QueryError>& parse(const Asked& asked) {
  static Zone zone;
  static std::variant<TimeRange, QueryError> answer;
  zone = Zone::load(asked.zone).value();
  const RangeContext context{
      .now_s = utc_s(asked.now), .zone = zone, .retention = asked.retention, .unit = asked.unit, .first_day_s = [] {
        return utc_s("2026-03-01T23:00:00Z");
      }};
  answer = parse_range(asked.words, context);
  return answer;
}

std::string shown(const Asked& asked) {
  const auto& answer = parse(asked);
  if (const auto* error = std::get_if<QueryError>(&answer)) return error->param + ": " + error->message;
  const TimeRange& range = std::get<TimeRange>(answer);
  const Zone zone = Zone::load(asked.zone).value();
  return instant_text(range.from_s, zone) + " " + instant_text(range.to_s, zone);
}

std::string of_word(const char* word) { return shown({.words = {.range = word}}); }
std::string of_ends(const char* from, const char* to) { return shown({.words = {.from = from, .to = to}}); }
std::string of_ends(const char* from, const char* to, TimeUnit unit) {
  return shown({.words = {.from = from, .to = to}, .unit = unit});
}

void words_are_whole_days_until_tonight(void**) {
  expect_text(of_word("today"), "2026-10-31T00:00:00+01:00 2026-11-01T00:00:00+01:00");
  expect_text(of_word("yesterday"), "2026-10-30T00:00:00+01:00 2026-10-31T00:00:00+01:00");
  expect_text(of_word("7d"), "2026-10-25T00:00:00+02:00 2026-11-01T00:00:00+01:00");
  expect_text(of_word("30d"), "2026-10-02T00:00:00+02:00 2026-11-01T00:00:00+01:00");
  expect_text(of_word("month"), "2026-10-01T00:00:00+02:00 2026-11-01T00:00:00+01:00");
  expect_text(of_word("prev_month"), "2026-09-01T00:00:00+02:00 2026-10-01T00:00:00+02:00");
  expect_text(of_word("year"), "2026-01-01T00:00:00+01:00 2026-11-01T00:00:00+01:00");
  expect_text(of_word("all"), "2026-03-02T00:00:00+01:00 2026-11-01T00:00:00+01:00");
}

void nothing_said_is_30_days(void**) { expect_text(shown({}), of_word("30d")); }

void today_is_the_zones(void**) {
  const auto at = [](std::string_view zone) {
    return shown({.words = {.range = "today"}, .now = "2026-10-31T23:30:00Z", .zone = zone});
  };
  expect_text(at("UTC"), "2026-10-31T00:00:00+00:00 2026-11-01T00:00:00+00:00");
  expect_text(at("Europe/Berlin"), "2026-11-01T00:00:00+01:00 2026-11-02T00:00:00+01:00");
}

void dates_include_both_days_of_23_and_25_hours(void**) {
  expect_text(of_ends("2026-03-29", "2026-03-29"), "2026-03-29T00:00:00+01:00 2026-03-30T00:00:00+02:00");
  expect_text(of_ends("2026-10-25", "2026-10-25"), "2026-10-25T00:00:00+02:00 2026-10-26T00:00:00+01:00");
  expect_number(std::get<TimeRange>(parse({.words = {.from = "2026-03-29", .to = "2026-03-29"}})).to_s -
                    utc_s("2026-03-28T23:00:00Z"),
                23 * 3600);
  expect_number(std::get<TimeRange>(parse({.words = {.from = "2026-10-25", .to = "2026-10-25"}})).to_s -
                    utc_s("2026-10-24T22:00:00Z"),
                25 * 3600);
}

void an_open_end_is_tonight(void**) {
  expect_text(shown({.words = {.from = "2026-10-30"}}), "2026-10-30T00:00:00+01:00 2026-11-01T00:00:00+01:00");
}

void a_date_that_the_zone_left_out_adds_nothing(void**) {
  Asked asked{.words = {.from = "2011-12-29", .to = "2011-12-30"}, .zone = "Pacific/Apia"};
  asked.retention.day_s = asked.retention.hour_s = kForeverS;
  expect_text(shown(asked), "2011-12-29T00:00:00-10:00 2011-12-31T00:00:00+14:00");
}

void instants_are_half_open_and_widened_to_minutes(void**) {
  expect_text(of_ends("2026-10-31T10:00:00+01:00", "2026-10-31T11:00:00+01:00"),
              "2026-10-31T10:00:00+01:00 2026-10-31T11:00:00+01:00");
  expect_text(of_ends("2026-10-31T09:00:59.999Z", "2026-10-31T10:00:00.001Z"),
              "2026-10-31T10:00:00+01:00 2026-10-31T11:01:00+01:00");
  expect_text(of_ends("2026-10-31T10:00:00 01:00", "2026-10-31t10:00:30z"),
              "2026-10-31T10:00:00+01:00 2026-10-31T11:01:00+01:00");
}

void instants_are_widened_to_whole_buckets_of_the_time_asked_by(void**) {
  const char* from = "2026-10-27T10:20:00+01:00";
  const char* to = "2026-10-28T10:20:00+01:00";
  expect_text(of_ends(from, to, TimeUnit::hour), "2026-10-27T10:00:00+01:00 2026-10-28T11:00:00+01:00");
  expect_text(of_ends(from, to, TimeUnit::day), "2026-10-27T00:00:00+01:00 2026-10-29T00:00:00+01:00");
  expect_text(of_ends(from, to, TimeUnit::week), "2026-10-26T00:00:00+01:00 2026-11-02T00:00:00+01:00");
  expect_text(of_ends(from, to, TimeUnit::month), "2026-10-01T00:00:00+02:00 2026-11-01T00:00:00+01:00");
  expect_text(of_ends("2026-10-27", "2026-10-28", TimeUnit::week),
              "2026-10-27T00:00:00+01:00 2026-10-29T00:00:00+01:00");
}

void ends_are_widened_to_what_is_kept(void**) {
  expect_text(of_ends("2026-10-20T10:20:00Z", "2026-10-20T11:20:00Z"),
              "2026-10-20T12:00:00+02:00 2026-10-20T14:00:00+02:00");
  expect_text(of_ends("2026-01-20T10:20:00Z", "2026-01-20T11:20:00Z"),
              "2026-01-20T00:00:00+01:00 2026-01-21T00:00:00+01:00");
  expect_text(of_ends("2016-01-20", "2016-01-21"), "2016-01-01T00:00:00+01:00 2016-02-01T00:00:00+01:00");
}

void a_time_finer_than_what_is_kept_is_refused_with_the_first_day(void**) {
  expect_text(of_ends("2026-10-20", "2026-10-31", TimeUnit::minute),
              "by: minute figures are kept since 2026-10-30; ask from then on, or for coarser ones");
  expect_text(of_ends("2026-01-20", "2026-10-31", TimeUnit::hour),
              "by: hour figures are kept since 2026-08-03; ask from then on, or for coarser ones");
  expect_text(joined(std::get<QueryError>(parse({.words = {.range = "year"}, .unit = TimeUnit::hour})).allowed),
              "day week month");
  expect_text(shown({.words = {.range = "yesterday"}, .unit = TimeUnit::minute}), of_word("yesterday"));
}

void what_is_no_time_is_refused(void**) {
  expect_text(of_word("14d"), "range: there is no range \"14d\"");
  expect_text(joined(std::get<QueryError>(parse({.words = {.range = ""}})).allowed),
              "today yesterday 7d 30d month prev_month year all");
  for (const char* bad : {"", "yesterday", "2026-13-01", "2026-02-30", "26-10-01", "2026-10-01T10:00",
                          "infinite-future", "2026-10-01T10:00:00", "2026-10-01T25:00:00Z", "-2026-10-01T10:00:00Z"}) {
    const std::string message = of_ends(bad, "2026-10-31");
    assert_true(message.starts_with("from: from is \"" + std::string(bad) + "\"; it must be a date"));
  }
  assert_true(of_ends("2026-10-01", "soon").starts_with("to: to is \"soon\""));
  assert_true(of_ends("1066-10-14", "2026-10-31").find("between 1970 and 9999") != std::string::npos);
}

void a_range_needs_a_length_and_one_saying(void**) {
  assert_true(of_ends("2026-10-31", "2026-10-30").starts_with("to: the range is empty"));
  assert_true(of_ends("2026-10-31T10:00:00Z", "2026-10-31T10:00:00Z").starts_with("to: the range is empty"));
  assert_true(shown({.words = {.from = "2026-11-05"}}).starts_with("from: the range is empty"));
  assert_true(shown({.words = {.to = "2026-10-30"}}).starts_with("from: "));
  assert_true(shown({.words = {.range = "7d", .from = "2026-10-30"}}).starts_with("range: "));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(words_are_whole_days_until_tonight),
      cmocka_unit_test(nothing_said_is_30_days),
      cmocka_unit_test(today_is_the_zones),
      cmocka_unit_test(dates_include_both_days_of_23_and_25_hours),
      cmocka_unit_test(an_open_end_is_tonight),
      cmocka_unit_test(a_date_that_the_zone_left_out_adds_nothing),
      cmocka_unit_test(instants_are_half_open_and_widened_to_minutes),
      cmocka_unit_test(instants_are_widened_to_whole_buckets_of_the_time_asked_by),
      cmocka_unit_test(ends_are_widened_to_what_is_kept),
      cmocka_unit_test(a_time_finer_than_what_is_kept_is_refused_with_the_first_day),
      cmocka_unit_test(what_is_no_time_is_refused),
      cmocka_unit_test(a_range_needs_a_length_and_one_saying),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
