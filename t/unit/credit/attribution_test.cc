#include "credit/attribution.h"

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/money.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kDay = 86'400'000;

std::vector<JourneyTouch> touches;  // of the running test, in time order
std::vector<Touch> stored;

int begin(void**) { return touches.clear(), stored.clear(), 0; }

void touch(double age_days, bool is_direct = false) {
  touches.push_back({static_cast<int64_t>(age_days * static_cast<double>(kDay)), is_direct});
}

std::string credits(Model model) {
  std::string text;
  const Credits credits = credits_of(model, touches);
  for (const int64_t share : credits.millionths())
    text.append(text.empty() ? "" : " ").append(std::to_string(share));
  return text;
}

std::string split(int64_t value_micros, Model model, int digits) {
  std::vector<int64_t> parts(touches.size());
  split_micros(value_micros, credits_of(model, touches), parts);
  std::string text;
  for (const int64_t part : parts) text.append(text.empty() ? "" : " ").append(format_micros(part, digits));
  return text;
}

void one_touch_has_it_all(void**) {
  for (const bool is_direct : {false, true}) {
    touches.clear();
    touch(3, is_direct);
    for (const Model model : kAllModels) expect_text(credits(model), "1000000");
  }
}

void whole_conversions_go_to_one_touch(void**) {
  touch(9, true), touch(6), touch(2), touch(0, true);
  expect_text(credits(Model::last), "0 0 0 1000000");
  expect_text(credits(Model::last_non_direct), "0 0 1000000 0");
  expect_text(credits(Model::first), "1000000 0 0 0");
}

void direct_touches_alone_credit_the_last(void**) {
  touch(9, true), touch(6, true);
  expect_text(credits(Model::last_non_direct), "0 1000000");
}

void linear_shares_evenly_and_the_last_has_the_rest(void**) {
  touch(3), touch(2);
  expect_text(credits(Model::linear), "500000 500000");
  touch(1);
  expect_text(credits(Model::linear), "333333 333333 333334");
}

void position_favours_both_ends(void**) {
  touch(9), touch(6);
  expect_text(credits(Model::position), "500000 500000");
  touch(3);
  expect_text(credits(Model::position), "400000 200000 400000");
  touch(2), touch(1);
  expect_text(credits(Model::position), "400000 66666 66666 66666 400002");
}

// 50.00 by ages 0, 0, 6 and 9 days: 16.88 16.88 9.32 6.92, told from the newest on.
void older_touches_decay_by_half_a_week(void**) {
  touch(9), touch(6), touch(0), touch(0);
  expect_text(split(50'000'000, Model::time_decay, 2), "6.92 9.32 16.88 16.88");
  touches.clear();
  touch(21), touch(14), touch(7);  // 1 : 2 : 4
  expect_text(credits(Model::time_decay), "142857 285714 571429");
}

void only_the_distance_between_touches_counts(void**) {
  touch(100), touch(93);
  expect_text(credits(Model::time_decay), "333333 666667");
  touches.clear();
  touch(100'000), touch(99'993);
  expect_text(credits(Model::time_decay), "333333 666667");
}

void whatever_clocks_say_credits_stay_whole(void**) {
  touches = {{INT64_MAX, false}, {0, false}, {INT64_MIN, false}};
  expect_text(credits(Model::time_decay), "0 500000 500000");
}

void weights_are_exact(void**) {
  expect_number(static_cast<int64_t>(decay_weight(0)), int64_t{1} << 62);
  for (int weeks = 0; weeks < 62; ++weeks)
    expect_number(static_cast<int64_t>(decay_weight(weeks * kDecayHalfMs)), int64_t{1} << (62 - weeks));
  expect_number(static_cast<int64_t>(decay_weight(62 * kDecayHalfMs)), 0);
  // 2^61.5, 2^61.75 and 2^(62 - 6/7), to 18 digits by another way
  const auto is_near = [](uint64_t weight, long double exact) { return std::fabs(weight - exact) <= exact * 0x1p-56L; };
  assert_true(is_near(decay_weight(kDecayHalfMs / 2), 3260954456333195553.0L));
  assert_true(is_near(decay_weight(kDecayHalfMs / 4), 3877950241171266237.0L));
  for (int64_t age_ms = 0; age_ms < 90 * kDay; age_ms += 1'234'567) {
    const long double exact = std::exp2(62 - static_cast<long double>(age_ms) / kDecayHalfMs);
    assert_true(std::fabs(decay_weight(age_ms) - exact) <= exact * 0x1p-56L + 1);
  }
}

