// Conversions by items or by touches that share them: each is split into cells, one for each touch and item.
#include <algorithm>
#include <array>

#include "credit/attribution.h"
#include "query/block_scan.h"

namespace footfall {
namespace {

bool is_money_of_orders(Measure measure) {
  return measure == Measure::revenue || measure == Measure::refunds || measure == Measure::revenue_net;
}

}  // namespace

bool BlockScan::take_cells(const Rows& rows) {
  std::vector<Cell> cells;
  if (!split(rows, cells) || !filter_cells(cells)) return false;
  Groups groups;
  if (!plan_.query.by.empty() && !group_cells(cells, groups)) return false;
  for (const Measured& measured : plan_.of(Fact::conversion))
    if (!add_cells(measured, cells, groups)) return false;
  if (!plan_.shows_revenue) return true;
  Rows left;  // once each, though a filter took some of its cells
  for (const Cell& cell : cells)
    if (left.empty() || left.back() != cell.conversion) left.push_back(cell.conversion);
  return add_unconverted(left);
}

// --- into cells ------------------------------------------------------------------------------------------------------

bool BlockScan::split(const Rows& rows, std::vector<Cell>& cells) {
  std::vector<Part> parts;
  std::vector<Share> shares;
  for (const uint32_t row : rows) {
    parts.clear();
    shares.clear();
    if (!split_by_items(row, parts) || !split_by_touches(row, shares)) return false;
    cross(row, parts, shares, cells);
  }
  return true;
}

// Its items first; what they leave of an order is the last part, even where that is nothing.
bool BlockScan::split_by_items(uint32_t row, std::vector<Part>& parts) {
  const std::vector<uint32_t>* offsets = block_.offsets(VisitTable::items);
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  const std::vector<int64_t>* all_pieces = block_.ints(VisitColumn::conversion_quantity);
  const std::vector<int64_t>* value_micros = block_.ints(VisitColumn::conversion_value_micros);
  const std::vector<int64_t>* refund_micros = block_.ints(VisitColumn::conversion_refund_micros);
  for (const auto* column : {flags, all_pieces, value_micros, refund_micros})
    if (column == nullptr || offsets == nullptr) return false;
  const uint32_t first = (*offsets)[row], end = plan_.by_items ? (*offsets)[row + 1] : first;
  const bool is_goal = ((*flags)[row] & kConversionGoal) != 0;
  Part left{kNone, first == end, (*all_pieces)[row], (*value_micros)[row], (*refund_micros)[row]};
  if (first < end) {
    const std::vector<int64_t>* pieces = block_.ints(VisitColumn::item_quantity);
    const std::vector<int64_t>* micros = block_.ints(VisitColumn::item_value_micros);
    if (pieces == nullptr || micros == nullptr) return false;
    const bool has_rate = ((*flags)[row] & kConversionNoRate) == 0;
    const bool is_change = ((*flags)[row] & kConversionChange) != 0;
    for (uint32_t item = first; item < end; ++item) {
      const int64_t money = has_rate && !is_goal ? (*micros)[item] : 0;
      parts.push_back({item, true, is_goal ? 0 : (*pieces)[item], is_change ? 0 : money, is_change ? money : 0});
      left.pieces -= parts.back().pieces;
      left.micros -= parts.back().micros;
      left.refund_micros -= parts.back().refund_micros;
    }
  }
  if (!is_goal || first == end) parts.push_back(left);
  return true;
}

bool BlockScan::split_by_touches(uint32_t row, std::vector<Share>& shares) {
  if (!plan_.shares_touches) return shares.push_back({kNone, kCreditWhole}), true;
  const std::vector<uint32_t>* offsets = block_.offsets(VisitTable::touches);
  const std::vector<int64_t>* age_s = block_.ints(VisitColumn::touch_age_s);
  const TextColumn* channels = block_.texts(VisitColumn::touch_channel);
  if (offsets == nullptr || age_s == nullptr || channels == nullptr) return false;
  const int64_t lookback_s = plan_.query.lookback_days * kDayS;
  uint32_t first = (*offsets)[row];
  const uint32_t end = (*offsets)[row + 1];
  while (first < end && (*age_s)[first] > lookback_s) ++first;
  if (first == end) return shares.push_back({kNone, kCreditWhole}), true;  // nobody knows how the buyer came
  if (end - first > kTouchesMax) return false;
  std::vector<JourneyTouch>& journey = journey_;
  journey.clear();
  for (uint32_t touch = first; touch < end; ++touch)
    journey.push_back({(*age_s)[touch] * 1000, channels->texts[channels->codes[touch]] == kDirectChannel});
  const Credits credits = credits_of(plan_.query.model, journey);
  for (size_t i = 0; i < journey.size(); ++i) shares.push_back({first + static_cast<uint32_t>(i), credits[i]});
  return true;
}

// A part's money is shared exactly, and so is the whole conversion's: the last part takes what is left of each touch's.
void BlockScan::cross(uint32_t row, std::span<const Part> parts, std::span<const Share> shares, std::vector<Cell>& cells) {
  std::array<int64_t, kTouchesMax> millionths;
  std::array<__int128, kTouchesMax> micros, refunds, left_micros{}, left_refunds{};
  for (size_t i = 0; i < shares.size(); ++i) millionths[i] = shares[i].millionths;
  const std::span<const int64_t> by(millionths.data(), shares.size());
  const auto split_money = [&](int64_t money, std::array<__int128, kTouchesMax>& to) {
    if (shares.size() == 1) return void(to[0] = money);
    split_value(money, by, kCreditWhole, shares.size() - 1, {to.data(), shares.size()});
  };
  Part whole;
  for (const Part& part : parts) whole.micros += part.micros, whole.refund_micros += part.refund_micros;
  split_money(whole.micros, left_micros);
  split_money(whole.refund_micros, left_refunds);
  const size_t begin = cells.size(), many = parts.size();
  cells.resize(begin + shares.size() * many);
  for (size_t i = 0; i < many; ++i) {
    const Part& part = parts[i];
    const bool is_last = i + 1 == many;
    split_money(part.micros, micros);
    split_money(part.refund_micros, refunds);
    for (size_t k = 0; k < shares.size(); ++k) {
      const __int128 money = is_last ? left_micros[k] : micros[k], refund = is_last ? left_refunds[k] : refunds[k];
      left_micros[k] -= money;
      left_refunds[k] -= refund;
      cells[begin + k * many + i] = {row, part.item, shares[k].touch, part.is_conversion, part.pieces, millionths[k],
                                     static_cast<int64_t>(money), static_cast<int64_t>(refund)};
    }
  }
}

// --- which cells -----------------------------------------------------------------------------------------------------

uint32_t BlockScan::code_of(const DimensionInfo& dimension, const Codes& codes, const Cell& cell) const {
  if (BlockDimensions::is_of_items(dimension)) return cell.item == kNone ? 0 : codes.codes[cell.item];
  if (!plan_.shares_touches || !BlockDimensions::is_of_touches(dimension)) return codes.codes[cell.conversion];
  return cell.touch == kNone ? static_cast<uint32_t>(codes.texts->size()) : codes.codes[cell.touch];
}

bool BlockScan::filter_cells(std::vector<Cell>& cells) {
  for (const DimensionInfo* dimension : plan_.filtered) {
    if (!is_told_by_cell(*dimension)) continue;
    Codes codes;
    if (!read_of_cells(*dimension, codes)) return false;
    const std::vector<uint8_t> means = verdicts(*dimension, codes);
    std::erase_if(cells, [&](const Cell& cell) { return means[code_of(*dimension, codes, cell)] == 0; });
  }
  return true;
}

bool BlockScan::group_cells(const std::vector<Cell>& cells, Groups& groups) {
  std::optional<VisitGroups> by = groups_by(Fact::conversion);
  if (!by) return false;
  for (const Cell& cell : cells) {
    uint32_t codes[2] = {0, 0};
    for (size_t i = 0; i < plan_.others.size(); ++i) codes[i] = code_of(*plan_.others[i], by->codes()[i], cell);
    const std::optional<uint32_t> group = by->find(times_s_[cell.conversion], codes[0], codes[1]);
    is_full_ = !group;
    if (is_full_) return false;
    groups.push_back(*group);
  }
  return true;
}

// --- counting --------------------------------------------------------------------------------------------------------

bool BlockScan::add_cells(const Measured& measured, const std::vector<Cell>& cells, const Groups& groups) {
  if (measured.measure == Measure::revenue_squares || measured.measure == Measure::order_squares)
    return add_squares(measured, cells, groups);
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  const std::vector<int64_t>* goal_micros = block_.ints(VisitColumn::conversion_goal_value_micros);
  if (flags == nullptr || goal_micros == nullptr) return false;
  const bool adds_up = measured.measure == Measure::items || is_money_of_orders(measured.measure);
  const auto value_of = [&](const Cell& cell) -> int64_t {
    const bool is_goal = ((*flags)[cell.conversion] & kConversionGoal) != 0;
    if (measured.measure == Measure::items) return cell.pieces * cell.millionths;
    if (measured.measure == Measure::revenue) return cell.micros;
    if (measured.measure == Measure::refunds) return cell.refund_micros;
    if (measured.measure == Measure::revenue_net) return cell.micros - cell.refund_micros;
    if (measured.measure == Measure::goal_value) return (*goal_micros)[cell.conversion];  // goes with no touch
    if (((*flags)[cell.conversion] & kConversionChange) != 0) return 0;
    return measured.measure == Measure::orders && is_goal ? 0 : cell.millionths;
  };
  GroupSums& rows = plan_.to.rows;
  size_t first = 0;  // of the touch's cells
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].conversion != cells[first].conversion || cells[i].touch != cells[first].touch) first = i;
    if (!adds_up && !cells[i].is_conversion) continue;
    // What a touch gets of a conversion counts once in a group, and once in the totals, whatever the number of its items there.
    const auto counted = [&](auto test) {
      for (size_t before = first; before < i; ++before)
        if (cells[before].is_conversion && test(before)) return true;
      return false;
    };
    const int64_t value = value_of(cells[i]);
    if (adds_up || !counted([](size_t) { return true; })) plan_.to.totals.sum(0, measured.part) += value;
    if (groups.empty()) continue;
    if (adds_up || !counted([&](size_t before) { return groups[before] == groups[i]; })) rows.sum(groups[i], measured.part) += value;
  }
  return true;
}

