#include "query/roi.h"

#include <algorithm>
#include <cmath>

#include "query/advice.h"
#include "query/engine.h"
#include "query/figures.h"
#include "query/interval_figures.h"
#include "query/journeys.h"
#include "query/roi_unmatched.h"

namespace footfall {
namespace {

constexpr std::string_view kChoices[] = {"channel", "source", "medium", "campaign", "content", "term", "code"};
constexpr std::string_view kParameters[] = {"site",  "range",  "from",   "to",     "by",     "model", "compare",
                                            "order", "limit", "cursor", "advice", "levels", "format"};

enum At : size_t {
  kVisits, kOrders, kRevenue, kCost, kCpo, kRoas, kRoasLow, kRoasHigh, kRoi, kVerdict, kNeeded, kBreakEven, kMer, kPlainColumns,
};
using enum ColumnType;
struct Spec {
  std::string_view name;
  ColumnType type;
};
constexpr Spec kPlain[kPlainColumns] = {
    {"visits", integer}, {"orders", integer}, {"revenue", money}, {"cost", money}, {"cpo", money}, {"roas", ratio},
    {"roas_lo", ratio}, {"roas_hi", ratio}, {"roi", ratio}, {"verdict", string}, {"visits_needed", integer}, {"break_even", ratio},
    {"mer", ratio},
};
constexpr Spec kCompared[] = {
    {"roas_previous", ratio}, {"roas_difference", ratio}, {"roas_difference_lo", ratio}, {"roas_difference_hi", ratio},
    {"order_rate_difference", ratio}, {"order_rate_difference_lo", ratio}, {"order_rate_difference_hi", ratio},
};
constexpr Spec kLevels[] = {
    {"marginal_low", ratio}, {"marginal_low_lo", ratio}, {"marginal_low_hi", ratio},
    {"marginal_high", ratio}, {"marginal_high_lo", ratio}, {"marginal_high_hi", ratio},
};

std::vector<Spec> specs_of(const Query& query) {
  std::vector<Spec> specs(std::begin(kPlain), std::end(kPlain));
  if (query.comparison) specs.insert(specs.end(), std::begin(kCompared), std::end(kCompared));
  if (query.with_levels) specs.insert(specs.end(), std::begin(kLevels), std::end(kLevels));
  return specs;
}

std::vector<std::string> column_names(const Query& query) {
  std::vector<std::string> names;
  for (const Spec& spec : specs_of(query)) names.emplace_back(spec.name);
  return names;
}

Figure whole(__int128 value) { return {.is_null = false, .value = value}; }
Figure ratio_of(double value) { return figure_of_number(value, kRatioDigits); }

// The difference of two figures from their own intervals (Newcombe's way, for any figure): each bound is as far off as
// both of its sides together.
std::optional<Interval> difference(double now, const Interval& of_now, double before, const Interval& of_before) {
  const double apart = now - before;
  return Interval{apart - std::hypot(now - of_now.low, of_before.high - before), apart + std::hypot(of_now.high - now, before - of_before.low)};
}

int64_t cost_of(const RoiSums& sums) { return static_cast<int64_t>(std::clamp<__int128>(sums.cost_micros, 0, INT64_MAX)); }

// --- the figures of a row --------------------------------------------------------------------------------------------

class Figures {
 public:
  explicit Figures(const Query& query) : query_(query), specs_(specs_of(query)) {}

  const std::vector<Spec>& specs() const { return specs_; }

  // `has_interval`: its squares are known.
  std::vector<Figure> of(const RoiSums& now, const RoiSums& before, bool has_interval, bool has_interval_before) const {
    std::vector<Figure> all(specs_.size());
    put_money(now, all);
    if (has_interval) put_roas_bounds(now, all);
    if (query_.comparison) put_compared(now, before, has_interval && has_interval_before, all);
    return all;
  }

