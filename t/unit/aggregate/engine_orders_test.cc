// Orders, goals, carts and who gets the credit.
#include "aggregate/shop.h"

namespace footfall {
namespace {

using enum Counter;
using enum Amount;
constexpr auto kChannel = Dimension::channel;
constexpr int64_t kOne = kCreditWhole;
constexpr int64_t kEuro = kMicrosPerUnit;

// --- orders ----------------------------------------------------------------------------------------------------------

void an_order_counts_with_its_value_and_items(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:05").order("A-1", "129.90", ";items=\"SKU1:2:29.95 SKU2:1:70.00\"");
  expect_figure(orders_last, kOne);
  expect_figure(revenue_last, 129'900'000);
  expect_figure(items_last, 3 * kOne);
  expect_figure(conversions_last, kOne);
  expect_figure(visits_converted, 1);
  expect_figure(events, 1);
  expect_figure(Dimension::event, "purchase", events, 1);
  expect_figure(Dimension::event, "purchase", orders_last, kOne);
  expect_figure(Dimension::event, "purchase", revenue_first, 129'900'000);
  expect_figure(Dimension::goal, "", conversions_first, kOne);
  expect_in(shop().bucket(Dimension::total, "", Level::minute, "10:05"), orders_first, kOne);
  expect_in(shop().bucket(Dimension::total, "", Level::minute, "10:00"), visits_converted, 1);
}

void an_order_on_a_page_is_a_view_first(void**) {
  shop().at("10:00").page_with("purchase;id=\"A-1\";value=5", "/thank-you", "utm_source=news&utm_medium=email");
  expect_figure(pageviews, 1);
  expect_figure(bounces, 0);
  expect_figure(kChannel, "email", orders_last, kOne);
  expect_figure(Dimension::entry_page, "/thank-you", visits_converted, 1);
}

void an_order_id_counts_once(void**) {
  shop().at("10:00").order("A-1", "10.00").order("A-1", "10.00");
  shop().visitor("ben").order("A-1", "99.00");
  shop().page_with("purchase;id=\"A-2\";value=1, purchase;id=\"A-2\";value=1", "/thank-you");
  expect_figure(orders_last, 2 * kOne);
  expect_figure(revenue_last, 11 * kEuro);
  expect_figure(duplicate_orders, 3);
  expect_figure(events, 2);  // a repeat is no event
}

void a_repeat_opens_no_visit(void**) {
  shop().at("10:00").order("A-1", "10.00");
  shop().at("12:00").order("A-1", "10.00");
  expect_figure(visits, 1);
  expect_figure(duplicate_orders, 1);
}

void a_repeat_is_known_after_a_checkpoint_a_fold_and_a_restart(void**) {
  shop().at("10:00").order("A-1", "10.00");
  shop().checkpoint().order("A-1", "10.00");
  shop().fold().order("A-1", "10.00");
  shop().settle("10:01").order("A-1", "10.00");
  shop().checkpoint().restart().order("A-1", "10.00");
  shop().settle("12:00").restart().settle("13:00").at("13:00").order("A-1", "10.00");
  expect_figure(orders_last, kOne);
  expect_figure(duplicate_orders, 5);
}

void order_ids_are_a_sites_own(void**) {
  shop().at("10:00").site("shop").order("A-1", "10.00");
  shop().site("blog.example").order("A-1", "20.00");
  expect_figure(Dimension::total, "", revenue_last, 10 * kEuro, 0);
  expect_figure(Dimension::total, "", revenue_last, 20 * kEuro, 1);
  expect_figure(duplicate_orders, 0);
}

void rejected_orders_are_counted_and_nothing_else(void**) {
  shop().at("10:00").order("", "10.00").order("A-1", "-1.00").order("A-2", "\"lots\"");
  shop().event("purchase;value=10.00").event("purchase;id=\"A-3\"");
  shop().order("A-4", "1.00", ";currency=\"EURO\"");
  expect_figure(rejected_orders, 6);
  expect_figure(orders_last, 0);
  expect_figure(events, 0);
  expect_figure(visits, 0);
  shop().order("A-1", "1.00");  // a rejected one does not use up its id
  expect_figure(orders_last, kOne);
}

void an_order_may_be_worth_nothing(void**) {
  shop().at("10:00").order("A-1", "0");
  expect_figure(orders_last, kOne);
  expect_figure(revenue_last, 0);
  expect_figure(rejected_orders, 0);
}

void a_foreign_currency_is_turned_at_its_rate(void**) {
  shop().at("10:00").order("A-1", "10.00", ";currency=\"usd\"");
  expect_figure(orders_last, kOne);
  expect_figure(revenue_last, 9'200'000);
  expect_figure(Dimension::currency, "USD", orders_last, 0);
}

void a_currency_without_a_rate_is_listed_apart(void**) {
  shop().at("10:00").order("A-1", "10.00", ";currency=\"CHF\"").order("A-2", "5.00", ";currency=\"EUR\"");
  expect_figure(orders_last, 2 * kOne);
  expect_figure(revenue_last, 5 * kEuro);
  expect_figure(kChannel, "direct", revenue_last, 5 * kEuro);
  for (Model model : {Model::last, Model::last_non_direct, Model::first}) {
    expect_figure(Dimension::currency, "CHF", credited(orders_last, model), kOne);
    expect_figure(Dimension::currency, "CHF", credited(revenue_last, model), 10 * kEuro);
  }
  expect_figure(Dimension::currency, "EUR", orders_last, 0);
}

void what_is_remembered_of_an_order(void**) {
  shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:05").order("A-1", "10.00", ";currency=\"USD\";items=\"SKU1:2:5\"");
  shop().at("10:06").hit("/", "utm_source=other&utm_medium=email");
  const std::optional<Conversion> stored = shop().stored_order("A-1");
  assert_true(stored.has_value());
  expect_number(stored->time_ms, time_of("10:05"));
  expect_number(stored->value_micros, 10 * kEuro);  // as told
  expect_text(stored->currency.text(), "USD");
  expect_number(stored->items, 2);
  expect_number(stored->touches.size(), 1);
  expect_text(stored->touches[0].source, "news");
  assert_false(shop().stored_order("A-2").has_value());
}

