// The distinct counter: exact up to its bound, right within its error beyond, and the same bytes whatever the way its
// members came.
#include "rollup/distinct.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

// Members are numbered; a visitor's hash is as good as random.
uint64_t hash_of(uint64_t member) { return Random(member * 0x2545f4914f6cdd1d + 1).next(); }

Distinct count(const std::vector<uint64_t>& members, Precision precision) {
  Distinct distinct(precision);
  for (uint64_t member : members) distinct.add(hash_of(member));
  return distinct;
}

std::vector<uint64_t> numbers(uint64_t first, uint64_t count) {
  std::vector<uint64_t> members;
  for (uint64_t i = 0; i < count; ++i) members.push_back(first + i);
  return members;
}

uint64_t exact_max(Precision precision) { return precision == Precision::total ? 1000 : 256; }
double standard_error(Precision precision) { return precision == Precision::total ? 0.0085 : 0.017; }
constexpr Precision kPrecisions[] = {Precision::row, Precision::total};

void nobody_is_zero(void**) {
  const Distinct none;
  assert_true(none.empty());
  assert_true(none.is_exact());
  assert_int_equal(none.estimate(), 0);
}

void counts_exactly_up_to_its_bound(void**) {
  for (Precision precision : kPrecisions) {
    Distinct distinct(precision);
    for (uint64_t member = 0; member < exact_max(precision); ++member) {
      for (int times = 0; times < 3; ++times) distinct.add(hash_of(member));
      assert_int_equal(distinct.estimate(), member + 1);
    }
    assert_true(distinct.is_exact());
    distinct.add(hash_of(exact_max(precision)));
    assert_false(distinct.is_exact());
  }
}

void coming_again_and_again_changes_nothing(void**) {
  static Distinct distinct(Precision::row);
  for (int round = 0; round < 50; ++round)
    for (uint64_t member = 0; member < 256; ++member) distinct.add(hash_of(member));
  assert_true(distinct.is_exact());
  assert_int_equal(distinct.estimate(), 256);
}

// Random members, split at random, merged in random order: the same bytes as adding them all to one.
void merging_is_adding(void**) {
  static Random random(1);
  for (int round = 0; round < 120; ++round) {
    const Precision precision = kPrecisions[round % 2];
    static std::vector<uint64_t> members;
    members = numbers(random.below(1000), 1 + random.below(round % 3 == 0 ? 5000 : 2 * exact_max(precision)));
    const std::string added = count(members, precision).encode();

    static std::vector<Distinct> parts;
    parts.assign(1 + random.below(6), Distinct(precision));
    for (size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[random.below(i)]);
    for (uint64_t member : members) {
      parts[random.below(parts.size())].add(hash_of(member));
      if (random.below(3) == 0) parts[random.below(parts.size())].add(hash_of(member));  // in several parts
    }
    while (parts.size() > 1) {
      const size_t from = random.below(parts.size() - 1);
      if (random.below(2) == 0) {
        parts[from].merge(parts.back());
      } else {
        static Distinct other;
        other = parts.back();
        other.merge(parts[from]);
        parts[from] = other;
      }
      parts.pop_back();
    }
    assert_true(parts[0].encode() == added);
  }
}

void merging_with_oneself_changes_nothing(void**) {
  for (uint64_t members : {100u, 3000u}) {
    static Distinct distinct;
    distinct = count(numbers(0, members), Precision::row);
    const std::string before = distinct.encode();
    const Distinct& same = distinct;
    distinct.merge(same);
    assert_true(distinct.encode() == before);
  }
}

// A total brought down to a row's precision equals what a row would have counted.
void the_lower_precision_wins(void**) {
  static Random random(2);
  for (int round = 0; round < 60; ++round) {
    const uint64_t in_total = 1 + random.below(round % 2 == 0 ? 900 : 9000), in_row = 1 + random.below(2000);
    static Distinct total, row, expected;
    total = count(numbers(0, in_total), Precision::total);
    row = count(numbers(500, in_row), Precision::row);
    expected = count(numbers(0, in_total), Precision::row);
    for (uint64_t member : numbers(500, in_row)) expected.add(hash_of(member));
    static Distinct one, other;
    one = total;
    one.merge(row);
    other = row;
    other.merge(total);
    assert_true(one.encode() == expected.encode());
    assert_true(other.encode() == expected.encode());
  }
}

void an_empty_counter_takes_what_it_is_merged_with(void**) {
  static Distinct total, empty, expected;
  total = count(numbers(0, 700), Precision::total);
  expected = total;
  empty = Distinct(Precision::row);
  empty.merge(total);
  assert_true(empty.encode() == expected.encode());
  total.merge(Distinct(Precision::row));
  assert_true(total.encode() == expected.encode());
}

