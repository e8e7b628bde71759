#include "credit/shapley.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "credit/shares.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

struct Journey {
  std::vector<std::string> channels;
  bool converts = false;
};

ChannelSets sets;  // of the running test
ChannelSets other;
std::vector<Journey> journeys;

int begin(void**) { return sets = {}, other = {}, journeys.clear(), 0; }

void add(ChannelSets& to, const Journey& journey, uint64_t times = 1) {
  const std::vector<std::string_view> channels(journey.channels.begin(), journey.channels.end());
  to.add(channels, journey.converts, times);
}
void journey(std::vector<std::string> channels, uint64_t conversions, uint64_t of) {
  add(sets, {channels, true}, conversions);
  add(sets, {std::move(channels), false}, of - conversions);
}

std::string shares(const ChannelSets& of) {
  std::string text;
  for (const ShapleyRow& row : of.solve())
    text.append(text.empty() ? "" : " ").append(row.is_rest ? "rest" : row.channel).append(":").append(std::to_string(row.share));
  return text;
}

// v(a) = 0.1, v(b) = 0.3, v(ab) = (1 + 3 + 6)/(10 + 10 + 10) = 1/3.
// a: ((0.1 - 0) + (1/3 - 0.3))/2 = 1/15, b: (0.3 + (1/3 - 0.1))/2 = 4/15.
void two_channels_by_hand(void**) {
  journey({"a"}, 1, 10), journey({"b"}, 3, 10), journey({"b", "a", "b"}, 6, 10);
  expect_text(shares(sets), "a:200000000 b:800000000");
  const std::vector<ShapleyRow> rows = sets.solve();
  assert_true(std::fabs(rows[0].value - 1.0 / 15) < 1e-15);
  assert_true(std::fabs(rows[1].value - 4.0 / 15) < 1e-15);
  expect_number(static_cast<int64_t>(rows[1].journeys), 20);
}

// v(a) = 0.5, v(b) = 0, v(ab) = 2/8 = 0.25: b takes away 0.125 on average and counts 0.
void what_takes_away_counts_nothing(void**) {
  journey({"a"}, 2, 4), journey({"b"}, 0, 4);
  assert_true(sets.solve()[1].value == -0.125);
  expect_text(shares(sets), "a:1000000000 b:0");
}

// Nobody came by a alone: v(a) is 0, not unknown.
void a_coalition_that_nobody_came_by_is_worth_nothing(void**) {
  journey({"a", "b"}, 1, 2);
  expect_text(shares(sets), "a:500000000 b:500000000");
}

void one_channel_has_it_all(void**) {
  journey({"a"}, 1, 7);
  expect_text(shares(sets), "a:1000000000");
}

void without_conversions_nobody_has_a_share(void**) {
  journey({"a", "b"}, 0, 7);
  expect_text(shares(sets), "a:0 b:0");
}

void nothing_gives_nothing(void**) {
  journey({}, 1, 2);
  assert_true(sets.empty());
  expect_text(shares(sets), "");
}

void random_journeys(Random& random, uint64_t count, uint64_t channels) {
  journeys.clear();
  for (uint64_t left = count; left > 0; --left) {
    Journey& journey = journeys.emplace_back();
    for (uint64_t touches = 1 + random.below(4); touches > 0; --touches)
      journey.channels.push_back("c" + std::to_string(100 + random.below(channels)));
    journey.converts = random.below(1 + (journey.channels.front().back() - '0') % 5u) == 0;
  }
}

double worth(const std::set<std::string>& coalition) {
  double all = 0, converting = 0;
  for (const Journey& journey : journeys) {
    const bool is_within = std::all_of(journey.channels.begin(), journey.channels.end(),
                                       [&](const std::string& channel) { return coalition.contains(channel); });
    if (is_within) all += 1, converting += journey.converts;
  }
  return all == 0 ? 0 : converting / all;
}

// The plain definition: over all orders in which the channels come together, the mean of what each adds.
void values_are_means_over_all_orders(void**) {
  Random random(2);
  for (uint64_t channels = 1; channels <= 6; ++channels) {
    random_journeys(random, 40 * channels, channels);
    sets = {};
    for (const Journey& journey : journeys) add(sets, journey);
    const std::vector<ShapleyRow> rows = sets.solve();
    std::vector<size_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0);
    std::vector<double> sums(rows.size());
    double orders = 0;
    do {
      std::set<std::string> coalition;
      double before = 0;
      for (const size_t i : order) {
        coalition.insert(rows[i].channel);
        const double now = worth(coalition);
        sums[i] += now - before, before = now;
      }
      orders += 1;
    } while (std::next_permutation(order.begin(), order.end()));
    for (size_t i = 0; i < rows.size(); ++i) assert_true(std::fabs(rows[i].value - sums[i] / orders) < 1e-13);
    const int64_t sum = std::accumulate(rows.begin(), rows.end(), int64_t{0}, [](int64_t to, const ShapleyRow& row) { return to + row.share; });
    expect_number(sum, kShareWhole);
  }
}

