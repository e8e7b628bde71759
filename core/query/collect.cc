#include "query/collect.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <utility>

#include "query/open_visits.h"
#include "query/source_join.h"
#include "rollup/visit_parts.h"

namespace footfall {
namespace {

constexpr int64_t kSlices = 16;    // of a plan's part: between them the time is looked at
constexpr size_t kSoughtMax = 64;  // values that are sought one by one
constexpr int64_t kTwoMonthsS = 62 * kDayS;

}  // namespace

QueryError too_slow() {
  return {503, "too_slow", "the query took longer than it may; ask for a shorter range or fewer dimensions", {}, {}};
}

QueryError too_many_rows() {
  return {
      400, "bad_request", "the answer would have too many rows; ask for a shorter range or a coarser time", "by", {}};
}

QueryError store_fault(const Error& error) {
  return {503, "store_fault", "the summary cannot be read: " + error.text, {}, {}};
}

// --- rollups ---------------------------------------------------------------------------------------------------------

std::optional<QueryError> each_rollup_in(const Query& query, std::span<const PlanPart> plan, Dimension dimension,
                                         const std::optional<std::vector<Hash128>>& only, SummarySnapshot& snapshot,
                                         const std::function<bool()>& out_of_time,
                                         const std::function<bool(const RollupKey& key, const Counters& counters)>& take) {
  if (!query.site_number) return std::nullopt;
  bool full = false;
  for (const PlanPart& part : plan) {
    const int64_t slice_s = (part.to_s - part.from_s) / kSlices + 1;
    for (int64_t from_s = part.from_s; from_s < part.to_s;) {
      if (out_of_time()) return too_slow();
      const int64_t end_s = query.zone.next_bucket_s(part.level, std::min(from_s + slice_s, part.to_s - 1));
      const int64_t to_s = std::min(end_s, part.to_s);
      const SummarySnapshot::Visit visit = [&](const RollupKey& key, const Counters& counters) {
        if (!full && !take(key, counters)) full = true;
      };
      const uint16_t site = *query.site_number;
      const Status status =
          only ? snapshot.each_rollup(site, dimension, part.level, from_s, to_s, query.zone, *only, visit)
               : snapshot.each_rollup(site, dimension, part.level, from_s, to_s, query.zone, visit);
      if (!status) return store_fault(status.error());
      if (full) return too_many_rows();
      from_s = to_s;
    }
  }
  return std::nullopt;
}

namespace {

// The buckets of a dimension in which a lookback gives something beyond the site's own, with the values that have a row there.
class CreditedBuckets {
 public:
  void note(const RollupKey& key) { buckets_.try_emplace({key.level, key.bucket_start_s}); }
  bool empty() const { return buckets_.empty(); }

  void saw(const RollupKey& key) {
    const auto bucket = buckets_.find({key.level, key.bucket_start_s});
    if (bucket == buckets_.end()) return;
    if (key.value == kOtherValue) bucket->second.is_cut = true;
    else bucket->second.values.insert(key.value);
  }
  bool is_cut_off(const RollupKey& key) const {
    const auto bucket = buckets_.find({key.level, key.bucket_start_s});
    return bucket != buckets_.end() && bucket->second.is_cut && !bucket->second.values.contains(key.value);
  }

