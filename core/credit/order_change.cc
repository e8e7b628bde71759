#include "credit/order_change.h"

#include <algorithm>

#include "base/bytes.h"
#include "hit/hit.h"

namespace footfall {
namespace {

// changes: version u8 | kOrderChangesKind u8 | time_ms i64 of the newest | varint x change
// change:  kind u8 | flags u8 (1 has a value, 2 is settled) | number varint | time_ms i64 | value zigzag | currency 3 | refund
//          zigzag | revenue zigzag | parts | if settled: taken parts
// Version 2 had no number, and of a settled change the taken parts alone.
constexpr uint8_t kVersion = 3, kVersionBefore = 2;
enum : uint8_t { kHasValue = 1, kIsSettled = 2 };

OrderPart* find_part(std::vector<OrderPart>& parts, const OrderPart& like) {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const OrderPart& part) {
    return part.id == like.id && (like.category.empty() || part.category == like.category);
  });
  return found == parts.end() ? nullptr : &*found;
}

int64_t sum_of(const std::vector<OrderPart>& parts) {
  __int128 sum = 0;
  for (const OrderPart& part : parts) sum += part.value_micros;
  return static_cast<int64_t>(std::clamp<__int128>(sum, INT64_MIN, INT64_MAX));
}

// An item that is told without a price was sold for the order's; its category is the order's too.
void complete(std::vector<OrderPart>& told, std::vector<OrderPart> sold) {
  for (OrderPart& part : told) {
    const OrderPart* of = find_part(sold, part);
    if (of == nullptr) continue;
    part.category = of->category;
    if (part.value_micros == 0 && of->quantity > 0)
      part.value_micros = static_cast<int64_t>(
          divide_rounded(static_cast<__int128>(of->value_micros) * std::min(part.quantity, of->quantity), of->quantity));
  }
}

void take_off(std::span<const OrderChange> before, std::vector<OrderPart>& parts) {
  for (const OrderChange& change : before) {
    if (!change.is_settled) continue;
    for (const OrderPart& part : change.taken)
      if (OrderPart* of = find_part(parts, part)) of->value_micros -= part.value_micros, of->quantity -= part.quantity;
  }
}

// No item brings back more than it brought.
void hold_to_what_is_left(std::vector<OrderPart>& told, const OrderMoney& order, std::span<const OrderChange> before) {
  std::vector<OrderPart> left = order.parts;
  take_off(before, left);
  for (OrderPart& part : told) {
    const OrderPart* of = find_part(left, part);
    if (of != nullptr) part.value_micros = std::clamp<int64_t>(part.value_micros, 0, std::max<int64_t>(of->value_micros, 0));
  }
}

// What is left of an order's items; nothing where money was taken back that no item was named for.
std::vector<OrderPart> parts_left(const OrderMoney& order, std::span<const OrderChange> before) {
  std::vector<OrderPart> left = order.parts;
  for (const OrderChange& change : before)
    if (change.is_settled && change.taken.empty() && change.refund_micros + change.revenue_micros > 0) return {};
  take_off(before, left);
  std::erase_if(left, [](const OrderPart& part) { return part.value_micros <= 0; });
  return left;
}

}  // namespace

std::optional<ChangeKind> change_kind(std::string_view event_name) {
  if (event_name == kRefundEventName) return ChangeKind::refund;
  if (event_name == kCancelledEventName) return ChangeKind::cancelled;
  if (event_name == kChangedEventName) return ChangeKind::changed;
  return std::nullopt;
}

void settle(OrderChange& change, std::optional<int64_t> told_micros, const OrderMoney& order,
            std::span<const OrderChange> before) {
  __int128 left = order.value_micros;
  for (const OrderChange& earlier : before)
    if (earlier.is_settled) left += static_cast<__int128>(earlier.revenue_micros) - earlier.refund_micros;
  const auto rest = static_cast<int64_t>(std::clamp<__int128>(left, 0, INT64_MAX));
  change.is_settled = true;
  if (change.kind == ChangeKind::changed) {
    const int64_t now = std::max<int64_t>(told_micros.value_or(rest), 0);
    change.refund_micros = std::max<int64_t>(rest - now, 0);
    change.revenue_micros = std::max<int64_t>(now - rest, 0);
    change.taken.clear();
    return;
  }
  if (change.kind == ChangeKind::cancelled) change.taken.clear();
  complete(change.taken, order.parts);
  hold_to_what_is_left(change.taken, order, before);
  int64_t wanted = change.taken.empty() ? rest : sum_of(change.taken);
  if (change.kind == ChangeKind::refund && told_micros) wanted = *told_micros;
  change.refund_micros = std::clamp<int64_t>(wanted, 0, rest);
  if (change.taken.empty() && change.refund_micros == rest) change.taken = parts_left(order, before);
  if (change.refund_micros == 0) change.taken.clear();
}

std::string encode_changes(std::span<const OrderChange> changes) {
  std::string bytes;
  BytesWriter writer(bytes);
  int64_t newest_ms = INT64_MIN;
  for (const OrderChange& change : changes) newest_ms = std::max(newest_ms, change.time_ms);
  writer.u8(kVersion).u8(kOrderChangesKind).le64(static_cast<uint64_t>(newest_ms)).varint(changes.size());
  for (const OrderChange& change : changes) {
    writer.u8(static_cast<uint8_t>(change.kind));
    writer.u8((change.value_micros ? kHasValue : 0) | (change.is_settled ? kIsSettled : 0));
    writer.varint(change.number).le64(static_cast<uint64_t>(change.time_ms)).zigzag(change.value_micros.value_or(0));
    writer.bytes(change.currency.text()).zigzag(change.refund_micros).zigzag(change.revenue_micros);
    encode_parts(change.parts, writer);
    if (change.is_settled) encode_parts(change.taken, writer);
  }
  return bytes;
}

bool decode_changes(std::string_view bytes, std::vector<OrderChange>& to) {
  to.clear();
  BytesReader reader(bytes);
  const uint8_t version = reader.u8();
  if (version < kVersionBefore || version > kVersion || reader.u8() != kOrderChangesKind) return false;
  reader.le64();
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    OrderChange& change = to.emplace_back();
    const uint8_t kind = reader.u8(), flags = reader.u8();
    if (kind > static_cast<uint8_t>(ChangeKind::changed) || flags > (kHasValue | kIsSettled)) return false;
    change.kind = static_cast<ChangeKind>(kind);
    change.is_settled = (flags & kIsSettled) != 0;
    if (version != kVersionBefore) change.number = reader.varint();
    change.time_ms = static_cast<int64_t>(reader.le64());
    const int64_t value_micros = reader.zigzag();
    if (flags & kHasValue) change.value_micros = value_micros;
    const std::string_view currency = reader.bytes(change.currency.code.size());
    if (!reader.ok()) return false;
    std::copy(currency.begin(), currency.end(), change.currency.code.begin());
    change.refund_micros = reader.zigzag();
    change.revenue_micros = reader.zigzag();
    if (!decode_parts(reader, change.parts)) return false;
    if (!change.is_settled) continue;
    if (version == kVersionBefore) change.taken = change.parts;
    else if (!decode_parts(reader, change.taken)) return false;
  }
  return reader.ok() && reader.at_end();
}

}  // namespace footfall
