// The table of metrics and dimensions, and that the docs show the same.
#include "query/metrics.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "query/figures.h"
#include "test.h"

using namespace footfall;

namespace {

constexpr Currency kEur{{'E', 'U', 'R'}};

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& one : texts) text.append(text.empty() ? "" : " ").append(one);
  return text;
}

std::string metrics_by(std::string_view name) {
  const DimensionInfo* by[] = {find_dimension(name)};
  return joined(metrics_of(by));
}

void which_metric_goes_with_which_dimension(void**) {
  for (const char* status : {"status_class", "http_status"})
    expect_text(metrics_by(status), "hits errors_4xx errors_5xx bytes p50_ms p95_ms p99_ms bot_hits");
  expect_text(metrics_by("page"),
              "hits visits pageviews entries exits bounces exit_rate bounce_rate time_on_page time_on_page_n errors_4xx "
              "errors_5xx bytes p50_ms p95_ms p99_ms bot_hits");
  for (const char* of_views : {"search_term", "page_group"})
    expect_text(metrics_by(of_views),
                "pageviews entries exits bounces exit_rate bounce_rate time_on_page time_on_page_n");
  expect_text(metrics_by("bot_class"), "hits errors_4xx errors_5xx bytes p50_ms p95_ms p99_ms bot_hits");
  expect_text(metrics_by("event"), "events conversions orders items revenue revenue_net refunds aov goal_value");
  expect_text(metrics_by("item"), "events conversions orders items revenue revenue_net refunds aov goal_value");
  for (const char* origin : {"country", "device"})
    expect_text(metrics_by(origin),
                "hits visits visitors pageviews entries exits bounces exit_rate bounce_rate time_on_page time_on_page_n "
                "duration events "
                "conversions cr orders items revenue revenue_net refunds aov rpv cart_abandonment goal_value errors_4xx errors_5xx bytes "
                "p50_ms p95_ms p99_ms bot_hits");
  expect_text(metrics_by("goal"), "conversions orders items revenue revenue_net refunds aov goal_value");
  const std::string of_visit_pages =
      "visits visitors pageviews entries exits bounces exit_rate bounce_rate time_on_page time_on_page_n duration events "
      "cr cart_abandonment";
  expect_text(metrics_by("entry_page"), of_visit_pages);
  expect_text(metrics_by("exit_page"), of_visit_pages);
  const std::string of_touches =
      "visits visitors pageviews entries exits bounces exit_rate bounce_rate time_on_page time_on_page_n duration events "
      "conversions cr orders items revenue revenue_net refunds aov rpv cart_abandonment";
  for (const char* touch : {"channel", "source", "medium", "campaign", "content", "term", "code"})
    expect_text(metrics_by(touch), of_touches + " cost clicks impressions cpc cpa cpo roas roi");
  for (const char* referrer : {"referrer_host", "referrer"}) expect_text(metrics_by(referrer), of_touches);
  for (const char* who : {"browser", "os", "new_returning"}) expect_text(metrics_by(who), of_touches + " goal_value");
  for (const char* order : {"item_category", "coupon", "currency"})
    expect_text(metrics_by(order), "conversions orders items revenue revenue_net refunds aov goal_value");
}

void everything_goes_with_time(void**) {
  for (const Metric& metric : metrics()) {
    for (const DimensionInfo& dimension : dimensions()) {
      if (!dimension.is_time()) continue;
      const bool is_within_a_day = dimension.unit == TimeUnit::minute || dimension.unit == TimeUnit::hour;
      const bool never = (metric.is_visitors() && dimension.unit == TimeUnit::minute) || (metric.is_of_spend() && is_within_a_day);
      assert_int_equal(goes_with(metric, dimension), !never);
    }
  }
}

void names_are_told_apart(void**) {
  static std::set<std::string_view> names;
  names.clear();
  for (const Metric& metric : metrics()) assert_true(names.insert(metric.name).second);
  for (const DimensionInfo& dimension : dimensions()) assert_true(names.insert(dimension.name).second);
  for (std::string_view name : names) assert_false(is_later_metric(name));
  assert_true(is_later_metric("rejected_lines"));
}

void what_may_be_null_says_why(void**) {
  for (const Metric& metric : metrics()) {
    const bool has_bottom = metric.bottom.kind != Part::Kind::none;
    assert_int_equal(has_bottom || metric.is_quantile(), !metric.empty_bottom.empty());
    assert_false(metric.is.empty() || metric.unit.empty());
  }
}

void the_docs_show_the_table(void**) {
  static std::string readme;
  std::ifstream file(FOOTFALL_SOURCE_DIR "/core/README.md");
  readme.assign(std::istreambuf_iterator<char>(file), {});
  const std::string_view begin = "<!-- metric table: begin -->\n", end = "<!-- metric table: end -->";
  const size_t from = readme.find(begin), to = readme.find(end);
  assert_true(from != std::string::npos && to != std::string::npos);
  expect_text(std::string_view(readme).substr(from + begin.size(), to - from - begin.size()), metric_table_markdown());
}

// --- figures ---------------------------------------------------------------------------------------------------------

