#include "credit/order.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

// conversion: version u8 | kind u8 | time_ms i64 | visitor 16 | value_micros i64 | currency 3 | items u64 | touches u8 x touch
//             | of an order: rate i64 | country text | device u8 | browser u8 | system u8 | new_returning u8 | coupon text | coverage text | parts
// parts:      varint x (id text | category text | quantity zigzag | value_micros zigzag)
constexpr uint8_t kVersion = 2;

void encode_origin(const OrderOrigin& origin, BytesWriter& to) {
  to.text(origin.country).u8(static_cast<uint8_t>(origin.device)).u8(static_cast<uint8_t>(origin.browser));
  to.u8(static_cast<uint8_t>(origin.system)).u8(static_cast<uint8_t>(origin.new_returning));
}

bool decode_origin(BytesReader& from, OrderOrigin& to) {
  to.country = from.text();
  const uint8_t device = from.u8(), browser = from.u8(), system = from.u8(), new_returning = from.u8();
  if (device > static_cast<uint8_t>(Device::other) || browser >= kBrowsers || system >= kSystems ||
      new_returning >= kNewReturning)
    return false;
  to.device = static_cast<Device>(device);
  to.browser = static_cast<Browser>(browser);
  to.system = static_cast<System>(system);
  to.new_returning = static_cast<NewReturning>(new_returning);
  return from.ok();
}

}  // namespace

void encode_parts(const std::vector<OrderPart>& parts, BytesWriter& to) {
  to.varint(parts.size());
  for (const OrderPart& part : parts)
    to.text(part.id).text(part.category).zigzag(part.quantity).zigzag(part.value_micros);
}

bool decode_parts(BytesReader& from, std::vector<OrderPart>& to) {
  for (uint64_t left = from.varint(); left > 0 && from.ok(); --left) {
    OrderPart& part = to.emplace_back();
    part.id = from.text();
    part.category = from.text();
    part.quantity = from.zigzag();
    part.value_micros = from.zigzag();
  }
  return from.ok();
}

std::string encode_conversion(const Conversion& conversion) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(static_cast<uint8_t>(conversion.kind)).le64(conversion.time_ms).hash(conversion.visitor);
  writer.le64(conversion.value_micros).bytes(conversion.currency.text()).le64(conversion.items);
  writer.u8(static_cast<uint8_t>(conversion.touches.size()));
  for (const Touch& touch : conversion.touches) encode_touch(touch, writer);
  if (conversion.kind != ConversionKind::order) return bytes;
  writer.le64(static_cast<uint64_t>(conversion.rate_trillionths));
  encode_origin(conversion.origin, writer);
  writer.text(conversion.coupon).text(conversion.coverage);
  encode_parts(conversion.parts, writer);
  return bytes;
}

bool decode_conversion(std::string_view bytes, Conversion& to) {
  BytesReader reader(bytes);
  to = Conversion();
  if (reader.u8() != kVersion) return false;
  const uint8_t kind = reader.u8();
  if (kind > static_cast<uint8_t>(ConversionKind::event)) return false;
  to.kind = static_cast<ConversionKind>(kind);
  to.time_ms = static_cast<int64_t>(reader.le64());
  to.visitor = reader.hash();
  to.value_micros = static_cast<int64_t>(reader.le64());
  const std::string_view currency = reader.bytes(to.currency.code.size());
  if (!reader.ok()) return false;
  std::copy(currency.begin(), currency.end(), to.currency.code.begin());
  to.items = reader.le64();
  for (uint8_t left = reader.u8(); left > 0; --left) {
    Touch touch;
    if (!decode_touch(reader, touch)) return false;
    to.touches.push_back(std::move(touch));
  }
  if (to.kind == ConversionKind::order) {
    to.rate_trillionths = static_cast<int64_t>(reader.le64());
    if (!decode_origin(reader, to.origin)) return false;
    to.coupon = reader.text();
    to.coverage = reader.text();
    if (!decode_parts(reader, to.parts)) return false;
  }
  return reader.ok() && reader.at_end();
}

std::optional<int64_t> conversion_time_ms(std::string_view bytes) {
  BytesReader reader(bytes);
  const bool is_known = reader.u8() == kVersion;
  reader.u8();
  const auto time_ms = static_cast<int64_t>(reader.le64());
  return is_known && reader.ok() ? std::optional(time_ms) : std::nullopt;
}

}  // namespace footfall
