// Sums up kept visits: any filter, by any dimensions that they tell.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "query/collect.h"
#include "query/query.h"
#include "query/visit_measures.h"
#include "rollup/visit_block.h"

namespace footfall {

class VisitScan {
 public:
  // All outlive the scan. `to` is fresh, and whole after finish().
  VisitScan(const Query& query, const TimeRange& range, const PartTable& table, const StringHasher& hasher,
            std::vector<PageGroup> page_groups, Collected& to);

  // Adds a block's facts that lie in the range. The error: too many rows, or the block is broken.
  std::optional<QueryError> take(VisitBlock& block);
  void finish();

 private:
  ScanPlan plan_;
};

// From when on kept visits tell all that happened; INT64_MIN: they always did.
int64_t visits_tell_from_s(const Query& query, SummarySnapshot& snapshot);

// Refused: visits are not kept of all of the range.
std::optional<QueryError> refuse_unkept_visits(const Query& query, const TimeRange& range, SummarySnapshot& snapshot);

// Everything of the range, from a snapshot. Refused: visits are not kept of all of it.
std::optional<QueryError> collect_visits(const Query& query, const TimeRange& range, const PartTable& table,
                                         SummarySnapshot& snapshot, const StringHasher& hasher,
                                         const std::function<bool()>& out_of_time, Collected& to);

}  // namespace footfall
