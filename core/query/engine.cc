#include "query/engine.h"

#include <algorithm>
#include <compare>
#include <numeric>

#include "query/collect.h"
#include "query/figures.h"
#include "query/sums.h"

namespace footfall {
namespace {

// A row before it is spelt.
struct Draft {
  size_t group;
  const std::string* text;  // of the dimension that is not of time; nullptr: null
  std::vector<Figure> figures;
};

// Nulls come last, whichever way the order goes.
template <class Value>
int compare(const Value* left, const Value* right, bool descending) {
  if (left == nullptr || right == nullptr) return (left == nullptr) - (right == nullptr);
  const int sign = *left < *right ? -1 : *right < *left ? 1 : 0;
  return descending ? -sign : sign;
}

class Answer {
 public:
  Answer(const Query& query, SummarySnapshot& snapshot, Collector& collector)
      : query_(query),
        snapshot_(snapshot),
        collector_(collector),
        table_(query),
        totals_(table_, Precision::total),
        rows_(table_, query.other() != nullptr ? Precision::row : Precision::total),
        visitors_known_(!collector.has_minutes()) {}

  std::variant<Report, QueryError> make() {
    if (auto fault = collector_.totals(totals_)) return *std::move(fault);
    if (!query_.by.empty()) {
      if (auto fault = collector_.rows(rows_, texts_)) return *std::move(fault);
    }
    draft_rows();
    sort_drafts();
    total_figures_ = figures(totals_, 0);
    choose_page();
    if (!query_.by.empty()) sum_other();
    fill_columns();
    fill_rows();
    fill_meta();
    if (auto fault = list_unconverted()) return *std::move(fault);
    warn();
    return std::move(report_);
  }

 private:
  // --- figures ---

  std::vector<Figure> figures(const GroupSums& from, size_t group) const {
    std::vector<Figure> figures(query_.metrics.size());
    for (size_t i = 0; i < figures.size(); ++i) {
      if (!query_.metrics[i]->is_visitors())
        figures[i] = figure(i, from.sums(group));
      else if (visitors_known_)
        figures[i] = figure_of_visitors(from.visitors(group).estimate());
    }
    return figures;
  }

  Figure figure(size_t metric, std::span<const __int128> sums) const {
    const bool has_bottom = query_.metrics[metric]->bottom.kind != Part::Kind::none;
    return figure_of(*query_.metrics[metric], has_bottom, table_.top(metric, sums), table_.bottom(metric, sums),
                     query_.currency);
  }

  // --- rows ---

  void draft_rows() {
    for (size_t group = 0; group < rows_.size(); ++group) {
      const Hash128& value = rows_.key(group).value;
      if (rows_.is_zero(group)) continue;
      if (value == kOtherValue) {
        bucket_has_other_ = true;
        continue;
      }
      const std::string* text = texts_.find(value);
      if (text == nullptr && value != kNullValue) {
        ++unknown_values_;
        continue;
      }
      drafts_.push_back({group, text, figures(rows_, group)});
    }
  }

  int compare_in_order(const Draft& left, const Draft& right) const {
    if (query_.order_column >= query_.by.size()) {
      const size_t metric = query_.order_column - query_.by.size();
      const auto value = [&](const Draft& draft) -> const __int128* {
        const Figure& figure = draft.figures[metric];
        return figure.is_null ? nullptr : &figure.value;
      };
      return compare(value(left), value(right), query_.descending);
    }
    if (!query_.by[query_.order_column]->is_time()) return compare(left.text, right.text, query_.descending);
    const int64_t left_s = rows_.key(left.group).time_s, right_s = rows_.key(right.group).time_s;
    return compare(&left_s, &right_s, query_.descending);
  }

  void sort_drafts() {
    std::sort(drafts_.begin(), drafts_.end(), [&](const Draft& left, const Draft& right) {
      if (const int order = compare_in_order(left, right); order != 0) return order < 0;
      if (const int order = compare(left.text, right.text, false); order != 0) return order < 0;
      return rows_.key(left.group).time_s < rows_.key(right.group).time_s;
    });
  }

