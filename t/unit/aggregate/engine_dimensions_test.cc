// Countries, devices, classes of bots, the shop's own search, and items.
#include "aggregate/shop.h"

namespace footfall {
namespace {

using enum Counter;
using enum Amount;
using enum Dimension;
constexpr int64_t kOne = kCreditWhole;
constexpr int64_t kEuro = kMicrosPerUnit;

// --- countries and devices -------------------------------------------------------------------------------------------

void a_visit_is_where_its_first_hit_was(void**) {
  shop().at("10:00").country("de").hit("/");
  shop().at("10:01").country("FR").hit("/a").order("A-1", "10.00").event("sign_up");
  expect_figure(country, "DE", visits, 1);
  expect_figure(country, "DE", pageviews, 2);
  expect_figure(country, "DE", exits, 1);
  expect_figure(country, "DE", events, 2);
  expect_figure(country, "DE", orders_first, kOne);
  expect_figure(country, "DE", conversions_last, 2 * kOne);
  expect_figure(country, "DE", revenue_last, 10 * kEuro);
  expect_figure(country, "DE", goal_value, 2 * kEuro);
  expect_figure(country, "DE", visits_converted, 1);
  expect_figure(country, "FR", visits, 0);
  expect_figure(country, "FR", orders_last, 0);
  expect_figure(country, "DE", hits, 1);  // each hit its own
  expect_figure(country, "FR", hits, 3);
}

void an_unknown_country_is_null(void**) {
  shop().at("10:00").hit("/");
  shop().visitor("ben").country("-").hit("/");
  expect_figure(country, "", visits, 2);
  expect_figure(country, "", hits, 2);
}

void a_visit_has_the_device_that_it_began_with(void**) {
  shop().at("10:00").agent(kPhone).hit("/");
  shop().at("10:01").agent(kFirefox).order("A-1", "10.00");
  expect_figure(device, "mobile", visits, 1);
  expect_figure(device, "mobile", revenue_first, 10 * kEuro);
  expect_figure(device, "desktop", visits, 0);
  expect_figure(device, "mobile", hits, 1);
  expect_figure(device, "desktop", hits, 1);
  expect_in(shop().bucket(device, "mobile", Level::minute, "10:00"), duration_ms, 60'000);
}

void the_country_outlives_a_restart(void**) {
  shop().at("10:00").country("DE").agent(kPhone).hit("/search", "q=shoes");
  shop().checkpoint().restart().at("10:05").country("").agent(kFirefox).hit("/a");
  expect_figure(country, "DE", pageviews, 2);
  expect_figure(device, "mobile", pageviews, 2);
  expect_figure(search_term, "shoes", exits, 0);
  expect_figure(search_term, "shoes", bounces, 0);
  expect_figure(search_term, "", exits, 1);
}

void visitors_are_told_by_country(void**) {
  for (const char* who : {"anna", "ben", "anna"}) shop().at("10:00").visitor(who).country("DE").hit("/");
  shop().visitor("carl").country("FR").hit("/");
  expect_number(shop().sum(country, "DE", Level::day).visitors.estimate(), 2);
  expect_number(shop().sum(country, "FR", Level::day).visitors.estimate(), 1);
}

void an_order_of_nobody_is_where_its_hit_was(void**) {
  shop().at("10:00").visitor("").country("FR").agent(kPhone).order("A-1", "10.00");
  expect_figure(country, "FR", orders_last, kOne);
  expect_figure(device, "mobile", revenue_last, 10 * kEuro);
}

// --- bots ------------------------------------------------------------------------------------------------------------

void bots_are_told_by_class(void**) {
  shop().at("10:00").hit("/");
  shop().visitor("bot").agent(kGooglebot).asset("/robots.txt").hit("/").asset("/style.css");
  shop().visitor("none").agent("").answer(404, "/x");
  shop().visitor("curious").agent(kFirefox).asset("/robots.txt").hit("/");
  shop().count(shop().visitor("own").request("/", ""), kHitOwnBot);
  expect_figure(bot_class, "", hits, 1);
  expect_figure(bot_class, "", bot_hits, 0);
  expect_figure(bot_class, "search_crawler", hits, 3);
  expect_figure(bot_class, "search_crawler", bot_hits, 3);
  expect_figure(bot_class, "search_crawler", bytes, 3000);
  expect_figure(bot_class, "no_user_agent", errors_4xx, 1);
  expect_figure(bot_class, "behaviour", hits, 2);
  expect_figure(bot_class, "own_flag", hits, 1);
  expect_figure(device, "bot", hits, 7);
  expect_figure(device, "bot", bot_hits, 7);
  expect_figure(device, "desktop", hits, 1);
}

void the_ledger_tells_class_and_reason(void**) {
  shop().at("10:00").hit("/");
  shop().visitor("bot").agent(kGooglebot).asset("/robots.txt").hit("/").asset("/style.css");
  shop().visitor("none").agent("").answer(404, "/x");
  shop().visitor("curious").agent(kFirefox).asset("/robots.txt").hit("/");
  shop().visitor("spammer").from("https://semalt.com/x").hit("/").from("").hit("/a");
  shop().count(shop().visitor("own").request("/", ""), kHitOwnBot);
  for (int i = 0; i < 301; ++i) shop().visitor("hasty").hit("/" + std::to_string(i));
  expect_figure(ledger, "", hits, 1 + 300);
  expect_figure(ledger, "", bot_hits, 0);
  expect_figure(ledger, "search_crawler\tGooglebot", hits, 3);
  expect_figure(ledger, "search_crawler\tGooglebot", bytes, 3000);
  expect_figure(ledger, "no_user_agent\tno user agent", errors_4xx, 1);
  expect_figure(ledger, "behaviour\trobots.txt", hits, 2);
  expect_figure(ledger, "behaviour\treferrer spam", hits, 2);
  expect_figure(ledger, "behaviour\ttoo many pages", hits, 1);
  expect_figure(ledger, "own_flag\town flag", hits, 1);
  expect_figure(ledger, "own_flag\town flag", bot_hits, 1);
}

void why_a_visitor_is_a_bot_outlives_a_restart(void**) {
  shop().at("10:00").visitor("spammer").from("https://www.forum.semalt.com/").hit("/");
  shop().checkpoint().restart().from("").at("18:00").hit("/a").asset("/robots.txt");
  expect_figure(ledger, "behaviour\treferrer spam", hits, 3);
  expect_figure(ledger, "behaviour\trobots.txt", hits, 0);
}

void spam_is_a_listed_host_or_below_and_no_host_of_the_shop(void**) {
  const auto spam_hits = [] {
    return static_cast<int64_t>(shop().sum(ledger, "behaviour\treferrer spam", Level::day)[hits]);
  };
  int who = 0;
  for (const char* referrer : {"https://notsemalt.com/", "https://semalt.com.example/", "https://shop.example/semalt.com",
                               "https://www.google.com/", "/semalt.com", "https://paypal.com/?semalt.com"})
    shop().at("10:00").visitor("v" + std::to_string(who++)).from(referrer).hit("/");
  expect_number(spam_hits(), 0);
  // An order or an error with such a referrer is a bot's as well; so is the hit of nobody.
  shop().visitor("order").from("http://semalt.com").order("A-1", "10.00");
  shop().visitor("error").from("http://semalt.com").answer(404, "/x");
  shop().visitor("").from("http://semalt.com").hit("/");
  expect_number(spam_hits(), 3);
  expect_figure(total, "", orders_last, 0);
}

// --- the shop's own search -------------------------------------------------------------------------------------------

void views_are_told_by_what_was_searched(void**) {
  shop().at("10:00").hit("/search", "q=shoes");
  expect_figure(search_term, "shoes", bounces, 1);
  expect_figure(search_term, "shoes", exits, 1);
  shop().at("10:01").hit("/search", "q=Red+Shoes");
  shop().at("10:02").hit("/shoes/red");
  shop().at("10:03").hit("/search", "q=socks");
  expect_figure(search_term, "shoes", pageviews, 1);
  expect_figure(search_term, "shoes", entries, 1);
  expect_figure(search_term, "shoes", exits, 0);
  expect_figure(search_term, "shoes", bounces, 0);
  expect_figure(search_term, "Red Shoes", pageviews, 1);
  expect_figure(search_term, "Red Shoes", exits, 0);
  expect_figure(search_term, "", pageviews, 1);
  expect_figure(search_term, "", exits, 0);
  expect_figure(search_term, "socks", exits, 1);
  expect_in(shop().bucket(search_term, "socks", Level::minute, "10:03"), exits, 1);
}

void a_search_that_is_no_page_is_no_view(void**) {
  shop().at("10:00").answer(404, "/search", "q=shoes");
  expect_figure(search_term, "shoes", pageviews, 0);
}

// --- items -----------------------------------------------------------------------------------------------------------

void an_order_is_told_by_its_items(void**) {
  shop().at("10:00").order("A-1", "134.80", ";items=\"SKU1:2:29.95 SKU2:1:70.00 SKU1:1:1.00\"");
  shop().order("A-2", "29.95", ";items=\"SKU1:1:29.95\"");
  expect_figure(item, "SKU1", orders_last, 2 * kOne);
  expect_figure(item, "SKU1", conversions_first, 2 * kOne);
  expect_figure(item, "SKU1", items_last, 4 * kOne);
  expect_figure(item, "SKU1", revenue_last_non_direct, 90'850'000);
  expect_figure(item, "SKU2", orders_last, kOne);
  expect_figure(item, "SKU2", revenue_last, 70 * kEuro);
  expect_figure(item, "", orders_last, 0);
  expect_figure(item, "", revenue_last, 3'900'000);  // shipping
  expect_figure(item, "", items_last, 0);
}

void an_order_without_items_is_in_the_row_of_none(void**) {
  shop().at("10:00").order("A-1", "10.00").order("A-2", "10.00", ";items=\"off form\"");
  expect_figure(item, "", orders_last, 2 * kOne);
  expect_figure(item, "", revenue_last, 20 * kEuro);
}

void a_discount_is_no_items(void**) {
  shop().at("10:00").order("A-1", "50.00", ";items=\"SKU1:1:60.00\"");
  expect_figure(item, "SKU1", revenue_last, 60 * kEuro);
  expect_figure(item, "", revenue_last, -10 * kEuro);
}

void items_are_in_the_sites_currency(void**) {
  shop().at("10:00").order("A-1", "33.34", ";currency=\"USD\";items=\"SKU1:3:10.01\"");
  expect_figure(item, "SKU1", revenue_last, 27'627'600);  // 30.03 at 0.92
  expect_figure(item, "", revenue_last, 3'045'200);
  shop().order("A-2", "10.00", ";currency=\"CHF\";items=\"SKU1:1:10.00\"");  // no rate
  expect_figure(item, "SKU1", revenue_last, 27'627'600);
  expect_figure(item, "SKU1", items_last, 4 * kOne);
  expect_figure(item, "SKU1", orders_last, 2 * kOne);
}

void absurd_items_bring_no_money(void**) {
  shop().at("10:00").order("A-1", "10.00", ";items=\"SKU1:1000000:999999999 SKU2:1:10\"");
  expect_figure(item, "SKU1", revenue_last, 0);
  expect_figure(item, "SKU1", items_last, 1'000'000 * kOne);
  expect_figure(item, "SKU2", revenue_last, 10 * kEuro);
  expect_figure(revenue_last, 10 * kEuro);
}

void a_repeated_order_adds_nothing_to_its_items(void**) {
  shop().at("10:00").order("A-1", "10.00", ";items=\"SKU1:1:10\"").order("A-1", "10.00", ";items=\"SKU1:1:10\"");
  expect_figure(item, "SKU1", items_last, kOne);
}

void events_are_told_by_their_item(void**) {
  shop().at("10:00").page_with("view_item;item=\"SKU1\", add_to_cart;item=\"SKU1\", scroll", "/cup");
  shop().order("A-1", "10.00", ";items=\"SKU1:1:10\"").event("sign_up;item=\"letter\"");
  expect_figure(item, "SKU1", events, 2);  // the order is none of them
  expect_figure(item, "", events, 2);
  expect_figure(item, "letter", conversions_last, kOne);
  expect_figure(item, "letter", goal_value, 2 * kEuro);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(a_visit_is_where_its_first_hit_was),
      shop_test(an_unknown_country_is_null),
      shop_test(a_visit_has_the_device_that_it_began_with),
      shop_test(the_country_outlives_a_restart),
      shop_test(visitors_are_told_by_country),
      shop_test(an_order_of_nobody_is_where_its_hit_was),
      shop_test(bots_are_told_by_class),
      shop_test(the_ledger_tells_class_and_reason),
      shop_test(why_a_visitor_is_a_bot_outlives_a_restart),
      shop_test(spam_is_a_listed_host_or_below_and_no_host_of_the_shop),
      shop_test(views_are_told_by_what_was_searched),
      shop_test(a_search_that_is_no_page_is_no_view),
      shop_test(an_order_is_told_by_its_items),
      shop_test(an_order_without_items_is_in_the_row_of_none),
      shop_test(a_discount_is_no_items),
      shop_test(items_are_in_the_sites_currency),
      shop_test(absurd_items_bring_no_money),
      shop_test(a_repeated_order_adds_nothing_to_its_items),
      shop_test(events_are_told_by_their_item),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
