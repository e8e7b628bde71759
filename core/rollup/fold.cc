#include "rollup/fold.h"

#include <map>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace footfall {
namespace {

constexpr size_t kBucketPrefixBytes = 12;  // site, dimension, level, bucket

uint32_t keys_max(Level level) { return level == Level::day ? kDayKeysMax : kKeysMax; }

// In the order of keys each lies somewhere else.
constexpr size_t kRowsAhead = 8;

void prefetch(const Counters& counters) {
  constexpr size_t kLineBytes = 64;
  for (size_t at = 0; at < sizeof counters; at += kLineBytes) __builtin_prefetch(reinterpret_cast<const char*>(&counters) + at);
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
    // By the cursor: it mostly stands on the key's page already.
    if (keys_before_ > 0 && to_.seek(key_) && to_.key() == key_) {
      if (!merge_encoded_counters(to_.value(), counters)) return Error::corrupt("rollup");
      return put(counters);
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

void Fold::add(const RollupKey& key, const Counters& counters) { sums_.at(key).merge(counters); }

void Fold::add(Deltas deltas) {
  if (sums_.empty()) {
    sums_ = std::move(deltas);
    return;
  }
  for (const auto& [bucket, rows] : deltas.buckets())
    for (const auto& [key, counters] : *rows) sums_.at(bucket, key).first.merge(counters);
}

void Fold::add_up() {
  for (size_t level = 1; level < kLevels.size(); ++level) {
    for (const auto& [bucket, rows] : sums_.buckets()) {
      if (bucket.level != kLevels[level - 1]) continue;
      const Bucket above{bucket.site, kLevels[level], zone_of_(bucket.site).bucket_start_s(kLevels[level], bucket.start_s)};
      for (const auto& [key, counters] : *rows) sums_.at(above, key).first.merge(counters);
    }
  }
}

Status Fold::write(LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase key_counts) {
  add_up();
  Result<LmdbCursor> to = LmdbCursor::open(txn, rollups);
  if (!to) return to.error();
  RowWriter writer(txn, rollups, key_counts, std::move(*to));
  const std::vector<Deltas::Row> rows = sums_.in_order();
  for (size_t i = 0; i < rows.size(); ++i) {
    const Deltas::Row& row = rows[i];
    if (i + kRowsAhead < rows.size()) prefetch(*rows[i + kRowsAhead].counters);
    if (row.key.level == Level::minute) row.counters->visitors = Distinct();  // none by minute
    if (row.counters->is_zero()) continue;
    if (Status status = writer.add(row.key, *row.counters); !status) return status;
  }
  return writer.finish();
}

}  // namespace footfall
