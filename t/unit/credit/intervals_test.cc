#include "credit/intervals.h"

#include <cmath>
#include <string>
#include <vector>

#include "credit/model.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kUnit = 1'000'000;

std::string text(double value, int digits) {
  char buffer[64];
  snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}
std::string text(const std::optional<Interval>& interval, int digits) {
  if (!interval) return "null";
  return text(interval->low, digits) + " " + text(interval->high, digits);
}

// `orders` whole ones of a mean and a standard deviation (of all, not of a sample), in units: half lie above, half below;
// an odd one is the mean, and the others make up for it.
ReturnSums sums(uint64_t visits, int orders, double mean, double deviation) {
  ReturnSums to;
  to.visits = visits;
  const double around = deviation * std::sqrt(static_cast<double>(orders) / (orders - orders % 2));
  for (int i = 0; i < orders; ++i) {
    const double value = i + 1 == orders && orders % 2 == 1 ? mean : mean + (i % 2 == 0 ? around : -around);
    to.add_conversion(kCreditWhole, std::llround(value * kUnit));
  }
  return to;
}

std::string verdict(const std::optional<Judgement>& judgement) {
  if (!judgement) return "null";
  std::string name(kVerdictNames[static_cast<size_t>(judgement->verdict)]);
  return judgement->visits_needed ? name + " " + std::to_string(*judgement->visits_needed) : name;
}
std::string judged(const ReturnSums& of, int64_t cost, std::vector<Roas> models = {}, int64_t margin = 600'000) {
  return verdict(judge(of, cost * kUnit, margin, models));
}

void rates_by_wilson(void**) {
  expect_text(text(wilson(10, 200), 4), "0.0274 0.0896");
  expect_text(text(wilson(0, 50), 4), "0.0000 0.0714");
  expect_text(text(wilson(3, 12), 4), "0.0889 0.5323");
  expect_text(text(wilson(50, 50), 4), "0.9286 1.0000");
  assert_true(wilson(0, 50)->low == 0 && wilson(50, 50)->high == 1);
  expect_text(text(wilson(2.5, 12), 4), "0.0669 0.4912");  // shared credit
}

void what_is_no_rate_has_no_interval(void**) {
  expect_text(text(wilson(0, 0), 4), "null");
  expect_text(text(wilson(13, 12), 4), "null");
  expect_text(text(wilson(-1, 12), 4), "null");
  expect_text(text(wilson(NAN, 12), 4), "null");
  expect_text(text(newcombe(1, 2, 3, 0), 4), "null");
  expect_text(text(newcombe(3, 0, 1, 2), 4), "null");
}

void differences_by_newcombe(void**) {
  expect_text(text(newcombe(16, 400, 25, 5000), 3), "0.020 0.059");
  expect_text(text(newcombe(25, 5000, 16, 400), 3), "-0.059 -0.020");
  expect_text(text(newcombe(56, 70, 48, 80), 4), "0.0524 0.3339");  // Newcombe 1998, table II, (a), method 10
  expect_text(text(newcombe(10, 10, 0, 20), 4), "0.6791 1.0000");   // (g)
}

void returns_of_a_mailing_and_a_banner(void**) {
  const ReturnSums mailing = sums(5000, 25, 40, 25), banner = sums(400, 16, 60, 30);
  const Roas of_mailing = roas_of(mailing, 3000 * kUnit), of_banner = roas_of(banner, 300 * kUnit);
  expect_text(text(*of_mailing.roas, 2), "0.33");
  expect_text(text(of_mailing.interval, 2), "0.21 0.53");
  expect_text(judged(mailing, 3000), "cut");
  expect_text(text(*of_banner.roas, 1), "3.2");
  expect_text(text(of_banner.interval, 1), "1.9 5.5");
  expect_text(judged(banner, 300), "raise");
  expect_text(text(*rpv_micros(mailing) / kUnit, 2), "0.20");
  const Interval rpv = *rpv_micros_interval(mailing);
  expect_text(text(Interval{rpv.low / kUnit, rpv.high / kUnit}, 3), "0.126 0.317");
}