 private:
  struct Bucket {
    bool is_cut = false;
    absl::flat_hash_set<Hash128> values;
  };
  absl::flat_hash_map<std::pair<Level, int64_t>, Bucket> buckets_;
};

}  // namespace

std::optional<QueryError> each_credited_rollup_in(const Query& query, std::span<const PlanPart> plan, Dimension dimension,
                                                  const std::optional<std::vector<Hash128>>& only, SummarySnapshot& snapshot,
                                                  const std::function<bool()>& out_of_time,
                                                  const std::function<bool(const RollupKey& key, const Counters& counters)>& take) {
  const Dimension beyond = *by_lookback(dimension, query.lookback_days);
  CreditedBuckets buckets;
  const auto each = [&](Dimension of, const std::function<bool(const RollupKey& key, const Counters& counters)>& see) {
    return each_rollup_in(query, plan, of, only, snapshot, out_of_time, see);
  };
  if (auto fault = each(beyond, [&](const RollupKey& key, const Counters&) { return buckets.note(key), true; })) return fault;
  if (buckets.empty()) return each(dimension, take);
  auto fault = each(dimension, [&](const RollupKey& key, const Counters& counters) {
    buckets.saw(key);
    return take(key, counters);
  });
  if (fault) return fault;
  return each(beyond, [&](RollupKey key, const Counters& counters) {
    if (buckets.is_cut_off(key)) key.value = kOtherValue;
    return take(key, counters);
  });
}

std::string cut_credit_warning(const Query& query, std::string_view dimension) {
  return "more values of " + std::string(dimension) + " than are kept get another credit by lookback " + std::to_string(query.lookback_days) +
         "d than by the site's own; the rest of them are shown with the latter, and the difference is in `other`";
}

bool has_imports(SummarySnapshot& snapshot, uint16_t site, int64_t from_s, int64_t to_s, const Zone& zone) {
  bool found = false;
  (void)snapshot.each_rollup(site, Dimension::total, Level::hour, from_s, to_s, zone,
                             [&](const RollupKey& key, const Counters&) { found |= key.import != 0; });
  return found;
}

// --- texts -----------------------------------------------------------------------------------------------------------

void ValueTexts::saw(const Hash128& value, int64_t bucket_start_s) {
  Entry& entry = entries_[value];
  entry.newest_bucket_s = std::max(entry.newest_bucket_s, bucket_start_s);
}

void ValueTexts::know(const Hash128& value, std::string_view text) {
  Entry& entry = entries_[value];
  if (!entry.text) entry.text = text;
}

void ValueTexts::load(SummarySnapshot& snapshot) {
  // A text is named anew in each month in which its value is counted: the newest bucket's months have it.
  for (auto& [value, entry] : entries_)
    if (!entry.text && value != kNullValue && value != kOtherValue)
      entry.text = snapshot.text(value, entry.newest_bucket_s, entry.newest_bucket_s + kTwoMonthsS);
}

const std::string* ValueTexts::load(const Hash128& value, int64_t bucket_start_s, SummarySnapshot& snapshot) {
  Entry& entry = entries_[value];
  entry.newest_bucket_s = std::max(entry.newest_bucket_s, bucket_start_s);
  if (!entry.text) entry.text = snapshot.text(value, bucket_start_s, bucket_start_s + kTwoMonthsS);
  return entry.text ? &*entry.text : nullptr;
}

const std::string* ValueTexts::find(const Hash128& value) const {
  const auto found = entries_.find(value);
  return found == entries_.end() || !found->second.text ? nullptr : &*found->second.text;
}

// --- which values a filter means -------------------------------------------------------------------------------------

namespace {

// Judges each value once: by its hash where the filter names values whole, else by its text.
class ValueFilter {
 public:
  ValueFilter(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher)
      : filter_(query.filter), snapshot_(snapshot) {
    for (const Condition& condition : filter_) {
      names_all_ = names_all_ || condition.op == FilterOp::is;
      by_hash_ = by_hash_ && (condition.op == FilterOp::is || condition.op == FilterOp::is_not);
      for (const std::string& value : condition.values) {
        const Hash128 hash = value.empty() ? kNullValue : hasher(value);
        texts_.know(hash, value);
        named_.emplace(hash, value);
      }
    }
  }

  bool means(const Hash128& value, int64_t bucket_start_s) {
    if (filter_.empty()) return true;
    const auto [verdict, fresh] = verdicts_.try_emplace(value, false);
    if (fresh) verdict->second = judge(value, bucket_start_s);
    return verdict->second;
  }
  bool means(std::string_view text) const {
    return filter_.empty() || holds(filter_, *filter_[0].dimension, text.empty() ? nullptr : &text);
  }
  uint64_t unknown_values() const { return unknown_values_; }
  void know(const Hash128& value, std::string_view text) { texts_.know(value, text); }

  // The only values that can be meant, ascending, with the row `other`, which tells that some were cut off. nullopt:
  // any.
  std::optional<std::vector<Hash128>> only() const {
    if (!names_all_ || named_.size() > kSoughtMax) return std::nullopt;
    std::vector<Hash128> only{kOtherValue};
    for (const auto& [value, text] : named_) only.push_back(value);
    std::sort(only.begin(), only.end());
    return only;
  }

 private:
  bool judge(const Hash128& value, int64_t bucket_start_s) {
    if (value == kNullValue) return means(std::string_view());
    if (by_hash_) {
      const auto named = named_.find(value);
      // Any other value is none of those named.
      if (named == named_.end())
        return std::all_of(filter_.begin(), filter_.end(), [](const auto& one) { return one.op == FilterOp::is_not; });
      return means(std::string_view(named->second));
    }
    const std::string* text = texts_.load(value, bucket_start_s, snapshot_);
    if (text == nullptr) ++unknown_values_;
    return text != nullptr && means(std::string_view(*text));
  }

