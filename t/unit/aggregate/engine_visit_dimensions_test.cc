// What is booked when a visit closes (browser, system, new or returning, the rest of its touch), how long pages were looked
// at, groups of pages, and what orders are told by beside their items.
#include "aggregate/shop.h"

namespace footfall {
namespace {

using enum Counter;
using enum Amount;
using enum Dimension;
constexpr int64_t kOne = kCreditWhole;
constexpr int64_t kEuro = kMicrosPerUnit;

// --- browsers and systems --------------------------------------------------------------------------------------------

// Asked while the visit is open and once it is closed: the same.
template <class Expect>
void open_and_closed(Expect expect) {
  expect();
  shop().settle("2026-10-02 12:00");
  assert_int_equal(shop().open_visits(), 0);
  expect();
}

void a_visit_has_the_browser_that_it_began_with(void**) {
  shop().at("10:00").agent(kPhone).hit("/").at("10:01").agent(kFirefox).hit("/a").order("A-1", "10.00");
  shop().event("sign_up");
  open_and_closed([] {
    expect_figure(browser, "Safari", visits, 1);
    expect_figure(browser, "Safari", pageviews, 2);
    expect_figure(browser, "Safari", events, 2);
    expect_figure(browser, "Safari", exits, 1);
    expect_figure(browser, "Safari", duration_ms, 60'000);
    expect_figure(browser, "Safari", orders_first, kOne);
    expect_figure(browser, "Safari", revenue_last, 10 * kEuro);
    expect_figure(browser, "Safari", goal_value, 2 * kEuro);
    expect_figure(system, "iOS", visits, 1);
    expect_figure(system, "iOS", conversions_last, 2 * kOne);
    expect_figure(browser, "Firefox", visits, 0);
    expect_figure(browser, "Firefox", orders_last, 0);
    expect_figure(browser, "Safari", hits, 0);  // hits go by device
    expect_number(shop().sum(browser, "Safari", Level::day).visitors.estimate(), 1);
  });
}

void the_browser_outlives_a_restart(void**) {
  shop().at("10:00").agent(kPhone).hit("/").checkpoint().restart();
  shop().at("10:05").agent(kFirefox).hit("/a").settle("12:00");
  expect_figure(browser, "Safari", pageviews, 2);
  expect_figure(system, "Linux", visits, 0);
}

void an_order_of_nobody_has_its_hits_browser(void**) {
  shop().at("10:00").visitor("").agent(kPhone).order("A-1", "10.00");
  expect_figure(browser, "Safari", orders_last, kOne);
  expect_figure(system, "iOS", revenue_last, 10 * kEuro);
  expect_figure(new_returning, "unknown", orders_last, kOne);
}

// --- new and returning -----------------------------------------------------------------------------------------------

void who_comes_back_is_returning(void**) {
  shop().at("10:00").visitor("anna").hit("/").hit("/a");
  shop().at("10:05").visitor("ben").hit("/");
  shop().at("12:00").visitor("anna").hit("/").order("A-1", "10.00");
  open_and_closed([] {
    expect_figure(new_returning, "new", visits, 2);
    expect_figure(new_returning, "new", pageviews, 3);
    expect_figure(new_returning, "returning", visits, 1);
    expect_figure(new_returning, "returning", orders_last, kOne);
    expect_figure(new_returning, "unknown", visits, 0);
  });
}

void who_comes_back_after_all_was_forgotten_from_memory_is_returning(void**) {
  shop().at("10:00").visitor("anna").hit("/").settle("12:00").restart();
  shop().at("13:00").visitor("anna").hit("/");
  expect_figure(new_returning, "returning", visits, 1);
}

void nobody_knows_whether_the_anonymous_come_back(void**) {
  shop().at("10:00").visitor("").address("\x0a\1\1\1").hit("/");
  shop().at("12:00").hit("/");
  expect_figure(new_returning, "unknown", visits, 2);
}

// A visit that began without consent stays what it was; the next one is under the id.
void consent_within_a_visit_changes_nothing(void**) {
  shop().at("10:00").visitor("").address("\x0a\1\1\1").hit("/");
  shop().at("10:01").visitor("anna").hit("/a");
  expect_figure(new_returning, "unknown", visits, 1);
  expect_figure(new_returning, "unknown", pageviews, 2);
  shop().at("12:00").hit("/b");
  expect_figure(new_returning, "returning", visits, 1);
}

// --- the rest of a touch ---------------------------------------------------------------------------------------------

void a_visit_is_told_by_all_of_its_first_touch(void**) {
  shop().at("10:00").from("https://blog.example/shoes?x=1").hit("/", "utm_content=banner&utm_term=red+shoes");
  shop().at("10:01").hit("/a", "utm_content=other").order("A-1", "10.00");
  open_and_closed([] {
    expect_figure(content, "banner", visits, 1);
    expect_figure(content, "banner", pageviews, 2);
    expect_figure(content, "other", visits, 0);
    expect_figure(term, "red shoes", visits, 1);
    expect_figure(referrer, "blog.example/shoes", visits, 1);
    expect_figure(code, "", visits, 1);
    // Credit goes to the touch's own.
    expect_figure(content, "banner", orders_first, kOne);
    expect_figure(content, "other", orders_last, kOne);
    expect_figure(content, "banner", orders_last, 0);
    expect_figure(term, "red shoes", revenue_first, 10 * kEuro);
    expect_figure(term, "", revenue_last, 10 * kEuro);
    expect_figure(referrer, "blog.example/shoes", orders_first, kOne);
  });
}

void a_direct_visit_has_none_of_it(void**) {
  shop().at("10:00").from("https://www.paypal.com/pay").hit("/");
  open_and_closed([] {
    for (Dimension dimension : {content, term, code, referrer}) expect_figure(dimension, "", visits, 1);
  });
}

// --- time on pages ---------------------------------------------------------------------------------------------------

void a_page_was_looked_at_until_the_next_one(void**) {
  shop().at("10:00").agent(kPhone).hit("/search", "q=shoes");
  shop().at("10:01").event("scroll");
  shop().at("10:02:00.500").hit("/a").at("10:02:03").hit("/a").at("10:05").event("scroll");
  open_and_closed([] {
    expect_figure(pages_left, 2);
    expect_figure(page_time_ms, 120'500 + 2'500);
    expect_figure(page, "/search", pages_left, 1);
    expect_figure(page, "/search", page_time_ms, 120'500);
    expect_figure(page, "/a", pages_left, 1);
    expect_figure(page, "/a", page_time_ms, 2'500);
    expect_figure(search_term, "shoes", page_time_ms, 120'500);
    expect_figure(entry_page, "/search", pages_left, 2);
    expect_figure(exit_page, "/a", page_time_ms, 123'000);
    expect_figure(browser, "Safari", page_time_ms, 123'000);
    expect_figure(channel, "direct", pages_left, 2);
    expect_in(shop().bucket(page, "/search", Level::minute, "10:00"), page_time_ms, 120'500);
    expect_in(shop().bucket(browser, "Safari", Level::minute, "10:02"), page_time_ms, 2'500);
  });
}

void a_page_that_came_late_was_not_looked_at(void**) {
  shop().at("10:00").hit("/a").at("10:10").hit("/b").at("10:05").late().hit("/late");
  expect_figure(pages_left, 1);
  expect_figure(page, "/a", page_time_ms, 600'000);
  expect_figure(page, "/late", pages_left, 0);
}

// --- groups of pages -------------------------------------------------------------------------------------------------

void a_page_is_of_the_first_group_that_holds_it(void**) {
  shop().at("10:00").hit("/shoes/sale").at("10:01").hit("/shoes/red").at("10:02").hit("/elsewhere");
  expect_figure(page_group, "sale", pageviews, 1);
  expect_figure(page_group, "sale", entries, 1);
  expect_figure(page_group, "sale", exits, 0);
  expect_figure(page_group, "sale", page_time_ms, 60'000);
  expect_figure(page_group, "sale", bounces, 0);
  expect_figure(page_group, "shoes", pageviews, 1);
  expect_figure(page_group, "", exits, 1);
  shop().site("blog.example").at("10:00").hit("/shoes/red");  // has no groups
  expect_figure(page_group, "shoes", pageviews, 0, 1);
  expect_figure(page_group, "", pageviews, 0, 1);
}

// --- status ----------------------------------------------------------------------------------------------------------

void hits_are_told_by_their_status(void**) {
  shop().at("10:00").hit("/").answer(404, "/x").answer(410, "/y").agent(kGooglebot).answer(404, "/z");
  expect_figure(http_status, "200", hits, 1);
  expect_figure(http_status, "404", hits, 2);
  expect_figure(http_status, "404", bot_hits, 1);
  expect_figure(http_status, "404", errors_4xx, 2);
  expect_figure(http_status, "410", bytes, 1000);
  expect_figure(status_class, "4xx", hits, 3);
}

void hits_are_told_by_how_long_they_took(void**) {
  for (uint32_t ms = 1; ms <= 50; ++ms) shop().at("10:00").took(ms).hit("/");
  shop().took(4'000).answer(500, "/slow");
  RawHit unknown = shop().request("/", "");
  unknown.time_unknown = true;
  shop().count(unknown);
  const Counters all = shop().sum(total, "", Level::day);
  expect_number(all.took_ms->count(), 51);
  expect_number(all.took_ms->at(50), 26);
  expect_number(all.took_ms->at(95), 49);
  expect_number(all.took_ms->at(99), 3'999);  // the middle of a step
  expect_number(shop().sum(page, "/", Level::month).took_ms->at(99), 50);
  expect_number(shop().sum(http_status, "500", Level::hour).took_ms->count(), 1);
  assert_true(!shop().sum(browser, "Firefox", Level::day).took_ms);
}

// --- orders ----------------------------------------------------------------------------------------------------------

void an_order_is_told_by_categories(void**) {
  shop().at("10:00").order("A-1", "103.00", ";items=\"a:2:10.00:Shoes b:1:50.00:Shoes c:1:30.00:Toys\"");
  shop().order("A-2", "9.00", ";items=\"a:1:5.00:Shoes d:2:2.00\"");
  shop().order("A-3", "1.00");
  expect_figure(item_category, "Shoes", orders_last, 2 * kOne);
  expect_figure(item_category, "Shoes", items_last, 4 * kOne);
  expect_figure(item_category, "Shoes", revenue_first, 75 * kEuro);
  expect_figure(item_category, "Toys", orders_last, kOne);
  expect_figure(item_category, "Toys", revenue_last, 30 * kEuro);
  expect_figure(item_category, "", orders_last, 2 * kOne);  // the one with d, and the one without items
  expect_figure(item_category, "", items_last, 2 * kOne);
  expect_figure(item_category, "", revenue_last, 8 * kEuro);  // shipping, d, A-3
}

void an_order_is_told_by_its_coupon(void**) {
  shop().at("10:00").order("A-1", "10.00", ";coupon=\"MAIL24\"").order("A-2", "5.00").event("sign_up");
  expect_figure(coupon, "MAIL24", orders_last, kOne);
  expect_figure(coupon, "MAIL24", revenue_last, 10 * kEuro);
  expect_figure(coupon, "", orders_last, kOne);
  expect_figure(coupon, "", conversions_last, 2 * kOne);  // the goal too
  expect_figure(coupon, "", goal_value, 2 * kEuro);
}

void an_order_is_told_by_its_currency(void**) {
  shop().at("10:00").order("A-1", "10.00").order("A-2", "100.00", ";currency=\"USD\"");
  shop().order("A-3", "7.00", ";currency=\"CHF\"");  // no rate
  expect_figure(order_currency, "EUR", orders_last, kOne);
  expect_figure(order_currency, "EUR", revenue_last, 10 * kEuro);
  expect_figure(order_currency, "USD", orders_last, kOne);
  expect_figure(order_currency, "USD", revenue_last, 92 * kEuro);
  expect_figure(order_currency, "CHF", orders_last, kOne);
  expect_figure(order_currency, "CHF", revenue_last, 0);
  expect_figure(currency, "CHF", revenue_last, 7 * kEuro);  // apart, in its own
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(a_visit_has_the_browser_that_it_began_with),
      shop_test(the_browser_outlives_a_restart),
      shop_test(an_order_of_nobody_has_its_hits_browser),
      shop_test(who_comes_back_is_returning),
      shop_test(who_comes_back_after_all_was_forgotten_from_memory_is_returning),
      shop_test(nobody_knows_whether_the_anonymous_come_back),
      shop_test(consent_within_a_visit_changes_nothing),
      shop_test(a_visit_is_told_by_all_of_its_first_touch),
      shop_test(a_direct_visit_has_none_of_it),
      shop_test(a_page_was_looked_at_until_the_next_one),
      shop_test(a_page_that_came_late_was_not_looked_at),
      shop_test(a_page_is_of_the_first_group_that_holds_it),
      shop_test(hits_are_told_by_their_status),
      shop_test(hits_are_told_by_how_long_they_took),
      shop_test(an_order_is_told_by_categories),
      shop_test(an_order_is_told_by_its_coupon),
      shop_test(an_order_is_told_by_its_currency),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
