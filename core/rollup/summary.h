// The summary: one LMDB environment that the aggregator writes and everybody may read. A checkpoint is one transaction:
// a block of changes and the cursors. Blocks are folded into the keyed databases later; a reader adds those not yet
// folded, so that it always sees the last checkpoint whole.
//
//   meta      "checkpoint" → footfall.v1.Checkpoint · "config" → footfall.v1.Config
//   changes   number u64 → footfall.v1.ChangeBlock
//   rollups   RollupKey → footfall.v1.Rollup         key_counts  RollupKey's first 12 bytes → BucketKeys (trim.h)
//   to_trim   RollupKey's first 12 bytes of what holds more values than it will keep (upkeep.h)
//   visit_rows, visits  the visits that are kept: visit_log.h
//   dictionary  month u16 | hash 16 → text           visitors, open_visits, orders  see rollup/keys.h
#pragma once


#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "base/string_map.h"
#include "rollup/care.h"
#include "rollup/changes.h"
#include "rollup/counters.h"
#include "rollup/kept_values.h"
#include "rollup/keys.h"
#include "rollup/upkeep.h"
#include "rollup/visit_block.h"
#include "site/config.h"
#include "site/zone.h"

namespace footfall {

class Fold;
class VisitLogFold;
struct VisitCut;
struct VisitLogState;

struct LanePlace {
  uint32_t lane = 0;
  uint64_t epoch = 0;
  uint64_t number = 0;  // of the first hit not yet counted
  uint64_t hits = 0;    // of the lane before that, in all its epochs: counted or lost; kHitsNotKnown: an older checkpoint
};
inline constexpr uint64_t kHitsNotKnown = UINT64_MAX;

// What there was of a visitor who is forgotten now. As footfall.v1.Forgotten.
struct Forgotten {
  uint64_t request = 0;
  uint32_t visitors = 0, open_visits = 0, visits = 0, conversions = 0;
  bool anything() const { return visitors + open_visits + visits + conversions > 0; }
};
// What imports are kept as that nobody can undo any more. Not as live figures: no minutes are kept of imports.
inline constexpr uint16_t kMergedImport = 1;
// Of their clocks the newest stays.
void merge_import_clocks(std::map<uint16_t, int64_t>& clocks_s, uint16_t through);

inline constexpr size_t kForgottenMax = 64;  // that a checkpoint remembers

// footfall.v1.Checkpoint as a plain value.
struct CheckpointState {
  uint64_t number = 0;
  int64_t committed_ms = 0;
  int64_t complete_through_ms = 0;
  std::vector<LanePlace> lanes;
  uint64_t lost_hits = 0;
  uint64_t late_hits = 0;
  uint64_t refused_hits = 0;
  uint64_t next_change_block = 0;
  std::vector<std::string> sites;
  std::vector<int64_t> first_live_ms;  // of each site: its first live hit; 0: none yet
  uint32_t pid = 0;
  std::vector<std::string> warnings;
  std::vector<uint32_t> lagging_lanes;
  std::vector<uint32_t> undone_imports;  // in the order in which they were undone
  uint16_t merged_imports = 0;           // those up to that one are kept as kMergedImport
  std::map<uint16_t, int64_t> import_clocks_s;  // how far each of the newest imports came, by its hits' times
  // By level: what ended by then may be gone (retention.h), whatever retention says now.
  std::array<int64_t, kLevels.size()> kept_since_s = Horizons().ends_by_s;
  std::vector<Forgotten> forgotten;      // likewise; the newest kForgottenMax
};

// The one writer; its caller holds the store's lock `writer`.
class SummaryWriter {
 public:
  static Result<SummaryWriter> open(const std::string& path, uint64_t map_bytes);

  Result<CheckpointState> load_checkpoint();  // all zero in a fresh summary
  Result<std::optional<Config>> load_config();
  Status store_config(const Config& config);

  // Makes the block and the state durable in one transaction; state.next_change_block counts up. An empty block stores
  // the state alone.
  Status checkpoint(CheckpointState& state, std::string_view change_block);

