#include "query/cohorts.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "credit/cohort.h"
#include "credit/model.h"
#include "credit/spend.h"
#include "query/collect.h"
#include "query/figures.h"
#include "query/plan.h"
#include "query/source_join.h"
#include "query/text.h"

namespace footfall {
namespace {

constexpr std::string_view kChoices[] = {"month", "channel", "source", "medium", "campaign", "code"};
constexpr std::string_view kParameters[] = {"site", "range", "from", "to", "by", "limit", "cursor", "format"};

std::vector<std::string> column_names(const Query&) {
  std::vector<std::string> names{"customers"};
  for (const int days : kCohortAgeDays)
    for (const char* what : {"orders_", "revenue_", "margin_"}) names.push_back(what + std::to_string(days));
  names.insert(names.end(), {"cost", "payback_days", "days_complete"});
  return names;
}

Dimension cohort_of(const DimensionInfo& by) {
  switch (by.rollup) {
    case Dimension::channel:
      return Dimension::cohort_channel;
    case Dimension::source:
      return Dimension::cohort_source;
    case Dimension::medium:
      return Dimension::cohort_medium;
    case Dimension::campaign:
      return Dimension::cohort_campaign;
    case Dimension::code:
      return Dimension::cohort_code;
    default:
      return Dimension::cohort_month;
  }
}

struct Sums {
  struct Age {
    __int128 orders_millionths = 0, revenue_micros = 0;  // of this age alone
  };
  int64_t customers = 0;
  std::array<Age, kCohortAges + 1> ages{};
  __int128 cost_micros = 0;

  void add(const Sums& other, int sign = 1) {
    customers += sign * other.customers;
    cost_micros += sign * other.cost_micros;
    for (size_t age = 0; age < ages.size(); ++age) {
      ages[age].orders_millionths += sign * other.ages[age].orders_millionths;
      ages[age].revenue_micros += sign * other.ages[age].revenue_micros;
    }
  }
  // Of all ages up to that one.
  Age until(size_t age) const {
    Age sum;
    for (size_t i = 0; i <= age; ++i) {
      sum.orders_millionths += ages[i].orders_millionths;
      sum.revenue_micros += ages[i].revenue_micros;
    }
    return sum;
  }
  bool is_zero() const { return customers == 0 && cost_micros == 0 && until(kCohortAges).orders_millionths == 0; }
};

struct CohortRow {
  std::string text;  // of the month, or the value; empty: null
  int64_t end_s = 0;
  Sums sums;
};

class Reader {
 public:
  Reader(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time)
      : query_(query), snapshot_(snapshot), out_of_time_(out_of_time), time_(query.time()) {
    plan_ = plan_buckets(query.range.from_s, query.range.to_s, time_ ? std::optional(time_->unit) : std::nullopt, query.zone);
  }

  std::optional<QueryError> read() {
    std::map<std::pair<int64_t, Hash128>, Sums> by_text;
    ValueTexts texts;
    const auto each = [&](Dimension dimension, const auto& take) {
      return each_rollup_in(query_, plan_, dimension, std::nullopt, snapshot_, out_of_time_, [&](const RollupKey& key, const Counters& counters) {
        if (!counters.has_rare()) return true;
        if (key.value == kOtherValue) has_cut_values_ = true;
        else texts.saw(key.value, key.bucket_start_s);
        take(counters, by_text[{start_s(key.bucket_start_s), key.value}]);
        return by_text.size() <= kGroupsMax;
      });
    };
    if (auto fault = each(cohort_of(*query_.by.front()), [](const Counters& counters, Sums& sums) {
          sums.customers += counters[Counter::customers];
          sums.ages[0].orders_millionths += counters[Counter::orders_last];
          sums.ages[0].revenue_micros += counters[Amount::revenue_last];
        }))
      return fault;
    texts.load(snapshot_);
    for (const auto& [key, sums] : by_text) add_cohort(key.first, texts.find(key.second), sums);
    by_text.clear();
    if (is_by_source())
      if (auto fault = read_names()) return fault;
    if (auto fault = each(time_ ? Dimension::total : query_.by.front()->rollup,
                          [](const Counters& counters, Sums& sums) { sums.cost_micros += counters[Amount::cost]; }))
      return fault;
    texts.load(snapshot_);
    for (const auto& [key, sums] : by_text) {
      totals_.add(sums);
      if (sums.cost_micros == 0) continue;
      const std::string* text = texts.find(key.second);
      if (time_ != nullptr) row(key.first, "").add(sums);
      else if (text != nullptr || key.second == kNullValue) row(0, name_of(text != nullptr ? *text : "")).add(sums);
      else has_cut_values_ = true;
    }
    return std::nullopt;
  }