// With the channels that are not told apart given one name from the start, the values are the same.
void the_lightest_channels_are_one(void**) {
  Random random(9);
  random_journeys(random, 5'000, 20);
  std::vector<std::pair<int64_t, std::string>> weights;
  for (int i = 0; i < 20; ++i) {
    const std::string channel = "c" + std::to_string(100 + i);
    const auto has = [&](const Journey& j) { return std::find(j.channels.begin(), j.channels.end(), channel) != j.channels.end(); };
    weights.emplace_back(-std::count_if(journeys.begin(), journeys.end(), has), channel);
  }
  std::sort(weights.begin(), weights.end());
  for (const Journey& journey : journeys) {
    add(sets, journey);
    Journey named = journey;
    for (std::string& channel : named.channels)
      for (size_t i = kShapleyChannelsMax; i < weights.size(); ++i)
        if (channel == weights[i].second) channel = " rest";
    add(other, named);
  }
  const std::vector<ShapleyRow> rows = sets.solve();
  expect_number(static_cast<int64_t>(rows.size()), kShapleyChannelsMax + 1);
  assert_true(rows[0].is_rest);
  // The other one has 13 names; its lightest is its rest, and all else as here.
  const std::vector<ShapleyRow> named = other.solve();
  expect_number(static_cast<int64_t>(named.size()), kShapleyChannelsMax + 1);
  std::vector<int64_t> here, there;
  for (const ShapleyRow& row : rows) here.push_back(row.share / 10);
  for (const ShapleyRow& row : named) there.push_back(row.share / 10);
  std::sort(here.begin(), here.end()), std::sort(there.begin(), there.end());
  for (size_t i = 0; i < here.size(); ++i) expect_number(here[i], there[i]);
}

void any_order_and_any_parts_give_the_same(void**) {
  Random random(3);
  random_journeys(random, 3'000, 18);
  for (const Journey& journey : journeys) add(sets, journey);
  const std::string bytes = sets.encode(), text = shares(sets);
  for (int run = 0; run < 5; ++run) {
    for (size_t i = journeys.size(); i > 1; --i) std::swap(journeys[i - 1], journeys[random.below(i)]);
    std::vector<ChannelSets> parts(1 + random.below(7));
    for (const Journey& journey : journeys) add(parts[random.below(parts.size())], journey);
    other = {};
    for (const ChannelSets& part : parts) {
      auto decoded = ChannelSets::decode(part.encode());
      assert_true(decoded.ok());
      other.merge(*decoded);
    }
    assert_true(other.encode() == bytes);
    expect_text(shares(other), text);
  }
}

void what_does_not_fit_is_the_rest(void**) {
  for (size_t i = 0; i < kJourneyChannelsMax; ++i) journey({"c" + std::to_string(i)}, 0, 1);
  expect_number(static_cast<int64_t>(sets.crowded_out()), 0);
  journey({"late"}, 1, 2), journey({"later"}, 1, 3);
  expect_number(static_cast<int64_t>(sets.crowded_out()), 5);
  other.merge(sets);
  expect_number(static_cast<int64_t>(other.crowded_out()), 5);
  Random random(4);
  for (int i = 0; i < 60'000; ++i)
    journey({"c" + std::to_string(random.below(63)), "c" + std::to_string(random.below(63)), "c" + std::to_string(random.below(63)),
             "c" + std::to_string(random.below(63))}, 1, 1);
  assert_true(sets.size() <= kChannelSetsMax + 1);
  uint64_t rest = 0;
  for (const ShapleyRow& row : sets.solve()) rest = row.is_rest ? row.journeys : rest;
  assert_true(rest >= sets.crowded_out() && sets.crowded_out() > 5);
}

void broken_bytes_are_refused(void**) {
  journey({"a", "b"}, 2, 300), journey({"c", "b"}, 5, 5);
  const std::string good = sets.encode();
  expect_text(ChannelSets::decode(good).value().encode(), good);
  for (size_t cut = 0; cut < good.size(); ++cut) assert_false(ChannelSets::decode(good.substr(0, cut)).ok());
  assert_false(ChannelSets::decode(good + "x").ok());
  std::string bytes = good;
  bytes[0] = 99;
  assert_true(ChannelSets::decode(bytes).error().code == Error::Code::version);
  // version, crowded out, channels, sets: set, journeys, conversions
  assert_true(ChannelSets::decode(std::string("\1\0\0\1\1\2\2", 7)).ok());
  for (const char* set : {"\0\2\1", "\2\2\1", "\1\0\0", "\1\1\2"})
    assert_false(ChannelSets::decode(std::string("\1\0\0\1", 4) + std::string(set, 3)).ok());
  Random random(5);
  for (int run = 0; run < 20'000; ++run) {
    bytes = good;
    random.mutate(bytes);
    if (const auto decoded = ChannelSets::decode(bytes); decoded.ok()) decoded.value().solve();
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(two_channels_by_hand, begin),
      cmocka_unit_test_setup(what_takes_away_counts_nothing, begin),
      cmocka_unit_test_setup(a_coalition_that_nobody_came_by_is_worth_nothing, begin),
      cmocka_unit_test_setup(one_channel_has_it_all, begin),
      cmocka_unit_test_setup(without_conversions_nobody_has_a_share, begin),
      cmocka_unit_test_setup(nothing_gives_nothing, begin),
      cmocka_unit_test_setup(values_are_means_over_all_orders, begin),
      cmocka_unit_test_setup(the_lightest_channels_are_one, begin),
      cmocka_unit_test_setup(any_order_and_any_parts_give_the_same, begin),
      cmocka_unit_test_setup(what_does_not_fit_is_the_rest, begin),
      cmocka_unit_test_setup(broken_bytes_are_refused, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
