// Deltas into rollups: summed up level by level, minute into hour into day into month, then added to what is stored, in
// the order of the keys. For SummaryWriter.
#pragma once

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/deltas.h"
#include "rollup/summary.h"
#include "site/zone.h"

namespace footfall {

class Fold {
 public:
  explicit Fold(const ZoneOf& zone_of) : zone_of_(zone_of) {}

  void add(Deltas deltas);
  // Adds a delta as a block of changes holds it.
  void add(const RollupKey& key, const Counters& counters);

  // Adds all of it to what is stored.
  Status write(LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase key_counts);

 private:
  void add_up();

  const ZoneOf& zone_of_;
  Deltas sums_;  // of all levels
};

}  // namespace footfall