  // Adds all change blocks to the keyed databases, some in each transaction, and then does a slice of upkeep. `zone_of`
  // gives a site's zone.
  Status fold(const ZoneOf& zone_of, const UpkeepTimes& times = {});
  // A checkpoint and a fold in one transaction: the changes never become a block. They are empty afterwards, also where
  // it fails.
  Status fold(const ZoneOf& zone_of, Changes& changes, CheckpointState& state, const UpkeepTimes& times = {});
  const UpkeepCounts& upkeep_counts() const { return upkeep_.counts(); }
  // Texts that a fold did not store or took out: Changes::forget_names().
  std::vector<DictionaryName> take_lost_names() { return upkeep_.take_lost_names(); }
  uint64_t unfolded_bytes() const { return unfolded_bytes_; }
  // How long visits are kept by the folds that follow.
  void set_retention(const Retention& retention) { retention_ = retention; }
  // Sites whose visits went for want of room, and from when on theirs are kept; as of the last fold.
  const std::vector<std::pair<uint16_t, int64_t>>& cut_sites() const { return cut_sites_; }

  // Takes what an import brought out of the keyed databases, in one transaction with the change block and the state,
  // which then names the import as undone. Changes of it that are not folded yet stay: fold before. Visits of other
  // imports lose the steps that were its own.
  Status remove_import(uint16_t import, CheckpointState& state, std::string_view change_block,
                       const std::vector<VisitCut>& cuts);

  // All that is kept under the numbers of imports up to `through` goes on as kMergedImport's, in one transaction with the
  // state, which names that number then. No figure changes by it. Everything must be folded.
  Status merge_imports(uint16_t through, const ZoneOf& zone_of, CheckpointState& state);

  // Makes what is stored and folded of a visitor nobody's, in one transaction with the change block and the state, which
  // then names the request as done: kept visits and carried ones have `instead` for a visitor, conversions have none.
  // `found` is what the caller found beside; what is found here is added to it.
  Status forget_visitor(const Hash128& visitor, const Hash128& instead, CheckpointState& state,
                        std::string_view change_block, Forgotten found);

  // A folded keyed value; Error::not_found.
  Result<std::string> find(KeyedDatabase database, std::string_view key);
  // Every folded value whose key begins so, in key order.
  void each_of_prefix(KeyedDatabase database, std::string_view prefix,
                      const std::function<void(std::string_view key, std::string_view value)>& see);
  // Every folded value of a database, in key order.
  Status each(KeyedDatabase database, const std::function<void(std::string_view key, std::string_view value)>& visit);

 private:
  Status load_databases();
  Status put_keyed(LmdbTxn& txn, size_t database, std::string_view key, std::string_view value);
  Status put_all_keyed(LmdbTxn& txn, size_t database, const StringMap<std::string>& changes);
  Status fold_blocks(LmdbTxn& txn, Fold& fold, VisitLogFold& visits, bool& all);
  Status add_block(LmdbTxn& txn, Fold& fold, VisitLogFold& visits, std::string_view bytes);
  Status finish_fold(LmdbTxn& txn, Fold& fold, const ZoneOf& zone_of, const UpkeepTimes& times, bool all);
  Result<VisitLogState> load_visit_log(const LmdbTxn& txn, const ZoneOf& zone_of);
  // fill(visits) gives what is new.
  template <class Fill>
  Status fold_visits(LmdbTxn& txn, const ZoneOf& zone_of, bool pack_all, Fill fill);
  static Status put_checkpoint(LmdbTxn& txn, LmdbDatabase changes, LmdbDatabase meta, CheckpointState& next,
                               std::string_view change_block);
  // The transaction's end; `state` is then `next`.
  Status commit_checkpoint(LmdbTxn& txn, CheckpointState next, std::string_view change_block, CheckpointState& state);

  Status begin_reading();
  Result<LmdbTxn> begin_writing();

  LmdbEnv env_;
  LmdbTxn reading_;  // of find() and each_of_prefix()
  LmdbDatabase meta_, changes_, dictionary_;
  RollupDatabases rollups_;
  LmdbDatabase keyed_[kKeyedDatabases];
  LmdbDatabase visit_rows_, visits_;
  uint64_t unfolded_bytes_ = 0;
  Retention retention_;
  std::vector<std::pair<uint16_t, int64_t>> cut_sites_;
  uint64_t keyed_written_ = 0;  // by the running fold
  Upkeep upkeep_;
};

// One snapshot. Not thread-safe. Keep it short: it pins pages.
class SummarySnapshot {
 public:
  const CheckpointState& checkpoint() const { return checkpoint_; }
  const Config& config() const { return config_; }
  // Goes up with everything that is stored: two snapshots of one summary with the same version tell the same.
  uint64_t version() const { return txn_.id(); }

