#include "query/collect.h"

#include <algorithm>

#include "query/open_visits.h"

namespace footfall {
namespace {

constexpr int64_t kSlices = 16;  // of a plan's part: between them the time is looked at
constexpr int64_t kTwoMonthsS = 62 * kDayS;

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

}  // namespace

// --- texts -----------------------------------------------------------------------------------------------------------

void ValueTexts::saw(const Hash128& value, int64_t bucket_start_s) {
  Entry& entry = entries_[value];
  entry.newest_bucket_s = std::max(entry.newest_bucket_s, bucket_start_s);
}

void ValueTexts::know(const Hash128& value, std::string_view text) { entries_[value].text = text; }

void ValueTexts::load(SummarySnapshot& snapshot) {
  // A text is named anew in each month in which its value is counted: the newest bucket's months have it.
  for (auto& [value, entry] : entries_)
    if (!entry.text && value != kNullValue && value != kOtherValue)
      entry.text = snapshot.text(value, entry.newest_bucket_s, entry.newest_bucket_s + kTwoMonthsS);
}

const std::string* ValueTexts::find(const Hash128& value) const {
  const auto found = entries_.find(value);
  return found == entries_.end() || !found->second.text ? nullptr : &*found->second.text;
}

// --- collector -------------------------------------------------------------------------------------------------------

Collector::Collector(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher,
                     const std::function<bool()>& out_of_time)
    : query_(query), snapshot_(snapshot), hasher_(hasher), out_of_time_(out_of_time) {
  const DimensionInfo* time = query.time();
  plan_ =
      plan_buckets(query.range.from_s, query.range.to_s, time ? std::optional(time->unit) : std::nullopt, query.zone);
}

bool Collector::has_minutes() const {
  return std::any_of(plan_.begin(), plan_.end(), [](const PlanPart& part) { return part.level == Level::minute; });
}

int64_t Collector::group_time_s(int64_t time_s) const {
  const DimensionInfo* time = query_.time();
  return time == nullptr ? 0 : unit_start_s(time->unit, time_s, query_.zone);
}

std::optional<QueryError> Collector::each(Dimension dimension, const Take& take) {
  if (!query_.site_number) return std::nullopt;
  bool full = false;
  for (const PlanPart& part : plan_) {
    const int64_t slice_s = (part.to_s - part.from_s) / kSlices + 1;
    for (int64_t from_s = part.from_s; from_s < part.to_s;) {
      if (out_of_time_()) return too_slow();
      const int64_t end_s = query_.zone.next_bucket_s(part.level, std::min(from_s + slice_s, part.to_s - 1));
      const int64_t to_s = std::min(end_s, part.to_s);
      const Status status = snapshot_.each_rollup(*query_.site_number, dimension, part.level, from_s, to_s, query_.zone,
                                                  [&](const RollupKey& key, const Counters& counters) {
                                                    if (!full && !take(key, counters)) full = true;
                                                  });
      if (!status) return store_fault(status.error());
      if (full) return too_many_rows();
      from_s = to_s;
    }
  }
  return std::nullopt;
}

std::optional<QueryError> Collector::totals(GroupSums& to) {
  to.ensure(GroupKey{});
  return each(Dimension::total,
              [&](const RollupKey&, const Counters& counters) { return to.add(GroupKey{}, counters); });
}

std::optional<QueryError> Collector::rows(GroupSums& to, ValueTexts& texts) {
  const Dimension dimension = query_.other() != nullptr ? query_.other()->rollup : Dimension::total;
  auto fault = each(dimension, [&](const RollupKey& key, const Counters& counters) {
    if (dimension != Dimension::total) texts.saw(key.value, key.bucket_start_s);
    return to.add({group_time_s(key.bucket_start_s), key.value}, counters);
  });
  if (!fault && is_booked_late(dimension) && query_.site_number) fault = open_visits(dimension, to, texts);
  if (!fault) texts.load(snapshot_);
  return fault;
}

std::optional<QueryError> Collector::open_visits(Dimension dimension, GroupSums& to, ValueTexts& texts) {
  bool full = false, late = false;
  size_t seen = 0;
  const Status status = each_open_visit_part(
      snapshot_, *query_.site_number, dimension, [&](int64_t minute_s, std::string_view page, const Counters& part) {
        late = late || (++seen % 1024 == 0 && out_of_time_());
        if (late || full || minute_s < query_.range.from_s || minute_s >= query_.range.to_s) return;
        const Hash128 value = page.empty() ? kNullValue : hasher_(page);
        if (!page.empty()) texts.know(value, page);
        full = !to.add({group_time_s(minute_s), value}, part);
      });
  if (!status) return store_fault(status.error());
  if (late) return too_slow();
  if (full) return too_many_rows();
  return std::nullopt;
}

std::optional<QueryError> Collector::unconverted(std::vector<Unconverted>& to) {
  struct Sum {
    int64_t orders = 0;
    __int128 revenue = 0;
  };
  absl::flat_hash_map<Hash128, Sum> sums;
  ValueTexts texts;
  auto fault = each(Dimension::currency, [&](const RollupKey& key, const Counters& counters) {
    texts.saw(key.value, key.bucket_start_s);
    Sum& sum = sums[key.value];
    sum.orders += counters[Counter::orders_last];
    sum.revenue += counters[Amount::revenue_last];
    return true;
  });
  if (fault) return fault;
  texts.load(snapshot_);
  for (const auto& [value, sum] : sums) {
    if (sum.orders == 0 && sum.revenue == 0) continue;
    const std::string* text = texts.find(value);
    const Currency currency = parse_currency(text != nullptr ? *text : "").value_or(Currency{{'X', 'X', 'X'}});
    to.push_back({std::string(currency.text()), format_micros(sum.orders, 0),
                  format_micros(sum.revenue, currency_digits(currency))});
  }
  std::sort(to.begin(), to.end(), [](const auto& a, const auto& b) { return a.currency < b.currency; });
  return std::nullopt;
}

}  // namespace footfall
