// How long rollups are kept, level by level: a bucket goes once all of it is older than its level's retention. Queries go
// by the same rule (query/range.cc), so they never look for what is gone.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/keys.h"
#include "rollup/trim.h"
#include "site/config.h"
#include "site/zone.h"

namespace footfall {

// A bucket of a level that ends by then is too old. kNever where nothing is.
struct Horizons {
  static constexpr int64_t kNever = INT64_MIN;
  std::array<int64_t, kLevels.size()> ends_by_s = {kNever, kNever, kNever, kNever};

  bool operator==(const Horizons&) const = default;
  bool is_too_old(Level level, int64_t end_s) const { return end_s <= ends_by_s[static_cast<size_t>(level)]; }
};
Horizons horizons_of(const Retention& retention, int64_t now_s);

struct Expired {
  uint64_t buckets = 0, rows = 0;
  std::set<uint16_t> months;  // in which texts may be needed no more (text_sweep.h)
};

// Takes out buckets that are too old, whole ones, until about `rows_max` rows are gone: the rest goes the next time.
// `sites`: how many there are.
Status expire_rollups(LmdbTxn& txn, const RollupDatabases& databases, const ZoneOf& zone_of, size_t sites,
                      const Horizons& horizons, uint64_t rows_max, Expired& expired);

}  // namespace footfall
