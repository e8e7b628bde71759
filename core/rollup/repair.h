// Makes a summary whole again, as far as it can be told from what is there. For who holds the lock `writer` and has the
// environment to itself; in one transaction.
//
// - What cannot be read is set aside: taken out, and written to a file as lines `database key value`, both in hex.
// - A coarser bucket goes by the finer ones in it, where these are kept. The finest one's totals go by two dimensions
// that say
//   the same of it.
// - What a dimension's rows lack of the totals, or have too much, goes to the row `other`, and so do rows whose text is
// gone.
// - Distinct visitors stay as they were; where they are lost, the union of what is finer, or of a dimension's rows.
// What is right is not touched.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/lmdb.h"
#include "rollup/check_sums.h"
#include "rollup/counters.h"
#include "rollup/summary.h"
#include "site/zone.h"
#include "visit/visit_record.h"

namespace footfall {

class SummaryRepair {
 public:
  // `told` is told each thing that was done, in words: texts from the store are in it as they are.
  using OnDone = std::function<void(std::string)>;
  SummaryRepair(LmdbEnv& env, std::string aside_path, OnDone told)
      : env_(env), aside_path_(std::move(aside_path)), told_(std::move(told)) {}

  // An error: nothing was changed.
  Status run();
  uint64_t set_aside() const { return set_aside_; }
  uint64_t done() const { return done_; }

 private:
  using RowName = std::pair<Hash128, uint16_t>;  // value, import
  using Rows = std::map<RowName, Counters>;
  using IsWhole = std::function<bool(std::string_view key, std::string_view value)>;

  Status load();
  Status set_aside_broken();
  Status set_aside(const char* name, const IsWhole& is_whole);
  Status write_aside();

  // Rollups (repair_rollups.cc).
  Status repair_site();
  Status find_buckets();
  void find_open_visits();
  Status repair_bucket(Level level, int64_t start_s);
  Status repair_totals(const Place& place, Rows& totals);
  Status go_by_witnesses(const Place& place, Rows& totals);
  Status find_visitors(const Place& place, const Rows& before, Rows& totals);
  Status repair_rows(const Place& place, Dimension dimension, const Rows& totals);
  Status push_down(const Place& place, Dimension dimension, const Rows& totals, const Rows& rows);
  std::optional<Place> damaged_below(const Place& place, Dimension dimension) const;
  Status add_below(const Place& place, Dimension dimension, uint16_t import, const SumValues& sums);
  bool go_by_finer(const Place& place, Dimension dimension, const Rows& parts, Rows& rows);
  bool go_by_totals(const Place& place, Dimension dimension, const Rows& totals, Rows& rows);
  bool drop_nameless(const Place& place, Dimension dimension, Rows& rows);
  bool has_finer(const Place& place) const;

  // What is stored (repair_rows.cc).
  static Counters& row_at(Rows& rows, Dimension dimension, const Hash128& value, uint16_t import);
  Result<Rows> load_rows(Dimension dimension, Level level, int64_t start_s);
  Result<Rows> load_finer(Dimension dimension, const Place& place);
  Status store_rows(Dimension dimension, const Place& place, Rows& rows);
  Status count_keys(const Place& place, Dimension dimension, const Rows& rows);
  bool has_text(const Hash128& value, const Place& place) const;
  void tell(const Place& place, Dimension dimension, std::string_view what);
  Status remove_orphans();

  LmdbEnv& env_;
  const std::string aside_path_;
  const OnDone told_;
  uint64_t set_aside_ = 0, done_ = 0;
  std::string aside_;  // lines

  LmdbTxn txn_;
  LmdbDatabase rollups_, key_counts_, to_trim_, dictionary_;
  CheckpointState checkpoint_;
  std::vector<Zone> zones_;
  KeptSince kept_since_;

  uint16_t site_ = 0;  // the running one
  std::array<std::set<int64_t>, kLevels.size()> buckets_;
  std::array<PlaceSums, kDimensions> open_;  // what open visits will bring
  struct Bucket {
    Dimension dimension;
    Level level;
    int64_t start_s;
    auto operator<=>(const Bucket&) const = default;
  };
  std::set<Bucket> damaged_;  // whose rows were not what totals say
};

}  // namespace footfall
