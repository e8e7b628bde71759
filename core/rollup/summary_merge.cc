#include <algorithm>
#include <map>
#include <set>

#include "base/bytes.h"
#include "base/clock.h"
#include "credit/customer.h"
#include "credit/order.h"
#include "credit/order_change.h"
#include "credit/spend_record.h"
#include "rollup/kept_visit.h"
#include "rollup/order_entry.h"
#include "rollup/summary.h"
#include "rollup/visit_log.h"
#include "visit/visit_record.h"
#include "visit/visitor.h"

namespace footfall {
namespace {

constexpr size_t kChangesAtOnce = 10'000;
constexpr size_t kVisitsAtOnce = 20'000;
constexpr size_t kImportBytes = sizeof(uint16_t);  // that keys of rollups and orders end with

struct Entry {
  std::string key, value;
};
using Entries = std::vector<Entry>;
using Rewritten = std::map<std::string, std::string, std::less<>>;  // by key; empty: removed

uint16_t import_of(std::string_view key) { return load_be16(key.data() + key.size() - kImportBytes); }

std::string merged_key(std::string_view key) {
  std::string merged(key.substr(0, key.size() - kImportBytes));
  BytesWriter(merged).be16(kMergedImport);
  return merged;
}

Status put_all(LmdbTxn& txn, LmdbDatabase database, const Rewritten& rewritten) {
  for (const auto& [key, value] : rewritten) {
    const Status status = value.empty() ? txn.remove(database, key) : txn.put(database, key, value);
    if (!status) return status;
  }
  return {};
}

// Gives the wanted entries, those together whose keys are the same but for their last bytes, and stores what becomes of
// them: some at a time, as what a cursor stands on must not move below it.
template <class IsWanted, class Rewrite>
Status rewrite_groups(LmdbTxn& txn, LmdbDatabase database, size_t last_bytes, IsWanted is_wanted, Rewrite rewrite) {
  const auto group_of = [&](std::string_view key) { return key.substr(0, key.size() - last_bytes); };
  for (std::string from;;) {
    Rewritten rewritten;
    Entries group;
    bool ended = true;
    {
      Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
      if (!cursor) return cursor.error();
      for (bool there = from.empty() ? cursor->first() : cursor->seek(from); there; there = cursor->next()) {
        if (!is_wanted(cursor->key(), cursor->value())) continue;
        if (!group.empty() && group_of(group.front().key) != group_of(cursor->key())) {
          rewrite(group, rewritten);
          group.clear();
          if (rewritten.size() >= kChangesAtOnce) {
            from = cursor->key();
            ended = false;
            break;
          }
        }
        group.push_back({std::string(cursor->key()), std::string(cursor->value())});
      }
    }
    if (!group.empty()) rewrite(group, rewritten);
    if (Status status = put_all(txn, database, rewritten); !status) return status;
    if (ended) return {};
  }
}

// Of several imports' orders, goals or events with one id the newest is remembered: the others are over before it.
const std::string& newest_conversion(const Entries& entries) {
  const auto newest = std::max_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return conversion_time_ms(a.value).value_or(INT64_MIN) < conversion_time_ms(b.value).value_or(INT64_MIN);
  });
  return newest->value;
}

std::string all_changes(const Entries& entries) {
  std::vector<OrderChange> all, of_import;
  for (const Entry& entry : entries)
    if (decode_changes(entry.value, of_import)) all.insert(all.end(), of_import.begin(), of_import.end());
  return encode_changes(all);
}

std::string one_customer(const Entries& entries) {
  Customer all, of_import;
  for (const Entry& entry : entries) {
    if (!decode_customer(entry.value, of_import)) continue;
    all.time_ms = std::max(all.time_ms, of_import.time_ms);
    all.add(of_import.touches);
    for (const Hash128& visitor : of_import.visitors) all.add_visitor(visitor);
  }
  return encode_customer(all);
}

// Imports that nobody can take back any more become one. Broken entries stay as they are.
class Merge {
 public:
  Merge(LmdbTxn& txn, uint16_t through, Upkeep& upkeep) : txn_(txn), through_(through), upkeep_(upkeep) {}

  Status rollups(const RollupDatabases& databases) {
    const auto is_wanted = [&](std::string_view key, std::string_view) {
      return key.size() == kRollupKeyBytes && is_old(import_of(key));
    };
    const Status status =
        rewrite_groups(txn_, databases.rollups, kImportBytes, is_wanted,
                       [&](const Entries& rows, Rewritten& to) { merge_rows(rows, to); });
    return status ? put_key_counts(databases.key_counts) : status;
  }

