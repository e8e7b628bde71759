#include "credit/customer.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

// customer: version u8 | kCustomerKind u8 | time_ms i64 | varint x touch | varint x visitor 16
constexpr uint8_t kVersion = 2;

}  // namespace

void Customer::add(std::span<const Touch> of_visitor) {
  for (Touch touch : of_visitor) {
    touch.import = 0;  // whose hit it was is no difference
    if (std::find(touches.begin(), touches.end(), touch) == touches.end()) touches.push_back(std::move(touch));
  }
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

std::string encode_customer(const Customer& customer) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(kCustomerKind).le64(static_cast<uint64_t>(customer.time_ms)).varint(customer.touches.size());
  for (const Touch& touch : customer.touches) encode_touch(touch, writer);
  writer.varint(customer.visitors.size());
  for (const Hash128& visitor : customer.visitors) writer.hash(visitor);
  return bytes;
}

bool decode_customer(std::string_view bytes, Customer& to) {
  to = Customer();
  BytesReader reader(bytes);
  if (reader.u8() != kVersion || reader.u8() != kCustomerKind) return false;
  to.time_ms = static_cast<int64_t>(reader.le64());
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    Touch touch;
    if (!decode_touch(reader, touch)) return false;
    to.touches.push_back(std::move(touch));
  }
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) to.visitors.push_back(reader.hash());
  return reader.ok() && reader.at_end();
}

}  // namespace footfall
