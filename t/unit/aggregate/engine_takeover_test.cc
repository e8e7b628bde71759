// A visit whose visitor gets another key on the way: consent in the midst of it, and the change of salts.
#include "shop.h"

namespace footfall {
namespace {

constexpr Hash128 kMonday{0, 11}, kTuesday{0, 22}, kAnna{0, 33};

struct Keys {
  Hash128 id, anonymous, previous;
};

// A page by somebody with these keys.
void view(std::string_view time, std::string_view path, const Keys& keys, std::string_view source = {}) {
  Hit hit;
  hit.time_ms = time_of(time);
  hit.status = 200;
  hit.content = ContentKind::html;
  hit.path = path;
  hit.agent = kFirefox;
  hit.source = source;
  hit.id_key = keys.id;
  hit.anonymous_key = keys.anonymous;
  hit.previous_anonymous_key = keys.previous;
  shop().at(time).count(hit, "shop", false);
}

void order(std::string_view time, std::string_view id, const Keys& keys) {
  static std::vector<Event> events;
  events.assign(1, {});
  events[0].name = "purchase";
  events[0].id = id;
  events[0].has_value = true;
  events[0].value_micros = 10'000'000;
  Hit hit;
  hit.time_ms = time_of(time);
  hit.status = 200;
  hit.method = Method::post;
  hit.content = ContentKind::other;
  hit.path = "/order";
  hit.agent = kFirefox;
  hit.id_key = keys.id;
  hit.anonymous_key = keys.anonymous;
  hit.previous_anonymous_key = keys.previous;
  hit.events = events;
  shop().at(time).count(hit, "shop", false);
}

void expect_one_visit() {
  expect_figure(Counter::visits, 1);
  expect_figure(Counter::pageviews, 2);
  expect_figure(Counter::entries, 1);
  expect_figure(Counter::exits, 1);
  expect_figure(Counter::bounces, 0);
  expect_number(shop().sum(Dimension::total, "", Level::hour).visitors.estimate(), 1);
  expect_number(shop().open_visits(), 1);
}

void consent_in_the_midst_of_a_visit_goes_on_with_it(void**) {
  view("10:00", "/", {{}, kMonday, {}});
  view("10:10", "/cup", {kAnna, kMonday, {}});
  expect_one_visit();
}

void a_visit_over_the_change_of_salts_is_one(void**) {
  view("10:00", "/", {{}, kMonday, {}});
  view("10:10", "/cup", {{}, kTuesday, kMonday});
  expect_one_visit();
}

void both_at_once_are_one_too(void**) {
  view("10:00", "/", {{}, kMonday, {}});
  view("10:10", "/cup", {kAnna, kTuesday, kMonday});
  expect_one_visit();
}

void it_outlives_a_restart(void**) {
  view("10:00", "/", {{}, kMonday, {}});
  shop().checkpoint().restart();
  view("10:10", "/cup", {kAnna, kMonday, {}});
  shop().checkpoint().restart();
  expect_one_visit();
}

void after_the_gap_a_visit_is_another(void**) {
  view("10:00", "/", {{}, kMonday, {}});
  view("10:31", "/cup", {kAnna, kMonday, {}});
  expect_figure(Counter::visits, 2);
}

void who_has_a_visit_of_his_own_keeps_it(void**) {
  view("10:00", "/", {kAnna, kMonday, {}});
  view("10:05", "/", {{}, kMonday, {}});  // somebody else behind the same address
  view("10:10", "/cup", {kAnna, kMonday, {}});
  expect_figure(Counter::visits, 2);
  expect_number(shop().open_visits(), 2);
}

void an_order_is_credited_to_the_touches_that_went_along(void**) {
  view("10:00", "/", {{}, kMonday, {}}, "newsletter");
  order("10:10", "A-1", {kAnna, kMonday, {}});
  expect_figure(Dimension::source, "newsletter", Counter::orders_last, kCreditWhole);
  order("11:30", "A-2", {kAnna, {}, {}});  // a visit later: they are Anna's now
  expect_figure(Dimension::source, "newsletter", Counter::orders_first, 2 * kCreditWhole);
}

void after_a_consent_the_anonymous_key_has_them_no_more(void**) {
  view("10:00", "/", {{}, kMonday, {}}, "newsletter");
  view("10:05", "/cup", {kAnna, kMonday, {}});
  order("11:30", "A-3", {{}, kMonday, {}});
  expect_figure(Dimension::source, "newsletter", Counter::orders_first, 0);
}

void a_robot_stays_one_under_its_new_key(void**) {
  view("10:00", "/", {{}, kMonday, {}});
  view("10:01", "/robots.txt", {{}, kMonday, {}});
  view("10:10", "/cup", {{}, kTuesday, kMonday});
  expect_figure(Counter::bot_hits, 2);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(consent_in_the_midst_of_a_visit_goes_on_with_it),
      shop_test(a_visit_over_the_change_of_salts_is_one),
      shop_test(both_at_once_are_one_too),
      shop_test(it_outlives_a_restart),
      shop_test(after_the_gap_a_visit_is_another),
      shop_test(who_has_a_visit_of_his_own_keeps_it),
      shop_test(an_order_is_credited_to_the_touches_that_went_along),
      shop_test(after_a_consent_the_anonymous_key_has_them_no_more),
      shop_test(a_robot_stays_one_under_its_new_key),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
