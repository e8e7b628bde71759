#include "query/engine.h"

#include <algorithm>
#include <memory>

#include "query/collect.h"
#include "query/drafts.h"
#include "query/figures.h"
#include "query/journey_rows.h"
#include "query/sums.h"
#include "query/visit_scan.h"

namespace footfall {
namespace {

// --- what answers it -------------------------------------------------------------------------------------------------

bool names_one_value(const Filter& filter) { return filter.size() == 1 && filter[0].is_one_value(); }

class Source {
 public:
  Source(const Query& query, const PartTable& table, SummarySnapshot& snapshot, const StringHasher& hasher,
         const std::function<bool()>& out_of_time)
      : query_(query), table_(table), snapshot_(snapshot), hasher_(hasher), out_of_time_(out_of_time) {}

  std::optional<QueryError> collect(const TimeRange& range, std::unique_ptr<Collected>& to) const {
    if (auto fault = collect_facts(range, to)) return fault;
    return query_.journey_model ? credit_rows_by_journeys(query_, range, table_, snapshot_, hasher_, out_of_time_, *to) : std::nullopt;
  }

 private:
  std::optional<QueryError> collect_facts(const TimeRange& range, std::unique_ptr<Collected>& to) const {
    to = std::make_unique<Collected>(query_, table_);
    if (query_.needs_visits()) return visits(range, *to);
    if (auto fault = collect_rollups(query_, range, snapshot_, hasher_, out_of_time_, *to)) return fault;
    to->saw_overrun = snapshot_.saw_overrun();
    to->adds_values = !query_.filter.empty() && !names_one_value(query_.filter);
    if (!is_better_by_visits(*to) || !visits_tell(range)) return std::nullopt;
    to = std::make_unique<Collected>(query_, table_);
    return visits(range, *to);
  }

  std::optional<QueryError> visits(const TimeRange& range, Collected& to) const {
    return collect_visits(query_, range, table_, snapshot_, hasher_, out_of_time_, to);
  }

  // A filter needs all values, and which of them belong to one visit.
  bool is_better_by_visits(const Collected& rollups) const {
    if (query_.filter.empty()) return false;
    return rollups.has_cut_values || rollups.has_cut_credit || rollups.unknown_values > 0 ||
           (rollups.adds_values && std::any_of(query_.metrics.begin(), query_.metrics.end(), [&](const Metric* metric) {
              return !metric->is_merged() && (metric->not_additive_by & query_.groups()) != 0;
            }));
  }

  bool visits_tell(const TimeRange& range) const {
    return visits_tell_from_s(query_, snapshot_) <= range.from_s &&
           std::all_of(query_.metrics.begin(), query_.metrics.end(),
                       [](const Metric* metric) { return is_kept_with_visits(*metric); });
  }

  const Query& query_;
  const PartTable& table_;
  SummarySnapshot& snapshot_;
  const StringHasher& hasher_;
  const std::function<bool()>& out_of_time_;
};

// --- the report ------------------------------------------------------------------------------------------------------

class Answer {
 public:
  Answer(const Query& query, const PartTable& table, const CheckpointState& checkpoint, const Collected& now,
         const Collected* before)
      : query_(query), checkpoint_(checkpoint), now_(now), before_(before), drafts_(query, table, now, before) {}

  Report make() {
    if (!query_.by.empty()) other_ = drafts_.other();
    fill_columns();
    fill_rows();
    fill_meta();
    warn();
    return std::move(report_);
  }

 private:
  const Metric& metric_of(size_t figure) const { return *query_.metrics[drafts_.columns()[figure].metric]; }
  bool is_change(size_t figure) const { return drafts_.columns()[figure].of == FigureColumn::Of::change; }
  size_t column_of(size_t metric, FigureColumn::Of of) const {
    const auto& columns = drafts_.columns();
    return static_cast<size_t>(std::find_if(columns.begin(), columns.end(), [&](const FigureColumn& column) {
                                 return column.metric == metric && column.of == of;
                               }) - columns.begin());
  }

  // What stands in a column, among all that is shown.
  template <class Test>
  bool any_figure(size_t column, Test test) const {
    return test(drafts_.totals()[column]) || (!other_.empty() && test(other_[column])) ||
           std::any_of(drafts_.page().begin(), drafts_.page().end(),
                       [&](const Draft& draft) { return test(draft.figures[column]); });
  }

  void fill_columns() {
    for (const DimensionInfo* dimension : query_.by)
      report_.columns.push_back(
          {std::string(dimension->name), dimension->is_time() ? ColumnType::time : ColumnType::string, {}});
    for (size_t i = 0; i < drafts_.totals().size(); ++i) {
      const bool shares = any_figure(i, [](const Figure& figure) { return figure.is_fractional; });
      const ColumnType type = is_change(i) ? ColumnType::ratio : shares ? ColumnType::decimal : metric_of(i).type;
      report_.columns.push_back({query_.column_name(query_.by.size() + i), type,
                                 type == ColumnType::money ? std::string(query_.currency.text()) : ""});
    }
  }

