#include "rollup/changes.h"

#include <algorithm>
#include <vector>

#include "footfall/v1/summary.pb.h"

namespace footfall {
namespace {

constexpr size_t kNamedMax = 200'000;  // texts remembered as named; beyond, they are named again

template <class Map>
auto sorted(const Map& map) {
  std::vector<typename Map::const_pointer> entries;
  entries.reserve(map.size());
  for (const auto& entry : map) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](auto* a, auto* b) { return a->first < b->first; });
  return entries;
}

}  // namespace

void Changes::name(uint16_t month, const Hash128& value, std::string_view text) {
  if (value == kNullValue || value == kOtherValue) return;
  if (named_.size() >= kNamedMax) named_.clear();
  if (named_.try_emplace(Name{month, value}, true).second) entries_.try_emplace(Name{month, value}, text);
}

void Changes::set(KeyedDatabase database, std::string key, std::string value) {
  keyed_[static_cast<size_t>(database)].insert_or_assign(std::move(key), std::move(value));
}

const std::string* Changes::find(KeyedDatabase database, const std::string& key) const {
  const auto& map = keyed_[static_cast<size_t>(database)];
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

size_t Changes::keyed_changes() const {
  size_t count = 0;
  for (const auto& map : keyed_) count += map.size();
  return count;
}

std::string Changes::take() {
  v1::ChangeBlock block;
  for (const auto* entry : sorted(deltas_)) {
    if (entry->second.is_zero()) continue;
    v1::Delta* delta = block.add_delta();
    delta->set_key(encode_key(entry->first));
    delta->mutable_rollup()->ParseFromString(encode_counters(entry->second));
  }
  for (const auto* named : sorted(entries_)) {
    v1::DictionaryEntry* entry = block.add_entry();
    std::string hash;
    BytesWriter(hash).hash(named->first.value);
    entry->set_hash(std::move(hash));
    entry->set_month(named->first.month);
    entry->set_text(named->second);
  }
  for (size_t database = 0; database < kKeyedDatabases; ++database) {
    for (const auto* changed : sorted(keyed_[database])) {
      v1::KeyedChange* change = block.add_change();
      change->set_database(static_cast<uint32_t>(database));
      change->set_key(changed->first);
      change->set_value(changed->second);
    }
    keyed_[database].clear();
  }
  deltas_.clear();
  entries_.clear();
  return block.SerializeAsString();
}

}  // namespace footfall
