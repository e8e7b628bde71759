// Conversions by item and category: each is split into what goes to its items, and what they leave.
#include <algorithm>

#include "query/block_scan.h"

namespace footfall {
namespace {

constexpr uint32_t kNobodys = UINT32_MAX;  // what a conversion's items leave

bool is_money_of_orders(Measure measure) {
  return measure == Measure::revenue || measure == Measure::refunds || measure == Measure::revenue_net;
}

uint32_t code_of(const Codes& of_items, uint32_t item) { return item == kNobodys ? 0 : of_items.codes[item]; }

}  // namespace

bool BlockScan::take_parts(Rows& rows) {
  std::vector<PartRow> parts;
  if (!split(rows, parts) || !filter_parts(parts)) return false;
  Groups groups;
  if (!plan_.query.by.empty() && !group_parts(parts, groups)) return false;
  for (const Measured& measured : plan_.of(Fact::conversion))
    if (!add_parts(measured, parts, groups)) return false;
  if (!plan_.shows_revenue) return true;
  rows.clear();
  for (const PartRow& part : parts)
    if (rows.empty() || rows.back() != part.conversion) rows.push_back(part.conversion);
  return add_unconverted(rows);
}

bool BlockScan::split(const Rows& rows, std::vector<PartRow>& parts) {
  const std::vector<uint32_t>* offsets = block_.offsets(VisitTable::items);
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  const std::vector<int64_t>* all_pieces = block_.ints(VisitColumn::conversion_quantity);
  const std::vector<int64_t>* value_micros = block_.ints(VisitColumn::conversion_value_micros);
  const std::vector<int64_t>* refund_micros = block_.ints(VisitColumn::conversion_refund_micros);
  const std::vector<int64_t>* pieces = block_.ints(VisitColumn::item_quantity);
  const std::vector<int64_t>* micros = block_.ints(VisitColumn::item_value_micros);
  for (const auto* column : {flags, all_pieces, value_micros, refund_micros, pieces, micros})
    if (column == nullptr || offsets == nullptr) return false;
  for (const uint32_t row : rows) {
    const uint32_t first = (*offsets)[row], end = (*offsets)[row + 1];
    const bool is_goal = ((*flags)[row] & kConversionGoal) != 0;
    const bool has_rate = ((*flags)[row] & kConversionNoRate) == 0;
    const bool is_change = ((*flags)[row] & kConversionChange) != 0;
    PartRow left{row, kNobodys, first == end, (*all_pieces)[row], (*value_micros)[row], (*refund_micros)[row]};
    for (uint32_t item = first; item < end; ++item) {
      const int64_t money = has_rate && !is_goal ? (*micros)[item] : 0;
      parts.push_back({row, item, true, is_goal ? 0 : (*pieces)[item], is_change ? 0 : money, is_change ? money : 0});
      left.pieces -= parts.back().pieces;
      left.micros -= parts.back().micros;
      left.refund_micros -= parts.back().refund_micros;
    }
    if (!is_goal || first == end) parts.push_back(left);
  }
  return true;
}

bool BlockScan::filter_parts(std::vector<PartRow>& parts) {
  for (const DimensionInfo* dimension : plan_.filtered) {
    if (!BlockDimensions::is_of_items(*dimension)) continue;
    Codes codes;
    if (!dimensions_.read_of_items(*dimension, codes)) return false;
    const std::vector<uint8_t> means = verdicts(*dimension, codes);
    std::erase_if(parts, [&](const PartRow& part) { return means[code_of(codes, part.item)] == 0; });
  }
  return true;
}

bool BlockScan::group_parts(const std::vector<PartRow>& parts, Groups& groups) {
  std::optional<VisitGroups> by = groups_by(Fact::conversion);
  if (!by) return false;
  for (const PartRow& part : parts) {
    uint32_t codes[2] = {0, 0};
    for (size_t i = 0; i < plan_.others.size(); ++i)
      codes[i] = BlockDimensions::is_of_items(*plan_.others[i]) ? code_of(by->codes()[i], part.item)
                                                                : by->codes()[i].codes[part.conversion];
    const std::optional<uint32_t> group = by->find(times_s_[part.conversion], codes[0], codes[1]);
    is_full_ = !group;
    if (is_full_) return false;
    groups.push_back(*group);
  }
  return true;
}

bool BlockScan::add_parts(const Measured& measured, const std::vector<PartRow>& parts, const Groups& groups) {
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  const std::vector<int64_t>* goal_micros = block_.ints(VisitColumn::conversion_goal_value_micros);
  if (flags == nullptr || goal_micros == nullptr) return false;
  const bool adds_up = measured.measure == Measure::items || is_money_of_orders(measured.measure);
  const auto value_of = [&](const PartRow& part) -> int64_t {
    const bool is_goal = ((*flags)[part.conversion] & kConversionGoal) != 0;
    if (measured.measure == Measure::items) return part.pieces * kCreditWhole;
    if (measured.measure == Measure::revenue) return part.micros;
    if (measured.measure == Measure::refunds) return part.refund_micros;
    if (measured.measure == Measure::revenue_net) return part.micros - part.refund_micros;
    if (measured.measure == Measure::goal_value) return (*goal_micros)[part.conversion];
    if (((*flags)[part.conversion] & kConversionChange) != 0) return 0;
    return measured.measure == Measure::orders && is_goal ? 0 : kCreditWhole;
  };
  GroupSums& rows = plan_.to.rows;
  size_t first = 0;  // of the conversion's parts
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].conversion != parts[first].conversion) first = i;
    if (!adds_up && !parts[i].is_conversion) continue;
    // A conversion counts once in a group, and once in the totals, whatever the number of its parts there.
    const auto counted = [&](auto test) {
      for (size_t before = first; before < i; ++before)
        if (parts[before].is_conversion && test(before)) return true;
      return false;
    };
    const int64_t value = value_of(parts[i]);
    if (adds_up || !counted([](size_t) { return true; })) plan_.to.totals.sum(0, measured.part) += value;
    if (groups.empty()) continue;
    if (adds_up || !counted([&](size_t before) { return groups[before] == groups[i]; }))
      rows.sum(groups[i], measured.part) += value;
  }
  return true;
}

}  // namespace footfall
