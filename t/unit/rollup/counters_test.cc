// The counters of a rollup: their sums, and their stored form.
#include "rollup/counters.h"

#include "footfall/v1/summary.pb.h"
#include "random.h"
#include "rollup/counters_codec.h"
#include "test.h"

namespace footfall {
namespace {

constexpr __int128 kTwoTo64 = static_cast<__int128>(1) << 64;

struct Held {
  Counters one, other, sum;
  std::string bytes;
};
Held held;

int start_afresh(void**) {
  held = Held();
  return 0;
}

Counters some(uint64_t seed) {
  Random random(seed);
  Counters counters;
  for (size_t i = 0; i < kCounters; ++i)
    if (random.below(3) != 0)
      counters[static_cast<Counter>(i)] = static_cast<int64_t>(random.next()) >> (1 + random.below(63));
  for (size_t i = 0; i < kAmounts; ++i)
    if (random.below(3) != 0)
      counters[static_cast<Amount>(i)] =
          (static_cast<__int128>(static_cast<int64_t>(random.next()) >> 2) << 64 | random.next()) >> random.below(120);
  const uint64_t visitors = random.below(400);
  for (uint64_t i = 0; i < visitors; ++i) counters.visitors.add(random.next());
  const uint64_t times = random.below(2) * random.below(100);
  for (uint64_t i = 0; i < times; ++i) counters.took_ms.need().add(static_cast<uint32_t>(random.below(10'000)));
  return counters;
}

void nothing_takes_no_bytes(void**) {
  assert_true(held.one.is_zero());
  held.bytes = encode_counters(held.one);
  assert_int_equal(held.bytes.size(), 0);
  assert_true(merge_encoded_counters("", held.other));
  assert_true(held.other.is_zero());
}

void each_kind_of_content_is_content(void**) {
  held.one[Counter::items_first] = -1;
  assert_false(held.one.is_zero());
  held.other[Amount::goal_value] = 1;
  assert_false(held.other.is_zero());
  held.sum.visitors.add(1);
  assert_false(held.sum.is_zero());
  held.sum = Counters();
  held.sum.took_ms.need().add(0);
  assert_false(held.sum.is_zero());
}

// What comes later books the difference: a bounce that was none, an order given back.
void counters_are_signed(void**) {
  held.one[Counter::bounces] = 1;
  held.one[Amount::revenue_last] = 129'900'000;
  held.other[Counter::bounces] = -1;
  held.other[Amount::revenue_last] = -129'900'000;
  assert_true(merge_encoded_counters(encode_counters(held.one), held.sum));
  expect_number(held.sum[Counter::bounces], 1);
  assert_true(merge_encoded_counters(encode_counters(held.other), held.sum));
  assert_true(held.sum.is_zero());
}

void amounts_go_past_64_bits(void**) {
  const __int128 amounts[] = {1,
                              -1,
                              kTwoTo64,
                              -kTwoTo64,
                              kTwoTo64 - 1,
                              1 - kTwoTo64,
                              INT64_MIN,
                              INT64_MAX,
                              kTwoTo64 * INT64_MAX,
                              kTwoTo64 * INT64_MIN};
  for (__int128 amount : amounts) {
    held = Held();
    held.one[Amount::revenue_first] = amount;
    assert_true(merge_encoded_counters(encode_counters(held.one), held.sum));
    assert_true(held.sum[Amount::revenue_first] == amount);
  }
  held = Held();
  held.one[Amount::revenue_last] = INT64_MAX;  // a thousand of the largest sums of 64 bits
  for (int i = 0; i < 1000; ++i) held.sum.merge(held.one);
  assert_true(held.sum[Amount::revenue_last] == static_cast<__int128>(INT64_MAX) * 1000);
}

void encoding_is_lossless_and_always_the_same(void**) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    held = Held();
    held.one = some(seed);
    held.bytes = encode_counters(held.one);
    assert_true(encode_counters(some(seed)) == held.bytes);
    assert_true(merge_encoded_counters(held.bytes, held.sum));
    assert_true(held.sum.has_sums_of(held.one));
    assert_int_equal(held.sum.visitors.estimate(), held.one.visitors.estimate());
    assert_true(encode_counters(held.sum) == held.bytes);
  }
}

void merging_is_adding_whichever_comes_first(void**) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    held = Held();
    held.one = some(seed);
    held.other = some(seed + 1000);
    held.sum = held.one;
    held.sum.merge(held.other);
    for (size_t i = 0; i < kCounters; ++i) expect_number(held.sum[static_cast<Counter>(i)], held.one[static_cast<Counter>(i)] + held.other[static_cast<Counter>(i)]);
    held.bytes = encode_counters(held.sum);
    assert_true(merge_encoded_counters(encode_counters(held.one), held.other));
    assert_true(encode_counters(held.other) == held.bytes);
  }
}

void a_totals_visitors_keep_their_precision(void**) {
  held.one.visitors.set_precision(Precision::total);
  for (uint64_t visitor = 0; visitor < 900; ++visitor) held.one.visitors.add(Random(visitor).next());
  assert_true(merge_encoded_counters(encode_counters(held.one), held.sum));
  assert_true(held.sum.visitors.is_exact());
  assert_int_equal(held.sum.visitors.estimate(), 900);
}

void what_is_encoded_is_the_message(void**) {
  static v1::Rollup message;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    held.one = some(seed);
    message.Clear();
    fill_rollup(held.one, message);
    assert_true(encode_counters(held.one) == message.SerializeAsString());
  }
  assert_true(encode_counters(Counters()).empty());
}

