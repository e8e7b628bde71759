// Rollups, site by site, from the finest level up: totals first, then each dimension's rows.
#include <algorithm>

#include "base/bytes.h"
#include "rollup/repair.h"
#include "rollup/visit_parts.h"

namespace footfall {
namespace {

void add_to_sum(Counters& to, size_t sum, __int128 amount) {
  if (sum >= kCounters)
    to[static_cast<Amount>(sum - kCounters)] += amount;
  else
    to[static_cast<Counter>(sum)] += static_cast<int64_t>(amount);
}

// Whatever the visitors and times. True: something was changed.
bool set_sums(Counters& to, const SumValues& wanted) {
  const SumValues is = sum_values(to);
  for (size_t sum = 0; sum < kSums; ++sum)
    if (is[sum] != wanted[sum]) add_to_sum(to, sum, wanted[sum] - is[sum]);
  return is != wanted;
}

template <class Rows>
std::map<uint16_t, RowSums> by_import(const Rows& rows) {
  std::map<uint16_t, RowSums> sums;
  for (const auto& [name, counters] : rows) sums[name.second].add(name.first, counters);
  return sums;
}

template <class... Maps>
std::set<uint16_t> imports_of(const Maps&... maps) {
  std::set<uint16_t> imports;
  (..., [&] {
    for (const auto& [import, sums] : maps) imports.insert(import);
  }());
  return imports;
}

}  // namespace

Status SummaryRepair::repair_site() {
  if (Status status = find_buckets(); !status) return status;
  find_open_visits();
  damaged_.clear();
  for (const Level level : kLevels)
    for (const int64_t start_s : buckets_[static_cast<size_t>(level)])
      if (Status status = repair_bucket(level, start_s); !status) return status;
  return {};
}

// Also those that are missing though finer ones are there.
Status SummaryRepair::find_buckets() {
  buckets_.fill({});
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, rollups_);
  if (!cursor) return cursor.error();
  const std::string first = bucket_prefix(site_, Dimension::total, Level::minute, INT64_MIN);
  for (bool there = cursor->seek(first); there;) {
    const std::optional<RollupKey> key = decode_rollup_key(cursor->key());
    if (!key || key->site != site_) break;
    buckets_[static_cast<size_t>(key->level)].insert(key->bucket_start_s);
    there = cursor->seek(bucket_prefix(site_, key->dimension, key->level, key->bucket_start_s + 1));
  }
  const Zone& zone = zones_[site_];
  for (size_t level = 1; level < kLevels.size(); ++level)
    for (const int64_t start_s : buckets_[level - 1]) {
      const int64_t above_s = zone.bucket_start_s(kLevels[level], start_s);
      if (has_finer({kLevels[level], above_s, 0})) buckets_[level].insert(above_s);
    }
  return {};
}

void SummaryRepair::find_open_visits() {
  open_.fill({});
  const Result<LmdbDatabase> open_visits = txn_.database("open_visits");
  if (!open_visits) return;
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, *open_visits);
  if (!cursor) return;
  const Zone& zone = zones_[site_];
  for (bool there = cursor->first(); there; there = cursor->next()) {
    Visit visit;
    if (load_be16(cursor->key().data()) != site_ || !decode_visit(cursor->value(), visit)) continue;
    for (size_t dimension = 0; dimension < kDimensions; ++dimension) {
      if (!is_booked_at_close(visit, static_cast<Dimension>(dimension))) continue;
      each_part_of_visit(visit, [&](int64_t minute_s, const Counters& part) {
        for (const Level level : kLevels) {
          if (level == Level::minute && visit.import != 0) continue;
          const int64_t start_s = zone.bucket_start_s(level, minute_s);
          open_[dimension][{level, start_s, visit.import}].add(kOtherValue, part);
          buckets_[static_cast<size_t>(level)].insert(start_s);  // all its rows may be lost
        }
      });
    }
  }
}

Status SummaryRepair::repair_bucket(Level level, int64_t start_s) {
  const Place place{level, start_s, 0};
  if (zones_[site_].next_bucket_s(level, start_s) <= kept_since_[static_cast<size_t>(level)])
    return {};  // it goes soon
  Result<Rows> totals = load_rows(Dimension::total, level, start_s);
  if (!totals) return totals.error();
  if (Status status = repair_totals(place, *totals); !status) return status;
  for (size_t number = 1; number < kDimensions; ++number) {
    const auto dimension = static_cast<Dimension>(number);
    static const Rows kNothing;  // another lookback moves credit, and gives none
    if (Status status = repair_rows(place, dimension, is_by_lookback(dimension) ? kNothing : *totals); !status) return status;
  }
  return {};
}

// What compare_levels() looks at.
bool SummaryRepair::has_finer(const Place& place) const {
  if (place.level == Level::minute) return false;
  const auto level = static_cast<size_t>(place.level);
  return place.start_s >= kept_since_[level - 1] &&
         zones_[site_].next_bucket_s(place.level, place.start_s) > kept_since_[level];
}

