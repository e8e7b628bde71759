#include "query/roi_rows.h"

#include <algorithm>
#include <cmath>

#include "credit/spend.h"
#include "query/collect.h"
#include "query/plan.h"
#include "query/source_join.h"

namespace footfall {
namespace {

constexpr int64_t kSlices = 16;  // of a plan's part: between them the time is looked at

ReturnParts parts_of(const Counters& counters, Model model, bool of_touches) {
  const Model of = of_touches ? model : Model::last;
  const auto by = [&](const Part& part) { return value_of(part, counters, of); };
  return {.credit_millionths = by({Part::Kind::credited, static_cast<uint8_t>(Counter::orders_last)}),
          .credit_squares = by({Part::Kind::order_squares, 0}),
          .revenue_micros = by({Part::Kind::credited_amount, static_cast<uint8_t>(Amount::revenue_last)}),
          .revenue_squares = by({Part::Kind::revenue_squares, 0}),
          .largest_micros = counters.largest_revenue_micros(of)};
}

// --- levels of spend -------------------------------------------------------------------------------------------------

struct Mean {
  double cost = 0, revenue = 0, variance = 0;  // the last of the mean revenue
  size_t days = 0;
};

Mean mean_of(std::span<const MoneyOfDay> days) {
  Mean mean{.days = days.size()};
  if (days.size() < kLevelDaysMin) return mean;
  const auto n = static_cast<double>(days.size());
  for (const MoneyOfDay& day : days) {
    mean.cost += static_cast<double>(day.cost_micros) / n;
    mean.revenue += static_cast<double>(day.revenue_micros) / n;
  }
  for (const MoneyOfDay& day : days) mean.variance += std::pow(static_cast<double>(day.revenue_micros) - mean.revenue, 2) / (n - 1) / n;
  return mean;
}

std::optional<SpendLevels::Step> step(const Mean& from, const Mean& to) {
  const double cost = to.cost - from.cost;
  if (from.days < kLevelDaysMin || to.days < kLevelDaysMin || !(cost > 0)) return std::nullopt;
  const double revenue = to.revenue - from.revenue, half = kZ * std::sqrt(from.variance + to.variance);
  return SpendLevels::Step{revenue / cost, {(revenue - half) / cost, (revenue + half) / cost}};
}

// --- reading ---------------------------------------------------------------------------------------------------------

class Reader {
 public:
  Reader(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time, RoiRows& to)
      : query_(query), snapshot_(snapshot), out_of_time_(out_of_time), to_(to) {}

  std::optional<QueryError> read() {
    if (!query_.site_number) return std::nullopt;
    if (auto fault = read(query_.range, &RoiRow::now, to_.totals)) return fault;
    if (query_.comparison)
      if (auto fault = read(query_.comparison->before(), &RoiRow::before, to_.totals_before)) return fault;
    put_rows();
    return query_.with_levels ? levels() : std::nullopt;
  }

 private:
  using Take = std::function<bool(const RollupKey& key, const Counters& counters)>;
  using Sums = absl::flat_hash_map<Hash128, RoiRow>;
  const DimensionInfo& dimension() const { return *query_.by.front(); }

  std::optional<QueryError> read(const TimeRange& range, RoiSums RoiRow::*of, RoiSums& totals) {
    const std::vector<PlanPart> plan = plan_buckets(range.from_s, range.to_s, std::nullopt, query_.zone);
    auto fault = each(plan, Dimension::total, std::nullopt, [&](const RollupKey&, const Counters& counters) {
      totals.add(counters, query_.model, false);
      return true;
    });
    if (fault) return fault;
    return each(plan, dimension().rollup, std::nullopt, [&](const RollupKey& key, const Counters& counters) {
      to_.has_cut_values |= key.value == kOtherValue;
      if (key.value == kOtherValue) return true;
      if (values_.size() >= kGroupsMax && !values_.contains(key.value)) return false;
      texts_.saw(key.value, key.bucket_start_s);
      (values_[key.value].*of).add(counters, query_.model, true);
      return true;
    });
  }

