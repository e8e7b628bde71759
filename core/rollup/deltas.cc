#include "rollup/deltas.h"

#include <algorithm>
#include <tuple>

namespace footfall {
namespace {

struct Entry {
  uint64_t rough_order;  // what most are told apart by: dimension 8 bits | value 56
  const RowKey* key;
  Counters* counters;

  bool operator<(const Entry& other) const {
    if (rough_order != other.rough_order) return rough_order < other.rough_order;
    return std::tie(key->value, key->import) < std::tie(other.key->value, other.key->import);
  }
};

Dimension dimension_of(const Entry& entry) { return static_cast<Dimension>(entry.rough_order >> 56); }

std::vector<Entry> sorted(BucketMap<RowKey>::Rows& rows) {
  std::vector<Entry> entries;
  entries.reserve(rows.size());
  for (auto& [key, counters] : rows)
    entries.push_back({static_cast<uint64_t>(key.dimension) << 56 | key.value.high >> 8, &key, &counters});
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace

// Keys sort by dimension before they sort by bucket: each bucket is sorted by itself, near as it lies, and then gives
// its rows dimension by dimension.
std::vector<Deltas::Row> Deltas::in_order(std::optional<Level> level) const {
  struct Part {
    Bucket bucket;
    std::vector<Entry> entries;
    size_t given = 0;
  };
  std::vector<Part> parts;
  size_t number = 0;
  for (const auto& [bucket, rows] : buckets()) {
    if (level && bucket.level != *level) continue;
    parts.push_back({bucket, sorted(*rows)});
    number += rows->size();
  }

  std::vector<Row> in_order;
  in_order.reserve(number);
  for (auto begin = parts.begin(); begin != parts.end();) {
    const auto end =
        std::find_if(begin, parts.end(), [&](const Part& part) { return part.bucket.site != begin->bucket.site; });
    for (size_t dimension = 0; dimension < kDimensions; ++dimension)
      for (auto part = begin; part != end; ++part)
        for (; part->given < part->entries.size(); ++part->given) {
          const Entry& entry = part->entries[part->given];
          if (dimension_of(entry) != static_cast<Dimension>(dimension)) break;
          const Bucket& bucket = part->bucket;
          in_order.push_back(
              {{bucket.site, entry.key->dimension, bucket.level, bucket.start_s, entry.key->value, entry.key->import,
                bucket.late},
               entry.counters});
        }
    begin = end;
  }
  return in_order;
}

}  // namespace footfall