  Status orders(LmdbDatabase database) {
    const auto is_wanted = [&](std::string_view key, std::string_view) {
      return key.size() == kOrderKeyIdBytes + kImportBytes && (is_old(import_of(key)) || kind_of(key) == kCarriedVisitKind);
    };
    return rewrite_groups(txn_, database, kImportBytes, is_wanted, [&](const Entries& entries, Rewritten& to) {
      return kind_of(entries.front().key) == kCarriedVisitKind ? merge_carried(entries, to) : merge_orders(entries, to);
    });
  }

  Status visitors(LmdbDatabase database) {
    return rewrite_groups(txn_, database, 0, is_imported, [&](const Entries& entries, Rewritten& to) {
      Visitor visitor;
      if (!decode_visitor(entries.front().value, visitor)) return;
      bool any = renumber(visitor.bot_import);
      any |= renumber(visitor.order_import);
      any |= renumber(visitor.first_order_import);
      any |= renumber(visitor.seen.import);
      for (Touch& touch : visitor.touches) any |= renumber(touch.import);
      if (any) to[entries.front().key] = encode_visitor(visitor);
    });
  }

  Status open_visits(LmdbDatabase database) {
    return rewrite_groups(txn_, database, 0, is_imported, [&](const Entries& entries, Rewritten& to) {
      Visit visit;
      if (decode_visit(entries.front().value, visit) && renumber(visit.import))
        to[entries.front().key] = encode_visit(visit);
    });
  }

  // They go into the groups of their days as visits do that close.
  Status kept_visits(VisitLogDatabases databases, const ZoneOf& zone_of, VisitLogState& log, const Retention& retention) {
    std::set<std::pair<uint16_t, int64_t>> days;
    for (const LmdbDatabase database : {databases.rows, databases.blocks})
      if (Status status = find_days(database, days); !status) return status;
    VisitLogFold fold(txn_, databases, zone_of, log);
    size_t taken = 0;
    for (const auto& [site, day_s] : days) {
      if (Status status = take_day(databases.rows, false, site, day_s, fold, taken); !status) return status;
      if (Status status = take_day(databases.blocks, true, site, day_s, fold, taken); !status) return status;
      if (taken < kVisitsAtOnce) continue;
      taken = 0;
      if (Status status = fold.write(false, retention, now_ms() / 1000); !status) return status;
    }
    return taken > 0 ? fold.write(false, retention, now_ms() / 1000) : Status();
  }

 private:
  bool is_old(uint16_t import) const { return import > 0 && import <= through_; }
  bool is_to_go(uint16_t import) const { return import != kMergedImport && is_old(import); }
  static uint8_t kind_of(std::string_view key) { return static_cast<uint8_t>(key[sizeof(uint16_t)]); }
  static bool is_imported(std::string_view key, std::string_view) {
    return !key.empty() && static_cast<uint8_t>(key.back()) == static_cast<uint8_t>(Timeline::imported);
  }

  bool renumber(uint16_t& import) const {
    if (!is_to_go(import)) return false;
    import = kMergedImport;
    return true;
  }

  static void replace(const Entries& entries, std::string value, Rewritten& to) {
    for (const Entry& entry : entries) to[entry.key].clear();
    to[merged_key(entries.front().key)] = std::move(value);
  }

  void merge_rows(const Entries& rows, Rewritten& to) {
    if (rows.size() == 1 && !is_to_go(import_of(rows.front().key))) return;
    const std::optional<RollupKey> key = decode_rollup_key(rows.front().key);
    if (!key) return;
    upkeep_.note_row(key->value);  // its key moves, maybe behind what a sweep has seen
    if (rows.size() == 1) return replace(rows, rows.front().value, to);
    Counters sum;
    if (key->dimension == Dimension::total) sum.visitors.set_precision(Precision::total);
    for (const Entry& row : rows)
      if (!merge_encoded_counters(row.value, sum)) return;
    const bool is_left = !sum.is_zero();
    replace(rows, is_left ? encode_counters(sum) : std::string(), to);
    if (key->value != kOtherValue)
      fewer_rows_[rows.front().key.substr(0, kBucketPrefixBytes)] += static_cast<uint32_t>(rows.size() - is_left);
  }

  Status put_key_counts(LmdbDatabase key_counts) {
    for (const auto& [bucket, fewer] : fewer_rows_) {
      const Result<std::string_view> stored = txn_.get(key_counts, bucket);
      if (!stored) continue;
      BucketKeys keys = decode_bucket_keys(*stored);
      keys.keys -= std::min(keys.keys, fewer);
      const Status put = keys == BucketKeys() ? txn_.remove(key_counts, bucket)
                                              : txn_.put(key_counts, bucket, encode_bucket_keys(keys));
      if (!put) return put;
    }
    return {};
  }

