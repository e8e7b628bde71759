// Who earned the orders: credit by each model side by side, per channel, source, campaign or code. Made of rollups, so it
// reaches as far back as they do, over each lookback.
//
//   <dimension> orders_last revenue_last orders_last_non_direct … revenue_shapley     rows + other = totals, for each model
#pragma once

#include <functional>
#include <variant>

#include "query/query.h"
#include "query/report.h"
#include "rollup/summary.h"

namespace footfall {

// What /v1/attribution is asked for: `by` one of its choices, default channel.
const FixedReport& attribution_report();

// From one snapshot.
std::variant<Report, QueryError> run_attribution(const Query& query, SummarySnapshot& snapshot,
                                                 const std::function<bool()>& out_of_time);

}  // namespace footfall