  void put_verdict(const RoiVerdict& verdict, std::vector<Figure>& to) const {
    if (verdict.break_even) to[kBreakEven] = ratio_of(*verdict.break_even);
    if (!verdict.judgement) return;
    to[kVerdict] = whole(static_cast<int>(verdict.judgement->verdict));
    if (verdict.judgement->visits_needed) to[kNeeded] = whole(*verdict.judgement->visits_needed);
  }

  void put_levels(const SpendLevels& levels, std::vector<Figure>& to) const {
    size_t at = to.size() - std::size(kLevels);
    for (const auto& step : {levels.low, levels.high}) {
      if (step) to[at] = ratio_of(step->returned), to[at + 1] = ratio_of(step->interval.low), to[at + 2] = ratio_of(step->interval.high);
      at += 3;
    }
  }

 private:
  void put_money(const RoiSums& now, std::vector<Figure>& to) const {
    static const Metric& orders = *find_metric("orders");
    static const Metric& revenue = *find_metric("revenue");
    const __int128 cost = now.cost_micros;
    to[kVisits] = whole(now.visits);
    to[kOrders] = figure_of(orders, false, now.asked.credit_millionths, 0, query_.currency);
    to[kRevenue] = figure_of(revenue, false, now.asked.revenue_micros, 0, query_.currency);
    to[kCost] = figure_of(revenue, false, cost, 0, query_.currency);
    if (cost <= 0) return;
    to[kRoas] = figure_of_share(now.asked.revenue_micros, cost);
    __int128 scale = 1;
    for (int digit = 0; digit < currency_digits(query_.currency); ++digit) scale *= 10;
    if (now.asked.credit_millionths > 0) to[kCpo] = whole(divide_rounded(cost * scale, now.asked.credit_millionths));
    if (query_.margin_micros.value_or(0) > 0) to[kRoi] = whole(divide_rounded(now.asked.revenue_micros * *query_.margin_micros - cost * kMicrosPerUnit, cost));
  }

  void put_roas_bounds(const RoiSums& now, std::vector<Figure>& to) const {
    const Bounds bounds = bounds_of_roas(now.returns(), now.cost_micros);
    to[kRoasLow] = bounds.low;
    to[kRoasHigh] = bounds.high;
  }

  void put_compared(const RoiSums& now, const RoiSums& before, bool has_intervals, std::vector<Figure>& to) const {
    const ReturnSums returns = now.returns(), returns_before = before.returns();
    const Roas roas = roas_of(returns, cost_of(now)), roas_before = roas_of(returns_before, cost_of(before));
    const auto put = [&](size_t at, double difference_of, const std::optional<Interval>& interval) {
      to[at] = ratio_of(difference_of);
      if (!interval || !has_intervals) return;
      to[at + 1] = ratio_of(interval->low);
      to[at + 2] = ratio_of(interval->high);
    };
    if (roas_before.roas) to[kPlainColumns] = figure_of_share(before.asked.revenue_micros, before.cost_micros);
    if (roas.roas && roas_before.roas)
      put(kPlainColumns + 1, *roas.roas - *roas_before.roas,
          roas.interval && roas_before.interval ? difference(*roas.roas, *roas.interval, *roas_before.roas, *roas_before.interval) : std::nullopt);
    if (now.visits <= 0 || before.visits <= 0) return;
    const auto orders_of = [](const RoiSums& sums) { return static_cast<double>(sums.asked.credit_millionths) / kMicrosPerUnit; };
    const auto visits = static_cast<double>(now.visits), visits_before = static_cast<double>(before.visits);
    put(kPlainColumns + 4, orders_of(now) / visits - orders_of(before) / visits_before,
        newcombe(orders_of(now), visits, orders_of(before), visits_before));
  }

  const Query& query_;
  const std::vector<Spec> specs_;
};

// --- the report ------------------------------------------------------------------------------------------------------

struct Drafted {
  const RoiRow* row;
  std::vector<Figure> figures;
};

class Answer {
 public:
  Answer(const Query& query, const RoiRows& rows, const JourneyShares* of_journeys) : query_(query), rows_(rows), figures_(query) {
    for (const RoiRow& row : rows.rows) {
      Drafted draft{&row, figures_.of(row.now, row.before, true, true)};
      if (row.text.empty())
        for (const size_t at : {kCpo, kRoas, kRoasLow, kRoasHigh, kRoi}) draft.figures[at] = {};
      figures_.put_verdict(verdict_of(row, query, rows.totals, of_journeys), draft.figures);
      if (query.with_levels) figures_.put_levels(row.levels, draft.figures);
      drafts_.push_back(std::move(draft));
    }
    sort();
  }

