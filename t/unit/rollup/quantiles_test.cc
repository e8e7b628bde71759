// The sketch of request times: within its bound of what sorting all of them tells, and the same bytes whatever the way
// they came.
#include "rollup/quantiles.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr double kBound = 0.02;
constexpr unsigned kPercents[] = {1, 25, 50, 75, 90, 95, 99, 100};

Quantiles sketch_of(const std::vector<uint32_t>& values) {
  Quantiles sketch;
  for (uint32_t value : values) sketch.add(value);
  return sketch;
}

// Nearest rank: what the sketch stands for.
uint32_t sorted_at(const std::vector<uint32_t>& sorted, unsigned percent) {
  const size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<size_t>(rank, 1) - 1];
}

double uniform(Random& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

// Request times as shops have them: a log-normal body; and a few that waited for something.
uint32_t request_time_ms(Random& random) {
  const double normal = std::sqrt(-2 * std::log(1 - uniform(random))) * std::cos(6.283185307179586 * uniform(random));
  const double body = 40 * std::exp(normal);
  return static_cast<uint32_t>(std::min(random.below(50) == 0 ? 3'000 + body * 100 : body, 4e9));
}

std::vector<uint32_t> values_of(unsigned kind, size_t count, Random& random) {
  std::vector<uint32_t> values;
  for (size_t i = 0; i < count; ++i) {
    if (kind == 0) values.push_back(request_time_ms(random));
    if (kind == 1) values.push_back(static_cast<uint32_t>(random.below(60'000)));                        // uniform
    if (kind == 2) values.push_back(static_cast<uint32_t>(random.next() >> (32 + random.below(32))));    // any size
    if (kind == 3) values.push_back(random.below(2) == 0 ? 7 : 30'000);                                  // two peaks
  }
  return values;
}

void none_is_nothing(void**) {
  static Quantiles none, other;
  assert_true(none.empty());
  assert_int_equal(none.at(50), 0);
  expect_text(none.encode(), "");
  other.add(5, 0);
  assert_true(other.empty());
  other.merge(none);
  assert_true(other.empty());
}

void small_values_are_exact(void**) {
  for (uint32_t value = 0; value < 64; ++value) {
    static Quantiles one;
    one = Quantiles();
    one.add(value);
    assert_int_equal(one.at(1), value);
    assert_int_equal(one.at(100), value);
  }
}

void the_nearest_rank_is_told(void**) {
  static Quantiles ten;
  ten = Quantiles();
  for (uint32_t value = 1; value <= 10; ++value) ten.add(value);
  assert_int_equal(ten.at(50), 5);
  assert_int_equal(ten.at(51), 6);
  assert_int_equal(ten.at(95), 10);
  assert_int_equal(ten.at(99), 10);
  ten.add(1, 90);
  assert_int_equal(ten.at(50), 1);
  assert_int_equal(ten.at(99), 9);
}

// Each value there is lies in a step whose middle is near; steps follow each other.
void every_value_is_within_the_bound(void**) {
  static Random random(5);
  uint64_t before = 0;
  for (uint64_t value = 0; value <= UINT32_MAX; value += 1 + value / 300) {
    static Quantiles one;
    one = Quantiles();
    one.add(static_cast<uint32_t>(value));
    const uint64_t told = one.at(50);
    assert_true(told >= before);
    before = told;
    const double off = std::abs(static_cast<double>(told) - static_cast<double>(value));
    assert_true(off <= static_cast<double>(value) / 64);
  }
  static Quantiles largest;
  largest.add(UINT32_MAX);
  assert_true(std::abs(static_cast<double>(largest.at(50)) / UINT32_MAX - 1) <= 1.0 / 64);
}

// --- error, measured: the table of core/rollup/README.md ---

void the_error_is_what_is_stated(void**) {
  constexpr std::string_view kKinds[] = {"request times", "uniform", "any size", "two peaks"};
  print_message("# values         number   p50 worst  p95 worst  p99 worst  bytes\n");
  for (unsigned kind = 0; kind < 4; ++kind) {
    for (size_t count : {100u, 10'000u, 1'000'000u}) {
      double worst[101] = {};
      size_t bytes = 0, rounds = count > 100'000 ? 3 : 30;
      for (size_t round = 0; round < rounds; ++round) {
        Random random(round * 31 + kind);
        static std::vector<uint32_t> values;
        values = values_of(kind, count, random);
        static Quantiles sketch;
        sketch = sketch_of(values);
        assert_int_equal(sketch.count(), count);
        bytes = std::max(bytes, sketch.encode().size());
        std::sort(values.begin(), values.end());
        for (unsigned percent : kPercents) {
          const double right = sorted_at(values, percent), told = static_cast<double>(sketch.at(percent));
          const double error = right == 0 ? told : std::abs(told / right - 1);
          worst[percent] = std::max(worst[percent], error);
          assert_true(error <= kBound);
        }
      }
      print_message("# %-13s %9lu   %8.2f%%  %8.2f%%  %8.2f%%  %5lu\n", kKinds[kind].data(),
                    static_cast<unsigned long>(count), 100 * worst[50], 100 * worst[95], 100 * worst[99],
                    static_cast<unsigned long>(bytes));
    }
  }
}

// --- state -----------------------------------------------------------------------------------------------------------

// Random values, split at random, merged in random order: the same bytes as adding them all to one.
void merging_is_adding(void**) {
  static Random random(1);
  for (int round = 0; round < 200; ++round) {
    static std::vector<uint32_t> values;
    values = values_of(static_cast<unsigned>(round % 4), random.below(400), random);
    static std::string added;
    added = sketch_of(values).encode();
    static std::vector<Quantiles> parts;
    parts.assign(1 + random.below(6), Quantiles());
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
    for (uint32_t value : values) parts[random.below(parts.size())].add(value);
    while (parts.size() > 1) {
      const size_t from = random.below(parts.size() - 1);
      if (random.below(2) == 0) {
        parts[from].merge(parts.back());
      } else {
        static Quantiles other;
        other = parts.back();
        other.merge(parts[from]);
        parts[from] = other;
      }
      parts.pop_back();
    }
    assert_true(parts[0].encode() == added);
  }
}

void merging_with_oneself_doubles(void**) {
  for (uint32_t values : {1u, 2u, 50u}) {
    static Quantiles sketch;
    sketch = Quantiles();
    for (uint32_t value = 0; value < values; ++value) sketch.add(value * 7);
    const Quantiles& same = sketch;
    sketch.merge(same);
    assert_int_equal(sketch.count(), 2 * values);
  }
}

void comes_back_from_its_bytes(void**) {
  static Random random(2);
  for (int round = 0; round < 100; ++round) {
    static Quantiles before, after;
    before = sketch_of(values_of(static_cast<unsigned>(round % 4), random.below(3000), random));
    static std::string bytes;
    bytes = before.encode();
    assert_true(after.decode(bytes));
    assert_true(after.encode() == bytes);
    for (unsigned percent : kPercents) assert_int_equal(after.at(percent), before.at(percent));
  }
}

void bytes_are_bounded(void**) {
  static Random random(4);
  static Quantiles sketch;
  for (int i = 0; i < 300'000; ++i) sketch.add(static_cast<uint32_t>(random.next() >> (32 + random.below(32))));
  assert_true(sketch.encode().size() <= 896 * 4);
}

void counts_stay_at_their_most(void**) {
  static Quantiles sketch, other;
  sketch.add(5, UINT64_MAX);
  sketch.add(5);
  other = sketch;
  sketch.merge(other);
  sketch.add(100, UINT64_MAX);
  assert_int_equal(sketch.at(50), 5);
  assert_int_equal(sketch.at(99), 100);
}

void refuses_what_it_did_not_write(void**) {
  static Quantiles sketch;
  const auto refused = [](std::string_view bytes) {
    sketch.add(3);
    return !sketch.decode(bytes) && sketch.empty();
  };
  using namespace std::string_view_literals;
  assert_false(refused("\x03\x01"sv));
  assert_true(refused("\x03"sv));                      // no count
  assert_true(refused("\x03\x00"sv));                  // none is no step
  assert_true(refused("\x80\x00\x01"sv));              // a number in more bytes than it needs
  assert_true(refused("\x80\x07\x01"sv));              // step 896: beyond the largest value
  assert_false(refused("\xff\x06\x01"sv));             // 895
  assert_true(refused("\xff\x06\x01\x00\x01"sv));      // and one behind it
  assert_true(refused("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv));  // over 64 bits
}

// Whatever the bytes are: refused, or a sketch that behaves like one.
void broken_bytes_do_no_harm(void**) {
  static Random random(3);
  static std::string good;
  good = sketch_of(values_of(0, 500, random)).encode();
  for (int round = 0; round < 5000; ++round) {
    static std::string bytes;
    bytes = good;
    random.mutate(bytes);
    static Quantiles sketch, again;
    if (!sketch.decode(bytes)) {
      assert_true(sketch.empty());
      continue;
    }
    assert_true(sketch.encode() == bytes);
    sketch.at(95);
    sketch.merge(sketch_of({1, 2, 3}));
    assert_true(again.decode(sketch.encode()));
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(none_is_nothing),
      cmocka_unit_test(small_values_are_exact),
      cmocka_unit_test(the_nearest_rank_is_told),
      cmocka_unit_test(every_value_is_within_the_bound),
      cmocka_unit_test(the_error_is_what_is_stated),
      cmocka_unit_test(merging_is_adding),
      cmocka_unit_test(merging_with_oneself_doubles),
      cmocka_unit_test(comes_back_from_its_bytes),
      cmocka_unit_test(bytes_are_bounded),
      cmocka_unit_test(counts_stay_at_their_most),
      cmocka_unit_test(refuses_what_it_did_not_write),
      cmocka_unit_test(broken_bytes_do_no_harm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
