// The metrics and dimensions there are, and which goes with which: one table that the query's checks, its error
// messages and the docs share. Meaning of the figures: core/README.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/report.h"
#include "rollup/counters.h"
#include "rollup/keys.h"

namespace footfall {

// Dimensions that a metric goes with or not together; bits of Metric::goes_with.
enum DimensionGroup : uint16_t {
  kByTime = 1,   // also the totals: everything goes with time
  kByTouch = 2,  // channel, source, medium, campaign, content, term, code, referrer_host, referrer
  kByPage = 4,
  kByVisitPage = 8,  // entry_page, exit_page
  kByStatus = 16,  // http_status, status_class
  kByEvent = 32,
  kByGoal = 64,
  kByOrigin = 128,  // country, device
  kByItem = 256,
  kBySearch = 512,  // search_term, page_group
  kByBot = 1024,    // bot_class
  kByBrowser = 2048,   // browser, os, new_returning: of visits alone
  kByCategory = 4096,  // item_category
  kByOrder = 8192,     // coupon, currency
};

enum class TimeUnit : uint8_t { minute, hour, day, week, month };

struct DimensionInfo {
  std::string_view name;
  DimensionGroup group;
  Dimension rollup;                  // total: a time dimension
  TimeUnit unit;                     // of a time dimension
  std::string_view default_metrics;  // comma-separated; those asked for when none are named

  bool is_time() const { return group == kByTime; }
};

// One sum that a figure is made of.
struct Part {
  // revenue_net: the credited revenue less the credited refunds. profit: the credited revenue times the margin, less the cost;
  // in millionths of micros.
  // The squares are over orders, an order's touches in the row added first: micros^2 and millionths^2, for intervals alone.
  enum class Kind : uint8_t { none, counter, credited, amount, credited_amount, revenue_net, quantile, revenue_squares, order_squares, profit };
  Kind kind = Kind::none;
  uint8_t index = 0;  // a Counter or an Amount; of credited ones that of the model `last`; of a quantile its percent

  bool is_squares() const { return kind == Kind::revenue_squares || kind == Kind::order_squares; }
  // By a touch's dimension it goes by model and lookback.
  bool is_credited() const {
    return kind == Kind::credited || kind == Kind::credited_amount || kind == Kind::revenue_net || kind == Kind::profit || is_squares();
  }
  bool is_spend() const {
    return (kind == Kind::amount && index == static_cast<uint8_t>(Amount::cost)) ||
           (kind == Kind::counter && (index == static_cast<uint8_t>(Counter::clicks) || index == static_cast<uint8_t>(Counter::impressions)));
  }

  bool operator==(const Part&) const = default;
};

// Which interval `ci` tells of a metric.
enum class IntervalKind : uint8_t { none, rate, rpv, roas };

struct Metric {
  std::string_view name;
  ColumnType type;
  Part top;             // none: distinct visitors
  Part bottom;          // none: `top` itself is the figure
  Part bottom_by_page;  // by page or search term; none: as `bottom`
  uint16_t goes_with;
  uint16_t not_additive_by;       // groups over whose rows it does not add up; of all: kByAny
  std::string_view unit;          // as readers are told
  std::string_view is;            // what it is, in a few words
  std::string_view empty_bottom;  // why it may be null

  bool is_visitors() const { return top.kind == Part::Kind::none; }
  bool is_quantile() const { return top.kind == Part::Kind::quantile; }
  // Whether parts of a range tell the figure of the whole, though it is no sum.
  bool is_merged() const { return is_visitors() || is_quantile(); }
  bool is_money_of_orders() const {
    return top.kind == Part::Kind::credited_amount || top.kind == Part::Kind::revenue_net || needs_margin();
  }
  bool needs_margin() const { return top.kind == Part::Kind::profit; }
  // Something of it is spend, which is known by days and by its own dimensions.
  bool is_of_spend() const { return top.is_spend() || bottom.is_spend(); }
  // What one of something cost: where nothing was spent, nobody knows.
  bool is_cost_of_one() const { return top.kind == Part::Kind::amount && top.is_spend() && bottom.kind != Part::Kind::none; }
  IntervalKind interval() const;
  bool is_credited() const { return top.is_credited() || bottom.is_credited(); }
  // Of an answer by, or filtered by, dimensions of those groups.
  Part bottom_by(uint16_t groups) const {
    const bool by_page = (groups & (kByPage | kBySearch)) != 0;
    return by_page && bottom_by_page.kind != Part::Kind::none ? bottom_by_page : bottom;
  }
};
inline constexpr uint16_t kByAny = 0xffff;

std::span<const Metric> metrics();
std::span<const DimensionInfo> dimensions();
const Metric* find_metric(std::string_view name);  // nullptr: no such metric (yet)
const DimensionInfo* find_dimension(std::string_view name);

// Whether a metric goes with a dimension.
bool goes_with(const Metric& metric, const DimensionInfo& dimension);

// The names of the dimensions that a metric goes with, and of the metrics that go with all of some dimensions.
std::vector<std::string> dimensions_of(const Metric& metric);
std::vector<std::string> metrics_of(std::span<const DimensionInfo* const> by);

// Names of metrics that a later version brings: refused as such, not as unknown.
bool is_later_metric(std::string_view name);

// The part's sum within counters, credited by the model. Of squares that is right in rows of a touch's dimension; elsewhere a
// row has those of the model `last` alone, which are the same for all.
__int128 value_of(const Part& part, const Counters& counters, Model model, int64_t margin_micros = 0);

// The table as it stands in core/README.md.
std::string metric_table_markdown();

}  // namespace footfall
