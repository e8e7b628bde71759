// Adds rows to what is stored of them, bucket after bucket, and decides which values of a bucket get a row of their own
// (trim.h). For Fold.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/counters.h"
#include "rollup/keys.h"
#include "rollup/trim.h"

namespace footfall {

// When something was booked, seen from its bucket (settled.h).
enum class When : uint8_t { in_time, late, too_late };
inline When when_of(const RollupKey& key) {
  return key.late.is_too_late(key.level) ? When::too_late : key.late.is_late(key.level) ? When::late : When::in_time;
}

class RowWriter {
 public:
  RowWriter(LmdbTxn& txn, const RollupDatabases& databases, LmdbCursor to, int64_t now_s)
      : txn_(txn), databases_(databases), to_(std::move(to)), now_s_(now_s) {}

  // In the order of keys; first all that was in time for its level, then what was late, then what was too late. What is
  // late finds the row of its value. Else it goes to `other` in a bucket that was trimmed, and gets a row in one that was
  // still whole when it was settled; what is too late, only while there is room among its keys_max().
  Status add(const RollupKey& key, const Counters& counters, When when);
  // Whether the last row has its own place, not `other`'s.
  bool was_kept() const { return was_kept_; }
  uint64_t overrun() const { return overrun_; }  // rows that came beyond candidates_max()
  // Buckets that were trimmed, and how many rows went.
  const std::vector<std::pair<std::string, uint64_t>>& trimmed() const { return trimmed_; }

  Status finish();

 private:
  Status begin_bucket(std::string bucket, When when);
  Status load_keys();
  Status settle();
  bool find_stored() { return to_.seek(key_) && to_.key() == key_; }
  Status merge_stored(Counters& counters);
  Result<bool> has_room(const RollupKey& key);
  Status put_or_remove(const Counters& counters, bool was_there);
  void add_to_other(RollupKey key, const Counters& counters);

  LmdbTxn& txn_;
  const RollupDatabases databases_;
  LmdbCursor to_;                         // of the rollups
  const int64_t now_s_;
  std::string key_, value_;               // of the running row
  Counters sum_;                          // of it and what was stored
  std::string bucket_;                    // the prefix of the running one
  When when_ = When::in_time;             // its rows were booked
  BucketKeys keys_, keys_before_;         // of it
  uint16_t import_ = UINT16_MAX;          // that wrote to it; live before any other
  std::map<RollupKey, Counters> others_;  // of the running bucket: one for each import
  bool was_kept_ = false;
  uint64_t overrun_ = 0;
  std::vector<std::pair<std::string, uint64_t>> trimmed_;
};

}  // namespace footfall
