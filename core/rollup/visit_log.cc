#include "rollup/visit_log.h"

#include <algorithm>

#include "base/bytes.h"
#include "footfall/v1/summary.pb.h"
#include "rollup/kept_visit.h"
#include "rollup/visit_block.h"

namespace footfall {
namespace {

constexpr uint64_t kSign = 1ull << 63;
constexpr size_t kGroupBytes = 2 + 8 + 2;
constexpr size_t kKeyBytes = kGroupBytes + 4;
// Visits that began before midnight close until then; who is still there after it is packed by the dozen, or a day later.
constexpr int64_t kOverAfterS = 2 * 3600;
constexpr size_t kWorthPacking = 64;
constexpr int64_t kLongOverAfterS = 24 * 3600;
constexpr int kDaysDroppedAtOnce = 64;  // of one site, in a fold

// Removes entries from `first` on, as long as is_wanted(key, value).
template <class IsWanted>
Status remove_range(LmdbTxn& txn, LmdbDatabase database, const std::string& first, IsWanted is_wanted) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->seek(first); there && is_wanted(cursor->key(), cursor->value()); there = cursor->next())
    if (Status status = cursor->remove(); !status) return status;
  return {};
}

std::optional<VisitLogKey> first_key_of(LmdbTxn& txn, LmdbDatabase database, const VisitLogKey& from) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
  if (!cursor || !cursor->seek(encode_visit_key(from))) return std::nullopt;
  return decode_visit_key(cursor->key());
}

std::vector<const std::string*> in_order_of_start(const std::vector<std::string>& rows) {
  std::vector<std::pair<int64_t, const std::string*>> starts;
  starts.reserve(rows.size());
  for (const std::string& row : rows) {
    KeptSpan span;
    starts.emplace_back(read_kept_span(row, span) ? span.start_ms : 0, &row);
  }
  std::sort(starts.begin(), starts.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  });
  std::vector<const std::string*> order;
  order.reserve(starts.size());
  for (const auto& [start_ms, row] : starts) order.push_back(row);
  return order;
}

}  // namespace

std::string VisitLogFold::prefix_of(const Group& group) {
  return encode_visit_key({group.site, group.day_s, group.import, 0}).substr(0, kGroupBytes);
}

VisitLogSite& VisitLogState::site(uint16_t number) {
  if (number >= sites.size()) sites.resize(number + 1u);
  return sites[number];
}

std::string encode_visit_log(const VisitLogState& state) {
  v1::VisitLog message;
  for (const VisitLogSite& from : state.sites) {
    v1::VisitLogSite* site = message.add_site();
    site->set_drop_before_s(from.drop_before_s);
    site->set_newest_s(from.newest_s);
    site->set_before_s(from.before_s);
    site->set_after_s(from.after_s);
    site->set_dropped_days(from.dropped_days);
    site->set_is_cut_by_size(from.is_cut_by_size);
    site->set_whole_from_s(from.whole_from_s);
  }
  message.set_kept_since_s(state.kept_since_s);
  return message.SerializeAsString();
}

Result<VisitLogState> decode_visit_log(std::string_view bytes) {
  v1::VisitLog message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Error::corrupt("log of visits");
  VisitLogState state;
  for (const v1::VisitLogSite& site : message.site())
    state.sites.push_back({site.drop_before_s(), site.newest_s(), site.before_s(), site.after_s(), site.dropped_days(),
                           site.is_cut_by_size(), site.whole_from_s()});
  state.kept_since_s = message.kept_since_s();
  return state;
}

std::string encode_visit_key(const VisitLogKey& key) {
  std::string bytes;
  BytesWriter(bytes).be16(key.site).be64(static_cast<uint64_t>(key.day_s) ^ kSign).be16(key.import).be32(key.number);
  return bytes;
}

std::optional<VisitLogKey> decode_visit_key(std::string_view bytes) {
  if (bytes.size() != kKeyBytes) return std::nullopt;
  BytesReader reader(bytes);
  VisitLogKey key;
  key.site = reader.be16();
  key.day_s = static_cast<int64_t>(reader.be64() ^ kSign);
  key.import = reader.be16();
  key.number = reader.be32();
  return key;
}

Status VisitLogFold::add(uint16_t site, uint16_t import, std::string row) {
  KeptSpan span;
  if (!read_kept_span(row, span)) return Error::corrupt("row of a visit");
  const int64_t start_s = whole_s(span.start_ms);
  state_.site(site).newest_s = std::max(state_.site(site).newest_s, start_s);
  groups_[{site, zone_of_(site).bucket_start_s(Level::day, start_s), import}].push_back(std::move(row));
  return {};
}

