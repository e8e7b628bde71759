// Journeys of visitors, counted as they change: those that stand without an order yet, and those that led to one. How the
// counts tell the journeys of any range: core/query/journeys.h.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aggregate/bookings.h"
#include "aggregate/sites.h"
#include "base/keyed_hash.h"
#include "visit/visitor.h"

namespace footfall {

// The touches since the last order, back to the first pause that is longer than a lookback; of the lookbacks (bits, see
// credit/journey_steps.h) for which these are the same.
struct JourneySteps {
  std::vector<std::string> channels, campaigns;
  size_t bytes = 0;  // of all their texts
};
struct StandingJourney {
  uint8_t lookbacks = 0;
  int64_t first_ms = 0, last_ms = 0;
  Hash128 values;                       // of its touches' channels and campaigns
  const JourneySteps* steps = nullptr;  // of the memo

  bool is_same(const StandingJourney& other) const {
    return first_ms == other.first_ms && last_ms == other.last_ms && values == other.values;
  }
};

// The steps of journeys that were met: most are like others.
class JourneyMemo {
 public:
  explicit JourneyMemo(const StringHasher& hasher) : hasher_(hasher) {}

  StandingJourney journey(std::span<const Touch> touches);
  // Between hits: what it gave may be gone then.
  void forget_many() {
    if (bytes_ > kBytesMost) steps_.clear(), bytes_ = 0;
  }

 private:
  static constexpr size_t kBytesMost = 4 << 20;
  static constexpr size_t kBytesOfEntry = 256;  // beside its texts, about
  const StringHasher& hasher_;
  absl::flat_hash_map<Hash128, std::unique_ptr<JourneySteps>> steps_;
  size_t bytes_ = 0;
  std::string values_;  // keeps its memory
};
std::vector<StandingJourney> standing_journeys(const Visitor& visitor, JourneyMemo& memo);

// Made before a visitor changes, settled after.
class JourneyChange {
 public:
  enum class Why : uint8_t {
    touch,  // one more: what it goes on from is replaced, what it comes too late for stays
    moved,  // touches went over to another key
    order,  // what led to it stands no more
  };

  JourneyChange(const Visitor& visitor, JourneyMemo& memo) : memo_(memo), before_(standing_journeys(visitor, memo)) {}
  void settle(Bookings& bookings, const Site& site, const Visitor& visitor, int64_t now_ms, Why why) const;

 private:
  JourneyMemo& memo_;
  std::vector<StandingJourney> before_;
};

// An order's, with each lookback. `touches` in time order.
void book_converted(Bookings& bookings, const Site& site, int64_t time_ms, std::span<const Touch> touches);

}  // namespace footfall
