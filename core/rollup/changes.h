// What happened since the last checkpoint: counter deltas at the finest level, keyed values, new dictionary entries. Taken
// as one ChangeBlock per checkpoint.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/string_map.h"
#include "rollup/counters.h"
#include "rollup/keys.h"

namespace footfall {

// Numbers are stored.
enum class KeyedDatabase : uint8_t { visitors = 0, open_visits = 1, orders = 2 };
inline constexpr size_t kKeyedDatabases = 3;

class Changes {
 public:
  // The counters of a key at the level minute, to be added to. The reference lives until the next call.
  Counters& at(uint16_t site, Dimension dimension, int64_t minute_start_s, const Hash128& value) {
    Counters& counters = deltas_[RollupKey{site, dimension, Level::minute, minute_start_s, value, import_}];
    if (dimension == Dimension::total && counters.visitors.empty()) counters.visitors.set_precision(Precision::total);
    return counters;
  }

  // What is added from now on belongs to that import; 0: live.
  void set_import(uint16_t import) { import_ = import; }
  uint16_t import() const { return import_; }

  // Makes sure that the text of a hash is known in that month.
  void name(uint16_t month, const Hash128& value, std::string_view text);

  // The last one of a key counts. An empty value removes.
  void set(KeyedDatabase database, std::string key, std::string value);
  // What set() gave since the last take(); nullptr: nothing.
  const std::string* find(KeyedDatabase database, const std::string& key) const;

  bool empty() const { return deltas_.empty() && keyed_changes() == 0 && entries_.empty(); }
  size_t keyed_changes() const;

  // All of it as a serialised footfall.v1.ChangeBlock, in key order; then empty again.
  std::string take();
  // Forgets which texts were named, so that they are named again: after the months' dictionaries may have been dropped.
  void forget_names() { named_.clear(); }

 private:
  struct Name {
    uint16_t month;
    Hash128 value;
    auto operator<=>(const Name&) const = default;
    template <class H>
    friend H AbslHashValue(H state, const Name& name) {
      return H::combine(std::move(state), name.month, name.value);
    }
  };

  uint16_t import_ = 0;
  absl::flat_hash_map<RollupKey, Counters> deltas_;
  absl::flat_hash_map<Name, std::string> entries_;
  absl::flat_hash_map<Name, bool> named_;
  StringMap<std::string> keyed_[kKeyedDatabases];
};

}  // namespace footfall
