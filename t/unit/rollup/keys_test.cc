// Keys of the summary: their bytes sort as what they say, so a range of time is a range of keys.
#include "rollup/keys.h"

#include <algorithm>
#include <vector>

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

RollupKey random_key(Random& random) {
  constexpr int64_t kTimes[] = {INT64_MIN, -86'400, -60, -1, 0, 1, 60, 1'790'000'000, INT64_MAX};
  RollupKey key;
  key.site = static_cast<uint16_t>(random.below(2) == 0 ? random.below(3) : random.next());
  key.dimension = static_cast<Dimension>(random.below(kDimensions));
  key.level = kLevels[random.below(kLevels.size())];
  key.bucket_start_s = kTimes[random.below(std::size(kTimes))];
  key.value = random.below(3) == 0   ? kNullValue
              : random.below(3) == 0 ? kOtherValue
                                     : Hash128{random.next(), random.below(2)};
  key.import = static_cast<uint16_t>(random.below(300));
  return key;
}

void a_key_comes_back_from_its_bytes(void**) {
  static Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const RollupKey key = random_key(random);
    const std::string bytes = encode_key(key);
    assert_int_equal(bytes.size(), kRollupKeyBytes);
    const std::optional<RollupKey> back = decode_rollup_key(bytes);
    assert_true(back.has_value() && *back == key);
  }
}

void bytes_sort_as_the_values_do(void**) {
  static Random random(2);
  for (int round = 0; round < 4000; ++round) {
    const RollupKey one = random_key(random);
    RollupKey other = random.below(2) == 0 ? random_key(random) : one;
    if (random.below(2) == 0) other.bucket_start_s = random_key(random).bucket_start_s;
    assert_int_equal(encode_key(one) < encode_key(other), one < other);
    assert_int_equal(encode_key(one) == encode_key(other), one == other);
  }
}

void times_before_1970_sort_before_it(void**) {
  static std::vector<std::string> keys;
  for (int64_t time_s : {INT64_MIN, int64_t{-86'400}, int64_t{-60}, int64_t{0}, int64_t{60}, INT64_MAX})
    keys.push_back(encode_key({1, Dimension::page, Level::day, time_s, {3, 4}, 0}));
  assert_true(std::is_sorted(keys.begin(), keys.end()));
}

// A scan of [prefix of a bucket, prefix of the next) meets all keys of the bucket and no other.
void a_bucket_is_a_range_of_keys(void**) {
  for (int64_t start_s : {int64_t{-7200}, int64_t{-3600}, int64_t{0}, int64_t{1'790'000'000}}) {
    const std::string begin = bucket_prefix(7, Dimension::channel, Level::hour, start_s);
    const std::string end = bucket_prefix(7, Dimension::channel, Level::hour, start_s + 3600);
    const auto inside = [&](const RollupKey& key) { return begin <= encode_key(key) && encode_key(key) < end; };
    assert_true(inside({7, Dimension::channel, Level::hour, start_s, kNullValue, 0}));
    assert_true(inside({7, Dimension::channel, Level::hour, start_s, kOtherValue, UINT16_MAX}));
    assert_false(inside({7, Dimension::channel, Level::hour, start_s - 3600, kOtherValue, UINT16_MAX}));
    assert_false(inside({7, Dimension::channel, Level::hour, start_s + 3600, kNullValue, 0}));
    assert_false(inside({7, Dimension::channel, Level::day, start_s, {1, 1}, 0}));
    assert_false(inside({7, Dimension::source, Level::hour, start_s, {1, 1}, 0}));
    assert_false(inside({8, Dimension::channel, Level::hour, start_s, {1, 1}, 0}));
  }
}

void what_is_no_key_is_refused(void**) {
  const std::string good = encode_key({1, Dimension::page, Level::day, 0, {3, 4}, 0});
  static std::string bytes;
  assert_false(decode_rollup_key("").has_value());
  assert_false(decode_rollup_key(good.substr(1)).has_value());
  bytes = good + "x";
  assert_false(decode_rollup_key(bytes).has_value());
  bytes = good;
  bytes[2] = static_cast<char>(kDimensions);
  assert_false(decode_rollup_key(bytes).has_value());
  bytes = good;
  bytes[3] = static_cast<char>(kLevels.size());
  assert_false(decode_rollup_key(bytes).has_value());
}

void months_are_counted_from_1970(void**) {
  assert_int_equal(month_number(0), 0);
  assert_int_equal(month_number(2'678'399), 0);
  assert_int_equal(month_number(2'678'400), 1);
  assert_int_equal(month_number(1'790'812'800), (2026 - 1970) * 12 + 9);  // 2026-10-01
  assert_int_equal(month_number(1'790'812'799), (2026 - 1970) * 12 + 8);
  assert_int_equal(month_number(-1), 0);  // no months before
  assert_int_equal(month_number(INT64_MAX), UINT16_MAX);
}

void keys_of_texts_visitors_and_orders_do_not_meet(void**) {
  const Hash128 hash{1, 2};
  assert_int_equal(dictionary_key(681, hash).size(), 18);
  assert_true(dictionary_key(681, kOtherValue) < dictionary_key(682, kNullValue));
  assert_int_equal(visitor_key(1, hash).size(), 19);
  assert_false(visitor_key(1, hash, Timeline::live) == visitor_key(1, hash, Timeline::imported));
  assert_true(order_key(1, 0, hash, 7).starts_with(order_key(1, 0, hash).substr(0, kOrderKeyIdBytes)));
  assert_true(visitor_key(1, kOtherValue) < visitor_key(2, kNullValue));
  assert_false(order_key(1, 0, hash) == order_key(1, 1, hash));
  assert_false(order_key(1, 0, hash) == order_key(2, 0, hash));
}

void every_dimension_has_a_name_of_its_own(void**) {
  static std::vector<std::string_view> names;
  for (size_t i = 0; i < kDimensions; ++i) names.push_back(dimension_name(static_cast<Dimension>(i)));
  expect_text(dimension_name(Dimension::referrer_host), "referrer_host");
  expect_text(dimension_name(Dimension::currency), "currency");
  std::sort(names.begin(), names.end());
  assert_true(std::adjacent_find(names.begin(), names.end()) == names.end());
  assert_false(names.front().empty());
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_key_comes_back_from_its_bytes),
      cmocka_unit_test(bytes_sort_as_the_values_do),
      cmocka_unit_test(times_before_1970_sort_before_it),
      cmocka_unit_test(a_bucket_is_a_range_of_keys),
      cmocka_unit_test(what_is_no_key_is_refused),
      cmocka_unit_test(months_are_counted_from_1970),
      cmocka_unit_test(keys_of_texts_visitors_and_orders_do_not_meet),
      cmocka_unit_test(every_dimension_has_a_name_of_its_own),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
