// What /v1/roi is made of, read from rollups: for each value of a touch's dimension what its visits brought and cost, by the
// models whose verdicts must agree.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "credit/intervals.h"
#include "query/query.h"
#include "rollup/summary.h"

namespace footfall {

// The models that a verdict asks besides that of the query.
inline constexpr Model kVerdictModels[] = {Model::last_non_direct, Model::position};

// ReturnSums while they are added up: changes that are not folded yet may be below 0.
struct ReturnParts {
  __int128 credit_millionths = 0, credit_squares = 0, revenue_micros = 0, revenue_squares = 0;
  int64_t largest_micros = 0;

  void add(const ReturnParts& other, int sign = 1);  // whatever the sign, the largest stays
  ReturnSums sums(__int128 visits) const;
};

struct RoiSums {
  __int128 visits = 0, cost_micros = 0;
  ReturnParts asked;                                // by the query's model
  ReturnParts of_verdict[std::size(kVerdictModels)];

  // `of_touches`: of a row of a touch's dimension; else all models are the model `last`.
  void add(const Counters& counters, Model model, bool of_touches);
  void add(const RoiSums& other, int sign = 1);
  bool is_zero() const;
  ReturnSums returns() const { return asked.sums(visits); }
};

// Days of a row by what was spent on them, and what the dearer ones brought more.
struct SpendLevels {
  // Added revenue for each unit of added cost, from days without spend to the cheaper half of those with spend, and from
  // those to the dearer half. Null: either has fewer than kLevelDaysMin days, or costs no more.
  struct Step {
    double returned = 0;
    Interval interval;
  };
  std::optional<Step> low, high;
};
inline constexpr size_t kLevelDaysMin = 10;

struct MoneyOfDay {
  int64_t cost_micros = 0, revenue_micros = 0;
};
// One of each day of the range, in any order. The interval is that of a difference of two means of days, by their spread.
SpendLevels spend_levels(std::vector<MoneyOfDay> days);

struct RoiRow {
  std::string text = {};  // empty: null
  RoiSums now = {}, before = {};
  SpendLevels levels = {};
};

struct RoiRows {
  std::vector<RoiRow> rows;  // in no order
  RoiSums totals, totals_before;
  bool has_cut_values = false;
  bool has_levels = true;       // false: days are not kept of all of the range, or it has none that is whole
  uint64_t levels_left_out = 0;  // rows that were not looked at: the cheapest of more than kLevelRowsMax
  uint64_t unknown_values = 0;  // whose text is not kept any more: they are in no row
};
inline constexpr size_t kLevelRowsMax = 64;

// Of the query's range and of that it is compared with. Sources that spend is joined to by one name are one
// row, shown as most of its visits are tagged. The error: out of time,
// too many values, or the store is broken.
std::optional<QueryError> collect_roi(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time, RoiRows& to);

}  // namespace footfall
