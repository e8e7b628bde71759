#include "query/sums.h"

#include <algorithm>

namespace footfall {

PartTable::PartTable(const Query& query) : model_(query.model) {
  for (const Metric* metric : query.metrics) {
    Places places;
    has_visitors_ |= metric->is_visitors();
    if (!metric->is_visitors()) places.top = place(metric->top);
    const Part bottom = metric->bottom_by(query.groups());
    places.has_bottom = bottom.kind != Part::Kind::none;
    if (places.has_bottom) places.bottom = place(bottom);
    places_.push_back(places);
  }
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

GroupSums::GroupSums(const PartTable& table, Precision precision)
    : table_(table), stride_(std::max<size_t>(table.size(), 1)), precision_(precision), has_quantiles_(table.has_quantiles()) {}

bool GroupSums::add(const GroupKey& key, const Counters& counters) {
  const std::optional<size_t> group = find_or_add(key);
  if (!group) return false;
  for (size_t i = 0; i < table_.size(); ++i) sum(*group, i) += value_of(table_.parts()[i], counters, table_.model());
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
  const auto values = sums(group);
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
