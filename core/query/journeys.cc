#include "query/journeys.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "credit/journey_steps.h"
#include "credit/shares.h"
#include "query/collect.h"
#include "query/plan.h"

namespace footfall {
namespace {

constexpr int64_t kNoHitBeforeS = 788'918'400;  // 1995-01-01: older ones are refused

struct Counts {
  int64_t converted = 0, lost = 0;
};

// Where journeys that count began to have their last touch: a lookback before the range, in whole days of the zone, or months
// where days are gone.
int64_t first_last_touch_s(const Query& query, const CheckpointState& checkpoint) {
  const Zone& zone = query.zone;
  const bool is_day = zone.bucket_start_s(Level::day, query.range.from_s) == query.range.from_s;
  const int64_t before_s = query.range.from_s - query.lookback_days * kDayS + (is_day ? kDayS / 2 : 0);
  const int64_t day_s = zone.bucket_start_s(Level::day, before_s);
  return day_s < checkpoint.kept_since_s[static_cast<size_t>(Level::day)] ? zone.bucket_start_s(Level::month, day_s) : day_s;
}

class JourneyCollector {
 public:
  JourneyCollector(const Query& query, SummarySnapshot& snapshot, const std::function<bool()>& out_of_time)
      : query_(query), snapshot_(snapshot), out_of_time_(out_of_time) {}

  std::optional<QueryError> collect(Dimension dimension) {
    const int64_t touched_s = first_last_touch_s(query_, snapshot_.checkpoint());
    const auto standing = [&](const Counters& counters, Counts& to) { to.lost += counters[Counter::journeys_standing]; };
    if (auto fault = each(dimension, kNoHitBeforeS, touched_s, [&](const Counters& counters, Counts& to) {
          standing(counters, to);
          to.lost -= counters[Counter::journeys_last_touched];
        }))
      return fault;
    if (auto fault = each(dimension, touched_s, query_.range.from_s, standing)) return fault;
    return each(dimension, query_.range.from_s, query_.range.to_s, [&](const Counters& counters, Counts& to) {
      standing(counters, to);
      to.converted += counters[Counter::journeys_converted];
    });
  }

  JourneyCounts::Models models(bool by_channel) {
    const auto place = std::find(std::begin(kLookbackDays), std::end(kLookbackDays), query_.lookback_days);
    JourneyCounts to(static_cast<size_t>(place - std::begin(kLookbackDays)), by_channel);
    texts_.load(snapshot_);
    for (const auto& [value, counts] : counts_) {
      if (counts.converted == 0 && counts.lost == 0) continue;
      const std::string* text = texts_.find(value);
      is_cut_ = text == nullptr || !to.add(*text, counts.converted, counts.lost) || is_cut_;
    }
    JourneyCounts::Models models = to.models();
    is_cut_ = is_cut_ || models.has_negative || models.transitions.crowded_out() > 0 || models.sets.crowded_out() > 0;
    return models;
  }
  bool is_cut() const { return is_cut_; }

 private:
  template <class Take>
  std::optional<QueryError> each(Dimension dimension, int64_t from_s, int64_t to_s, Take take) {
    if (from_s >= to_s) return std::nullopt;
    return each_rollup_in(query_, plan_buckets(from_s, to_s, std::nullopt, query_.zone), dimension, std::nullopt, snapshot_,
                          out_of_time_, [&](const RollupKey& key, const Counters& counters) {
                            texts_.saw(key.value, key.bucket_start_s);
                            take(counters, counts_[key.value]);
                            return true;
                          });
  }

  const Query& query_;
  SummarySnapshot& snapshot_;
  const std::function<bool()>& out_of_time_;
  absl::flat_hash_map<Hash128, Counts> counts_;
  ValueTexts texts_;
  bool is_cut_ = false;
};

// None where the shares are all 0: no journey converted.
template <class Rows, class Name>
std::optional<ValueShares> shares_by(const Rows& rows, Name name) {
  ValueShares shares;
  for (const auto& row : rows) {
    shares.values.push_back(name(row));
    shares.billionths.push_back(row.share);
  }
  const bool is_nothing = std::all_of(shares.billionths.begin(), shares.billionths.end(), [](int64_t share) { return share == 0; });
  return is_nothing ? std::nullopt : std::optional(std::move(shares));
}

std::optional<GivenByValue> split(const std::optional<ValueShares>& shares, const GivenCredit& all) {
  if (!shares) return std::nullopt;
  const std::vector<__int128> orders = split_by_shares(all.orders_millionths, shares->billionths);
  const std::vector<__int128> revenue = split_by_shares(all.revenue_micros, shares->billionths);
  GivenByValue given;
  for (size_t i = 0; i < orders.size(); ++i)
    if (const std::optional<std::string>& value = shares->values[i]) given[*value] = {orders[i], revenue[i]};
  return given;
}

}  // namespace

std::variant<JourneyCredit, QueryError> credit_by_journeys(const Query& query, SummarySnapshot& snapshot,
                                                           const std::function<bool()>& out_of_time) {
  JourneyCredit credit;
  const Dimension by = query.by.front()->rollup;
  if (by != Dimension::channel && by != Dimension::campaign) return credit;
  const auto plan = plan_buckets(query.range.from_s, query.range.to_s, std::nullopt, query.zone);
  if (auto fault = each_rollup_in(query, plan, Dimension::total, std::nullopt, snapshot, out_of_time,
                                  [&](const RollupKey&, const Counters& counters) {
                                    credit.all.orders_millionths += counters[Counter::orders_last];
                                    credit.all.revenue_micros += counters[Amount::revenue_last];
                                    return true;
                                  }))
    return *std::move(fault);
  JourneyCollector collector(query, snapshot, out_of_time);
  if (auto fault = collector.collect(by == Dimension::channel ? Dimension::journey_channel : Dimension::journey_campaign))
    return *std::move(fault);
  const JourneyCounts::Models models = collector.models(by == Dimension::channel);
  credit.is_approximate = collector.is_cut();
  credit.markov_shares = shares_by(models.transitions.solve().rows, [](const MarkovRow& row) {
    return row.kind == MarkovKind::rest ? std::nullopt : std::optional(row.value);
  });
  if (by == Dimension::channel)
    credit.shapley_shares = shares_by(models.sets.solve(), [](const ShapleyRow& row) {
      return row.is_rest ? std::nullopt : std::optional(row.channel);
    });
  credit.markov = split(credit.markov_shares, credit.all);
  credit.shapley = split(credit.shapley_shares, credit.all);
  return credit;
}

}  // namespace footfall