  const Filter& filter_;
  SummarySnapshot& snapshot_;
  bool by_hash_ = true;
  bool names_all_ = false;  // a condition lets none pass but values that are named
  absl::flat_hash_map<Hash128, std::string> named_;
  ValueTexts texts_;
  absl::flat_hash_map<Hash128, bool> verdicts_;
  uint64_t unknown_values_ = 0;
};

// --- collector -------------------------------------------------------------------------------------------------------

class Collector {
 public:
  Collector(const Query& query, const TimeRange& range, SummarySnapshot& snapshot, const StringHasher& hasher,
            const std::function<bool()>& out_of_time, Collected& to)
      : query_(query),
        range_(range),
        snapshot_(snapshot),
        hasher_(hasher),
        out_of_time_(out_of_time),
        to_(to),
        filter_(query, snapshot, hasher) {
    const DimensionInfo* time = query.time();
    plan_ = plan_buckets(range.from_s, range.to_s, time ? std::optional(time->unit) : std::nullopt, query.zone);
  }

  std::optional<QueryError> collect() {
    to_.visitors_known = std::none_of(plan_.begin(), plan_.end(), [](const PlanPart& part) {
      return part.level == Level::minute;  // which know no visitors
    });
    const bool filtered = !query_.filter.empty();
    if (!filtered)
      if (auto fault = totals()) return fault;
    if (filtered || !query_.by.empty())
      if (auto fault = rows()) return fault;
    to_.totals.settle_quantiles();
    to_.rows.settle_quantiles();
    to_.texts.load(snapshot_);
    to_.unknown_values = filter_.unknown_values();
    return query_.shows_revenue() || query_.shows_spend() ? unconverted() : std::nullopt;
  }

 private:
  using Take = std::function<bool(const RollupKey& key, const Counters& counters)>;

  std::optional<QueryError> totals() {
    return each(Dimension::total, std::nullopt,
                [&](const RollupKey&, const Counters& counters) { return to_.totals.add(GroupKey{}, counters); });
  }

  // Of a filtered query the totals as well: they are those of the values that it means.
  std::optional<QueryError> rows() {
    const std::vector<const DimensionInfo*> dimensions = query_.dimensions();
    const Dimension dimension = dimensions.empty() ? Dimension::total : dimensions[0]->rollup;
    const bool by_value = !query_.others().empty();
    if (dimension == Dimension::source && query_.shows_spend())
      if (auto fault = join_sources()) return fault;
    const bool moves = sources_.moves_any();
    const auto only = moves ? std::nullopt : filter_.only();
    const auto read = query_.credits_touches() ? each_credited_rollup_in : each_rollup_in;
    auto fault = read(query_, plan_, dimension, only, snapshot_, out_of_time_, [&](const RollupKey& key, const Counters& counters) {
      const Hash128 of_spend = moves ? sources_.row_of_spend(key.value) : key.value;
      if (of_spend == key.value) return take_row(key, by_value, counters);
      Counters rest = counters;
      RollupKey moved = key;
      moved.value = of_spend;
      return take_row(moved, by_value, take_spend(rest)) && take_row(key, by_value, rest);
    });
    if (!fault && is_booked_late(dimension) && query_.site_number) fault = open_visits(dimension, by_value);
    return fault;
  }

  bool take_row(const RollupKey& key, bool by_value, const Counters& counters) {
    if (key.value == kOtherValue && is_by_lookback(key.dimension)) return to_.has_cut_credit = true;
    to_.has_cut_values |= key.value == kOtherValue;
    if (!query_.filter.empty() && (key.value == kOtherValue || !filter_.means(key.value, key.bucket_start_s))) return true;
    if (by_value) to_.texts.saw(key.value, key.bucket_start_s);
    return add(key.bucket_start_s, by_value ? key.value : Hash128{}, counters);
  }

  std::optional<QueryError> join_sources() {
    auto fault = each(Dimension::source, std::nullopt, [&](const RollupKey& key, const Counters& counters) {
      sources_.see(key, counters);
      return true;
    });
    if (fault) return fault;
    sources_.settle(snapshot_);
    sources_.each_row_moved_to([&](const Hash128& value, const std::string& text) {
      to_.texts.know(value, text);
      filter_.know(value, text);
    });
    return std::nullopt;
  }

