// The models that look at all journeys at once: what of all orders and revenue of a range they give to each channel or
// campaign. Made of rollups, so it reaches as far back as they do, over each lookback.
//
// Journeys are those that converted in the range, and those that had not by its end: whose lookback passed in the range, or
// that still stood then. Rollups count the steps of standing ones, signed, as they change; what stood at an instant is the
// sum of all before it, less what had its last touch more than a lookback before the range (by the time of that touch).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "query/query.h"
#include "rollup/summary.h"

namespace footfall {

struct GivenCredit {
  __int128 orders_millionths = 0;
  __int128 revenue_micros = 0;
};
// By value; empty: touches without one. What is missing to all of the range belongs to values that are not told apart.
using GivenByValue = std::map<std::string, GivenCredit, std::less<>>;

// The same as shares of all, in billionths (credit/shares.h), by which any sum is split.
struct ValueShares {
  std::vector<std::optional<std::string>> values;  // none: all that are not told apart
  std::vector<int64_t> billionths;
};

struct JourneyCredit {
  GivenCredit all;                      // of the range
  std::optional<ValueShares> markov_shares, shapley_shares;  // of the next two
  std::optional<GivenByValue> markov;   // none: by no other dimensions than channel and campaign, and where no journey is known
  std::optional<GivenByValue> shapley;  // by channel alone
  bool is_approximate = false;          // some steps are not kept
};

// By the query's range, lookback and first dimension.
std::variant<JourneyCredit, QueryError> credit_by_journeys(const Query& query, SummarySnapshot& snapshot,
                                                           const std::function<bool()>& out_of_time);

}  // namespace footfall
