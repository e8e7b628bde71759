// Rows of the rollups that a repair reads and writes.
#include <algorithm>

#include "base/bytes.h"
#include "rollup/repair.h"

namespace footfall {

Counters& SummaryRepair::row_at(Rows& rows, Dimension dimension, const Hash128& value, uint16_t import) {
  const auto [row, fresh] = rows.try_emplace({value, import});
  if (fresh && dimension == Dimension::total) row->second.visitors.set_precision(Precision::total);
  return row->second;
}

Result<SummaryRepair::Rows> SummaryRepair::load_rows(Dimension dimension, Level level, int64_t start_s) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, rollups_);
  if (!cursor) return cursor.error();
  const std::string prefix = bucket_prefix(site_, dimension, level, start_s);
  Rows rows;
  for (bool there = cursor->seek(prefix); there && cursor->key().starts_with(prefix); there = cursor->next()) {
    const std::optional<RollupKey> key = decode_rollup_key(cursor->key());
    if (!key || !merge_encoded_counters(cursor->value(), row_at(rows, dimension, key->value, key->import)))
      return Error::corrupt("rollup");
  }
  return rows;
}

Result<SummaryRepair::Rows> SummaryRepair::load_finer(Dimension dimension, const Place& place) {
  const Level below = kLevels[static_cast<size_t>(place.level) - 1];
  const std::set<int64_t>& starts = buckets_[static_cast<size_t>(below)];
  const int64_t end_s = zones_[site_].next_bucket_s(place.level, place.start_s);
  Rows all;
  for (auto start = starts.lower_bound(place.start_s); start != starts.end() && *start < end_s; ++start) {
    const Result<Rows> rows = load_rows(dimension, below, *start);
    if (!rows) return rows.error();
    for (const auto& [name, counters] : *rows) row_at(all, dimension, name.first, name.second).merge(counters);
  }
  return all;
}

// A row of which nothing is left is none.
Status SummaryRepair::store_rows(Dimension dimension, const Place& place, Rows& rows) {
  std::erase_if(rows, [](const auto& row) { return row.second.is_zero(); });
  Result<Rows> stored = load_rows(dimension, place.level, place.start_s);
  if (!stored) return stored.error();
  const auto key_of = [&](const RowName& name) {
    return encode_key({.site = site_,
                       .dimension = dimension,
                       .level = place.level,
                       .bucket_start_s = place.start_s,
                       .value = name.first,
                       .import = name.second});
  };
  for (const auto& [name, counters] : *stored)
    if (!rows.contains(name))
      if (Status status = txn_.remove(rollups_, key_of(name)); !status) return status;
  for (const auto& [name, counters] : rows)
    if (Status status = txn_.put(rollups_, key_of(name), encode_counters(counters)); !status) return status;
  return {};
}

// What else is noted of the bucket stays.
Status SummaryRepair::count_keys(const Place& place, Dimension dimension, const Rows& rows) {
  BucketKeys counted;
  uint16_t import = UINT16_MAX;
  for (const auto& [name, counters] : rows) {
    counted.keys += name.first != kOtherValue;
    import = std::min(import, name.second);
  }
  const std::string prefix = bucket_prefix(site_, dimension, place.level, place.start_s);
  const Result<std::string_view> stored = txn_.get(key_counts_, prefix);
  BucketKeys said = stored ? decode_bucket_keys(*stored) : BucketKeys();
  if (said.keys != counted.keys) {
    said.keys = counted.keys;
    tell(place, dimension, "its keys counted anew");
    const Status status = said == BucketKeys() ? txn_.remove(key_counts_, prefix)
                                               : txn_.put(key_counts_, prefix, encode_bucket_keys(said));
    if (!status) return status;
  }
  if (said.trimmed || counted.keys <= keys_max(place.level) || txn_.get(to_trim_, prefix)) return {};
  std::string written;
  BytesWriter(written).be16(import).be64(static_cast<uint64_t>(checkpoint_.committed_ms / 1000));
  tell(place, dimension, "its lightest values are to be cut off");
  return txn_.put(to_trim_, prefix, written);
}

bool SummaryRepair::has_text(const Hash128& value, const Place& place) const {
  const int64_t end_s = zones_[site_].next_bucket_s(place.level, place.start_s);
  for (int month = month_number(end_s); month >= month_number(place.start_s); --month)
    if (txn_.get(dictionary_, dictionary_key(static_cast<uint16_t>(month), value))) return true;
  return false;
}

void SummaryRepair::tell(const Place& place, Dimension dimension, std::string_view what) {
  ++done_;
  told_(place_text(checkpoint_.sites[site_], zones_[site_], dimension, place) + ": " + std::string(what));
}

}  // namespace footfall