  void add_figures(Row& row, const std::vector<Figure>& figures) const {
    for (size_t i = 0; i < figures.size(); ++i) {
      const int digits = is_change(i) ? kRatioDigits : digits_of(metric_of(i), query_.currency);
      row.push_back(cell_of(figures[i], digits, report_.columns[query_.by.size() + i].type));
    }
  }

  void fill_rows() {
    for (const Draft& draft : drafts_.page()) {
      Row row;
      size_t place = 0;
      for (const DimensionInfo* dimension : query_.by) {
        if (dimension->is_time()) {
          row.push_back(Cell::of_text(unit_text(dimension->unit, draft.time_s, query_.zone)));
          continue;
        }
        const std::string* text = draft.texts[place++];
        row.push_back(text == nullptr ? Cell::null() : Cell::of_text(*text));
      }
      add_figures(row, draft.figures);
      report_.rows.push_back(std::move(row));
    }
    report_.totals.resize(query_.by.size());
    add_figures(report_.totals, drafts_.totals());
    if (query_.by.empty()) {
      report_.rows.push_back(report_.totals);
    } else {
      report_.other.resize(query_.by.size());
      add_figures(report_.other, other_);
    }
  }

  void fill_meta() {
    ReportMeta& meta = report_.meta;
    meta.rows_total = query_.by.empty() ? 1 : drafts_.size();
    if (drafts_.page_end() < drafts_.size()) meta.next_cursor = query_.cursor_at(drafts_.page_end());
    meta.time_zone = query_.zone.name();
    meta.currency = query_.currency.text();
    if (checkpoint_.committed_ms > 0) meta.as_of = utc_text_of_ms(checkpoint_.committed_ms);
    if (checkpoint_.complete_through_ms > 0) meta.complete_through = utc_text_of_ms(checkpoint_.complete_through_ms);
    meta.lost_hits = checkpoint_.lost_hits;
    meta.unconverted = now_.unconverted;
    report_.query = query_.shown();
    if (drafts_.has_estimates(now_)) meta.approximate.push_back("visitors");
    if (before_ != nullptr && drafts_.has_estimates(*before_)) meta.approximate.push_back("visitors_previous");
    for (const Metric* metric : query_.metrics) {
      if (!metric->is_quantile()) continue;
      meta.approximate.emplace_back(metric->name);
      if (before_ != nullptr) meta.approximate.push_back(std::string(metric->name) + "_previous");
    }
  }

  // --- warnings ---

  void warn() {
    for (size_t i = 0; i < query_.metrics.size(); ++i) warn_of(i);
    if (query_.with_bounds && std::none_of(query_.metrics.begin(), query_.metrics.end(), [](const Metric* metric) {
          return metric->interval() != IntervalKind::none;
        }))
      warn("ci tells bounds of rates, as cr, rpv and roas: none of the metrics is one");
    if (query_.journey_model && query_.credits_touches()) warn_of_journeys();
    if (before_ != nullptr) warn_of_comparison();
    warn_of_values();
    const auto dimensions = query_.dimensions();
    if (!query_.has_page_groups && std::any_of(dimensions.begin(), dimensions.end(), [](const DimensionInfo* dimension) {
          return dimension->rollup == Dimension::page_group;
        }))
      warn("the site has no groups of pages: [[site." + query_.site + ".page_group]] names them");
    if (query_.shows_spend() && (!is_day_start(query_.range.from_s) || !is_day_start(query_.range.to_s)))
      warn("spend is counted in the first hour of its day: the range begins or ends within a day");
    for (const Unconverted& amount : report_.meta.unconverted)
      if (!amount.cost.empty())
        warn("cost of " + amount.cost + " " + amount.currency + ": there is no rate for " + amount.currency + ", so cost leaves it out");
    for (const Unconverted& amount : report_.meta.unconverted)
      if (amount.orders != "0" || amount.cost.empty()) warn(amount.orders + (amount.orders == "1" ? " order" : " orders") + " of " + amount.revenue + " " +
           amount.currency + " in all: there is no rate for " + amount.currency + ", so revenue leaves the amount out");
    if (!report_.meta.unconverted.empty() && !query_.filter.empty() && !now_.from_visits)
      warn("amounts without a rate are those of the whole range, whatever the filter");
  }

  bool is_day_start(int64_t time_s) const { return query_.zone.bucket_start_s(Level::day, time_s) == time_s; }