  std::optional<QueryError> each(const std::vector<PlanPart>& plan, Dimension of, const std::optional<std::vector<Hash128>>& only,
                                 const Take& take) {
    bool full = false;
    for (const PlanPart& part : plan) {
      const int64_t slice_s = (part.to_s - part.from_s) / kSlices + 1;
      for (int64_t from_s = part.from_s; from_s < part.to_s;) {
        if (out_of_time_()) return too_slow();
        const int64_t to_s = std::min(query_.zone.next_bucket_s(part.level, std::min(from_s + slice_s, part.to_s - 1)), part.to_s);
        const SummarySnapshot::Visit visit = [&](const RollupKey& key, const Counters& counters) { full = full || !take(key, counters); };
        const uint16_t site = *query_.site_number;
        const Status status = only ? snapshot_.each_rollup(site, of, part.level, from_s, to_s, query_.zone, *only, visit)
                                   : snapshot_.each_rollup(site, of, part.level, from_s, to_s, query_.zone, visit);
        if (!status) return store_fault(status.error());
        if (full) return too_many_rows();
        from_s = to_s;
      }
    }
    return std::nullopt;
  }

  // Values that are joined by name become one row.
  void put_rows() {
    const bool are_sources = dimension().rollup == Dimension::source;
    texts_.load(snapshot_);
    absl::flat_hash_map<std::string, size_t> places;
    SourceNames names;
    for (auto& [value, row] : values_) {
      if (row.now.is_zero() && row.before.is_zero()) continue;
      const std::string* text = texts_.find(value);
      if (value != kNullValue && text == nullptr) {
        ++to_.unknown_values;
        continue;
      }
      std::string name = value == kNullValue ? std::string() : *text;
      if (are_sources) names.see(name, row.now.visits), name = joined_source(name);
      const auto [place, fresh] = places.try_emplace(name, to_.rows.size());
      if (fresh) to_.rows.push_back({.text = std::move(name)});
      to_.rows[place->second].now.add(row.now);
      to_.rows[place->second].before.add(row.before);
      row_of_[value] = place->second;
    }
    for (RoiRow& row : to_.rows)
      if (are_sources) row.text = names.shown(row.text);
  }

  // Of the dearest rows, day by day.
  std::optional<QueryError> levels() {
    const Zone& zone = query_.zone;
    const auto is_start = [&](int64_t time_s) { return zone.bucket_start_s(Level::day, time_s) == time_s; };
    const int64_t from_s = is_start(query_.range.from_s) ? query_.range.from_s : zone.next_bucket_s(Level::day, query_.range.from_s);
    const int64_t to_s = zone.bucket_start_s(Level::day, query_.range.to_s);
    const size_t day = static_cast<size_t>(Level::day);
    to_.has_levels = from_s < to_s && snapshot_.checkpoint().kept_since_s[day] <= from_s;
    if (!to_.has_levels) return std::nullopt;
    size_t days = 0;
    for (int64_t at_s = from_s; at_s < to_s; at_s = zone.next_bucket_s(Level::day, at_s)) ++days;

    std::vector<size_t> dear;
    for (size_t row = 0; row < to_.rows.size(); ++row)
      if (to_.rows[row].now.cost_micros > 0) dear.push_back(row);
    std::sort(dear.begin(), dear.end(), [&](size_t a, size_t b) {
      const RoiRow &one = to_.rows[a], &other = to_.rows[b];
      return one.now.cost_micros != other.now.cost_micros ? one.now.cost_micros > other.now.cost_micros : one.text < other.text;
    });
    if (dear.size() > kLevelRowsMax) to_.levels_left_out = dear.size() - kLevelRowsMax, dear.resize(kLevelRowsMax);

    std::map<size_t, std::map<int64_t, MoneyOfDay>> money;  // by row and day
    for (const size_t row : dear) money[row];
    std::vector<Hash128> values;
    for (const auto& [value, row] : row_of_)
      if (money.contains(row)) values.push_back(value);
    std::sort(values.begin(), values.end());
    const std::vector<PlanPart> plan{{Level::day, from_s, to_s}};
    auto fault = each(plan, dimension().rollup, values, [&](const RollupKey& key, const Counters& counters) {
      const auto row = row_of_.find(key.value);
      if (row == row_of_.end()) return true;
      MoneyOfDay& of = money[row->second][key.bucket_start_s];
      of.cost_micros += static_cast<int64_t>(counters[Amount::cost]);
      of.revenue_micros += static_cast<int64_t>(counters.credit(Amount::revenue_last, query_.model));
      return true;
    });
    if (fault) return fault;
    for (const auto& [row, by_day] : money) {
      std::vector<MoneyOfDay> all;
      for (const auto& [day_s, of] : by_day) all.push_back(of);
      all.resize(std::max(days, all.size()));  // of the others there is nothing
      to_.rows[row].levels = spend_levels(std::move(all));
    }
    return std::nullopt;
  }

