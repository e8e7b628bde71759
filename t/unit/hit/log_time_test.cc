// Times of log lines: every spelling, zones, leap days, and what is no time.
#include "hit/log_time.h"

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kNoTime = -1;

int64_t read(std::string_view text) { return LogTime().read_ms(text).value_or(kNoTime); }

void each_spelling_is_read(void**) {
  expect_number(read("24/Nov/2026:10:00:00 +0100"), 1'795'510'800'000);
  expect_number(read("2026-11-24T10:00:00+01:00"), 1'795'510'800'000);
  expect_number(read("2026-11-24T09:00:00Z"), 1'795'510'800'000);
  expect_number(read("2026-11-24 09:00:00.250Z"), 1'795'510'800'250);
  expect_number(read("2026-11-24t09:00:00,25z"), 1'795'510'800'250);
  expect_number(read("2026-11-24T09:00:00.123456789+00:00"), 1'795'510'800'123);
  expect_number(read("1795510800.250"), 1'795'510'800'250);
  expect_number(read("1795510800"), 1'795'510'800'000);
  expect_number(read("0.0"), 0);
}

void zones_are_taken_off(void**) {
  expect_number(read("10/Oct/2000:13:55:36 -0700"), 971'211'336'000);
  expect_number(read("24/Nov/2026:14:30:00 +0530"), 1'795'510'800'000);
  expect_number(read("24/Nov/2026:05:30:00 -0330"), 1'795'510'800'000);
  expect_number(read("24/Nov/2026:22:45:00 +1345"), 1'795'510'800'000);
  expect_number(read("2026-11-24T10+01:00"), kNoTime);
  expect_number(read("2026-11-24T10:00:00+01"), 1'795'510'800'000);
  expect_number(read("25/Oct/2026:02:30:00 +0200"), 1'792'888'200'000);  // the hour that is there twice
  expect_number(read("25/Oct/2026:02:30:00 +0100"), 1'792'891'800'000);
}

void the_calendar_is_kept(void**) {
  expect_number(read("29/Feb/2024:00:00:00 +0000"), 1'709'164'800'000);
  expect_number(read("29/Feb/2023:00:00:00 +0000"), kNoTime);
  expect_number(read("29/Feb/2100:00:00:00 +0000"), kNoTime);
  expect_number(read("31/Apr/2026:00:00:00 +0000"), kNoTime);
  expect_number(read("00/Jan/2026:00:00:00 +0000"), kNoTime);
  expect_number(read("2026-13-01T00:00:00Z"), kNoTime);
  expect_number(read("2026-00-01T00:00:00Z"), kNoTime);
  expect_number(read("31/Dec/2016:23:59:60 +0000"), read("01/Jan/2017:00:00:00 +0000"));  // a leap second
}

void years_are_1970_to_9999(void**) {
  expect_number(read("01/Jan/1970:00:00:00 +0000"), 0);
  expect_number(read("01/Jan/1970:00:00:00 +0100"), kNoTime);
  expect_number(read("31/Dec/1969:23:59:59 +0000"), kNoTime);
  expect_number(read("31/Dec/9999:23:59:59 +0000"), 253'402'300'799'000);
  expect_number(read("31/Dec/9999:23:59:59 -0100"), kNoTime);
  expect_number(read("253402300799.999"), 253'402'300'799'999);
  expect_number(read("253402300800"), kNoTime);
  expect_number(read("99999999999999999999999"), kNoTime);
}

void what_is_no_time_is_refused(void**) {
  for (const std::string_view text : {"",
                                      "-",
                                      "24/Nov/2026",
                                      "24/Nov/2026:10:00:00",
                                      "24/Nov/2026:10:00:00 ",
                                      "24/nov/2026:10:00:00 +0100",
                                      "24/Nov/2026:24:00:00 +0100",
                                      "24/Nov/2026:10:60:00 +0100",
                                      "24/Nov/2026:10:00:61 +0100",
                                      "24/Nov/2026:10:00:00 +2400",
                                      "24/Nov/2026:10:00:00 +0160",
                                      "24/Nov/2026:10:00:00 0100",
                                      "24/Nov/2026:10:00:00 +0100x",
                                      "2x/Nov/2026:10:00:00 +0100",
                                      "24-Nov-2026:10:00:00 +0100",
                                      "2026-11-24T10:00:00",
                                      "2026-11-24T10:00:00.Z",
                                      "2026-11-24T10:00:00+1",
                                      "2026/11/24 10:00:00",
                                      "1795510800.",
                                      ".250",
                                      "1795510800.2x",
                                      "-5",
                                      "+5",
                                      "1e9",
                                      "1795510800 "}) {
    expect_number(read(text), kNoTime);
  }
}

void a_remembered_second_is_no_other(void**) {
  LogTime time;
  for (int round = 0; round < 2; ++round) {
    expect_number(*time.read_ms("24/Nov/2026:10:00:00 +0100"), 1'795'510'800'000);
    expect_number(*time.read_ms("24/Nov/2026:10:00:00 +0100"), 1'795'510'800'000);
    expect_number(*time.read_ms("24/Nov/2026:10:00:01 +0100"), 1'795'510'801'000);
    expect_number(*time.read_ms("24/Nov/2026:10:00:01 +0200"), 1'795'507'201'000);
    assert_false(time.read_ms("24/Nov/2026:10:00:01 +020").has_value());
    assert_false(time.read_ms("").has_value());
  }
}

// One that remembers reads every text as one that does not.
void a_remembered_day_is_no_other(void**) {
  static constexpr std::string_view kTexts[] = {
      "24/Nov/2026:10:00:00 +0100", "24/Nov/2026:10:00:01 +0100", "24/Nov/2026:23:59:60 +0100",
      "24/Nov/2026:00:00:00 +0200", "01/Jan/1970:00:30:00 +0000", "01/Jan/1970:05:00:00 +0100",
      "31/Dec/9999:23:59:59 +0000", "2026-11-24T10:00:00.5+0100", "24/Nov/2026:24:00:00 +0100",
      "24/Nov/2026:10:60:00 +0100", "24/Nov/2026:10:00:61 +0100", "24/Nov/2026:1 :00:00 +0100",
  };
  static LogTime remembers;
  static std::string text;
  Random random(9);
  int good = 0;
  for (int round = 0; round < 50'000; ++round) {
    text = kTexts[random.below(std::size(kTexts))];
    for (uint64_t digits = random.below(4); digits > 0; --digits)
      text[12 + random.below(8)] = "0123456789:9 0a"[random.below(15)];
    if (random.below(4) == 0) random.mutate(text);
    const int64_t time_ms = read(text);
    expect_number(remembers.read_ms(text).value_or(kNoTime), time_ms);
    good += time_ms != kNoTime;
  }
  assert_true(good > 10'000 && good < 40'000);
}

void seconds_have_milliseconds(void**) {
  expect_number(*seconds_as_ms("0.037"), 37);
  expect_number(*seconds_as_ms("12"), 12'000);
  expect_number(*seconds_as_ms("1.5"), 1'500);
  expect_number(*seconds_as_ms("0.0009"), 0);
  assert_false(seconds_as_ms("0,5").has_value());
  assert_false(seconds_as_ms("-0.1").has_value());
  assert_false(seconds_as_ms("").has_value());
  assert_false(seconds_as_ms("9999999999999").has_value());
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_spelling_is_read),        cmocka_unit_test(zones_are_taken_off),
      cmocka_unit_test(the_calendar_is_kept),         cmocka_unit_test(years_are_1970_to_9999),
      cmocka_unit_test(what_is_no_time_is_refused),   cmocka_unit_test(a_remembered_second_is_no_other),
      cmocka_unit_test(a_remembered_day_is_no_other), cmocka_unit_test(seconds_have_milliseconds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
