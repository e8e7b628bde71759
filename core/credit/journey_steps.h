// Journeys as texts that are counted: the models that look at all journeys (markov, shapley) are made of such counts, which
// add up over any parts. A journey of one value is one text; of several, each step from one to the next is, and the set of
// its channels. Repeats in a row are one value.
//
//   text: lookbacks, a hexadecimal digit | 'o' value                     all of a journey
//                                        | 's' value value               a step; before the first and after the last: an edge
//                                        | 'c' value value …             the set, in the order of its bytes
//   value: length, decimal | ':' | bytes       none: '-'       edge: '^'
//
// The lookbacks (kLookbackDays) of which a journey is the same are told together: bit i is of the i-th.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "credit/markov.h"
#include "credit/model.h"
#include "credit/shapley.h"

namespace footfall {

inline constexpr uint8_t kAllLookbacks = (1 << kLookbacks) - 1;

// The texts of a journey without what they begin with, in the order of its touches; empty values are touches without one.
// The set, if asked for, is the last, and only where the journey has several values. Empty: no touches.
std::vector<std::string> journey_steps(std::span<const std::string_view> values, bool with_set);
std::string with_lookbacks(uint8_t lookbacks, std::string_view step);  // bits of kAllLookbacks, not 0

// Counts of such texts, taken apart again.
class JourneyCounts {
 public:
  // `lookback` below kLookbacks; sets are of channels alone.
  JourneyCounts(size_t lookback, bool with_sets) : lookback_(lookback), with_sets_(with_sets) {}

  // How often journeys with that text converted, and did not; texts of other lookbacks are passed over. A journey may have
  // begun with some lookbacks and have been taken back with others, so only the sums over all texts are counts.
  // False: it is no such text.
  bool add(std::string_view text, int64_t converted, int64_t lost);

  // Once all is added. What is below zero then, where an import was taken back that others went on from, counts 0.
  struct Models {
    Transitions transitions;
    ChannelSets sets;
    bool has_negative = false;
  };
  Models models() const;

 private:
  struct Counts {
    int64_t converted = 0, lost = 0;
  };
  const size_t lookback_;
  const bool with_sets_;
  std::map<std::string, Counts, std::less<>> counts_;  // by text without lookbacks
};

}  // namespace footfall
