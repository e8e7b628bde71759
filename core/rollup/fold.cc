#include "rollup/fold.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>

#include "base/prefetch.h"
#include "rollup/row_writer.h"
#include "rollup/settled.h"

namespace footfall {
namespace {

// In the order of keys each lies somewhere else.
constexpr size_t kRowsAhead = 8;

}  // namespace

void Fold::add(const RollupKey& key, const Counters& counters) { sums_.at(key).merge(counters); }

void Fold::add(Deltas deltas) {
  if (sums_.empty()) {
    sums_ = std::move(deltas);
    return;
  }
  for (const auto& [bucket, rows] : deltas.buckets())
    for (const auto& [key, counters] : *rows) sums_.at(bucket, key).first.merge(*counters);
}

void Fold::leave_out_too_old(std::vector<SortedRows::Row>& rows) const {
  if (horizons_ == Horizons()) return;
  const RollupKey* last = nullptr;
  bool is_last_too_old = false;
  std::erase_if(rows, [&](const SortedRows::Row& row) {
    const RollupKey& key = row.key;
    if (last == nullptr || last->bucket_start_s != key.bucket_start_s || last->level != key.level || last->site != key.site)
      is_last_too_old =
          horizons_.is_too_old(key.level, zone_of_(key.site).next_bucket_s(key.level, key.bucket_start_s));
    last = &key;
    return is_last_too_old;
  });
}

Status Fold::write(LmdbTxn& txn, const RollupDatabases& rollups, LmdbDatabase dictionary, Upkeep& upkeep) {
  Result<LmdbCursor> to = LmdbCursor::open(txn, rollups.rollups);
  if (!to) return to.error();
  RowWriter writer(txn, rollups, std::move(*to), now_s_);
  absl::flat_hash_set<Hash128> named;
  for (const auto& [name, text] : names_) named.insert(name.value);
  SortedRows rows;
  for (const Level level : kLevels) {
    rows.go_up_to(level, zone_of_);
    rows.add(sums_, level);
    if (Status status = write_level(writer, rows.in_order(), named, upkeep); !status) return status;
  }
  if (Status status = writer.finish(); !status) return status;
  upkeep.note_overrun(writer.overrun());
  for (const auto& [bucket, gone] : writer.trimmed()) upkeep.note_trim(bucket, gone);
  return write_names(txn, dictionary, upkeep);
}

Status Fold::write_level(RowWriter& writer, std::vector<SortedRows::Row> rows, const absl::flat_hash_set<Hash128>& named,
                         Upkeep& upkeep) {
  leave_out_too_old(rows);
  const bool has_late =
      std::any_of(rows.begin(), rows.end(), [](const SortedRows::Row& row) { return row.key.late != Lateness{}; });
  for (const When when : {When::in_time, When::late, When::too_late}) {
    if (when != When::in_time && !has_late) break;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i + kRowsAhead < rows.size()) prefetch(rows[i + kRowsAhead].counters, sizeof(Counters));
      const RollupKey& key = rows[i].key;
      Counters& counters = *rows[i].counters;
      if (when_of(key) != when) continue;
      Distinct apart;  // no visitors are kept by minute; the level above needs them
      if (key.level == Level::minute) std::swap(apart, counters.visitors);
      const bool is_zero = counters.is_zero();
      if (!is_zero)
        if (Status status = writer.add(key, counters, when); !status) return status;
      if (key.level == Level::minute) std::swap(apart, counters.visitors);
      const bool kept = !is_zero && writer.was_kept();
      if (named.contains(key.value)) has_row_[key.value] |= kept;
      if (kept) upkeep.note_row(key.value);
      written_ += !is_zero;
    }
  }
  return {};
}

Status Fold::write_names(LmdbTxn& txn, LmdbDatabase dictionary, Upkeep& upkeep) {
  for (const auto& [name, text] : names_) {
    if (const auto found = has_row_.find(name.value); found != has_row_.end() && !found->second) {
      upkeep.lose_name(name);
      continue;
    }
    if (Status status = txn.put(dictionary, dictionary_key(name.month, name.value), text); !status) return status;
    ++written_;
  }
  names_.clear();
  return {};
}

}  // namespace footfall
