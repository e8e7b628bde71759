#include "query/block_scan.h"

#include <algorithm>

namespace footfall {

bool BlockScan::take() {
  for (const Fact fact : {Fact::visit, Fact::page_visit, Fact::view, Fact::event, Fact::conversion})
    if (plan_.needs(fact) && !take(fact)) return false;
  return true;
}

bool BlockScan::take(Fact fact) {
  Rows rows;
  if (!rows_in_range(fact, rows)) return false;
  if (fact == Fact::page_visit && !keep_first_of_page(rows)) return false;
  if (!apply_filter(fact, rows)) return false;
  if (rows.empty()) return true;
  if (fact == Fact::conversion && (plan_.by_items || plan_.shares_touches)) return take_cells(rows);
  if (fact == Fact::page_visit && !plan_.by_page) keep_one_a_visit(rows);
  return count(fact, rows);
}

// --- which rows ------------------------------------------------------------------------------------------------------

bool BlockScan::rows_in_range(Fact fact, Rows& rows) {
  if (fact == Fact::visit) return visits_in_range(rows);
  const VisitTable table = table_of(fact);
  const std::vector<int64_t>* start_ms = block_.ints(VisitColumn::start_ms);
  const std::vector<uint32_t>* owner = dimensions_.owners(table);
  if (start_ms == nullptr || owner == nullptr) return false;
  times_s_.resize(owner->size());
  for (size_t row = 0; row < times_s_.size(); ++row) times_s_[row] = whole_s((*start_ms)[(*owner)[row]]);
  if (fact != Fact::page_visit) {  // those go by the visit's time
    const std::vector<int64_t>* after_s = block_.ints(fact == Fact::event        ? VisitColumn::event_time_s
                                                      : fact == Fact::conversion ? VisitColumn::conversion_time_s
                                                                                 : VisitColumn::view_time_s);
    if (after_s == nullptr) return false;
    for (size_t row = 0; row < times_s_.size(); ++row) times_s_[row] += (*after_s)[row];
  }
  for (uint32_t row = 0; row < times_s_.size(); ++row)
    if (times_s_[row] >= plan_.range.from_s && times_s_[row] < plan_.range.to_s) rows.push_back(row);
  return true;
}

bool BlockScan::visits_in_range(Rows& rows) {
  const std::vector<int64_t>* start_ms = block_.ints(VisitColumn::start_ms);
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::flags);
  if (start_ms == nullptr || flags == nullptr) return false;
  times_s_.resize(start_ms->size());
  for (uint32_t row = 0; row < times_s_.size(); ++row) {
    times_s_[row] = whole_s((*start_ms)[row]);
    if (times_s_[row] >= plan_.range.from_s && times_s_[row] < plan_.range.to_s && ((*flags)[row] & kKeptIsVisit) != 0)
      rows.push_back(row);
  }
  return true;
}

bool BlockScan::keep_first_of_page(Rows& rows) {
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::view_flags);
  if (flags == nullptr) return false;
  std::erase_if(rows, [&](uint32_t row) { return ((*flags)[row] & kViewFirstOfPage) == 0; });
  return true;
}

// Of rows of views.
void BlockScan::keep_one_a_visit(Rows& rows) {
  const std::vector<uint32_t>& owner = *dimensions_.owners(VisitTable::views);
  const auto same = [&](uint32_t left, uint32_t right) { return owner[left] == owner[right]; };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());
}

bool BlockScan::apply_filter(Fact fact, Rows& rows) {
  for (const DimensionInfo* dimension : plan_.filtered) {
    if (rows.empty()) return true;
    if (fact == Fact::conversion && is_told_by_cell(*dimension)) continue;
    Codes codes;
    if (!dimensions_.read(fact, *dimension, codes)) return false;
    const std::vector<uint8_t> means = verdicts(*dimension, codes);
    std::erase_if(rows, [&](uint32_t row) { return means[codes.codes[row]] == 0; });
  }
  return true;
}

std::vector<uint8_t> BlockScan::verdicts(const DimensionInfo& dimension, const Codes& codes) const {
  std::vector<uint8_t> verdicts(codes.size());
  for (uint32_t code = 0; code < verdicts.size(); ++code) {
    const std::string_view text = codes.text(code);
    verdicts[code] = holds(plan_.query.filter, dimension, text.empty() ? nullptr : &text);
  }
  return verdicts;
}

// Of conversions, when they are split.
bool BlockScan::is_told_by_cell(const DimensionInfo& dimension) const {
  return BlockDimensions::is_of_items(dimension) || (plan_.shares_touches && BlockDimensions::is_of_touches(dimension));
}

