#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "credit/customer.h"
#include "rollup/summary.h"
#include "rollup/visit_cut.h"
#include "rollup/visit_log.h"
#include "visit/visit_record.h"
#include "visit/visitor.h"

namespace footfall {
namespace {

constexpr size_t kChangesAtOnce = 10'000;

bool is_of_import(std::string_view key, uint16_t import) {
  return key.size() >= 2 && load_be16(key.data() + key.size() - 2) == import;
}

bool is_imported_timeline(std::string_view key) {
  return !key.empty() && static_cast<uint8_t>(key.back()) == static_cast<uint8_t>(Timeline::imported);
}

template <class Wanted>
Status remove_if(LmdbTxn& txn, LmdbDatabase database, Wanted wanted) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->first(); there; there = cursor->next())
    if (wanted(cursor->key(), cursor->value()))
      if (Status status = cursor->remove(); !status) return status;
  return {};
}

// A bucket has room again for as many keys as went.
Status remove_rollups(LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase key_counts, uint16_t import) {
  std::map<std::string, uint32_t, std::less<>> removed;
  const Status status = remove_if(txn, rollups, [&](std::string_view key, std::string_view) {
    const std::optional<RollupKey> rollup = decode_rollup_key(key);
    if (!rollup || rollup->import != import) return false;
    if (rollup->value != kOtherValue) ++removed[std::string(key.substr(0, kBucketPrefixBytes))];
    return true;
  });
  if (!status) return status;
  for (const auto& [prefix, count] : removed) {
    const Result<std::string_view> stored = txn.get(key_counts, prefix);
    if (!stored) continue;
    BucketKeys keys = decode_bucket_keys(*stored);
    const bool is_left = keys.keys > count;
    keys.keys -= std::min(keys.keys, count);
    const Status put = is_left ? txn.put(key_counts, prefix, encode_bucket_keys(keys)) : txn.remove(key_counts, prefix);
    if (!put) return put;
  }
  return {};
}

// Gives each entry to `rewrite`, which changes the value and says so; an empty one goes. Some at a time: what a cursor stands on
// must not move below it.
template <class Rewrite>
Status rewrite_each(LmdbTxn& txn, LmdbDatabase database, Rewrite rewrite) {
  for (std::string from;;) {
    std::map<std::string, std::string> changed;
    bool ended = true;
    {
      Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
      if (!cursor) return cursor.error();
      std::string value;
      for (bool there = from.empty() ? cursor->first() : cursor->seek(from); there; there = cursor->next()) {
        if (changed.size() >= kChangesAtOnce) {
          from = cursor->key();
          ended = false;
          break;
        }
        if (rewrite(cursor->key(), cursor->value(), value)) changed.emplace(cursor->key(), std::move(value));
      }
    }
    for (const auto& [key, value] : changed) {
      const Status status = value.empty() ? txn.remove(database, key) : txn.put(database, key, value);
      if (!status) return status;
    }
    if (ended) return {};
  }
}

// Visitors stay with what other imports know of them.
Status forget_visitors(LmdbTxn& txn, LmdbDatabase visitors, uint16_t import) {
  return rewrite_each(txn, visitors, [&](std::string_view key, std::string_view stored, std::string& value) {
    Visitor visitor;
    if (!is_imported_timeline(key) || !decode_visitor(stored, visitor) || !visitor.forget_import(import)) return false;
    value = visitor.is_blank() ? std::string() : encode_visitor(visitor);
    return true;
  });
}

// Customers of other imports, whose visitors this one had seen too.
Status forget_touches(LmdbTxn& txn, LmdbDatabase orders, uint16_t import) {
  return rewrite_each(txn, orders, [&](std::string_view key, std::string_view stored, std::string& value) {
    Customer customer;
    const bool is_customer = key.size() == kOrderKeyIdBytes + 2 && static_cast<uint8_t>(key[2]) == kCustomerKind;
    if (!is_customer || !decode_customer(stored, customer) || !customer.forget_import(import)) return false;
    value = encode_customer(customer);
    return true;
  });
}

}  // namespace

Status SummaryWriter::remove_import(uint16_t import, CheckpointState& state, std::string_view change_block,
                                    const std::vector<VisitCut>& cuts) {
  const auto keyed = [&](KeyedDatabase database) { return keyed_[static_cast<size_t>(database)]; };
  Result<LmdbTxn> txn = begin_writing();
  if (!txn) return txn.error();
  if (Status status = remove_rollups(*txn, rollups_.rollups, rollups_.key_counts, import); !status) return status;
  if (Status status = remove_if(*txn, keyed(KeyedDatabase::orders),
                                [&](std::string_view key, std::string_view) { return is_of_import(key, import); });
      !status)
    return status;
  if (Status status = forget_touches(*txn, keyed(KeyedDatabase::orders), import); !status) return status;
  if (Status status = forget_visitors(*txn, keyed(KeyedDatabase::visitors), import); !status) return status;
  if (Status status = remove_if(*txn, keyed(KeyedDatabase::open_visits),
                                [&](std::string_view key, std::string_view value) {
                                  Visit visit;
                                  return is_imported_timeline(key) && decode_visit(value, visit) && visit.import == import;
                                });
      !status)
    return status;
  for (const LmdbDatabase database : {visit_rows_, visits_}) {
    const Status removed = remove_if(*txn, database, [&](std::string_view key, std::string_view) {
      const std::optional<VisitLogKey> visit = decode_visit_key(key);
      return visit && visit->import == import;
    });
    if (!removed) return removed;
  }
  if (Status status = cut_visits(*txn, {visit_rows_, visits_}, cuts); !status) return status;
  CheckpointState next = state;
  next.undone_imports.push_back(import);
  return commit_checkpoint(*txn, std::move(next), change_block, state);
}

}  // namespace footfall
