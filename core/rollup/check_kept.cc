// What is kept one by one against the rollups: visits in every row of every dimension that they carry, orders and
// spend in the totals. Both as of the checkpoint, with what is not folded yet.
#include <algorithm>

#include "base/bytes.h"
#include "credit/order.h"
#include "credit/spend_record.h"
#include "rollup/check.h"
#include "rollup/kept_sums.h"
#include "rollup/visit_parts.h"

namespace footfall {
namespace {

constexpr int64_t kEarliestS = -100'000'000'000, kLatestS = 100'000'000'000;  // all times that figures may have

}  // namespace

Status SummaryCheck::compare_site(uint16_t site) {
  const Zone& zone = zone_of(site);
  const auto next_day = [&](int64_t time_s) {
    return time_s <= kEarliestS ? kEarliestS : zone.next_bucket_s(Level::day, time_s);
  };
  const int64_t days_from_s = next_day(kept_since_[static_cast<size_t>(Level::day)]);
  // A visit of the day before may have gone on after midnight.
  const int64_t visits_from_s = next_day(snapshot_.visits_kept_from_s(site));
  if (snapshot_.visits_ && !broken_visits_.contains(site))
    if (Status status = compare_kept_visits(site, std::max(days_from_s, visits_from_s)); !status) return status;
  if (Status status = compare_orders(site, days_from_s); !status) return status;
  return compare_spend(site, days_from_s);
}

// A dimension's rows by day, with what open visits will be booked under.
Status SummaryCheck::read_days(uint16_t site, Dimension dimension, int64_t from_s, PlaceSums& rows) {
  const Zone& zone = zone_of(site);
  const auto at = [&](int64_t day_s) -> RowSums& { return rows[{Level::day, day_s, 0}]; };
  const Status status = snapshot_.each_rollup(
      site, dimension, Level::day, from_s, kLatestS, zone,
      [&](const RollupKey& key, const Counters& counters) { at(key.bucket_start_s).add(key.value, counters); });
  if (!status) return status;
  return snapshot_.each_keyed(KeyedDatabase::open_visits, [&](std::string_view key, std::string_view value) {
    Visit visit;
    if (load_be16(key.data()) != site || !decode_visit(value, visit) || !is_booked_at_close(visit, dimension)) return;
    const std::string text = late_value(visit, dimension);
    const Hash128 hash = text.empty() ? kNullValue : hasher_(text);
    each_part_of_visit(visit, [&](int64_t minute_s, const Counters& part) {
      const int64_t day_s = zone.bucket_start_s(Level::day, minute_s);
      if (day_s >= from_s) at(day_s).add(hash, part);
    });
  });
}

Status SummaryCheck::compare_kept_visits(uint16_t site, int64_t from_s) {
  const Zone& zone = zone_of(site);
  const SiteConfig& config = site_or_default(snapshot_.config(), snapshot_.checkpoint().sites[site]);
  KeptSums kept(zone, hasher_, config.lookback_days * kDayS);
  KeptVisit visit;
  Status status = snapshot_.each_visit_block(site, from_s, kLatestS, [&](VisitBlock& block) -> Status {
    kept.begin_block();
    for (size_t row = 0; row < block.rows(VisitTable::visits); ++row) {
      if (!block.read(row, visit)) return Error::corrupt("a column of a block");
      kept.add(visit);
    }
    return {};
  });
  if (!status) return fault("site " + site_name(site) + ", kept visits: " + status.error().text), Status();
  const bool has_undone = !snapshot_.checkpoint().undone_imports.empty();
  for (const Dimension dimension : KeptSums::dimensions()) {
    PlaceSums visits, rows;
    for (const auto& [day_s, day] : kept.days())
      if (day_s >= from_s) visits[{Level::day, day_s, 0}] = day.by[static_cast<size_t>(dimension)];
    if (!read_days(site, dimension, from_s, rows)) return {};  // the row that cannot be read is told already
    // Credit is compared over the lookback that holds now, whichever did then.
    if (const auto beyond = by_lookback(dimension, config.lookback_days))
      if (!read_days(site, *beyond, from_s, rows)) return {};
    leave_out_known(site, CareNote::Kind::visits, visits);
    leave_out_known(site, CareNote::Kind::visits, rows);
    const uint64_t faults = found_.faults;
    compare_with_visits(visits, rows, dimension, has_undone, tell_of(site, dimension, CareNote::Kind::visits));
    if (dimension == Dimension::total && found_.faults != faults)
      return {};  // by each dimension it would be told again
  }
  return {};
}

// Those that are remembered: the oldest are forgotten, some at a time.
Status SummaryCheck::compare_orders(uint16_t site, int64_t from_s) {
  const Zone& zone = zone_of(site);
  PlaceSums orders, totals;
  int64_t oldest_s = kLatestS;
  bool is_whole = true;
  Status status = snapshot_.each_keyed(KeyedDatabase::orders, [&](std::string_view key, std::string_view value) {
    Conversion order;
    if (key.size() < 3 || load_be16(key.data()) != site || static_cast<uint8_t>(key[2]) != 0) return;
    if (!decode_conversion(value, order)) return void(is_whole = false);
    const int64_t time_s = whole_s(order.time_ms);
    oldest_s = std::min(oldest_s, time_s);
    RowSums& day = orders[{Level::day, zone.bucket_start_s(Level::day, time_s), 0}];
    day.add(kNullValue, static_cast<size_t>(Counter::orders_last), kCreditWhole);
    day.add(kNullValue, static_cast<size_t>(Counter::items_last), static_cast<__int128>(order.items) * kCreditWhole);
  });
  if (!status || !is_whole || orders.empty()) return status;
  if (2 * snapshot_.txn_.entries(snapshot_.keyed_[static_cast<size_t>(KeyedDatabase::orders)]) >
      static_cast<uint64_t>(snapshot_.config().orders_max))
    return {};  // some may be forgotten for want of room
  const int64_t memory_s = snapshot_.config().retention.orders_s;
  if (memory_s < kForeverS) oldest_s = std::max(oldest_s, snapshot_.checkpoint().committed_ms / 1000 - memory_s);
  from_s = std::max(from_s, zone.next_bucket_s(Level::day, oldest_s));
  std::erase_if(orders, [&](const auto& day) { return day.first.start_s < from_s; });
  status = snapshot_.each_rollup(site, Dimension::total, Level::day, from_s, kLatestS, zone,
                                 [&](const RollupKey& key, const Counters& counters) {
                                   totals[{Level::day, key.bucket_start_s, 0}].add(kNullValue, counters);
                                 });
  if (!status) return {};
  leave_out_known(site, CareNote::Kind::orders, orders);
  leave_out_known(site, CareNote::Kind::orders, totals);
  compare_with_orders(orders, totals, tell_of(site, Dimension::total, CareNote::Kind::orders));
  return {};
}

// Of each key and day what the newest import told. A day of which one is gone is noted as of its orders.
Status SummaryCheck::compare_spend(uint16_t site, int64_t from_s) {
  const Zone& zone = zone_of(site);
  std::string prefix;
  BytesWriter(prefix).be16(site).u8(kSpendKind);
  std::map<std::string, std::pair<uint16_t, SpendRecord>, std::less<>> newest;
  bool is_whole = true;
  Status status = snapshot_.each_of_prefix(KeyedDatabase::orders, prefix, [&](std::string_view key, std::string_view value) {
    SpendRecord record;
    if (key.size() != kOrderKeyIdBytes + sizeof(uint16_t) || !decode_spend(value, record)) return void(is_whole = false);
    const uint16_t import = load_be16(key.data() + kOrderKeyIdBytes);
    auto& known = newest[std::string(key.substr(0, kOrderKeyIdBytes))];
    if (import >= known.first) known = {import, std::move(record)};
  });
  if (!status || !is_whole) return status;
  PlaceSums spend, totals;
  for (const auto& [name, told] : newest) {
    const SpendRecord& record = told.second;
    const int64_t day_s = zone.bucket_start_s(Level::day, whole_s(record.day_ms));
    if (day_s < from_s) continue;
    const SpendBooking& booked = record.booked;
    const __int128 sums[] = {booked.clicks, booked.impressions, booked.has_rate ? booked.cost_micros : 0};
    for (size_t i = 0; i < std::size(sums); ++i) spend[{Level::day, day_s, 0}].add(kNullValue, kSpendSums[i], sums[i]);
  }
  status = snapshot_.each_rollup(site, Dimension::total, Level::day, from_s, kLatestS, zone,
                                 [&](const RollupKey& key, const Counters& counters) {
                                   totals[{Level::day, key.bucket_start_s, 0}].add(kNullValue, counters);
                                 });
  if (!status) return {};
  leave_out_known(site, CareNote::Kind::orders, spend);
  leave_out_known(site, CareNote::Kind::orders, totals);
  compare_with_spend(spend, totals, tell_of(site, Dimension::total, CareNote::Kind::orders));
  return {};
}

OnWrongSum SummaryCheck::tell_of(uint16_t site, Dimension dimension, CareNote::Kind kept) {
  return [this, site, kept, tell = tell_of(site, dimension)](const Place& place, const std::string& text) {
    incomplete_.insert({kept, site, place.start_s});
    tell(place, text);
  };
}

void SummaryCheck::leave_out_known(uint16_t site, CareNote::Kind kept, PlaceSums& days) const {
  std::erase_if(days, [&](const auto& day) { return snapshot_.care().contains({kept, site, day.first.start_s}); });
}

}  // namespace footfall