void counters_of_later_versions_are_passed_over(void**) {
  static v1::Rollup message;
  message.add_counter(static_cast<uint32_t>(Counter::visits));
  message.add_value(3);
  message.add_counter(kCounters);
  message.add_value(99);
  message.add_counter(UINT32_MAX);
  message.add_value(98);
  message.add_amount(kAmounts);
  message.add_amount_low(5);
  message.add_amount_high(6);
  message.add_amount(static_cast<uint32_t>(Amount::goal_value));
  message.add_amount_low(7);
  message.add_amount_high(0);
  held.bytes = message.SerializeAsString() + "\xf8\x07\x01";  // and field 127, a number
  assert_true(merge_encoded_counters(held.bytes, held.sum));
  held.other[Counter::visits] = 3;
  held.other[Amount::goal_value] = 7;
  assert_true(encode_counters(held.sum) == encode_counters(held.other));
}

void what_is_no_rollup_changes_nothing(void**) {
  held.sum = some(5);
  held.bytes = encode_counters(held.sum);
  const auto refused = [&](const v1::Rollup& message) {
    return !merge_encoded_counters(message.SerializeAsString(), held.sum) && encode_counters(held.sum) == held.bytes;
  };
  static v1::Rollup message;
  message.Clear();
  message.add_counter(0);
  assert_true(refused(message));  // a counter without value
  message.Clear();
  message.add_value(1);
  assert_true(refused(message));
  message.Clear();
  message.add_amount(0);
  message.add_amount_low(1);
  assert_true(refused(message));  // half an amount
  message.Clear();
  message.add_counter(0);
  message.add_value(1);
  message.set_visitors("\x07");
  assert_true(refused(message));  // visitors that are none
  assert_false(merge_encoded_counters("\x0a\xff\xff\xff\xff\x0f", held.sum));
  assert_true(encode_counters(held.sum) == held.bytes);
}

void broken_bytes_do_no_harm(void**) {
  static Random random(9);
  for (int round = 0; round < 4000; ++round) {
    held.bytes = encode_counters(some(random.below(50)));
    random.mutate(held.bytes);
    held.one = some(3);
    held.other = held.one;
    if (merge_encoded_counters(held.bytes, held.one)) {
      held.sum = Counters();
      assert_true(merge_encoded_counters(encode_counters(held.one), held.sum));
    } else {
      assert_true(encode_counters(held.one) == encode_counters(held.other));
    }
  }
}

void models_pick_their_counters(void**) {
  assert_true(credited(Counter::orders_last, Model::first) == Counter::orders_first);
  assert_true(credited(Counter::conversions_last, Model::last_non_direct) == Counter::conversions_last_non_direct);
  assert_true(credited(Counter::items_last, Model::last) == Counter::items_last);
  assert_true(credited(Amount::revenue_last, Model::first) == Amount::revenue_first);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(nothing_takes_no_bytes, start_afresh),
      cmocka_unit_test_setup(each_kind_of_content_is_content, start_afresh),
      cmocka_unit_test_setup(counters_are_signed, start_afresh),
      cmocka_unit_test_setup(amounts_go_past_64_bits, start_afresh),
      cmocka_unit_test_setup(encoding_is_lossless_and_always_the_same, start_afresh),
      cmocka_unit_test_setup(merging_is_adding_whichever_comes_first, start_afresh),
      cmocka_unit_test_setup(a_totals_visitors_keep_their_precision, start_afresh),
      cmocka_unit_test_setup(what_is_encoded_is_the_message, start_afresh),
      cmocka_unit_test_setup(counters_of_later_versions_are_passed_over, start_afresh),
      cmocka_unit_test_setup(what_is_no_rollup_changes_nothing, start_afresh),
      cmocka_unit_test_setup(broken_bytes_do_no_harm, start_afresh),
      cmocka_unit_test_setup(models_pick_their_counters, start_afresh),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
