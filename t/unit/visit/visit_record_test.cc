#include "visit/visit_record.h"

#include "base/limits.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kTen = 1'790'848'800'000;  // 2026-10-01 10:00 UTC
constexpr int64_t kMinute = 60'000;

Visit visit;  // of the running test

int begin_visit(void**) {
  visit = Visit();
  visit.start_ms = visit.last_ms = kTen;
  return 0;
}

void one_page_is_a_bounce(void**) {
  assert_true(visit.view("/", 1, kTen));
  const VisitFigures figures = visit.figures();
  expect_number(figures.visits, 1);
  expect_number(figures.bounces, 1);
  expect_number(figures.duration_ms, 0);
  expect_number(figures.converted, 0);
  expect_text(visit.entry_page, "/");
  expect_text(visit.exit_page, "/");
}

void a_second_page_or_an_event_is_none(void**) {
  visit.view("/", 1, kTen);
  Visit other = visit;
  visit.view("/a", 2, kTen + 1);
  expect_number(visit.figures().bounces, 0);
  other.count_event(kTen + 1, "scroll", "");
  expect_number(other.figures().bounces, 0);
}

void events_alone_are_no_bounce_and_have_no_page(void**) {
  visit.count_event(kTen, "scroll", "");
  expect_number(visit.figures().bounces, 0);
  assert_false(visit.has_page());
  expect_text(visit.entry_page, "");
}

void a_reload_is_a_view_but_no_new_page(void**) {
  assert_true(visit.view("/a", 1, kTen));
  assert_false(visit.view("/a", 1, kTen + 1));
  assert_true(visit.view("/b", 2, kTen + 2));
  assert_false(visit.view("/a", 1, kTen + 3));
  expect_number(visit.pageviews, 4);
  expect_number(visit.pages.size(), 2);
}

void a_late_view_is_neither_exit_nor_end(void**) {
  visit.view("/a", 1, kTen);
  visit.view("/b", 2, kTen + 5000);
  visit.view("/late", 3, kTen + 1000);
  expect_text(visit.exit_page, "/b");
  expect_number(visit.exit_ms, kTen + 5000);
  expect_number(visit.last_ms, kTen + 5000);
  visit.count_event(kTen + 2000, "scroll", "");
  expect_number(visit.figures().duration_ms, 5000);
}

void terms_go_with_their_pages(void**) {
  visit.view("/search", 1, kTen, "shoes");
  expect_text(visit.entry_term, "shoes");
  expect_text(visit.exit_term, "shoes");
  visit.view("/shoes", 2, kTen + 5000);
  expect_text(visit.entry_term, "shoes");
  expect_text(visit.exit_term, "");
  visit.view("/search", 1, kTen + 1000, "late");
  expect_text(visit.exit_term, "");
}

