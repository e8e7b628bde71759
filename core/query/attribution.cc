#include "query/attribution.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "credit/attribution.h"
#include "query/figures.h"
#include "query/text.h"
#include "query/visit_scan.h"
#include "rollup/kept_visit.h"

namespace footfall {
namespace {

constexpr std::string_view kChoices[] = {"channel", "source", "campaign", "code"};
constexpr std::string_view kJourneyModels[] = {"markov", "shapley"};  // they look at all journeys

struct Credit {
  __int128 orders_millionths = 0;
  __int128 revenue_micros = 0;
};
struct Sums : std::array<Credit, kModels> {
  void add(const Sums& other, int sign = 1) {
    for (size_t model = 0; model < size(); ++model) {
      (*this)[model].orders_millionths += sign * other[model].orders_millionths;
      (*this)[model].revenue_micros += sign * other[model].revenue_micros;
    }
  }
};

std::string_view KeptTouch::*text_of(const DimensionInfo& dimension) {
  if (dimension.name == "source") return &KeptTouch::source;
  if (dimension.name == "campaign") return &KeptTouch::campaign;
  return dimension.name == "code" ? &KeptTouch::code : &KeptTouch::channel;
}

// Adds up the orders of a range by the value of their touches.
class Journeys {
 public:
  explicit Journeys(const Query& query) : query_(query), text_(text_of(*query.by.front())) {}

  void add(const KeptVisit& visit) {
    for (const KeptConversion& conversion : visit.conversions) {
      const int64_t time_s = whole_s(visit.start_ms) + conversion.time_s;
      if (!conversion.is_goal && time_s >= query_.range.from_s && time_s < query_.range.to_s) add(conversion);
    }
  }

  const std::map<std::string, Sums, std::less<>>& rows() const { return rows_; }
  const Sums& totals() const { return totals_; }
  const std::map<std::string, Credit, std::less<>>& unconverted() const { return unconverted_; }

 private:
  void add(const KeptConversion& order) {
    if (!order.has_rate) {
      Credit& apart = unconverted_[std::string(order.currency)];
      apart.orders_millionths += order.is_change ? 0 : kCreditWhole;
      apart.revenue_micros += order.own_value_micros;
    }
    journey_.clear();
    values_.clear();
    const int64_t lookback_s = query_.lookback_days * kDayS;
    for (const KeptTouch& touch : order.touches) {
      if (touch.age_s > lookback_s) continue;
      journey_.push_back({touch.age_s * 1000, touch.channel == kDirectChannel});
      values_.push_back(touch.*text_);
    }
    if (journey_.empty()) {  // nothing is known of how the buyer came
      static const KeptTouch kNone{.channel = kDirectChannel, .source = kDirectSource};
      journey_.push_back({0, true});
      values_.push_back(kNone.*text_);
    }
    const __int128 orders = order.is_change ? 0 : kCreditWhole;
    std::vector<int64_t> micros(journey_.size());
    for (const Model model : kAllModels) {
      const auto at = static_cast<size_t>(model);
      const Credits credits = credits_of(model, journey_);
      split_micros(order.value_micros, credits, micros);
      for (size_t touch = 0; touch < journey_.size(); ++touch) {
        Credit& credit = row(values_[touch])[at];
        if (orders != 0) credit.orders_millionths += credits[touch];
        credit.revenue_micros += micros[touch];
      }
      totals_[at].orders_millionths += orders;
      totals_[at].revenue_micros += order.value_micros;
    }
  }

  Sums& row(std::string_view value) {
    const auto found = rows_.find(value);
    return found != rows_.end() ? found->second : rows_.try_emplace(std::string(value)).first->second;
  }

  const Query& query_;
  std::string_view KeptTouch::*const text_;
  std::map<std::string, Sums, std::less<>> rows_;
  Sums totals_{};
  std::map<std::string, Credit, std::less<>> unconverted_;
  std::vector<JourneyTouch> journey_;
  std::vector<std::string_view> values_;
};

// The default model tells the order.
bool is_before(const std::pair<std::string, Sums>& one, const std::pair<std::string, Sums>& other) {
  const Credit& a = one.second[static_cast<size_t>(Model::last_non_direct)];
  const Credit& b = other.second[static_cast<size_t>(Model::last_non_direct)];
  if (a.orders_millionths != b.orders_millionths) return a.orders_millionths > b.orders_millionths;
  return a.revenue_micros != b.revenue_micros ? a.revenue_micros > b.revenue_micros : one.first < other.first;
}

class Answer {
 public:
  explicit Answer(const Query& query) : query_(query) {}

