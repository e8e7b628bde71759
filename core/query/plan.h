// Which buckets answer a range: the coarsest that fit into it, finer ones at its ends.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "query/metrics.h"
#include "site/zone.h"

namespace footfall {

// All buckets of a level that begin in [from_s, to_s).
struct PlanPart {
  Level level;
  int64_t from_s;
  int64_t to_s;

  bool operator==(const PlanPart&) const = default;
};

// Covers [from_s, to_s), in order and each instant once, with the fewest buckets that are not coarser than `unit` (a
// week is made of days). Both ends lie on minutes.
std::vector<PlanPart> plan_buckets(int64_t from_s, int64_t to_s, std::optional<TimeUnit> unit, const Zone& zone);

// The coarsest level whose buckets lie within one of the unit.
Level level_of(TimeUnit unit);

// The unit's bucket that holds a time, and its end.
int64_t unit_start_s(TimeUnit unit, int64_t time_s, const Zone& zone);
int64_t next_unit_s(TimeUnit unit, int64_t start_s, const Zone& zone);
// As reports show it: a week by its Monday, everything else as Zone::bucket_text.
std::string unit_text(TimeUnit unit, int64_t start_s, const Zone& zone);

}  // namespace footfall
