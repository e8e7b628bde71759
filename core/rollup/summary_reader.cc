#include <algorithm>

#include "footfall/v1/summary.pb.h"
#include "rollup/counters_codec.h"
#include "rollup/kept_values.h"
#include "rollup/summary.h"
#include "rollup/summary_codec.h"
#include "rollup/visit_log.h"
#include "site/config_codec.h"

namespace footfall {
namespace {

constexpr const char* kKeyedNames[kKeyedDatabases] = {"visitors", "open_visits", "orders"};

}  // namespace

Result<SummaryReader> SummaryReader::open(const std::string& path, uint64_t map_bytes) {
  Result<LmdbEnv> env = LmdbEnv::open(path, {.map_bytes = map_bytes, .read_only = true, .databases = 16});
  if (!env) return env.error();
  SummaryReader reader;
  reader.env_ = std::move(*env);
  // Handles are opened once and for good: LMDB forbids opening them in transactions that run side by side, as snapshots of
  // several threads do. One that is not there yet is found missing by the snapshot that needs it.
  Result<LmdbTxn> txn = LmdbTxn::read(reader.env_);
  if (!txn) return txn.error();
  for (const char* name : {"meta", "changes", "rollups", "key_counts", "dictionary"}) (void)txn->database(name);
  for (const char* name : kKeyedNames) (void)txn->database(name);
  for (const char* name : {"visit_rows", "visits"}) (void)txn->database(name);
  if (Status status = txn->commit(); !status) return status.error();
  return reader;
}

Result<SummarySnapshot> SummaryReader::snapshot() {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  SummarySnapshot snapshot;
  snapshot.txn_ = std::move(*txn);
  LmdbDatabase meta, changes;
  const auto load = [&](const char* name, LmdbDatabase& to) -> Status {
    Result<LmdbDatabase> database = snapshot.txn_.database(name);
    if (!database) return database.error();
    to = *database;
    return {};
  };
  if (Status status = load("meta", meta); !status) return status.error();
  if (Status status = load("changes", changes); !status) return status.error();
  if (Status status = load("rollups", snapshot.rollups_); !status) return status.error();
  if (Status status = load("key_counts", snapshot.key_counts_); !status) return status.error();
  if (Status status = load("dictionary", snapshot.dictionary_); !status) return status.error();
  for (size_t i = 0; i < kKeyedDatabases; ++i)
    if (Status status = load(kKeyedNames[i], snapshot.keyed_[i]); !status) return status.error();
  if (Status status = snapshot.load_visit_log(meta); !status) return status.error();

  if (Result<std::string_view> stored = snapshot.txn_.get(meta, "checkpoint")) {
    Result<CheckpointState> state = decode_checkpoint(*stored);
    if (!state) return state.error();
    snapshot.checkpoint_ = std::move(*state);
  }
  if (Result<std::string_view> stored = snapshot.txn_.get(meta, "config")) {
    Result<Config> config = decode_config(*stored);
    if (!config) return config.error();
    snapshot.config_ = std::move(*config);
  }

  Result<LmdbCursor> cursor = LmdbCursor::open(snapshot.txn_, changes);
  if (!cursor) return cursor.error();
  for (bool there = cursor->first(); there; there = cursor->next()) {
    v1::ChangeBlock block;
    if (!block.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      return Error::corrupt("block of changes");
    for (const v1::Delta& delta : block.delta()) {
      SummarySnapshot::PendingDelta pending;
      const std::optional<RollupKey> key = decode_rollup_key(delta.key());
      if (key && key->dimension == Dimension::total) pending.counters.visitors.set_precision(Precision::total);
      if (!key || !merge_rollup(delta.rollup(), pending.counters))
        return Error::corrupt("delta in a block of changes");
      pending.key = *key;
      pending.key.late = Lateness::of_code(delta.late());
      snapshot.pending_.push_back(std::move(pending));
    }
    for (const v1::DictionaryEntry& entry : block.entry()) snapshot.pending_texts_.insert_or_assign(entry.hash(), entry.text());
    for (const v1::KeyedChange& change : block.change())
      if (change.database() < kKeyedDatabases)
        snapshot.pending_keyed_[change.database()].insert_or_assign(change.key(), change.value());
    for (const v1::KeptRow& kept : block.kept())
      snapshot.pending_kept_.push_back(
          {static_cast<uint16_t>(kept.site()), static_cast<uint16_t>(kept.import()), kept.row()});
  }
  return snapshot;
}

void SummarySnapshot::confirm(uint64_t checkpoint_number, int64_t as_of_ms, int64_t complete_through_ms) {
  if (checkpoint_number != checkpoint_.number) return;
  checkpoint_.committed_ms = std::max(checkpoint_.committed_ms, as_of_ms);
  checkpoint_.complete_through_ms = std::max(checkpoint_.complete_through_ms, complete_through_ms);
}

Status SummarySnapshot::each_rollup(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                                    const Zone& zone, const Visit& visit) {
  return each_row(site, dimension, level, from_s, to_s, zone, std::nullopt, visit);
}

Status SummarySnapshot::each_rollup(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                                    const Zone& zone, std::span<const Hash128> values, const Visit& visit) {
  return each_row(site, dimension, level, from_s, to_s, zone, values, visit);
}

Status SummarySnapshot::each_row(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                                 const Zone& zone, const std::optional<Values>& only, const Visit& visit) {
  const std::vector<PendingRow> pending = pending_rows(site, dimension, level, from_s, to_s, zone);
  KeptValues kept;
  if (dimension != Dimension::total)
    if (Status status = kept.load(txn_, rollups_, key_counts_, site, dimension, level, from_s, to_s, pending); !status)
      return status;
  saw_overrun_ |= kept.is_overrun();
  if (Status status = each_folded(site, dimension, level, from_s, to_s, only, kept, visit); !status) return status;
  for (PendingRow row : pending) {
    if (only && !std::binary_search(only->begin(), only->end(), row.key.value)) continue;
    row.key.value = kept.shown(row.key);
    visit(row.key, *row.counters);
  }
  return {};
}

Status SummarySnapshot::each_folded(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                                    const std::optional<Values>& only, const KeptValues& kept, const Visit& visit) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, rollups_);
  if (!cursor) return cursor.error();
  const std::string end = bucket_prefix(site, dimension, level, to_s);
  bool there = cursor->seek(bucket_prefix(site, dimension, level, from_s));
  while (there && cursor->key() < end) {
    std::optional<RollupKey> key = decode_rollup_key(cursor->key());
    if (!key) return Error::corrupt("rollup");
    if (only) {  // on to the next of the values: in this bucket, or the first in the one behind it
      const auto wanted = std::lower_bound(only->begin(), only->end(), key->value);
      if (wanted == only->end()) {
        there = cursor->seek(bucket_prefix(site, dimension, level, key->bucket_start_s + 1));
        continue;
      }
      if (*wanted != key->value) {
        there = cursor->seek(encode_key({site, dimension, level, key->bucket_start_s, *wanted}));
        continue;
      }
    }
    Counters counters;
    if (key->dimension == Dimension::total) counters.visitors.set_precision(Precision::total);
    if (!merge_encoded_counters(cursor->value(), counters)) return Error::corrupt("rollup");
    key->value = kept.shown(*key);
    visit(*key, counters);
    there = cursor->next();
  }
  return {};
}

