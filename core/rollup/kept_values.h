// A bucket whose time runs still holds every value that came (trim.h). A reader sees it as it would be trimmed now: its
// heaviest values, and the rest as `other`; so an answer has as many rows before as after.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <span>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/counters.h"
#include "rollup/keys.h"
#include "rollup/trim.h"

namespace footfall {

// A change not folded yet, its key that of the asked level.
struct PendingRow {
  RollupKey key;
  const Counters* counters;
};

class KeptValues {
 public:
  // Of the buckets of one site, dimension and level that begin in [from_s, to_s).
  Status load(const LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase key_counts, uint16_t site, Dimension dimension,
              Level level, int64_t from_s, int64_t to_s, std::span<const PendingRow> pending);

  // The value that a row is shown under: its own, or kOtherValue.
  Hash128 shown(const RollupKey& key) const {
    if (buckets_.empty()) return key.value;
    const auto bucket = buckets_.find(key.bucket_start_s);
    return bucket == buckets_.end() || bucket->second.contains(key.value) ? key.value : kOtherValue;
  }
  bool is_overrun() const { return overrun_; }  // a bucket met more candidates than it takes

 private:
  absl::flat_hash_map<int64_t, absl::flat_hash_set<Hash128>> buckets_;  // those that hold too much, with what they keep
  bool overrun_ = false;
};

}  // namespace footfall