  void choose_page() {
    report_.meta.rows_total = query_.by.empty() ? 1 : drafts_.size();
    page_from_ = std::min<uint64_t>(query_.offset, drafts_.size());
    page_to_ = page_from_ + std::min<uint64_t>(query_.limit, drafts_.size() - page_from_);
    if (page_to_ < drafts_.size()) report_.meta.next_cursor = query_.cursor_at(page_to_);
  }

  // What the totals hold beyond the shown rows; figures are computed from the sums that are left.
  void sum_other() {
    const auto total = totals_.sums(0);
    std::vector<__int128> rest(total.begin(), total.end());
    for (size_t at = page_from_; at < page_to_; ++at) {
      const auto shown = rows_.sums(drafts_[at].group);
      for (size_t i = 0; i < rest.size(); ++i) rest[i] -= shown[i];
    }
    const uint16_t group = query_.other() != nullptr ? query_.other()->group : kByTime;
    for (size_t i = 0; i < query_.metrics.size(); ++i)
      other_figures_.push_back(query_.metrics[i]->not_additive_by & group ? Figure{} : figure(i, rest));
  }

  // --- report ---

  void fill_columns() {
    for (const DimensionInfo* dimension : query_.by)
      report_.columns.push_back(
          {std::string(dimension->name), dimension->is_time() ? ColumnType::time : ColumnType::string, {}});
    for (size_t i = 0; i < query_.metrics.size(); ++i) {
      const Metric& metric = *query_.metrics[i];
      const bool shares = has_shares(i);
      report_.columns.push_back({std::string(metric.name), shares ? ColumnType::decimal : metric.type,
                                 metric.type == ColumnType::money ? std::string(query_.currency.text()) : ""});
    }
  }

  bool has_shares(size_t metric) const {
    bool shares = total_figures_[metric].is_fractional;
    if (!other_figures_.empty()) shares |= other_figures_[metric].is_fractional;
    for (size_t at = page_from_; at < page_to_; ++at) shares |= drafts_[at].figures[metric].is_fractional;
    return shares;
  }

  void add_figures(Row& row, const std::vector<Figure>& figures) const {
    for (size_t i = 0; i < figures.size(); ++i)
      row.push_back(
          cell_of(figures[i], *query_.metrics[i], report_.columns[query_.by.size() + i].type, query_.currency));
  }

  void fill_rows() {
    for (size_t at = page_from_; at < page_to_; ++at) {
      const Draft& draft = drafts_[at];
      Row row;
      for (const DimensionInfo* dimension : query_.by) {
        if (dimension->is_time())
          row.push_back(Cell::of_text(unit_text(dimension->unit, rows_.key(draft.group).time_s, query_.zone)));
        else
          row.push_back(draft.text == nullptr ? Cell::null() : Cell::of_text(*draft.text));
      }
      add_figures(row, draft.figures);
      report_.rows.push_back(std::move(row));
    }
    report_.totals.resize(query_.by.size());
    add_figures(report_.totals, total_figures_);
    if (query_.by.empty()) {
      report_.rows.push_back(report_.totals);
    } else {
      report_.other.resize(query_.by.size());
      add_figures(report_.other, other_figures_);
    }
  }

  void fill_meta() {
    const CheckpointState& checkpoint = snapshot_.checkpoint();
    ReportMeta& meta = report_.meta;
    meta.time_zone = query_.zone.name();
    meta.currency = query_.currency.text();
    if (checkpoint.committed_ms > 0) meta.as_of = utc_text_of_ms(checkpoint.committed_ms);
    if (checkpoint.complete_through_ms > 0) meta.complete_through = utc_text_of_ms(checkpoint.complete_through_ms);
    meta.lost_hits = checkpoint.lost_hits;
    report_.query = query_.shown();
    if (table_.has_visitors() && visitors_known_ && has_estimates()) meta.approximate.push_back("visitors");
  }

