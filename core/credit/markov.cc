#include "credit/markov.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "credit/shares.h"

namespace footfall {
namespace {

// transitions: version u8 | crowded_out varint | varint x value text, ascending | varint x (from varint | to varint | count varint)
//              a state is one of those below, or kFixed + its value's place; ascending by (from, to)
constexpr uint8_t kVersion = 1;
enum : uint32_t { kStart = 0, kConversion = 1, kLoss = 2, kNull = 3, kRest = 4, kFixed = 5 };

uint64_t pair_of(uint32_t from, uint32_t to) { return uint64_t{from} << 32 | to; }
uint32_t from_of(uint64_t pair) { return static_cast<uint32_t>(pair >> 32); }
uint32_t to_of(uint64_t pair) { return static_cast<uint32_t>(pair); }
uint64_t sum_of(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

// A chain that ends in conversion or loss, state 0 being the start. Grassmann, Taksar and Heyman's elimination: the part of
// a state that is left is summed up from where it leads, never taken as 1 minus the rest, so nothing cancels.
//
// With Q the steps between states, I - Q = (I - U) D (I - L), so (I - Q)^-1, the visits to be expected, is
// (I - L)^-1 D^-1 (I - U)^-1; all parts of all of them are sums of what is not below zero.
class Chain {
 public:
  explicit Chain(size_t states)
      : n_(states), steps_(states * states), upper_(states * states), conversion_(states), loss_(states), left_(states) {}

  double& step(size_t from, size_t to) { return steps_[from * n_ + to]; }
  double& conversion(size_t from) { return conversion_[from]; }
  double& loss(size_t from) { return loss_[from]; }

  // The chance to convert from each state on, and to come to each one from the start at all.
  struct Chances {
    std::vector<double> converts, comes;
  };
  Chances solve() {
    for (size_t state = n_; state-- > 0;) eliminate(state);
    Chances chances{convert(), std::vector<double>(n_)};
    const std::vector<double> down = inverse_upper(), up = inverse_lower();
    for (size_t i = 0; i < n_; ++i) {
      double visits = 0;
      for (size_t k = 0; k <= i; ++k) visits += up[i * n_ + k] / left_[k] * down[k * n_ + i];
      chances.comes[i] = down[i] / left_[0] / visits;  // of row 0
    }
    return chances;
  }

 private:
  void eliminate(size_t state) {
    double* row = &steps_[state * n_];
    double left = conversion_[state] + loss_[state];
    for (size_t to = 0; to < state; ++to) left += row[to];
    if (!(left > 0)) left = loss_[state] = 1;  // leads nowhere, which is no conversion
    left_[state] = left;
    for (size_t from = 0; from < state; ++from) {
      if (step(from, state) == 0) continue;
      const double part = upper_[from * n_ + state] = step(from, state) / left;
      double* of = &steps_[from * n_];
      for (size_t to = 0; to < state; ++to) of[to] += part * row[to];
      conversion_[from] += part * conversion_[state];
      loss_[from] += part * loss_[state];
    }
    for (size_t to = 0; to < state; ++to) row[to] /= left;  // L's row from now on
  }

  std::vector<double> convert() {
    std::vector<double> converts(n_);
    for (size_t i = 0; i < n_; ++i) {
      converts[i] = conversion_[i] / left_[i];
      for (size_t to = 0; to < i; ++to) converts[i] += step(i, to) * converts[to];
    }
    return converts;
  }

  std::vector<double> inverse_upper() const {
    std::vector<double> inverse(n_ * n_);
    for (size_t i = n_; i-- > 0;) {
      inverse[i * n_ + i] = 1;
      for (size_t k = i + 1; k < n_; ++k) add_row(inverse, i, upper_[i * n_ + k], k, k, n_);
    }
    return inverse;
  }
  std::vector<double> inverse_lower() const {
    std::vector<double> inverse(n_ * n_);
    for (size_t i = 0; i < n_; ++i) {
      inverse[i * n_ + i] = 1;
      for (size_t k = 0; k < i; ++k) add_row(inverse, i, steps_[i * n_ + k], k, 0, k + 1);
    }
    return inverse;
  }
  void add_row(std::vector<double>& to, size_t row, double times, size_t of, size_t begin, size_t end) const {
    if (times == 0) return;
    for (size_t at = begin; at < end; ++at) to[row * n_ + at] += times * to[of * n_ + at];
  }

  size_t n_;
  std::vector<double> steps_;  // by rows; below the diagonal L, as far as eliminated
  std::vector<double> upper_;  // U
  std::vector<double> conversion_, loss_;
  std::vector<double> left_;   // D: the part that leaves for states before it, conversion and loss
};

}  // namespace

Transitions::State Transitions::state_of(std::string_view value, uint64_t comes) {
  if (value.empty()) return kNull;
  if (const auto found = states_.find(value); found != states_.end()) return found->second;
  if (counts_.size() >= kTransitionsMax) return crowded_out_ = sum_of(crowded_out_, comes), kRest;
  values_.emplace_back(value);
  return states_.emplace(values_.back(), static_cast<State>(kFixed + values_.size() - 1)).first->second;
}

std::string_view Transitions::value_of(State state) const {
  return state < kFixed ? std::string_view() : std::string_view(values_[state - kFixed]);
}

void Transitions::count(State from, State to, uint64_t count) {
  if (from == to || count == 0) return;
  if (const auto found = counts_.find(pair_of(from, to)); found != counts_.end()) {
    found->second = sum_of(found->second, count);
  } else if (counts_.size() < kTransitionsMax || (from <= kRest && to <= kRest)) {
    counts_.emplace(pair_of(from, to), count);
  } else {
    crowded_out_ = sum_of(crowded_out_, count);
    this->count(std::min<State>(from, kRest), std::min<State>(to, kRest), count);
  }
}

void Transitions::add_entry(std::string_view to, uint64_t journeys) { count(kStart, state_of(to, journeys), journeys); }

void Transitions::add_step(std::string_view from, std::string_view to, uint64_t journeys) {
  const State before = state_of(from, 0);
  count(before, state_of(to, journeys), journeys);
}

void Transitions::add_end(std::string_view from, bool converts, uint64_t journeys) {
  count(state_of(from, 0), converts ? kConversion : kLoss, journeys);
}

void Transitions::add(std::span<const std::string_view> journey, bool converts, uint64_t journeys) {
  if (journey.empty()) return;
  State from = kStart;
  for (const std::string_view value : journey) {
    const State to = state_of(value, journeys);
    count(from, to, journeys);
    from = to;
  }
  count(from, converts ? kConversion : kLoss, journeys);
}

void Transitions::merge(const Transitions& other) {
  if (&other == this) return merge(Transitions(other));
  // In one order, so that even what is crowded out is the same whatever tables of hashes look like.
  std::vector<std::pair<uint64_t, uint64_t>> sorted(other.counts_.begin(), other.counts_.end());
  std::sort(sorted.begin(), sorted.end());
  const auto translate = [&](State state, uint64_t comes) {
    return state < kFixed ? state : state_of(other.value_of(state), comes);
  };
  for (const auto& [pair, times] : sorted) {
    const State from = translate(from_of(pair), 0);
    count(from, translate(to_of(pair), times), times);
  }
  crowded_out_ = sum_of(crowded_out_, other.crowded_out_);
}

std::string Transitions::encode() const {
  std::vector<State> order;  // states of values that are used, by value
  for (const auto& [pair, times] : counts_)
    for (const State state : {from_of(pair), to_of(pair)})
      if (state >= kFixed) order.push_back(state);
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  std::sort(order.begin(), order.end(), [&](State a, State b) { return value_of(a) < value_of(b); });
  std::vector<State> place(kFixed + values_.size());
  for (State state = 0; state < kFixed; ++state) place[state] = state;
  for (size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<State>(kFixed + i);
  std::vector<std::pair<uint64_t, uint64_t>> sorted;
  for (const auto& [pair, times] : counts_) sorted.emplace_back(pair_of(place[from_of(pair)], place[to_of(pair)]), times);
  std::sort(sorted.begin(), sorted.end());

  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).varint(crowded_out_).varint(order.size());
  for (const State state : order) writer.text(value_of(state));
  writer.varint(sorted.size());
  for (const auto& [pair, times] : sorted) writer.varint(from_of(pair)).varint(to_of(pair)).varint(times);
  return bytes;
}

Result<Transitions> Transitions::decode(std::string_view bytes) {
  BytesReader reader(bytes);
  if (const uint8_t version = reader.u8(); reader.ok() && version != kVersion)
    return Error::version("transitions: version " + std::to_string(version));
  Transitions to;
  to.crowded_out_ = reader.varint();
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const std::string_view value = reader.text();
    if (value.empty() || (!to.values_.empty() && value <= to.values_.back())) return Error::corrupt("transitions: values");
    to.values_.emplace_back(value);
    to.states_.emplace(value, static_cast<State>(kFixed + to.values_.size() - 1));
  }
  const uint64_t states = kFixed + to.values_.size();
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const uint64_t from = reader.varint(), state = reader.varint(), times = reader.varint();
    const bool is_step = from < states && state < states && from != state && times > 0 && from != kConversion &&
                         from != kLoss && state != kStart;
    if (!is_step || !to.counts_.emplace(pair_of(static_cast<State>(from), static_cast<State>(state)), times).second)
      return Error::corrupt("transitions: steps");
  }
  if (!reader.ok() || !reader.at_end()) return Error::corrupt("transitions: length");
  return to;
}

