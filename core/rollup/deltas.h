// What is to be added to rollups: counters by rollup key.
#pragma once

#include <cstdint>
#include <utility>

#include "rollup/bucket_map.h"
#include "rollup/keys.h"

namespace footfall {

// A rollup key within its bucket.
struct RowKey {
  Hash128 value;
  Dimension dimension = Dimension::total;
  uint16_t import = 0;

  bool operator==(const RowKey&) const = default;

  template <class H>
  friend H AbslHashValue(H state, const RowKey& key) {  // the value is a hash already
    const uint64_t rest = static_cast<uint64_t>(key.dimension) << 56 | key.import;
    return H::combine(std::move(state), key.value.low ^ key.value.high ^ rest);
  }
};

class Deltas {
 public:
  // The counters of a key, made where they are missing (`second`: they were), with a total's precision where it is one.
  // They stay where they are.
  std::pair<Counters&, bool> at(const Bucket& bucket, const RowKey& key) {
    const auto found = rows_.at(bucket, key);
    if (found.second && key.dimension == Dimension::total) found.first.visitors.set_precision(Precision::total);
    return found;
  }
  Counters& at(const RollupKey& key) {
    return at({key.site, key.level, key.bucket_start_s, key.late}, {key.value, key.dimension, key.import}).first;
  }

  bool empty() const { return rows_.empty(); }
  size_t size() const { return rows_.size(); }
  auto buckets() const { return rows_.buckets(); }

 private:
  BucketMap<RowKey> rows_;
};

}  // namespace footfall
