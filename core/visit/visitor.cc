#include "visit/visitor.h"

#include <algorithm>

namespace footfall {
namespace {

// visitor: version u8 | is_bot u8 | bot_import u16 | touches u8 x (import u16 | touch)
constexpr uint8_t kVersion = 2;
constexpr uint8_t kVersionBefore = 1;  // knows no import
static_assert(kTouchesMax <= UINT8_MAX);

}  // namespace

void Visitor::add(Touch touch) {
  const auto place = std::upper_bound(touches.begin(), touches.end(), touch.time_ms,
                                      [](int64_t time_ms, const Touch& other) { return time_ms < other.time_ms; });
  touches.insert(place, std::move(touch));
  if (touches.size() > kTouchesMax) touches.erase(touches.begin() + 1);
}

bool Visitor::forget_import(uint16_t import) {
  const size_t forgotten = std::erase_if(touches, [&](const Touch& touch) { return touch.import == import; });
  const bool was_bot = is_bot && bot_import == import;
  if (was_bot) is_bot = false, bot_import = 0;
  return forgotten > 0 || was_bot;
}

std::string encode_visitor(const Visitor& visitor) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(visitor.is_bot ? 1 : 0).le16(visitor.bot_import);
  writer.u8(static_cast<uint8_t>(visitor.touches.size()));
  for (const Touch& touch : visitor.touches) encode_touch(touch, writer.le16(touch.import));
  return bytes;
}

bool decode_visitor(std::string_view bytes, Visitor& to) {
  BytesReader reader(bytes);
  to = Visitor();
  const uint8_t version = reader.u8();
  if (version != kVersion && version != kVersionBefore) return false;
  const bool knows_imports = version != kVersionBefore;
  to.is_bot = reader.u8() != 0;
  if (knows_imports) to.bot_import = reader.le16();
  for (uint8_t left = reader.u8(); left > 0; --left) {
    const uint16_t import = knows_imports ? reader.le16() : 0;
    Touch touch;
    if (!decode_touch(reader, touch)) return false;
    touch.import = import;
    to.touches.push_back(std::move(touch));
  }
  return reader.ok() && reader.at_end();
}

}  // namespace footfall
