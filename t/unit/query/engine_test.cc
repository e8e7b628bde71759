// Answers: rows, other and totals over summaries of known content.
#include "query/engine.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/money.h"
#include "query/shop.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

// One shop per test; gone with the next one's.
std::unique_ptr<Shop> the_shop;
Shop& open_shop(std::vector<std::string> sites = {"shop"}) {
  the_shop.reset();
  the_shop = std::make_unique<Shop>(std::move(sites));
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

void totals_without_a_dimension(void**) {
  for (bool fold : {false, true}) {
    Shop& shop = open_shop();
    three_days(shop);
    shop.commit(fold);
    const Report& report = shop.ask("metrics=visits,visitors,pageviews,orders,revenue,aov,duration,bounce_rate");
    expect_text(lines(report), "4 3 7 2 69.91 34.95 1.125 0.5\n");  // 69.905 is rounded once, 34.9525 too
    expect_text(line(report.totals), "4 3 7 2 69.91 34.95 1.125 0.5");
    assert_true(report.other.empty());
    expect_number(static_cast<int64_t>(report.meta.rows_total), 1);
    assert_true(report.meta.approximate.empty());
    assert_true(report.meta.warnings.empty());
    expect_text(report.meta.as_of, "2026-10-31T12:00:00.000Z");
    expect_text(report.meta.complete_through, "2026-10-31T11:59:58.000Z");
  }
}

void rows_by_channel_come_with_other_and_totals(void**) {
  for (bool fold : {false, true}) {
    Shop& shop = open_shop();
    three_days(shop);
    shop.commit(fold);
    const Report& all = shop.ask("by=channel&metrics=visits,revenue");
    expect_text(lines(all), "organic_search 2 59.90\ndirect 1 0.00\nemail 1 10.01\n");
    expect_text(line(all.other), "- 0 0.00");
    expect_text(line(all.totals), "- 4 69.91");
    const Report& first = shop.ask("by=channel&metrics=visits,revenue&limit=1");
    expect_text(lines(first), "organic_search 2 59.90\n");
    expect_text(line(first.other), "- 2 10.01");
    expect_number(static_cast<int64_t>(first.meta.rows_total), 3);
  }
}

void columns_say_what_they_hold(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const Report& report = shop.ask("by=day,channel&metrics=orders,revenue,cr,duration");
  std::string types;
  for (const Column& column : report.columns)
    types += column.name + ":" + std::string(column_type_name(column.type)) + ":" + column.currency + " ";
  expect_text(types, "day:time: channel:string: orders:integer: revenue:money:EUR cr:ratio: duration:seconds: ");
}

void days_are_those_of_the_zone_and_in_order(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  expect_text(lines(shop.ask("by=day&metrics=visits,revenue")),
              "2026-10-29 1 0.00\n2026-10-30 2 59.90\n2026-10-31 1 10.01\n");
  expect_text(lines(shop.ask("by=day&metrics=visits&order=-visits&limit=2")), "2026-10-30 2\n2026-10-29 1\n");
  expect_text(lines(shop.ask("by=week&metrics=visits")), "2026-10-26 4\n");
  expect_text(lines(shop.ask("by=month&metrics=visits")), "2026-10 4\n");
  expect_text(lines(shop.ask("by=channel,day&metrics=visits")),
              "email 2026-10-29 1\norganic_search 2026-10-30 2\ndirect 2026-10-31 1\n");
  expect_text(lines(shop.ask("by=hour&range=today&metrics=visits,orders")), "2026-10-31T11:00:00+01:00 1 1\n");
  expect_text(lines(shop.ask("by=minute&range=today&metrics=visits,orders")),
              "2026-10-31T10:00:00Z 1 0\n2026-10-31T10:10:00Z 0 1\n");
  expect_text(line(shop.ask("by=day&metrics=visits,visitors&limit=1").other), "- 3 -");
}

void a_range_counts_what_lies_in_it(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  expect_text(line(shop.ask("from=2026-10-30&to=2026-10-30&metrics=visits").totals), "2");
  expect_text(line(shop.ask("range=today&metrics=visits").totals), "1");
  expect_text(line(shop.ask("from=2026-10-31T10:00:00Z&to=2026-10-31T10:01:00Z&metrics=visits,orders").totals), "1 0");
  expect_text(line(shop.ask("from=2026-10-31T10:01:00Z&to=2026-10-31T10:11:00Z&metrics=visits,orders").totals), "0 1");
  expect_text(shown(shop.ask("range=all&metrics=visits"), "from"), "\"2026-10-29T00:00:00+01:00\"");
  expect_text(line(shop.ask("range=all&metrics=visits").totals), "4");
}

void folded_and_fresh_changes_add_up(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  shop.visit("2026-10-31T10:00:30Z", "email", "/", 2, 1);
  shop.commit(false);
  expect_text(lines(shop.ask("by=channel&metrics=visits,visitors,pageviews")),
              "email 2 1 3\norganic_search 2 1 5\ndirect 1 1 1\n");
  expect_text(line(shop.ask("by=channel&metrics=visits,visitors").totals), "- 5 3");
}

void null_is_a_row_of_its_own_and_the_last_by_name(void**) {
  Shop& shop = open_shop();
  shop.at(Dimension::campaign, "2026-10-31T10:00:00Z", {})[Counter::visits] = 5;
  shop.at(Dimension::campaign, "2026-10-31T10:00:00Z", "spring")[Counter::visits] = 5;
  shop.at(Dimension::campaign, "2026-10-31T10:00:00Z", "autumn")[Counter::visits] = 5;
  shop.at(Dimension::total, "2026-10-31T10:00:00Z", {})[Counter::visits] = 15;
  shop.commit(true);
  expect_text(lines(shop.ask("by=campaign&metrics=visits")), "autumn 5\nspring 5\n- 5\n");
  expect_text(lines(shop.ask("by=campaign&metrics=visits&order=-campaign")), "spring 5\nautumn 5\n- 5\n");
}

void the_models_credit_differently(void**) {
  Shop& shop = open_shop();
  Counters& email = shop.at(Dimension::channel, "2026-10-31T10:00:00Z", "email");
  email[Counter::orders_first] = 1'000'000;
  email[Amount::revenue_first] = 10'000'000;
  Counters& direct = shop.at(Dimension::channel, "2026-10-31T10:00:00Z", "direct");
  direct[Counter::orders_last] = 1'000'000;
  direct[Amount::revenue_last] = 10'000'000;
  Counters& ads = shop.at(Dimension::channel, "2026-10-31T10:00:00Z", "paid_search");
  ads[Counter::orders_last_non_direct] = 1'000'000;
  ads[Amount::revenue_last_non_direct] = 10'000'000;
  shop.commit(true);
  expect_text(lines(shop.ask("by=channel&metrics=orders,revenue")), "paid_search 1 10.00\n");
  expect_text(lines(shop.ask("by=channel&metrics=orders,revenue&model=last")), "direct 1 10.00\n");
  expect_text(lines(shop.ask("by=channel&metrics=orders,revenue&model=first")), "email 1 10.00\n");
}

void shared_credit_is_shown_with_three_digits(void**) {
  Shop& shop = open_shop();
  shop.at(Dimension::channel, "2026-10-31T10:00:00Z", "email")[Counter::orders_last_non_direct] = 666'667;
  shop.at(Dimension::channel, "2026-10-31T10:00:00Z", "direct")[Counter::orders_last_non_direct] = 333'333;
  shop.at(Dimension::total, "2026-10-31T10:00:00Z", {})[Counter::orders_last_non_direct] = 1'000'000;
  shop.commit(true);
  const Report& report = shop.ask("by=channel&metrics=orders");
  expect_text(lines(report), "email 0.667\ndirect 0.333\n");
  expect_text(line(report.totals), "- 1.000");
  expect_text(column_type_name(report.columns[1].type), "decimal");
  expect_text(line(shop.ask("metrics=orders").totals), "1");
}

void what_a_bucket_cut_off_is_in_other(void**) {
  Shop& shop = open_shop();
  shop.at(Dimension::page, "2026-10-31T10:00:00Z", "/")[Counter::pageviews] = 7;
  shop.other_at(Dimension::page, "2026-10-31T10:00:00Z")[Counter::pageviews] = 4;
  shop.nameless_at(Dimension::page, "2026-10-31T10:00:00Z", 77)[Counter::pageviews] = 2;
  shop.at(Dimension::total, "2026-10-31T10:00:00Z", {})[Counter::pageviews] = 13;
  shop.commit(true);
  const Report& report = shop.ask("by=page&metrics=pageviews");
  expect_text(lines(report), "/ 7\n");
  expect_text(line(report.other), "- 6");
  expect_text(joined(report.meta.warnings),
              "the range has more values of page than are kept; the rest of them is in `other` 1 rows are in `other` "
              "because their page is not kept any more");
}

// By seven days email loses an order and direct gets two; the one of display, which lost it, is in `other`, with its row.
void what_a_lookback_gives_beyond_is_added_to_the_row(void**) {
  constexpr const char* kTime = "2026-10-31T10:00:00Z";
  constexpr auto kOrders = Counter::orders_last_non_direct;
  const Dimension by_week = *by_lookback(Dimension::channel, 7);
  Shop& shop = open_shop();
  shop.at(Dimension::total, kTime, {})[kOrders] = 3'000'000;
  shop.at(Dimension::channel, kTime, "email")[kOrders] = 2'000'000;
  shop.at(Dimension::channel, kTime, "direct")[Counter::visits] = 5;
  shop.other_at(Dimension::channel, kTime)[kOrders] = 1'000'000;
  shop.at(by_week, kTime, "email")[kOrders] = -1'000'000;
  shop.at(by_week, kTime, "direct")[kOrders] = 2'000'000;
  shop.at(by_week, kTime, "display")[kOrders] = -1'000'000;
  shop.commit(true);
  const Report& report = shop.ask("by=channel&metrics=orders&lookback=7d");
  expect_text(lines(report), "direct 2\nemail 1\n");
  expect_text(line(report.other), "- 0");
  expect_text(joined(report.meta.warnings),
              "the range has more values of channel than are kept; the rest of them is in `other` more values of channel than are kept get "
              "another credit by lookback 7d than by the site's own; the rest of them are shown with the latter, and the difference is in `other`");
  for (const char* same : {"by=channel&metrics=orders", "by=channel&metrics=orders&lookback=90d"}) {
    expect_text(lines(shop.ask(same)), "email 2\n");
    expect_text(line(shop.ask(same).other), "- 1");
  }
}

void rates_by_page_go_by_entries(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const Report& report = shop.ask("by=page&metrics=entries,bounces,bounce_rate,exit_rate,visits&order=page");
  expect_text(lines(report), "/ 2 1 0.5 0.666667 2\n/bowl 1 1 1 1 1\n/cup 1 0 0 0.333333 1\n");
  expect_text(line(report.totals), "- 4 2 0.5 0.571429 4");
  expect_text(line(report.other), "- 0 0 - - -");  // visits of a page are visits of others too
}

void nothing_to_divide_by_is_null_with_one_warning(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const Report& report = shop.ask("by=channel&metrics=visits,aov&order=-aov");
  expect_text(lines(report), "organic_search 2 59.90\nemail 1 10.01\ndirect 1 -\n");
  expect_text(joined(report.meta.warnings), "aov is null where there are no orders");
  expect_text(line(shop.ask("metrics=cart_abandonment").totals), "-");
  expect_text(joined(shop.ask("metrics=cart_abandonment").meta.warnings),
              "cart_abandonment is null where there are no visits with a cart");
}

void orders_without_a_rate_are_listed_apart(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  Counters& yen = shop.at(Dimension::currency, "2026-10-30T10:00:00Z", "JPY");
  yen[Counter::orders_last] = 2'000'000;
  yen[Amount::revenue_last] = 4'500'000'000;
  shop.at(Dimension::currency, "2026-10-30T10:00:00Z", "CHF")[Counter::orders_last] = 1'000'000;
  shop.at(Dimension::currency, "2026-10-30T10:00:00Z", "CHF")[Amount::revenue_last] = 19'900'000;
  shop.commit(true);
  const Report& report = shop.ask("metrics=revenue");
  std::string apart;
  for (const Unconverted& amount : report.meta.unconverted)
    apart += amount.currency + " " + amount.orders + " " + amount.revenue + "\n";
  expect_text(apart, "CHF 1 19.90\nJPY 2 4500\n");
  expect_number(static_cast<int64_t>(report.meta.warnings.size()), 2);
  expect_text(report.meta.warnings[1],
              "2 orders of 4500 JPY in all: there is no rate for JPY, so revenue leaves the amount out");
  assert_true(shop.ask("metrics=visits").meta.unconverted.empty());
  assert_true(shop.ask("metrics=revenue&range=today").meta.unconverted.empty());
}

void visitors_are_told_for_whole_hours(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const Report& report = shop.ask("from=2026-10-31T09:30:00Z&to=2026-10-31T10:30:00Z&metrics=visits,visitors");
  expect_text(line(report.totals), "1 -");
  expect_text(joined(report.meta.warnings),
              "visitors is null: visitors are told for full hours, and the range begins or ends within one");
  expect_text(line(shop.ask("from=2026-10-31T09:00:00Z&to=2026-10-31T11:00:00Z&metrics=visitors").totals), "1");
}

void many_visitors_are_an_estimate_and_said_so(void**) {
  Shop& shop = open_shop();
  for (uint64_t visitor = 0; visitor < 3000; ++visitor)
    shop.visit("2026-10-31T10:00:00Z", visitor < 5 ? "email" : "direct", "/", 1, visitor + 1);
  shop.commit(true);
  const Report& report = shop.ask("by=channel&metrics=visitors");
  expect_text(joined(report.meta.approximate), "visitors");
  expect_text(line(report.rows[1]), "email 5");
  assert_true(std::abs(std::atoi(report.totals[1].text.c_str()) - 3000) < 3000 / 20);
  assert_true(shop.ask("metrics=visits").meta.approximate.empty());
}

// Each has one visit: an estimate may come out above, but nobody can be there without a visit.
void visitors_are_never_more_than_their_visits(void**) {
  Shop& shop = open_shop();
  bool was_above = false;
  for (int day = 1; day <= 8; ++day) {
    static Distinct distinct;
    distinct = Distinct(Precision::total);
    for (uint64_t visitor = 1; visitor <= 1100; ++visitor) {
      const uint64_t number = visitor + static_cast<uint64_t>(day) * 10'000;
      shop.visit("2026-10-0" + std::to_string(day) + "T10:00:00Z", "direct", "/", 1, number);
      distinct.add(Random(number).next());
    }
    was_above |= distinct.estimate() > 1100;
  }
  assert_true(was_above);
  shop.commit(true);
  const std::string range = "from=2026-10-01&to=2026-10-08&by=day&metrics=";
  for (const Row& row : shop.ask(range + "visits,visitors").rows) assert_true(std::stoi(row[2].text) <= std::stoi(row[1].text));
  for (const Row& row : shop.ask(range + "visitors").rows) assert_true(std::stoi(row[1].text) <= 1100);  // whatever stands beside it
}

// Parts of a range, and values that a filter takes together, are merged; `other` and what has no time are null.
void request_times_are_told_by_their_ranks(void**) {
  for (bool fold : {false, true}) {
    Shop& shop = open_shop();
    const auto hit = [&](std::string_view time, std::string_view status, uint32_t ms) {
      for (Dimension dimension : {Dimension::total, Dimension::http_status}) {
        Counters& to = dimension == Dimension::total ? shop.at(dimension, time, {}) : shop.at(dimension, time, status);
        to[Counter::hits] += 1;
        if (ms > 0) to.took_ms.need().add(ms);
      }
    };
    for (uint32_t ms = 1; ms <= 40; ++ms) hit(ms % 2 == 0 ? "2026-10-29T10:00:00Z" : "2026-10-31T10:00:00Z", "200", ms);
    for (uint32_t ms = 50; ms < 60; ++ms) hit("2026-10-30T10:00:00Z", "404", ms);
    hit("2026-10-30T10:00:00Z", "304", 0);
    shop.commit(fold);
    const Report& totals = shop.ask("metrics=p50_ms,p95_ms,p99_ms");
    expect_text(line(totals.totals), "25 57 59");
    expect_text(joined(totals.meta.approximate), "p50_ms p95_ms p99_ms");
    const Report& rows = shop.ask("by=http_status&metrics=hits,p50_ms,p95_ms");
    expect_text(lines(rows), "200 40 20 38\n404 10 54 59\n304 1 - -\n");
    expect_text(joined(rows.meta.warnings), "p50_ms is null where no request's time is known p50_ms do not add up over rows: "
                "`other` has none p95_ms is null where no request's time is known p95_ms do not add up over rows: `other` has none");
    expect_text(line(shop.ask("by=http_status&metrics=hits,p50_ms&limit=1").other), "- 11 -");
    expect_text(lines(shop.ask("by=day&metrics=p50_ms")), "2026-10-29 20\n2026-10-30 54\n2026-10-31 19\n");
    expect_text(line(shop.ask("metrics=p95_ms&filter=http_status:is:200|404").totals), "57");
    expect_text(line(shop.ask("metrics=p95_ms&filter=http_status:is:200").totals), "38");
    expect_text(line(shop.ask("metrics=p50_ms&filter=http_status:is:304").totals), "-");
    expect_text(lines(shop.ask("by=http_status&metrics=p95_ms&order=-p95_ms")), "404 59\n200 38\n");
  }
}

void a_site_without_groups_of_pages_is_told_so(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  const std::string warning = "the site has no groups of pages: [[site.shop.page_group]] names them";
  expect_text(joined(shop.ask("by=page_group&metrics=pageviews").meta.warnings), warning);
  shop.config().sites[0].page_groups = {{"cups", "/cup*"}};
  shop.commit(true);
  expect_text(joined(shop.ask("by=page_group&metrics=pageviews").meta.warnings), "");
}

void rows_of_zeros_are_left_out(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.at(Dimension::channel, "2026-10-31T10:00:00Z", "qr")[Counter::exits] = 1;
  shop.at(Dimension::channel, "2026-10-31T10:01:00Z", "qr")[Counter::exits] = -1;
  shop.at(Dimension::channel, "2026-10-31T10:01:00Z", "qr")[Counter::events] = 1;
  shop.commit(true);
  expect_number(static_cast<int64_t>(shop.ask("by=channel&metrics=visits,exits").rows.size()), 3);
  expect_number(static_cast<int64_t>(shop.ask("by=channel&metrics=events").rows.size()), 1);
  // A rate of zero is a figure, as long as there is something that it is of.
  expect_number(static_cast<int64_t>(shop.ask("by=channel&metrics=cr").rows.size()), 3);
}

void a_site_that_was_never_seen_has_zeros(void**) {
  Shop& shop = open_shop({"shop"});
  shop.config().sites.push_back(default_site("blog"));
  three_days(shop);
  shop.commit(true);
  expect_text(line(shop.ask("site=blog&metrics=visits,revenue").totals), "0 0.00");
  assert_true(shop.ask("site=blog&by=channel").rows.empty());
}

void sites_do_not_mix(void**) {
  Shop& shop = open_shop({"shop", "blog"});
  three_days(shop);
  shop.commit(true);
  expect_text(line(shop.ask("site=shop&metrics=visits").totals), "4");
  expect_text(line(shop.ask("site=blog&metrics=visits").totals), "0");
}

void an_open_visit_counts_as_it_stands(void**) {
  Shop& shop = open_shop();
  const auto ms = [](std::string_view time) { return utc_s(time) * 1000; };
  static Visit open;
  open = Visit();
  open.start_ms = open.last_ms = ms("2026-10-31T10:00:00Z");
  open.distinct_visitor = 42;
  open.view("/", 1, ms("2026-10-31T10:00:00Z"));
  open.view("/cup", 2, ms("2026-10-31T10:02:00Z"));
  open.last_ms = ms("2026-10-31T10:02:00Z");
  shop.open_visit(open, 9);
  static Visit pageless;
  pageless = Visit();
  pageless.start_ms = pageless.last_ms = ms("2026-10-31T10:01:00Z");
  pageless.count_event(ms("2026-10-31T10:01:00Z"), "scroll", "");
  shop.open_visit(pageless, 10);
  Counters& closed = shop.at(Dimension::exit_page, "2026-10-31T09:00:00Z", "/cup");
  closed[Counter::visits] = closed[Counter::exits] = closed[Counter::pageviews] = 1;
  shop.at(Dimension::total, "2026-10-31T09:00:00Z", {})[Counter::visits] = 3;
  shop.commit(true);
  expect_text(lines(shop.ask("by=exit_page&metrics=visits,exits,pageviews,visitors,events")),
              "/cup 2 2 3 1 0\n- 1 0 0 1 1\n");
  // Under its entry page the first one is booked by the aggregator already; the other has none until it closes.
  expect_text(lines(shop.ask("by=entry_page&metrics=visits,events")), "- 1 1\n");
  expect_text(lines(shop.ask("by=exit_page&metrics=visits&range=yesterday")), "");
  expect_text(lines(shop.ask("by=hour,exit_page&range=today&metrics=visits")),
              "2026-10-31T10:00:00+01:00 /cup 1\n2026-10-31T11:00:00+01:00 /cup 1\n2026-10-31T11:00:00+01:00 - 1\n");
}

void pages_of_rows_follow_each_other(void**) {
  Shop& shop = open_shop();
  for (int i = 0; i < 25; ++i) {
    const std::string page = "/p" + std::to_string(10 + i);
    shop.visit("2026-10-31T10:00:00Z", "direct", page, 1 + i % 3, static_cast<uint64_t>(i) + 1);
  }
  shop.commit(true);
  static std::string whole, pieces, cursor;
  whole = lines(shop.ask("by=page&metrics=pageviews"));
  pieces.clear();
  cursor.clear();
  int rounds = 0;
  do {
    const Report& report = shop.ask("by=page&metrics=pageviews&limit=10" + (cursor.empty() ? "" : "&cursor=" + cursor));
    pieces += lines(report);
    cursor = report.meta.next_cursor;
    expect_number(static_cast<int64_t>(report.meta.rows_total), 25);
  } while (!cursor.empty() && ++rounds < 10);
  expect_text(pieces, whole);
  expect_number(rounds, 2);
  assert_true(whole.starts_with("/p12 3\n/p15 3\n/p18 3\n"));
  expect_text(shop.refused("by=channel&metrics=pageviews&cursor=10.0123456789abcdef").param, "cursor");
}

// --- rows + other = totals -------------------------------------------------------------------------------------------

__int128 number_of(const Cell& cell) {
  const std::string& text = cell.text;
  return parse_micros(text).value_or(-1);
}

void rows_and_other_add_up_to_totals(void**) {
  static constexpr const char* kTimes[] = {"2026-10-24T21:59:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
                                           "2026-10-25T23:10:00Z", "2026-10-30T12:00:00Z", "2026-10-31T10:00:00Z"};
  static constexpr const char* kChannels[] = {"direct", "email", "paid_search", "referral"};
  Random random(11);
  for (int round = 0; round < 6; ++round) {
    Shop& shop = open_shop();
    for (int i = 0; i < 60; ++i) {
      const char* time = kTimes[random.below(std::size(kTimes))];
      shop.visit(time, kChannels[random.below(4)], "/p" + std::to_string(random.below(12)),
                 1 + static_cast<int>(random.below(4)), random.below(20));
      if (random.below(3) == 0)
        shop.order(time, kChannels[random.below(4)], static_cast<int64_t>(random.below(1'000'000)) * 10'000);
      if (i == 30) shop.commit(round % 2 == 0);
    }
    shop.commit(round % 3 == 0);
    for (const char* query :
         {"by=channel&metrics=visits,pageviews,orders,revenue,bounces,exits,entries",
          "by=day&metrics=visits,pageviews,orders,revenue,bounces", "by=day,channel&metrics=visits,revenue",
          "by=page&metrics=pageviews,entries,exits,bounces", "by=hour,channel&metrics=pageviews,orders,revenue",
          "by=week,channel&metrics=visits,orders", "by=month&metrics=visits,revenue"}) {
      for (const char* rest : {"&limit=1", "&limit=3", "&limit=10000", "&range=7d&limit=2"}) {
        const Report& report = shop.ask(std::string(query) + rest);
        for (size_t column = 0; column < report.columns.size(); ++column) {
          const ColumnType type = report.columns[column].type;
          if (type == ColumnType::string || type == ColumnType::time) continue;
          __int128 sum = number_of(report.other[column]);
          for (const Row& row : report.rows) sum += number_of(row[column]);
          if (sum != number_of(report.totals[column]))
            fail_msg("%s%s: %s", query, rest, report.columns[column].name.c_str());
        }
      }
    }
  }
}

// --- bounds ----------------------------------------------------------------------------------------------------------

void a_query_that_takes_too_long_is_given_up(void**) {
  Shop& shop = open_shop();
  three_days(shop);
  shop.commit(true);
  static std::variant<Report, QueryError> answer;
  {
    Result<SummaryReader> reader = SummaryReader::open(shop.store_path() + "/summary.0", 64 << 20);
    assert_true(reader.ok());
    Result<SummarySnapshot> snapshot = reader->snapshot();
    assert_true(snapshot.ok());
    const QueryContext context{.now_ms = utc_s("2026-10-31T12:00:00Z") * 1000,
                               .sites = snapshot->checkpoint().sites,
                               .config = snapshot->config(),
                               .first_day_s = {}};
    const Query query = std::get<Query>(parse_query("by=channel", context));
    answer = run_query(query, *snapshot, StringHasher(Secret256{}), [] { return true; });
  }
  expect_number(std::get<QueryError>(answer).http_status, 503);
  expect_text(std::get<QueryError>(answer).code, "too_slow");
}

int close_shop(void**) {
  the_shop.reset();
  return 0;
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(totals_without_a_dimension),
      cmocka_unit_test(rows_by_channel_come_with_other_and_totals),
      cmocka_unit_test(columns_say_what_they_hold),
      cmocka_unit_test(days_are_those_of_the_zone_and_in_order),
      cmocka_unit_test(a_range_counts_what_lies_in_it),
      cmocka_unit_test(folded_and_fresh_changes_add_up),
      cmocka_unit_test(null_is_a_row_of_its_own_and_the_last_by_name),
      cmocka_unit_test(the_models_credit_differently),
      cmocka_unit_test(shared_credit_is_shown_with_three_digits),
      cmocka_unit_test(what_a_bucket_cut_off_is_in_other),
      cmocka_unit_test(what_a_lookback_gives_beyond_is_added_to_the_row),
      cmocka_unit_test(rates_by_page_go_by_entries),
      cmocka_unit_test(nothing_to_divide_by_is_null_with_one_warning),
      cmocka_unit_test(orders_without_a_rate_are_listed_apart),
      cmocka_unit_test(visitors_are_told_for_whole_hours),
      cmocka_unit_test(many_visitors_are_an_estimate_and_said_so),
      cmocka_unit_test(visitors_are_never_more_than_their_visits),
      cmocka_unit_test(request_times_are_told_by_their_ranks),
      cmocka_unit_test(a_site_without_groups_of_pages_is_told_so),
      cmocka_unit_test(rows_of_zeros_are_left_out),
      cmocka_unit_test(a_site_that_was_never_seen_has_zeros),
      cmocka_unit_test(sites_do_not_mix),
      cmocka_unit_test(an_open_visit_counts_as_it_stands),
      cmocka_unit_test(pages_of_rows_follow_each_other),
      cmocka_unit_test(rows_and_other_add_up_to_totals),
      cmocka_unit_test(a_query_that_takes_too_long_is_given_up),
  };
  return cmocka_run_group_tests(tests, nullptr, close_shop);
}
