// The model `markov`: what a form of marketing is worth is what would be lost without it. Journeys are a chain of order 1
// over the values of a dimension (channels, campaigns): start, states, then conversion or loss. Rules: README.md.
//
// Collecting and merging may be done in any order and any parts: the same journeys give the same bytes and shares.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/string_map.h"

namespace footfall {

inline constexpr size_t kMarkovStatesMax = 1'000;    // that are told apart when solved, the rest among them
inline constexpr size_t kTransitionsMax = 200'000;   // distinct ones that are kept; up to here order makes no difference

// A row of the answer. `null` are touches without a value, `rest` all values that are not told apart.
enum class MarkovKind : uint8_t { null, rest, value };
struct MarkovRow {
  MarkovKind kind = MarkovKind::value;
  std::string value;         // of kind value alone
  uint64_t touches = 0;      // repeats in a row are one
  double effect = 0;         // 0..1: the part of all conversions that is lost without it
  int64_t share = 0;         // of the summed effects, in billionths (shares.h)
};

struct MarkovShares {
  double conversion_rate = 0;   // of journeys, by the chain
  std::vector<MarkovRow> rows;  // null, rest, then values in the order of their bytes; shares add up to kShareWhole, or are 0
};

// Counts of transitions. Sums stop at 2^64 - 1.
class Transitions {
 public:
  // A journey's values in the order of its touches; empty: a touch without one. Repeats in a row are one. A journey without
  // touches says nothing of any state and is passed over: the caller gives those that nobody brought as direct.
  void add(std::span<const std::string_view> journey, bool converts, uint64_t journeys = 1);
  // The same in parts: journeys that begin with a value, go from one to another that differs, end after one.
  void add_entry(std::string_view to, uint64_t journeys);
  void add_step(std::string_view from, std::string_view to, uint64_t journeys);
  void add_end(std::string_view from, bool converts, uint64_t journeys);
  void merge(const Transitions& other);

  bool empty() const { return counts_.empty(); }
  size_t size() const { return counts_.size(); }
  // Steps that went to `rest` because kTransitionsMax were known. Above 0: shares are approximate.
  uint64_t crowded_out() const { return crowded_out_; }

  // The same counts give the same bytes. decode: Error::version, Error::corrupt.
  std::string encode() const;
  static Result<Transitions> decode(std::string_view bytes);

  // Exact but for rounding: no step subtracts, so the error of an effect is a part of it, at worst n^3 * 2^-52 for n states
  // (10^-7 for 1,000); measured below 10^-12. Takes n^3 steps at most: under a second for 1,000 states.
  MarkovShares solve() const;

 private:
  using State = uint32_t;
  struct Step {
    size_t from = 0, to = 0;
    __int128 times = 0;
  };

  State state_of(std::string_view value, uint64_t comes);
  void count(State from, State to, uint64_t count);
  std::string_view value_of(State state) const;
  std::vector<State> told_apart() const;
  std::vector<Step> steps_between(std::span<const State> values) const;

  std::vector<std::string> values_;                       // of state kFixed + i
  StringMap<State> states_;
  absl::flat_hash_map<uint64_t, uint64_t> counts_;        // from << 32 | to
  uint64_t crowded_out_ = 0;
};

}  // namespace footfall