  void put(Report& to) {
    const size_t first = std::min<uint64_t>(query_.offset, drafts_.size());
    const size_t end = first + std::min<uint64_t>(query_.limit, drafts_.size() - first);
    RoiSums rest = rows_.totals, rest_before = rows_.totals_before;
    for (size_t i = first; i < end; ++i) rest.add(drafts_[i].row->now, -1), rest_before.add(drafts_[i].row->before, -1);
    const bool shares = !gives_whole(query_.model);  // what rows share squares to less than the whole
    std::vector<Figure> other = figures_.of(rest, rest_before, !shares, !shares);
    std::vector<Figure> totals = figures_.of(rows_.totals, rows_.totals_before, true, true);
    if (rows_.totals.cost_micros > 0) totals[kMer] = totals[kRoas];
    if (query_.margin_micros.value_or(0) > 0) totals[kBreakEven] = ratio_of(kOne / static_cast<double>(*query_.margin_micros));
    shown_ = {drafts_.begin() + static_cast<ptrdiff_t>(first), drafts_.begin() + static_cast<ptrdiff_t>(end)};
    fill_columns(other, totals, to);
    to.rows.clear();
    for (const Drafted& draft : shown_)
      to.rows.push_back(row_of(draft.row->text.empty() ? Cell::null() : Cell::of_text(draft.row->text), draft.figures, to));
    to.other = row_of(Cell::null(), other, to);
    to.totals = row_of(Cell::null(), totals, to);
    to.meta.rows_total = drafts_.size();
    if (end < drafts_.size()) to.meta.next_cursor = query_.cursor_at(end);
    warn(to.meta.warnings);
  }

 private:
  static constexpr double kOne = static_cast<double>(kMicrosPerUnit);

  void sort() {
    const size_t column = query_.order_column;
    const auto compare = [](const Figure& a, const Figure& b, bool descending) {
      if (a.is_null || b.is_null) return int{a.is_null} - int{b.is_null};  // nulls last, whichever way
      const int sign = a.value < b.value ? -1 : b.value < a.value ? 1 : 0;
      return descending ? -sign : sign;
    };
    std::sort(drafts_.begin(), drafts_.end(), [&](const Drafted& a, const Drafted& b) {
      if (column == 0 && a.row->text != b.row->text) {
        if (a.row->text.empty() || b.row->text.empty()) return b.row->text.empty();
        return (a.row->text < b.row->text) != query_.descending;
      }
      if (column > 0)
        if (const int order = compare(a.figures[column - 1], b.figures[column - 1], query_.descending); order != 0) return order < 0;
      if (const int order = compare(a.figures[kRevenue], b.figures[kRevenue], true); order != 0) return order < 0;
      return a.row->text < b.row->text;
    });
  }

  void fill_columns(const std::vector<Figure>& other, const std::vector<Figure>& totals, Report& to) const {
    bool shares = other[kOrders].is_fractional || totals[kOrders].is_fractional;
    for (const Drafted& draft : shown_) shares = shares || draft.figures[kOrders].is_fractional;
    to.columns = {{std::string(query_.by.front()->name), ColumnType::string, {}}};
    for (const Spec& spec : figures_.specs()) {
      const ColumnType type = shares && spec.name == "orders" ? ColumnType::decimal : spec.type;
      to.columns.push_back({std::string(spec.name), type, type == ColumnType::money ? std::string(query_.currency.text()) : ""});
    }
  }

