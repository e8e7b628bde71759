// What marketing returned, and how sure that is: per value of a touch's dimension, from rollups, so for as long as figures are kept.
//
//   <dimension> visits orders revenue cost cpo roas roas_lo roas_hi roi verdict visits_needed break_even mer
//     with compare: roas_previous roas_difference roas_difference_lo roas_difference_hi
//                   order_rate_difference order_rate_difference_lo order_rate_difference_hi
//     with levels:  marginal_low marginal_low_lo marginal_low_hi marginal_high marginal_high_lo marginal_high_hi
//
// Rows + other = totals for what adds up. What needs cost is null without; what needs the margin likewise. `mer` stands in the totals
// alone. Meaning: core/README.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/keyed_hash.h"
#include "query/query.h"
#include "query/report.h"
#include "query/roi_rows.h"
#include "rollup/summary.h"

namespace footfall {

// What /v1/roi is asked for: `by` one of its choices, default channel.
const FixedReport& roi_report();

// What markov gives each value: its part of all orders, 0..1. A value that is not there has none.
using JourneyShares = std::map<std::string, double, std::less<>>;

// What stands in a row, as it is shown and as advice goes by it.
struct RoiVerdict {
  std::optional<Roas> roas;
  std::optional<Judgement> judgement;
  std::optional<double> break_even;
};
// The row's roas by markov: as many orders as it gives, each of the value that the row's own have. (It knows nothing of values: to
// give each order the mean of all would tell rows apart by what is bought, not by who brought it.)
double roas_by_journeys(const RoiRow& row, double own_roas, const RoiSums& totals, const JourneyShares& of_journeys);

RoiVerdict verdict_of(const RoiRow& row, const Query& query, const RoiSums& totals, const JourneyShares* of_journeys);

// From one snapshot.
std::variant<Report, QueryError> run_roi(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher,
                                         const std::function<bool()>& out_of_time);

}  // namespace footfall