  // In the order of the answer: months by time, others by their customers.
  std::vector<CohortRow> rows() const {
    std::vector<CohortRow> rows;
    for (const auto& [key, sums] : rows_) {
      if (sums.is_zero()) continue;
      const int64_t end_s = time_ ? std::min(next_unit_s(time_->unit, key.first, query_.zone), query_.range.to_s) : query_.range.to_s;
      rows.push_back({time_ ? unit_text(time_->unit, key.first, query_.zone) : names_.shown(key.second), end_s, sums});
    }
    if (time_ == nullptr)
      std::stable_sort(rows.begin(), rows.end(), [](const CohortRow& a, const CohortRow& b) { return a.sums.customers > b.sums.customers; });
    return rows;
  }
  const Sums& totals() const { return totals_; }
  bool has_cut_values() const { return has_cut_values_; }

 private:
  int64_t start_s(int64_t bucket_start_s) const { return time_ ? unit_start_s(time_->unit, bucket_start_s, query_.zone) : 0; }
  Sums& row(int64_t time_s, const std::string& value) { return rows_[{time_s, value}]; }

  bool is_by_source() const { return query_.by.front()->rollup == Dimension::source; }
  // Sources go by their known name, as spend does.
  std::string name_of(std::string_view value) const { return std::string(is_by_source() ? joined_source(value) : value); }

  // As what the visits of each source are tagged.
  std::optional<QueryError> read_names() {
    std::map<Hash128, int64_t> visits;
    ValueTexts texts;
    auto fault = each_rollup_in(query_, plan_, Dimension::source, std::nullopt, snapshot_, out_of_time_, [&](const RollupKey& key, const Counters& counters) {
      texts.saw(key.value, key.bucket_start_s);
      visits[key.value] += counters[Counter::visits];
      return visits.size() <= kGroupsMax;
    });
    if (fault) return fault;
    texts.load(snapshot_);
    for (const auto& [value, count] : visits)
      if (const std::string* text = texts.find(value)) names_.see(*text, count);
    return std::nullopt;
  }

  // The text says which age the orders are of.
  void add_cohort(int64_t time_s, const std::string* text, const Sums& told) {
    const std::optional<CohortText> cohort = text != nullptr ? read_cohort(*text) : std::nullopt;
    Sums sums;
    sums.customers = told.customers;
    sums.ages[cohort ? cohort->age : kCohortAges] = told.ages[0];
    totals_.add(sums);
    if (cohort) row(time_s, name_of(cohort->value)).add(sums);
    else has_cut_values_ = true;
  }

  const Query& query_;
  SummarySnapshot& snapshot_;
  const std::function<bool()>& out_of_time_;
  const DimensionInfo* const time_;
  std::vector<PlanPart> plan_;
  std::map<std::pair<int64_t, std::string>, Sums> rows_;  // sources by their known name
  SourceNames names_;
  Sums totals_;
  bool has_cut_values_ = false;
};

class Answer {
 public:
  Answer(const Query& query, int64_t known_until_s) : query_(query), known_until_s_(known_until_s) {}

