#include "query/advice.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/money.h"
#include "query/roi_unmatched.h"
#include "query/text.h"

namespace footfall {
namespace {

constexpr double kOne = static_cast<double>(kMicrosPerUnit);

struct Advice {
  std::string text;  // the row's; empty: null
  std::optional<Verdict> verdict;
  __int128 stake_micros = 0;
  std::string words;
};

std::string decimal(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.2f", std::clamp(value, -1e15, 1e15));
  return text;
}

class Adviser {
 public:
  Adviser(const Query& query, const RoiRows& rows, const JourneyShares* of_journeys)
      : query_(query), rows_(rows), of_journeys_(of_journeys) {}

  std::vector<Advice> all() {
    const bool has_spend = std::any_of(rows_.rows.begin(), rows_.rows.end(), [](const RoiRow& row) { return row.now.cost_micros > 0; });
    if (!has_spend)
      general("Nothing can be said of return yet: nobody told what marketing cost in this time. Import it: footfall import spend FILE.csv");
    if (query_.margin_micros.value_or(0) <= 0)
      general("There is no break-even to compare with: the margin is not set. Set it in footfall.toml: [site." + query_.site + "] margin = 0.35");
    for (const RoiRow& row : rows_.rows) {
      if (row.now.cost_micros > 0) of_row(row);
      else if (query_.by.front()->rollup == Dimension::channel && is_paid_without_spend(row)) without_spend(row);
    }
    std::stable_sort(advice_.begin(), advice_.end(), [](const Advice& a, const Advice& b) {
      if (is_general(a) != is_general(b)) return is_general(a);
      if (a.stake_micros != b.stake_micros) return a.stake_micros > b.stake_micros;
      return a.text < b.text;
    });
    return std::move(advice_);
  }

 private:
  static bool is_general(const Advice& advice) { return advice.text.empty() && !advice.verdict; }

  void general(std::string words) { advice_.push_back({{}, {}, 0, std::move(words)}); }

  std::string name_of(const RoiRow& row) const {
    if (!row.text.empty()) return named_in_words(row.text);
    return "what has no " + std::string(query_.by.front()->name);
  }

  std::string money(__int128 micros) const {
    return format_micros(micros, currency_digits(query_.currency)) + " " + std::string(query_.currency.text());
  }

  static std::string orders_of(const RoiRow& row) {
    const double orders = static_cast<double>(row.now.asked.credit_millionths) / kOne;
    char text[40];
    std::snprintf(text, sizeof text, orders == std::floor(orders) ? "%.0f" : "%.1f", orders);
    return std::string(text) + (orders == 1 ? " order" : " orders");
  }

  static std::string returned(const Roas& roas) {
    std::string words = decimal(roas.roas.value_or(0));
    if (roas.interval) words += " (" + decimal(roas.interval->low) + " to " + decimal(roas.interval->high) + ")";
    return words + " for each 1.00 spent";
  }

  void without_spend(const RoiRow& row) {
    advice_.push_back({row.text, {}, row.now.asked.revenue_micros,
                       "Tell what " + name_of(row) + " cost: " + std::to_string(static_cast<int64_t>(row.now.visits)) + " visits and " +
                           orders_of(row) + " came by it, and no spend of it is known"});
  }

