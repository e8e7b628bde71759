#include "query/query.h"

#include <algorithm>
#include <charconv>

#include "credit/journey_steps.h"
#include "query/arguments.h"
#include "query/text.h"
#include "query/visit_measures.h"

namespace footfall {
namespace {

constexpr std::string_view kParameters[] = {"site",    "range", "from",  "to",     "metrics", "by",       "filter",
                                            "compare", "order", "limit", "cursor", "model",   "lookback", "ci",     "format"};
constexpr std::string_view kReportParameters[] = {"site", "range", "from", "to", "order", "limit", "cursor", "format"};
constexpr std::string_view kCreditParameters[] = {"site", "range", "from", "to", "by", "lookback", "limit", "cursor", "format"};

using Fault = std::optional<QueryError>;

QueryError bad(std::string param, std::string message, std::vector<std::string> allowed = {}) {
  return {400, "bad_request", std::move(message), std::move(param), std::move(allowed)};
}

template <class Infos>
std::vector<std::string> names_of(const Infos& infos) {
  std::vector<std::string> names;
  for (const auto& info : infos) names.emplace_back(info.name);
  return names;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// Reads the arguments one by one into a query; each step says what is wrong with its own.
class Parser {
 public:
  Parser(const Arguments& arguments, const QueryContext& context, const FixedReport* report)
      : arguments_(arguments), context_(context) {
    query_.report = report;
    if (report != nullptr) query_.by = {report->by}, query_.metrics = {report->metric};
  }

  std::variant<Query, QueryError> parse() {
    for (const auto step :
         {&Parser::read_site, &Parser::read_format, &Parser::read_by, &Parser::read_filter, &Parser::read_range,
          &Parser::read_compare, &Parser::read_metrics, &Parser::read_ci, &Parser::read_flags, &Parser::read_order, &Parser::read_limit, &Parser::read_model,
          &Parser::read_lookback, &Parser::check_kept_together, &Parser::read_cursor})
      if (Fault fault = (this->*step)()) return *std::move(fault);
    return std::move(query_);
  }

 private:
  Fault read_site() {
    const std::vector<std::string> sites = known_sites(context_.sites, context_.config);
    if (const std::string* given = arguments_.find("site")) {
      if (std::find(sites.begin(), sites.end(), *given) == sites.end())
        return bad("site", "there is no site " + quoted(*given), sites);
      query_.site = *given;
    } else {
      const auto& candidates = context_.sites.size() == 1 ? std::vector<std::string>{context_.sites[0]} : sites;
      if (candidates.empty())
        return QueryError{503, "no_data_yet", "no hit has been counted so far: there is no site yet", {}, {}};
      if (candidates.size() > 1) return bad("site", "there are several sites: name one", sites);
      query_.site = candidates[0];
    }
    const auto seen = std::find(context_.sites.begin(), context_.sites.end(), query_.site);
    if (seen != context_.sites.end()) query_.site_number = static_cast<uint16_t>(seen - context_.sites.begin());

    const SiteConfig site = site_or_default(context_.config, query_.site);
    Result<Zone> zone = Zone::load(site.timezone);
    if (!zone) return QueryError{503, "store_fault", zone.error().text, {}, {}};
    query_.zone = std::move(*zone);
    query_.currency = site.currency;
    query_.margin_micros = site.margin_micros;
    query_.has_page_groups = !site.page_groups.empty();
    query_.lookback_days = site.lookback_days;
    return {};
  }

  Fault read_format() {
    const std::string* given = arguments_.find("format");
    if (given == nullptr) return {};
    query_.format = find_format(*given);
    if (query_.format) return {};
    return bad("format", "there is no format " + quoted(*given), {kFormatNames.begin(), kFormatNames.end()});
  }

  Fault read_by() {
    const std::string* given = arguments_.find("by");
    if (given == nullptr) return {};
    if (query_.report != nullptr) return choose_by(*given);
    for (const std::string& name : split_list(*given)) {
      const DimensionInfo* dimension = find_dimension(name);
      if (dimension == nullptr)
        return bad("by", "there is no dimension " + quoted(name), names_of(dimensions()));
      if (std::find(query_.by.begin(), query_.by.end(), dimension) != query_.by.end())
        return bad("by", "dimension " + quoted(name) + " is named twice");
      if (dimension->is_time() && query_.time() != nullptr) return bad("by", "`by` takes one dimension of time");
      query_.by.push_back(dimension);
      if (query_.others().size() > 2) return bad("by", "`by` takes at most two dimensions beside that of time");
    }
    return {};
  }

  Fault choose_by(const std::string& name) {
    const auto& choices = query_.report->choices;
    if (std::find(choices.begin(), choices.end(), name) == choices.end())
      return bad("by", "this report is not told by " + quoted(name), {choices.begin(), choices.end()});
    query_.by = {find_dimension(name)};
    return {};
  }

  Fault read_filter() {
    const std::string* given = arguments_.find("filter");
    if (given == nullptr) return {};
    auto filter = parse_filter(*given);
    if (auto* error = std::get_if<QueryError>(&filter)) return std::move(*error);
    query_.filter = std::get<Filter>(std::move(filter));
    return {};
  }

  Fault read_range() {
    const auto given = [&](std::string_view name) {
      const std::string* value = arguments_.find(name);
      return value == nullptr ? std::optional<std::string>() : std::optional<std::string>(*value);
    };
    auto range = parse_range({given("range"), given("from"), given("to")}, range_context());
    if (auto* error = std::get_if<QueryError>(&range)) return std::move(*error);
    query_.range = std::get<TimeRange>(range);
    return {};
  }

  RangeContext range_context() const {
    return {.now_s = context_.now_ms / 1000,
            .zone = query_.zone,
            .retention = context_.config.retention,
            .kept_since_s = context_.kept_since_s,
            .unit = query_.time() != nullptr ? std::optional(query_.time()->unit) : std::nullopt,
            .first_day_s = [this] {
              return query_.site_number ? context_.first_day_s(*query_.site_number, query_.zone)
                                        : context_.now_ms / 1000;
            },
            .has_imports = [this](int64_t from_s, int64_t to_s) {
              return query_.site_number && context_.has_imports && context_.has_imports(*query_.site_number, from_s, to_s, query_.zone);
            }};
  }

  Fault read_compare() {
    const std::string* given = arguments_.find("compare");
    if (given == nullptr) return {};
    const auto found = std::find(kCompareNames.begin(), kCompareNames.end(), *given);
    if (found == kCompareNames.end())
      return bad("compare", "there is no comparison " + quoted(*given), {kCompareNames.begin(), kCompareNames.end()});
    query_.compare = static_cast<Compare>(found - kCompareNames.begin() + 1);
    const std::string* range = arguments_.find("range");
    const bool is_rolling = range != nullptr ? *range == "7d" || *range == "30d" : arguments_.find("from") == nullptr;
    query_.comparison.emplace(query_.compare, query_.range, query_.zone, is_rolling);
    return check_range_kept(query_.comparison->before(), range_context());
  }

  Fault read_metrics() {
    if (query_.report != nullptr) return {};
    const std::string* given = arguments_.find("metrics");
    for (const std::string& name : split_list(given != nullptr ? *given : default_metrics())) {
      const Metric* metric = find_metric(name);
      if (metric == nullptr)
        return bad("metrics",
                   is_later_metric(name) ? "metric " + quoted(name) + " comes with a later version"
                                         : "there is no metric " + quoted(name),
                   metrics_of(all_dimensions()));
      if (std::find(query_.metrics.begin(), query_.metrics.end(), metric) != query_.metrics.end())
        return bad("metrics", "metric " + quoted(name) + " is named twice");
      const DimensionInfo* hindrance = hindrance_of(*metric);
      if (hindrance != nullptr && given != nullptr) return refuse_pair(*metric, *hindrance);
      if (hindrance == nullptr) query_.metrics.push_back(metric);
    }
    if (!query_.metrics.empty()) return {};
    return bad("metrics", "name metrics: those that are usual here do not go with all of the dimensions",
               metrics_of(all_dimensions()));
  }

  // Of `by` and of the filter: both are told by the same values.
  std::vector<const DimensionInfo*> all_dimensions() const {
    std::vector<const DimensionInfo*> all = query_.by;
    for (const DimensionInfo* dimension : dimensions_of(query_.filter))
      if (std::find(all.begin(), all.end(), dimension) == all.end()) all.push_back(dimension);
    return all;
  }

  // The first dimension that a metric does not go with; nullptr: it goes with all.
  const DimensionInfo* hindrance_of(const Metric& metric) const {
    for (const DimensionInfo* dimension : all_dimensions())
      if (!goes_with(metric, *dimension)) return dimension;
    return nullptr;
  }

  QueryError refuse_pair(const Metric& metric, const DimensionInfo& dimension) const {
    const bool in_by = std::find(query_.by.begin(), query_.by.end(), &dimension) != query_.by.end();
    if (metric.is_of_spend() && dimension.is_time())
      return bad("by", std::string(metric.name) + " is told by days and longer, not by " + std::string(dimension.name) +
                           "; `allowed` names the dimensions that it goes with",
                 dimensions_of(metric));
    return bad(in_by ? "by" : "filter",
               std::string(metric.name) + " does not go with " + std::string(dimension.name) +
                   "; `allowed` names the dimensions that it goes with",
               dimensions_of(metric));
  }

  std::string default_metrics() const {
    const std::vector<const DimensionInfo*> dimensions = query_.dimensions();
    const DimensionInfo* leading = !dimensions.empty() ? dimensions[0] : query_.time();
    return std::string((leading != nullptr ? leading : find_dimension("day"))->default_metrics);
  }

  Fault read_ci() {
    const std::string* given = arguments_.find("ci");
    if (given == nullptr) return {};
    if (*given != kConfidence) return bad("ci", "intervals are told of 95 %, not of " + quoted(*given), {std::string(kConfidence)});
    query_.with_bounds = true;
    return {};
  }

  Fault read_flags() {
    for (const auto& [name, flag] : {std::pair{"advice", &Query::with_advice}, std::pair{"levels", &Query::with_levels}}) {
      const std::string* given = arguments_.find(name);
      if (given == nullptr) continue;
      if (*given != "0" && *given != "1") return bad(name, std::string(name) + " is " + quoted(*given) + "; it must be 1 or 0", {"0", "1"});
      query_.*flag = *given == "1";
    }
    return {};
  }

  Fault read_order() {
    const std::string* given = arguments_.find("order");
    if (given == nullptr && query_.report != nullptr && !query_.report->order.empty()) return find_order(query_.report->order);
    if (given == nullptr) {
      const auto time = std::find(query_.by.begin(), query_.by.end(), query_.time());
      query_.descending = time == query_.by.end();
      query_.order_column = query_.descending ? query_.by.size() : static_cast<size_t>(time - query_.by.begin());
      return {};
    }
    return find_order(*given);
  }

  Fault find_order(std::string_view given) {
    const size_t columns = query_.columns();
    std::string_view name = given;
    query_.descending = name.starts_with('-');
    if (query_.descending) name.remove_prefix(1);
    std::vector<std::string> names;
    for (size_t column = 0; column < columns; ++column) {
      if (query_.column_name(column) == name) {
        query_.order_column = column;
        return {};
      }
      names.emplace_back(query_.column_name(column));
    }
    return bad("order", "order " + quoted(given) + " is no column of the answer, with or without a `-` before it",
               std::move(names));
  }

  Fault read_limit() {
    const std::string* given = arguments_.find("limit");
    if (given == nullptr) return {};
    const std::optional<uint32_t> limit = parse_number<uint32_t>(*given);
    if (!limit || *limit < 1 || *limit > kLimitMax)
      return bad("limit",
                 "limit is " + quoted(*given) + "; it must be a number from 1 to " + std::to_string(kLimitMax));
    query_.limit = *limit;
    return {};
  }

  Fault read_model() {
    const std::string* given = arguments_.find("model");
    if (given == nullptr) return {};
    const auto found = std::find(kModelNames.begin(), kModelNames.end(), *given);
    if (found != kModelNames.end()) {
      query_.model = static_cast<Model>(found - kModelNames.begin());
      return {};
    }
    std::vector<std::string> allowed{kModelNames.begin(), kModelNames.end()};
    if (query_.report == nullptr) {
      allowed.insert(allowed.end(), kJourneyModelNames.begin(), kJourneyModelNames.end());
      const auto by_journeys = std::find(kJourneyModelNames.begin(), kJourneyModelNames.end(), *given);
      if (by_journeys != kJourneyModelNames.end()) {
        query_.journey_model = static_cast<JourneyModel>(by_journeys - kJourneyModelNames.begin());
        query_.model = Model::last;  // of what it does not tell
        return {};
      }
    }
    return bad("model", "there is no model " + quoted(*given), std::move(allowed));
  }

  Fault read_lookback() {
    const std::string* given = arguments_.find("lookback");
    if (given == nullptr) return {};
    std::vector<std::string> allowed;
    for (const int days : kLookbackDays) {
      allowed.push_back(std::to_string(days) + "d");
      if (*given != allowed.back()) continue;
      query_.lookback_days = days;
      return {};
    }
    return bad("lookback", "there is no lookback " + quoted(*given), std::move(allowed));
  }

  // What every hit counts for is kept by one dimension at a time; what visits did, in any combination.
  Fault check_kept_together() {
    if (!query_.needs_visits()) return {};
    for (const Metric* metric : query_.metrics) {
      if (is_kept_with_visits(*metric)) continue;
      if (metric->is_of_spend())
        return bad(query_.filter.empty() ? "by" : "filter",
                   std::string(metric->name) + " is not kept by visits: ask for it with a single dimension in `by` and `filter`");
      return bad(query_.filter.empty() ? "by" : "filter",
                 std::string(metric->name) +
                     " are kept by one dimension at a time: ask for them with a single one in `by` and `filter`");
    }
    return {};
  }

  Fault read_cursor() {
    const std::string* given = arguments_.find("cursor");
    if (given == nullptr) return {};
    const std::optional<uint64_t> offset = parse_number<uint64_t>(std::string_view(*given).substr(0, given->find('.')));
    if (!offset || *given != query_.cursor_at(*offset))
      return bad("cursor", "the cursor belongs to another query; begin again without it");
    query_.offset = *offset;
    return {};
  }

  const Arguments& arguments_;
  const QueryContext& context_;
  Query query_;
};

}  // namespace

std::span<const std::string_view> query_parameters() { return kParameters; }
std::span<const std::string_view> report_parameters() { return kReportParameters; }

std::vector<std::string> known_sites(std::span<const std::string> seen, const Config& config) {
  std::vector<std::string> sites(seen.begin(), seen.end());
  for (const SiteConfig& site : config.sites)
    if (std::find(seen.begin(), seen.end(), site.name) == seen.end()) sites.push_back(site.name);
  return sites;
}

std::variant<Query, QueryError> parse_query(std::string_view raw, const QueryContext& context,
                                            const FixedReport* report) {
  auto arguments = report == nullptr ? Arguments::parse(raw, kParameters, {})
                   : !report->parameters.empty() ? Arguments::parse(raw, report->parameters, {})
                   : report->choices.empty() ? Arguments::parse(raw, kReportParameters, {})
                                             : Arguments::parse(raw, kCreditParameters, {});
  if (auto* error = std::get_if<QueryError>(&arguments)) return std::move(*error);
  return Parser(std::get<Arguments>(arguments), context, report).parse();
}

}  // namespace footfall