  Report make(const Journeys& journeys) {
    std::vector<std::pair<std::string, Sums>> rows(journeys.rows().begin(), journeys.rows().end());
    std::sort(rows.begin(), rows.end(), is_before);
    const size_t first = std::min<size_t>(query_.offset, rows.size());
    const size_t end = std::min<size_t>(first + query_.limit, rows.size());
    Sums other = journeys.totals();
    for (size_t i = first; i < end; ++i) other.add(rows[i].second, -1);
    std::vector<const Sums*> shown{&journeys.totals(), &other};
    for (size_t i = first; i < end; ++i) shown.push_back(&rows[i].second);
    fill_columns(shown);
    for (size_t i = first; i < end; ++i)
      report_.rows.push_back(row_of(rows[i].first.empty() ? Cell::null() : Cell::of_text(rows[i].first), rows[i].second));
    report_.other = row_of(Cell::null(), other);
    report_.totals = row_of(Cell::null(), journeys.totals());
    report_.meta.rows_total = rows.size();
    if (end < rows.size()) report_.meta.next_cursor = query_.cursor_at(end);
    return std::move(report_);
  }

 private:
  static const Metric& orders() { return *find_metric("orders"); }
  static const Metric& revenue() { return *find_metric("revenue"); }

  Figure figure(const Metric& metric, __int128 sum) const { return figure_of(metric, false, sum, 0, query_.currency); }

  void fill_columns(const std::vector<const Sums*>& shown) {
    report_.columns.push_back({std::string(query_.by.front()->name), ColumnType::string, {}});
    for (const Model model : kAllModels) {
      const auto at = static_cast<size_t>(model);
      const bool shares = std::any_of(shown.begin(), shown.end(), [&](const Sums* sums) {
        return figure(orders(), (*sums)[at].orders_millionths).is_fractional;
      });
      add_columns(kModelNames[at], shares ? ColumnType::decimal : ColumnType::integer);
    }
    for (const std::string_view name : kJourneyModels) add_columns(name, ColumnType::decimal);
  }

  void add_columns(std::string_view model, ColumnType of_orders) {
    report_.columns.push_back({"orders_" + std::string(model), of_orders, {}});
    report_.columns.push_back({"revenue_" + std::string(model), ColumnType::money, std::string(query_.currency.text())});
  }

  Row row_of(Cell key, const Sums& sums) const {
    Row row{std::move(key)};
    for (size_t at = 0; at < kModels; ++at) {
      const ColumnType type = report_.columns[1 + 2 * at].type;
      row.push_back(cell_of(figure(orders(), sums[at].orders_millionths), digits_of(orders(), query_.currency), type));
      row.push_back(cell_of(figure(revenue(), sums[at].revenue_micros), digits_of(revenue(), query_.currency), ColumnType::money));
    }
    row.resize(report_.columns.size());  // the others are null
    return row;
  }

  const Query& query_;
  Report report_;
};

}  // namespace

const FixedReport& attribution_report() {
  static const FixedReport report{"attribution", find_dimension("channel"), find_metric("orders"), kChoices};
  return report;
}

std::variant<Report, QueryError> run_attribution(const Query& query, SummarySnapshot& snapshot,
                                                 const std::function<bool()>& out_of_time) {
  if (auto fault = refuse_unkept_visits(query, query.range, snapshot)) return *std::move(fault);
  Journeys journeys(query);
  bool is_late = false, is_broken = false;
  const Status status = !query.site_number ? Status() : snapshot.each_visit_block(
      *query.site_number, query.range.from_s, query.range.to_s, [&](VisitBlock& block) -> Status {
        KeptVisit visit;
        is_late = out_of_time();
        const std::vector<int64_t>* counts = block.ints(VisitColumn::conversions);
        is_broken = counts == nullptr;
        for (size_t row = 0; !is_broken && !is_late && row < block.rows(VisitTable::visits); ++row) {
          if ((*counts)[row] == 0) continue;
          is_late = out_of_time();
          is_broken = !block.read(row, visit);
          if (!is_broken) journeys.add(visit);
        }
        return is_late || is_broken ? Status(Error::corrupt("block of visits")) : Status();
      });
  if (is_late) return too_slow();
  if (!status) return store_fault(status.error());
  Report report = Answer(query).make(journeys);
  const CheckpointState& checkpoint = snapshot.checkpoint();
  report.query = query.shown();
  report.meta.time_zone = query.zone.name();
  report.meta.currency = query.currency.text();
  if (checkpoint.committed_ms > 0) report.meta.as_of = utc_text_of_ms(checkpoint.committed_ms);
  if (checkpoint.complete_through_ms > 0) report.meta.complete_through = utc_text_of_ms(checkpoint.complete_through_ms);
  report.meta.lost_hits = checkpoint.lost_hits;
  for (const auto& [currency, sum] : journeys.unconverted()) {
    const int digits = currency_digits(parse_currency(currency).value_or(Currency{{'X', 'X', 'X'}}));
    report.meta.unconverted.push_back({currency, format_micros(sum.orders_millionths, 0), format_micros(sum.revenue_micros, digits)});
    report.meta.warnings.push_back("orders in " + currency + " bring no revenue here: there is no rate for it");
  }
  report.meta.warnings.emplace_back("markov and shapley are null: they need journeys that did not convert, which are not kept yet");
  return report;
}

}  // namespace footfall
