#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "credit/customer.h"
#include "credit/order.h"
#include "rollup/kept_visit.h"
#include "rollup/summary.h"
#include "rollup/visit_block.h"
#include "visit/visit_record.h"

namespace footfall {
namespace {

// Of one database: what is to be written once it has been read through. An empty value removes.
using Rewrites = std::map<std::string, std::string>;

template <class Look>
Status rewrite(LmdbTxn& txn, LmdbDatabase database, Look look) {
  Rewrites rewrites;
  {
    Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
    if (!cursor) return cursor.error();
    for (bool there = cursor->first(); there; there = cursor->next())
      if (Status looked = look(cursor->key(), cursor->value(), rewrites); !looked) return looked;
  }
  for (const auto& [key, value] : rewrites) {
    const Status status = value.empty() ? txn.remove(database, key) : txn.put(database, key, value);
    if (!status) return status;
  }
  return {};
}

class Forgetting {
 public:
  Forgetting(const Hash128& visitor, const Hash128& instead, Forgotten& found)
      : visitor_(visitor), instead_(instead), found_(found) {}

  // Conversions, and visits as they were when they went over into another import (keyed by their visitor).
  Status in_orders(std::string_view key, std::string_view value, Rewrites& to) {
    if (key.size() != kOrderKeyIdBytes + 2) return {};
    if (static_cast<uint8_t>(key[2]) == kCarriedVisitKind) return in_carried(key, value, to);
    if (static_cast<uint8_t>(key[2]) == kCustomerKind) {
      Customer customer;
      BytesReader name(key.substr(sizeof(uint16_t) + sizeof(uint8_t)));
      const bool is_it = name.hash() == visitor_;  // asked for as a customer
      if (!decode_customer(value, customer) || !(is_it || customer.has(visitor_))) return {};
      to[std::string(key)].clear();
      found_.visitors += is_it;
      return {};
    }
    Conversion conversion;
    if (!decode_conversion(value, conversion) || conversion.visitor != visitor_) return {};
    conversion.visitor = {};
    to[std::string(key)] = encode_conversion(conversion);
    ++found_.conversions;
    return {};
  }

  Status in_row(std::string_view key, std::string_view value, Rewrites& to) {
    KeptVisit visit;
    if (!decode_kept_visit(value, visit)) return Error::corrupt("row of a visit");
    if (take_out(visit)) to[std::string(key)] = encode_kept_visit(visit);
    return {};
  }

  // Most blocks have nothing of one visitor: two columns tell.
  Status in_block(std::string_view key, std::string_view value, Rewrites& to) {
    std::optional<VisitBlock> block = VisitBlock::open(value);
    if (!block) return Error::corrupt("block of visits");
    const auto names = [&](VisitColumn column) {
      const std::vector<int64_t>* values = block->ints(column);
      return values != nullptr &&
             std::find(values->begin(), values->end(), static_cast<int64_t>(visitor_.low)) != values->end();
    };
    if (!names(VisitColumn::visitor) && !names(VisitColumn::visitor_after)) return {};
    VisitBlockBuilder builder;
    KeptVisit visit;
    for (size_t row = 0; row < block->rows(VisitTable::visits); ++row) {
      if (!block->read(row, visit)) return Error::corrupt("block of visits");
      take_out(visit);
      builder.add(visit);
    }
    to[std::string(key)] = builder.finish();
    return {};
  }

 private:
  Status in_carried(std::string_view key, std::string_view value, Rewrites& to) {
    BytesReader reader(key);
    const uint16_t site = reader.be16();
    const uint8_t kind = reader.u8();
    if (reader.hash() != visitor_) return {};
    Visit visit;
    if (!decode_visit(value, visit)) return {};
    if (visit.distinct_visitor == visitor_.low) visit.distinct_visitor = instead_.low;
    to[std::string(key)] = "";
    to[order_key(site, kind, instead_, reader.be16())] = encode_visit(visit);
    return {};
  }

  bool take_out(KeptVisit& visit) {
    bool any = false;
    for (uint64_t* who : {&visit.visitor, &visit.visitor_after}) {
      if (*who != visitor_.low) continue;
      *who = instead_.low;
      any = true;
    }
    found_.visits += any && visit.is_visit();
    return any;
  }

  const Hash128 visitor_, instead_;
  Forgotten& found_;
};

}  // namespace

Status SummaryWriter::forget_visitor(const Hash128& visitor, const Hash128& instead, CheckpointState& state,
                                     std::string_view change_block, Forgotten found) {
  Result<LmdbTxn> txn = begin_writing();
  if (!txn) return txn.error();
  Forgetting forgetting(visitor, instead, found);
  const auto in = [&](auto look) {
    return [&forgetting, look](std::string_view key, std::string_view value, Rewrites& to) {
      return (forgetting.*look)(key, value, to);
    };
  };
  const LmdbDatabase orders = keyed_[static_cast<size_t>(KeyedDatabase::orders)];
  if (Status status = rewrite(*txn, orders, in(&Forgetting::in_orders)); !status) return status;
  if (Status status = rewrite(*txn, visit_rows_, in(&Forgetting::in_row)); !status) return status;
  if (Status status = rewrite(*txn, visits_, in(&Forgetting::in_block)); !status) return status;
  CheckpointState next = state;
  next.forgotten.push_back(found);
  if (next.forgotten.size() > kForgottenMax) next.forgotten.erase(next.forgotten.begin());
  return commit_checkpoint(*txn, std::move(next), change_block, state);
}

}  // namespace footfall
