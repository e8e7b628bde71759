// The model `shapley`: a channel's mean marginal contribution over all coalitions of channels. v(S), what a coalition is
// worth, is the conversion rate of the journeys whose channels all are within S; v of no channel is 0. Rules: README.md.
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

inline constexpr size_t kShapleyChannelsMax = 12;   // that are told apart when solved; all others are one more
inline constexpr size_t kJourneyChannelsMax = 63;   // distinct ones that are kept, others are the rest at once
inline constexpr size_t kChannelSetsMax = 50'000;   // distinct sets; up to these bounds order makes no difference

struct ShapleyRow {
  bool is_rest = false;     // all channels that are not told apart
  std::string channel;
  uint64_t journeys = 0;    // that the channel was part of
  double value = 0;         // mean marginal conversion rate; may be below 0
  int64_t share = 0;        // of the values above 0, in billionths (shares.h)
};

// Counts of journeys by the set of their channels. Sums stop at 2^64 - 1.
class ChannelSets {
 public:
  // The channels of a journey's touches, in any order. Without touches it is passed over: the caller gives those that nobody
  // brought as direct.
  void add(std::span<const std::string_view> channels, bool converts, uint64_t journeys = 1);
  void merge(const ChannelSets& other);

  bool empty() const { return sets_.empty(); }
  size_t size() const { return sets_.size(); }
  // Journeys of which a channel or the set went to the rest for a bound. Above 0: shares are approximate.
  uint64_t crowded_out() const { return crowded_out_; }

  // The same counts give the same bytes. decode: Error::version, Error::corrupt.
  std::string encode() const;
  static Result<ChannelSets> decode(std::string_view bytes);

  // The heaviest channels are those in most journeys, then in the order of their bytes. Rows: the rest, if there is one,
  // then channels in the order of their bytes; shares add up to kShareWhole, or are 0. Exact but for rounding (10^-12);
  // 2^13 coalitions: about a millisecond.
  std::vector<ShapleyRow> solve() const;

 private:
  using Set = uint64_t;  // bit 0: the rest; bit 1 + i: channels_[i]
  struct Counts {
    uint64_t journeys = 0, conversions = 0;
  };

  Set bit_of(std::string_view channel);
  void count(Set set, const Counts& counts, bool is_crowded);
  std::vector<size_t> told_apart() const;

  std::vector<std::string> channels_;
  absl::flat_hash_map<Set, Counts> sets_;
  uint64_t crowded_out_ = 0;
};

}  // namespace footfall