// --- totals ----------------------------------------------------------------------------------------------------------

Status SummaryRepair::repair_totals(const Place& place, Rows& totals) {
  const uint64_t done = done_;
  const Rows before = totals;
  if (has_finer(place)) {
    const Result<Rows> finer = load_finer(Dimension::total, place);
    if (!finer) return finer.error();
    if (go_by_finer(place, Dimension::total, *finer, totals))
      tell(place, Dimension::total, "counted anew from what is finer");
  }
  if (Status status = go_by_witnesses(place, totals); !status) return status;
  if (Status status = find_visitors(place, before, totals); !status) return status;
  if (done_ != done)
    if (Status status = store_rows(Dimension::total, place, totals); !status) return status;
  return count_keys(place, Dimension::total, totals);
}

// Device and country go with nearly everything that totals have. Where both say the same, and the totals do not, the
// totals are wrong; but not where they were just made from what is finer.
Status SummaryRepair::go_by_witnesses(const Place& place, Rows& totals) {
  const Result<Rows> devices = load_rows(Dimension::device, place.level, place.start_s);
  const Result<Rows> countries = load_rows(Dimension::country, place.level, place.start_s);
  if (!devices || !countries) return devices ? countries.error() : devices.error();
  const std::map<uint16_t, RowSums> one = by_import(*devices), other = by_import(*countries);
  for (const auto& [import, sums] : one) {
    if (has_finer(place) && !(place.level == Level::hour && import != 0)) continue;
    const auto same = other.find(import);
    const auto stored = totals.find({kNullValue, import});
    SumValues wanted = stored != totals.end() ? sum_values(stored->second) : SumValues{};
    bool agree = same != other.end();
    for (const uint8_t sum : sums_that_add_up(Dimension::device)) {
      agree = agree && same->second.sums[sum] == sums.sums[sum];
      wanted[sum] = sums.sums[sum];
    }
    if (!agree && stored != totals.end()) continue;
    if (set_sums(row_at(totals, Dimension::total, kNullValue, import), wanted))
      tell(place, Dimension::total, "counted anew from its devices");
  }
  return {};
}

// Of totals that were lost, unless what is finer knew them.
Status SummaryRepair::find_visitors(const Place& place, const Rows& before, Rows& totals) {
  if (place.level == Level::minute) return {};  // which know none
  for (auto& [name, counters] : totals) {
    if (before.contains(name) || counters[Counter::visits] == 0 || !counters.visitors.empty()) continue;
    const Result<Rows> devices = load_rows(Dimension::device, place.level, place.start_s);
    if (!devices) return devices.error();
    for (const auto& [device, row] : *devices)
      if (device.second == name.second) counters.visitors.merge(row.visitors);
    if (!counters.visitors.empty()) tell(place, Dimension::total, "visitors are those of its devices");
  }
  return {};
}

// --- rows ------------------------------------------------------------------------------------------------------------

Status SummaryRepair::repair_rows(const Place& place, Dimension dimension, const Rows& totals) {
  Result<Rows> rows = load_rows(dimension, place.level, place.start_s);
  if (!rows) return rows.error();
  const uint64_t done = done_;
  bool is_damaged = drop_nameless(place, dimension, *rows);
  if (is_damaged) tell(place, dimension, "rows whose text is gone are counted under `other`");
  if (has_finer(place)) {
    if (Status status = push_down(place, dimension, totals, *rows); !status) return status;
    const Result<Rows> finer = load_finer(dimension, place);
    if (!finer) return finer.error();
    if (go_by_finer(place, dimension, *finer, *rows)) tell(place, dimension, "counted anew from what is finer");
  }
  if (go_by_totals(place, dimension, totals, *rows)) {
    is_damaged = true;
    tell(place, dimension, "what its rows lack of the total is counted under `other`");
  }
  if (is_damaged) damaged_.insert({dimension, place.level, place.start_s});
  if (done_ != done)
    if (Status status = store_rows(dimension, place, *rows); !status) return status;
  return count_keys(place, dimension, *rows);
}

// Some sums have no total to go by, as a page's visits. Where rows of a finer bucket were lost, and the bucket itself
// is as its totals are, these go by it.
Status SummaryRepair::push_down(const Place& place, Dimension dimension, const Rows& totals, const Rows& rows) {
  const std::optional<Place> below = damaged_below(place, dimension);
  Rows as_it_is = rows;
  if (!below || go_by_totals(place, dimension, totals, as_it_is)) return {};
  const Result<Rows> finer = load_finer(dimension, place);
  if (!finer) return finer.error();
  const std::span<const uint8_t> known = sums_that_add_up(dimension);
  const std::map<uint16_t, RowSums> are = by_import(rows), parts = by_import(*finer);
  for (const auto& [import, is] : are) {
    if (place.level == Level::hour && import != 0) continue;
    SumValues lacks = is.sums;
    if (const auto part = parts.find(import); part != parts.end())
      for (size_t sum = 0; sum < kSums; ++sum) lacks[sum] -= part->second.sums[sum];
    for (const uint8_t sum : known) lacks[sum] = 0;
    if (lacks != SumValues{})
      if (Status status = add_below(*below, dimension, import, lacks); !status) return status;
  }
  return {};
}

