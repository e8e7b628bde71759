#include "rollup/retention.h"

namespace footfall {
namespace {

std::string behind(const RollupKey& key) {
  RollupKey last = key;
  last.bucket_start_s = INT64_MAX;
  last.value = kOtherValue;
  last.import = UINT16_MAX;
  return encode_key(last);
}

// The cursor stands on the bucket's first row; afterwards behind its last one.
Status remove_bucket(LmdbTxn& txn, const RollupDatabases& databases, LmdbCursor& cursor, Expired& expired) {
  const std::string prefix(cursor.key().substr(0, kBucketPrefixBytes));
  for (bool there = true; there && cursor.key().starts_with(prefix); there = cursor.next()) {
    if (Status status = cursor.remove(); !status) return status;
    ++expired.rows;
  }
  ++expired.buckets;
  if (Status status = txn.remove(databases.to_trim, prefix); !status) return status;
  return txn.remove(databases.key_counts, prefix);
}

}  // namespace

Horizons horizons_of(const Retention& retention, int64_t now_s) {
  const auto before = [now_s](int64_t kept_s) { return kept_s >= kForeverS ? Horizons::kNever : now_s - kept_s; };
  return {{before(retention.minute_s), before(retention.hour_s), before(retention.day_s), before(retention.month_s)}};
}

// Keys begin with site, dimension and level: of each there is, the oldest bucket is looked at.
Status expire_rollups(LmdbTxn& txn, const RollupDatabases& databases, const ZoneOf& zone_of, size_t sites,
                      const Horizons& horizons, uint64_t rows_max, Expired& expired) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, databases.rollups);
  if (!cursor) return cursor.error();
  const uint64_t rows_before = expired.rows;
  for (bool there = cursor->first(); there && expired.rows - rows_before < rows_max;) {
    const std::optional<RollupKey> key = decode_rollup_key(cursor->key());
    if (!key) return Error::corrupt("rollup key");
    if (key->site >= sites) return {};
    const int64_t end_s = zone_of(key->site).next_bucket_s(key->level, key->bucket_start_s);
    if (!horizons.is_too_old(key->level, end_s)) {
      there = cursor->seek(behind(*key));
      continue;
    }
    if (Status status = remove_bucket(txn, databases, *cursor, expired); !status) return status;
    if (key->dimension != Dimension::total) {
      expired.months.insert(month_number(key->bucket_start_s));
      expired.months.insert(month_number(end_s - 1));
    }
    there = cursor->valid();
  }
  return {};
}

}  // namespace footfall