  void put(const std::vector<CohortRow>& rows, const Sums& totals, Report& to) const {
    const size_t first = std::min<size_t>(query_.offset, rows.size());
    const size_t end = std::min<size_t>(first + query_.limit, rows.size());
    to.columns.push_back({std::string(query_.by.front()->name), ColumnType::string, {}});
    for (const std::string& name : column_names(query_)) {
      const bool is_money = name.starts_with("revenue_") || name.starts_with("margin_") || name == "cost";
      to.columns.push_back({name, is_money ? ColumnType::money : ColumnType::integer, is_money ? std::string(query_.currency.text()) : ""});
    }
    Sums other = totals;
    for (size_t i = first; i < end; ++i) {
      other.add(rows[i].sums, -1);
      to.rows.push_back(row_of(rows[i].text.empty() ? Cell::null() : Cell::of_text(rows[i].text), rows[i].sums, rows[i].end_s, true));
    }
    to.other = row_of(Cell::null(), other, query_.range.to_s, false);
    to.totals = row_of(Cell::null(), totals, query_.range.to_s, true);
    to.meta.rows_total = rows.size();
    if (end < rows.size()) to.meta.next_cursor = query_.cursor_at(end);
  }

 private:
  Row row_of(Cell key, const Sums& sums, int64_t end_s, bool is_cohort) const {
    Row row{std::move(key), Cell::of_number(std::to_string(sums.customers))};
    std::optional<int> payback_days;
    for (size_t age = 0; age < kCohortAges; ++age) {
      const Sums::Age until = sums.until(age);
      row.push_back(Cell::of_number(format_micros(until.orders_millionths, 0)));
      row.push_back(money(until.revenue_micros));
      const std::optional<int64_t> margin = query_.margin_micros;
      row.push_back(margin ? money(divide_rounded(until.revenue_micros * *margin, kMicrosPerUnit)) : Cell::null());
      const bool pays = margin && sums.cost_micros > 0 && until.revenue_micros * *margin >= sums.cost_micros * kMicrosPerUnit;
      if (pays && !payback_days) payback_days = kCohortAgeDays[age];
    }
    row.push_back(money(sums.cost_micros));
    row.push_back(payback_days && is_cohort ? Cell::of_number(std::to_string(*payback_days)) : Cell::null());
    const int64_t days = std::max<int64_t>((known_until_s_ - end_s) / kDayS, 0);
    row.push_back(is_cohort ? Cell::of_number(std::to_string(days)) : Cell::null());
    return row;
  }

  Cell money(__int128 micros) const { return Cell::of_number(format_micros(micros, currency_digits(query_.currency))); }

  const Query& query_;
  const int64_t known_until_s_;
};

}  // namespace

const FixedReport& cohorts_report() {
  static const FixedReport report{.name = "cohorts",
                                  .by = find_dimension("month"),
                                  .metric = find_metric("orders"),
                                  .choices = kChoices,
                                  .parameters = kParameters,
                                  .columns = column_names,
                                  .order = {}};
  return report;
}

std::variant<Report, QueryError> run_cohorts(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time) {
  Reader reader(query, snapshot, out_of_time);
  if (auto fault = reader.read()) return *std::move(fault);
  const CheckpointState& checkpoint = snapshot.checkpoint();
  const std::vector<CohortRow> rows = reader.rows();
  Report report;
  Answer(query, std::max(checkpoint.complete_through_ms, checkpoint.committed_ms) / 1000).put(rows, reader.totals(), report);
  report.query = query.shown();
  report.meta.time_zone = query.zone.name();
  report.meta.currency = query.currency.text();
  if (checkpoint.committed_ms > 0) report.meta.as_of = utc_text_of_ms(checkpoint.committed_ms);
  if (checkpoint.complete_through_ms > 0) report.meta.complete_through = utc_text_of_ms(checkpoint.complete_through_ms);
  report.meta.lost_hits = checkpoint.lost_hits;
  const auto warn = [&](std::string text) { report.meta.warnings.push_back(std::move(text)); };
  if (!query.margin_micros)
    warn("margin and payback_days are null: the site has no margin; [site." + query.site + "] margin = 0.35 sets it");
  if (reader.totals().cost_micros == 0)
    warn("payback_days is null: nothing was told of spend in this time; `footfall import spend FILE.csv` tells it");
  if (reader.has_cut_values())
    warn("the range has more values of " + std::string(query.by.front()->name) + " than are kept; the rest of them is in `other`");
  return report;
}

}  // namespace footfall
