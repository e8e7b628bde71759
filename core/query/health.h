// The store's health, from what lies in its files: true whoever is dead.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lane/stage.h"
#include "rollup/summary.h"

namespace footfall {

// What the summary told: the last checkpoint, or why there is none.
struct SummaryGlimpse {
  std::optional<CheckpointState> checkpoint;
  std::string fault;         // empty: none, or no summary yet
  int64_t caught_up_ms = 0;  // when everything staged was last seen counted; 0: not known
};

struct HealthFault {
  std::optional<unsigned> lane;
  std::string text;
  int64_t since_ms = 0;  // 0: not told
};

// Counts are since the lane was made.
struct LaneHealth {
  unsigned lane = 0;
  pid_t pid = 0;  // 0: nobody holds it
  uint64_t hits = 0;
  uint64_t dropped[kDropReasons] = {};
  uint64_t corrupt = 0, overwritten = 0, malformed_events = 0;
  uint64_t ring_bytes = 0, ring_used = 0;
  int64_t oldest_ms = 0, newest_ms = 0;  // in the ring; 0: none
  uint64_t lag_hits = 0;
  int64_t uncounted_since_ms = 0;  // no hit that is not counted yet is older
};

struct StoreHealth {
  std::vector<LaneHealth> lanes;
  uint64_t missed = 0;  // hits that ended at workers without a lane
  std::vector<HealthFault> faults;
  int64_t configured_ms = 0;          // since when workers go by their configuration; 0: they have none
  std::vector<std::string> warnings;  // of the aggregator
  std::optional<CheckpointState> checkpoint;
  pid_t aggregator_pid = 0;  // 0: none runs
  uint64_t lag_hits = 0;
  int64_t lag_ms = 0;
  uint64_t store_bytes = 0, free_bytes = 0;

  bool is_caught_up() const { return checkpoint && lag_hits == 0 && faults.empty(); }  // all that is staged is counted
};

// Lag over which figures are called stale.
inline constexpr int64_t kStaleMs = 60'000;

// Reads lane states and stages as mapped files, locks, and sizes; opens no LMDB environment.
StoreHealth read_store_health(const std::string& store_path, const SummaryGlimpse& summary, int64_t now_ms);

//   degraded  something reports a fault, or the aggregator a warning
//   stale     the aggregator is not running, or more than kStaleMs behind
//   ok        else
std::string_view status_of(const StoreHealth& health);

// /v1/health.
std::string to_json(const StoreHealth& health);

}  // namespace footfall
