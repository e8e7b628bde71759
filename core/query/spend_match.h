// Spend and touches held against each other, both ways: what was paid for and nobody came by, and paid touches that nothing was
// paid for; with what was probably meant where names are near. As a report:
//
//   channel source medium campaign content term code cost visits orders revenue note     a row for each key of spend, then for
//                                                                   paid touches without spend; rows + other = totals
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "credit/spend.h"
#include "query/query.h"
#include "query/report.h"
#include "rollup/summary.h"

namespace footfall {

struct SpendMatch {
  // What touches of one key brought.
  struct Brought {
    int64_t visits = 0;  // that began by one
    __int128 orders_millionths = 0, revenue_micros = 0;  // credited by the query's model to any, in the site's lookback

    void add(const Brought& other, int sign = 1);
  };
  struct Entry {
    SpendKey key;  // of spend as it was told, with its channel and a code as the site's settings have it; else the touch's
    bool is_spend = false;
    bool is_matched = true;                  // false: its other side is missing
    bool has_cost = false;                   // in the site's currency; without a rate it has none
    __int128 cost_micros = 0;
    std::map<std::string, __int128> unconverted_micros = {};  // its costs without a rate, by currency
    Brought brought = {};    // where several keys hold a touch, it is the one's that tells most
    std::string note = {};   // what is missing, and what may have been meant; empty: nothing is
  };
  std::vector<Entry> entries;  // spend by falling cost, then touches without spend by falling visits
  bool has_spend = false;
  std::map<std::string, __int128> unconverted_micros;  // by currency: costs without a rate
  // From then on visits are kept; set: of earlier ones nothing is known, so nothing is held against anything.
  std::optional<int64_t> visits_since_s;
  uint64_t visits_left_out = 0;  // paid ones of more different touches than are told apart
};
inline constexpr size_t kPaidTouchesMax = 10'000;

// How notes begin: of spend without touches, of touches without spend, of spend that has touches and no rate.
inline constexpr std::string_view kNobodyCame = "nobody came by it: ", kNoSpend = "no spend", kNoRate = "there is no rate: ";

int digits_of_currency(std::string_view text);

// Of the query's site and range. The error: it took too long, or the store is broken.
std::variant<SpendMatch, QueryError> match_spend(const Query& query, SummarySnapshot& snapshot,
                                                 const std::function<bool()>& out_of_time);

// What /v1/spend is asked for.
const FixedReport& spend_report();
inline constexpr size_t kSpendCostColumn = 7, kSpendNoteColumn = 11;
std::variant<Report, QueryError> run_spend(const Query& query, SummarySnapshot& snapshot,
                                           const std::function<bool()>& out_of_time);

}  // namespace footfall
