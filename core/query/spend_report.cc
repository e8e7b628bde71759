// Spend and touches held against each other, as the report /v1/spend.
#include <algorithm>

#include "query/figures.h"
#include "query/spend_match.h"

namespace footfall {
namespace {

using Entry = SpendMatch::Entry;

struct Sums {
  __int128 cost_micros = 0;
  SpendMatch::Brought brought;

  void add(const Entry& entry, int sign) {
    cost_micros += sign * entry.cost_micros;
    brought.add(entry.brought, sign);
  }
};

Cell text_cell(const std::string& text) { return text.empty() ? Cell::null() : Cell::of_text(text); }

class Answer {
 public:
  Answer(const Query& query, SpendMatch match) : query_(query), match_(std::move(match)) {}

  Report make() {
    sort();
    fill_columns();
    const size_t size = match_.entries.size();
    const size_t first = std::min<size_t>(query_.offset, size), end = std::min<size_t>(first + query_.limit, size);
    Sums totals;
    for (const Entry& entry : match_.entries) totals.add(entry, 1);
    Sums other = totals;
    for (size_t at = first; at < end; ++at) {
      other.add(match_.entries[at], -1);
      report_.rows.push_back(row_of(match_.entries[at]));
    }
    report_.other = row_of(other);
    report_.totals = row_of(totals);
    report_.meta.rows_total = size;
    if (end < size) report_.meta.next_cursor = query_.cursor_at(end);
    warn();
    return std::move(report_);
  }

 private:
  // By cost as it comes, what has none last; or by channel.
  void sort() {
    if (query_.order_column == 0) {
      std::stable_sort(match_.entries.begin(), match_.entries.end(), [&](const Entry& one, const Entry& other) {
        return query_.descending ? one.key.channel > other.key.channel : one.key.channel < other.key.channel;
      });
    } else if (!query_.descending) {
      std::stable_sort(match_.entries.begin(), match_.entries.end(), [](const Entry& one, const Entry& other) {
        return one.has_cost != other.has_cost ? one.has_cost : one.cost_micros < other.cost_micros;
      });
    }
  }

  void fill_columns() {
    for (const char* name : {"channel", "source", "medium", "campaign", "content", "term", "code"})
      report_.columns.push_back({name, ColumnType::string, {}});
    report_.columns.push_back({"cost", ColumnType::money, std::string(query_.currency.text())});
    for (const char* name : {"visits", "orders"}) report_.columns.push_back({name, ColumnType::integer, {}});
    report_.columns.push_back({"revenue", ColumnType::money, std::string(query_.currency.text())});
    report_.columns.push_back({"note", ColumnType::string, {}});
  }

  Cell money_cell(__int128 micros) const {
    return Cell::of_number(format_micros(micros, currency_digits(query_.currency)));
  }
  // Orders are whole: the model is the default one.
  void put(const SpendMatch::Brought& brought, Row& to) const {
    if (match_.visits_since_s) return to.insert(to.end(), 3, Cell::null()), void();
    to.push_back(Cell::of_number(std::to_string(brought.visits)));
    to.push_back(Cell::of_number(format_micros(brought.orders_millionths, 0)));
    to.push_back(money_cell(brought.revenue_micros));
  }

  Row row_of(const Entry& entry) const {
    const SpendKey& key = entry.key;
    Row row;
    for (const std::string& text : {key.channel, key.source, key.medium, key.campaign, key.content, key.term, key.code})
      row.push_back(text_cell(text));
    row.push_back(entry.has_cost ? money_cell(entry.cost_micros) : Cell::null());
    put(entry.brought, row);
    row.push_back(text_cell(entry.note));
    return row;
  }

  Row row_of(const Sums& sums) const {
    Row row(kSpendCostColumn, Cell::null());
    row.push_back(money_cell(sums.cost_micros));
    put(sums.brought, row);
    row.push_back(Cell::null());
    return row;
  }

  void warn() {
    std::vector<std::string>& warnings = report_.meta.warnings;
    for (const auto& [currency, micros] : match_.unconverted_micros) {
      const int digits = digits_of_currency(currency);
      report_.meta.unconverted.push_back({.currency = currency, .orders = "0", .revenue = format_micros(0, digits), .cost = format_micros(micros, digits)});
      warnings.push_back("cost of " + format_micros(micros, digits) + " " + currency + ": there is no rate for " + currency + ", so cost leaves it out");
    }
    if (match_.visits_since_s)
      warnings.push_back("visits are kept since " + query_.zone.date_text(*match_.visits_since_s) + ": ask from then on to see who came by what");
    if (match_.visits_left_out > 0)
      warnings.push_back(std::to_string(match_.visits_left_out) + " paid visits without spend are left out: they began by more than " +
                         std::to_string(kPaidTouchesMax) + " different touches");
    if (!match_.has_spend) warnings.emplace_back("no spend is known of these days: `footfall import spend FILE.csv` tells it");
  }

  const Query& query_;
  SpendMatch match_;
  Report report_;
};

}  // namespace

const FixedReport& spend_report() {
  static const FixedReport report{"spend", find_dimension("channel"), find_metric("cost")};
  return report;
}

std::variant<Report, QueryError> run_spend(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time) {
  auto match = match_spend(query, snapshot, out_of_time);
  if (auto* error = std::get_if<QueryError>(&match)) return std::move(*error);
  Report report = Answer(query, std::get<SpendMatch>(std::move(match))).make();
  const CheckpointState& checkpoint = snapshot.checkpoint();
  report.query = query.shown();
  report.meta.time_zone = query.zone.name();
  report.meta.currency = query.currency.text();
  if (checkpoint.committed_ms > 0) report.meta.as_of = utc_text_of_ms(checkpoint.committed_ms);
  if (checkpoint.complete_through_ms > 0) report.meta.complete_through = utc_text_of_ms(checkpoint.complete_through_ms);
  report.meta.lost_hits = checkpoint.lost_hits;
  return report;
}

}  // namespace footfall
