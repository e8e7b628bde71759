#include "credit/model.h"

#include "credit/attribution.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kDay = 86'400'000;
constexpr int64_t kLookback = 30 * kDay;
constexpr int64_t kOrder = 1'790'848'800'000;  // when the order comes

std::vector<Touch> touches;  // of the running test

int begin(void**) { return touches.clear(), 0; }

// `age` before the order.
void touch(std::string_view channel, int64_t age_ms) {
  Touch touch;
  touch.time_ms = kOrder - age_ms;
  touch.channel = channel;
  touches.push_back(std::move(touch));
}

// The one that gets all of it.
const Touch* credited_touch(Model model) {
  const auto of_order = journey(touches, kOrder, kLookback);
  const Credits credits = credits_of(model, of_order, kOrder);
  for (size_t i = 0; i < credits.size(); ++i)
    if (credits[i] == kCreditWhole) return &of_order[i];
  return nullptr;
}

std::string_view credited(Model model) {
  const Touch* touch = credited_touch(model);
  return touch != nullptr ? std::string_view(touch->channel) : "nobody";
}

void each_model_credits_its_touch(void**) {
  touch("email", 9 * kDay);
  touch("paid_search", 2 * kDay);
  touch("direct", 0);
  expect_text(credited(Model::first), "email");
  expect_text(credited(Model::last_non_direct), "paid_search");
  expect_text(credited(Model::last), "direct");
}

void a_journey_of_direct_touches_credits_the_last(void**) {
  touch("direct", 2 * kDay);
  touch("direct", kDay);
  assert_ptr_equal(credited_touch(Model::last_non_direct), &touches[1]);
  assert_ptr_equal(credited_touch(Model::last), &touches[1]);
  assert_ptr_equal(credited_touch(Model::first), &touches[0]);
}

void the_newest_touch_that_is_not_direct_is_credited(void**) {
  touch("email", 3 * kDay);
  touch("paid_search", 2 * kDay);
  touch("direct", kDay);
  touch("direct", 0);
  expect_text(credited(Model::last_non_direct), "paid_search");
}

void one_touch_has_it_all(void**) {
  touch("email", kDay);
  for (Model model : kAllModels) expect_text(credited(model), "email");
}

void without_touches_nobody_is_credited(void**) {
  for (Model model : kAllModels) expect_text(credited(model), "nobody");
}

void the_lookback_holds_both_its_ends(void**) {
  touch("email", kLookback);
  touch("paid_search", 0);
  expect_text(credited(Model::first), "email");
  expect_text(credited(Model::last), "paid_search");
}

void one_ms_before_the_lookback_is_too_old(void**) {
  touch("email", kLookback + 1);
  touch("paid_search", kDay);
  expect_text(credited(Model::first), "paid_search");
  touches.pop_back();
  expect_text(credited(Model::first), "nobody");
}

void what_comes_after_the_order_is_not_credited(void**) {
  touch("email", kDay);
  touch("paid_search", -1);
  for (Model model : kAllModels) expect_text(credited(model), "email");
}

void a_shorter_lookback_sees_less(void**) {
  touch("email", 8 * kDay);
  touch("paid_search", 6 * kDay);
  expect_number(journey(touches, kOrder, 7 * kDay).size(), 1);
  expect_number(journey(touches, kOrder, 90 * kDay).size(), 2);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(each_model_credits_its_touch, begin),
      cmocka_unit_test_setup(a_journey_of_direct_touches_credits_the_last, begin),
      cmocka_unit_test_setup(the_newest_touch_that_is_not_direct_is_credited, begin),
      cmocka_unit_test_setup(one_touch_has_it_all, begin),
      cmocka_unit_test_setup(without_touches_nobody_is_credited, begin),
      cmocka_unit_test_setup(the_lookback_holds_both_its_ends, begin),
      cmocka_unit_test_setup(one_ms_before_the_lookback_is_too_old, begin),
      cmocka_unit_test_setup(what_comes_after_the_order_is_not_credited, begin),
      cmocka_unit_test_setup(a_shorter_lookback_sees_less, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