std::optional<Place> SummaryRepair::damaged_below(const Place& place, Dimension dimension) const {
  const Level level = kLevels[static_cast<size_t>(place.level) - 1];
  const auto found = damaged_.lower_bound({dimension, level, place.start_s});
  const int64_t end_s = zones_[site_].next_bucket_s(place.level, place.start_s);
  if (found == damaged_.end() || found->dimension != dimension || found->level != level || found->start_s >= end_s)
    return std::nullopt;
  return Place{level, found->start_s, 0};
}

// To the row `other` of a damaged bucket, and of one that is damaged within it.
Status SummaryRepair::add_below(const Place& place, Dimension dimension, uint16_t import, const SumValues& sums) {
  Result<Rows> rows = load_rows(dimension, place.level, place.start_s);
  if (!rows) return rows.error();
  Counters& other = row_at(*rows, dimension, kOtherValue, import);
  for (size_t sum = 0; sum < kSums; ++sum) add_to_sum(other, sum, sums[sum]);
  tell(place, dimension, "what its rows lack is counted under `other`");
  if (Status status = store_rows(dimension, place, *rows); !status) return status;
  if (!has_finer(place) || (place.level == Level::hour && import != 0)) return {};
  const std::optional<Place> below = damaged_below(place, dimension);
  return below ? add_below(*below, dimension, import, sums) : Status();
}

bool SummaryRepair::drop_nameless(const Place& place, Dimension dimension, Rows& rows) {
  bool changed = false;
  for (auto row = rows.begin(); row != rows.end();) {
    const auto [value, import] = row->first;
    if (dimension == Dimension::total || value == kNullValue || value == kOtherValue || has_text(value, place)) {
      ++row;
      continue;
    }
    const Counters counters = std::move(row->second);
    row = rows.erase(row);
    row_at(rows, dimension, kOtherValue, import).merge(counters);
    changed = true;
  }
  return changed;
}

// By value where nobody cut values off, else in all.
bool SummaryRepair::go_by_finer(const Place& place, Dimension dimension, const Rows& parts, Rows& rows) {
  const std::map<uint16_t, RowSums> are = by_import(rows), wanted = by_import(parts);
  bool changed = false;
  for (const uint16_t import : imports_of(are, wanted)) {
    if (place.level == Level::hour && import != 0) continue;  // no minutes are kept of imports
    const RowSums is = are.contains(import) ? are.at(import) : RowSums();
    const RowSums must = wanted.contains(import) ? wanted.at(import) : RowSums();
    const bool cut = is.has_other || must.has_other;
    if (is.sums == must.sums && (cut || is.prints == must.prints)) continue;
    changed = true;
    if (cut) {
      Counters& other = row_at(rows, dimension, kOtherValue, import);
      for (size_t sum = 0; sum < kSums; ++sum) add_to_sum(other, sum, must.sums[sum] - is.sums[sum]);
      continue;
    }
    std::erase_if(rows, [&](const auto& row) { return row.first.second == import && !parts.contains(row.first); });
    for (const auto& [name, part] : parts) {
      if (name.second != import) continue;
      const bool fits =
          rows.contains(name) || dimension == Dimension::total || rows.size() < candidates_max(place.level);
      Counters& row = row_at(rows, dimension, fits ? name.first : kOtherValue, import);
      const bool is_new = row.is_zero();
      if (!fits || is_new)
        row.merge(part);
      else
        set_sums(row, sum_values(part));
    }
  }
  return changed;
}

bool SummaryRepair::go_by_totals(const Place& place, Dimension dimension, const Rows& totals, Rows& rows) {
  const std::span<const uint8_t> sums = sums_that_add_up(dimension);
  if (sums.empty()) return false;
  std::map<uint16_t, RowSums> are = by_import(rows);
  const std::map<uint16_t, RowSums> wanted = by_import(totals);
  for (const auto& [import, total] : wanted) are.try_emplace(import);
  const auto& open_here = open_[static_cast<size_t>(dimension)];
  for (auto open = open_here.lower_bound({place.level, place.start_s, 0});
       open != open_here.end() && open->first.level == place.level && open->first.start_s == place.start_s; ++open)
    are.try_emplace(open->first.import);
  bool changed = false;
  for (auto& [import, is] : are) {
    if (const auto open = open_here.find({place.level, place.start_s, import}); open != open_here.end())
      is.merge(open->second);
    const RowSums must = wanted.contains(import) ? wanted.at(import) : RowSums();
    for (const uint8_t sum : sums) {
      if (is.sums[sum] == must.sums[sum]) continue;
      add_to_sum(row_at(rows, dimension, kOtherValue, import), sum, must.sums[sum] - is.sums[sum]);
      changed = true;
    }
  }
  return changed;
}

}  // namespace footfall