  bool add(int64_t time_s, const Hash128& value, const Counters& counters) {
    if (!query_.filter.empty() && !to_.totals.add(GroupKey{}, counters)) return false;
    return query_.by.empty() || to_.rows.add({group_time_s(time_s), value}, counters);
  }

  int64_t group_time_s(int64_t time_s) const {
    const DimensionInfo* time = query_.time();
    return time == nullptr ? 0 : unit_start_s(time->unit, time_s, query_.zone);
  }

  std::optional<QueryError> each(Dimension dimension, const std::optional<std::vector<Hash128>>& only, const Take& take) {
    return each_rollup_in(query_, plan_, dimension, only, snapshot_, out_of_time_, take);
  }
  std::optional<QueryError> open_visits(Dimension dimension, bool by_value);
  std::optional<QueryError> unconverted();

  const Query& query_;
  const TimeRange& range_;
  SummarySnapshot& snapshot_;
  const StringHasher& hasher_;
  const std::function<bool()>& out_of_time_;
  Collected& to_;
  ValueFilter filter_;
  SourceJoin sources_;
  std::vector<PlanPart> plan_;
};

std::optional<QueryError> Collector::open_visits(Dimension dimension, bool by_value) {
  bool full = false, late = false;
  size_t seen = 0;
  const Status status = each_open_visit_part(
      snapshot_, *query_.site_number, dimension, [&](int64_t minute_s, std::string_view text, const Counters& part) {
        late = late || (++seen % 1024 == 0 && out_of_time_());
        if (late || full || minute_s < range_.from_s || minute_s >= range_.to_s || !filter_.means(text)) return;
        const Hash128 value = text.empty() || !by_value ? kNullValue : hasher_(text);
        if (value != kNullValue) to_.texts.know(value, text);
        full = !add(minute_s, value, part);
      });
  if (!status) return store_fault(status.error());
  if (late) return too_slow();
  if (full) return too_many_rows();
  return std::nullopt;
}

std::optional<QueryError> Collector::unconverted() {
  struct Sum {
    int64_t orders = 0;
    __int128 revenue = 0, cost = 0;
  };
  absl::flat_hash_map<Hash128, Sum> sums;
  ValueTexts texts;
  auto fault = each(Dimension::currency, std::nullopt, [&](const RollupKey& key, const Counters& counters) {
    texts.saw(key.value, key.bucket_start_s);
    Sum& sum = sums[key.value];
    if (query_.shows_spend()) sum.cost += counters[Amount::cost];
    if (!query_.shows_revenue()) return true;
    sum.revenue += counters[Amount::revenue_last];
    sum.orders += counters[Counter::orders_last];
    return true;
  });
  if (fault) return fault;
  texts.load(snapshot_);
  std::vector<Unconverted>& to = to_.unconverted;
  for (const auto& [value, sum] : sums) {
    if (sum.orders == 0 && sum.revenue == 0 && sum.cost == 0) continue;
    const std::string* text = texts.find(value);
    const Currency currency = parse_currency(text != nullptr ? *text : "").value_or(Currency{{'X', 'X', 'X'}});
    to.push_back({std::string(currency.text()), format_micros(sum.orders, 0),
                  format_micros(sum.revenue, currency_digits(currency)),
                  sum.cost != 0 ? format_micros(sum.cost, currency_digits(currency)) : std::string()});
  }
  std::sort(to.begin(), to.end(), [](const auto& a, const auto& b) { return a.currency < b.currency; });
  return std::nullopt;
}

}  // namespace

Collected::Collected(const Query& query, const PartTable& table)
    // Rows know their visitors less exactly than totals; a filtered answer is made of rows.
    : totals(table, query.filter.empty() ? Precision::total : Precision::row, !query.filter.empty() && (query.groups() & kByTouch) != 0),
      rows(table, query.dimensions().empty() ? Precision::total : Precision::row, (query.groups() & kByTouch) != 0) {
  totals.find_or_add(GroupKey{});
}

std::optional<QueryError> collect_rollups(const Query& query, const TimeRange& range, SummarySnapshot& snapshot,
                                          const StringHasher& hasher, const std::function<bool()>& out_of_time,
                                          Collected& to) {
  const DimensionInfo* time = query.time();
  if (time != nullptr && time->unit == TimeUnit::minute && query.site_number)
    to.lacks_imports = has_imports(snapshot, *query.site_number, query.zone.bucket_start_s(Level::hour, range.from_s), range.to_s, query.zone);
  return Collector(query, range, snapshot, hasher, out_of_time, to).collect();
}

}  // namespace footfall
