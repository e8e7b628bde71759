// Which values of a bucket's dimension are kept. While its time runs a bucket takes every value as a candidate; once it is
// settled (settled.h) the heaviest stay, and the rest is summed in the row `other`: those with an order or goal first, then
// by hits, page views, visits and events, then by key.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/counters.h"
#include "rollup/keys.h"

namespace footfall {

inline constexpr uint32_t kKeysMax = 1'000;
inline constexpr uint32_t kDayKeysMax = 5'000;
// Beyond so many candidates new ones go to `other` at once: which they are is by chance then.
inline constexpr uint32_t kCandidatesMax = 200'000;
inline constexpr uint32_t kMinuteCandidatesMax = 10'000;

constexpr uint32_t keys_max(Level level) { return level == Level::day ? kDayKeysMax : kKeysMax; }
constexpr uint32_t candidates_max(Level level) { return level == Level::minute ? kMinuteCandidatesMax : kCandidatesMax; }

// What a bucket's dimension holds: the value of `key_counts`, keys u32 | flags u8. An older store has no flags.
struct BucketKeys {
  uint32_t keys = 0;     // rows, `other` not counted
  bool trimmed = false;  // lighter values were summed in `other`: a value that is not there stays away
  bool overrun = false;  // more came than candidates_max()
  bool whole = false;    // had no more than it keeps when it was settled: what is late may be new to it

  bool operator==(const BucketKeys&) const = default;
};
std::string encode_bucket_keys(const BucketKeys& keys);
BucketKeys decode_bucket_keys(std::string_view bytes);  // broken ones: none

class Ranking {
 public:
  // Adds to what a value weighs.
  void add(const Hash128& value, const Counters& counters);
  size_t values() const { return weights_.size(); }
  // The `most` heaviest, and null, which says that there is no value, whatever it weighs.
  absl::flat_hash_set<Hash128> heaviest(size_t most);

 private:
  struct Weight {
    Hash128 value;
    int64_t conversions = 0;  // whether there are any, all models looked at
    int64_t hits = 0, pageviews = 0, visits = 0, events = 0;
  };
  static bool is_heavier(const Weight& left, const Weight& right);

  std::vector<Weight> weights_;
  absl::flat_hash_map<Hash128, size_t> places_;
};

// The databases that rollups lie in.
struct RollupDatabases {
  LmdbDatabase rollups, key_counts;
  LmdbDatabase to_trim;  // bucket prefix 12 → import u16 | written u64 (s): holds more than it will keep (row_writer.h)
};

// Keeps a bucket's heaviest values, sums the rest in its rows `other`, one for each import. `prefix`: of its keys;
// `gone`: how many rows went.
Status trim_bucket(LmdbTxn& txn, const RollupDatabases& databases, const std::string& prefix, uint64_t& gone);

}  // namespace footfall
