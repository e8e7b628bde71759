// A simulated shop whose truth is known: how often intervals hold it, and how often a verdict is wrong. The table that it
// prints stands in core/credit/README.md.
#include <cmath>
#include <string>
#include <vector>

#include "credit/intervals.h"
#include "credit/model.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int kRuns = 1000;
constexpr int kCoverageRuns = 10'000;  // in 1,000 a share of 95 % is off by 0.7 %
constexpr double kMean = 40;       // of an order's value, in units
constexpr double kMargin = 0.6;

struct Shop {
  int visits;
  double orders;  // to be expected
  double cv;      // of their values: 0.5 or 1 by a gamma, or `is_log_normal`
  bool is_log_normal = false;
};

struct Tally {
  int intervals = 0, covered = 0;
  int verdicts = 0, wrong = 0;  // of raise and cut
};

double uniform(Random& random) { return (static_cast<double>(random.next() >> 11) + 0.5) * 0x1p-53; }

double value(Random& random, const Shop& shop) {
  if (shop.is_log_normal) {
    const double variance = std::log1p(shop.cv * shop.cv);
    const double normal = std::sqrt(-2 * std::log(uniform(random))) * std::cos(2 * M_PI * uniform(random));
    return kMean * std::exp(std::sqrt(variance) * normal - variance / 2);
  }
  const int parts = static_cast<int>(std::lround(1 / (shop.cv * shop.cv)));
  double sum = 0;
  for (int i = 0; i < parts; ++i) sum -= std::log(uniform(random));
  return kMean * sum / parts;
}

ReturnSums visit(Random& random, const Shop& shop) {
  ReturnSums sums;
  sums.visits = static_cast<uint64_t>(shop.visits);
  for (int i = 0; i < shop.visits; ++i)
    if (uniform(random) * shop.visits < shop.orders) sums.add_conversion(kCreditWhole, std::llround(value(random, shop) * 1e6));
  return sums;
}

// `returns`: the true roas over break-even.
Tally simulate(const Shop& shop, double returns, uint64_t seed, int runs = kRuns) {
  Random random(seed);
  const double truth = shop.orders * kMean / shop.visits * 1e6;
  const auto cost = static_cast<int64_t>(shop.orders * kMean * kMargin / returns * 1e6);
  Tally tally;
  for (int run = 0; run < runs; ++run) {
    const ReturnSums sums = visit(random, shop);
    if (const auto interval = rpv_micros_interval(sums)) {
      ++tally.intervals;
      tally.covered += interval->low <= truth && truth <= interval->high;
    }
    const Verdict verdict = judge(sums, cost, static_cast<int64_t>(kMargin * 1e6))->verdict;
    if (verdict != Verdict::raise && verdict != Verdict::cut) continue;
    ++tally.verdicts;
    tally.wrong += verdict == Verdict::raise ? returns < 1 : returns > 1;
  }
  return tally;
}

double percent_covered(const Tally& tally) { return 100.0 * tally.covered / tally.intervals; }

const std::vector<Shop>& shops_of(double orders) {
  static std::vector<Shop> shops;
  shops.clear();
  for (const double cv : {0.5, 1.0})
    for (const bool is_log_normal : {false, true}) shops.push_back({static_cast<int>(orders * 40), orders, cv, is_log_normal});
  return shops;
}

void intervals_cover_the_truth(void**) {
  for (const double orders : {25.0, 50.0, 100.0, 200.0})
    for (const Shop& shop : shops_of(orders)) {
      const double covered = percent_covered(simulate(shop, 1.5, 20, kCoverageRuns));
      if (covered < 93 || covered > 97) fail_msg("%g orders, cv %g: %.1f %%", orders, shop.cv, covered);
    }
}

void wrong_verdicts_are_rare(void**) {
  for (const double orders : {12.0, 25.0, 100.0})
    for (const Shop& shop : shops_of(orders))
      for (const double returns : {0.5, 0.8, 0.95, 0.999, 1.001, 1.05, 1.25, 2.0}) {
        const Tally tally = simulate(shop, returns, 21);
        if (tally.wrong * 20 > kRuns) fail_msg("%g orders, cv %g, %g of break-even: %d of %d wrong", orders, shop.cv, returns, tally.wrong, kRuns);
      }
}

void clear_cases_get_their_verdict(void**) {
  for (const double returns : {0.4, 2.5}) assert_true(simulate({4000, 100, 1.0}, returns, 22).verdicts > kRuns * 9 / 10);
}

void the_table_of_the_readme(void**) {
  print_message("| orders | cv 0.5, gamma | log-normal | cv 1, gamma | log-normal |\n|---|---|---|---|---|\n");
  for (const double orders : {5.0, 10.0, 15.0, 25.0, 50.0, 100.0}) {
    std::string row = "| " + std::to_string(static_cast<int>(orders)) + " |";
    for (const Shop& shop : shops_of(orders)) {
      char cell[32];
      snprintf(cell, sizeof cell, " %.1f %% |", percent_covered(simulate(shop, 1.5, 20, kCoverageRuns)));
      row += cell;
    }
    print_message("%s\n", row.c_str());
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(intervals_cover_the_truth),
      cmocka_unit_test(wrong_verdicts_are_rare),
      cmocka_unit_test(clear_cases_get_their_verdict),
      cmocka_unit_test(the_table_of_the_readme),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