void comes_back_from_its_bytes(void**) {
  for (Precision precision : kPrecisions) {
    for (uint64_t members : {0u, 1u, 255u, 256u, 257u, 1000u, 1001u, 60'000u}) {
      static Distinct before, after;
      before = count(numbers(7, members), precision);
      const std::string bytes = before.encode();
      assert_true(after.decode(bytes));
      assert_true(after.encode() == bytes);
      assert_int_equal(after.estimate(), before.estimate());
      assert_int_equal(after.is_exact(), before.is_exact());
      // and goes on from there
      before.add(hash_of(1'000'000));
      after.add(hash_of(1'000'000));
      assert_true(after.encode() == before.encode());
    }
  }
}

void bytes_are_bounded(void**) {
  assert_int_equal(count(numbers(0, 100'000), Precision::row).encode().size(), 2 + 4096 * 6 / 8);
  assert_int_equal(count(numbers(0, 100'000), Precision::total).encode().size(), 2 + 16384 * 6 / 8);
  assert_int_equal(count(numbers(0, 256), Precision::row).encode().size(), 2 + 256 * 8);
}

void refuses_what_it_did_not_write(void**) {
  static Distinct distinct;
  static const std::string exact = count(numbers(0, 3), Precision::row).encode();
  static std::string other;
  const auto refused = [&](std::string bytes) {
    other = std::move(bytes);
    distinct = count(numbers(0, 5), Precision::row);
    return !distinct.decode(other) && distinct.empty() && distinct.estimate() == 0;
  };
  assert_true(refused(""));
  assert_true(refused(exact.substr(0, 1)));
  assert_true(refused("\x03\x0c"));                                    // no such kind
  assert_true(refused(std::string("\x01\x0d", 2) + exact.substr(2)));  // no such precision
  assert_true(refused(std::string("\x00\x0c\x00", 3)));                // empty, but more follows
  assert_true(refused(exact.substr(0, exact.size() - 1)));
  assert_true(refused(exact.substr(0, 2) + exact.substr(10, 8) + exact.substr(2, 8)));  // not ascending
  assert_true(refused(exact.substr(0, 2) + exact.substr(2, 8) + exact.substr(2, 8)));   // one twice
  assert_true(refused(std::string("\x01\x0c") + std::string(257 * 8, 'x')));            // more than a row may list
  assert_true(refused(std::string("\x02\x0c") + std::string(3071, '\0')));              // a register short
  assert_true(refused(std::string("\x02\x0c") + std::string(3072, '\xff')));            // a rank that no hash has
}

// Whatever the bytes are: refused, or a counter that behaves like one.
void broken_bytes_do_no_harm(void**) {
  static Random random(3);
  static std::string good[3];
  good[0] = count(numbers(0, 40), Precision::row).encode();
  good[1] = count(numbers(0, 3000), Precision::row).encode();
  good[2] = count(numbers(0, 5000), Precision::total).encode();
  static Distinct row, total;
  row = count(numbers(0, 2000), Precision::row);
  total = count(numbers(0, 2000), Precision::total);
  for (int round = 0; round < 3000; ++round) {
    static std::string bytes;
    bytes = good[random.below(3)];
    random.mutate(bytes);
    static Distinct distinct, again;
    if (!distinct.decode(bytes)) {
      assert_true(distinct.empty());
      continue;
    }
    distinct.estimate();
    distinct.merge(random.below(2) == 0 ? row : total);
    assert_true(again.decode(distinct.encode()));
    assert_true(again.encode() == distinct.encode());
  }
}

// --- error, measured: the table of core/rollup/README.md ---

// Sets whose members come once each, and sets where few come often (member = u^3 of the range): what a counter counts
// must not depend on it.
double relative_error(Precision precision, uint64_t members, bool skewed, uint64_t seed) {
  Random random(seed);
  const uint64_t offset = random.next();
  Distinct distinct(precision);
  std::vector<bool> seen(members);
  uint64_t there = 0;
  const auto come = [&](uint64_t member) {
    distinct.add(hash_of(offset + member));
    if (!seen[member]) ++there, seen[member] = true;
  };
  for (uint64_t i = 0; i < members; ++i) {
    const double u = static_cast<double>(random.next() >> 11) * 0x1p-53;
    come(skewed ? static_cast<uint64_t>(u * u * u * static_cast<double>(members)) : i);
  }
  return (static_cast<double>(distinct.estimate()) - static_cast<double>(there)) / static_cast<double>(there);
}

void error_is_what_is_stated(void**) {
  print_message("# precision  set        members  rounds     rms    bias   worst   stated\n");
  for (Precision precision : kPrecisions) {
    for (bool skewed : {false, true}) {
      for (uint64_t members : {1'000u, 10'000u, 100'000u, 1'000'000u}) {
        const char* const wanted = getenv("FOOTFALL_ROUNDS");
        const int rounds = wanted != nullptr ? atoi(wanted) : members >= 1'000'000 ? 20 : 60;
        double squares = 0, sum = 0, worst = 0;
        for (int round = 0; round < rounds; ++round) {
          const double error = relative_error(precision, members, skewed, 1000u * static_cast<unsigned>(round) + 17);
          squares += error * error;
          sum += error;
          worst = std::max(worst, std::abs(error));
        }
        const double stated = standard_error(precision), rms = std::sqrt(squares / rounds), bias = sum / rounds;
        print_message("# %-9s  %-8s %9lu  %6d  %5.2f%%  %+5.2f%%  %5.2f%%   %5.2f%%\n",
                      precision == Precision::total ? "total" : "row", skewed ? "skewed" : "uniform",
                      static_cast<unsigned long>(members), rounds, 100 * rms, 100 * bias, 100 * worst, 100 * stated);
        assert_true(worst <= 4 * stated);
        assert_true(rms <= stated * (1 + 4 / std::sqrt(2.0 * rounds)));  // 4 sigma of a measured deviation
        assert_true(std::abs(bias) <= 4 * stated / std::sqrt(rounds));   // and of a mean
      }
    }
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(nobody_is_zero),
      cmocka_unit_test(counts_exactly_up_to_its_bound),
      cmocka_unit_test(coming_again_and_again_changes_nothing),
      cmocka_unit_test(merging_is_adding),
      cmocka_unit_test(merging_with_oneself_changes_nothing),
      cmocka_unit_test(the_lower_precision_wins),
      cmocka_unit_test(an_empty_counter_takes_what_it_is_merged_with),
      cmocka_unit_test(comes_back_from_its_bytes),
      cmocka_unit_test(bytes_are_bounded),
      cmocka_unit_test(refuses_what_it_did_not_write),
      cmocka_unit_test(broken_bytes_do_no_harm),
      cmocka_unit_test(error_is_what_is_stated),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
