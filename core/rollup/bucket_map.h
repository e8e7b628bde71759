// Counters by bucket, and within it by key. Hits come in the order of time, so what they add to lies in few buckets at
// once, and those stay near the processor; one map of all keys would be far away for each of them. What was asked for last
// is remembered in a table of fixed size: a page and its visit are asked for several times, an asset again and again.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "rollup/counters.h"
#include "rollup/settled.h"
#include "site/zone.h"

namespace footfall {

struct Bucket {
  uint16_t site = 0;
  Level level = Level::minute;
  int64_t start_s = 0;
  Lateness late{};  // what is added was so for it

  auto operator<=>(const Bucket&) const = default;

  template <class H>
  friend H AbslHashValue(H state, const Bucket& bucket) {
    return H::combine(std::move(state), bucket.start_s,
                      uint32_t{bucket.site} << 16 | uint32_t{bucket.late.code()} << 8 | static_cast<uint32_t>(bucket.level));
  }
};

// Counters that stay where they are, many in a piece of memory.
class CountersPool {
 public:
  Counters& add() {
    if (used_ == kPiece) {
      pieces_.push_back(std::make_unique<Counters[]>(kPiece));
      used_ = 0;
    }
    return pieces_.back()[used_++];
  }

 private:
  static constexpr size_t kPiece = 32;
  std::vector<std::unique_ptr<Counters[]>> pieces_;
  size_t used_ = kPiece;  // of the last piece
};

template <class Key>
class BucketMap {
 public:
  using Rows = absl::flat_hash_map<Key, Counters*>;  // a map that grows moves keys alone

  // The counters of a key, made where they are missing (`second`: they were). They stay where they are until clear().
  std::pair<Counters&, bool> at(const Bucket& bucket, const Key& key) {
    Rows& rows = rows_of(bucket);
    const size_t hash = rows.hash_function()(key);
    Recent& recent = recent_[hash % kRecent];
    if (recent.rows == &rows && recent.key == key) return {*recent.counters, false};
    const auto known = rows.find(key, hash);
    const bool fresh = known == rows.end();
    Counters& counters = fresh ? counters_.add() : *known->second;
    if (fresh) rows.emplace(key, &counters), ++size_;
    recent = {key, &rows, &counters};
    return {counters, fresh};
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  void clear() { *this = BucketMap(); }

  // The buckets in order, with their rows, which stay where they are until clear().
  std::vector<std::pair<Bucket, const Rows*>> buckets() const {
    std::vector<std::pair<Bucket, const Rows*>> buckets;
    buckets.reserve(buckets_.size());
    for (const auto& [bucket, rows] : buckets_) buckets.emplace_back(bucket, rows.get());
    std::sort(buckets.begin(), buckets.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return buckets;
  }

 private:
  struct Recent {
    Key key;
    const Rows* rows = nullptr;  // nullptr: nothing
    Counters* counters = nullptr;
  };
  static constexpr size_t kRecent = 256;

  Rows& rows_of(const Bucket& bucket) {
    if (last_ != nullptr && last_bucket_ == bucket) return *last_;
    std::unique_ptr<Rows>& rows = buckets_[bucket];
    if (!rows) rows = std::make_unique<Rows>();
    last_bucket_ = bucket;
    last_ = rows.get();
    return *last_;
  }

  absl::flat_hash_map<Bucket, std::unique_ptr<Rows>> buckets_;
  CountersPool counters_;
  Bucket last_bucket_;
  Rows* last_ = nullptr;  // of last_bucket_
  size_t size_ = 0;
  std::array<Recent, kRecent> recent_{};
};

}  // namespace footfall