// What is not folded yet, as rows of the level.
std::vector<PendingRow> SummarySnapshot::pending_rows(uint16_t site, Dimension dimension, Level level, int64_t from_s,
                                                      int64_t to_s, const Zone& zone) const {
  std::vector<PendingRow> rows;
  for (const PendingDelta& pending : pending_) {
    if (pending.key.site != site || pending.key.dimension != dimension) continue;
    if (level < pending.key.level) continue;  // no minutes are kept of imports
    PendingRow row{pending.key, &pending.counters};
    row.key.level = level;
    row.key.bucket_start_s = zone.bucket_start_s(level, pending.key.bucket_start_s);
    if (row.key.bucket_start_s >= from_s && row.key.bucket_start_s < to_s) rows.push_back(row);
  }
  return rows;
}

std::optional<std::string> SummarySnapshot::text(const Hash128& value, int64_t from_s, int64_t to_s) {
  std::string hash;
  BytesWriter(hash).hash(value);
  if (const auto pending = pending_texts_.find(hash); pending != pending_texts_.end()) return pending->second;
  for (int month = month_number(to_s); month >= month_number(from_s); --month)
    if (Result<std::string_view> found = txn_.get(dictionary_, dictionary_key(static_cast<uint16_t>(month), value)))
      return std::string(*found);
  return std::nullopt;
}

Status SummarySnapshot::each_keyed(KeyedDatabase database,
                                   const std::function<void(std::string_view key, std::string_view value)>& visit) {
  return each_of_prefix(database, {}, visit);
}

Status SummarySnapshot::each_of_prefix(KeyedDatabase database, std::string_view prefix,
                                       const std::function<void(std::string_view key, std::string_view value)>& visit) {
  const auto& pending = pending_keyed_[static_cast<size_t>(database)];
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, keyed_[static_cast<size_t>(database)]);
  if (!cursor) return cursor.error();
  for (bool there = prefix.empty() ? cursor->first() : cursor->seek(prefix); there && cursor->key().starts_with(prefix);
       there = cursor->next())
    if (!pending.contains(cursor->key())) visit(cursor->key(), cursor->value());
  for (const auto& [key, value] : pending)
    if (!value.empty() && std::string_view(key).starts_with(prefix)) visit(key, value);
  return {};
}

}  // namespace footfall
