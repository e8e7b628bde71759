#include "credit/spend.h"

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kUnit = 1'000'000;

SpendRow row;    // of the running test
SiteConfig site;

int begin(void**) { return row = {}, site = {}, 0; }

using Day = absl::CivilDay;

void spend(Day first, Day last, int64_t cost_micros) {
  row.key.channel = "email";
  row.first = first, row.last = last;
  row.amounts.cost_micros = cost_micros;
}

void a_range_is_spread_evenly(void**) {
  spend(Day(2026, 10, 1), Day(2026, 10, 3), 100 * kUnit);
  row.amounts.clicks = 10, row.amounts.impressions = 2;
  const std::vector<SpendDay> spread = days_of(row);
  expect_number(static_cast<int64_t>(spread.size()), 3);
  expect_number(spread[0].amounts.cost_micros, 33'333'333);
  expect_number(spread[1].amounts.cost_micros, 33'333'333);
  expect_number(spread[2].amounts.cost_micros, 33'333'334);
  assert_true(spread[0].day == absl::CivilDay(2026, 10, 1) && spread[2].day == absl::CivilDay(2026, 10, 3));
  expect_number(static_cast<int64_t>(*spread[0].amounts.clicks), 3);
  expect_number(static_cast<int64_t>(*spread[2].amounts.clicks), 4);
  expect_number(static_cast<int64_t>(*spread[0].amounts.impressions), 0);
  expect_number(static_cast<int64_t>(*spread[2].amounts.impressions), 2);
}

void one_day_has_it_all(void**) {
  spend(Day(2026, 2, 28), Day(2026, 2, 28), 5);
  expect_number(days_of(row)[0].amounts.cost_micros, 5);
  assert_false(days_of(row)[0].amounts.clicks.has_value());
}

void days_add_up(void**) {
  Random random(6);
  for (int run = 0; run < 2000; ++run) {
    const absl::CivilDay first = absl::CivilDay(1995, 1, 1) + static_cast<int64_t>(random.below(30'000));
    spend(first, first + static_cast<int64_t>(random.below(400)), static_cast<int64_t>(random.below(1'000'000'000'000'000) >> random.below(50)));
    row.amounts.clicks = random.below(1'000'000) >> random.below(20);
    int64_t cost = 0;
    uint64_t clicks = 0;
    absl::CivilDay next = row.first;
    for (const SpendDay& day : days_of(row)) {
      assert_true(day.day == next++ && day.amounts.cost_micros >= 0);
      cost += day.amounts.cost_micros, clicks += *day.amounts.clicks;
    }
    assert_true(next == row.last + 1);
    expect_number(cost, row.amounts.cost_micros);
    expect_number(static_cast<int64_t>(clicks), static_cast<int64_t>(*row.amounts.clicks));
  }
}

std::string channel(SpendKey key) { return channel_of_spend(key, site); }

void channels_are_those_of_touches(void**) {
  CodeConfig& code = site.codes.emplace_back();
  code.code = "SPRING24", code.channel = "direct_mail";
  ChannelRule& rule = site.channels.emplace_back();
  rule.name = "marketplace", rule.sources = {"market"};
  expect_text(channel({.channel = "radio", .source = "google"}), "radio");
  expect_text(channel({.source = "google", .medium = "cpc"}), "paid_search");
  expect_text(channel({.source = "fb", .medium = "paid_social"}), "paid_social");
  expect_text(channel({.source = "market", .medium = "cpc"}), "marketplace");
  expect_text(channel({.medium = "email"}), "email");
  expect_text(channel({.campaign = "summer"}), "unassigned");
  expect_text(channel({.code = "spring24"}), "direct_mail");
  expect_text(channel({.code = "gone"}), "");
}

std::string rows(SpendKey key) {
  const SpendKey rows = rows_of_spend(key, site);
  return rows.channel + "|" + rows.source + "|" + rows.medium + "|" + rows.campaign + "|" + rows.code;
}

void spend_goes_to_the_rows_of_touches(void**) {
  CodeConfig& code = site.codes.emplace_back();
  code.code = "SPRING24", code.channel = "direct_mail", code.campaign = "spring-mailing";
  CodeConfig& partner = site.codes.emplace_back();
  partner.code = "P1", partner.channel = "partner", partner.source = "blog";
  expect_text(rows({.code = "spring24"}), "direct_mail|SPRING24||spring-mailing|SPRING24");
  expect_text(rows({.code = "p1"}), "partner|blog|||P1");
  expect_text(rows({.code = "gone"}), "||||gone");
  expect_text(rows({.source = "fb", .medium = "cpc", .campaign = "Spring"}), "paid_social|facebook|cpc|Spring|");
  expect_text(rows({.channel = "radio"}), "radio||||");
}

void sources_are_joined_by_their_names(void**) {
  expect_text(joined_source("fb"), "facebook");
  expect_text(joined_source("m.facebook.com"), "facebook");
  expect_text(joined_source("facebook"), "facebook");
  expect_text(joined_source("my-partner"), "my-partner");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_range_is_spread_evenly, begin),
      cmocka_unit_test_setup(one_day_has_it_all, begin),
      cmocka_unit_test_setup(days_add_up, begin),
      cmocka_unit_test_setup(spend_goes_to_the_rows_of_touches, begin),
      cmocka_unit_test_setup(channels_are_those_of_touches, begin),
      cmocka_unit_test_setup(sources_are_joined_by_their_names, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