void no_touches_have_no_credit(void**) {
  for (const Model model : kAllModels) expect_number(static_cast<int64_t>(credits_of(model, touches).size()), 0);
  split_micros(1, credits_of(Model::last, touches), {});
}

void kept_touches_are_read_by_age_and_channel(void**) {
  stored.resize(3);
  for (size_t i = 0; i < 3; ++i) stored[i].time_ms = static_cast<int64_t>(i) * 7 * kDay;
  stored[0].channel = "email";
  const auto at = [&](Model model) { return credits_of(model, stored, 14 * kDay); };
  expect_number(at(Model::last_non_direct)[0], kCreditWhole);
  expect_number(at(Model::time_decay)[0], 142'857);
  expect_number(at(Model::time_decay)[2], 571'429);
}

void rule_models_continue_the_stored_ones(void**) {
  for (size_t i = 0; i < kModels; ++i) {
    expect_text(kModelNames[i], kModelNames[i]);
    expect_number(static_cast<int>(kAllModels[i]), static_cast<int>(kAllModels[i]));
  }
}

// Any journey, any model: nothing below zero, one conversion, and the value to the last micro; whole models as model.h.
void credits_and_money_add_up(void**) {
  Random random(7);
  std::vector<int64_t> parts, taken;
  for (int run = 0; run < 20'000; ++run) {
    touches.clear(), stored.clear();
    int64_t age = static_cast<int64_t>(random.below(90 * kDay));
    for (uint64_t left = 1 + random.below(kTouchesMax); left > 0; --left) {
      touches.push_back({age, random.below(3) == 0});
      stored.emplace_back().time_ms = -age;
      if (!touches.back().is_direct) stored.back().channel = "email";
      age -= static_cast<int64_t>(random.below(static_cast<uint64_t>(age) + 1));
    }
    const auto value = static_cast<int64_t>(random.below(1'000'000'000'000'000) >> random.below(50));
    parts.resize(touches.size()), taken.resize(touches.size());
    for (const Model model : kAllModels) {
      const Credits shares = credits_of(model, touches);
      for (const int64_t share : shares.millionths()) assert_true(share >= 0);
      expect_number(std::accumulate(shares.millionths().begin(), shares.millionths().end(), int64_t{0}), kCreditWhole);
      split_micros(value, shares, parts);
      split_micros(-value, shares, taken);
      expect_number(std::accumulate(parts.begin(), parts.end(), int64_t{0}), value);
      for (size_t i = 0; i < parts.size(); ++i) expect_number(taken[i], -parts[i]);
    }
    for (const Model model : kAllModels) {
      const Credits of_stored = credits_of(model, stored, 0);
      for (size_t i = 0; i < touches.size(); ++i) touches[i].age_ms = (touches[i].age_ms + 999) / 1000 * 1000;
      expect_number(of_stored[0], credits_of(model, touches)[0]);
    }
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(one_touch_has_it_all, begin),
      cmocka_unit_test_setup(whole_conversions_go_to_one_touch, begin),
      cmocka_unit_test_setup(direct_touches_alone_credit_the_last, begin),
      cmocka_unit_test_setup(linear_shares_evenly_and_the_last_has_the_rest, begin),
      cmocka_unit_test_setup(position_favours_both_ends, begin),
      cmocka_unit_test_setup(older_touches_decay_by_half_a_week, begin),
      cmocka_unit_test_setup(only_the_distance_between_touches_counts, begin),
      cmocka_unit_test_setup(whatever_clocks_say_credits_stay_whole, begin),
      cmocka_unit_test_setup(weights_are_exact, begin),
      cmocka_unit_test_setup(no_touches_have_no_credit, begin),
      cmocka_unit_test_setup(kept_touches_are_read_by_age_and_channel, begin),
      cmocka_unit_test_setup(rule_models_continue_the_stored_ones, begin),
      cmocka_unit_test_setup(credits_and_money_add_up, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