Status VisitLogFold::write(bool pack_all, const Retention& retention, int64_t now_s) {
  retain(retention, now_s);
  if (Status status = find_stored_groups(); !status) return status;
  for (auto& [group, rows] : groups_)
    if (group.day_s >= state_.site(group.site).drop_before_s)
      if (Status status = write_group(group, std::move(rows), pack_all); !status) return status;
  groups_.clear();
  if (Status status = drop_old_days(); !status) return status;
  return drop_for_room(retention);
}

// Groups that nothing is added to may be over all the same.
Status VisitLogFold::find_stored_groups() {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, databases_.rows);
  if (!cursor) return cursor.error();
  for (bool there = cursor->first(); there;) {
    std::optional<VisitLogKey> key = decode_visit_key(cursor->key());
    if (!key) return Error::corrupt("key of a visit");
    groups_.try_emplace({key->site, key->day_s, key->import});
    key->number = UINT32_MAX;
    there = cursor->seek(encode_visit_key(*key));
  }
  return {};
}

bool VisitLogFold::is_over(const Group& group, size_t rows) {
  const int64_t over_s = state_.site(group.site).newest_s - zone_of_(group.site).next_bucket_s(Level::day, group.day_s);
  return over_s >= (rows >= kWorthPacking ? kOverAfterS : kLongOverAfterS);
}

// What came first is packed first.
Status VisitLogFold::write_group(const Group& group, Rows rows, bool pack_all) {
  Result<StoredRows> stored = count_stored(group);
  if (!stored) return stored.error();
  const size_t all = stored->count + rows.size();
  const bool with_rest = pack_all || is_over(group, all);
  const size_t to_pack = with_rest ? all : all / kVisitsOfBlockMax * kVisitsOfBlockMax;
  if (to_pack > 0) {
    Rows packed;
    if (Status status = take_stored(group, packed); !status) return status;
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(to_pack - packed.size());
    packed.insert(packed.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(end));
    rows.erase(rows.begin(), end);
    if (Status status = pack(group, std::move(packed)); !status) return status;
  }
  VisitLogKey key{group.site, group.day_s, group.import, stored->next_number};
  for (const std::string& row : rows) {
    if (Status status = txn_.put(databases_.rows, encode_visit_key(key), row); !status) return status;
    ++key.number;
  }
  return {};
}

Result<VisitLogFold::StoredRows> VisitLogFold::count_stored(const Group& group) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, databases_.rows);
  if (!cursor) return cursor.error();
  const std::string prefix = prefix_of(group);
  StoredRows stored;
  for (bool there = cursor->seek(prefix); there && cursor->key().starts_with(prefix); there = cursor->next()) {
    const std::optional<VisitLogKey> key = decode_visit_key(cursor->key());
    if (!key) return Error::corrupt("key of a visit");
    ++stored.count;
    stored.next_number = key->number + 1;
  }
  return stored;
}

Status VisitLogFold::take_stored(const Group& group, Rows& to) {
  const std::string prefix = prefix_of(group);
  return remove_range(txn_, databases_.rows, prefix, [&](std::string_view key, std::string_view row) {
    if (!key.starts_with(prefix)) return false;
    to.emplace_back(row);
    return true;
  });
}

// The last block of a group that is not full goes on.
Status VisitLogFold::take_last_block(const Group& group, Rows& to, uint32_t& number) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, databases_.blocks);
  if (!cursor) return cursor.error();
  const bool is_behind = cursor->seek(encode_visit_key({group.site, group.day_s, group.import, UINT32_MAX}));
  if (!(is_behind ? cursor->previous() : cursor->last()) || !cursor->key().starts_with(prefix_of(group))) return {};
  const std::optional<VisitLogKey> key = decode_visit_key(cursor->key());
  std::optional<VisitBlock> block = VisitBlock::open(cursor->value());
  if (!key || !block) return Error::corrupt("block of visits");
  const size_t visits = block->rows(VisitTable::visits);
  number = key->number + 1;
  if (visits >= kVisitsOfBlockMax || to.size() % kVisitsOfBlockMax == 0) return {};
  KeptVisit visit;
  for (size_t row = 0; row < visits; ++row) {
    if (!block->read(row, visit)) return Error::corrupt("block of visits");
    to.push_back(encode_kept_visit(visit));
  }
  number = key->number;
  return cursor->remove();
}

