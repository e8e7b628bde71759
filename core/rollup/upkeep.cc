#include "rollup/upkeep.h"

#include <algorithm>

#include "base/bytes.h"
#include "credit/order.h"
#include "credit/spend_record.h"
#include "visit/visitor.h"

namespace footfall {
namespace {

// Of one slice.
constexpr uint64_t kTrimRowsMax = 300'000;
constexpr uint64_t kExpireRowsMax = 50'000;
constexpr uint64_t kSweepEntries = 20'000;
constexpr uint64_t kPace = 4;  // entries looked at for each that was written

constexpr int64_t kUntouchedS = kDayS;         // a bucket that nobody has written to for so long is settled
constexpr int64_t kSweepEveryS = kDayS;        // a month's texts at most so often …
constexpr uint64_t kLostRowsMax = 200'000;     // … but for so many rows that went
constexpr uint64_t kVisitorsMax = 50'000'000;  // ids that visitors make up are many
constexpr std::string_view kLostRowsKey = "lost_rows";  // of meta: (month u16, rows u64)…

uint16_t import_of_order(std::string_view key) { return load_be16(key.data() + kOrderKeyIdBytes); }

}  // namespace

int64_t UpkeepTimes::clock_s(uint16_t of_import) const {
  if (of_import == 0) return live_clock_s;
  if (of_import == import) return import_clock_s;
  const auto known = import_clocks_s.find(of_import);
  return known == import_clocks_s.end() ? INT64_MIN : known->second;
}

Status Upkeep::step(LmdbTxn& txn, const UpkeepDatabases& databases, const ZoneOf& zone_of, const UpkeepTimes& times,
                    uint64_t written) {
  if (Status status = load(txn, databases.meta); !status) return status;
  if (Status status = trim(txn, databases.rollups, zone_of, times); !status) return status;
  if (times.now_s > 0) {
    Expired expired;
    const Horizons horizons = horizons_of(times.retention, times.now_s);
    if (Status status = expire_rollups(txn, databases.rollups, zone_of, times.sites, horizons, kExpireRowsMax, expired);
        !status)
      return status;
    counts_.expired_buckets += expired.buckets;
    for (const uint16_t month : expired.months) lose_rows(month, expired.rows / expired.months.size() + 1);
  }
  const uint64_t entries = kSweepEntries + kPace * written;
  if (Status status = sweep_texts(txn, databases, times.now_s, entries); !status) return status;
  if (Status status = forget_visitors(txn, databases.visitors, times, entries); !status) return status;
  if (Status status = forget_orders(txn, databases.orders, times, entries); !status) return status;
  return store(txn, databases.meta);
}

// --- buckets ---------------------------------------------------------------------------------------------------------

Status Upkeep::trim(LmdbTxn& txn, const RollupDatabases& databases, const ZoneOf& zone_of, const UpkeepTimes& times) {
  const auto held = [&](std::string_view bucket) {
    const Result<std::string_view> stored = txn.get(databases.key_counts, bucket);
    return stored ? decode_bucket_keys(*stored) : BucketKeys();
  };
  std::vector<std::string> due;
  {
    Result<LmdbCursor> cursor = LmdbCursor::open(txn, databases.to_trim);
    if (!cursor) return cursor.error();
    uint64_t rows = 0;
    for (bool there = cursor->first(); there && rows < kTrimRowsMax; there = cursor->next()) {
      const std::optional<RollupKey> bucket = decode_bucket_prefix(cursor->key());
      BytesReader written(cursor->value());
      const uint16_t import = written.be16();
      const auto written_s = static_cast<int64_t>(written.be64());
      if (!bucket || !written.ok()) return Error::corrupt("bucket to be trimmed");
      if (bucket->site >= times.sites) continue;
      const BucketKeys keys = held(cursor->key());
      const int64_t settled_s = zone_of(bucket->site).next_bucket_s(bucket->level, bucket->bucket_start_s) +
                                (keys.whole ? kSettlesForGoodAfterS : settles_after_s(bucket->level));
      const bool is_untouched = times.now_s > 0 && times.now_s - written_s >= kUntouchedS;
      if (times.clock_s(import) < settled_s && !is_untouched) continue;
      due.emplace_back(cursor->key());
      rows += keys.keys;
    }
  }
  for (const std::string& bucket : due) {
    if (held(bucket).keys <= keys_max(decode_bucket_prefix(bucket)->level)) {  // an import was undone
      if (Status status = txn.remove(databases.to_trim, bucket); !status) return status;
      continue;
    }
    uint64_t gone = 0;
    if (Status status = trim_bucket(txn, databases, bucket, gone); !status) return status;
    note_trim(bucket, gone);
  }
  return {};
}

void Upkeep::note_trim(std::string_view bucket, uint64_t gone) {
  ++counts_.trimmed_buckets;
  lose_rows(month_number(decode_bucket_prefix(bucket)->bucket_start_s), gone);
}

// --- texts -----------------------------------------------------------------------------------------------------------

void Upkeep::lose_rows(uint16_t month, uint64_t rows) {
  if (rows == 0) return;
  lost_rows_[month] += rows;
  lost_rows_changed_ = true;
}

Status Upkeep::sweep_texts(LmdbTxn& txn, const UpkeepDatabases& databases, int64_t now_s, uint64_t entries) {
  for (auto lost = lost_rows_.begin(); !sweep_ && lost != lost_rows_.end(); ++lost) {
    const auto swept = swept_s_.find(lost->first);
    if (swept != swept_s_.end() && now_s - swept->second < kSweepEveryS && lost->second < kLostRowsMax) continue;
    sweep_.emplace(lost->first, txn.entries(databases.rollups.rollups));
    lost_rows_.erase(lost);  // rows that go from now on may have been noted
    break;
  }
  if (!sweep_) return {};
  std::vector<Hash128> removed;
  if (Status status = sweep_->step(txn, databases.rollups.rollups, databases.dictionary, entries, removed); !status)
    return status;
  counts_.swept_texts += removed.size();
  for (const Hash128& value : removed) lost_names_.push_back({sweep_->month(), value});
  if (!sweep_->is_done()) return {};
  swept_s_[sweep_->month()] = now_s;
  sweep_.reset();
  lost_rows_changed_ = true;
  return {};
}

// --- visitors and orders ---------------------------------------------------------------------------------------------

Status Upkeep::forget_visitors(LmdbTxn& txn, LmdbDatabase visitors, const UpkeepTimes& times, uint64_t entries) {
  const Status status = visitors_.step(txn, visitors, entries, kVisitorsMax, [&](std::string_view key, std::string_view value) {
    const std::optional<VisitorSeen> seen = visitor_seen(value);
    if (!seen || key.size() < sizeof(uint16_t)) return RoundSweep::Fate{};
    const int64_t gap_s = times.visit_gap_s ? times.visit_gap_s(load_be16(key.data())) : kDefaultVisitGapS;
    return RoundSweep::Fate{is_over(*seen, gap_s, times.retention.visitors_s, times.clock_s(seen->import)),
                            seen->day * 24};
  });
  counts_.visitors_over = visitors_.removed();
  counts_.visitors_forgotten = visitors_.forgotten();
  return status;
}

Status Upkeep::forget_orders(LmdbTxn& txn, LmdbDatabase orders, const UpkeepTimes& times, uint64_t entries) {
  const auto most = static_cast<uint64_t>(std::max<int64_t>(times.orders_max, 0));
  const Status status = orders_.step(txn, orders, entries, most, [&](std::string_view key, std::string_view value) {
    if (key.size() < kOrderKeyIdBytes + sizeof(uint16_t)) return RoundSweep::Fate{};
    // A day of spend that was forgotten would be counted twice when it is told again: those are as few as the shop's tables.
    const auto kind = static_cast<uint8_t>(key[2]);
    if (kind == kCarriedVisitKind || kind == kSpendKind) return RoundSweep::Fate{};
    const std::optional<int64_t> time_ms = conversion_time_ms(value);
    if (!time_ms) return RoundSweep::Fate{};
    const int64_t time_s = *time_ms / 1000;
    const int64_t clock_s = times.clock_s(import_of_order(key));
    // What a table tells of years ago is not older than its newest row: such go for want of room alone.
    const bool ages = import_of_order(key) == 0 && kind != kRateKind;
    return RoundSweep::Fate{ages && clock_s != INT64_MIN && clock_s - time_s > times.retention.orders_s, time_s / 3600};
  });
  counts_.orders_over = orders_.removed();
  counts_.orders_forgotten = orders_.forgotten();
  return status;
}

// --- what outlives a restart -----------------------------------------------------------------------------------------

Status Upkeep::load(LmdbTxn& txn, LmdbDatabase meta) {
  if (loaded_) return {};
  loaded_ = true;
  const Result<std::string_view> stored = txn.get(meta, kLostRowsKey);
  if (!stored) return stored.error().code == Error::Code::not_found ? Status() : stored.error();
  for (BytesReader reader(*stored); !reader.at_end();) {
    const uint16_t month = reader.be16();
    lost_rows_[month] += reader.be64();
    if (!reader.ok()) return Error::corrupt("months to be swept");
  }
  return {};
}

// The month whose sweep is under way is begun anew after a restart.
Status Upkeep::store(LmdbTxn& txn, LmdbDatabase meta) {
  if (!lost_rows_changed_) return {};
  lost_rows_changed_ = false;
  std::string bytes;
  for (const auto& [month, rows] : lost_rows_) BytesWriter(bytes).be16(month).be64(rows);
  if (sweep_ && !lost_rows_.contains(sweep_->month())) BytesWriter(bytes).be16(sweep_->month()).be64(1);
  return bytes.empty() ? txn.remove(meta, kLostRowsKey) : txn.put(meta, kLostRowsKey, bytes);
}

}  // namespace footfall
