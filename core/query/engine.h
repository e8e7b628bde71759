// Answers a query from one snapshot of the summary.
#pragma once

#include <functional>
#include <variant>

#include "base/keyed_hash.h"
#include "query/query.h"
#include "query/report.h"
#include "rollup/summary.h"

namespace footfall {

// `out_of_time` is asked every now and then; once it says so, the answer is a 503. `hasher` is the store's. Rows:
// - those whose sums are all zero are left out, those that share their place in the order go by their text;
// - a value whose text is not kept any more, and the bucket's own row `other`, are part of `other`;
// - `other` = totals - shown rows, computed before rounding; null for what does not add up over rows, and empty where
// the
//   query has no dimension: then the one row is the totals.
std::variant<Report, QueryError> run_query(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher,
                                           const std::function<bool()>& out_of_time);

// The first day that holds anything of the site; the first of the month where only months are kept. Nothing at all: the
// day of `now_s`.
int64_t first_day_s(SummarySnapshot& snapshot, uint16_t site, const Zone& zone, int64_t now_s);

}  // namespace footfall