  // The aggregator says that the checkpoint of that number still tells all, up to these times.
  void confirm(uint64_t checkpoint_number, int64_t as_of_ms, int64_t complete_through_ms);

  // One bucket of one dimension: `value` by hash. Called in no order, a key maybe more than once; counters add up.
  using Visit = std::function<void(const RollupKey& key, const Counters& counters)>;
  // Every rollup of the site and dimension whose bucket at `level` begins in [from_s, to_s), and the deltas not yet
  // folded that fall into such a bucket (their key then names the bucket of `level`). Values that a bucket does not
  // keep, or would not if it were trimmed now, come as kOtherValue.
  Status each_rollup(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s, const Zone& zone,
                     const Visit& visit);
  // Only those of these values, which are ascending: for less, where they are few.
  Status each_rollup(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s, const Zone& zone,
                     std::span<const Hash128> values, const Visit& visit);

  // A bucket that was read met more values than it takes as candidates: which it kept is by chance.
  bool saw_overrun() const { return saw_overrun_; }

  // The text of a value, looked for in the months from `from_s` to `to_s`; nullopt: gone.
  std::optional<std::string> text(const Hash128& value, int64_t from_s, int64_t to_s);

  // Every value of a keyed database as of the checkpoint, in no order.
  Status each_keyed(KeyedDatabase database,
                    const std::function<void(std::string_view key, std::string_view value)>& visit);

  // Those whose key begins so.
  Status each_of_prefix(KeyedDatabase database, std::string_view prefix,
                        const std::function<void(std::string_view key, std::string_view value)>& visit);

  // Blocks with every kept record of the site that may have a fact in [from_s, to_s), each record once; others may be
  // among them. Open visits are there as they stand, as records of a block like all. Stops at what `read` returns.
  using ReadBlock = std::function<Status(VisitBlock& block)>;
  Status each_visit_block(uint16_t site, int64_t from_s, int64_t to_s, const ReadBlock& read);
  // Of visits that began before it some may be gone; it is the start of a day. INT64_MIN: all are kept.
  int64_t visits_kept_from_s(uint16_t site) const;
  // Days of which some kept visits or orders are gone all the same.
  const CareNotes& care() const { return care_; }

 private:
  friend class SummaryReader;
  friend class SummaryCheck;
  using Values = std::span<const Hash128>;
  Status each_row(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s, const Zone& zone,
                  const std::optional<Values>& only, const Visit& visit);
  Status each_folded(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                     const std::optional<Values>& only, const KeptValues& kept, const Visit& visit);
  std::vector<PendingRow> pending_rows(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                                       const Zone& zone) const;
  Status load_visit_log(LmdbDatabase meta);
  Status each_packed_block(uint16_t site, int64_t from_s, int64_t to_s, const ReadBlock& read);
  Status each_stored_row(uint16_t site, const std::function<Status(std::string_view row)>& read);
  struct PendingDelta {
    RollupKey key;
    Counters counters;
  };

  LmdbTxn txn_;
  LmdbDatabase rollups_, key_counts_, dictionary_;
  bool saw_overrun_ = false;
  LmdbDatabase keyed_[kKeyedDatabases];
  CheckpointState checkpoint_;
  Config config_;
  std::vector<PendingDelta> pending_;
  StringMap<std::string> pending_texts_;
  StringMap<std::string> pending_keyed_[kKeyedDatabases];
  std::optional<LmdbDatabase> visit_rows_, visits_;  // nullopt: written by a version that kept none
  std::vector<KeptRow> pending_kept_;
  std::shared_ptr<const VisitLogState> visit_log_;
  CareNotes care_;
};

class SummaryReader {
 public:
  // Error::not_found: no summary yet.
  static Result<SummaryReader> open(const std::string& path, uint64_t map_bytes);
  Result<SummarySnapshot> snapshot();
  LmdbUse use() const { return env_.use(); }

 private:
  LmdbEnv env_;
};

}  // namespace footfall
