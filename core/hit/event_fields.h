// One event's values as text, between the form that they were told in and their judgement. Used in this
// folder alone.
#pragma once

#include <cstdint>
#include <string_view>

#include "hit/event_list.h"
#include "hit/order_items.h"
#include "hit/raw_hit.h"
#include "hit/text.h"

namespace footfall {

// Empty: not given.
struct EventFields {
  std::string_view name, item, value, currency, id, items, coupon, customer;
  bool value_off_form = false;  // given, but no number whatever it says
  ItemsSource source = ItemsSource::header;
};

enum class Told : uint8_t {
  event,
  nothing,    // a confirmation page with neither id nor value
  malformed,  // the name is none
};

// A directive's values with their escapes undone; the items are still as they came.
Told read_directive(const RawEvent& raw, TextArena& arena, EventFields& to);

// Judges the values and adds the event, or sets kHitEventsMalformed: the hit has its most events already, or the items
// are too many. The name is a token; views live as long as the hit.
void take_event(const EventFields& fields, EventRoom& room);

}  // namespace footfall
