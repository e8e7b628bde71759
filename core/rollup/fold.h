// Deltas into rollups: summed up level by level, minute into hour into day into month, then added to what is stored, in
// the order of the keys; and the texts of those that got a row. For SummaryWriter.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/changes.h"
#include "rollup/deltas.h"
#include "rollup/retention.h"
#include "rollup/sorted_rows.h"
#include "rollup/trim.h"
#include "rollup/upkeep.h"
#include "site/zone.h"

namespace footfall {

class RowWriter;

class Fold {
 public:
  Fold(const ZoneOf& zone_of, const Horizons& horizons, int64_t now_s)
      : zone_of_(zone_of), horizons_(horizons), now_s_(now_s) {}

  void add(Deltas deltas);
  // Adds a delta as a block of changes holds it.
  void add(const RollupKey& key, const Counters& counters);
  void name(const DictionaryName& name, std::string text) { names_.emplace_back(name, std::move(text)); }
  size_t rows() const { return sums_.size() + names_.size(); }  // added so far

  // Adds all of it to what is stored, but for buckets that are too old to be kept. Texts whose value got no row of its
  // own are lost, which `upkeep` is told.
  Status write(LmdbTxn& txn, const RollupDatabases& rollups, LmdbDatabase dictionary, Upkeep& upkeep);
  uint64_t written() const { return written_; }  // rows and texts

 private:
  void leave_out_too_old(std::vector<SortedRows::Row>& rows) const;
  Status write_level(RowWriter& writer, std::vector<SortedRows::Row> rows, const absl::flat_hash_set<Hash128>& named,
                     Upkeep& upkeep);
  Status write_names(LmdbTxn& txn, LmdbDatabase dictionary, Upkeep& upkeep);

  const ZoneOf& zone_of_;
  const Horizons horizons_;
  const int64_t now_s_;
  Deltas sums_;
  std::vector<std::pair<DictionaryName, std::string>> names_;
  // Whether values of names_ got a row of their own, by any level; those that are not here had no row at all.
  absl::flat_hash_map<Hash128, bool> has_row_;
  uint64_t written_ = 0;
};

}  // namespace footfall
