#include "credit/markov.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "credit/shares.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

struct Journey {
  std::vector<std::string> values;
  bool converts = false;
};

Transitions chain;  // of the running test
Transitions other;
std::vector<Journey> journeys;

int begin(void**) { return chain = {}, other = {}, journeys.clear(), 0; }

void add(Transitions& to, const Journey& journey, uint64_t times = 1) {
  const std::vector<std::string_view> values(journey.values.begin(), journey.values.end());
  to.add(values, journey.converts, times);
}
void journey(std::vector<std::string> values, bool converts, uint64_t times = 1) {
  add(chain, {std::move(values), converts}, times);
}

std::string shares(const Transitions& of) {
  std::string text;
  for (const MarkovRow& row : of.solve().rows) {
    const std::string name = row.kind == MarkovKind::null ? "null" : row.kind == MarkovKind::rest ? "rest" : row.value;
    text.append(text.empty() ? "" : " ").append(name).append(":").append(std::to_string(row.share));
  }
  return text;
}

void removal_effects_are_shared(void**) {
  journey({"C1", "C2", "C3"}, true), journey({"C1"}, false), journey({"C2", "C3"}, false);
  expect_text(shares(chain), "C1:200000000 C2:400000000 C3:400000000");
  const MarkovShares solved = chain.solve();
  assert_true(std::fabs(solved.conversion_rate - 1.0 / 3) < 1e-15);
  assert_true(std::fabs(solved.rows[0].effect - 0.5) < 1e-15);
  assert_true(std::fabs(solved.rows[1].effect - 1) < 1e-15);
  assert_true(std::fabs(solved.rows[2].effect - 1) < 1e-15);
}

void repeats_in_a_row_are_one(void**) {
  journey({"C1", "C1", "C2", "C2", "C2", "C3"}, true), journey({"C1", "C1"}, false), journey({"C2", "C3", "C3"}, false);
  expect_text(shares(chain), "C1:200000000 C2:400000000 C3:400000000");
  expect_number(static_cast<int64_t>(chain.solve().rows[0].touches), 2);
}

// a > b > a: from a on, half converts and half goes to b; b leads to a alone. Without b, a converts 1/2.
void a_state_may_come_again(void**) {
  journey({"a", "b", "a"}, true);
  const MarkovShares solved = chain.solve();
  assert_true(std::fabs(solved.conversion_rate - 1) < 1e-15);
  assert_true(std::fabs(solved.rows[0].effect - 1) < 1e-15);
  assert_true(std::fabs(solved.rows[1].effect - 0.5) < 1e-15);
  expect_text(shares(chain), "a:666666667 b:333333333");
}

void a_touch_without_a_value_is_a_state(void**) {
  journey({"", "summer"}, true);
  expect_text(shares(chain), "null:500000000 summer:500000000");
  assert_true(chain.solve().rows[0].kind == MarkovKind::null);
}

// A shop's own channel may bear any name.
void names_of_states_are_no_states(void**) {
  journey({"rest", "null", "start", "loss"}, true), journey({"conversion"}, false);
  for (const MarkovRow& row : chain.solve().rows) assert_true(row.kind == MarkovKind::value);
  assert_true(std::fabs(chain.solve().conversion_rate - 0.5) < 1e-15);
}

void without_conversions_nobody_has_a_share(void**) {
  journey({"a", "b"}, false, 7);
  expect_text(shares(chain), "a:0 b:0");
  assert_true(chain.solve().conversion_rate == 0);
}

void nothing_gives_nothing(void**) {
  journey({}, true);
  assert_true(chain.empty());
  expect_text(shares(chain), "");
  expect_number(static_cast<int64_t>(chain.solve().rows.size()), 0);
}

void all_orders_and_revenue_are_shared_out(void**) {
  const std::vector<int64_t> thirds = shares_of(std::vector<double>{1, 1, 1});
  const std::vector<__int128> parts = split_by_shares(100, thirds);
  expect_number(static_cast<int64_t>(parts[0]), 34);
  expect_number(static_cast<int64_t>(parts[1]), 33);
  expect_number(static_cast<int64_t>(parts[2]), 33);
  expect_number(static_cast<int64_t>(split_by_shares(-100, thirds)[0]), -34);
  expect_number(static_cast<int64_t>(split_by_shares(100, std::vector<int64_t>{0, 0})[1]), 0);
  expect_number(shares_of(std::vector<double>{-1, 4})[1], kShareWhole);
  const std::vector<int64_t> halves = shares_of(std::vector<double>{-1, 4, 4});
  expect_number(halves[0], 0);
  expect_number(halves[1], kShareWhole / 2);
  expect_number(halves[2], kShareWhole / 2);
}

