// Spend and visits held against each other, both ways: what was paid for and nobody came by, and paid visits that nothing was
// paid for; with what was probably meant where names are near. As a report:
//
//   channel source medium campaign content term code cost visits note     a row for each key of spend, then for paid visits
//                                                                         without spend; rows + other = totals
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "credit/spend.h"
#include "query/query.h"
#include "query/report.h"
#include "rollup/summary.h"

namespace footfall {

struct SpendMatch {
  struct Entry {
    SpendKey key;  // of spend as it was told, with its channel; of visits their first touch's
    bool is_spend = false;
    bool is_matched = true;                  // false: its other side is missing
    bool has_cost = false;                   // in the site's currency; without a rate it has none
    __int128 cost_micros = 0;
    int64_t visits = 0;  // of the first touch; where several keys hold it, of the one that tells most
    std::string note;    // what is missing, and what may have been meant; empty: nothing is
  };
  std::vector<Entry> entries;  // spend by falling cost, then visits without spend by falling visits
  bool has_spend = false;
  std::map<std::string, __int128> unconverted_micros;  // by currency: costs without a rate
  // From then on visits are kept; set: of earlier ones nothing is known, so nothing is held against anything.
  std::optional<int64_t> visits_since_s;
  uint64_t visits_left_out = 0;  // paid ones of more different touches than are told apart
};
inline constexpr size_t kPaidTouchesMax = 10'000;

// Of the query's site and range. The error: it took too long, or the store is broken.
std::variant<SpendMatch, QueryError> match_spend(const Query& query, SummarySnapshot& snapshot,
                                                 const std::function<bool()>& out_of_time);

// What /v1/spend is asked for.
const FixedReport& spend_report();
inline constexpr size_t kSpendCostColumn = 7, kSpendVisitsColumn = 8, kSpendNoteColumn = 9;
std::variant<Report, QueryError> run_spend(const Query& query, SummarySnapshot& snapshot,
                                           const std::function<bool()>& out_of_time);

}  // namespace footfall