// The heaviest values, in the order of their bytes; the heavier of two is the one with more touches, then the first.
std::vector<Transitions::State> Transitions::told_apart() const {
  std::vector<uint64_t> touches(kFixed + values_.size());
  for (const auto& [pair, times] : counts_) touches[to_of(pair)] = sum_of(touches[to_of(pair)], times);
  std::vector<State> states;
  for (State state = kFixed; state < touches.size(); ++state)
    if (touches[state] > 0) states.push_back(state);
  const size_t room = kMarkovStatesMax - (touches[kNull] > 0 ? 1 : 0);
  if (states.size() + (touches[kRest] > 0 ? 1 : 0) > room) {
    std::sort(states.begin(), states.end(), [&](State a, State b) {
      return touches[a] != touches[b] ? touches[a] > touches[b] : value_of(a) < value_of(b);
    });
    states.resize(room - 1);
  }
  std::sort(states.begin(), states.end(), [&](State a, State b) { return value_of(a) < value_of(b); });
  return states;
}

// Steps between places: 0 start, 1 null, 2 rest, then the values that are told apart, conversion, loss. Ascending, each pair
// once: whole numbers add up alike in any order, and from here on the order is given.
std::vector<Transitions::Step> Transitions::steps_between(std::span<const State> values) const {
  const size_t ends = 3 + values.size();
  std::vector<size_t> place(kFixed + values_.size(), 2);
  place[kStart] = 0, place[kNull] = 1, place[kConversion] = ends, place[kLoss] = ends + 1;
  for (size_t i = 0; i < values.size(); ++i) place[values[i]] = 3 + i;
  std::vector<Step> all, steps;
  for (const auto& [pair, times] : counts_)
    if (place[from_of(pair)] != place[to_of(pair)]) all.push_back({place[from_of(pair)], place[to_of(pair)], times});
  std::sort(all.begin(), all.end(), [](const Step& a, const Step& b) { return std::pair(a.from, a.to) < std::pair(b.from, b.to); });
  for (const Step& step : all) {
    if (!steps.empty() && steps.back().from == step.from && steps.back().to == step.to) steps.back().times += step.times;
    else steps.push_back(step);
  }
  return steps;
}

