#include "query/attribution.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "query/collect.h"
#include "query/figures.h"
#include "query/journeys.h"
#include "query/plan.h"
#include "query/text.h"

namespace footfall {
namespace {

constexpr std::string_view kChoices[] = {"channel", "source", "campaign", "code"};
constexpr auto kJourneyModels = kJourneyModelNames;

using Credit = GivenCredit;
struct Sums : std::array<Credit, kModels> {
  void add(const Sums& other, int sign = 1) {
    for (size_t model = 0; model < size(); ++model) {
      (*this)[model].orders_millionths += sign * other[model].orders_millionths;
      (*this)[model].revenue_micros += sign * other[model].revenue_micros;
    }
  }
};

// What the rule models give.
struct ByRule {
  std::map<std::string, Sums, std::less<>> rows;
  Sums totals{};
  std::map<std::string, Credit, std::less<>> unconverted;  // by currency
  bool has_cut_values = false;                             // some buckets keep a part of their values alone
  bool has_cut_credit = false;                             // likewise of what the lookback gives beyond the site's own

  Sums& row(std::string_view value) {
    const auto found = rows.find(value);
    return found != rows.end() ? found->second : rows.try_emplace(std::string(value)).first->second;
  }
};

std::optional<QueryError> collect_by_rule(const Query& query, SummarySnapshot& snapshot,
                                          const std::function<bool()>& out_of_time, ByRule& to) {
  const auto plan = plan_buckets(query.range.from_s, query.range.to_s, std::nullopt, query.zone);
  const auto add = [](const Counters& counters, Sums& sums) {
    for (const Model model : kAllModels) {
      Credit& credit = sums[static_cast<size_t>(model)];
      credit.orders_millionths += counters.credit(Counter::orders_last, model);
      credit.revenue_micros += counters.credit(Amount::revenue_last, model);
    }
  };
  const auto each = [&](Dimension dimension, const auto& take) {
    return each_rollup_in(query, plan, dimension, std::nullopt, snapshot, out_of_time,
                          [&](const RollupKey& key, const Counters& counters) { return take(key, counters), true; });
  };
  if (auto fault = each(Dimension::total, [&](const RollupKey&, const Counters& counters) { add(counters, to.totals); }))
    return fault;
  absl::flat_hash_map<Hash128, Sums> rows, apart;
  ValueTexts texts;
  const auto take_to = [&](auto& sums) {
    return [&](const RollupKey& key, const Counters& counters) {
      if (!counters.has_rare()) return;
      if (key.value == kOtherValue) return void((is_by_lookback(key.dimension) ? to.has_cut_credit : to.has_cut_values) = true);
      texts.saw(key.value, key.bucket_start_s);
      add(counters, sums[key.value]);
    };
  };
  if (auto fault = each_credited_rollup_in(query, plan, query.by.front()->rollup, std::nullopt, snapshot, out_of_time,
                                           [&](const RollupKey& key, const Counters& counters) { return take_to(rows)(key, counters), true; }))
    return fault;
  if (auto fault = each(Dimension::currency, take_to(apart))) return fault;
  texts.load(snapshot);
  for (const auto& [value, sums] : rows) {
    const std::string* text = texts.find(value);
    if (text != nullptr || value == kNullValue) to.row(text != nullptr ? *text : "").add(sums);
    else to.has_cut_values = true;  // its text is not kept any more: it goes with the others
  }
  for (const auto& [value, sums] : apart)
    if (const std::string* text = texts.find(value)) to.unconverted[*text] = sums.front();
  return std::nullopt;
}

// One row, of all models; of markov and shapley where they are known.
struct AllModels {
  std::string value;
  Sums rules{};
  Credit journeys[std::size(kJourneyModels)] = {};
};

class Answer {
 public:
  Answer(const Query& query, const ByRule& by_rule, const JourneyCredit& by_journeys) : query_(query) {
    known_[0] = by_journeys.markov.has_value();
    known_[1] = by_journeys.shapley.has_value();
    all_.rules = by_rule.totals;
    for (Credit& all : all_.journeys) all = by_journeys.all;
    std::map<std::string, AllModels, std::less<>> rows;
    const auto row = [&](const std::string& value) -> AllModels& {
      return rows.try_emplace(value, AllModels{.value = value}).first->second;
    };
    for (const auto& [value, sums] : by_rule.rows) row(value).rules = sums;
    for (size_t model = 0; model < std::size(kJourneyModels); ++model)
      if (known_[model])
        for (const auto& [value, credit] : *(model == 0 ? by_journeys.markov : by_journeys.shapley)) row(value).journeys[model] = credit;
    for (auto& [value, models] : rows)
      if (!is_nothing(models)) rows_.push_back(std::move(models));
    std::sort(rows_.begin(), rows_.end(), is_before);
  }