  void of_row(const RoiRow& row) {
    const RoiVerdict verdict = verdict_of(row, query_, rows_.totals, of_journeys_);
    if (!verdict.judgement || !verdict.roas || !verdict.break_even) return;
    const __int128 cost = row.now.cost_micros;
    const __int128 profit = row.now.asked.revenue_micros * *query_.margin_micros / kMicrosPerUnit - cost;
    const std::string figures = ": it returned " + returned(*verdict.roas) + "; break-even is " + decimal(*verdict.break_even);
    const std::string base = " (" + money(cost) + " spent, " + orders_of(row) + ")";
    Advice advice{row.text, verdict.judgement->verdict, profit < 0 ? -profit : profit, {}};
    switch (verdict.judgement->verdict) {
      case Verdict::raise:
        advice.words = "Raise " + name_of(row) + figures + base + ". It earned " + money(profit) + " above its cost";
        break;
      case Verdict::cut:
        advice.words = "Cut " + name_of(row) + figures + base + ". It lost " + money(-profit);
        break;
      case Verdict::keep:
        advice.words = "Keep " + name_of(row) + " as it is" + figures + base;
        break;
      case Verdict::depends_on_model:
        advice.words = "Do not change " + name_of(row) + " on these figures: models do not agree" + by_models(row) + "; break-even is " +
                       decimal(*verdict.break_even) + base;
        advice.stake_micros = cost;
        break;
      case Verdict::too_early:
        advice.words = "Wait with " + name_of(row) + figures + base + ". " + what_is_missing(*verdict.judgement);
        advice.stake_micros = cost;
        break;
    }
    advice_.push_back(std::move(advice));
  }

  std::string by_models(const RoiRow& row) const {
    const auto cost = static_cast<int64_t>(row.now.cost_micros);
    std::string words = ", it returned " + decimal(roas_of(row.now.returns(), cost).roas.value_or(0)) + " by " +
                        std::string(kModelNames[static_cast<size_t>(query_.model)]);
    for (size_t i = 0; i < std::size(kVerdictModels); ++i) {
      if (kVerdictModels[i] == query_.model) continue;
      words += ", " + decimal(roas_of(row.now.of_verdict[i].sums(row.now.visits), cost).roas.value_or(0)) + " by " +
               std::string(kModelNames[static_cast<size_t>(kVerdictModels[i])]);
    }
    if (of_journeys_ == nullptr) return words;
    const double own = roas_of(row.now.returns(), cost).roas.value_or(0);
    return words + ", " + decimal(roas_by_journeys(row, own, rows_.totals, *of_journeys_)) + " by markov";
  }

  static std::string what_is_missing(const Judgement& judgement) {
    if (!judgement.visits_needed) return "Nothing was earned yet, so nobody can tell how long it takes";
    return "About " + std::to_string(*judgement.visits_needed) + " more visits of the same kind would tell";
  }

  const Query& query_;
  const RoiRows& rows_;
  const JourneyShares* const of_journeys_;
  std::vector<Advice> advice_;
};

}  // namespace

std::string named_in_words(std::string_view name) {
  std::string plain = terminal_text(name);
  std::replace(plain.begin(), plain.end(), '"', '\'');
  return quoted(plain);
}

Report advise(const Query& query, const RoiRows& rows, const JourneyShares* of_journeys, Report report) {
  const std::vector<Advice> all = Adviser(query, rows, of_journeys).all();
  const size_t first = std::min<uint64_t>(query.offset, all.size());
  const size_t end = first + std::min<uint64_t>(query.limit, all.size() - first);
  report.columns = {{std::string(query.by.front()->name), ColumnType::string, {}},
                    {"verdict", ColumnType::string, {}},
                    {"stake", ColumnType::money, std::string(query.currency.text())},
                    {"advice", ColumnType::string, {}}};
  report.rows.clear();
  const auto text = [](std::string_view of) { return of.empty() ? Cell::null() : Cell::of_text(std::string(of)); };
  for (size_t i = first; i < end; ++i) {
    const bool is_told = all[i].verdict || !all[i].text.empty();
    report.rows.push_back({text(all[i].text), text(all[i].verdict ? kVerdictNames[static_cast<size_t>(*all[i].verdict)] : ""),
                           is_told ? Cell::of_number(format_micros(all[i].stake_micros, currency_digits(query.currency))) : Cell::null(),
                           Cell::of_text(all[i].words)});
  }
  report.other = Row(report.columns.size());
  report.totals = Row(report.columns.size());
  report.meta.rows_total = all.size();
  report.meta.next_cursor = end < all.size() ? query.cursor_at(end) : std::string();
  return report;
}

}  // namespace footfall
