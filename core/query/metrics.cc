#include "query/metrics.h"

#include <algorithm>

#include "base/money.h"

namespace footfall {
namespace {

constexpr Part of(Counter counter) { return {Part::Kind::counter, static_cast<uint8_t>(counter)}; }
constexpr Part of(Amount amount) { return {Part::Kind::amount, static_cast<uint8_t>(amount)}; }
constexpr Part credit_of(Counter last) { return {Part::Kind::credited, static_cast<uint8_t>(last)}; }
constexpr Part credit_of(Amount last) { return {Part::Kind::credited_amount, static_cast<uint8_t>(last)}; }

constexpr Part quantile(uint8_t percent) { return {Part::Kind::quantile, percent}; }

constexpr Part kNone;
constexpr Part kVisits = of(Counter::visits);
constexpr Part kPageviews = of(Counter::pageviews);
constexpr Part kEntries = of(Counter::entries);
constexpr Part kOrders = credit_of(Counter::orders_last);
constexpr Part kRevenue = credit_of(Amount::revenue_last);
constexpr Part kRefunds = credit_of(Amount::refunds_last);
constexpr Part kRevenueNet = {Part::Kind::revenue_net, 0};
constexpr Part kProfit = {Part::Kind::profit, 0};
constexpr Part kCost = of(Amount::cost);
constexpr Part kClicks = of(Counter::clicks);

constexpr uint16_t kHits = kByTime | kByPage | kByStatus | kByOrigin | kByBot;
constexpr uint16_t kOfVisits = kByTime | kByTouch | kByVisitPage | kByOrigin | kByBrowser;
constexpr uint16_t kViews = kOfVisits | kByPage | kBySearch;
constexpr uint16_t kGoals =
    kByTime | kByOrigin | kByBrowser | kByEvent | kByGoal | kByItem | kByCategory | kByOrder;
constexpr uint16_t kOfItems = kByItem | kByCategory;  // an order may have several
constexpr uint16_t kCredit = kGoals | kByTouch;
constexpr uint16_t kSpend = kByTime | kByTouch;  // but for hours and referrers: goes_with()

using enum ColumnType;

constexpr Metric kMetrics[] = {
    {"hits", integer, of(Counter::hits), kNone, kNone, kHits, 0, "hits", "finished requests, bots too", ""},
    {"visits", integer, kVisits, kNone, kNone, kOfVisits | kByPage, kByPage, "visits",
     "visits; by page those that viewed it", ""},
    {"visitors", integer, kNone, kNone, kNone, kOfVisits, kByAny, "visitors", "distinct visitors of the visits", ""},
    {"pageviews", integer, kPageviews, kNone, kNone, kViews, 0, "views", "pages shown to people", ""},
    {"entries", integer, kEntries, kNone, kNone, kViews, 0, "visits", "visits that had their first page", ""},
    {"exits", integer, of(Counter::exits), kNone, kNone, kViews, 0, "visits", "visits that had their last page", ""},
    {"bounces", integer, of(Counter::bounces), kNone, kNone, kViews, 0, "visits", "visits of one view and no event",
     ""},
    {"exit_rate", ratio, of(Counter::exits), kPageviews, kNone, kViews, 0, "0–1", "exits / pageviews",
     "there are no page views"},
    {"bounce_rate", ratio, of(Counter::bounces), kVisits, kEntries, kViews, 0, "0–1",
     "bounces / visits; by page bounces / entries", "there are no visits"},
    {"time_on_page", seconds, of(Counter::page_time_ms), of(Counter::pages_left), kNone, kViews, 0, "seconds",
     "mean time to the next page of the visit, where one follows", "no page was followed by another"},
    {"time_on_page_n", integer, of(Counter::pages_left), kNone, kNone, kViews, 0, "views",
     "views with a next page: those that time_on_page is of", ""},
    {"duration", seconds, of(Counter::duration_ms), kVisits, kNone, kOfVisits, 0, "seconds",
     "mean of last minus first page or event", "there are no visits"},
    {"events", integer, of(Counter::events), kNone, kNone, kOfVisits | kByEvent | kByItem, 0, "events",
     "what the shop reported; orders too", ""},
    {"conversions", integer, credit_of(Counter::conversions_last), kNone, kNone, kCredit, kOfItems, "conversions",
     "orders and reached goals", ""},
    {"cr", ratio, of(Counter::visits_converted), kVisits, kNone, kOfVisits, 0, "0–1",
     "visits with a conversion / visits", "there are no visits"},
    {"orders", integer, kOrders, kNone, kNone, kCredit, kOfItems, "orders",
     "accepted orders, each once; by item those that have it", ""},
    {"items", integer, credit_of(Counter::items_last), kNone, kNone, kCredit, 0, "pieces", "quantities of the orders",
     ""},
    {"revenue", money, kRevenue, kNone, kNone, kCredit, 0, "site's currency",
     "value of the orders; by item quantity × price", ""},
    {"revenue_net", money, kRevenueNet, kNone, kNone, kCredit, 0, "site's currency",
     "revenue less refunds", ""},
    {"refunds", money, kRefunds, kNone, kNone, kCredit, 0, "site's currency",
     "taken back from orders, on the day it was; also what a cancelled order was worth", ""},
    {"aov", money, kRevenue, kOrders, kNone, kCredit, kOfItems, "site's currency", "revenue / orders",
     "there are no orders"},
    {"rpv", money, kRevenue, kVisits, kNone, kByTime | kByTouch | kByOrigin | kByBrowser, 0, "site's currency", "revenue / visits",
     "there are no visits"},
    {"cart_abandonment", ratio, of(Counter::visits_cart_left), of(Counter::visits_with_cart), kNone, kOfVisits, 0,
     "0–1", "visits with a cart and no order / visits with a cart", "there are no visits with a cart"},
    {"goal_value", money, of(Amount::goal_value), kNone, kNone, kGoals, 0, "site's currency",
     "value of the reached goals; no revenue", ""},
    {"cost", money, kCost, kNone, kNone, kSpend, 0, "site's currency", "what marketing cost", ""},
    {"clicks", integer, kClicks, kNone, kNone, kSpend, 0, "clicks", "as those who were paid tell them", ""},
    {"impressions", integer, of(Counter::impressions), kNone, kNone, kSpend, 0, "impressions", "likewise", ""},
    {"cpc", money, kCost, kClicks, kNone, kSpend, 0, "site's currency", "cost / clicks", "there are no clicks or no cost"},
    {"cpa", money, kCost, credit_of(Counter::conversions_last), kNone, kSpend, 0, "site's currency", "cost / conversions",
     "there are no conversions or no cost"},
    {"cpo", money, kCost, kOrders, kNone, kSpend, 0, "site's currency", "cost / orders", "there are no orders or no cost"},
    {"roas", ratio, kRevenue, kCost, kNone, kSpend, 0, "ratio", "credited revenue / cost", "there is no cost"},
    {"roi", ratio, kProfit, kCost, kNone, kSpend, 0, "ratio", "(credited revenue × margin − cost) / cost", "there is no cost"},
    {"mer", ratio, kRevenue, kCost, kNone, kByTime, 0, "ratio", "all revenue / all cost", "there is no cost"},
    {"errors_4xx", integer, of(Counter::errors_4xx), kNone, kNone, kHits, 0, "hits", "hits answered 4xx", ""},
    {"errors_5xx", integer, of(Counter::errors_5xx), kNone, kNone, kHits, 0, "hits", "hits answered 5xx", ""},
    {"bytes", integer, of(Counter::bytes), kNone, kNone, kHits, 0, "bytes", "sent, headers too", ""},
    {"p50_ms", integer, quantile(50), kNone, kNone, kHits, kByAny, "ms", "half of the requests took at most that long",
     "no request's time is known"},
    {"p95_ms", integer, quantile(95), kNone, kNone, kHits, kByAny, "ms", "95 % of the requests took at most that long",
     "no request's time is known"},
    {"p99_ms", integer, quantile(99), kNone, kNone, kHits, kByAny, "ms", "99 % of the requests took at most that long",
     "no request's time is known"},
    {"bot_hits", integer, of(Counter::bot_hits), kNone, kNone, kHits, 0, "hits", "those of the hits that bots made",
     ""},
    {"excluded_hits", integer, of(Counter::excluded_hits), kNone, kNone, kByTime, 0, "hits",
     "of addresses, agents and paths that the site excludes: in no other figure", ""},
    {"duplicate_orders", integer, of(Counter::duplicate_orders), kNone, kNone, kByTime, 0, "orders",
     "repeats of an order's id: not counted again", ""},
    {"rejected_orders", integer, of(Counter::rejected_orders), kNone, kNone, kByTime, 0, "orders",
     "orders without an id or a proper value", ""},
    {"late_hits", integer, of(Counter::late_hits), kNone, kNone, kByTime, 0, "hits",
     "came after their time had been settled", ""},
};

constexpr std::string_view kOverview = "visits,visitors,pageviews,orders,revenue";
constexpr std::string_view kVisitPages = "visits,visitors,pageviews,bounces";

constexpr DimensionInfo kDimensionInfos[] = {
    {"minute", kByTime, Dimension::total, TimeUnit::minute, "visits,pageviews,orders,revenue"},
    {"hour", kByTime, Dimension::total, TimeUnit::hour, kOverview},
    {"day", kByTime, Dimension::total, TimeUnit::day, kOverview},
    {"week", kByTime, Dimension::total, TimeUnit::week, kOverview},
    {"month", kByTime, Dimension::total, TimeUnit::month, kOverview},
    {"channel", kByTouch, Dimension::channel, {}, kOverview},
    {"source", kByTouch, Dimension::source, {}, kOverview},
    {"medium", kByTouch, Dimension::medium, {}, kOverview},
    {"campaign", kByTouch, Dimension::campaign, {}, kOverview},
    {"content", kByTouch, Dimension::content, {}, kOverview},
    {"term", kByTouch, Dimension::term, {}, kOverview},
    {"code", kByTouch, Dimension::code, {}, kOverview},
    {"referrer_host", kByTouch, Dimension::referrer_host, {}, kOverview},
    {"referrer", kByTouch, Dimension::referrer, {}, kOverview},
    {"page", kByPage, Dimension::page, {}, "pageviews,visits,entries,exits"},
    {"page_group", kBySearch, Dimension::page_group, {}, "pageviews,entries,exits,exit_rate,time_on_page"},
    {"entry_page", kByVisitPage, Dimension::entry_page, {}, kVisitPages},
    {"exit_page", kByVisitPage, Dimension::exit_page, {}, kVisitPages},
    {"http_status", kByStatus, Dimension::http_status, {}, "hits,bot_hits,bytes"},
    {"status_class", kByStatus, Dimension::status_class, {}, "hits,bot_hits,bytes"},
    {"event", kByEvent, Dimension::event, {}, "events,conversions,orders,revenue"},
    {"goal", kByGoal, Dimension::goal, {}, "conversions,goal_value,orders,revenue"},
    {"country", kByOrigin, Dimension::country, {}, kOverview},
    {"device", kByOrigin, Dimension::device, {}, kOverview},
    {"browser", kByBrowser, Dimension::browser, {}, kOverview},
    {"os", kByBrowser, Dimension::system, {}, kOverview},
    {"new_returning", kByBrowser, Dimension::new_returning, {}, kOverview},
    {"item", kByItem, Dimension::item, {}, "orders,items,revenue,events"},
    {"item_category", kByCategory, Dimension::item_category, {}, "orders,items,revenue"},
    {"coupon", kByOrder, Dimension::coupon, {}, "orders,items,revenue,aov"},
    {"currency", kByOrder, Dimension::order_currency, {}, "orders,items,revenue,aov"},
    {"coverage", kByOrder, Dimension::coverage, {}, "orders,revenue"},
    {"search_term", kBySearch, Dimension::search_term, {}, "pageviews,entries,exits,exit_rate"},
    {"bot_class", kByBot, Dimension::bot_class, {}, "hits,errors_4xx,errors_5xx,bytes"},
};

constexpr std::string_view kLaterMetrics[] = {"rejected_lines"};

bool is_referrer(const DimensionInfo& dimension) {
  return dimension.rollup == Dimension::referrer || dimension.rollup == Dimension::referrer_host;
}
bool is_within_a_day(const DimensionInfo& dimension) {
  return dimension.is_time() && (dimension.unit == TimeUnit::minute || dimension.unit == TimeUnit::hour);
}

template <class Rows>
auto find_named(const Rows& rows, std::string_view name) -> decltype(&rows[0]) {
  const auto found = std::find_if(std::begin(rows), std::end(rows), [&](const auto& row) { return row.name == name; });
  return found == std::end(rows) ? nullptr : &*found;
}

template <class Names>
bool holds(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }
std::span<const DimensionInfo> dimensions() { return kDimensionInfos; }
const Metric* find_metric(std::string_view name) { return find_named(kMetrics, name); }
const DimensionInfo* find_dimension(std::string_view name) { return find_named(kDimensionInfos, name); }
IntervalKind Metric::interval() const {
  using Kind = Part::Kind;
  if (top.kind == Kind::counter && bottom.kind == Kind::counter && type == ColumnType::ratio) return IntervalKind::rate;
  if (top == kRevenue && bottom == kVisits) return IntervalKind::rpv;
  return top == kRevenue && bottom == of(Amount::cost) ? IntervalKind::roas : IntervalKind::none;
}

bool is_later_metric(std::string_view name) { return holds(kLaterMetrics, name); }

bool goes_with(const Metric& metric, const DimensionInfo& dimension) {
  if (metric.is_visitors() && dimension.is_time() && dimension.unit == TimeUnit::minute) return false;
  if (metric.is_of_spend() && (is_referrer(dimension) || is_within_a_day(dimension))) return false;
  return (metric.goes_with & dimension.group) != 0;
}

std::vector<std::string> dimensions_of(const Metric& metric) {
  std::vector<std::string> names;
  for (const DimensionInfo& dimension : kDimensionInfos)
    if (goes_with(metric, dimension)) names.emplace_back(dimension.name);
  return names;
}

std::vector<std::string> metrics_of(std::span<const DimensionInfo* const> by) {
  std::vector<std::string> names;
  for (const Metric& metric : kMetrics)
    if (std::all_of(by.begin(), by.end(),
                    [&](const DimensionInfo* dimension) { return goes_with(metric, *dimension); }))
      names.emplace_back(metric.name);
  return names;
}

__int128 value_of(const Part& part, const Counters& counters, Model model, int64_t margin_micros) {
  switch (part.kind) {
    case Part::Kind::none:
    case Part::Kind::quantile:
      return 0;
    case Part::Kind::counter:
      return counters[static_cast<Counter>(part.index)];
    case Part::Kind::credited:
      return counters.credit(static_cast<Counter>(part.index), model);
    case Part::Kind::amount:
      return counters[static_cast<Amount>(part.index)];
    case Part::Kind::credited_amount:
      return counters.credit(static_cast<Amount>(part.index), model);
    case Part::Kind::revenue_net:
      return counters.credit(Amount::revenue_last, model) - counters.credit(Amount::refunds_last, model);
    case Part::Kind::revenue_squares:
      return counters.credit(Amount::revenue_squares_last, model);
    case Part::Kind::order_squares:
      return counters.order_squares(model);
    case Part::Kind::profit:
      return counters.credit(Amount::revenue_last, model) * margin_micros - counters[Amount::cost] * kMicrosPerUnit;
  }
  return 0;
}

std::string metric_table_markdown() {
  struct Group {
    DimensionGroup group;
    std::string_view heading;
  };
  static constexpr Group kGroups[] = {
      {kByTime, "time"},
      {kByTouch, "touch"},
      {kByOrigin, "country, device"},
      {kByBrowser, "browser, os, new_returning"},
      {kByPage, "page"},
      {kByVisitPage, "entry, exit page"},
      {kBySearch, "search term, page group"},
      {kByStatus, "status"},
      {kByBot, "bot class"},
      {kByEvent, "event"},
      {kByGoal, "goal"},
      {kByItem, "item"},
      {kByCategory, "item category"},
      {kByOrder, "coupon, currency"},
  };
  std::string table = "| metric | is | unit |";
  for (const Group& group : kGroups) table.append(" ").append(group.heading).append(" |");
  table += "\n|---|---|---|";
  for (size_t i = 0; i < std::size(kGroups); ++i) table += ":-:|";
  table += '\n';
  for (const Metric& metric : kMetrics) {
    table.append("| `").append(metric.name).append("` | ").append(metric.is).append(" | ").append(metric.unit);
    table += " |";
    for (const Group& group : kGroups) {
      const bool goes = (metric.goes_with & group.group) != 0;
      const bool is_time = group.group == kByTime;
      table += !goes                                                   ? " |"
               : metric.is_visitors() && is_time                       ? " ✓, not minute |"
               : metric.is_of_spend() && is_time                       ? " ✓, day and longer |"
               : metric.is_of_spend() && group.group == kByTouch       ? " ✓, not referrer |"
                                                                       : " ✓ |";
    }
    table += '\n';
  }
  return table;
}

}  // namespace footfall