  void merge_orders(const Entries& entries, Rewritten& to) {
    if (entries.size() == 1 && !is_to_go(import_of(entries.front().key))) return;
    for (const Entry& entry : entries)
      if (!is_order_entry(entry.key, entry.value)) return;
    const uint8_t kind = kind_of(entries.front().key);
    if (entries.size() == 1) return replace(entries, entries.front().value, to);
    if (kind == kOrderChangesKind) return replace(entries, all_changes(entries), to);
    if (kind == kCustomerKind) return replace(entries, one_customer(entries), to);
    // What the newest import told holds.
    const bool newest_holds = kind == kRateKind || kind == kSpendKind;
    replace(entries, newest_holds ? entries.back().value : newest_conversion(entries), to);
  }

  // What a visit was before an import that stays is not needed any more; before one that may go it is.
  void merge_carried(const Entries& entries, Rewritten& to) {
    for (const Entry& entry : entries) {
      Visit visit;
      if (is_old(import_of(entry.key))) {
        to[entry.key].clear();
      } else if (decode_visit(entry.value, visit) && renumber(visit.import)) {
        to[entry.key] = encode_visit(visit);
      }
    }
  }

  Status find_days(LmdbDatabase database, std::set<std::pair<uint16_t, int64_t>>& days) {
    Result<LmdbCursor> cursor = LmdbCursor::open(txn_, database);
    if (!cursor) return cursor.error();
    for (bool there = cursor->first(); there; there = cursor->next()) {
      const std::optional<VisitLogKey> key = decode_visit_key(cursor->key());
      if (key && is_to_go(key->import)) days.emplace(key->site, key->day_s);
    }
    return {};
  }

  Status take_day(LmdbDatabase database, bool is_block, uint16_t site, int64_t day_s, VisitLogFold& fold, size_t& taken) {
    Result<LmdbCursor> cursor = LmdbCursor::open(txn_, database);
    if (!cursor) return cursor.error();
    const std::string last = encode_visit_key({site, day_s, through_, UINT32_MAX});
    for (bool there = cursor->seek(encode_visit_key({site, day_s, kMergedImport + 1, 0})); there && cursor->key() <= last;
         there = cursor->next()) {
      if (Status status = take_visits(cursor->value(), is_block, site, fold, taken); !status) return status;
      if (Status status = cursor->remove(); !status) return status;
    }
    return {};
  }

  Status take_visits(std::string_view stored, bool is_block, uint16_t site, VisitLogFold& fold, size_t& taken) {
    KeptVisit visit;
    const auto take = [&]() -> Status {
      ++taken;
      renumber(visit.import);  // what is no visit names none
      return fold.add(site, kMergedImport, encode_kept_visit(visit));
    };
    if (!is_block) return decode_kept_visit(stored, visit) ? take() : Error::corrupt("row of a visit");
    std::optional<VisitBlock> block = VisitBlock::open(stored);
    if (!block) return Error::corrupt("block of visits");
    for (size_t row = 0; row < block->rows(VisitTable::visits); ++row) {
      if (!block->read(row, visit)) return Error::corrupt("block of visits");
      if (Status status = take(); !status) return status;
    }
    return {};
  }

  LmdbTxn& txn_;
  const uint16_t through_;
  Upkeep& upkeep_;
  std::map<std::string, uint32_t, std::less<>> fewer_rows_;  // by bucket
};

}  // namespace

void merge_import_clocks(std::map<uint16_t, int64_t>& clocks_s, uint16_t through) {
  int64_t newest_s = INT64_MIN;
  for (auto clock = clocks_s.begin(); clock != clocks_s.end() && clock->first <= through; clock = clocks_s.erase(clock))
    newest_s = std::max(newest_s, clock->second);
  if (newest_s != INT64_MIN) clocks_s[kMergedImport] = newest_s;
}

Status SummaryWriter::merge_imports(uint16_t through, const ZoneOf& zone_of, CheckpointState& state) {
  Result<LmdbTxn> txn = begin_writing();
  if (!txn) return txn.error();
  Merge merge(*txn, through, upkeep_);
  const auto keyed = [&](KeyedDatabase database) { return keyed_[static_cast<size_t>(database)]; };
  if (Status status = merge.rollups(rollups_); !status) return status;
  if (Status status = merge.orders(keyed(KeyedDatabase::orders)); !status) return status;
  if (Status status = merge.visitors(keyed(KeyedDatabase::visitors)); !status) return status;
  if (Status status = merge.open_visits(keyed(KeyedDatabase::open_visits)); !status) return status;
  Result<VisitLogState> log = load_visit_log(*txn, zone_of);
  if (!log) return log.error();
  if (Status status = merge.kept_visits({visit_rows_, visits_}, zone_of, *log, retention_); !status) return status;
  if (Status status = txn->put(meta_, kVisitLogKey, encode_visit_log(*log)); !status) return status;
  CheckpointState next = state;
  next.merged_imports = through;
  merge_import_clocks(next.import_clocks_s, through);
  return commit_checkpoint(*txn, std::move(next), {}, state);
}

}  // namespace footfall
