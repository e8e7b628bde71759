// The summary: one LMDB environment that the aggregator writes and everybody may read. A checkpoint is one transaction:
// a block of changes and the cursors. Blocks are folded into the keyed databases later; a reader adds those not yet
// folded, so that it always sees the last checkpoint whole.
//
//   meta      "checkpoint" → footfall.v1.Checkpoint · "config" → footfall.v1.Config
//   changes   number u64 → footfall.v1.ChangeBlock
//   rollups   RollupKey → footfall.v1.Rollup         key_counts  RollupKey's first 12 bytes → keys in that bucket u32
//   visit_rows, visits  the visits that are kept: visit_log.h
//   dictionary  month u16 | hash 16 → text           visitors, open_visits, orders  see rollup/keys.h
#pragma once


#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "base/string_map.h"
#include "rollup/changes.h"
#include "rollup/counters.h"
#include "rollup/keys.h"
#include "rollup/visit_block.h"
#include "site/config.h"
#include "site/zone.h"

namespace footfall {

class Fold;
class VisitLogFold;
struct VisitCut;
struct VisitLogState;
using ZoneOf = std::function<const Zone&(uint16_t site)>;

struct LanePlace {
  uint32_t lane = 0;
  uint64_t epoch = 0;
  uint64_t number = 0;  // of the first hit not yet counted
  uint64_t hits = 0;    // of the lane before that, in all its epochs: counted or lost; kHitsNotKnown: an older checkpoint
};
inline constexpr uint64_t kHitsNotKnown = UINT64_MAX;

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
};

// How many keys a bucket's dimension keeps; the rest is summed in the row `other`.
inline constexpr uint32_t kKeysMax = 1'000;
inline constexpr uint32_t kDayKeysMax = 5'000;

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

  // Adds all change blocks to the keyed databases, in one transaction. `zone_of` gives a site's zone.
  Status fold(const ZoneOf& zone_of);
  // A checkpoint and a fold in one transaction: the changes never become a block. They are empty afterwards, also where
  // it fails.
  Status fold(const ZoneOf& zone_of, Changes& changes, CheckpointState& state);
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

  // A folded keyed value; Error::not_found.
  Result<std::string> find(KeyedDatabase database, std::string_view key);
  // Whether a folded key begins so.
  bool has_prefix(KeyedDatabase database, std::string_view prefix);
  // Every folded value of a database, in key order.
  Status each(KeyedDatabase database, const std::function<void(std::string_view key, std::string_view value)>& visit);

 private:
  Status load_databases();
  Status put_keyed(LmdbTxn& txn, size_t database, std::string_view key, std::string_view value);
  Status fold_blocks(LmdbTxn& txn, Fold& fold, VisitLogFold& visits);
  Status finish_fold(LmdbTxn& txn, Fold& fold);
  Result<VisitLogState> load_visit_log(const LmdbTxn& txn, const ZoneOf& zone_of);
  // fill(visits) gives what is new.
  template <class Fill>
  Status fold_visits(LmdbTxn& txn, const ZoneOf& zone_of, bool pack_all, Fill fill);
  static Status put_checkpoint(LmdbTxn& txn, LmdbDatabase changes, LmdbDatabase meta, CheckpointState& next,
                               std::string_view change_block);

  Status begin_reading();
  Result<LmdbTxn> begin_writing();

  LmdbEnv env_;
  LmdbTxn reading_;  // of find() and has_prefix()
  LmdbDatabase meta_, changes_, rollups_, key_counts_, dictionary_;
  LmdbDatabase keyed_[kKeyedDatabases];
  LmdbDatabase visit_rows_, visits_;
  uint64_t unfolded_bytes_ = 0;
  Retention retention_;
  std::vector<std::pair<uint16_t, int64_t>> cut_sites_;
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
  // folded that fall into such a bucket (their key then names the bucket of `level`).
  Status each_rollup(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s, const Zone& zone,
                     const Visit& visit);
  // Only those of these values, which are ascending: for less, where they are few.
  Status each_rollup(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s, const Zone& zone,
                     std::span<const Hash128> values, const Visit& visit);

  // The text of a value, looked for in the months from `from_s` to `to_s`; nullopt: gone.
  std::optional<std::string> text(const Hash128& value, int64_t from_s, int64_t to_s);

  // Every value of a keyed database as of the checkpoint, in no order.
  Status each_keyed(KeyedDatabase database,
                    const std::function<void(std::string_view key, std::string_view value)>& visit);

  // Blocks with every kept record of the site that may have a fact in [from_s, to_s), each record once; others may be
  // among them. Open visits are there as they stand, as records of a block like all. Stops at what `read` returns.
  using ReadBlock = std::function<Status(VisitBlock& block)>;
  Status each_visit_block(uint16_t site, int64_t from_s, int64_t to_s, const ReadBlock& read);
  // Of visits that began before it some may be gone; it is the start of a day. INT64_MIN: all are kept.
  int64_t visits_kept_from_s(uint16_t site) const;

 private:
  friend class SummaryReader;
  friend class SummaryCheck;
  using Values = std::span<const Hash128>;
  Status each_folded(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s,
                     const std::optional<Values>& only, const Visit& visit);
  void each_pending(uint16_t site, Dimension dimension, Level level, int64_t from_s, int64_t to_s, const Zone& zone,
                    const std::optional<Values>& only, const Visit& visit);
  Status load_visit_log(LmdbDatabase meta);
  Status each_packed_block(uint16_t site, int64_t from_s, int64_t to_s, const ReadBlock& read);
  Status each_stored_row(uint16_t site, const std::function<Status(std::string_view row)>& read);
  struct PendingDelta {
    RollupKey key;
    Counters counters;
  };

  LmdbTxn txn_;
  LmdbDatabase rollups_, dictionary_;
  LmdbDatabase keyed_[kKeyedDatabases];
  CheckpointState checkpoint_;
  Config config_;
  std::vector<PendingDelta> pending_;
  StringMap<std::string> pending_texts_;
  StringMap<std::string> pending_keyed_[kKeyedDatabases];
  std::optional<LmdbDatabase> visit_rows_, visits_;  // nullopt: written by a version that kept none
  std::vector<KeptRow> pending_kept_;
  std::shared_ptr<const VisitLogState> visit_log_;
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