std::string figure(std::string_view name, __int128 top, __int128 bottom, Currency currency = kEur) {
  const Metric& metric = *find_metric(name);
  const Cell cell = cell_of(figure_of(metric, metric.bottom.kind != Part::Kind::none, top, bottom, currency),
                            digits_of(metric, currency), metric.type);
  return cell.kind == Cell::Kind::null ? "null" : cell.text;
}

void figures_are_rounded_once_half_away_from_zero(void**) {
  expect_text(figure("revenue", 1'005'000, 0), "1.01");
  expect_text(figure("revenue", -1'005'000, 0), "-1.01");
  expect_text(figure("revenue", 4'500'000'000, 0, {{'J', 'P', 'Y'}}), "4500");
  expect_text(figure("revenue", 1'234'567, 0, {{'K', 'W', 'D'}}), "1.235");
  // 10.00 over 3 orders; 0.0149 would be 0.02 if it were rounded twice (0.015 first)
  expect_text(figure("aov", 10'000'000, 3'000'000), "3.33");
  expect_text(figure("aov", 44'700, 3'000'000), "0.01");
  expect_text(figure("rpv", 44'700, 3), "0.01");
  expect_text(figure("rpv", 10'000'000, 4), "2.50");
}

void rates_have_at_most_six_digits_and_no_idle_zeros(void**) {
  expect_text(figure("cr", 1, 3), "0.333333");
  expect_text(figure("cr", 2, 3), "0.666667");
  expect_text(figure("cr", 1, 2), "0.5");
  expect_text(figure("cr", 0, 2), "0");
  expect_text(figure("cr", 2, 2), "1");
  expect_text(figure("cr", 1, 10'000'000), "0");
}

void durations_are_seconds(void**) {
  expect_text(figure("duration", 1'500, 2), "0.750");
  expect_text(figure("duration", 100'000, 3), "33.333");
}

void nothing_to_divide_by_is_null(void**) {
  for (const char* name : {"cr", "aov", "rpv", "duration", "exit_rate", "bounce_rate", "cart_abandonment"}) {
    expect_text(figure(name, 0, 0), "null");
    expect_text(figure(name, 5, 0), "null");
    expect_text(figure(name, 5, -1), "null");
  }
}

std::string change(std::string_view name, __int128 top, __int128 bottom, __int128 top_before, __int128 bottom_before) {
  const Metric& metric = *find_metric(name);
  const auto of = [&](__int128 one, __int128 other) { return quotient_of(metric, metric.bottom.kind != Part::Kind::none, one, other); };
  const Cell cell = cell_of(figure_of_change(of(top, bottom), of(top_before, bottom_before)), kRatioDigits, ColumnType::ratio);
  return cell.kind == Cell::Kind::null ? "null" : cell.text;
}

void changes_are_rounded_once(void**) {
  expect_text(change("cr", 11, 35, 4, 39), "2.064286");
  expect_text(change("revenue", 4'000, 0, 1'000, 0), "3");  // though both are shown as 0.00
  expect_text(change("visits", 2, 0, 3, 0), "-0.333333");
  expect_text(change("visits", 3, 0, 2, 0), "0.5");
  expect_text(change("visits", 2, 0, 0, 0), "null");
  expect_text(change("cr", 1, 2, 1, 0), "null");
  expect_text(change("roi", -5, 10, -10, 10), "0.5");
  expect_text(change("roi", 5, 10, -10, 10), "1.5");
  // Half away from zero, of 2.0000005 and -2.0000005.
  expect_text(change("visits", 30'000'005, 0, 10'000'000, 0), "2.000001");
  expect_text(change("visits", -30'000'005, 0, -10'000'000, 0), "-2.000001");
}

void changes_of_sums_past_64_bits_are_right(void**) {
  const __int128 huge = static_cast<__int128>(9'223'372'036'854'775'807) * 1'000;
  expect_text(change("aov", huge, 1'000'003, huge, 2'000'006), "1");
  expect_text(change("aov", 7 * huge + 1, 11 * huge + 2, 5 * huge - 5, 13 * huge + 1), "0.654545");  // products have 150 bits
  expect_text(change("revenue", -huge, 0, huge, 0), "-2");
}

void sums_past_64_bits_stay_exact(void**) {
  const __int128 micros = static_cast<__int128>(9'223'372'036'854'775'807) * 1'000;
  expect_text(figure("revenue", micros, 0), "9223372036854775.81");
  expect_text(figure("aov", micros, 1'000'000), "9223372036854775.81");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(which_metric_goes_with_which_dimension),
      cmocka_unit_test(everything_goes_with_time),
      cmocka_unit_test(names_are_told_apart),
      cmocka_unit_test(what_may_be_null_says_why),
      cmocka_unit_test(the_docs_show_the_table),
      cmocka_unit_test(figures_are_rounded_once_half_away_from_zero),
      cmocka_unit_test(rates_have_at_most_six_digits_and_no_idle_zeros),
      cmocka_unit_test(durations_are_seconds),
      cmocka_unit_test(nothing_to_divide_by_is_null),
      cmocka_unit_test(changes_are_rounded_once),
      cmocka_unit_test(changes_of_sums_past_64_bits_are_right),
      cmocka_unit_test(sums_past_64_bits_stay_exact),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
