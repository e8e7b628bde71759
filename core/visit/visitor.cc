#include "visit/visitor.h"

#include <algorithm>

#include "site/config.h"

namespace footfall {
namespace {

// visitor: version u8 | flags u8 | seen: day u16, import u16 | bot_import u16 | touches u8 x (import u16 | touch)
//          | with kOrderedBit, of the last order and the first: time_ms i64, import u16
constexpr uint8_t kVersion = 3;
constexpr uint8_t kVersionBefore = 2;  // does not know when the visitor was seen
constexpr uint8_t kBotBit = 1, kSaltedBit = 2;
constexpr int kBehaviourShift = 2;  // three bits; 0 where kBotBit is set: the version that wrote it did not tell
constexpr uint8_t kBehaviourMask = 7;
constexpr uint8_t kOrderedBit = 1 << 5;
static_assert(kTouchesMax <= UINT8_MAX);

VisitorSeen read_seen(uint8_t flags, BytesReader& reader) {
  VisitorSeen seen{.is_salted = (flags & kSaltedBit) != 0};
  seen.day = reader.le16();
  seen.import = reader.le16();
  return seen;
}

uint8_t flags_of(const Visitor& visitor) {
  const auto behaviour = static_cast<uint8_t>(visitor.behaviour);
  return static_cast<uint8_t>((visitor.is_bot() ? kBotBit : 0) | (visitor.seen.is_salted ? kSaltedBit : 0) |
                              (visitor.first_order_ms != 0 ? kOrderedBit : 0) |
                              behaviour << kBehaviourShift);
}

Behaviour read_behaviour(uint8_t flags) {
  if ((flags & kBotBit) == 0) return Behaviour::none;
  const auto behaviour = static_cast<Behaviour>((flags >> kBehaviourShift) & kBehaviourMask);
  return behaviour == Behaviour::none ? Behaviour::not_told : behaviour;
}

}  // namespace

void Visitor::add(Touch touch) {
  const auto place = std::upper_bound(touches.begin(), touches.end(), touch.time_ms,
                                      [](int64_t time_ms, const Touch& other) { return time_ms < other.time_ms; });
  touches.insert(place, std::move(touch));
  if (touches.size() > kTouchesMax) touches.erase(touches.begin() + 1);
}

void Visitor::see_order(int64_t time_ms, uint16_t import) {
  if (time_ms <= ordered_ms) return;
  ordered_ms = time_ms;
  order_import = import;
  if (first_order_ms == 0) first_order_ms = time_ms, first_order_import = import;
}

// Of orders between the first and the last nothing is known.
bool Visitor::forget_orders(uint16_t import) {
  const bool forgets_first = first_order_ms != 0 && first_order_import == import;
  const bool forgets_last = first_order_ms != 0 && order_import == import;
  if (forgets_first && forgets_last) ordered_ms = first_order_ms = 0, order_import = first_order_import = 0;
  else if (forgets_first) first_order_ms = ordered_ms, first_order_import = order_import;
  else if (forgets_last) ordered_ms = first_order_ms, order_import = first_order_import;
  return forgets_first || forgets_last;
}

bool Visitor::forget_import(uint16_t import) {
  const size_t forgotten = std::erase_if(touches, [&](const Touch& touch) { return touch.import == import; });
  const bool was_bot = is_bot() && bot_import == import;
  if (was_bot) behaviour = Behaviour::none, bot_import = 0;
  return forget_orders(import) || forgotten > 0 || was_bot;
}

std::string encode_visitor(const Visitor& visitor) {
  constexpr size_t kBytesUsual = 64, kTouchBytesUsual = 96;
  std::string bytes;
  bytes.reserve(kBytesUsual + kTouchBytesUsual * visitor.touches.size());
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(flags_of(visitor));
  writer.le16(static_cast<uint16_t>(std::clamp<int64_t>(visitor.seen.day, 0, UINT16_MAX))).le16(visitor.seen.import);
  writer.le16(visitor.bot_import);
  writer.u8(static_cast<uint8_t>(visitor.touches.size()));
  for (const Touch& touch : visitor.touches) encode_touch(touch, writer.le16(touch.import));
  if (visitor.first_order_ms == 0) return bytes;
  writer.le64(static_cast<uint64_t>(visitor.ordered_ms)).le16(visitor.order_import);
  writer.le64(static_cast<uint64_t>(visitor.first_order_ms)).le16(visitor.first_order_import);
  return bytes;
}

bool decode_visitor(std::string_view bytes, Visitor& to) {
  BytesReader reader(bytes);
  to = Visitor();
  const uint8_t version = reader.u8();
  if (version != kVersion && version != kVersionBefore) return false;
  const uint8_t flags = reader.u8();
  to.behaviour = read_behaviour(flags);
  if (version == kVersion) to.seen = read_seen(flags, reader);
  to.bot_import = reader.le16();
  for (uint8_t left = reader.u8(); left > 0; --left) {
    const uint16_t import = reader.le16();
    Touch touch;
    if (!decode_touch(reader, touch)) return false;
    touch.import = import;
    to.touches.push_back(std::move(touch));
  }
  if ((flags & kOrderedBit) != 0) {
    to.ordered_ms = static_cast<int64_t>(reader.le64());
    to.order_import = reader.le16();
    to.first_order_ms = static_cast<int64_t>(reader.le64());
    to.first_order_import = reader.le16();
  }
  return reader.ok() && reader.at_end();
}

std::optional<VisitorSeen> visitor_seen(std::string_view bytes) {
  BytesReader reader(bytes);
  if (reader.u8() != kVersion) return std::nullopt;
  const uint8_t flags = reader.u8();
  const VisitorSeen seen = read_seen(flags, reader);
  return reader.ok() ? std::optional(seen) : std::nullopt;
}

bool is_over(const VisitorSeen& seen, int64_t visit_gap_s, int64_t visitors_s, int64_t clock_s) {
  if (clock_s == INT64_MIN) return false;
  const int64_t end_s = (seen.day + 1) * kDayS;
  const int64_t kept_s = seen.is_salted ? visit_gap_s : visitors_s;
  return kept_s < kForeverS && clock_s > end_s + kept_s;
}

}  // namespace footfall
