// Deltas in the order of their keys, bucket by bucket, and added up to the level above.
#pragma once

#include <map>
#include <vector>

#include "rollup/bucket_map.h"
#include "rollup/deltas.h"
#include "rollup/keys.h"
#include "site/zone.h"

namespace footfall {

class SortedRows {
 public:
  // Of deltas that stay meanwhile: all of them, or those of a level. What is there already is added to.
  void add(const Deltas& deltas);
  void add(const Deltas& deltas, Level level);

  // Rows of finer levels become those of the level's buckets. Counters of one key are added to one of them, so that no
  // new ones are needed: whoever wants those of the finer level reads them before.
  void go_up_to(Level level, const ZoneOf& zone_of);

  struct Row {
    RollupKey key;
    Counters* counters;
  };
  // In the order of their keys.
  std::vector<Row> in_order() const;

 private:
  struct Entry {
    Hash128 value;
    Counters* counters;
    Dimension dimension;
    uint16_t import;

    // What most are told apart by.
    uint64_t rough_order() const { return static_cast<uint64_t>(dimension) << 56 | value.high >> 8; }
    bool operator<(const Entry& other) const;
    bool is_same(const Entry& other) const {
      return value == other.value && dimension == other.dimension && import == other.import;
    }
  };
  using Entries = std::vector<Entry>;  // in order, each key once
  using Runs = std::map<Bucket, std::vector<Entries>>;

  static Entries sorted(const BucketMap<RowKey>::Rows& rows);
  static Entries merged(std::vector<Entries> runs);
  static void add_up(Entries& entries);
  void take(Runs runs);

  std::map<Bucket, Entries> buckets_;
};

}  // namespace footfall
