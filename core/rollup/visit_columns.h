// Which column holds which part of a kept visit: one line a field, for writing and reading alike. Fields of numbers are
// given to `field` as they are, flags and counts of nested rows by way of a local.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "rollup/kept_visit.h"
#include "rollup/visit_block.h"

namespace footfall {

inline constexpr uint32_t kVisitBlockMagic = 0x31425646;  // "FVB1"

template <class T, class Wanted>
concept Either = std::is_same_v<std::remove_const_t<T>, Wanted>;

template <class Touch, class Field>
void each_touch_text(Touch& touch, VisitColumn first, Field field) {
  for (size_t part = 0; part < kKeptTouchTextCount; ++part)
    field(static_cast<VisitColumn>(static_cast<size_t>(first) + part), touch.*kKeptTouchTexts[part]);
}

template <Either<KeptVisit> Visit, class Field>
void each_field(Visit& visit, Field field) {
  field(VisitColumn::start_ms, visit.start_ms);
  field(VisitColumn::duration_ms, visit.duration_ms);
  field(VisitColumn::visitor, visit.visitor);
  field(VisitColumn::visitor_after, visit.visitor_after);
  field(VisitColumn::import, visit.import);
  field(VisitColumn::flags, visit.flags);
  size_t views = visit.views.size(), events = visit.events.size(), conversions = visit.conversions.size();
  field(VisitColumn::views, views);
  field(VisitColumn::events, events);
  field(VisitColumn::conversions, conversions);
  each_touch_text(visit.first_touch, VisitColumn::channel, field);
  field(VisitColumn::country, visit.country);
  field(VisitColumn::device, visit.device);
  field(VisitColumn::browser, visit.browser);
  field(VisitColumn::os, visit.os);
  field(VisitColumn::new_returning, visit.new_returning);
}

template <Either<KeptView> View, class Field>
void each_field(View& view, Field field) {
  field(VisitColumn::view_time_s, view.time_s);
  field(VisitColumn::view_page, view.page);
  field(VisitColumn::view_search_term, view.search_term);
  field(VisitColumn::view_flags, view.flags);
  field(VisitColumn::view_ms, view.ms);
}

template <Either<KeptEvent> Event, class Field>
void each_field(Event& event, Field field) {
  field(VisitColumn::event_time_s, event.time_s);
  field(VisitColumn::event_name, event.name);
  field(VisitColumn::event_item, event.item);
  field(VisitColumn::event_views_before, event.views_before);
}

template <Either<KeptConversion> Conversion, class Field>
void each_field(Conversion& conversion, Field field) {
  field(VisitColumn::conversion_time_s, conversion.time_s);
  unsigned flags = (conversion.is_goal ? kConversionGoal : 0) | (conversion.has_rate ? 0 : kConversionNoRate) |
                   (conversion.is_change ? kConversionChange : 0);
  field(VisitColumn::conversion_flags, flags);
  if constexpr (!std::is_const_v<Conversion>) {
    conversion.is_goal = (flags & kConversionGoal) != 0;
    conversion.has_rate = (flags & kConversionNoRate) == 0;
    conversion.is_change = (flags & kConversionChange) != 0;
  }
  field(VisitColumn::conversion_event, conversion.event);
  field(VisitColumn::conversion_goal, conversion.goal);
  field(VisitColumn::conversion_value_micros, conversion.value_micros);
  field(VisitColumn::conversion_goal_value_micros, conversion.goal_value_micros);
  field(VisitColumn::conversion_currency, conversion.currency);
  field(VisitColumn::conversion_own_value_micros, conversion.own_value_micros);
  field(VisitColumn::conversion_coupon, conversion.coupon);
  field(VisitColumn::conversion_quantity, conversion.quantity);
  size_t touches = conversion.touches.size(), items = conversion.items.size();
  field(VisitColumn::conversion_touches, touches);
  field(VisitColumn::conversion_items, items);
  field(VisitColumn::conversion_refund_micros, conversion.refund_micros);
}

template <Either<KeptTouch> Touch, class Field>
void each_field(Touch& touch, Field field) {
  field(VisitColumn::touch_age_s, touch.age_s);
  each_touch_text(touch, VisitColumn::touch_channel, field);
}

template <Either<KeptItem> Item, class Field>
void each_field(Item& item, Field field) {
  field(VisitColumn::item_id, item.id);
  field(VisitColumn::item_category, item.category);
  field(VisitColumn::item_quantity, item.quantity);
  field(VisitColumn::item_value_micros, item.value_micros);
}

template <class Value>
inline constexpr bool kIsText = std::is_same_v<std::remove_cvref_t<Value>, std::string_view>;

}  // namespace footfall