  Report make() {
    const size_t first = std::min<size_t>(query_.offset, rows_.size());
    const size_t end = std::min<size_t>(first + query_.limit, rows_.size());
    AllModels other = all_;
    for (size_t i = first; i < end; ++i) take_off(other, rows_[i]);
    std::vector<const AllModels*> shown{&all_, &other};
    for (size_t i = first; i < end; ++i) shown.push_back(&rows_[i]);
    fill_columns(shown);
    for (size_t i = first; i < end; ++i)
      report_.rows.push_back(row_of(rows_[i].value.empty() ? Cell::null() : Cell::of_text(rows_[i].value), rows_[i]));
    report_.other = row_of(Cell::null(), other);
    report_.totals = row_of(Cell::null(), all_);
    report_.meta.rows_total = rows_.size();
    if (end < rows_.size()) report_.meta.next_cursor = query_.cursor_at(end);
    return std::move(report_);
  }

 private:
  static const Metric& orders() { return *find_metric("orders"); }
  static const Metric& revenue() { return *find_metric("revenue"); }
  static bool is_nothing(const Credit& credit) { return credit.orders_millionths == 0 && credit.revenue_micros == 0; }
  static bool is_nothing(const AllModels& row) {
    const auto nothing = [](const Credit& credit) { return is_nothing(credit); };
    return std::all_of(row.rules.begin(), row.rules.end(), nothing) && std::all_of(std::begin(row.journeys), std::end(row.journeys), nothing);
  }
  // The default model tells the order.
  static bool is_before(const AllModels& one, const AllModels& other) {
    const Credit& a = one.rules[static_cast<size_t>(Model::last_non_direct)];
    const Credit& b = other.rules[static_cast<size_t>(Model::last_non_direct)];
    if (a.orders_millionths != b.orders_millionths) return a.orders_millionths > b.orders_millionths;
    return a.revenue_micros != b.revenue_micros ? a.revenue_micros > b.revenue_micros : one.value < other.value;
  }
  static void take_off(AllModels& from, const AllModels& row) {
    from.rules.add(row.rules, -1);
    for (size_t model = 0; model < std::size(kJourneyModels); ++model) {
      from.journeys[model].orders_millionths -= row.journeys[model].orders_millionths;
      from.journeys[model].revenue_micros -= row.journeys[model].revenue_micros;
    }
  }

  Figure figure(const Metric& metric, __int128 sum) const { return figure_of(metric, false, sum, 0, query_.currency); }

  void fill_columns(const std::vector<const AllModels*>& shown) {
    report_.columns.push_back({std::string(query_.by.front()->name), ColumnType::string, {}});
    const auto add_columns = [&](std::string_view model, auto credit_of) {
      const bool shares = std::any_of(shown.begin(), shown.end(), [&](const AllModels* row) {
        return figure(orders(), credit_of(*row).orders_millionths).is_fractional;
      });
      report_.columns.push_back({"orders_" + std::string(model), shares ? ColumnType::decimal : ColumnType::integer, {}});
      report_.columns.push_back({"revenue_" + std::string(model), ColumnType::money, std::string(query_.currency.text())});
    };
    for (size_t at = 0; at < kModels; ++at) add_columns(kModelNames[at], [at](const AllModels& row) { return row.rules[at]; });
    for (size_t at = 0; at < std::size(kJourneyModels); ++at)
      add_columns(kJourneyModels[at], [at](const AllModels& row) { return row.journeys[at]; });
  }

