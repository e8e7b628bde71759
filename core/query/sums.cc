#include "query/sums.h"

#include <algorithm>

#include "base/money.h"

namespace footfall {

PartTable::PartTable(const Query& query)
    : model_(query.model), margin_micros_(query.margin_micros.value_or(0)), leaves_credit_out_(query.has_journey_rows()) {
  for (const Metric* metric : query.metrics) {
    Places places;
    has_visitors_ |= metric->is_visitors();
    if (!metric->is_visitors()) places.top = place(metric->top);
    const Part bottom = metric->bottom_by(query.groups());
    places.has_bottom = bottom.kind != Part::Kind::none;
    if (places.has_bottom) places.bottom = place(bottom);
    places_.push_back(places);
  }
  figure_parts_ = parts_.size();
  if (has_visitors_) visits_ = place({Part::Kind::counter, static_cast<uint8_t>(Counter::visits)});
  const auto is_return = [](const Metric* metric) {
    return metric->interval() == IntervalKind::rpv || metric->interval() == IntervalKind::roas;
  };
  if (!query.with_bounds || std::none_of(query.metrics.begin(), query.metrics.end(), is_return)) return;
  returns_ = {.visits = place({Part::Kind::counter, static_cast<uint8_t>(Counter::visits)}),
              .orders = place({Part::Kind::credited, static_cast<uint8_t>(Counter::orders_last)}),
              .order_squares = place({Part::Kind::order_squares, 0}),
              .revenue = place({Part::Kind::credited_amount, static_cast<uint8_t>(Amount::revenue_last)}),
              .revenue_squares = place({Part::Kind::revenue_squares, 0})};
}

__int128 PartTable::visitors(const Distinct& distinct, std::span<const __int128> sums) const {
  const __int128 estimate = distinct.estimate();
  const bool is_beyond = !distinct.is_exact() && visits_ && sums[*visits_] < estimate;
  return is_beyond ? std::max<__int128>(sums[*visits_], 0) : estimate;
}

ReturnSums PartTable::return_sums(std::span<const __int128> sums) const {
  ReturnSums of;
  if (!returns_) return of;
  // No sum of these is below 0, but a damaged store's.
  const auto sum = [&](size_t place) { return static_cast<unsigned __int128>(std::max<__int128>(sums[place], 0)); };
  of.visits = static_cast<uint64_t>(sum(returns_->visits));
  of.credit_millionths = sum(returns_->orders);
  of.credit_squares = sum(returns_->order_squares);
  of.revenue_micros = sum(returns_->revenue);
  of.revenue_squares = sum(returns_->revenue_squares);
  return of;
}

bool PartTable::has_quantiles() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.kind == Part::Kind::quantile; });
}

size_t PartTable::place(const Part& part) {
  const auto found = std::find(parts_.begin(), parts_.end(), part);
  if (found != parts_.end()) return static_cast<size_t>(found - parts_.begin());
  parts_.push_back(part);
  return parts_.size() - 1;
}

GroupSums::GroupSums(const PartTable& table, Precision precision, bool of_touches)
    : table_(table),
      stride_(std::max<size_t>(table.size(), 1)),
      precision_(precision),
      has_quantiles_(table.has_quantiles()),
      of_touches_(of_touches) {}

bool GroupSums::add(const GroupKey& key, const Counters& counters) {
  const std::optional<size_t> group = find_or_add(key);
  if (!group) return false;
  for (size_t i = 0; i < table_.size(); ++i) {
    const Part& part = table_.parts()[i];
    if (of_touches_ && table_.leaves_credit_out() && part.is_credited()) {
      if (part.kind == Part::Kind::profit) sum(*group, i) -= counters[Amount::cost] * kMicrosPerUnit;
      continue;
    }
    const bool by_last = part.is_squares() && !of_touches_;  // others are not kept there: they are the same
    sum(*group, i) += value_of(part, counters, by_last ? Model::last : table_.model(), table_.margin_micros());
  }
  if (table_.has_visitors() && !counters.visitors.empty()) visitors_[*group].merge(counters.visitors);
  if (!took_ms_.empty() && counters.took_ms) took_ms_[*group].merge(*counters.took_ms);
  return true;
}

void GroupSums::settle_quantiles() {
  for (size_t group = 0; group < took_ms_.size(); ++group)
    for (size_t i = 0; i < table_.size(); ++i)
      if (table_.parts()[i].kind == Part::Kind::quantile && !took_ms_[group].empty())
        sum(group, i) = took_ms_[group].at(table_.parts()[i].index) + 1;
}

bool GroupSums::is_zero(size_t group) const {
  const auto values = sums(group).first(table_.figure_parts());
  return std::all_of(values.begin(), values.end(), [](__int128 value) { return value == 0; }) &&
         (!table_.has_visitors() || visitors_[group].empty());
}

std::optional<size_t> GroupSums::find_or_add(const GroupKey& key) {
  const auto found = places_.find(key);
  if (found != places_.end()) return found->second;
  const bool is_heavy = table_.has_visitors() || has_quantiles_;
  if (keys_.size() >= (is_heavy ? kHeavyGroupsMax : kGroupsMax)) return std::nullopt;
  places_.emplace(key, static_cast<uint32_t>(keys_.size()));
  keys_.push_back(key);
  sums_.resize(sums_.size() + stride_);
  if (table_.has_visitors()) visitors_.emplace_back(precision_);
  if (has_quantiles_) took_ms_.emplace_back();
  return keys_.size() - 1;
}

std::optional<size_t> GroupSums::find(const GroupKey& key) const {
  const auto found = places_.find(key);
  return found == places_.end() ? std::nullopt : std::optional<size_t>(found->second);
}

}  // namespace footfall