void a_late_order_remembers_no_later_touch(void**) {
  shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:06").hit("/", "utm_source=google&utm_medium=cpc");
  shop().late().at("10:05").order("A-1", "10.00");
  expect_number(shop().stored_order("A-1")->touches.size(), 1);
  expect_figure(kChannel, "email", orders_last, kOne);
  expect_figure(kChannel, "paid_search", orders_last, 0);
}

// --- carts and goals -------------------------------------------------------------------------------------------------

void a_cart_left_is_taken_back_by_an_order(void**) {
  shop().at("10:00").visitor("anna").hit("/").event("add_to_cart");
  shop().at("10:00").visitor("ben").hit("/").event("add_to_cart");
  expect_figure(visits_with_cart, 2);
  expect_figure(visits_cart_left, 2);
  shop().at("10:10").visitor("anna").order("A-1", "10.00");
  expect_figure(visits_with_cart, 2);
  expect_figure(visits_cart_left, 1);
  expect_figure(kChannel, "direct", visits_cart_left, 1);
}

void an_order_of_another_visit_takes_back_no_cart(void**) {
  shop().at("10:00").event("add_to_cart");
  shop().at("12:00").order("A-1", "10.00");
  expect_figure(visits_cart_left, 1);
}

void a_goal_by_event_counts_once_a_visit(void**) {
  shop().at("10:00").event("sign_up").event("sign_up").event("scroll");
  expect_figure(conversions_last, kOne);
  expect_figure(goal_value, 2 * kEuro);
  expect_figure(Dimension::goal, "newsletter", conversions_last, kOne);
  expect_figure(Dimension::goal, "newsletter", goal_value, 2 * kEuro);
  expect_figure(Dimension::event, "sign_up", conversions_last, kOne);
  expect_figure(Dimension::event, "sign_up", events, 2);
  expect_figure(visits_converted, 1);
  expect_figure(revenue_last, 0);
  expect_figure(orders_last, 0);
  shop().restart().at("10:10").event("sign_up");
  expect_figure(conversions_last, kOne);
  shop().at("11:00").event("sign_up");  // the next visit
  expect_figure(conversions_last, 2 * kOne);
  expect_figure(visits_converted, 2);
}