  Row row_of(Cell key, const AllModels& models) const {
    Row row{std::move(key)};
    const auto add = [&](const Credit& credit) {
      const ColumnType type = report_.columns[row.size()].type;
      row.push_back(cell_of(figure(orders(), credit.orders_millionths), digits_of(orders(), query_.currency), type));
      row.push_back(cell_of(figure(revenue(), credit.revenue_micros), digits_of(revenue(), query_.currency), ColumnType::money));
    };
    for (const Credit& credit : models.rules) add(credit);
    for (size_t at = 0; at < std::size(kJourneyModels); ++at) {
      if (known_[at]) add(models.journeys[at]);
      else row.resize(row.size() + 2);  // null
    }
    return row;
  }

  const Query& query_;
  AllModels all_;
  std::vector<AllModels> rows_;
  bool known_[std::size(kJourneyModels)] = {};
  Report report_;
};

}  // namespace

const FixedReport& attribution_report() {
  static const FixedReport report{"attribution", find_dimension("channel"), find_metric("orders"), kChoices};
  return report;
}

std::variant<Report, QueryError> run_attribution(const Query& query, SummarySnapshot& snapshot,
                                                 const std::function<bool()>& out_of_time) {
  ByRule by_rule;
  if (auto fault = collect_by_rule(query, snapshot, out_of_time, by_rule)) return *std::move(fault);
  auto by_journeys = credit_by_journeys(query, snapshot, out_of_time);
  if (auto* fault = std::get_if<QueryError>(&by_journeys)) return std::move(*fault);
  const JourneyCredit& journeys = std::get<JourneyCredit>(by_journeys);
  Report report = Answer(query, by_rule, journeys).make();
  const CheckpointState& checkpoint = snapshot.checkpoint();
  report.query = query.shown();
  report.meta.time_zone = query.zone.name();
  report.meta.currency = query.currency.text();
  if (checkpoint.committed_ms > 0) report.meta.as_of = utc_text_of_ms(checkpoint.committed_ms);
  if (checkpoint.complete_through_ms > 0) report.meta.complete_through = utc_text_of_ms(checkpoint.complete_through_ms);
  report.meta.lost_hits = checkpoint.lost_hits;
  for (const auto& [currency, sum] : by_rule.unconverted) {
    if (sum.orders_millionths == 0 && sum.revenue_micros == 0) continue;
    const int digits = currency_digits(parse_currency(currency).value_or(Currency{{'X', 'X', 'X'}}));
    report.meta.unconverted.push_back({currency, format_micros(sum.orders_millionths, 0), format_micros(sum.revenue_micros, digits)});
    report.meta.warnings.push_back("orders in " + currency + " bring no revenue here: there is no rate for it");
  }
  const auto warn = [&](std::string text) { report.meta.warnings.push_back(std::move(text)); };
  const std::string_view by = query.by.front()->name;
  if (by != "channel" && by != "campaign") warn("markov and shapley are null: they tell channels, markov campaigns too");
  else if (by == "campaign") warn("shapley is null: it tells channels alone");
  if ((by == "channel" || by == "campaign") && !journeys.markov)
    warn("markov and shapley are null: no journey of the range led to an order");
  if (by_rule.has_cut_values)
    warn("the range has more values of " + std::string(by) + " than are kept; the rest of them is in `other`");
  if (by_rule.has_cut_credit) warn(cut_credit_warning(query, by));
  if (journeys.is_approximate) warn("markov and shapley are approximate: there were more steps of journeys than are kept");
  return report;
}

}  // namespace footfall
