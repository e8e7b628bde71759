// Rows of a query credited by a model that looks at all journeys: each sum that goes by touches is split by its shares, as
// /v1/attribution splits orders and revenue.
#pragma once

#include <functional>
#include <optional>

#include "query/collect.h"
#include "query/query.h"
#include "query/sums.h"
#include "rollup/summary.h"

namespace footfall {

// `to` is what rollups tell of the range, its rows without credit. Where no journey of the range converted, or the model tells
// no such rows, `to` has no credit.
std::optional<QueryError> credit_rows_by_journeys(const Query& query, const TimeRange& range, const PartTable& table,
                                                  SummarySnapshot& snapshot, const StringHasher& hasher,
                                                  const std::function<bool()>& out_of_time, Collected& to);

}  // namespace footfall
