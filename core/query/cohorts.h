// What customers brought after their first order, by the month of that order or by how they came first; against what was spent. From
// rollups, so for as long as figures are kept.
//
//   <month | dimension> customers orders_0 revenue_0 margin_0 … orders_365 revenue_365 margin_365 cost payback_days days_complete
//
// A figure of N days is of the orders within N days of the first one (0: of the first day), as far as these days are over: for all
// customers of a row `days_complete` of them are.
#pragma once

#include <functional>
#include <variant>

#include "query/query.h"
#include "query/report.h"
#include "rollup/summary.h"

namespace footfall {

// What /v1/cohorts is asked for: `by` one of its choices, default month.
const FixedReport& cohorts_report();

// From one snapshot.
std::variant<Report, QueryError> run_cohorts(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time);

}  // namespace footfall
