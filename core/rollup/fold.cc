#include "rollup/fold.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "base/limits.h"

namespace footfall {
namespace {

constexpr size_t kBucketPrefixBytes = 12;  // site, dimension, level, bucket

uint32_t keys_max(Level level) { return level == Level::day ? kDayKeysMax : kKeysMax; }

struct Row {
  uint64_t rough_order;
  const RollupKey* key;
  Counters* counters;
};

// What most pairs of keys are told apart by, of one level: site 9 bits | dimension 5 | minute 26 | value 24.
uint64_t rough_order(const RollupKey& key) {
  static_assert(kSitesMax < (1 << 9) && kDimensions <= (1 << 5));
  const int64_t minute = std::clamp<int64_t>(key.bucket_start_s / 60, 0, (1 << 26) - 1);
  return uint64_t{key.site} << 55 | static_cast<uint64_t>(key.dimension) << 50 | static_cast<uint64_t>(minute) << 24 |
         key.value.high >> 40;
}

// As keys sort; much cheaper than comparing member by member.
std::tuple<uint64_t, int64_t, uint64_t, uint64_t, uint16_t> order(const RollupKey& key) {
  const uint64_t first = uint64_t{key.site} << 16 | static_cast<uint64_t>(key.dimension) << 8 | static_cast<uint64_t>(key.level);
  return {first, key.bucket_start_s, key.value.high, key.value.low, key.import};
}

void add_to(Deltas& sums, const RollupKey& key, const Counters& counters) {
  const auto [sum, fresh] = sums.try_emplace(key);
  if (fresh && key.dimension == Dimension::total) sum->second.visitors.set_precision(Precision::total);
  sum->second.merge(counters);
}

// Writes the rows of one bucket after the other; a bucket that holds its most keys sends new ones to the row `other`.
class RowWriter {
 public:
  RowWriter(LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase key_counts, LmdbCursor to)
      : txn_(txn), rollups_(rollups), key_counts_(key_counts), to_(std::move(to)) {}

  Status add(const RollupKey& key, Counters& counters) {
    encode_key(key, key_);
    if (key_.compare(0, kBucketPrefixBytes, bucket_) != 0) {
      if (Status status = begin_bucket(key_.substr(0, kBucketPrefixBytes)); !status) return status;
      encode_key(key, key_);  // the bucket before wrote its rows `other`
    }
    // Rows `other` are written when the bucket is done.
    if (key.value == kOtherValue) return add_to_other(key, counters), Status{};
    if (keys_before_ > 0) {
      const Result<std::string_view> stored = txn_.get(rollups_, key_);
      if (!stored && stored.error().code != Error::Code::not_found) return stored.error();
      if (stored) {
        if (!merge_encoded_counters(*stored, counters)) return Error::corrupt("rollup");
        return put(counters);
      }
    }
    if (keys_ >= keys_max(key.level)) return add_to_other(key, counters), Status{};
    ++keys_;
    return put(counters);
  }

  Status finish() {
    for (auto& [key, counters] : others_) {
      encode_key(key, key_);
      const Result<std::string_view> stored = txn_.get(rollups_, key_);
      if (!stored && stored.error().code != Error::Code::not_found) return stored.error();
      if (stored && !merge_encoded_counters(*stored, counters)) return Error::corrupt("rollup");
      if (Status status = put(counters); !status) return status;
    }
    others_.clear();
    if (keys_ == keys_before_) return {};
    keys_before_ = keys_;
    std::string count;
    BytesWriter(count).le32(keys_);
    return txn_.put(key_counts_, bucket_, count);
  }

 private:
  Status put(const Counters& counters) {
    encode_counters(counters, value_);
    return to_.put(key_, value_);
  }

  Status begin_bucket(std::string bucket) {
    if (Status status = finish(); !status) return status;
    bucket_ = std::move(bucket);
    keys_ = 0;
    const Result<std::string_view> stored = txn_.get(key_counts_, bucket_);
    if (!stored && stored.error().code != Error::Code::not_found) return stored.error();
    if (stored && stored->size() == sizeof keys_) keys_ = load_le32(stored->data());
    keys_before_ = keys_;
    return {};
  }

  void add_to_other(RollupKey key, const Counters& counters) {
    key.value = kOtherValue;
    others_[key].merge(counters);
  }

  LmdbTxn& txn_;
  const LmdbDatabase rollups_, key_counts_;
  LmdbCursor to_;                                     // of rollups_
  std::string key_, value_;                           // of the running row
  std::string bucket_;                                // the prefix of the running one
  uint32_t keys_ = 0, keys_before_ = 0;               // that it holds, `other` not counted
  std::map<RollupKey, Counters> others_;              // of the running bucket: one for each import
};

}  // namespace

void Fold::add(const RollupKey& key, const Counters& counters) {
  add_to(sums_[static_cast<size_t>(key.level)], key, counters);
}

void Fold::add(Deltas deltas) {
  const auto is_hour = [](const auto& delta) { return delta.first.level == Level::hour; };
  Deltas& hours = sums_[static_cast<size_t>(Level::hour)];
  if (hours.empty() && std::all_of(deltas.begin(), deltas.end(), is_hour)) {  // an import's, as they are
    hours = std::move(deltas);
    return;
  }
  for (const auto& [key, counters] : deltas) add(key, counters);
}

void Fold::add_up() {
  for (size_t level = 1; level < kLevels.size(); ++level) {
    for (auto& [key, counters] : sums_[level - 1]) {
      RollupKey above = key;
      above.level = kLevels[level];
      above.bucket_start_s = zone_of_(key.site).bucket_start_s(above.level, key.bucket_start_s);
      add_to(sums_[level], above, counters);
    }
  }
}

Status Fold::write(LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase key_counts) {
  add_up();
  for (size_t level = 0; level < kLevels.size(); ++level) {
    std::vector<Row> rows;
    rows.reserve(sums_[level].size());
    for (auto& [key, counters] : sums_[level]) {
      if (kLevels[level] == Level::minute) counters.visitors = Distinct();  // none by minute
      if (!counters.is_zero()) rows.push_back({rough_order(key), &key, &counters});
    }
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return a.rough_order != b.rough_order ? a.rough_order < b.rough_order : order(*a.key) < order(*b.key);
    });
    Result<LmdbCursor> to = LmdbCursor::open(txn, rollups);
    if (!to) return to.error();
    RowWriter writer(txn, rollups, key_counts, std::move(*to));
    for (const Row& row : rows)
      if (Status status = writer.add(*row.key, *row.counters); !status) return status;
    if (Status status = writer.finish(); !status) return status;
  }
  return {};
}

}  // namespace footfall
