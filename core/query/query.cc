#include "query/query.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdio>

#include "query/text.h"

namespace footfall {
namespace {

template <class Infos>
std::string json_names(const Infos& infos) {
  std::string out = "[";
  for (const auto* info : infos) out.append(out.size() > 1 ? "," : "").append(json_string(info->name));
  return out + "]";
}

}  // namespace

const DimensionInfo* Query::time() const {
  for (const DimensionInfo* dimension : by)
    if (dimension->is_time()) return dimension;
  return nullptr;
}

std::vector<const DimensionInfo*> Query::others() const {
  std::vector<const DimensionInfo*> others;
  std::copy_if(by.begin(), by.end(), std::back_inserter(others), [](const auto* one) { return !one->is_time(); });
  return others;
}

std::vector<const DimensionInfo*> Query::dimensions() const {
  std::vector<const DimensionInfo*> all = others();
  for (const DimensionInfo* dimension : dimensions_of(filter))
    if (std::find(all.begin(), all.end(), dimension) == all.end()) all.push_back(dimension);
  return all;
}

uint16_t Query::groups() const {
  uint16_t groups = 0;
  for (const DimensionInfo* dimension : dimensions()) groups |= dimension->group;
  return groups;
}

uint16_t Query::row_groups() const {
  uint16_t groups = 0;
  for (const DimensionInfo* dimension : others()) groups |= dimension->group;
  return others().empty() ? static_cast<uint16_t>(kByTime) : groups;
}

bool Query::shows_revenue() const {
  return std::any_of(metrics.begin(), metrics.end(),
                     [](const Metric* metric) { return metric->is_money_of_orders(); });
}

bool Query::shows_spend() const {
  return std::any_of(metrics.begin(), metrics.end(), [](const Metric* metric) { return metric->is_of_spend(); });
}

bool Query::credits_touches() const {
  return (groups() & kByTouch) != 0 &&
         std::any_of(metrics.begin(), metrics.end(), [](const Metric* metric) { return metric->is_credited(); });
}

bool Query::has_journey_rows() const {
  if (!journey_model || !filter.empty() || by.size() != 1) return false;
  return by[0]->rollup == Dimension::channel || (by[0]->rollup == Dimension::campaign && *journey_model == JourneyModel::markov);
}

std::vector<FigureColumn> Query::figure_columns() const {
  using enum FigureColumn::Of;
  std::vector<FigureColumn> columns;
  for (size_t metric = 0; metric < metrics.size(); ++metric) {
    const bool bounds = with_bounds && metrics[metric]->interval() != IntervalKind::none;
    columns.push_back({metric, now});
    if (bounds) columns.insert(columns.end(), {{metric, now_low}, {metric, now_high}});
    if (!comparison) continue;
    columns.push_back({metric, before});
    if (bounds) columns.insert(columns.end(), {{metric, before_low}, {metric, before_high}});
    columns.push_back({metric, change});
  }
  return columns;
}

size_t Query::columns() const {
  return by.size() + (report != nullptr && report->columns != nullptr ? report->columns(*this).size() : figure_columns().size());
}

std::string Query::column_name(size_t column) const {
  static constexpr std::string_view kEndings[] = {"", "_lo", "_hi", "_previous", "_previous_lo", "_previous_hi", "_change"};
  if (column < by.size()) return std::string(by[column]->name);
  if (report != nullptr && report->columns != nullptr) return report->columns(*this)[column - by.size()];
  const FigureColumn of = figure_columns()[column - by.size()];
  return std::string(metrics[of.metric]->name).append(kEndings[static_cast<size_t>(of.of)]);
}

std::vector<std::pair<std::string, std::string>> Query::shown() const {
  const std::pair<std::string, std::string> order = {"order", json_string((descending ? "-" : "") + column_name(order_column))};
  std::vector<std::pair<std::string, std::string>> shown = {
      {"site", json_string(site)},
      {"from", json_string(instant_text(range.from_s, zone))},
      {"to", json_string(instant_text(range.to_s, zone))}};
  if (report != nullptr) {
    shown.insert(shown.begin(), {"report", json_string(report->name)});
    if (report->columns != nullptr) {
      const auto has = [&](std::string_view parameter) {
        return std::find(report->parameters.begin(), report->parameters.end(), parameter) != report->parameters.end();
      };
      shown.emplace_back("by", json_names(by));
      if (has("order")) shown.push_back(order);
      shown.emplace_back("limit", std::to_string(limit));
      if (has("model")) shown.emplace_back("model", json_string(kModelNames[static_cast<size_t>(model)]));
      for (const auto& [name, is_set] : {std::pair{"advice", with_advice}, std::pair{"levels", with_levels}})
        if (is_set) shown.emplace_back(name, "1");
      show_comparison(shown);
      return shown;
    }
    if (!report->choices.empty()) {
      shown.insert(shown.end(), {{"by", json_names(by)},
                                 {"lookback", json_string(std::to_string(lookback_days) + "d")},
                                 {"limit", std::to_string(limit)}});
      return shown;
    }
    shown.insert(shown.end(), {order, {"limit", std::to_string(limit)}});
    return shown;
  }
  shown.insert(shown.end(), {{"by", json_names(by)},
                             {"metrics", json_names(metrics)},
                             order,
                             {"limit", std::to_string(limit)},
                             {"model", json_string(model_name())},
                             {"lookback", json_string(std::to_string(lookback_days) + "d")}});
  if (!filter.empty()) shown.emplace_back("filter", json_string(filter_text(filter)));
  if (with_bounds) shown.emplace_back("ci", std::string(kConfidence));
  show_comparison(shown);
  return shown;
}

void Query::show_comparison(std::vector<std::pair<std::string, std::string>>& to) const {
  if (!comparison) return;
  to.emplace_back("compare", json_string(kCompareNames[static_cast<size_t>(compare) - 1]));
  to.emplace_back("compare_from", json_string(instant_text(comparison->before().from_s, zone)));
  to.emplace_back("compare_to", json_string(instant_text(comparison->before().to_s, zone)));
}

std::string Query::cursor_at(uint64_t offset) const {
  std::string text;
  for (const auto& [name, value] : shown())
    if (name != "limit") text.append(name).append("=").append(value).append("\n");
  char hash[17];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  return std::to_string(offset) + "." + hash;
}

}  // namespace footfall
