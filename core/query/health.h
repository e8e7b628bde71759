// The health report, from what lies in the store's files: true whoever is dead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rollup/summary.h"

namespace footfall {

// What the summary told: the last checkpoint, or why there is none.
struct SummaryGlimpse {
  std::optional<CheckpointState> checkpoint;
  std::string fault;         // empty: none, or no summary yet
  int64_t caught_up_ms = 0;  // when everything staged was last seen counted; 0: not known
};

struct HealthReport {
  std::string json;
  bool is_caught_up = false;  // everything staged is counted
};

// Lag over which figures are called stale.
inline constexpr int64_t kStaleMs = 60'000;

// /v1/health as JSON. Reads lane states and stages as mapped files, locks, and sizes; opens no LMDB environment.
//   degraded  something reports a fault, or the aggregator a warning
//   stale     the aggregator is not running, or more than kStaleMs behind
HealthReport make_health(const std::string& store_path, const SummaryGlimpse& summary, int64_t now_ms);

}  // namespace footfall