void without_orders_visits_or_cost_there_is_no_interval(void**) {
  ReturnSums none;
  assert_false(rpv_micros(none).has_value());
  none.visits = 100;
  assert_true(*rpv_micros(none) == 0);
  assert_false(rpv_micros_interval(none).has_value());
  assert_true(*roas_of(none, kUnit).roas == 0);
  assert_false(roas_of(none, kUnit).interval.has_value());
  ReturnSums many = sums(24, 25, 40, 25);
  assert_false(rpv_micros_interval(many).has_value());  // more orders than visits
  many.visits = 25;
  assert_true(rpv_micros_interval(many).has_value());
  ReturnSums free = sums(100, 20, 0, 0);
  assert_false(rpv_micros_interval(free).has_value());  // nothing was earned
  for (const int64_t cost : {int64_t{0}, -kUnit}) {
    assert_false(roas_of(many, cost).roas.has_value());
    assert_false(roas_of(many, cost).interval.has_value());
  }
}

void shared_credit_weighs_less(void**) {
  ReturnSums halves;
  halves.visits = 1000;
  for (int i = 0; i < 40; ++i) halves.add_conversion(kCreditWhole / 2, 20 * kUnit);
  assert_true(std::fabs(halves.effective_conversions() - 40) < 1e-9);  // 20 orders, told by 40
  halves.add_conversion(kCreditWhole * 10, 400 * kUnit);
  assert_true(std::fabs(halves.effective_conversions() - 30.0 * 30 / (10 + 100)) < 1e-9);
}

void a_verdict_needs_cost_and_margin(void**) {
  const ReturnSums mailing = sums(5000, 25, 40, 25);
  expect_text(judged(mailing, 0), "null");
  expect_text(judged(mailing, 3000, {}, 0), "null");
  expect_text(judged(mailing, 3000, {}, 1'000'001), "null");
  expect_text(judged(mailing, 3000, {}, 1'000'000), "cut");
}

