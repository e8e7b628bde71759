#include "credit/customer.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

// customer: version u8 | kCustomerKind u8 | time_ms i64 | first_order_ms i64 | varint x (import u16 | touch) | varint x visitor 16
// Version 2 did not tell imports, 3 not the first order.
constexpr uint8_t kVersion = 4, kWithoutFirst = 3, kWithoutImports = 2;

// Whose hit it was is no difference.
bool is_same(Touch a, const Touch& b) {
  a.import = b.import;
  return a == b;
}

}  // namespace

void Customer::add(std::span<const Touch> of_visitor) {
  for (const Touch& touch : of_visitor)
    if (std::none_of(touches.begin(), touches.end(), [&](const Touch& known) { return is_same(known, touch); }))
      touches.push_back(touch);
  std::stable_sort(touches.begin(), touches.end(), [](const Touch& a, const Touch& b) { return a.time_ms < b.time_ms; });
  if (touches.size() > kTouchesMax)
    touches.erase(touches.begin() + 1, touches.end() - static_cast<ptrdiff_t>(kTouchesMax - 1));
}

bool Customer::has(const Hash128& visitor) const {
  return std::find(visitors.begin(), visitors.end(), visitor) != visitors.end();
}

bool Customer::add_visitor(const Hash128& visitor) {
  if (visitor.is_zero() || has(visitor)) return true;
  if (visitors.size() >= kCustomerVisitorsMax) return false;
  visitors.push_back(visitor);
  return true;
}

bool Customer::forget_import(uint16_t import) {
  return std::erase_if(touches, [&](const Touch& touch) { return touch.import == import; }) > 0;
}

std::string encode_customer(const Customer& customer) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(kCustomerKind).le64(static_cast<uint64_t>(customer.time_ms));
  writer.le64(static_cast<uint64_t>(customer.first_order_ms)).varint(customer.touches.size());
  for (const Touch& touch : customer.touches) encode_touch(touch, writer.le16(touch.import));
  writer.varint(customer.visitors.size());
  for (const Hash128& visitor : customer.visitors) writer.hash(visitor);
  return bytes;
}

bool decode_customer(std::string_view bytes, Customer& to) {
  to = Customer();
  BytesReader reader(bytes);
  const uint8_t version = reader.u8();
  if (version < kWithoutImports || version > kVersion || reader.u8() != kCustomerKind) return false;
  to.time_ms = static_cast<int64_t>(reader.le64());
  to.first_order_ms = version <= kWithoutFirst ? to.time_ms : static_cast<int64_t>(reader.le64());
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const uint16_t import = version == kWithoutImports ? 0 : reader.le16();
    Touch touch;
    if (!decode_touch(reader, touch)) return false;
    touch.import = import;
    to.touches.push_back(std::move(touch));
  }
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) to.visitors.push_back(reader.hash());
  return reader.ok() && reader.at_end();
}

}  // namespace footfall
