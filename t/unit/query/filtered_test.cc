// Filters on one dimension, and comparisons, answered from rollups.
#include <memory>
#include <string>

#include "query/engine.h"
#include "query/shop.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

std::unique_ptr<Shop> the_shop;
Shop& open_shop(std::string timezone = "Europe/Berlin") {
  the_shop.reset();
  the_shop = std::make_unique<Shop>(std::vector<std::string>{"shop"}, std::move(timezone));
  return *the_shop;
}

void three_days(Shop& shop) {
  shop.visit("2026-10-29T10:00:00Z", "email", "/", 1, 1);
  shop.visit("2026-10-29T23:30:00Z", "organic_search", "/cup", 3, 2);  // the 30th in Berlin
  shop.visit("2026-10-30T10:00:00Z", "organic_search", "/", 2, 2);
  shop.visit("2026-10-31T10:00:00Z", "direct", "/bowl", 1, 3);
  shop.order("2026-10-30T10:05:00Z", "organic_search", 59'900'000);
  shop.order("2026-10-31T10:10:00Z", "email", 10'005'000);
}

std::string total(Shop& shop, const std::string& query) { return line(shop.ask(query).totals); }

// --- filters ---------------------------------------------------------------------------------------------------------

void a_filter_leaves_the_values_that_it_means(void**) {
  for (bool fold : {false, true}) {
    Shop& shop = open_shop();
    three_days(shop);
    shop.commit(fold);
    const std::string metrics = "metrics=visits,visitors,pageviews,orders,revenue&";
    expect_text(total(shop, metrics + "filter=channel:is:organic_search"), "2 1 5 1 59.90");
    expect_text(total(shop, metrics + "filter=channel:is:email|direct"), "2 2 2 1 10.01");
    expect_text(total(shop, metrics + "filter=channel:is_not:email|direct"), "2 1 5 1 59.90");
    expect_text(total(shop, metrics + "filter=channel:contains:search"), "2 1 5 1 59.90");
    expect_text(total(shop, metrics + "filter=channel:starts:e|d"), "2 2 2 1 10.01");
    expect_text(total(shop, metrics + "filter=channel:matches:*i*;channel:is_not:direct"), "3 2 6 2 69.91");
    expect_text(total(shop, metrics + "filter=channel:is:print"), "0 0 0 0 0.00");
    expect_text(total(shop, metrics + "filter=channel:is:"), "0 0 0 0 0.00");
  }
}

void filtered_rows_add_up_to_filtered_totals(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const Report& by_time = shop.ask("by=day&metrics=visits,revenue&filter=channel:is:organic_search|email");
  expect_text(lines(by_time), "2026-10-29 1 0.00\n2026-10-30 2 59.90\n2026-10-31 0 10.01\n");
  expect_text(line(by_time.totals), "- 3 69.91");
  expect_text(shown(by_time, "filter"), "\"channel:is:email|organic_search\"");
  const Report& by_itself = shop.ask("by=channel,day&metrics=visits&limit=1&filter=channel:is_not:direct");
  expect_text(lines(by_itself), "email 2026-10-29 1\n");
  expect_text(line(by_itself.other), "- - 2");
  expect_text(line(by_itself.totals), "- - 3");
}

void null_can_be_asked_for(void**) {
  Shop& shop = open_shop();
  shop.at(Dimension::campaign, "2026-10-31T10:00:00Z", {})[Counter::visits] = 5;
  shop.at(Dimension::campaign, "2026-10-31T10:00:00Z", "spring")[Counter::visits] = 2;
  shop.at(Dimension::campaign, "2026-10-31T10:00:00Z", "autumn")[Counter::visits] = 1;
  shop.commit(true);
  expect_text(total(shop, "metrics=visits&filter=campaign:is:"), "5");
  expect_text(total(shop, "metrics=visits&filter=campaign:is_not:"), "3");
  expect_text(total(shop, "metrics=visits&filter=campaign:is:|spring"), "7");
  expect_text(total(shop, "metrics=visits&filter=campaign:contains:spr"), "2");
}

