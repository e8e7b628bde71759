#include "rollup/sorted_rows.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/prefetch.h"

namespace footfall {
namespace {

constexpr size_t kAhead = 8;  // in the order of keys each lies somewhere else

}  // namespace

bool SortedRows::Entry::operator<(const Entry& other) const {
  if (rough_order() != other.rough_order()) return rough_order() < other.rough_order();
  return std::tie(value, import) < std::tie(other.value, other.import);
}

SortedRows::Entries SortedRows::sorted(const BucketMap<RowKey>::Rows& rows) {
  Entries entries;
  entries.reserve(rows.size());
  for (const auto& [key, counters] : rows) entries.push_back({key.value, counters, key.dimension, key.import});
  std::sort(entries.begin(), entries.end());
  return entries;
}

// Two by two, so that each is moved few times.
SortedRows::Entries SortedRows::merged(std::vector<Entries> runs) {
  while (runs.size() > 1) {
    std::vector<Entries> longer;
    for (size_t i = 0; i + 1 < runs.size(); i += 2) {
      Entries both(runs[i].size() + runs[i + 1].size());
      std::merge(runs[i].begin(), runs[i].end(), runs[i + 1].begin(), runs[i + 1].end(), both.begin());
      runs[i] = runs[i + 1] = {};
      longer.push_back(std::move(both));
    }
    if (runs.size() % 2 == 1) longer.push_back(std::move(runs.back()));
    runs = std::move(longer);
  }
  return std::move(runs.front());
}

void SortedRows::add_up(Entries& entries) {
  const auto is_more_of_one = [&](size_t i) { return i < entries.size() && entries[i].is_same(entries[i - 1]); };
  size_t kept = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (is_more_of_one(i + kAhead)) prefetch(entries[i + kAhead].counters, sizeof(Counters));
    if (kept > 0 && entries[kept - 1].is_same(entries[i])) {
            entries[kept - 1].counters->merge(*entries[i].counters);
    } else {
      entries[kept++] = entries[i];
    }
  }
  entries.resize(kept);
}

void SortedRows::take(Runs runs) {
  for (auto& [bucket, of_bucket] : runs) {
    const bool is_one = of_bucket.size() == 1;
    Entries& entries = buckets_[bucket] = merged(std::move(of_bucket));
    if (!is_one) add_up(entries);
  }
}

void SortedRows::add(const Deltas& deltas) {
  for (const Level level : kLevels) add(deltas, level);
}

void SortedRows::add(const Deltas& deltas, Level level) {
  Runs runs;
  for (const auto& [bucket, rows] : deltas.buckets()) {
    if (bucket.level != level) continue;
    if (const auto there = buckets_.find(bucket); there != buckets_.end()) runs[bucket].push_back(std::move(there->second));
    runs[bucket].push_back(sorted(*rows));
  }
  take(std::move(runs));
}

void SortedRows::go_up_to(Level level, const ZoneOf& zone_of) {
  Runs runs;
  for (auto& [bucket, entries] : std::exchange(buckets_, {})) {
    const Bucket to{bucket.site, level, zone_of(bucket.site).bucket_start_s(level, bucket.start_s), bucket.late.from(level)};
    runs[to].push_back(std::move(entries));
  }
  take(std::move(runs));
}

// Keys sort by dimension before they sort by bucket: each bucket gives its rows dimension by dimension.
std::vector<SortedRows::Row> SortedRows::in_order() const {
  struct Part {
    Bucket bucket;
    const Entries* entries;
    size_t given = 0;
  };
  std::vector<Part> parts;
  size_t number = 0;
  for (const auto& [bucket, entries] : buckets_) {
    parts.push_back({bucket, &entries});
    number += entries.size();
  }

  std::vector<Row> in_order;
  in_order.reserve(number);
  for (auto begin = parts.begin(); begin != parts.end();) {
    const auto end =
        std::find_if(begin, parts.end(), [&](const Part& part) { return part.bucket.site != begin->bucket.site; });
    for (size_t dimension = 0; dimension < kDimensions; ++dimension)
      for (auto part = begin; part != end; ++part)
        for (; part->given < part->entries->size(); ++part->given) {
          const Entry& entry = (*part->entries)[part->given];
          if (entry.dimension != static_cast<Dimension>(dimension)) break;
          const Bucket& bucket = part->bucket;
          in_order.push_back({{bucket.site, entry.dimension, bucket.level, bucket.start_s, entry.value, entry.import, bucket.late},
                              entry.counters});
        }
    begin = end;
  }
  return in_order;
}

}  // namespace footfall
