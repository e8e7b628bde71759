#include "rollup/trim.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/bytes.h"

namespace footfall {
namespace {

constexpr uint8_t kTrimmedBit = 1, kOverrunBit = 2, kWholeBit = 4;

// An order or a cost.
bool is_kept_first(const Counters& counters) {
  if (!counters.has_rare()) return false;
  for (size_t i = 0; i < kCounters; ++i)
    if (is_credited(static_cast<Counter>(i)) && counters[static_cast<Counter>(i)] != 0) return true;
  return counters[Amount::cost] != 0 || counters[Counter::journeys_converted] != 0;
}

// Each row of the bucket but `other`; `take` may remove the one that the cursor stands on.
template <class Take>
Status each_row(LmdbTxn& txn, LmdbDatabase rollups, const std::string& prefix, Take take) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, rollups);
  if (!cursor) return cursor.error();
  for (bool there = cursor->seek(prefix); there && cursor->key().starts_with(prefix); there = cursor->next()) {
    const std::optional<RollupKey> key = decode_rollup_key(cursor->key());
    if (!key) return Error::corrupt("rollup key");
    if (key->value == kOtherValue) continue;
    Counters counters;
    if (!merge_encoded_counters(cursor->value(), counters)) return Error::corrupt("rollup");
    if (Status status = take(*key, counters, *cursor); !status) return status;
  }
  return {};
}

Status add_to_row(LmdbTxn& txn, LmdbDatabase rollups, const RollupKey& key, Counters& counters) {
  const std::string bytes = encode_key(key);
  const Result<std::string_view> stored = txn.get(rollups, bytes);
  if (!stored && stored.error().code != Error::Code::not_found) return stored.error();
  if (stored && !merge_encoded_counters(*stored, counters)) return Error::corrupt("rollup");
  return txn.put(rollups, bytes, encode_counters(counters));
}

}  // namespace

std::string encode_bucket_keys(const BucketKeys& keys) {
  std::string bytes;
  BytesWriter(bytes).le32(keys.keys).u8((keys.trimmed ? kTrimmedBit : 0) | (keys.overrun ? kOverrunBit : 0) |
                                     (keys.whole ? kWholeBit : 0));
  return bytes;
}

BucketKeys decode_bucket_keys(std::string_view bytes) {
  BytesReader reader(bytes);
  BucketKeys keys;
  keys.keys = reader.le32();
  if (!reader.ok()) return {};
  const uint8_t flags = reader.at_end() ? 0 : reader.u8();
  keys.trimmed = (flags & kTrimmedBit) != 0;
  keys.overrun = (flags & kOverrunBit) != 0;
  keys.whole = (flags & kWholeBit) != 0;
  return keys;
}

void Ranking::add(const Hash128& value, const Counters& counters) {
  const auto [place, fresh] = places_.try_emplace(value, weights_.size());
  if (fresh) weights_.push_back({.value = value});
  Weight& weight = weights_[place->second];
  weight.conversions |= is_kept_first(counters);
  weight.hits += counters[Counter::hits] + counters[Counter::journeys_converted] + counters[Counter::journeys_last_touched];
  weight.pageviews += counters[Counter::pageviews];
  weight.visits += counters[Counter::visits];
  weight.events += counters[Counter::events];
}

bool Ranking::is_heavier(const Weight& left, const Weight& right) {
  const auto order = [](const Weight& of) {
    return std::tuple(of.value == kNullValue, of.conversions, of.hits, of.pageviews, of.visits, of.events);
  };
  const auto left_order = order(left), right_order = order(right);
  return left_order != right_order ? left_order > right_order : left.value < right.value;
}

absl::flat_hash_set<Hash128> Ranking::heaviest(size_t most) {
  const size_t kept = std::min(most, weights_.size());
  places_.clear();  // the order goes
  std::nth_element(weights_.begin(), weights_.begin() + static_cast<ptrdiff_t>(kept), weights_.end(), is_heavier);
  absl::flat_hash_set<Hash128> values;
  values.reserve(kept);
  for (size_t i = 0; i < kept; ++i) values.insert(weights_[i].value);
  weights_.clear();
  return values;
}

Status trim_bucket(LmdbTxn& txn, const RollupDatabases& databases, const std::string& prefix, uint64_t& gone) {
  const Level level = static_cast<Level>(prefix[3]);
  Ranking ranking;
  Status status = each_row(txn, databases.rollups, prefix, [&](const RollupKey& key, Counters& counters, LmdbCursor&) {
    ranking.add(key.value, counters);
    return Status();
  });
  if (!status) return status;

  const absl::flat_hash_set<Hash128> kept = ranking.heaviest(keys_max(level));
  BucketKeys keys;
  if (const Result<std::string_view> stored = txn.get(databases.key_counts, prefix)) keys = decode_bucket_keys(*stored);
  keys.keys = 0;
  keys.trimmed = true;
  keys.whole = false;
  std::map<RollupKey, Counters> others;  // one for each import
  status = each_row(txn, databases.rollups, prefix, [&](RollupKey key, Counters& counters, LmdbCursor& at) {
    if (kept.contains(key.value)) return ++keys.keys, Status();
    key.value = kOtherValue;
    others[key].merge(counters);
    ++gone;
    return at.remove();
  });
  if (!status) return status;
  for (auto& [key, counters] : others)
    if (status = add_to_row(txn, databases.rollups, key, counters); !status) return status;
  if (status = txn.remove(databases.to_trim, prefix); !status) return status;
  return txn.put(databases.key_counts, prefix, encode_bucket_keys(keys));
}

}  // namespace footfall