  bool has_estimates() const {
    bool estimated = !totals_.visitors(0).is_exact();
    for (size_t at = page_from_; at < page_to_; ++at) estimated |= !rows_.visitors(drafts_[at].group).is_exact();
    return estimated;
  }

  std::optional<QueryError> list_unconverted() {
    const bool shows_revenue = std::any_of(query_.metrics.begin(), query_.metrics.end(), [](const Metric* metric) {
      return metric->top.kind == Part::Kind::credited_amount;
    });
    return shows_revenue ? collector_.unconverted(report_.meta.unconverted) : std::nullopt;
  }

  // --- warnings ---

  void warn() {
    for (size_t i = 0; i < query_.metrics.size(); ++i) warn_of(i);
    const std::string dimension(query_.other() != nullptr ? query_.other()->name : "");
    if (bucket_has_other_)
      warn("the range has more values of " + dimension + " than are kept; the rest of them is in `other`");
    if (unknown_values_ > 0)
      warn(std::to_string(unknown_values_) + " rows are in `other` because their " + dimension +
           " is not kept any more");
    for (const Unconverted& amount : report_.meta.unconverted)
      warn(amount.orders + (amount.orders == "1" ? " order" : " orders") + " of " + amount.revenue + " " +
           amount.currency + " in all: there is no rate for " + amount.currency + ", so revenue leaves the amount out");
  }

  void warn_of(size_t i) {
    const Metric& metric = *query_.metrics[i];
    const std::string name(metric.name);
    if (metric.is_visitors() && !visitors_known_)
      return warn(name + " is null: visitors are told for full hours, and the range begins or ends within one");
    bool has_null = total_figures_[i].is_null;
    for (size_t at = page_from_; at < page_to_; ++at) has_null |= drafts_[at].figures[i].is_null;
    if (has_null) warn(name + " is null where " + std::string(metric.empty_bottom));
    if (query_.by.empty()) return;
    const uint16_t group = query_.other() != nullptr ? query_.other()->group : kByTime;
    if (metric.not_additive_by & group) warn(name + " do not add up over rows: `other` has none");
  }

  void warn(std::string text) { report_.meta.warnings.push_back(std::move(text)); }

  const Query& query_;
  SummarySnapshot& snapshot_;
  Collector& collector_;
  const PartTable table_;
  GroupSums totals_;  // one group
  GroupSums rows_;
  ValueTexts texts_;
  const bool visitors_known_;
  std::vector<Draft> drafts_;
  size_t page_from_ = 0, page_to_ = 0;
  std::vector<Figure> total_figures_, other_figures_;
  bool bucket_has_other_ = false;
  uint64_t unknown_values_ = 0;
  Report report_;
};

}  // namespace

std::variant<Report, QueryError> run_query(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher,
                                           const std::function<bool()>& out_of_time) {
  Collector collector(query, snapshot, hasher, out_of_time);
  return Answer(query, snapshot, collector).make();
}

int64_t first_day_s(SummarySnapshot& snapshot, uint16_t site, const Zone& zone, int64_t now_s) {
  int64_t first_s = zone.bucket_start_s(Level::day, now_s);
  const auto look = [&](Level level, int64_t from_s, int64_t to_s) {
    (void)snapshot.each_rollup(
        site, Dimension::total, level, from_s, to_s, zone,
        [&](const RollupKey& key, const Counters&) { first_s = std::min(first_s, key.bucket_start_s); });
  };
  look(Level::month, 0, first_s);
  const int64_t month_end_s = zone.next_bucket_s(Level::month, first_s);
  const int64_t month_s = first_s;
  first_s = month_end_s;
  look(Level::day, month_s, month_end_s);
  return first_s == month_end_s ? month_s : first_s;
}

}  // namespace footfall
