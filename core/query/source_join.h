// Spend is told by a source's known name (facebook), touches are shown as they were sent (fb, m.facebook.com): where both mean the
// same source, its cost is shown in the row of the touches, that with the most visits. Reports that make one row of them
// (/v1/roi, /v1/cohorts) show it by the same name.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"
#include "query/collect.h"
#include "rollup/counters.h"
#include "rollup/summary.h"

namespace footfall {

class SourceJoin {
 public:
  // Of every row by source in the range, before any is asked for.
  void see(const RollupKey& key, const Counters& counters);
  void settle(SummarySnapshot& snapshot);

  bool moves_any() const { return !moved_.empty(); }
  // Where the spend of a row is shown: mostly where it stands.
  Hash128 row_of_spend(const Hash128& value) const;
  // see(value, text) of each row that spend moves to: its text may be known in other months than the spend's.
  template <class See>
  void each_row_moved_to(See see) const {
    for (const auto& [from, to] : moved_)
      if (const std::string* text = texts_.find(to)) see(to, *text);
  }

 private:
  struct Seen {
    int64_t visits = 0;
    bool has_spend = false;
  };
  absl::flat_hash_map<Hash128, Seen> seen_;
  absl::flat_hash_map<Hash128, Hash128> moved_;
  ValueTexts texts_;
};

// What a row of sources joined by their known name is called: as most of its visits are tagged, of equals the first in the order
// of bytes; without visits by the known name.
class SourceNames {
 public:
  void see(std::string_view text, __int128 visits);
  std::string shown(const std::string& joined) const;

 private:
  std::map<std::string, std::map<std::string, __int128>> visits_;  // by known name, then by text
};

// The counters of spend alone are taken out.
Counters take_spend(Counters& from);

}  // namespace footfall
