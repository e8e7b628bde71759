// Which counters' rows add up to the total, by dimension; and the check that they do.
#pragma once

#include <set>
#include <vector>

#include "aggregate/shop.h"

namespace footfall {

struct Additive {
  std::vector<Dimension> dimensions;
  std::vector<Counter> counters;
  std::vector<Amount> amounts;
  bool of_some_sites = false;  // of those that have groups of pages
};

// The counters whose rows add up to the total, by dimension.
inline const std::vector<Additive>& additive() {
  using enum Counter;
  using enum Amount;
  static const std::vector<Counter> kCredited = {conversions_last, conversions_last_non_direct, conversions_first,
                                                 orders_last,      orders_last_non_direct,      orders_first,
                                                 items_last,       items_last_non_direct,       items_first};
  static const std::vector<Counter> kVisit = {
      visits,  bounces, duration_ms, visits_converted, visits_with_cart, visits_cart_left, pageviews,
      entries, exits,   events,      pages_left,       page_time_ms};
  static const std::vector<Counter> kHits = {hits, bytes, errors_4xx, errors_5xx, bot_hits};
  static std::vector<Counter> visit_and_credited = kVisit, event_and_credited = kCredited, of_origins = kHits;
  static const std::vector<Counter> kViews = {pageviews, entries, exits, bounces, pages_left, page_time_ms};
  static std::vector<Counter> hits_and_views = kHits;
  static const std::vector<Additive> kAll = [] {
    visit_and_credited.insert(visit_and_credited.end(), kCredited.begin(), kCredited.end());
    event_and_credited.push_back(events);
    of_origins.insert(of_origins.end(), visit_and_credited.begin(), visit_and_credited.end());
    hits_and_views.insert(hits_and_views.end(), kViews.begin(), kViews.end());
    const std::vector<Amount> revenue = {revenue_last, revenue_last_non_direct, revenue_first};
    std::vector<Amount> all_amounts = revenue;
    all_amounts.push_back(goal_value);
    using enum Dimension;
    return std::vector<Additive>{
        {{page}, hits_and_views, {}},
        {{search_term}, kViews, {}},
        {{page_group}, kViews, {}, true},
        {{status_class, http_status, bot_class, ledger}, kHits, {}},
        {{country, device}, of_origins, all_amounts},
        {{browser, system, new_returning}, visit_and_credited, all_amounts},
        {{channel, source, medium, campaign, content, term, code, referrer_host, referrer}, visit_and_credited, revenue},
        {{entry_page, exit_page}, kVisit, {}},
        {{event}, event_and_credited, all_amounts},
        {{goal}, kCredited, all_amounts},
        {{item}, {events, items_last, items_last_non_direct, items_first}, all_amounts},
        {{item_category}, {items_last, items_last_non_direct, items_first}, all_amounts},
        {{coupon, order_currency}, kCredited, all_amounts},
    };
  }();
  return kAll;
}

inline Counters* total_of(Figures& figures, const RowName& row) {
  const auto found = figures.find({row.site, Dimension::total, row.level, row.bucket_s, ""});
  return found == figures.end() ? nullptr : &found->second;
}

// Takes every row of the dimension off its bucket's total: nothing may be left.
inline void expect_rows_to_add_up(const Figures& all, Dimension dimension, const Additive& what) {
  static Figures left;
  static std::set<uint16_t> sites;
  left = all;
  sites.clear();
  for (const auto& [name, counters] : all) {
    if (name.dimension != dimension) continue;
    sites.insert(name.site);
    Counters* const total = total_of(left, name);
    if (total == nullptr) {
      for (Counter counter : what.counters) expect_number(counters[counter], 0);
      continue;
    }
    for (Counter counter : what.counters) (*total)[counter] -= counters[counter];
    for (Amount amount : what.amounts) (*total)[amount] -= counters[amount];
  }
  for (const auto& [name, counters] : left) {
    if (name.dimension != Dimension::total || (what.of_some_sites && !sites.contains(name.site))) continue;
    for (Counter counter : what.counters)
      if (counters[counter] != 0)
        fail_msg("%s: counter %d leaves %lld", std::string(dimension_name(dimension)).c_str(), int(counter),
                 static_cast<long long>(counters[counter]));
    for (Amount amount : what.amounts)
      if (counters[amount] != 0)
        fail_msg("%s: amount %d leaves something", std::string(dimension_name(dimension)).c_str(), int(amount));
  }
}

inline void expect_all_rows_to_add_up(const Figures& all) {
  for (const Additive& what : additive())
    for (Dimension dimension : what.dimensions) expect_rows_to_add_up(all, dimension, what);
}

}  // namespace footfall