Status VisitLogFold::pack(const Group& group, Rows rows) {
  VisitLogKey key{group.site, group.day_s, group.import, 0};
  if (Status status = take_last_block(group, rows, key.number); !status) return status;
  VisitBlockBuilder builder;
  KeptVisit visit;
  size_t left = rows.size();
  for (const std::string* row : in_order_of_start(rows)) {
    if (!decode_kept_visit(*row, visit)) return Error::corrupt("row of a visit");
    builder.add(visit);
    if (--left > 0 && builder.visits() < kVisitsOfBlockMax) continue;
    note_span(group, builder);
    if (Status status = txn_.put(databases_.blocks, encode_visit_key(key), builder.finish()); !status) return status;
    ++key.number;
  }
  return {};
}

void VisitLogFold::note_span(const Group& group, const VisitBlockBuilder& builder) {
  VisitLogSite& site = state_.site(group.site);
  site.before_s = std::max(site.before_s, group.day_s - whole_s(builder.first_ms()));
  site.after_s = std::max(site.after_s, whole_s(builder.last_ms()) - group.day_s);
}

// A day more than is told to be kept: visits that began on it go on in the next.
void VisitLogFold::retain(const Retention& retention, int64_t now_s) {
  for (size_t number = 0; number < state_.sites.size(); ++number) {
    VisitLogSite& site = state_.sites[number];
    site.newest_s = std::min(site.newest_s, now_s);
    const Zone& zone = zone_of_(static_cast<uint16_t>(number));
    if (site.newest_s == INT64_MIN || retention.visits_s >= kForeverS) continue;
    const int64_t kept_s = zone.bucket_start_s(Level::day, site.newest_s - retention.visits_s);
    const int64_t drop_before_s = zone.bucket_start_s(Level::day, kept_s - 1);
    if (drop_before_s <= site.drop_before_s) continue;
    site.drop_before(drop_before_s, zone);
    site.is_cut_by_size = false;
  }
}

std::optional<int64_t> VisitLogFold::oldest_day_s(uint16_t site) {
  std::optional<int64_t> oldest;
  for (const LmdbDatabase database : {databases_.rows, databases_.blocks}) {
    const std::optional<VisitLogKey> key = first_key_of(txn_, database, {site, INT64_MIN, 0, 0});
    if (key && key->site == site && (!oldest || key->day_s < *oldest)) oldest = key->day_s;
  }
  return oldest;
}

Status VisitLogFold::drop_old_days() {
  for (size_t number = 0; number < state_.sites.size(); ++number) {
    const uint16_t site = static_cast<uint16_t>(number);
    for (int days = 0; days < kDaysDroppedAtOnce; ++days) {
      const std::optional<int64_t> day_s = oldest_day_s(site);
      if (!day_s || *day_s >= state_.sites[number].drop_before_s) break;
      if (Status status = drop_day(site, *day_s); !status) return status;
    }
  }
  return {};
}

// The oldest day of all sites, as long as there are too many bytes.
Status VisitLogFold::drop_for_room(const Retention& retention) {
  for (int days = 0; days < kDaysDroppedAtOnce; ++days) {
    const uint64_t bytes = txn_.bytes(databases_.rows) + txn_.bytes(databases_.blocks);
    if (bytes <= static_cast<uint64_t>(retention.visits_bytes_max)) break;
    std::optional<std::pair<int64_t, uint16_t>> oldest;
    for (size_t number = 0; number < state_.sites.size(); ++number)
      if (const std::optional<int64_t> day_s = oldest_day_s(static_cast<uint16_t>(number)))
        if (!oldest || *day_s < oldest->first) oldest = {*day_s, static_cast<uint16_t>(number)};
    if (!oldest) break;
    const auto [day_s, site] = *oldest;
    const Zone& zone = zone_of_(site);
    state_.site(site).drop_before(zone.next_bucket_s(Level::day, day_s), zone);
    state_.site(site).is_cut_by_size = true;
    if (Status status = drop_day(site, day_s); !status) return status;
  }
  return {};
}

Status VisitLogFold::drop_day(uint16_t site, int64_t day_s) {
  ++state_.site(site).dropped_days;
  const std::string first = encode_visit_key({site, day_s, 0, 0});
  const std::string_view prefix = std::string_view(first).substr(0, kGroupBytes - sizeof(uint16_t));
  const auto is_of_day = [&](std::string_view key, std::string_view) { return key.starts_with(prefix); };
  for (const LmdbDatabase database : {databases_.rows, databases_.blocks})
    if (Status status = remove_range(txn_, database, first, is_of_day); !status) return status;
  return {};
}

}  // namespace footfall
