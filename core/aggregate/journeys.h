// Journeys of visitors, counted as they change: those that stand without an order yet, and those that led to one. How the
// counts tell the journeys of any range: core/query/journeys.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "aggregate/bookings.h"
#include "aggregate/sites.h"
#include "visit/visitor.h"

namespace footfall {

// The touches since the last order, back to the first pause that is longer than a lookback; of the lookbacks (bits, see
// credit/journey_steps.h) for which these are the same.
struct StandingJourney {
  uint8_t lookbacks = 0;
  int64_t first_ms = 0, last_ms = 0;
  std::vector<std::string> channels, campaigns;  // their steps

  bool is_same(const StandingJourney& other) const {
    return first_ms == other.first_ms && last_ms == other.last_ms && channels == other.channels && campaigns == other.campaigns;
  }
};
std::vector<StandingJourney> standing_journeys(const Visitor& visitor);

// Made before a visitor changes, settled after.
class JourneyChange {
 public:
  enum class Why : uint8_t {
    touch,  // one more: what it goes on from is replaced, what it comes too late for stays
    moved,  // touches went over to another key
    order,  // what led to it stands no more
  };

  explicit JourneyChange(const Visitor& visitor) : before_(standing_journeys(visitor)) {}
  void settle(Bookings& bookings, const Site& site, const Visitor& visitor, int64_t now_ms, Why why) const;

 private:
  std::vector<StandingJourney> before_;
};

// An order's, with each lookback. `touches` in time order.
void book_converted(Bookings& bookings, const Site& site, int64_t time_ms, std::span<const Touch> touches);

}  // namespace footfall
