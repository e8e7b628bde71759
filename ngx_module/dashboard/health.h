// What the page says about the machinery behind its figures, read from the health report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/service.h"

namespace footfall {

struct Health {
  bool known = false;  // false: the health report could not be read
  std::string status;  // ok, stale, degraded
  uint64_t lanes = 0;
  uint64_t hits = 0;                                      // captured since the lanes were made
  std::vector<std::pair<std::string, uint64_t>> dropped;  // reason, hits; none without a drop
  uint64_t aggregator_pid = 0;                            // 0: none runs
  std::string as_of;                                      // empty: nothing was counted yet
  uint64_t lag_hits = 0;
  uint64_t lost_hits = 0;
  std::string version;
};

Health read_health(QueryService& service, int64_t now_ms);

// The section of the page, as HTML.
std::string render_health(const Health& health, int64_t now_ms);

}  // namespace footfall