void random_journeys(Random& random, uint64_t count, uint64_t values) {
  journeys.clear();
  for (uint64_t left = count; left > 0; --left) {
    Journey& journey = journeys.emplace_back();
    for (uint64_t touches = 1 + random.below(8); touches > 0; --touches) {
      const uint64_t value = random.below(values + 1) * random.below(values + 1) / (values + 1);
      journey.values.push_back(value == 0 ? "" : "v" + std::to_string(value));
    }
    journey.converts = random.below(4) == 0;
  }
}

// The chance of conversion by the plain definition: a linear system in 80 bits, `removed` leading to loss.
long double converts_without(const std::vector<std::string>& states, const std::string* removed) {
  const size_t n = states.size() + 1;  // start last
  std::vector<std::vector<long double>> m(n, std::vector<long double>(n + 1));
  std::vector<long double> leaves(n);
  const auto place = [&](const std::string& value) {
    return static_cast<size_t>(std::lower_bound(states.begin(), states.end(), value) - states.begin());
  };
  for (const Journey& journey : journeys) {
    size_t from = n - 1;
    for (const std::string& value : journey.values) {
      const size_t to = place(value);
      if (to == from) continue;
      leaves[from] += 1;
      if (removed == nullptr || value != *removed) m[from][to] -= 1;
      from = to;
    }
    leaves[from] += 1;
    if (journey.converts) m[from][n] += 1;
  }
  for (size_t i = 0; i < n; ++i) m[i][i] += std::max(leaves[i], 1.0L);
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k; i < n; ++i) if (std::fabs(m[i][k]) > std::fabs(m[pivot][k])) pivot = i;
    std::swap(m[k], m[pivot]);
    for (size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const long double times = m[i][k] / m[k][k];
      for (size_t j = k; j <= n; ++j) m[i][j] -= times * m[k][j];
    }
  }
  return m[n - 1][n] / m[n - 1][n - 1];
}

void effects_are_those_of_the_plain_definition(void**) {
  Random random(11);
  long double worst = 0;
  for (const uint64_t values : {2, 5, 12, 40, 80}) {
    random_journeys(random, values * 20, values);
    chain = {};
    for (const Journey& journey : journeys) add(chain, journey);
    std::vector<std::string> states;
    for (const Journey& journey : journeys) states.insert(states.end(), journey.values.begin(), journey.values.end());
    std::sort(states.begin(), states.end());
    states.erase(std::unique(states.begin(), states.end()), states.end());
    const MarkovShares solved = chain.solve();
    const long double all = converts_without(states, nullptr);
    expect_number(static_cast<int64_t>(solved.rows.size()), static_cast<int64_t>(states.size()));
    assert_true(std::fabs(solved.conversion_rate - all) <= all * 1e-13L);
    for (size_t i = 0; i < states.size(); ++i) {
      expect_text(solved.rows[i].value, states[i]);
      const long double effect = 1 - converts_without(states, &states[i]) / all;
      worst = std::max(worst, std::fabs(solved.rows[i].effect - effect));
    }
    int64_t sum = 0;
    for (const MarkovRow& row : solved.rows) sum += row.share;
    expect_number(sum, kShareWhole);
  }
  assert_true(worst < 1e-13L);
}