// What an order's touches get in one group is added up before it is squared. Items have no intervals.
bool BlockScan::add_squares(const Measured& measured, const std::vector<Cell>& cells, const Groups& groups) {
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  if (flags == nullptr || plan_.by_items) return false;
  const auto value_of = [&](const Cell& cell) {
    return measured.measure == Measure::revenue_squares ? cell.micros : cell.millionths;
  };
  std::vector<std::pair<uint32_t, int64_t>> by_group;  // of one order
  for (size_t first = 0, end; first < cells.size(); first = end) {
    int64_t total = 0;
    by_group.clear();
    for (end = first; end < cells.size() && cells[end].conversion == cells[first].conversion; ++end) {
      total += value_of(cells[end]);
      if (groups.empty()) continue;
      const auto known = std::find_if(by_group.begin(), by_group.end(), [&](const auto& one) { return one.first == groups[end]; });
      if (known != by_group.end()) known->second += value_of(cells[end]);
      else by_group.emplace_back(groups[end], value_of(cells[end]));
    }
    if (((*flags)[cells[first].conversion] & (kConversionGoal | kConversionChange)) != 0) continue;
    plan_.to.totals.sum(0, measured.part) += square_of(total);
    for (const auto& [group, value] : by_group) plan_.to.rows.sum(group, measured.part) += square_of(value);
  }
  return true;
}

}  // namespace footfall
