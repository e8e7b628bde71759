// A question, checked and normalised: what the engine answers, and what a report repeats of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "query/compare.h"
#include "query/filter.h"
#include "query/metrics.h"
#include "query/negotiation.h"
#include "query/range.h"
#include "query/report.h"
#include "site/config.h"
#include "site/zone.h"

namespace footfall {

inline constexpr uint32_t kLimitDefault = 100;
inline constexpr std::string_view kConfidence = "95";  // of `ci`, in percent
inline constexpr uint32_t kLimitMax = 10'000;

// Models that look at all journeys at once (journeys.h): they tell a range's rows by channel, markov by campaign too.
enum class JourneyModel : uint8_t { markov, shapley };
inline constexpr std::array<std::string_view, 2> kJourneyModelNames = {"markov", "shapley"};

struct Query;

// A report that is a query whose dimension and metric are given; what is left to ask for is site, time, order and page.
struct FixedReport {
  std::string_view name;  // as /v1/ has it
  const DimensionInfo* by;
  const Metric* metric;
  std::span<const std::string_view> choices{};  // dimensions that `by` may name, and a `lookback`; none: neither is asked
  // Of a report with columns of its own: its parameters (where not those of its kind), their names behind the dimension, and the order.
  std::span<const std::string_view> parameters{};
  std::vector<std::string> (*columns)(const Query& query) = nullptr;
  std::string_view order{};
};

// A column of the answer behind those of `by`: which metric, and what of it.
struct FigureColumn {
  enum class Of : uint8_t { now, now_low, now_high, before, before_low, before_high, change };
  size_t metric = 0;
  Of of = Of::now;

  bool is_bound() const { return of == Of::now_low || of == Of::now_high || of == Of::before_low || of == Of::before_high; }
  bool is_of_now() const { return of <= Of::now_high; }
};

struct Query {
  const FixedReport* report = nullptr;  // nullptr: a query as any other
  std::string site;
  std::optional<uint16_t> site_number;  // none: configured, but not seen yet
  Zone zone;
  Currency currency;
  std::optional<int64_t> margin_micros = {};  // none: the site names none
  bool has_page_groups = false;  // the site names groups of pages
  TimeRange range;
  std::optional<Comparison> comparison = {};  // of `range`
  Compare compare = Compare::none;
  std::vector<const DimensionInfo*> by;  // as asked: at most one of time and two others
  Filter filter = {};
  std::vector<const Metric*> metrics;  // as asked, each once
  bool with_bounds = false;            // ci=95
  bool with_advice = false, with_levels = false;  // of /v1/roi
  size_t order_column = 0;             // of the answer: dimensions, then metrics with what they are compared with
  bool descending = false;
  uint32_t limit = kLimitDefault;
  uint64_t offset = 0;  // rows before the first: told by the cursor
  Model model = Model::last_non_direct;
  std::optional<JourneyModel> journey_model = {};  // is asked for, instead of a rule model
  int lookback_days = 30;
  std::optional<ReportFormat> format;  // as `format` says; none: as the reader's headers do

  const DimensionInfo* time() const;                     // nullptr: none
  std::vector<const DimensionInfo*> others() const;      // those that are not of time
  std::vector<const DimensionInfo*> dimensions() const;  // others() and the filter's, each once
  uint16_t groups() const;                               // DimensionGroup of dimensions()
  // The groups over whose rows an answer must add up.
  uint16_t row_groups() const;

  // Columns behind those of `by`: each metric's figure and its bounds, with a comparison those before and the change.
  std::vector<FigureColumn> figure_columns() const;
  size_t columns() const;
  std::string column_name(size_t column) const;

  bool shows_revenue() const;
  bool shows_spend() const;

  // Whether only kept visits tell it: rollups know one dimension at a time.
  bool needs_visits() const { return dimensions().size() > 1; }
  // Whether something that is shown goes by model and lookback.
  bool credits_touches() const;
  // What is asked for by a model that looks at all journeys, but it tells no such rows.
  bool lacks_credit() const { return journey_model && credits_touches() && !has_journey_rows(); }
  bool has_journey_rows() const;
  std::string_view model_name() const {
    return journey_model ? kJourneyModelNames[static_cast<size_t>(*journey_model)] : kModelNames[static_cast<size_t>(model)];
  }
  // Whether conversions are shared among touches that the answer tells apart.
  bool shares_touches() const { return !gives_whole(model) && (groups() & kByTouch) != 0; }

  // The query as reports show it: name, value as JSON.
  std::vector<std::pair<std::string, std::string>> shown() const;
  void show_comparison(std::vector<std::pair<std::string, std::string>>& to) const;
  // The cursor of the rows from `offset` on. It belongs to this query alone (whatever its limit).
  std::string cursor_at(uint64_t offset) const;
};

// What a query is read against.
struct QueryContext {
  int64_t now_ms = 0;
  std::span<const std::string> sites;  // those seen, a site's number is its place
  const Config& config;
  // The first day that holds anything of the site; for range=all.
  std::function<int64_t(uint16_t site, const Zone& zone)> first_day_s;
  std::span<const int64_t> kept_since_s = {};  // the checkpoint's
  // Whether hours of the site hold anything imported; null: none do.
  std::function<bool(uint16_t site, int64_t from_s, int64_t to_s, const Zone& zone)> has_imports = {};
};

// `raw` is the query string as sent. Nothing is passed over: what is not known, not right or not there yet is refused,
// with what would be right.
std::variant<Query, QueryError> parse_query(std::string_view raw, const QueryContext& context,
                                            const FixedReport* report = nullptr);

// The names of the parameters there are.
std::span<const std::string_view> query_parameters();
// Of a report that is fixed.
std::span<const std::string_view> report_parameters();

// Sites seen, then those that only the configuration names.
std::vector<std::string> known_sites(std::span<const std::string> seen, const Config& config);

}  // namespace footfall