bool BlockScan::read_of_cells(const DimensionInfo& dimension, Codes& codes) {
  return BlockDimensions::is_of_items(dimension) ? dimensions_.read_of_items(dimension, codes) : dimensions_.read_of_touches(dimension, codes);
}

// --- groups ----------------------------------------------------------------------------------------------------------

std::optional<VisitGroups> BlockScan::groups_by(Fact fact) {
  std::vector<Codes> all(plan_.others.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const DimensionInfo& dimension = *plan_.others[i];
    const bool by_cell = fact == Fact::conversion && is_told_by_cell(dimension);
    if (!(by_cell ? read_of_cells(dimension, all[i]) : dimensions_.read(fact, dimension, all[i]))) return std::nullopt;
  }
  return VisitGroups(plan_.query, plan_.hasher, std::move(all), plan_.to);
}

bool BlockScan::find_groups(Fact fact, const Rows& rows, Groups& groups) {
  std::optional<VisitGroups> by = groups_by(fact);
  if (!by) return false;
  groups.reserve(rows.size());
  static constexpr uint32_t kNoCode = 0;
  const std::vector<Codes>& codes = by->codes();
  for (const uint32_t row : rows) {
    const std::optional<uint32_t> group = by->find(times_s_[row], codes.size() > 0 ? codes[0].codes[row] : kNoCode,
                                                   codes.size() > 1 ? codes[1].codes[row] : kNoCode);
    is_full_ = !group;
    if (is_full_) return false;
    groups.push_back(*group);
  }
  return true;
}

// --- counting --------------------------------------------------------------------------------------------------------

bool BlockScan::count(Fact fact, const Rows& rows) {
  Groups groups;
  if (!plan_.query.by.empty() && !find_groups(fact, rows, groups)) return false;
  for (const Measured& measured : plan_.of(fact))
    if (!add(measured, rows, groups)) return false;
  if (fact == Fact::page_visit && plan_.by_page && plan_.filtered_by_page) {
    // Rows are visits of a page each; a visit that viewed several such pages is one in the totals.
    Rows visits = rows;
    keep_one_a_visit(visits);
    for (const Measured& measured : plan_.of(fact))
      plan_.to.totals.sum(0, measured.part) += static_cast<int64_t>(visits.size());
  }
  if (fact == Fact::visit && plan_.counts_visitors) return add_visitors(rows, groups);
  return fact != Fact::conversion || !plan_.shows_revenue || add_unconverted(rows);
}

template <class Value>
void BlockScan::add_each(const Measured& measured, const Rows& rows, const Groups& groups, Value value) {
  if (measured.in_rows)
    for (size_t i = 0; i < groups.size(); ++i) plan_.to.rows.sum(groups[i], measured.part) += value(rows[i]);
  if (!measured.in_totals) return;
  __int128 total = 0;
  for (const uint32_t row : rows) total += value(row);
  plan_.to.totals.sum(0, measured.part) += total;
}