void what_is_cut_off_is_said(void**) {
  Shop& shop = open_shop();
  shop.at(Dimension::page, "2026-10-31T10:00:00Z", "/")[Counter::hits] = 7;
  shop.other_at(Dimension::page, "2026-10-31T10:00:00Z")[Counter::hits] = 4;
  shop.nameless_at(Dimension::page, "2026-10-31T10:00:00Z", 77)[Counter::hits] = 2;
  shop.commit(true);
  const Report& report = shop.ask("metrics=hits&filter=page:starts:/");
  expect_text(line(report.totals), "7");
  expect_text(joined(report.meta.warnings),
              "the range has more values of page than are kept; those cut off are not in a filtered answer "
              "1 values of page are left out: the filter cannot tell them, their text is not kept any more");
  assert_true(shop.ask("metrics=hits&filter=page:is:/").meta.warnings[0].starts_with("the range has more values"));
  // A value named whole needs no text.
  expect_text(total(shop, "metrics=hits&filter=page:is_not:/"), "2");
}

void rates_by_a_filtered_page_go_by_entries(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  for (const char* page : {"/", "/cup", "/bowl"}) {
    static std::string row;
    row.clear();
    const std::string metrics = "metrics=entries,bounces,bounce_rate,exit_rate,visits";
    for (const Row& one : shop.ask("by=page&" + metrics).rows)
      if (one[0].text == page) row = line(one);
    expect_text(page + (" " + total(shop, metrics + "&filter=page:is:" + page)), row);
  }
}

