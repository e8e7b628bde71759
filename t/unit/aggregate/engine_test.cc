// Visits, bots and touches; orders and goals are in engine_orders_test.cc, sums in engine_sums_test.cc.
#include "aggregate/engine.h"

#include "aggregate/shop.h"

namespace footfall {
namespace {

using enum Counter;
constexpr auto kChannel = Dimension::channel;
constexpr auto kPage = Dimension::page;
constexpr auto kEntry = Dimension::entry_page;
constexpr auto kExit = Dimension::exit_page;

// --- where a visit begins and ends -----------------------------------------------------------------------------------

void half_an_hour_of_rest_goes_on(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:30").hit("/a");
  shop().at("11:00").hit("/b");
  expect_figure(visits, 1);
  expect_figure(pageviews, 3);
  expect_figure(duration_ms, 3'600'000);
}

void one_ms_more_begins_another(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:30:00.001").hit("/a");
  expect_figure(visits, 2);
  expect_figure(bounces, 2);
  expect_figure(kEntry, "/a", visits, 1);
  expect_figure(kExit, "/", visits, 1);
}

void the_gap_is_the_sites_own(void**) {
  shop().config().sites[0].visit_gap_s = 60;
  shop().restart();
  shop().at("10:00").hit("/");
  shop().at("10:01").hit("/a");
  shop().at("10:02:00.001").hit("/b");
  expect_figure(visits, 2);
}

void midnight_splits_no_visit(void**) {
  shop().at("21:50").hit("/").at("22:10").hit("/a");  // midnight in Berlin
  shop().at("23:50").visitor("ben").hit("/").at("2026-10-02 00:10").hit("/a");
  expect_figure(visits, 2);
  expect_in(shop().bucket(Dimension::total, "", Level::day, "21:50"), visits, 1);
  expect_in(shop().bucket(Dimension::total, "", Level::day, "22:10"), visits, 1);  // ben's
  expect_in(shop().bucket(Dimension::total, "", Level::day, "22:10"), pageviews, 3);
  expect_in(shop().bucket(Dimension::total, "", Level::day, "21:50"), duration_ms, 1'200'000);
}

void only_pages_and_events_open_a_visit(void**) {
  shop().at("10:00").asset("/style.css").answer(404, "/gone").answer(302, "/old").answer(500, "/broken");
  RawHit head = shop().request("/", {});
  head.method = Method::head;
  shop().count(head);
  RawHit prefetch = shop().request("/", {});
  prefetch.content = ContentKind::html;
  prefetch.prefetch = true;
  shop().count(prefetch);
  RawHit post = shop().request("/form", {});
  post.method = Method::post;
  post.content = ContentKind::html;
  shop().count(post);
  expect_figure(hits, 7);
  expect_figure(errors_4xx, 1);
  expect_figure(errors_5xx, 1);
  expect_figure(visits, 0);
  expect_figure(pageviews, 0);
  expect_figure(kChannel, "direct", visits, 0);
}

void only_pages_and_events_extend_a_visit(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:20").asset("/style.css").answer(404, "/gone").answer(302, "/old");
  shop().at("10:40").hit("/a");
  expect_figure(visits, 2);
  shop().at("11:00").event("sign_up");
  shop().at("11:20").hit("/b");
  expect_figure(visits, 2);
  expect_figure(duration_ms, 2'400'000);
}

void a_page_that_was_not_modified_is_a_view(void**) {
  RawHit raw = shop().at("10:00").request("/news", {});
  raw.status = 304;
  shop().count(raw);
  expect_figure(pageviews, 1);
}

void every_hit_counts_by_page_and_status(void**) {
  shop().at("10:00").hit("/").asset("/logo.png").answer(404, "/gone").answer(503, "/");
  expect_figure(hits, 4);
  expect_figure(bytes, 4000);
  expect_figure(kPage, "/", hits, 2);
  expect_figure(kPage, "/", errors_5xx, 1);
  expect_figure(kPage, "/gone", errors_4xx, 1);
  expect_figure(Dimension::status_class, "2xx", hits, 2);
  expect_figure(Dimension::status_class, "5xx", bytes, 1000);
}

// --- bounces, entries, exits, durations ------------------------------------------------------------------------------

void a_bounce_is_taken_back_by_a_second_page(void**) {
  shop().at("10:00").hit("/");
  expect_figure(bounces, 1);
  expect_figure(kPage, "/", bounces, 1);
  expect_figure(kEntry, "/", bounces, 1);
  shop().at("10:05").hit("/a");
  expect_figure(bounces, 0);
  expect_figure(kPage, "/", bounces, 0);
  expect_figure(kChannel, "direct", bounces, 0);
}

void a_bounce_is_taken_back_by_an_event(void**) {
  shop().at("10:00").hit("/").checkpoint().fold();
  shop().at("10:05").event("scroll");
  expect_figure(bounces, 0);
  expect_figure(kPage, "/", bounces, 0);
  expect_figure(kExit, "/", bounces, 0);
}

void a_reload_is_no_bounce(void**) {
  shop().at("10:00").hit("/").hit("/");
  expect_figure(bounces, 0);
  expect_figure(pageviews, 2);
  expect_figure(kPage, "/", visits, 1);
}

void an_exit_moves_to_the_bucket_of_the_new_one(void**) {
  shop().at("10:00").hit("/a");
  expect_in(shop().bucket(kPage, "/a", Level::minute, "10:00"), exits, 1);
  shop().at("10:05").hit("/b");
  expect_in(shop().bucket(kPage, "/a", Level::minute, "10:00"), exits, 0);
  expect_in(shop().bucket(kPage, "/b", Level::minute, "10:05"), exits, 1);
  expect_in(shop().bucket(Dimension::total, "", Level::minute, "10:00"), exits, 0);
  expect_in(shop().bucket(Dimension::total, "", Level::minute, "10:05"), exits, 1);
  expect_in(shop().bucket(kEntry, "/a", Level::minute, "10:05"), exits, 1);
  expect_in(shop().bucket(kPage, "/a", Level::minute, "10:00"), entries, 1);
  expect_in(shop().bucket(kExit, "/b", Level::minute, "10:00"), entries, 1);
  shop().at("11:05").hit("/b");  // and again, an hour later: another visit
  expect_figure(exits, 2);
  expect_figure(kPage, "/b", exits, 2);
  expect_in(shop().bucket(kPage, "/b", Level::hour, "10:05"), exits, 1);
}

void exit_rate_is_exits_by_views(void**) {
  shop().at("10:00").visitor("anna").hit("/a").hit("/b").hit("/a");
  shop().at("10:00").visitor("ben").hit("/a");
  shop().at("10:00").visitor("carl").hit("/a").hit("/b");
  expect_figure(kPage, "/a", pageviews, 4);
  expect_figure(kPage, "/a", exits, 2);
  expect_figure(kPage, "/b", pageviews, 2);
  expect_figure(kPage, "/b", exits, 1);
}

void visits_by_page_are_those_that_viewed_it(void**) {
  shop().at("10:00").visitor("anna").hit("/a").hit("/b").at("10:10").hit("/a");
  shop().at("10:00").visitor("ben").hit("/b");
  expect_figure(kPage, "/a", visits, 1);
  expect_figure(kPage, "/b", visits, 2);
  expect_in(shop().bucket(kPage, "/a", Level::minute, "10:00"), visits, 1);
  expect_in(shop().bucket(kPage, "/a", Level::minute, "10:10"), visits, 0);
}

void duration_goes_from_the_first_to_the_last(void**) {
  shop().at("10:00").hit("/").at("10:01").hit("/a").at("10:02:30").event("scroll");
  expect_figure(duration_ms, 150'000);
  expect_figure(kEntry, "/", duration_ms, 150'000);
  expect_in(shop().bucket(Dimension::total, "", Level::minute, "10:00"), duration_ms, 150'000);
}

void a_visit_of_events_alone_has_no_page_and_is_no_bounce(void**) {
  shop().at("10:00").event("scroll");
  shop().at("10:01").event("scroll");
  expect_figure(visits, 1);
  expect_figure(bounces, 0);
  expect_figure(entries, 0);
  expect_figure(exits, 0);
  expect_figure(kEntry, "", visits, 1);
  expect_figure(kExit, "", events, 2);
  shop().settle("12:00");
  expect_figure(kEntry, "", visits, 1);
  expect_figure(kEntry, "", events, 2);
  expect_figure(kExit, "", visits, 1);
}

void a_page_after_an_event_is_the_entry_page(void**) {
  shop().at("10:00").event("scroll");
  shop().at("10:02").hit("/a").at("10:03").hit("/b");
  expect_figure(visits, 1);
  expect_figure(bounces, 0);
  expect_figure(kEntry, "", visits, 0);
  expect_figure(kEntry, "/a", visits, 1);
  expect_figure(kEntry, "/a", events, 1);
  expect_figure(kEntry, "/a", pageviews, 2);
  expect_in(shop().bucket(kEntry, "/a", Level::minute, "10:00"), visits, 1);
  expect_in(shop().bucket(kEntry, "/a", Level::minute, "10:02"), entries, 1);
  expect_in(shop().bucket(kPage, "/a", Level::minute, "10:02"), entries, 1);
}

void closing_changes_no_figure(void**) {
  shop().at("10:00").visitor("anna").hit("/a").at("10:10").hit("/b");
  shop().at("10:00").visitor("ben").event("scroll");
  static Figures open;
  open = shop().figures();
  shop().settle("10:30:00.000");
  expect_number(shop().open_visits(), 2);  // exactly the gap: one may go on, and so may the other
  shop().settle("10:40:00.001");
  expect_number(shop().open_visits(), 0);
  for (const auto& [name, counters] : shop().figures()) {
    assert_true(open.contains(name));
    assert_true(open[name].has_sums_of(counters));
  }
  expect_number(shop().figures().size(), open.size());
  shop().restart().at("10:41").visitor("anna").hit("/c");
  expect_figure(visits, 3);
}

void visitors_are_those_whose_visits_begin_in_a_bucket(void**) {
  shop().at("10:00").visitor("anna").hit("/").visitor("ben").hit("/").visitor("anna").hit("/a");
  shop().at("12:00").visitor("anna").hit("/");
  expect_number(shop().bucket(Dimension::total, "", Level::day, "10:00").visitors.estimate(), 2);
  expect_number(shop().bucket(Dimension::total, "", Level::hour, "12:00").visitors.estimate(), 1);
  expect_number(shop().bucket(kChannel, "direct", Level::month, "12:00").visitors.estimate(), 2);
  expect_figure(visits, 3);
}

void one_key_at_two_sites_is_two_visitors(void**) {
  shop().at("10:00").site("shop").hit("/");
  shop().at("10:01").site("blog.example").hit("/");
  expect_figure(Dimension::total, "", visits, 1, 0);
  expect_figure(Dimension::total, "", visits, 1, 1);
  expect_figure(Dimension::total, "", bounces, 1, 0);
  expect_number(shop().open_visits(), 2);
}

// --- who is none of the shop's visitors ------------------------------------------------------------------------------

void bots_open_no_visit(void**) {
  shop().at("10:00").agent(kGooglebot).hit("/").event("scroll").order("A-1", "10.00");
  shop().agent("").hit("/");
  RawHit flagged = shop().agent(kFirefox).request("/", {});
  flagged.content = ContentKind::html;
  flagged.own_bot = true;
  shop().count(flagged);
  expect_figure(hits, 5);
  expect_figure(bot_hits, 5);
  expect_figure(kPage, "/", bot_hits, 3);
  expect_figure(visits, 0);
  expect_figure(events, 0);
  expect_figure(orders_last, 0);
  shop().hit("/");  // the same key by a browser, unflagged
  expect_figure(visits, 1);
}

void who_fetches_robots_txt_is_a_bot_from_then_on(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:01").asset("/robots.txt");
  shop().at("10:02").hit("/a");
  expect_figure(visits, 1);
  expect_figure(pageviews, 1);
  expect_figure(bot_hits, 2);
  shop().settle("12:00").restart().at("12:30").hit("/");
  expect_figure(bot_hits, 3);
  shop().visitor("ben").asset("/my/robots.txt").hit("/");
  expect_figure(visits, 2);
}

void more_than_300_views_at_over_one_a_second_are_a_bots(void**) {
  for (int i = 0; i < 300; ++i) shop().at_ms(time_of("10:00") + i * 900).hit("/p");
  expect_figure(bot_hits, 0);
  shop().at("10:04:31").asset("/style.css").event("scroll");  // is no view
  expect_figure(bot_hits, 0);
  shop().at("10:04:59.999").hit("/p");
  expect_figure(bot_hits, 1);
  expect_figure(pageviews, 300);
  shop().at("10:20").hit("/p");
  expect_figure(bot_hits, 2);
}

void one_view_a_second_is_a_persons(void**) {
  for (int i = 0; i < 400; ++i) shop().at_ms(time_of("10:00") + i * 1000).hit("/p");
  expect_figure(bot_hits, 0);
  expect_figure(pageviews, 400);
}

void who_has_no_key_has_no_visit(void**) {
  shop().visitor("").at("10:00");
  for (int i = 0; i < 302; ++i) shop().hit("/");
  shop().asset("/robots.txt").order("A-1", "10.00").order("A-1", "10.00");
  expect_figure(hits, 305);
  expect_figure(bot_hits, 0);
  expect_figure(visits, 0);
  expect_figure(orders_last, 1'000'000);
  expect_figure(duplicate_orders, 1);
}

void excluded_hits_are_counted_as_such_alone(void**) {
  RawHit raw = shop().at("10:00").request("/", {});
  raw.content = ContentKind::html;
  shop().count(raw, kHitExcluded);
  expect_figure(excluded_hits, 1);
  expect_figure(hits, 0);
  expect_figure(visits, 0);
  expect_figure(kPage, "/", hits, 0);
}

void a_malformed_event_header_is_counted_and_its_page_too(void**) {
  shop().at("10:00").page_with("sign_up, ???", "/");
  expect_figure(malformed_events, 1);
  expect_figure(events, 0);
  expect_figure(pageviews, 1);
}

// --- touches ---------------------------------------------------------------------------------------------------------

void figures_go_by_the_first_touch(void**) {
  shop().at("10:00").from("https://www.google.com/").hit("/", "utm_source=google&utm_medium=cpc&utm_campaign=spring");
  shop().at("10:05").hit("/a").event("scroll");
  expect_figure(kChannel, "paid_search", visits, 1);
  expect_figure(kChannel, "paid_search", pageviews, 2);
  expect_figure(kChannel, "paid_search", events, 1);
  expect_figure(kChannel, "paid_search", duration_ms, 300'000);
  expect_figure(Dimension::source, "google", visits, 1);
  expect_figure(Dimension::medium, "cpc", exits, 1);
  expect_figure(Dimension::campaign, "spring", entries, 1);
  expect_figure(Dimension::referrer_host, "google.com", visits, 1);
}

void what_a_touch_lacks_is_null(void**) {
  shop().at("10:00").hit("/");
  expect_figure(kChannel, "direct", visits, 1);
  expect_figure(Dimension::source, "(direct)", visits, 1);
  expect_figure(Dimension::medium, "", visits, 1);
  expect_figure(Dimension::campaign, "", visits, 1);
  expect_figure(Dimension::referrer_host, "", visits, 1);
}

void a_further_touch_splits_no_visit(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:05").hit("/a", "utm_source=news&utm_medium=email");
  shop().at("10:06").from("https://t.co/x").hit("/b");
  expect_figure(visits, 1);
  expect_figure(kChannel, "direct", pageviews, 3);
  expect_figure(kChannel, "email", visits, 0);
}

void errors_and_redirects_make_no_touch(void**) {
  shop().at("10:00").hit("/");
  shop().at("10:01").answer(302, "/out", "utm_source=news&utm_medium=email", "scroll");
  shop().at("10:02").answer(404, "/gone", "utm_source=news&utm_medium=email", "scroll");
  shop().at("10:03").order("A-1", "10.00");
  expect_figure(events, 3);
  expect_figure(kChannel, "direct", orders_last, 1'000'000);
  expect_figure(kChannel, "email", orders_last, 0);
}

void a_payment_host_makes_no_touch(void**) {
  shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:05").from("https://www.paypal.com/checkout").page_with("purchase;id=\"A-1\";value=5", "/thank-you");
  expect_figure(kChannel, "email", orders_last, 1'000'000);
}

// --- lateness --------------------------------------------------------------------------------------------------------

void a_late_hit_is_added_to_the_open_visit(void**) {
  shop().at("10:00").hit("/a").at("10:10").hit("/b");
  shop().late().at("10:05").hit("/late");
  expect_figure(late_hits, 1);
  expect_figure(visits, 1);
  expect_figure(pageviews, 3);
  expect_figure(kPage, "/late", pageviews, 1);
  expect_figure(kPage, "/late", exits, 0);
  expect_figure(kPage, "/b", exits, 1);
  expect_figure(exits, 1);
  expect_figure(duration_ms, 600'000);
}

void a_late_hit_without_an_open_visit_has_its_own(void**) {
  shop().at("10:00").visitor("anna").hit("/");
  shop().late().at("09:00").visitor("ben").hit("/late");
  shop().late(false).at("10:01").hit("/now");
  expect_figure(late_hits, 1);
  expect_figure(visits, 3);
  expect_in(shop().bucket(Dimension::total, "", Level::hour, "09:00"), visits, 1);
}

void a_late_hit_before_the_visit_leaves_its_start(void**) {
  shop().at("10:00").hit("/a");
  shop().late().at("09:59").hit("/late");
  expect_figure(visits, 1);
  expect_figure(duration_ms, 0);
  expect_figure(bounces, 0);
  expect_figure(kEntry, "/a", pageviews, 2);
  expect_figure(kPage, "/a", exits, 1);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(half_an_hour_of_rest_goes_on),
      shop_test(one_ms_more_begins_another),
      shop_test(the_gap_is_the_sites_own),
      shop_test(midnight_splits_no_visit),
      shop_test(only_pages_and_events_open_a_visit),
      shop_test(only_pages_and_events_extend_a_visit),
      shop_test(a_page_that_was_not_modified_is_a_view),
      shop_test(every_hit_counts_by_page_and_status),
      shop_test(a_bounce_is_taken_back_by_a_second_page),
      shop_test(a_bounce_is_taken_back_by_an_event),
      shop_test(a_reload_is_no_bounce),
      shop_test(an_exit_moves_to_the_bucket_of_the_new_one),
      shop_test(exit_rate_is_exits_by_views),
      shop_test(visits_by_page_are_those_that_viewed_it),
      shop_test(duration_goes_from_the_first_to_the_last),
      shop_test(a_visit_of_events_alone_has_no_page_and_is_no_bounce),
      shop_test(a_page_after_an_event_is_the_entry_page),
      shop_test(closing_changes_no_figure),
      shop_test(visitors_are_those_whose_visits_begin_in_a_bucket),
      shop_test(one_key_at_two_sites_is_two_visitors),
      shop_test(bots_open_no_visit),
      shop_test(who_fetches_robots_txt_is_a_bot_from_then_on),
      shop_test(more_than_300_views_at_over_one_a_second_are_a_bots),
      shop_test(one_view_a_second_is_a_persons),
      shop_test(who_has_no_key_has_no_visit),
      shop_test(excluded_hits_are_counted_as_such_alone),
      shop_test(a_malformed_event_header_is_counted_and_its_page_too),
      shop_test(figures_go_by_the_first_touch),
      shop_test(what_a_touch_lacks_is_null),
      shop_test(a_further_touch_splits_no_visit),
      shop_test(errors_and_redirects_make_no_touch),
      shop_test(a_payment_host_makes_no_touch),
      shop_test(a_late_hit_is_added_to_the_open_visit),
      shop_test(a_late_hit_without_an_open_visit_has_its_own),
      shop_test(a_late_hit_before_the_visit_leaves_its_start),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