void a_goal_by_path_counts_views_of_it(void**) {
  shop().at("10:00").asset("/welcome.png").answer(404, "/welcome");
  expect_figure(conversions_last, 0);
  shop().hit("/welcome/anna", "x=1").hit("/welcome");
  expect_figure(Dimension::goal, "welcomed", conversions_last, kOne);
  expect_figure(Dimension::goal, "welcomed", goal_value, 500'000);
  expect_figure(Dimension::event, "", conversions_last, kOne);
}

void a_visit_converts_once_however_often(void**) {
  shop().at("10:00").hit("/welcome").event("sign_up").order("A-1", "10.00").order("A-2", "10.00");
  expect_figure(conversions_last, 4 * kOne);
  expect_figure(orders_last, 2 * kOne);
  expect_figure(visits_converted, 1);
  expect_figure(visits, 1);
}

// --- credit ----------------------------------------------------------------------------------------------------------

void credit_of(std::string_view channel, int64_t last, int64_t last_non_direct, int64_t first) {
  expect_figure(kChannel, channel, orders_last, last);
  expect_figure(kChannel, channel, orders_last_non_direct, last_non_direct);
  expect_figure(kChannel, channel, orders_first, first);
  expect_figure(kChannel, channel, revenue_last, last * 10);
  expect_figure(kChannel, channel, revenue_last_non_direct, last_non_direct * 10);
  expect_figure(kChannel, channel, revenue_first, first * 10);
}

void credit_goes_over_all_visits_of_the_visitor(void**) {
  shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("2026-10-03 10:00").hit("/", "utm_source=google&utm_medium=cpc");
  shop().at("2026-10-05 10:00").hit("/").order("A-1", "10.00");
  credit_of("email", 0, 0, kOne);
  credit_of("paid_search", 0, kOne, 0);
  credit_of("direct", kOne, 0, 0);
  expect_figure(orders_first, kOne);
  expect_in(shop().bucket(kChannel, "email", Level::day, "2026-10-05 10:00"), orders_first, kOne);
  shop().settle("2026-10-05 12:00").restart().at("2026-10-06 10:00").order("A-2", "10.00");
  credit_of("email", 0, 0, 2 * kOne);
  credit_of("paid_search", 0, 2 * kOne, 0);
}

void a_touch_inside_the_visit_gets_last_credit(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:05").hit("/a", "utm_source=news&utm_medium=email");
  shop().at("10:06").order("A-1", "10.00");
  credit_of("email", kOne, kOne, 0);
  credit_of("direct", 0, 0, kOne);
  expect_figure(kChannel, "direct", visits_converted, 1);
}

void touches_older_than_the_lookback_get_nothing(void**) {
  shop().at("2026-09-01 10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("2026-09-30 10:00").hit("/").at("2026-10-01 10:00").order("A-1", "10.00");  // 30 days to the ms
  credit_of("email", 0, kOne, kOne);
  shop().at("2026-10-01 10:00:00.001").order("A-2", "10.00");
  credit_of("email", 0, kOne, kOne);
  credit_of("direct", 2 * kOne, kOne, kOne);
}

void an_order_without_a_touch_in_reach_is_direct(void**) {
  shop().config().sites[0].lookback_days = 1;
  shop().config().sites[0].visit_gap_s = 3 * kDayS;
  shop().restart().at("2026-10-01 10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("2026-10-03 10:00").order("A-1", "10.00");
  credit_of("direct", kOne, kOne, kOne);
  expect_figure(Dimension::source, "(direct)", orders_last, kOne);
}

void of_many_touches_the_first_and_the_newest_49_are_kept(void**) {
  shop().at("10:00").hit("/", "utm_source=first&utm_medium=email");
  for (int i = 1; i <= 60; ++i) {
    const std::string arguments = "utm_medium=email&utm_source=s" + std::to_string(i);
    shop().at_ms(time_of("10:00") + i * 10'000).hit("/", arguments);
  }
  shop().at("10:15").order("A-1", "10.00");
  const std::optional<Conversion> stored = shop().stored_order("A-1");
  expect_number(stored->touches.size(), 50);
  expect_text(stored->touches[0].source, "first");
  expect_text(stored->touches[1].source, "s12");
  expect_text(stored->touches[49].source, "s60");
  expect_figure(Dimension::source, "first", orders_first, kOne);
  expect_figure(Dimension::source, "s60", orders_last, kOne);
}

void goals_are_credited_like_orders(void**) {
  shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("12:00").hit("/").event("sign_up");
  expect_figure(kChannel, "email", conversions_first, kOne);
  expect_figure(kChannel, "direct", conversions_last, kOne);
  expect_figure(kChannel, "email", conversions_last_non_direct, kOne);
  expect_figure(kChannel, "direct", visits_converted, 1);
}

void touches_of_another_site_get_nothing(void**) {
  shop().at("10:00").site("blog.example").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:01").site("shop").order("A-1", "10.00");
  expect_figure(kChannel, "direct", orders_first, kOne, 1);
  expect_figure(kChannel, "email", orders_first, 0, 1);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(an_order_counts_with_its_value_and_items),
      shop_test(an_order_on_a_page_is_a_view_first),
      shop_test(an_order_id_counts_once),
      shop_test(a_repeat_opens_no_visit),
      shop_test(a_repeat_is_known_after_a_checkpoint_a_fold_and_a_restart),
      shop_test(order_ids_are_a_sites_own),
      shop_test(rejected_orders_are_counted_and_nothing_else),
      shop_test(an_order_may_be_worth_nothing),
      shop_test(a_foreign_currency_is_turned_at_its_rate),
      shop_test(a_currency_without_a_rate_is_listed_apart),
      shop_test(what_is_remembered_of_an_order),
      shop_test(a_late_order_remembers_no_later_touch),
      shop_test(a_cart_left_is_taken_back_by_an_order),
      shop_test(an_order_of_another_visit_takes_back_no_cart),
      shop_test(a_goal_by_event_counts_once_a_visit),
      shop_test(a_goal_by_path_counts_views_of_it),
      shop_test(a_visit_converts_once_however_often),
      shop_test(credit_goes_over_all_visits_of_the_visitor),
      shop_test(a_touch_inside_the_visit_gets_last_credit),
      shop_test(touches_older_than_the_lookback_get_nothing),
      shop_test(an_order_without_a_touch_in_reach_is_direct),
      shop_test(of_many_touches_the_first_and_the_newest_49_are_kept),
      shop_test(goals_are_credited_like_orders),
      shop_test(touches_of_another_site_get_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
