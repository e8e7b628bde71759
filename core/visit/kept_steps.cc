#include "visit/kept_steps.h"

#include <algorithm>

namespace footfall {
namespace {

// steps: (tag u8 | time zigzag | rest)*        tag: kind 2 bits, then what is there
//   view:       page text | [search term] | [ms u16]
//   event:      name text | [item]
//   conversion: event text | goal text | value zigzag | goal value zigzag | currency text | own value zigzag |
//               coupon text | quantity zigzag | [of a change: refund zigzag] | touches varint x touch | items varint x item
//   touch:      age varint | parts u16 | those texts      item: id text | category text | quantity zigzag | value zigzag
// text: length varint, then the bytes
enum Kind : uint8_t { kView = 0, kEvent = 1, kConversion = 2, kKindMask = 3 };
constexpr unsigned kViewFlagsShift = 2;  // of a view: its three stored flags
enum : uint8_t { kHasTerm = 32, kHasMs = 64, kHasItem = 4, kIsGoal = 4, kHasNoRate = 8, kIsChange = 16 };

void read_view(uint8_t tag, BytesReader& from, KeptSteps& to) {
  KeptView& view = to.views.emplace_back();
  view.flags = tag >> kViewFlagsShift & kViewFlagsStored;
  view.time_s = from.zigzag();
  view.page = from.text();
  if (tag & kHasTerm) view.search_term = from.text();
  if (tag & kHasMs) view.ms = from.le16();
}

void read_event(uint8_t tag, BytesReader& from, KeptSteps& to) {
  KeptEvent& event = to.events.emplace_back();
  event.views_before = static_cast<uint32_t>(to.views.size());
  event.time_s = from.zigzag();
  event.name = from.text();
  if (tag & kHasItem) event.item = from.text();
}

void read_conversion(uint8_t tag, BytesReader& from, KeptSteps& to) {
  KeptConversion& conversion = to.conversions.emplace_back();
  conversion.is_goal = (tag & kIsGoal) != 0;
  conversion.has_rate = (tag & kHasNoRate) == 0;
  conversion.is_change = (tag & kIsChange) != 0;
  conversion.time_s = from.zigzag();
  conversion.event = from.text();
  conversion.goal = from.text();
  conversion.value_micros = from.zigzag();
  conversion.goal_value_micros = from.zigzag();
  conversion.currency = from.text();
  conversion.own_value_micros = from.zigzag();
  conversion.coupon = from.text();
  conversion.quantity = from.zigzag();
  if (conversion.is_change) conversion.refund_micros = from.zigzag();
  for (uint64_t left = from.varint(); left > 0 && from.ok(); --left)
    conversion.touches.push_back(decode_kept_touch(from));
  for (uint64_t left = from.varint(); left > 0 && from.ok(); --left) {
    KeptItem& item = conversion.items.emplace_back();
    item.id = from.text();
    item.category = from.text();
    item.quantity = from.zigzag();
    item.value_micros = from.zigzag();
  }
}

}  // namespace

KeptTouch kept_touch_of(const Touch& touch) {
  return {.channel = touch.channel,
          .source = touch.source,
          .medium = touch.medium,
          .campaign = touch.campaign,
          .content = touch.content_label,
          .term = touch.term,
          .code = touch.code,
          .referrer_host = touch.referrer_host,
          .referrer = touch.referrer};
}

void encode_kept_touch(const KeptTouch& touch, BytesWriter& to) {
  unsigned parts = 0;
  for (size_t part = 0; part < kKeptTouchTextCount; ++part) parts |= (touch.*kKeptTouchTexts[part]).empty() ? 0 : 1u << part;
  to.varint(static_cast<uint64_t>(std::max<int64_t>(touch.age_s, 0))).le16(static_cast<uint16_t>(parts));
  for (const auto text : kKeptTouchTexts)
    if (!(touch.*text).empty()) to.text(touch.*text);
}

KeptTouch decode_kept_touch(BytesReader& from) {
  KeptTouch touch;
  touch.age_s = static_cast<int64_t>(from.varint() & INT64_MAX);
  const unsigned parts = from.le16();
  if (parts >> kKeptTouchTextCount != 0) from.fail();
  for (size_t part = 0; part < kKeptTouchTextCount; ++part)
    if (parts >> part & 1) touch.*kKeptTouchTexts[part] = from.text();
  return touch;
}

void append_view(const KeptView& view, std::string& steps) {
  const unsigned flags = (view.flags & kViewFlagsStored) << kViewFlagsShift;
  BytesWriter to(steps);
  to.u8(static_cast<uint8_t>(kView | flags | (view.search_term.empty() ? 0 : kHasTerm) | (view.ms == 0 ? 0 : kHasMs)));
  to.zigzag(view.time_s).text(view.page);
  if (!view.search_term.empty()) to.text(view.search_term);
  if (view.ms != 0) to.le16(view.ms);
}

void append_event(const KeptEvent& event, std::string& steps) {
  BytesWriter to(steps);
  to.u8(kEvent | (event.item.empty() ? 0 : kHasItem)).zigzag(event.time_s).text(event.name);
  if (!event.item.empty()) to.text(event.item);
}

void append_conversion(const KeptConversion& conversion, std::string& steps) {
  BytesWriter to(steps);
  to.u8(kConversion | (conversion.is_goal ? kIsGoal : 0) | (conversion.has_rate ? 0 : kHasNoRate) |
        (conversion.is_change ? kIsChange : 0));
  to.zigzag(conversion.time_s).text(conversion.event).text(conversion.goal);
  to.zigzag(conversion.value_micros).zigzag(conversion.goal_value_micros);
  to.text(conversion.currency).zigzag(conversion.own_value_micros).text(conversion.coupon).zigzag(conversion.quantity);
  if (conversion.is_change) to.zigzag(conversion.refund_micros);
  to.varint(conversion.touches.size());
  for (const KeptTouch& touch : conversion.touches) encode_kept_touch(touch, to);
  to.varint(conversion.items.size());
  for (const KeptItem& item : conversion.items)
    to.text(item.id).text(item.category).zigzag(item.quantity).zigzag(item.value_micros);
}

std::string encode_steps(const KeptSteps& steps) {
  std::string bytes;
  size_t views = 0;
  for (const KeptEvent& event : steps.events) {
    for (; views < event.views_before && views < steps.views.size(); ++views) append_view(steps.views[views], bytes);
    append_event(event, bytes);
  }
  for (; views < steps.views.size(); ++views) append_view(steps.views[views], bytes);
  for (const KeptConversion& conversion : steps.conversions) append_conversion(conversion, bytes);
  return bytes;
}

bool decode_steps(std::string_view bytes, KeptSteps& to) {
  to.views.clear();
  to.events.clear();
  to.conversions.clear();
  BytesReader reader(bytes);
  while (reader.ok() && !reader.at_end()) {
    const uint8_t tag = reader.u8();
    switch (tag & kKindMask) {
      case kView:
        read_view(tag, reader, to);
        break;
      case kEvent:
        read_event(tag, reader, to);
        break;
      case kConversion:
        read_conversion(tag, reader, to);
        break;
      default:
        reader.fail();
    }
  }
  return reader.ok();
}

}  // namespace footfall