  void warn_of(size_t i) {
    const Metric& metric = *query_.metrics[i];
    const std::string name(metric.name);
    if (metric.is_visitors() && !now_.visitors_known)
      return warn(name + " is null: visitors are told for full hours, and the range begins or ends within one");
    if (metric.needs_margin() && !query_.margin_micros)
      return warn(name + " is null: the site has no margin; [site." + query_.site + "] margin = 0.35 tells it");
    const size_t column = column_of(i, FigureColumn::Of::now);
    bool has_null = drafts_.totals()[column].is_null;
    for (const Draft& draft : drafts_.page()) has_null |= draft.figures[column].is_null;
    if (now_.adds_values && !metric.is_merged() && (metric.not_additive_by & query_.groups()) != 0)
      warn(name + " of several values together are null: visits of all of the range would have to be kept for them");
    else if (has_null && !(lacks_credit() && metric.is_credited()))
      warn(name + " is null where " + std::string(metric.empty_bottom));
    if (!query_.by.empty() && (metric.not_additive_by & query_.row_groups()) != 0)
      warn(name + " do not add up over rows: `other` has none");
    if (query_.with_bounds && metric.interval() != IntervalKind::none) warn_of_bounds(i);
  }

  bool lacks_credit() const { return !now_.has_credit || (before_ != nullptr && !before_->has_credit); }

  void warn_of_journeys() {
    const std::string name(query_.model_name());
    if (query_.lacks_credit())
      warn("credit by " + name + " is null: it is told by channel" + (*query_.journey_model == JourneyModel::markov ? " or campaign" : "") +
           " alone, in all of the range and without a filter");
    else if (lacks_credit())
      warn("credit by " + name + " is null where no journey of the range led to an order");
    if (!now_.has_all_steps || (before_ != nullptr && !before_->has_all_steps))
      warn(name + " is approximate: there were more steps of journeys than are kept");
  }

  void warn_of_bounds(size_t i) {
    const size_t figure = column_of(i, FigureColumn::Of::now), low = column_of(i, FigureColumn::Of::now_low);
    const auto lacks = [&](const std::vector<Figure>& of) { return !of[figure].is_null && of[low].is_null; };
    const auto page = drafts_.page();
    if (!lacks(drafts_.totals()) && !(other_.size() > 0 && lacks(other_)) &&
        std::none_of(page.begin(), page.end(), [&](const Draft& draft) { return lacks(draft.figures); }))
      return;
    const Metric& metric = *query_.metrics[i];
    const std::string names = std::string(metric.name) + "_lo and " + std::string(metric.name) + "_hi are null ";
    if (metric.interval() == IntervalKind::rate) return warn(names + "where its parts belong to different times: there is more than all");
    if (query_.journey_model) return warn(names + "by " + std::string(query_.model_name()));
    warn(names + "where nothing was earned, or orders weigh more than visits" +
         (query_.shares_touches() ? "; and of several values together, which share orders" : ""));
  }

  void warn_of_comparison() {
    if (drafts_.has_incomparable()) warn("figures before are null where the time before has no such hour, day or week");
    for (size_t i = 0; i < drafts_.totals().size(); ++i)
      if (is_change(i) && any_figure(i, [](const Figure& figure) { return figure.is_null; }))
        return warn("changes are null where there was nothing before");
  }

  void warn_of_values() {
    std::string dimensions;
    for (const DimensionInfo* dimension : query_.dimensions())
      dimensions.append(dimensions.empty() ? "" : " and ").append(dimension->name);
    if (!query_.filter.empty() && now_.has_cut_values)
      warn("the range has more values of " + dimensions + " than are kept; those cut off are not in a filtered answer");
    if (now_.unknown_values > 0)
      warn(std::to_string(now_.unknown_values) + " values of " + dimensions +
           " are left out: the filter cannot tell them, their text is not kept any more");
    if (drafts_.has_cut_values())
      warn("the range has more values of " + dimensions + " than are kept; the rest of them is in `other`");
    if (now_.has_cut_credit) warn(cut_credit_warning(query_, dimensions));
    if (now_.lacks_imports) warn("imports are kept by the hour: what they brought is in no minute, and not in this answer");
    if (now_.saw_overrun)
      warn("more than " + std::to_string(kCandidatesMax) + " values of " + dimensions + " came in one bucket (of a minute: " +
           std::to_string(kMinuteCandidatesMax) + "): which of them have rows is by chance, totals are exact");
    for (const int64_t day_s : now_.lost_days_s)
      warn("some of the visits of " + query_.zone.date_text(day_s) + " were lost: what kept visits tell of it is too little");
    if (drafts_.unknown_values() > 0)
      warn(std::to_string(drafts_.unknown_values()) + " rows are in `other` because their " + dimensions +
           " is not kept any more");
  }

  void warn(std::string text) { report_.meta.warnings.push_back(std::move(text)); }

  const Query& query_;
  const CheckpointState& checkpoint_;
  const Collected& now_;
  const Collected* const before_;
  const Drafts drafts_;
  std::vector<Figure> other_;
  Report report_;
};

}  // namespace

std::variant<Report, QueryError> run_query(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher,
                                           const std::function<bool()>& out_of_time) {
  const PartTable table(query);
  const Source source(query, table, snapshot, hasher, out_of_time);
  std::unique_ptr<Collected> now, before;
  if (auto fault = source.collect(query.range, now)) return *std::move(fault);
  if (query.comparison)
    if (auto fault = source.collect(query.comparison->before(), before)) return *std::move(fault);
  return Answer(query, table, snapshot.checkpoint(), *now, before.get()).make();
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