MarkovShares Transitions::solve() const {
  MarkovShares shares;
  if (counts_.empty()) return shares;
  const std::vector<State> values = told_apart();
  const std::vector<Step> steps = steps_between(values);
  const size_t ends = 3 + values.size();
  std::vector<__int128> leave(ends), come(ends + 2);
  for (const Step& step : steps) leave[step.from] += step.times, come[step.to] += step.times;
  Chain chain(ends);
  for (const Step& step : steps) {
    double& part = step.to == ends ? chain.conversion(step.from) : step.to > ends ? chain.loss(step.from) : chain.step(step.from, step.to);
    part = static_cast<double>(step.times) / static_cast<double>(leave[step.from]);
  }
  const Chain::Chances chances = chain.solve();
  shares.conversion_rate = std::min(chances.converts[0], 1.0);
  std::vector<double> effects;
  for (size_t i = 1; i < ends; ++i) {
    if (come[i] == 0) continue;
    MarkovRow& row = shares.rows.emplace_back();
    row.kind = i == 1 ? MarkovKind::null : i == 2 ? MarkovKind::rest : MarkovKind::value;
    if (i >= 3) row.value = value_of(values[i - 3]);
    row.touches = static_cast<uint64_t>(std::min<__int128>(come[i], UINT64_MAX));
    // Lost without a state is what would come to it and convert from there on.
    if (chances.converts[0] > 0) row.effect = std::min(chances.comes[i] * chances.converts[i] / chances.converts[0], 1.0);
    effects.push_back(row.effect);
  }
  const std::vector<int64_t> parts = shares_of(effects);
  for (size_t i = 0; i < parts.size(); ++i) shares.rows[i].share = parts[i];
  return shares;
}

}  // namespace footfall