  const Query& query_;
  SummarySnapshot& snapshot_;
  const std::function<bool()>& out_of_time_;
  RoiRows& to_;
  Sums values_;
  ValueTexts texts_;
  absl::flat_hash_map<Hash128, size_t> row_of_;
};

}  // namespace

void ReturnParts::add(const ReturnParts& other, int sign) {
  credit_millionths += sign * other.credit_millionths;
  credit_squares += sign * other.credit_squares;
  revenue_micros += sign * other.revenue_micros;
  revenue_squares += sign * other.revenue_squares;
  largest_micros = std::max(largest_micros, other.largest_micros);
}

ReturnSums ReturnParts::sums(__int128 visits) const {
  const auto at_least_0 = [](__int128 value) { return static_cast<unsigned __int128>(std::max<__int128>(value, 0)); };
  ReturnSums sums;
  sums.visits = static_cast<uint64_t>(at_least_0(visits));
  sums.credit_millionths = at_least_0(credit_millionths);
  sums.credit_squares = at_least_0(credit_squares);
  sums.revenue_micros = at_least_0(revenue_micros);
  sums.revenue_squares = at_least_0(revenue_squares);
  sums.largest_micros = static_cast<uint64_t>(at_least_0(largest_micros));
  return sums;
}

void RoiSums::add(const Counters& counters, Model model, bool of_touches) {
  visits += counters[Counter::visits];
  cost_micros += counters[Amount::cost];
  if (!counters.has_rare()) return;  // most rows have no order
  asked.add(parts_of(counters, model, of_touches));
  for (size_t i = 0; i < std::size(kVerdictModels); ++i) of_verdict[i].add(parts_of(counters, kVerdictModels[i], of_touches));
}

void RoiSums::add(const RoiSums& other, int sign) {
  visits += sign * other.visits;
  cost_micros += sign * other.cost_micros;
  asked.add(other.asked, sign);
  for (size_t i = 0; i < std::size(kVerdictModels); ++i) of_verdict[i].add(other.of_verdict[i], sign);
}

bool RoiSums::is_zero() const {
  return visits == 0 && asked.credit_millionths == 0 && asked.revenue_micros == 0 && cost_micros == 0;
}

SpendLevels spend_levels(std::vector<MoneyOfDay> days) {
  std::sort(days.begin(), days.end(), [](const MoneyOfDay& a, const MoneyOfDay& b) { return a.cost_micros < b.cost_micros; });
  const auto paid = std::find_if(days.begin(), days.end(), [](const MoneyOfDay& day) { return day.cost_micros > 0; });
  const auto dear = paid + (days.end() - paid) / 2;
  const Mean none = mean_of({days.begin(), paid}), low = mean_of({paid, dear}), high = mean_of({dear, days.end()});
  return {step(none, low), step(low, high)};
}

std::optional<QueryError> collect_roi(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time, RoiRows& to) {
  return Reader(query, snapshot, out_of_time, to).read();
}

}  // namespace footfall