void duration_goes_to_the_last_page_or_event(void**) {
  visit.view("/", 1, kTen);
  visit.count_event(kTen + 90'000, "scroll", "");
  expect_number(visit.figures().duration_ms, 90'000);
  expect_number(visit.exit_ms, kTen);
}

void minutes_hold_what_came_in_them(void**) {
  visit.view("/", 1, kTen);
  visit.count_event(kTen + kMinute - 1, "scroll", "");
  visit.view("/a", 2, kTen + kMinute);
  expect_number(visit.minutes.size(), 2);
  expect_number(visit.minutes[0].minute_start_s, kTen / 1000);
  expect_number(visit.minutes[0].pageviews, 1);
  expect_number(visit.minutes[0].events, 1);
  expect_number(visit.minutes[1].minute_start_s, kTen / 1000 + 60);
  expect_number(visit.minutes[1].pageviews, 1);
}

void minutes_before_1970_begin_at_full_minutes_too(void**) {
  expect_number(minute_start_s(-1), -60);
  expect_number(minute_start_s(-60'000), -60);
  expect_number(minute_start_s(-60'001), -120);
  expect_number(minute_start_s(59'999), 0);
}

void a_goal_counts_once_and_converts(void**) {
  assert_true(visit.reach("newsletter"));
  assert_false(visit.reach("newsletter"));
  assert_true(visit.reach("welcomed"));
  expect_number(visit.figures().converted, 1);
}

void an_order_converts_and_takes_back_the_cart_left(void**) {
  visit.has_cart = true;
  expect_number(visit.figures().cart_left, 1);
  expect_number(visit.figures().converted, 0);
  visit.orders = 2;
  expect_number(visit.figures().cart_left, 0);
  expect_number(visit.figures().with_cart, 1);
  expect_number(visit.figures().converted, 1);
}

void figures_differ_by_what_came_between(void**) {
  visit.view("/", 1, kTen);
  const VisitFigures before = visit.figures();
  visit.view("/a", 2, kTen + 1500);
  const VisitFigures change = visit.figures() - before;
  expect_number(change.visits, 0);
  expect_number(change.bounces, -1);
  expect_number(change.duration_ms, 1500);
}

void pages_told_apart_are_bounded(void**) {
  for (uint64_t page = 0; page < kVisitPagesMax; ++page) assert_true(visit.view("/p", page + 1, kTen));
  assert_false(visit.view("/one-more", kVisitPagesMax + 1, kTen));
  assert_false(visit.view("/p", kVisitPagesMax, kTen));  // the last one that is known
  expect_number(visit.pages.size(), kVisitPagesMax);
  expect_number(visit.pageviews, kVisitPagesMax + 2);
}

void fill() {
  visit.first_touch.channel = "email";
  visit.first_touch.source = "news";
  visit.later_touch.need().channel = "own-channel";
  visit.later_touch.need().campaign = "spring";
  visit.distinct_visitor = ~0ull - 5;
  visit.country = "DE";
  visit.device = Device::tablet;
  visit.browser = Browser::silk;
  visit.system = System::android;
  visit.new_returning = NewReturning::returning;
  visit.view("/", 1, kTen, "shoes");
  visit.view("/thank-you", 2, kTen + 3 * kMinute, "red shoes");
  visit.count_event(kTen + 4 * kMinute, "scroll", "");
  visit.orders = 1;
  visit.has_cart = true;
  visit.reach("newsletter");
}

void what_is_stored_comes_back(void**) {
  fill();
  static Visit back;
  static std::string bytes;
  bytes = encode_visit(visit);
  assert_true(decode_visit(bytes, back));
  assert_true(back.first_touch == visit.first_touch);
  assert_true(back.last_touch() == visit.last_touch());
  assert_true(back.figures() == visit.figures());
  expect_text(back.entry_page, "/");
  expect_text(back.exit_page, "/thank-you");
  expect_text(back.entry_term, "shoes");
  expect_text(back.exit_term, "red shoes");
  expect_text(back.country, "DE");
  assert_true(back.device == Device::tablet);
  assert_true(back.browser == Browser::silk && back.system == System::android);
  assert_true(back.new_returning == NewReturning::returning);
  expect_number(back.minutes.at(0).page_time_ms, visit.minutes.at(0).page_time_ms);
  expect_number(back.entry_ms, kTen);
  expect_number(back.exit_ms, kTen + 3 * kMinute);
  assert_true(back.distinct_visitor == visit.distinct_visitor);
  assert_false(back.view("/", 1, kTen + 5 * kMinute));
  assert_false(back.reach("newsletter"));
  assert_true(decode_visit(bytes, back));
  expect_text(encode_visit(back), bytes);
}

// Version 3 knew neither browser nor system, nor how long pages were looked at, nor any steps.
void a_visit_of_the_version_before_is_read(void**) {
  fill();
  visit.import = 7;
  visit.browser = Browser::firefox;
  static Visit back;
  static std::string bytes;
  bytes = encode_visit(visit);
  bytes.resize(bytes.size() - 3 - visit.minutes.size() * 12 - 4 - visit.steps.size());
  assert_false(decode_visit(bytes, back));
  bytes[0] = 3;
  assert_true(decode_visit(bytes, back));
  assert_true(back.figures() == visit.figures());
  expect_text(back.country, visit.country);
  expect_number(back.import, 7);
  assert_true(back.browser == Browser::other && back.new_returning == NewReturning::unknown);
}

// The time on a page is that until the next one, in the minute of the page that was left.
void a_page_that_another_follows_was_looked_at(void**) {
  visit.view("/", 1, kTen);
  visit.count_event(kTen + 2 * kMinute, "scroll", "");
  visit.view("/cup", 2, kTen + 3 * kMinute);
  visit.view("/late", 3, kTen + kMinute);
  visit.view("/cart", 4, kTen + 3 * kMinute + 1'500);
  expect_number(visit.minutes.at(0).pages_left, 1);
  expect_number(visit.minutes.at(0).page_time_ms, 3 * kMinute);
  expect_number(visit.minutes.at(1).pages_left, 0);
  expect_number(visit.minutes.at(2).pages_left, 1);
  expect_number(visit.minutes.at(2).page_time_ms, 1'500);
}

void what_it_does_is_kept_step_by_step(void**) {
  visit.start_ms = kTen + 900;
  visit.view("/", 1, kTen + 900, "shoes");
  visit.view("/cup", 2, kTen + 2'100);
  visit.count_event(kTen + 2'200, "add_to_cart", "SKU1");
  visit.view("/cup", 2, kTen + 9'000);
  visit.view("/late", 3, kTen - 100);
  static KeptSteps steps;
  assert_true(decode_steps(visit.steps, steps));
  assert_true(steps.views == (std::vector<KeptView>{{0, "/", "shoes", kViewFirstOfPage, 900},
                                                    {2, "/cup", "", kViewFirstOfPage, 100},
                                                    {9, "/cup", "", 0},
                                                    {-1, "/late", "", kViewFirstOfPage | kViewLate, 900}}));
  assert_true(steps.events == (std::vector<KeptEvent>{{2, "add_to_cart", "SKU1", 2}}));
  visit.let_go_of_steps();
  assert_true(decode_steps(visit.steps, steps));
  assert_true(steps.views == (std::vector<KeptView>{{0, "/", "shoes", kViewUncounted, 900}, {9, "/cup", "", kViewUncounted}}));
  assert_true(steps.events.empty());
}

void bytes_that_are_no_visit_are_refused(void**) {
  fill();
  static std::string bytes, bad;
  static Visit back;
  bytes = encode_visit(visit);
  for (size_t length = 0; length < bytes.size(); ++length) assert_false(decode_visit({bytes.data(), length}, back));
  bad = bytes + "x";
  assert_false(decode_visit(bad, back));
  bad = bytes;
  bad[0] = 5;
  assert_false(decode_visit(bad, back));
  static Random random(7);
  for (int round = 0; round < 5000; ++round) {
    bad = bytes;
    random.mutate(bad);
    if (decode_visit(bad, back)) expect_text(encode_visit(back).substr(0, 1), bytes.substr(0, 1));
    if (bad.empty()) continue;
    bad[0] = 3;
    if (decode_visit(bad, back)) assert_true(back.browser == Browser::other);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(one_page_is_a_bounce, begin_visit),
      cmocka_unit_test_setup(a_second_page_or_an_event_is_none, begin_visit),
      cmocka_unit_test_setup(events_alone_are_no_bounce_and_have_no_page, begin_visit),
      cmocka_unit_test_setup(a_reload_is_a_view_but_no_new_page, begin_visit),
      cmocka_unit_test_setup(a_late_view_is_neither_exit_nor_end, begin_visit),
      cmocka_unit_test_setup(terms_go_with_their_pages, begin_visit),
      cmocka_unit_test_setup(duration_goes_to_the_last_page_or_event, begin_visit),
      cmocka_unit_test_setup(minutes_hold_what_came_in_them, begin_visit),
      cmocka_unit_test(minutes_before_1970_begin_at_full_minutes_too),
      cmocka_unit_test_setup(a_goal_counts_once_and_converts, begin_visit),
      cmocka_unit_test_setup(an_order_converts_and_takes_back_the_cart_left, begin_visit),
      cmocka_unit_test_setup(figures_differ_by_what_came_between, begin_visit),
      cmocka_unit_test_setup(pages_told_apart_are_bounded, begin_visit),
      cmocka_unit_test_setup(what_is_stored_comes_back, begin_visit),
      cmocka_unit_test_setup(a_visit_of_the_version_before_is_read, begin_visit),
      cmocka_unit_test_setup(what_it_does_is_kept_step_by_step, begin_visit),
      cmocka_unit_test_setup(a_page_that_another_follows_was_looked_at, begin_visit),
      cmocka_unit_test_setup(bytes_that_are_no_visit_are_refused, begin_visit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