bool BlockScan::add(const Measured& measured, const Rows& rows, const Groups& groups) {
  const auto add_column = [&](VisitColumn name, auto value_of) {
    const std::vector<int64_t>* column = block_.ints(name);
    if (column == nullptr) return false;
    add_each(measured, rows, groups, [&](uint32_t row) { return value_of((*column)[row]); });
    return true;
  };
  const auto flag = [](int64_t mask) { return [mask](int64_t flags) { return int64_t{(flags & mask) != 0}; }; };
  const auto itself = [](int64_t value) { return value; };
  switch (measured.measure) {
    case Measure::one:
      add_each(measured, rows, groups, [](uint32_t) { return int64_t{1}; });
      return true;
    case Measure::pageviews:
      return add_column(VisitColumn::view_flags, [](int64_t flags) { return int64_t{(flags & kViewUncounted) == 0}; });
    case Measure::pages_left:
    case Measure::page_time_ms: {
      std::vector<int64_t> to_next_ms;
      if (!page_times(to_next_ms)) return false;
      const bool is_number = measured.measure == Measure::pages_left;
      add_each(measured, rows, groups, [&](uint32_t row) {
        return to_next_ms[row] < 0 ? 0 : is_number ? 1 : to_next_ms[row];
      });
      return true;
    }
    case Measure::bounces:
      return add_column(VisitColumn::flags, flag(kKeptBounce));
    case Measure::duration_ms:
      return add_column(VisitColumn::duration_ms, itself);
    case Measure::converted:
      return add_column(VisitColumn::flags, flag(kKeptConverted));
    case Measure::with_cart:
      return add_column(VisitColumn::flags, flag(kKeptWithCart));
    case Measure::cart_left:
      return add_column(VisitColumn::flags, flag(kKeptCartLeft));
    case Measure::entries:
      return add_column(VisitColumn::view_flags, flag(kViewEntry));
    case Measure::exits:
      return add_column(VisitColumn::view_flags, flag(kViewExit));
    case Measure::conversions:
      return add_column(VisitColumn::conversion_flags,
                        [](int64_t flags) { return (flags & kConversionChange) != 0 ? int64_t{0} : kCreditWhole; });
    case Measure::orders:
      return add_column(VisitColumn::conversion_flags, [](int64_t flags) {
        return (flags & (kConversionGoal | kConversionChange)) != 0 ? int64_t{0} : kCreditWhole;
      });
    case Measure::items:
      return add_column(VisitColumn::conversion_quantity, [](int64_t pieces) { return pieces * kCreditWhole; });
    case Measure::revenue:
      return add_column(VisitColumn::conversion_value_micros, itself);
    case Measure::refunds:
      return add_column(VisitColumn::conversion_refund_micros, itself);
    case Measure::revenue_net:
      return add_column(VisitColumn::conversion_value_micros, itself) &&
             add_column(VisitColumn::conversion_refund_micros, [](int64_t micros) { return -micros; });
    case Measure::revenue_squares:
    case Measure::order_squares: {
      const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
      const std::vector<int64_t>* micros = block_.ints(VisitColumn::conversion_value_micros);
      if (flags == nullptr || micros == nullptr) return false;
      const bool of_revenue = measured.measure == Measure::revenue_squares;
      add_each(measured, rows, groups, [&](uint32_t row) -> __int128 {
        if (((*flags)[row] & (kConversionGoal | kConversionChange)) != 0) return 0;
        return square_of(of_revenue ? (*micros)[row] : kCreditWhole);
      });
      return true;
    }
    case Measure::goal_value:
      return add_column(VisitColumn::conversion_goal_value_micros, itself);
  }
  return false;
}

bool BlockScan::page_times(std::vector<int64_t>& to) {
  const std::vector<uint32_t>* offsets = block_.offsets(VisitTable::views);
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::view_flags);
  const std::vector<int64_t>* time_s = block_.ints(VisitColumn::view_time_s);
  const std::vector<int64_t>* ms = block_.ints(VisitColumn::view_ms);
  if (offsets == nullptr || flags == nullptr || time_s == nullptr || ms == nullptr) return false;
  to.assign(time_s->size(), -1);
  for (size_t visit = 0; visit + 1 < offsets->size(); ++visit) {
    uint32_t next = (*offsets)[visit + 1];  // none
    for (uint32_t view = next; view-- > (*offsets)[visit];) {
      if (((*flags)[view] & kViewLate) != 0) continue;
      if (next < (*offsets)[visit + 1]) to[view] = ((*time_s)[next] - (*time_s)[view]) * 1000 + (*ms)[next] - (*ms)[view];
      next = ((*flags)[view] & kViewUncounted) != 0 ? (*offsets)[visit + 1] : view;
    }
  }
  return true;
}

bool BlockScan::add_visitors(const Rows& rows, const Groups& groups) {
  const std::vector<int64_t>* visitors = block_.ints(VisitColumn::visitor);
  if (visitors == nullptr) return false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint64_t visitor = static_cast<uint64_t>((*visitors)[rows[i]]);
    plan_.to.totals.visitors(0).add(visitor);
    if (!groups.empty()) plan_.to.rows.visitors(groups[i]).add(visitor);
  }
  return true;
}

bool BlockScan::add_unconverted(const Rows& rows) {
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  const std::vector<int64_t>* micros = block_.ints(VisitColumn::conversion_own_value_micros);
  const TextColumn* currencies = block_.texts(VisitColumn::conversion_currency);
  if (flags == nullptr || micros == nullptr || currencies == nullptr) return false;
  for (const uint32_t row : rows) {
    if (((*flags)[row] & kConversionNoRate) == 0) continue;
    ScanPlan::Unconverted& sum = plan_.unconverted[std::string(currencies->texts[currencies->codes[row]])];
    sum.orders += ((*flags)[row] & kConversionChange) == 0;
    sum.micros += (*micros)[row];
  }
  return true;
}

}  // namespace footfall