  Row row_of(Cell key, const std::vector<Figure>& figures, const Report& of) const {
    Row row{std::move(key)};
    for (size_t at = 0; at < figures.size(); ++at) {
      const ColumnType type = of.columns[at + 1].type;
      if (type == ColumnType::string) {
        row.push_back(figures[at].is_null ? Cell::null() : Cell::of_text(std::string(kVerdictNames[static_cast<size_t>(figures[at].value)])));
        continue;
      }
      const int digits = at == kOrders                ? digits_of(*find_metric("orders"), query_.currency)
                         : type == ColumnType::money  ? currency_digits(query_.currency)
                         : type == ColumnType::ratio  ? kRatioDigits
                                                      : 0;
      row.push_back(cell_of(figures[at], digits, type));
    }
    return row;
  }

  bool any(size_t column, size_t without) const {
    return std::any_of(shown_.begin(), shown_.end(), [&](const Drafted& draft) {
      return !draft.figures[column].is_null && draft.figures[without].is_null;
    });
  }

  void warn(std::vector<std::string>& to) const {
    const auto dimension = std::string(query_.by.front()->name);
    if (rows_.totals.cost_micros <= 0)
      to.push_back("nothing was told of spend in this time: `footfall import spend FILE.csv` tells it; what needs it is null");
    else if (std::any_of(shown_.begin(), shown_.end(), [](const Drafted& draft) { return draft.row->now.cost_micros <= 0; }))
      to.push_back("cpo, roas, roi and verdict are null where nothing was spent");
    if (std::any_of(shown_.begin(), shown_.end(), [](const Drafted& draft) { return draft.row->text.empty() && draft.row->now.cost_micros > 0; }))
      to.push_back("spend that names no " + dimension + " has no return: any visit may have come by it");
    if (query_.margin_micros.value_or(0) <= 0)
      to.push_back("break-even, roi and verdict are null: the site has no margin; [site." + query_.site + "] margin = 0.35 sets it");
    if (any(kRoas, kRoasLow)) to.push_back("roas_lo and roas_hi are null where nothing was earned, or orders weigh more than visits");
    if (any(kVerdict, kNeeded) && any_early_without_needed())
      to.push_back("visits_needed is null where nothing was earned yet: there is no rate to go by");
    for (std::string& text : unmatched_warnings(query_, rows_)) to.push_back(std::move(text));
    if (rows_.has_cut_values) to.push_back("the range has more values of " + dimension + " than are kept; the rest of them is in `other`");
    if (rows_.unknown_values > 0)
      to.push_back(std::to_string(rows_.unknown_values) + " values of " + dimension + " are in `other`: their text is not kept any more");
    if (query_.with_levels) warn_of_levels(to);
  }

  bool any_early_without_needed() const {
    return std::any_of(shown_.begin(), shown_.end(), [](const Drafted& draft) {
      return !draft.figures[kVerdict].is_null && draft.figures[kVerdict].value == static_cast<int>(Verdict::too_early) && draft.figures[kNeeded].is_null;
    });
  }

  void warn_of_levels(std::vector<std::string>& to) const {
    if (!rows_.has_levels) return to.push_back("marginal figures are null: days are not kept of all of the range, or it has no whole day");
    to.push_back("marginal figures compare days of more and of less spend, at least " + std::to_string(kLevelDaysMin) +
                 " of each: what else such days have in common, and what is bought later, they cannot tell");
    if (rows_.levels_left_out > 0)
      to.push_back("marginal figures are told of the " + std::to_string(kLevelRowsMax) + " rows with the most cost");
  }

