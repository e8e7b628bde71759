#include "rollup/changes.h"

#include <algorithm>

#include "footfall/v1/summary.pb.h"
#include "rollup/counters_codec.h"
#include "rollup/sorted_rows.h"

namespace footfall {
namespace {

constexpr size_t kNamedMax = 200'000;  // texts remembered as named; beyond, they are named again
constexpr size_t kGroupsMax = 50'000;  // groups that outlive a take()

// Of a map with pointers to its values' keys in order; the map is left with empty values.
template <class Map>
auto take_sorted(Map& map) {
  std::vector<std::pair<typename Map::key_type, typename Map::mapped_type>> entries;
  entries.reserve(map.size());
  for (auto& [key, value] : map) entries.emplace_back(key, std::move(value));
  map.clear();
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return entries;
}

}  // namespace

Counters& Changes::at(uint16_t site, Dimension dimension, const BucketTime& bucket, const Hash128& value,
                      std::string_view text) {
  return at(bucket_of(site, bucket), {value, dimension, import_}, text);
}

Counters& Changes::at(const Bucket& bucket, const RowKey& key, std::string_view text) {
  const auto [counters, fresh] = deltas_.at(bucket, key);
  if (fresh && !text.empty()) name(month_number(bucket.start_s), key.value, text);
  return counters;
}

Counters& Changes::at(uint16_t site, const BucketTime& bucket, const RowGroup& group) {
  const auto [sum, fresh] = group_sums_.at(bucket_of(site, bucket), {&group, import_});
  if (fresh) sum.visitors.set_precision(Precision::total);
  return sum;
}

void Changes::settle_groups() {
  for (const auto& [bucket, sums] : group_sums_.buckets())
    for (const auto& [group, sum] : *sums) {
      Counters row_sum = *sum;
      row_sum.visitors.lower_precision(Precision::row);
      for (const GroupRow& row : *group.group)
        at(bucket, {row.value, row.dimension, group.import}, row.text)
            .merge(row.dimension == Dimension::total ? *sum : row_sum);
    }
  group_sums_.clear();
  if (groups_.size() <= kGroupsMax) return;
  groups_.clear();
  recent_groups_ = {};
  ++groups_number_;
}

void Changes::name(uint16_t month, const Hash128& value, std::string_view text) {
  if (value == kNullValue || value == kOtherValue) return;
  if (named_.size() >= kNamedMax) named_.clear();
  if (named_.insert(DictionaryName{month, value}).second) entries_.try_emplace(DictionaryName{month, value}, text);
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

Deltas Changes::take_deltas() {
  settle_groups();
  return std::exchange(deltas_, {});
}

std::vector<std::pair<DictionaryName, std::string>> Changes::take_names() { return take_sorted(entries_); }

StringMap<std::string> Changes::take_keyed(KeyedDatabase database) {
  return std::exchange(keyed_[static_cast<size_t>(database)], {});
}

std::string Changes::take() {
  v1::ChangeBlock block;
  const Deltas deltas = take_deltas();
  SortedRows rows;
  rows.add(deltas);
  for (const SortedRows::Row& row : rows.in_order()) {
    if (row.counters->is_zero()) continue;
    v1::Delta* delta = block.add_delta();
    delta->set_key(encode_key(row.key));
    delta->set_late(row.key.late.code());
    fill_rollup(*row.counters, *delta->mutable_rollup());
  }
  for (auto& [name, text] : take_names()) {
    v1::DictionaryEntry* entry = block.add_entry();
    std::string hash;
    BytesWriter(hash).hash(name.value);
    entry->set_hash(std::move(hash));
    entry->set_month(name.month);
    entry->set_text(std::move(text));
  }
  for (size_t database = 0; database < kKeyedDatabases; ++database) {
    const StringMap<std::string> changes = take_keyed(static_cast<KeyedDatabase>(database));
    for (const auto* changed : in_order(changes)) {
      v1::KeyedChange* change = block.add_change();
      change->set_database(static_cast<uint32_t>(database));
      change->set_key(changed->first);
      change->set_value(changed->second);
    }
  }
  for (KeptRow& kept : take_kept()) {
    v1::KeptRow* row = block.add_kept();
    row->set_site(kept.site);
    row->set_import(kept.import);
    row->set_row(std::move(kept.row));
  }
  return block.SerializeAsString();
}

}  // namespace footfall