void narrow_around_break_even_is_kept(void**) {
  // 1,000 orders of 40: 40,000; break-even at a cost of 24,000
  expect_text(judged(sums(50'000, 1000, 40, 25), 24'000), "keep");
  expect_text(judged(sums(50'000, 1000, 40, 25), 22'000), "raise");
  expect_text(judged(sums(50'000, 1000, 40, 25), 26'000), "cut");
  // 25 orders: the same, but wide
  expect_text(judged(sums(5000, 25, 40, 25), 600), "too_early 3864");
}

// The visits that are said to be needed, with the same rates: just then it is another verdict.
void visits_needed_are_those(void**) {
  const auto scaled = [](uint64_t visits) {  // 1 order in 100 visits, as a part of one where need be
    ReturnSums to;
    to.visits = visits;
    for (uint64_t i = 0; i < visits; ++i) to.add_conversion(0, 0);
    to.credit_millionths = visits * 10'000, to.credit_squares = static_cast<unsigned __int128>(visits) * 10'000'000'000;
    to.revenue_micros = static_cast<unsigned __int128>(visits) * 400'000;                    // 40 an order
    to.revenue_squares = static_cast<unsigned __int128>(visits) * 20'000'000'000'000;        // 40^2 + 20^2
    to.largest_micros = 60 * kUnit;
    return to;
  };
  for (const int64_t cost_a_thousand : {100, 200, 235, 240, 245, 300, 500}) {
    const auto at = [&](uint64_t visits) {
      return judge(scaled(visits), static_cast<int64_t>(visits) * cost_a_thousand * 1000, 600'000);
    };
    const uint64_t begin = 300;
    assert_true(at(begin)->verdict == Verdict::too_early);
    const uint64_t needed = *at(begin)->visits_needed;
    assert_true(needed > 1);
    assert_true(at(begin + needed + 2)->verdict != Verdict::too_early);
    assert_true(at(begin + needed - 2)->verdict == Verdict::too_early);
  }
}

void few_orders_are_always_too_early(void**) {
  expect_text(judged(sums(10'000, 9, 1000, 0), 10), "too_early 1112");
  expect_text(judged(sums(10'000, 10, 1000, 0), 10), "raise");
  ReturnSums none;
  none.visits = 10'000;
  expect_text(judged(none, 10), "too_early");
}

void one_large_order_is_no_verdict(void**) {
  ReturnSums large = sums(10'000, 30, 10, 0);
  large.add_conversion(kCreditWhole, 300 * kUnit);
  expect_text(judged(large, 10), "raise");
  large.add_conversion(0, 0);
  large.largest_micros += 1, large.revenue_micros += 1;
  expect_text(judged(large, 10), "too_early 1");
}

void models_must_agree(void**) {
  const ReturnSums banner = sums(400, 16, 60, 30);
  const Roas higher{4.0, Interval{2.0, 7.0}}, across{3.0, Interval{1.0, 6.0}}, markov{3.3, std::nullopt}, low{1.0, std::nullopt};
  expect_text(judged(banner, 300, {higher, markov}), "raise");
  expect_text(judged(banner, 300, {Roas{}}), "raise");
  expect_text(judged(banner, 300, {higher, across}), "depends_on_model");
  expect_text(judged(banner, 300, {higher, low}), "depends_on_model");
  expect_text(judged(sums(10'000, 9, 1000, 0), 10, {low}), "too_early 1112");  // that goes first
}

void any_parts_give_the_same(void**) {
  Random random(1);
  for (int run = 0; run < 2000; ++run) {
    ReturnSums whole, merged;
    std::vector<ReturnSums> parts(1 + random.below(5));
    for (int i = 0; i < 40; ++i) {
      const auto credit = static_cast<int64_t>(random.below(kCreditWhole + 1));
      const auto revenue = static_cast<int64_t>(random.below(1'000'000'000'000'000) >> random.below(50));
      ReturnSums& part = parts[random.below(parts.size())];
      whole.add_conversion(credit, revenue), part.add_conversion(credit, revenue);
      whole.visits += static_cast<uint64_t>(i), part.visits += static_cast<uint64_t>(i);
    }
    for (const ReturnSums& part : parts) merged.merge(ReturnSums::decode(part.encode()).value());
    assert_true(merged == whole);
    assert_true(merged.encode() == whole.encode());
  }
}

void broken_bytes_are_refused(void**) {
  const std::string good = sums(5000, 25, 40, 25).encode();
  for (size_t cut = 0; cut < good.size(); ++cut) assert_false(ReturnSums::decode(good.substr(0, cut)).ok());
  assert_false(ReturnSums::decode(good + "x").ok());
  std::string bytes = good;
  bytes[0] = 99;
  assert_true(ReturnSums::decode(bytes).error().code == Error::Code::version);
  Random random(5);
  for (int run = 0; run < 20'000; ++run) {
    bytes = good;
    random.mutate(bytes);
    const auto decoded = ReturnSums::decode(bytes);
    if (decoded.ok()) judge(decoded.value(), 3000 * kUnit, 600'000);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(rates_by_wilson),
      cmocka_unit_test(what_is_no_rate_has_no_interval),
      cmocka_unit_test(differences_by_newcombe),
      cmocka_unit_test(returns_of_a_mailing_and_a_banner),
      cmocka_unit_test(without_orders_visits_or_cost_there_is_no_interval),
      cmocka_unit_test(shared_credit_weighs_less),
      cmocka_unit_test(a_verdict_needs_cost_and_margin),
      cmocka_unit_test(narrow_around_break_even_is_kept),
      cmocka_unit_test(visits_needed_are_those),
      cmocka_unit_test(few_orders_are_always_too_early),
      cmocka_unit_test(one_large_order_is_no_verdict),
      cmocka_unit_test(models_must_agree),
      cmocka_unit_test(any_parts_give_the_same),
      cmocka_unit_test(broken_bytes_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
