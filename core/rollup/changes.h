// What happened since the last checkpoint: counter deltas at the finest level, keyed values, new dictionary entries. Taken
// as one ChangeBlock per checkpoint.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/string_map.h"
#include "rollup/bucket_map.h"
#include "rollup/counters.h"
#include "rollup/deltas.h"
#include "rollup/keys.h"

namespace footfall {

// Numbers are stored.
enum class KeyedDatabase : uint8_t { visitors = 0, open_visits = 1, orders = 2 };
inline constexpr size_t kKeyedDatabases = 3;

// Rows of one bucket that get the same counts, as those of one visit do: booked once, and added to each row when the
// changes are taken.
struct GroupRow {
  Dimension dimension;
  Hash128 value;
  std::string text;  // of the value; empty: null
};
using RowGroup = std::vector<GroupRow>;

struct DictionaryName {
  uint16_t month;
  Hash128 value;
  auto operator<=>(const DictionaryName&) const = default;
  template <class H>
  friend H AbslHashValue(H state, const DictionaryName& name) {
    return H::combine(std::move(state), name.value.low ^ name.month);
  }
};

// A record that is kept.
struct KeptRow {
  uint16_t site = 0;
  uint16_t import = 0;
  std::string row;
};

class Changes {
 public:
  // The counters of a key, to be added to. The reference lives until the changes are taken. Buckets are minutes; those of
  // imports, of which no minutes are kept, are hours of the site's zone, or coarser where hours would not be kept.
  Counters& at(uint16_t site, Dimension dimension, const BucketTime& bucket, const Hash128& value) {
    return at(site, dimension, bucket, value, {});
  }
  // The same, and makes sure that the value's text is known.
  Counters& at(uint16_t site, Dimension dimension, const BucketTime& bucket, const Hash128& value, std::string_view text);

  // The group known by that name, made by `make` where it is not known. It lives while groups_number() stays the same,
  // which only take() and take_deltas() change.
  template <class Make>
  const RowGroup& group(const Hash128& name, Make make) {
    RecentGroup& recent = recent_groups_[absl::Hash<Hash128>{}(name) % kRecentGroups];
    if (recent.group != nullptr && recent.name == name) return *recent.group;
    std::unique_ptr<RowGroup>& group = groups_[name];
    if (!group) group = std::make_unique<RowGroup>(make());
    recent = {name, group.get()};
    return *group;
  }
  uint64_t groups_number() const { return groups_number_; }
  // The counters of all rows of a group in one bucket, likewise.
  Counters& at(uint16_t site, const BucketTime& bucket, const RowGroup& group);

  // What is added from now on belongs to that import; 0: live.
  void set_import(uint16_t import) { import_ = import; }
  uint16_t import() const { return import_; }

  // Makes sure that the text of a hash is known in that month.
  void name(uint16_t month, const Hash128& value, std::string_view text);

  // The last one of a key counts. An empty value removes.
  void set(KeyedDatabase database, std::string key, std::string value);
  // Keeps a record of the import that is being counted, in its row form (rollup/kept_visit.h).
  void keep(uint16_t site, std::string row) { kept_.push_back({site, import_, std::move(row)}); }

  // What set() gave since the last take(); nullptr: nothing.
  const std::string* find(KeyedDatabase database, const std::string& key) const;

  bool empty() const { return rows() == 0 && keyed_changes() == 0 && entries_.empty() && kept_.empty(); }
  // About how many rows take() would give: of a group's some three are its own (source, campaign, referrer's host).
  size_t rows() const { return deltas_.size() + 3 * group_sums_.size(); }
  size_t keyed_changes() const;

  // Those texts are stored no more: they are named again where their values come again.
  void forget_names(const std::vector<DictionaryName>& names) {
    for (const DictionaryName& name : names) named_.erase(name);
  }

  // All of it as a serialised footfall.v1.ChangeBlock, in key order; then empty again.
  std::string take();
  // The same in parts, for whoever folds them at once: each leaves what it takes empty.
  Deltas take_deltas();
  std::vector<std::pair<DictionaryName, std::string>> take_names();                        // in key order
  StringMap<std::string> take_keyed(KeyedDatabase database);
  std::vector<KeptRow> take_kept() { return std::exchange(kept_, {}); }

 private:
  struct GroupKey {
    const RowGroup* group = nullptr;
    uint16_t import = 0;
    bool operator==(const GroupKey&) const = default;
    template <class H>
    friend H AbslHashValue(H state, const GroupKey& key) {
      return H::combine(std::move(state), key.group, key.import);
    }
  };

  Bucket bucket_of(uint16_t site, const BucketTime& bucket) const {
    return {site, import_ == 0 ? Level::minute : std::max(bucket.level, Level::hour), bucket.start_s, bucket.late};
  }
  Counters& at(const Bucket& bucket, const RowKey& key, std::string_view text);
  void settle_groups();

  uint16_t import_ = 0;
  Deltas deltas_;
  absl::flat_hash_map<Hash128, std::unique_ptr<RowGroup>> groups_;
  struct RecentGroup {
    Hash128 name;
    const RowGroup* group = nullptr;  // nullptr: nothing
  };
  static constexpr size_t kRecentGroups = 64;
  std::array<RecentGroup, kRecentGroups> recent_groups_{};  // of them, those asked for last
  BucketMap<GroupKey> group_sums_;
  uint64_t groups_number_ = 1;
  absl::flat_hash_map<DictionaryName, std::string> entries_;
  absl::flat_hash_set<DictionaryName> named_;
  StringMap<std::string> keyed_[kKeyedDatabases];
  std::vector<KeptRow> kept_;
};

}  // namespace footfall
