#include "hit/event_list.h"

#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/money.h"
#include "hit/event_fields.h"
#include "hit/order_items.h"
#include "hit/structured_field.h"

namespace footfall {
namespace {

bool is_event_name(std::string_view name) { return name.size() <= kEventNameBytesMax && is_token(name); }

// Nothing where the id is missing, too long or unclean.
std::string_view order_id(std::string_view text) {
  return text.size() <= kOrderIdBytesMax && is_clean(text) ? text : std::string_view();
}

// Value and currency go together: an amount of unknown money is none.
OrderFault read_money(const EventFields& fields, Event& event) {
  if (!fields.currency.empty()) {
    const std::optional<Currency> currency = parse_currency(fields.currency);
    if (!currency) return OrderFault::bad_currency;
    event.currency = *currency;
  }
  if (fields.value.empty() && !fields.value_off_form) return OrderFault::none;
  const std::optional<int64_t> micros = parse_micros(fields.value);
  if (!micros || fields.value_off_form || fields.value.size() > kValueBytesMax) return OrderFault::bad_value;
  event.has_value = true;
  event.value_micros = *micros;
  return OrderFault::none;
}

OrderFault order_fault(const Event& event, OrderFault money_fault) {
  if (event.id.empty()) return OrderFault::no_id;
  if (money_fault != OrderFault::none) return money_fault;
  return event.has_value && event.value_micros >= 0 ? OrderFault::none : OrderFault::bad_value;
}

// Without a value, what is left of the order is meant; a new value must be there.
OrderFault change_fault(const Event& event, OrderFault money_fault) {
  if (event.id.empty()) return OrderFault::no_id;
  if (money_fault != OrderFault::none) return money_fault;
  if (!event.has_value) return event.name == kChangedEventName ? OrderFault::bad_value : OrderFault::none;
  return event.value_micros >= 0 ? OrderFault::none : OrderFault::bad_value;
}

// Fills the event. False: its items are too many.
bool fill_event(const EventFields& fields, EventRoom& room, Event& event) {
  bool marred = false;
  event.name = fields.name;
  event.item = clean_text(fields.item, kEventItemBytesMax, room.arena, marred);
  event.coupon = clean_text(fields.coupon, kCouponBytesMax, room.arena, marred);
  event.id = order_id(fields.id);
  const std::string_view customer = fields.customer.substr(0, kVisitorIdBytesMax);
  marred |= fields.customer.size() > kVisitorIdBytesMax;
  if (!customer.empty()) event.customer = keyed_hash(room.customer_key, customer);

  const OrderFault money_fault = read_money(fields, event);
  if (event.is_order()) {
    event.fault = order_fault(event, money_fault);
  } else if (event.changes_order()) {
    event.fault = change_fault(event, money_fault);
  } else if (money_fault != OrderFault::none) {
    marred = true;
  }

  const ItemsOutcome items = read_items(fields.items, fields.source, room.arena, event.items);
  // Else an item's refund would become that of the whole order.
  if (event.changes_order() && event.fault == OrderFault::none && items != ItemsOutcome::ok) event.fault = OrderFault::bad_items;
  if (marred || items != ItemsOutcome::ok) room.flags |= kHitFieldCut;
  return items != ItemsOutcome::too_many;
}

void take_parameter(std::string_view key, const BareItem& value, EventFields& to) {
  static constexpr std::pair<std::string_view, std::string_view EventFields::*> kParameters[] = {
      {"id", &EventFields::id},
      {"value", &EventFields::value},
      {"currency", &EventFields::currency},
      {"item", &EventFields::item},
      {"items", &EventFields::items},
      {"coupon", &EventFields::coupon},
      {"customer", &EventFields::customer},
  };
  using Kind = BareItem::Kind;
  for (const auto& [name, field] : kParameters) {
    if (key == name) to.*field = trim(value.text);
  }
  if (key == "value") {
    to.value_off_form = value.kind != Kind::integer && value.kind != Kind::decimal && value.kind != Kind::string;
  }
}

// False: off the grammar or over a limit.
bool read_members(std::string_view header, EventRoom& room) {
  if (header.size() > kEventHeaderBytesMax) return false;
  TokenList list(header, room.arena);
  EventFields fields;
  while (list.next_member(fields.name)) {
    std::string_view key;
    BareItem value;
    while (list.next_parameter(key, value)) take_parameter(key, value, fields);
    if (!list.ok() || room.events.full()) return false;
    if (!is_event_name(fields.name) || fields.id.size() > kOrderIdBytesMax) return false;
    if (!fill_event(fields, room, room.events.add())) return false;
    fields = {};
  }
  return list.ok();
}

}  // namespace

void EventList::clear() { shrink(0); }

bool EventList::full() const { return events_.size() >= kEventsMax; }

Event& EventList::add() {
  Event& event = events_.emplace_back();
  if (!spare_items_.empty()) {
    event.items = std::move(spare_items_.back());
    spare_items_.pop_back();
  }
  return event;
}

void EventList::shrink(size_t count) {
  while (events_.size() > count) {
    events_.back().items.clear();
    spare_items_.push_back(std::move(events_.back().items));
    events_.pop_back();
  }
}

bool read_events_header(std::string_view header, EventRoom& room) {
  const size_t events_before = room.events.size();
  const size_t arena_before = room.arena.size();
  const uint32_t flags_before = room.flags;
  if (read_members(header, room)) return true;
  room.events.shrink(events_before);
  room.arena.rewind(arena_before);
  room.flags = flags_before | kHitEventsMalformed;
  return false;
}

Told read_directive(const RawEvent& raw, TextArena& arena, EventFields& to) {
  const auto undone = [&](std::string_view text) { return trim(decode_percent(text, arena)); };
  to = {};
  to.source = ItemsSource::directive;
  to.name = raw.is_order ? kOrderEventName : trim(raw.name);
  to.id = undone(raw.id);
  to.value = undone(raw.value);
  to.value_off_form = raw.value.size() > kValueBytesMax;
  if (raw.is_order && to.id.empty() && to.value.empty()) return Told::nothing;
  if (!is_event_name(to.name)) return Told::malformed;
  to.item = undone(raw.item);
  to.currency = undone(raw.currency);
  to.coupon = undone(raw.coupon);
  to.customer = undone(raw.customer);
  to.items = trim(raw.items);
  return Told::event;
}

void read_raw_event(const RawEvent& raw, EventRoom& room) {
  EventFields fields;
  const Told told = read_directive(raw, room.arena, fields);
  if (told == Told::nothing) return;
  if (told == Told::malformed) {
    room.flags |= kHitEventsMalformed;
    return;
  }
  take_event(fields, room);
}

void take_event(const EventFields& fields, EventRoom& room) {
  if (room.events.full()) {
    room.flags |= kHitEventsMalformed;
    return;
  }
  fill_event(fields, room, room.events.add());
}

}  // namespace footfall