// filter=D:is:V has the row V of by=D as its totals.
void a_filter_on_one_value_totals_that_values_row(void**) {
  static constexpr const char* kTimes[] = {"2026-10-24T21:59:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
                                           "2026-10-25T23:10:00Z", "2026-10-30T12:00:00Z", "2026-10-31T10:00:00Z"};
  static constexpr const char* kValues[] = {"", "a", "b", "c d", "e|f;g"};
  Random random(23);
  for (int round = 0; round < 4; ++round) {
    Shop& shop = open_shop("Asia/Kolkata");
    for (const DimensionInfo& dimension : dimensions()) {
      if (dimension.is_time()) continue;
      for (int i = 0; i < 20; ++i) {
        const char* text = kValues[random.below(std::size(kValues))];
        Counters& to = shop.at(dimension.rollup, kTimes[random.below(std::size(kTimes))],
                               *text == '\0' ? std::nullopt : std::optional<std::string_view>(text));
        for (size_t counter = 0; counter < kCounters; ++counter)
          to[static_cast<Counter>(counter)] += static_cast<int64_t>(random.below(1000));
        to[Amount::revenue_last_non_direct] += static_cast<int64_t>(random.below(1'000'000'000));
        to[Amount::goal_value] += static_cast<int64_t>(random.below(1'000'000'000));
        to.visitors.add(Random(random.below(30)).next());
      }
    }
    shop.commit(round % 2 == 0);
    for (const DimensionInfo& dimension : dimensions()) {
      if (dimension.is_time()) continue;
      const std::string name(dimension.name);
      static std::string metrics;
      metrics.clear();
      for (const std::string& metric : metrics_of(std::vector<const DimensionInfo*>{&dimension}))
        metrics.append(metrics.empty() ? "" : ",").append(metric);
      static Report all;
      all = shop.ask("by=" + name + "&metrics=" + metrics);
      assert_true(all.rows.size() > 1);
      for (const Row& row : all.rows) {
        std::string value;
        for (const char c : row[0].text)
          value += (c == ';' || c == '|' ? std::string("\\") : "") + (c == ';' ? "%3B" : std::string(1, c));
        const Report& one = shop.ask("metrics=" + metrics + "&filter=" + name + ":is:" + value);
        expect_text(line({row.begin() + 1, row.end()}), line(one.totals));
      }
    }
  }
}

// --- comparisons -----------------------------------------------------------------------------------------------------

void each_figure_stands_beside_the_one_before(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const Report& report = shop.ask("range=today&compare=previous&metrics=visits,revenue,aov");
  expect_text(line(report.totals), "1 2 -0.5 10.01 59.90 -0.832972 10.01 59.90 -0.832972");  // of 10.005
  std::string types;
  for (const Column& column : report.columns)
    types += column.name + ":" + std::string(column_type_name(column.type)) + " ";
  expect_text(types,
              "visits:integer visits_previous:integer visits_change:ratio revenue:money revenue_previous:money "
              "revenue_change:ratio aov:money aov_previous:money aov_change:ratio ");
  expect_text(shown(report, "compare_from"), "\"2026-10-30T00:00:00+01:00\"");
  expect_text(shown(report, "compare_to"), "\"2026-10-31T00:00:00+01:00\"");
}

// Money, rates and times are rounded once: what a figure changed by is told from the sums, not from the rounded figures. Those of
// 0.314286 and 0.102564 would make 2.064292, of 0.23 and 6.78 -0.966077.
void changes_are_of_exact_sums(void**) {
  Shop& shop = open_shop();
  const auto day = [&](std::string_view time, int64_t visits, int64_t converted, int64_t micros, int64_t duration_ms) {
    for (const Dimension dimension : {Dimension::total, Dimension::channel}) {
      Counters& to = shop.at(dimension, time, dimension == Dimension::total ? std::nullopt : std::optional<std::string_view>("email"));
      to[Counter::visits] += visits;
      to[Counter::visits_converted] += converted;
      to[Counter::duration_ms] += duration_ms;
      to[Amount::revenue_last_non_direct] += micros;
    }
  };
  day("2026-10-31T10:00:00Z", 35, 11, 8'030'000, 12'345);
  day("2026-10-30T10:00:00Z", 39, 4, 264'410'000, 10'007);
  shop.commit(true);
  const std::string_view all = "range=today&compare=previous&metrics=visits,cr,rpv,revenue,duration";
  const std::string figures = "35 39 -0.102564 0.314286 0.102564 2.064286 0.23 6.78 -0.96616 8.03 264.41 -0.96963 0.353 0.257 0.374623";
  expect_text(line(shop.ask(all).totals), figures);
  expect_text(lines(shop.ask(std::string(all) + "&by=channel")), "email " + figures + "\n");
}

void rows_are_matched_by_value(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const Report& report = shop.ask("range=today&compare=previous&by=channel&metrics=visits,orders");
  expect_text(lines(report),
              "direct 1 0 - 0 0 -\n"
              "email 0 0 - 1 0 -\n"
              "organic_search 0 2 -1 0 1 -1\n");  // it is no more, and shown
  expect_text(line(report.totals), "- 1 2 -0.5 1 1 0");
  expect_text(line(report.other), "- 0 0 - 0 0 -");
  expect_text(joined(report.meta.warnings), "changes are null where there was nothing before");
  const Report& first = shop.ask("range=today&compare=previous&by=channel&metrics=visits&limit=1");
  expect_text(line(first.other), "- 0 2 -1");
}

void rows_of_time_are_matched_by_place(void**) {
  Shop& shop = open_shop();
  shop.visit("2026-10-24T00:10:00Z", "email", "/", 1, 1);   // 02:10
  shop.visit("2026-10-25T00:10:00Z", "email", "/", 1, 2);   // 02:10, 25 hours that day
  shop.visit("2026-10-25T01:10:00Z", "email", "/", 1, 3);   // 02:10 again
  shop.visit("2026-10-25T02:10:00Z", "email", "/", 1, 4);   // 03:10
  shop.visit("2026-10-24T01:10:00Z", "direct", "/", 1, 5);  // 03:10
  shop.commit(true);
  const Report& report = shop.ask("from=2026-10-25&to=2026-10-25&compare=previous&by=hour&metrics=visits");
  expect_text(lines(report),
              "2026-10-25T02:00:00+02:00 1 1 0\n"
              "2026-10-25T02:00:00+01:00 1 - -\n"
              "2026-10-25T03:00:00+01:00 1 1 0\n");
  expect_text(line(report.totals), "- 3 2 0.5");
  expect_text(report.meta.warnings[0], "figures before are null where the time before has no such hour, day or week");
  // The other way round, what came in the second 02:00 is no row's.
  const Report& after = shop.ask("from=2026-10-26&to=2026-10-26&compare=previous&by=hour&metrics=visits");
  expect_text(lines(after), "2026-10-26T02:00:00+01:00 0 1 -1\n2026-10-26T03:00:00+01:00 0 1 -1\n");
  expect_text(line(after.other), "- 0 1 -1");
  const Report& both = shop.ask("from=2026-10-25&to=2026-10-25&compare=previous&by=hour,channel&metrics=visits");
  expect_text(lines(both),
              "2026-10-25T02:00:00+02:00 email 1 1 0\n"
              "2026-10-25T02:00:00+01:00 email 1 - -\n"
              "2026-10-25T03:00:00+01:00 direct 0 1 -1\n"
              "2026-10-25T03:00:00+01:00 email 1 0 -\n");
}

void weeks_meet_weeks_over_the_turn_of_the_year(void**) {
  Shop& shop = open_shop();
  shop.visit("2025-12-31T12:00:00Z", "email", "/", 1, 1);
  shop.visit("2026-01-01T12:00:00Z", "email", "/", 1, 2);  // the same week
  shop.visit("2026-01-05T12:00:00Z", "email", "/", 1, 3);
  shop.visit("2025-12-16T12:00:00Z", "email", "/", 1, 4);
  shop.commit(true);
  expect_text(lines(shop.ask("from=2025-12-29&to=2026-01-11&compare=previous&by=week&metrics=visits")),
              "2025-12-29 2 1 1\n2026-01-05 1 0 -\n");
}

void a_filter_holds_for_both_ranges(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  expect_text(total(shop, "range=today&compare=previous&metrics=visits,orders&filter=channel:is_not:direct"),
              "0 2 -1 1 1 0");
}

void days_of_23_and_25_hours_have_their_hours(void**) {
  Shop& shop = open_shop();
  for (int hour = 0; hour < 72; ++hour) {  // from midnight before the longest day's eve
    char time[32];
    std::snprintf(time, sizeof time, "2026-10-%02dT%02d:30:00Z", 23 + (22 + hour) / 24, (22 + hour) % 24);
    shop.visit(time, "email", "/", 1, static_cast<uint64_t>(hour) + 1);
  }
  shop.commit(true);
  expect_text(total(shop, "from=2026-10-24&to=2026-10-24&by=hour&metrics=visits"), "- 24");
  const Report& longest = shop.ask("from=2026-10-25&to=2026-10-25&by=hour&metrics=visits");
  expect_number(static_cast<int64_t>(longest.rows.size()), 25);
  expect_text(line(longest.totals), "- 25");
  expect_text(line(longest.rows[2]), "2026-10-25T02:00:00+02:00 1");
  expect_text(line(longest.rows[3]), "2026-10-25T02:00:00+01:00 1");
}

void hours_of_half_hour_zones_begin_on_the_half(void**) {
  Shop& shop = open_shop("Asia/Kolkata");
  shop.visit("2026-10-30T18:29:00Z", "email", "/", 1, 1);  // 23:59
  shop.visit("2026-10-30T18:30:00Z", "email", "/", 1, 2);  // 00:00 of the 31st
  shop.visit("2026-10-30T19:29:00Z", "email", "/", 1, 3);
  shop.visit("2026-10-30T19:30:00Z", "email", "/", 1, 4);
  shop.commit(true);
  expect_text(lines(shop.ask("from=2026-10-31&to=2026-10-31&by=hour&metrics=visits,visitors")),
              "2026-10-31T00:00:00+05:30 2 2\n2026-10-31T01:00:00+05:30 1 1\n");
  expect_text(lines(shop.ask("by=day&metrics=visits&filter=channel:is:email&compare=previous&range=today")),
              "2026-10-31 3 1 2\n");
}

int close_shop(void**) {
  the_shop.reset();
  return 0;
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_filter_leaves_the_values_that_it_means),
      cmocka_unit_test(filtered_rows_add_up_to_filtered_totals),
      cmocka_unit_test(null_can_be_asked_for),
      cmocka_unit_test(what_is_cut_off_is_said),
      cmocka_unit_test(rates_by_a_filtered_page_go_by_entries),
      cmocka_unit_test(a_filter_on_one_value_totals_that_values_row),
      cmocka_unit_test(each_figure_stands_beside_the_one_before),
      cmocka_unit_test(changes_are_of_exact_sums),
      cmocka_unit_test(rows_are_matched_by_value),
      cmocka_unit_test(rows_of_time_are_matched_by_place),
      cmocka_unit_test(weeks_meet_weeks_over_the_turn_of_the_year),
      cmocka_unit_test(a_filter_holds_for_both_ranges),
      cmocka_unit_test(days_of_23_and_25_hours_have_their_hours),
      cmocka_unit_test(hours_of_half_hour_zones_begin_on_the_half),
  };
  return cmocka_run_group_tests(tests, nullptr, close_shop);
}
