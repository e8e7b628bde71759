// What of kept visits a query adds up: each part of its metrics as a figure of one kind of fact.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "query/collect.h"
#include "query/query.h"
#include "query/sums.h"
#include "query/visit_dimensions.h"

namespace footfall {

enum class Measure : uint8_t {
  one,  // each fact
  pageviews,
  pages_left,  // views with a next one
  page_time_ms,
  bounces,
  duration_ms,
  converted,
  with_cart,
  cart_left,
  entries,
  exits,
  conversions,  // in millionths, as all that is credited
  orders,
  items,
  revenue,
  refunds,
  revenue_net,
  revenue_squares,  // of orders, an order's touches in the row added first
  order_squares,
  goal_value,
};

// A part of the query's metrics (its place in PartTable), as what is added up of a kind of fact.
struct Measured {
  size_t part = 0;
  Measure measure = Measure::one;
  bool in_rows = true;
  bool in_totals = true;
};

// Whether kept visits tell a metric: those of hits they do not.
bool is_kept_with_visits(const Metric& metric);

// What a scan works by, and where it adds up.
struct ScanPlan {
  ScanPlan(const Query& query, const TimeRange& range, const PartTable& table, const StringHasher& hasher,
           std::vector<PageGroup> page_groups, Collected& to);

  const std::vector<Measured>& of(Fact fact) const { return measured[static_cast<size_t>(fact)]; }
  // Whether facts of that kind are looked at.
  bool needs(Fact fact) const {
    return !of(fact).empty() || (fact == Fact::visit && counts_visitors) || (fact == Fact::conversion && shows_revenue);
  }

  struct Unconverted {
    int64_t orders = 0;
    __int128 micros = 0;
  };

  const Query& query;
  const TimeRange range;
  const StringHasher& hasher;
  const std::vector<PageGroup> page_groups;
  Collected& to;
  const std::vector<const DimensionInfo*> others, filtered;  // of `by`, and of the filter
  const bool by_page, filtered_by_page;
  const bool by_items;  // either of them is a dimension of items
  const bool shares_touches;  // either of them is a touch's, and the model shares conversions among touches
  const bool counts_visitors;
  const bool shows_revenue;
  std::vector<Measured> measured[kFacts];
  std::map<std::string, Unconverted> unconverted;  // by currency

 private:
  void add(size_t number, const Part& part);
};

}  // namespace footfall
