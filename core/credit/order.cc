#include "credit/order.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

// conversion: version u8 | kind u8 | time_ms i64 | visitor 16 | value_micros i64 | currency 3 | items u64 | touches u8 x touch
constexpr uint8_t kVersion = 1;

}  // namespace

std::string encode_conversion(const Conversion& conversion) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(static_cast<uint8_t>(conversion.kind)).le64(conversion.time_ms).hash(conversion.visitor);
  writer.le64(conversion.value_micros).bytes(conversion.currency.text()).le64(conversion.items);
  writer.u8(static_cast<uint8_t>(conversion.touches.size()));
  for (const Touch& touch : conversion.touches) encode_touch(touch, writer);
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
