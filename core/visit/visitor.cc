#include "visit/visitor.h"

#include <algorithm>

namespace footfall {
namespace {

// visitor: version u8 | is_bot u8 | touches u8 x touch
constexpr uint8_t kVersion = 1;
static_assert(kTouchesMax <= UINT8_MAX);

}  // namespace

void Visitor::add(Touch touch) {
  const auto place = std::upper_bound(touches.begin(), touches.end(), touch.time_ms,
                                      [](int64_t time_ms, const Touch& other) { return time_ms < other.time_ms; });
  touches.insert(place, std::move(touch));
  if (touches.size() > kTouchesMax) touches.erase(touches.begin() + 1);
}

std::string encode_visitor(const Visitor& visitor) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(visitor.is_bot ? 1 : 0).u8(static_cast<uint8_t>(visitor.touches.size()));
  for (const Touch& touch : visitor.touches) encode_touch(touch, writer);
  return bytes;
}

bool decode_visitor(std::string_view bytes, Visitor& to) {
  BytesReader reader(bytes);
  to = Visitor();
  if (reader.u8() != kVersion) return false;
  to.is_bot = reader.u8() != 0;
  for (uint8_t left = reader.u8(); left > 0; --left) {
    Touch touch;
    if (!decode_touch(reader, touch)) return false;
    to.touches.push_back(std::move(touch));
  }
  return reader.ok() && reader.at_end();
}

}  // namespace footfall