void any_order_and_any_parts_give_the_same(void**) {
  Random random(3);
  random_journeys(random, 3'000, 60);
  for (const Journey& journey : journeys) add(chain, journey);
  const std::string bytes = chain.encode(), text = shares(chain);
  const MarkovShares solved = chain.solve();
  for (int run = 0; run < 5; ++run) {
    for (size_t i = journeys.size(); i > 1; --i) std::swap(journeys[i - 1], journeys[random.below(i)]);
    std::vector<Transitions> parts(1 + random.below(7));
    for (const Journey& journey : journeys) add(parts[random.below(parts.size())], journey);
    other = {};
    for (const Transitions& part : parts) {
      auto decoded = Transitions::decode(part.encode());
      assert_true(decoded.ok());
      other.merge(*decoded);
    }
    assert_true(other.encode() == bytes);
    expect_text(shares(other), text);
    for (size_t i = 0; i < solved.rows.size(); ++i) assert_true(other.solve().rows[i].effect == solved.rows[i].effect);
  }
}

void the_heaviest_states_are_told_apart(void**) {
  const auto name = [](size_t i) { return "v" + std::to_string(10'000 + i); };
  for (size_t i = 0; i < kMarkovStatesMax + 50; ++i) journey({name(i)}, i % 2 == 0, 1 + i);
  const MarkovShares solved = chain.solve();
  expect_number(static_cast<int64_t>(solved.rows.size()), kMarkovStatesMax);
  assert_true(solved.rows[0].kind == MarkovKind::rest);
  expect_number(static_cast<int64_t>(solved.rows[0].touches), 51 * 52 / 2);
  expect_text(solved.rows[1].value, name(51));
  expect_number(std::accumulate(solved.rows.begin(), solved.rows.end(), int64_t{0},
                                [](int64_t sum, const MarkovRow& row) { return sum + row.share; }), kShareWhole);
}

void light_states_in_a_row_are_one_rest(void**) {
  for (size_t i = 0; i < kMarkovStatesMax; ++i) journey({"v" + std::to_string(10'000 + i)}, false, 5);
  journey({"x", "y", "z"}, true);
  const MarkovShares solved = chain.solve();
  assert_true(solved.rows[0].kind == MarkovKind::rest);
  expect_number(static_cast<int64_t>(solved.rows[0].touches), 5 + 1);  // one of the heavy had to go, too
}

void what_does_not_fit_is_counted_as_the_rest(void**) {
  for (size_t i = 0; i < kTransitionsMax; ++i) journey({"v" + std::to_string(i)}, false);
  assert_true(chain.size() <= kTransitionsMax + 8);
  assert_true(chain.crowded_out() > 0);
  const MarkovShares solved = chain.solve();
  uint64_t touches = 0;
  for (const MarkovRow& row : solved.rows) touches += row.touches;
  expect_number(static_cast<int64_t>(touches), kTransitionsMax);
  other.merge(chain);
  other.merge(chain);
  assert_true(other.size() <= kTransitionsMax + 8);
}

void broken_bytes_are_refused(void**) {
  journey({"a", "b", ""}, true, 300), journey({"c", "b"}, false, 5);
  const std::string good = chain.encode();
  expect_text(Transitions::decode(good).value().encode(), good);
  for (size_t cut = 0; cut < good.size(); ++cut) assert_false(Transitions::decode(good.substr(0, cut)).ok());
  assert_false(Transitions::decode(good + "x").ok());
  std::string bytes = good;
  bytes[0] = 99;
  assert_true(Transitions::decode(bytes).error().code == Error::Code::version);
  // version, crowded out, values, steps: from, to, times
  assert_true(Transitions::decode(std::string("\1\0\0\1\0\3\1", 7)).ok());
  for (const char* step : {"\3\0\1", "\1\3\1", "\2\3\1", "\3\3\1", "\3\5\1", "\5\3\1", "\3\1\0"})
    assert_false(Transitions::decode(std::string("\1\0\0\1", 4) + std::string(step, 3)).ok());
  Random random(5);
  for (int run = 0; run < 20'000; ++run) {
    bytes = good;
    random.mutate(bytes);
    const auto decoded = Transitions::decode(bytes);
    if (!decoded.ok()) continue;
    for (const MarkovRow& row : decoded.value().solve().rows) assert_true(row.effect >= 0 && row.effect <= 1);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(removal_effects_are_shared, begin),
      cmocka_unit_test_setup(repeats_in_a_row_are_one, begin),
      cmocka_unit_test_setup(a_state_may_come_again, begin),
      cmocka_unit_test_setup(a_touch_without_a_value_is_a_state, begin),
      cmocka_unit_test_setup(names_of_states_are_no_states, begin),
      cmocka_unit_test_setup(without_conversions_nobody_has_a_share, begin),
      cmocka_unit_test_setup(nothing_gives_nothing, begin),
      cmocka_unit_test_setup(all_orders_and_revenue_are_shared_out, begin),
      cmocka_unit_test_setup(effects_are_those_of_the_plain_definition, begin),
      cmocka_unit_test_setup(any_order_and_any_parts_give_the_same, begin),
      cmocka_unit_test_setup(the_heaviest_states_are_told_apart, begin),
      cmocka_unit_test_setup(light_states_in_a_row_are_one_rest, begin),
      cmocka_unit_test_setup(what_does_not_fit_is_counted_as_the_rest, begin),
      cmocka_unit_test_setup(broken_bytes_are_refused, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
