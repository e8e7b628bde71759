// What keeps the summary bounded, done in slices with each fold: settled buckets are trimmed, what is too old goes,
// texts that no row needs are swept, visitors and orders are forgotten in their time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/changes.h"
#include "rollup/retention.h"
#include "rollup/round_sweep.h"
#include "rollup/settled.h"
#include "rollup/text_sweep.h"
#include "rollup/trim.h"
#include "site/config.h"
#include "site/zone.h"

namespace footfall {

// What a fold is told of time. By default nothing is settled and nothing too old.
struct UpkeepTimes {
  int64_t now_s = 0;  // the clock on the wall; 0: nothing is too old
  Retention retention;
  int64_t orders_max = INT64_MAX;
  size_t sites = 0;
  // Clocks of hits: whatever was booked before is part of this fold or an earlier one.
  int64_t live_clock_s = INT64_MIN;
  uint16_t import = 0;  // the one that is counted; 0: none
  int64_t import_clock_s = INT64_MIN;
  // Of imports before: how far they came.
  std::map<uint16_t, int64_t> import_clocks_s = {};
  std::function<int64_t(uint16_t site)> visit_gap_s = nullptr;  // null: the default

  int64_t clock_s(uint16_t of_import) const;
};

// What was done, since the summary was opened.
struct UpkeepCounts {
  uint64_t trimmed_buckets = 0;
  uint64_t overrun_rows = 0;  // came beyond candidates_max()
  uint64_t expired_buckets = 0;
  uint64_t swept_texts = 0;
  uint64_t visitors_over = 0, visitors_forgotten = 0;  // for their age; for want of room
  uint64_t orders_over = 0, orders_forgotten = 0;
};

struct UpkeepDatabases {
  RollupDatabases rollups;
  LmdbDatabase dictionary, visitors, orders;
  LmdbDatabase meta;
};

class Upkeep {
 public:
  // A slice. `written`: about how many rows, names and keyed values the fold wrote; what is done grows with it, so that
  // it keeps pace.
  Status step(LmdbTxn& txn, const UpkeepDatabases& databases, const ZoneOf& zone_of, const UpkeepTimes& times,
              uint64_t written);

  void note_row(const Hash128& value) {
    if (sweep_) sweep_->note(value);
  }
  // A text that was not stored.
  void lose_name(const DictionaryName& name) { lost_names_.push_back(name); }
  void note_trim(std::string_view bucket, uint64_t gone);
  void note_overrun(uint64_t rows) { counts_.overrun_rows += rows; }
  const UpkeepCounts& counts() const { return counts_; }
  // Texts that are not stored, or not any more, since this was asked last: to be told anew where their values come again.
  std::vector<DictionaryName> take_lost_names() { return std::exchange(lost_names_, {}); }

 private:
  Status load(LmdbTxn& txn, LmdbDatabase meta);
  Status store(LmdbTxn& txn, LmdbDatabase meta);
  Status trim(LmdbTxn& txn, const RollupDatabases& databases, const ZoneOf& zone_of, const UpkeepTimes& times);
  Status sweep_texts(LmdbTxn& txn, const UpkeepDatabases& databases, int64_t now_s, uint64_t entries);
  Status forget_visitors(LmdbTxn& txn, LmdbDatabase visitors, const UpkeepTimes& times, uint64_t entries);
  Status forget_orders(LmdbTxn& txn, LmdbDatabase orders, const UpkeepTimes& times, uint64_t entries);
  void lose_rows(uint16_t month, uint64_t rows);

  UpkeepCounts counts_;
  bool loaded_ = false;
  std::map<uint16_t, uint64_t> lost_rows_;  // by month: rows that went since its texts were swept; stored in meta
  bool lost_rows_changed_ = false;
  std::map<uint16_t, int64_t> swept_s_;  // when that was
  std::optional<TextSweep> sweep_;       // the running one
  std::vector<DictionaryName> lost_names_;
  RoundSweep visitors_, orders_;
};

}  // namespace footfall
