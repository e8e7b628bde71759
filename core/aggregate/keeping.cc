#include "aggregate/keeping.h"

#include "credit/attribution.h"

namespace footfall {
namespace {

// A late conversion has had no later touches.
std::vector<KeptTouch> kept_touches(int64_t time_ms, std::span<const Touch> touches) {
  std::vector<KeptTouch> kept;
  for (const Touch& touch : touches) {
    if (touch.time_ms > time_ms) break;
    kept.push_back(kept_touch_of(touch));
    kept.back().age_s = touch_age_s(touch, time_ms);
  }
  return kept;
}

}  // namespace

KeptConversion kept_order(int64_t start_ms, const Bookings::Order& told, const Bookings::Order& booked,
                          std::span<const Touch> touches) {
  return {.is_change = booked.is_change,
                      .has_rate = booked.has_rate,
                      .time_s = whole_s(told.time_ms) - whole_s(start_ms),
                      .event = kOrderEventName,
                      .value_micros = booked.has_rate ? booked.value_micros : 0,
                      .currency = told.currency.text(),
                      .own_value_micros = booked.has_rate ? 0 : told.value_micros,
                      .refund_micros = booked.has_rate ? booked.refund_micros : 0,
                      .coupon = told.coupon,
                      .quantity = told.is_change ? 0 : static_cast<int64_t>(told.items),
                      .touches = kept_touches(told.time_ms, touches),
                      .items = booked.parts};
}

KeptConversion kept_goal(int64_t start_ms, const Bookings::Goal& goal, std::span<const Touch> touches) {
  KeptConversion kept{.is_goal = true,
                      .time_s = whole_s(goal.time_ms) - whole_s(start_ms),
                      .event = goal.event,
                      .goal = goal.name,
                      .goal_value_micros = goal.value_micros,
                      .touches = kept_touches(goal.time_ms, touches)};
  if (!goal.item.empty()) kept.items.push_back({.id = goal.item});
  return kept;
}

KeptVisit kept_alone(int64_t time_ms, const Origin& origin) {
  static const Touch kDirect;
  KeptVisit kept;
  kept.start_ms = time_ms;
  kept.first_touch = kept_touch_of(kDirect);
  kept.country = origin.country;
  kept.device = device_name(origin.device);
  kept.browser = browser_name(origin.browser);
  kept.os = system_name(origin.system);
  kept.new_returning = new_returning_name(origin.new_returning);
  return kept;
}

KeptVisit kept_view_alone(int64_t time_ms, const Origin& origin, std::string_view page, std::string_view term) {
  KeptVisit kept = kept_alone(time_ms, origin);
  kept.views.push_back({.page = page, .search_term = term, .ms = ms_of_second(time_ms)});
  return kept;
}

KeptVisit kept_event_alone(int64_t time_ms, const Event& event) {
  KeptVisit kept = kept_alone(time_ms, Origin());
  kept.events.push_back({.name = event.name, .item = event.item});
  return kept;
}

}  // namespace footfall
