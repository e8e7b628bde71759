#include "rollup/kept_values.h"

#include <optional>

namespace footfall {
namespace {

using PendingOf = absl::flat_hash_map<int64_t, std::vector<const PendingRow*>>;

// What is stored of a bucket with what is pending, by weight.
Result<Ranking> rank(const LmdbTxn& txn, LmdbDatabase rollups, const std::string& prefix,
                     const std::vector<const PendingRow*>& pending) {
  Ranking ranking;
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, rollups);
  if (!cursor) return cursor.error();
  for (bool there = cursor->seek(prefix); there && cursor->key().starts_with(prefix); there = cursor->next()) {
    const std::optional<RollupKey> key = decode_rollup_key(cursor->key());
    Counters counters;
    if (!key || !merge_encoded_counters(cursor->value(), counters)) return Error::corrupt("rollup");
    if (key->value != kOtherValue) ranking.add(key->value, counters);
  }
  for (const PendingRow* row : pending)
    if (row->key.value != kOtherValue) ranking.add(row->key.value, *row->counters);
  return ranking;
}

// A trimmed bucket takes no new values.
absl::flat_hash_set<Hash128> stored_values(const LmdbTxn& txn, LmdbDatabase rollups, const std::string& prefix) {
  absl::flat_hash_set<Hash128> values;
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, rollups);
  for (bool there = cursor && cursor->seek(prefix); there && cursor->key().starts_with(prefix); there = cursor->next())
    if (const std::optional<RollupKey> key = decode_rollup_key(cursor->key())) values.insert(key->value);
  return values;
}

}  // namespace

Status KeptValues::load(const LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase key_counts, uint16_t site,
                        Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                        std::span<const PendingRow> pending) {
  absl::flat_hash_map<int64_t, BucketKeys> held;
  {
    Result<LmdbCursor> cursor = LmdbCursor::open(txn, key_counts);
    if (!cursor) return cursor.error();
    const std::string end = bucket_prefix(site, dimension, level, to_s);
    for (bool there = cursor->seek(bucket_prefix(site, dimension, level, from_s)); there && cursor->key() < end;
         there = cursor->next()) {
      const BucketKeys keys = decode_bucket_keys(cursor->value());
      overrun_ |= keys.overrun;
      if (!keys.trimmed && keys.keys <= keys_max(level) && pending.empty()) continue;
      if (const std::optional<RollupKey> bucket = decode_bucket_prefix(cursor->key())) held[bucket->bucket_start_s] = keys;
    }
  }
  PendingOf pending_of;
  for (const PendingRow& row : pending) pending_of[row.key.bucket_start_s].push_back(&row);
  for (const auto& [start_s, rows] : pending_of) held.try_emplace(start_s);

  for (const auto& [start_s, keys] : held) {
    const std::string prefix = bucket_prefix(site, dimension, level, start_s);
    const std::vector<const PendingRow*>& rows = pending_of[start_s];
    if (keys.trimmed) {
      if (!rows.empty()) buckets_.emplace(start_s, stored_values(txn, rollups, prefix));
    } else if (keys.keys + rows.size() > keys_max(level)) {
      Result<Ranking> ranking = rank(txn, rollups, prefix, rows);
      if (!ranking) return ranking.error();
      if (ranking->values() > keys_max(level)) buckets_.emplace(start_s, ranking->heaviest(keys_max(level)));
    }
  }
  return {};
}

}  // namespace footfall
