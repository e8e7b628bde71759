#include "query/visit_measures.h"

#include <algorithm>

namespace footfall {
namespace {

struct Place {
  Fact fact;
  Measure measure;
};

std::optional<Place> place_of(const Part& part) {
  if (part.kind == Part::Kind::counter) switch (static_cast<Counter>(part.index)) {
      case Counter::visits:
        return Place{Fact::visit, Measure::one};
      case Counter::bounces:
        return Place{Fact::visit, Measure::bounces};
      case Counter::duration_ms:
        return Place{Fact::visit, Measure::duration_ms};
      case Counter::visits_converted:
        return Place{Fact::visit, Measure::converted};
      case Counter::visits_with_cart:
        return Place{Fact::visit, Measure::with_cart};
      case Counter::visits_cart_left:
        return Place{Fact::visit, Measure::cart_left};
      case Counter::pageviews:
        return Place{Fact::view, Measure::pageviews};
      case Counter::pages_left:
        return Place{Fact::view, Measure::pages_left};
      case Counter::page_time_ms:
        return Place{Fact::view, Measure::page_time_ms};
      case Counter::entries:
        return Place{Fact::view, Measure::entries};
      case Counter::exits:
        return Place{Fact::view, Measure::exits};
      case Counter::events:
        return Place{Fact::event, Measure::one};
      default:
        return std::nullopt;
    }
  if (part.kind == Part::Kind::credited) switch (static_cast<Counter>(part.index)) {
      case Counter::conversions_last:
        return Place{Fact::conversion, Measure::conversions};
      case Counter::orders_last:
        return Place{Fact::conversion, Measure::orders};
      case Counter::items_last:
        return Place{Fact::conversion, Measure::items};
      default:
        return std::nullopt;
    }
  if (part == Part{Part::Kind::credited_amount, static_cast<uint8_t>(Amount::revenue_last)})
    return Place{Fact::conversion, Measure::revenue};
  if (part == Part{Part::Kind::credited_amount, static_cast<uint8_t>(Amount::refunds_last)})
    return Place{Fact::conversion, Measure::refunds};
  if (part.kind == Part::Kind::revenue_squares) return Place{Fact::conversion, Measure::revenue_squares};
  if (part.kind == Part::Kind::order_squares) return Place{Fact::conversion, Measure::order_squares};
  if (part.kind == Part::Kind::revenue_net) return Place{Fact::conversion, Measure::revenue_net};
  if (part == Part{Part::Kind::amount, static_cast<uint8_t>(Amount::goal_value)})
    return Place{Fact::conversion, Measure::goal_value};
  return std::nullopt;
}

bool has_group(const std::vector<const DimensionInfo*>& dimensions, uint16_t groups) {
  return std::any_of(dimensions.begin(), dimensions.end(), [&](const auto* one) { return (one->group & groups) != 0; });
}

bool has_items(const std::vector<const DimensionInfo*>& dimensions) {
  return std::any_of(dimensions.begin(), dimensions.end(),
                     [](const auto* one) { return BlockDimensions::is_of_items(*one); });
}

}  // namespace

bool is_kept_with_visits(const Metric& metric) {
  const auto is_told = [](const Part& part) { return part.kind == Part::Kind::none || place_of(part); };
  return is_told(metric.top) && is_told(metric.bottom) && is_told(metric.bottom_by_page);
}

ScanPlan::ScanPlan(const Query& query, const TimeRange& range, const PartTable& table, const StringHasher& hasher,
                   std::vector<PageGroup> page_groups, Collected& to)
    : query(query),
      range(range),
      hasher(hasher),
      page_groups(std::move(page_groups)),
      to(to),
      others(query.others()),
      filtered(dimensions_of(query.filter)),
      by_page(has_group(others, kByPage)),
      filtered_by_page(has_group(filtered, kByPage)),
      by_items(has_items(query.dimensions())),
      shares_touches(query.shares_touches()),
      counts_visitors(table.has_visitors()),
      shows_revenue(query.shows_revenue()) {
  for (size_t number = 0; number < table.size(); ++number) add(number, table.parts()[number]);
}

void ScanPlan::add(size_t number, const Part& part) {
  const std::optional<Place> place = place_of(part);
  if (!place) return;  // refused before: see is_kept_with_visits()
  const auto put = [&](Fact fact, Measured one) { measured[static_cast<size_t>(fact)].push_back(one); };
  const bool counts_visits = place->fact == Fact::visit && place->measure == Measure::one;
  if (!counts_visits || !(by_page || filtered_by_page)) return put(place->fact, {number, place->measure, true, true});
  // By page, a visit is one of each page that it viewed.
  put(Fact::page_visit, {number, Measure::one, true, !by_page});
  if (!filtered_by_page) put(Fact::visit, {number, Measure::one, false, true});
}

}  // namespace footfall
