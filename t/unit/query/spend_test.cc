// Figures on spend, and the rows that show it.
#include <map>

#include "credit/model.h"
#include "query/shop.h"

namespace footfall {
namespace {

constexpr int64_t kUnit = 1'000'000;
constexpr std::string_view kMidnight = "2026-10-04T22:00:00Z";  // in Berlin
constexpr std::string_view kNoon = "2026-10-05T10:00:00Z";

std::unique_ptr<Shop> the_shop;
std::string text;

int open_shop(void**) { return the_shop = std::make_unique<Shop>(), 0; }
int close_shop(void**) { return the_shop.reset(), 0; }

void spend(Dimension dimension, std::string_view value, int64_t units, int64_t clicks = 0) {
  const auto add = [&](Counters& to) { to[Amount::cost] += units * kUnit, to[Counter::clicks] += clicks; };
  add(the_shop->at(Dimension::total, kMidnight, {}));
  add(the_shop->at(dimension, kMidnight, value));
}
void visits(Dimension dimension, std::string_view value, int64_t count, std::string_view time = kNoon) {
  the_shop->at(Dimension::total, time, {})[Counter::visits] += count;
  the_shop->at(dimension, time, value)[Counter::visits] += count;
}

// "google 25.00 50; (null) 0.00 0"
const std::string& rows(std::string_view arguments) {
  const Report& report = the_shop->ask(std::string(arguments) + "&from=2026-10-01&to=2026-10-31&order=-cost");
  text.clear();
  for (const Row& row : report.rows) {
    if (!text.empty()) text += "; ";
    for (size_t i = 0; i < row.size(); ++i)
      text.append(i > 0 ? " " : "").append(row[i].kind == Cell::Kind::null ? "-" : row[i].text);
  }
  return text;
}

void rates_are_of_cost(void**) {
  the_shop->config().sites[0].margin_micros = 350'000;
  spend(Dimension::channel, "paid_search", 25, 50);
  the_shop->order(kNoon, "paid_search", 100 * kUnit);
  the_shop->order(kNoon, "email", 40 * kUnit);
  the_shop->commit(true);
  expect_text(rows("by=channel&metrics=cost,cpc,cpa,cpo,roas,roi"), "paid_search 25.00 0.50 25.00 25.00 4 0.4; email 0.00 - - - - -");
  expect_text(rows("metrics=cost,cpc,cpo,roas,roi,mer"), "25.00 0.50 12.50 5.6 0.96 5.6");
  const Report& report = the_shop->ask("metrics=cost,cpc,roi&from=2026-10-06&to=2026-10-31");
  assert_true(report.rows[0][1].kind == Cell::Kind::null && report.rows[0][2].kind == Cell::Kind::null);
  assert_true(report.meta.warnings.size() == 2 && report.meta.warnings[0] == "cpc is null where there are no clicks or no cost");
  expect_text(report.meta.warnings[1], "roi is null where there is no cost");
}

// A mailing that nobody told a cost of brought its orders for nobody knows what, not for 0.00.
void without_a_cost_nothing_costs_anything(void**) {
  spend(Dimension::channel, "email", 0, 5);
  the_shop->order(kNoon, "email", 40 * kUnit);
  the_shop->commit(true);
  expect_text(rows("by=channel&metrics=clicks,orders,cost,cpc,cpa,cpo,roas"), "email 5 1 0.00 - - - -");
  const Report& report = the_shop->ask("metrics=cpc,cpa,cpo&from=2026-10-01&to=2026-10-31");
  expect_text(joined(report.meta.warnings), "cpc is null where there are no clicks or no cost cpa is null where there are no conversions or no cost "
                                            "cpo is null where there are no orders or no cost");
}

void without_a_margin_there_is_no_roi(void**) {
  spend(Dimension::channel, "paid_search", 25);
  the_shop->order(kNoon, "paid_search", 100 * kUnit);
  the_shop->commit(true);
  expect_text(rows("metrics=cost,roas,roi"), "25.00 4 -");
  assert_true(the_shop->ask("metrics=roi").meta.warnings[0].starts_with("roi is null: the site has no margin; [site.shop] margin = 0.35"));
}

void sources_of_one_name_share_the_row_that_most_visits_have(void**) {
  visits(Dimension::source, "fb", 9, "2026-08-05T10:00:00Z");  // not in the range
  visits(Dimension::source, "fb", 2);
  visits(Dimension::source, "m.facebook.com", 3);
  visits(Dimension::source, "google", 5);
  spend(Dimension::source, "facebook", 10, 4);
  spend(Dimension::source, "google", 7);
  spend(Dimension::source, "bing", 6);
  for (const bool fold : {false, true}) {
    the_shop->commit(fold);
    expect_text(rows("by=source&metrics=visits,cost,clicks"), "m.facebook.com 3 10.00 4; google 5 7.00 0; bing 0 6.00 0; fb 2 0.00 0");
    expect_text(rows("metrics=visits,cost&filter=source:is:m.facebook.com"), "3 10.00");
    expect_text(rows("metrics=visits,cost&filter=source:is:facebook"), "0 0.00");
    expect_text(rows("metrics=visits,cost&filter=source:contains:face"), "3 10.00");
    expect_text(rows("metrics=visits,cost&filter=source:is_not:google"), "5 16.00");
    expect_text(rows("by=source,day&metrics=visits,cost&filter=source:is:m.facebook.com"), "m.facebook.com 2026-10-05 3 10.00");
  }
  const Report& wide = the_shop->ask("by=source&metrics=visits,cost&from=2026-08-01&to=2026-10-31&order=-cost&limit=1");
  expect_text(wide.rows[0][0].text, "fb");  // which most had then
  expect_text(wide.other[2].text, "13.00");
}

void days_are_not_cut_in_silence(void**) {
  spend(Dimension::channel, "paid_search", 25);
  the_shop->commit(true);
  const Report& report = the_shop->ask("metrics=cost&from=2026-10-05T10:00:00Z&to=2026-10-06T10:00:00Z");
  expect_text(report.rows[0][0].text, "0.00");
  expect_text(report.meta.warnings[0], "spend is counted in the first hour of its day: the range begins or ends within a day");
  expect_text(the_shop->refused("by=hour&metrics=cost").message.substr(0, 52), "cost is told by days and longer, not by hour; `allow");
  expect_text(the_shop->refused("by=channel&metrics=visits,cost&filter=medium:is:cpc").param, "filter");
  expect_text(the_shop->refused("by=channel,medium&metrics=visits,cost").param, "by");
  expect_text(rows("by=channel&metrics=orders,cost&lookback=1d"), "paid_search 0 25.00");
}

void before_is_compared_with_before(void**) {
  spend(Dimension::channel, "paid_search", 25);
  the_shop->commit(true);
  const Report& report = the_shop->ask("metrics=cost&from=2026-10-06&to=2026-10-06&compare=previous");
  expect_text(report.rows[0][0].text, "0.00");
  expect_text(report.rows[0][1].text, "25.00");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(rates_are_of_cost, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(without_a_cost_nothing_costs_anything, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(without_a_margin_there_is_no_roi, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(sources_of_one_name_share_the_row_that_most_visits_have, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(days_are_not_cut_in_silence, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(before_is_compared_with_before, open_shop, close_shop),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