  const Query& query_;
  const RoiRows& rows_;
  const Figures figures_;
  std::vector<Drafted> drafts_, shown_;
};

// Journeys are solved only where a verdict of the rule models waits for markov's.
bool asks_journeys(const Query& query, const RoiRows& rows) {
  const Dimension by = query.by.front()->rollup;
  return (by == Dimension::channel || by == Dimension::campaign) && std::any_of(rows.rows.begin(), rows.rows.end(), [&](const RoiRow& row) {
           const std::optional<Judgement> judgement = verdict_of(row, query, rows.totals, nullptr).judgement;
           return judgement && judgement->verdict != Verdict::too_early && judgement->verdict != Verdict::depends_on_model;
         });
}

// nullopt: no journey is known, or no order.
std::optional<JourneyShares> shares_of_orders(const JourneyCredit& credit) {
  if (!credit.markov || credit.all.orders_millionths <= 0) return std::nullopt;
  JourneyShares shares;
  for (const auto& [value, given] : *credit.markov)
    shares[value] = static_cast<double>(given.orders_millionths) / static_cast<double>(credit.all.orders_millionths);
  return shares;
}

// What all reports tell besides: as of when, and what has no rate.
Query meta_query(const Query& roi) {
  Query query = roi;
  query.report = nullptr;
  query.by.clear();
  query.metrics = {find_metric("revenue")};
  if (const Metric* cost = find_metric("cost")) query.metrics.push_back(cost);
  query.order_column = 0;
  query.comparison.reset();
  query.compare = Compare::none;
  query.offset = 0;
  query.limit = 1;
  return query;
}

}  // namespace

const FixedReport& roi_report() {
  static const FixedReport report{.name = "roi",
                                  .by = find_dimension("channel"),
                                  .metric = find_metric("revenue"),
                                  .choices = kChoices,
                                  .parameters = kParameters,
                                  .columns = column_names,
                                  .order = "-cost"};
  return report;
}

double roas_by_journeys(const RoiRow& row, double own_roas, const RoiSums& totals, const JourneyShares& of_journeys) {
  const auto share = of_journeys.find(row.text);
  if (share == of_journeys.end() || row.now.asked.credit_millionths <= 0) return 0;
  return own_roas * share->second * static_cast<double>(totals.asked.credit_millionths) / static_cast<double>(row.now.asked.credit_millionths);
}

RoiVerdict verdict_of(const RoiRow& row, const Query& query, const RoiSums& totals, const JourneyShares* of_journeys) {
  RoiVerdict verdict;
  const int64_t cost = cost_of(row.now), margin = query.margin_micros.value_or(0);
  // What names no value was not spent on the visits that have none: on any.
  if (cost <= 0 || row.text.empty()) return verdict;
  const ReturnSums sums = row.now.returns();
  verdict.roas = roas_of(sums, cost);
  if (margin <= 0) return verdict;
  verdict.break_even = static_cast<double>(kMicrosPerUnit) / static_cast<double>(margin);
  std::vector<Roas> of_models;
  for (const ReturnParts& parts : row.now.of_verdict) of_models.push_back(roas_of(parts.sums(row.now.visits), cost));
  if (of_journeys != nullptr) {
    of_models.push_back({.roas = roas_by_journeys(row, verdict.roas->roas.value_or(0), totals, *of_journeys), .interval = {}});
  }
  verdict.judgement = judge(sums, cost, margin, of_models);
  return verdict;
}

std::variant<Report, QueryError> run_roi(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher,
                                         const std::function<bool()>& out_of_time) {
  RoiRows rows;
  if (auto fault = collect_roi(query, snapshot, out_of_time, rows)) return *std::move(fault);
  auto base = run_query(meta_query(query), snapshot, hasher, out_of_time);
  if (auto* error = std::get_if<QueryError>(&base)) return std::move(*error);
  Report report = std::get<Report>(std::move(base));
  report.query = query.shown();
  std::optional<JourneyShares> shares;
  if (asks_journeys(query, rows)) {
    auto credit = credit_by_journeys(query, snapshot, out_of_time);
    if (auto* error = std::get_if<QueryError>(&credit)) return std::move(*error);
    shares = shares_of_orders(std::get<JourneyCredit>(credit));
    if (shares && std::get<JourneyCredit>(credit).is_approximate)
      report.meta.warnings.push_back("some steps of journeys are not kept: what markov says to verdicts is approximate");
  }
  const JourneyShares* of_journeys = shares ? &*shares : nullptr;
  if (query.with_advice) return advise(query, rows, of_journeys, std::move(report));
  Answer(query, rows, of_journeys).put(report);
  return report;
}

}  // namespace footfall
