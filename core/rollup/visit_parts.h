// A visit as the counters it stands for, minute by minute. Dimensions whose value is known for good only when the visit
// closes, or by which nothing needs to be known before, are booked with it then; a query adds the open visits with it.
#pragma once

#include <map>
#include <string>

#include "rollup/counters.h"
#include "rollup/keys.h"
#include "visit/visit_record.h"

namespace footfall {

// Adds a visit's own figures, those of the bucket of its first hit.
inline void add_figures(Counters& to, const VisitFigures& figures) {
  to[Counter::visits] += figures.visits;
  to[Counter::bounces] += figures.bounces;
  to[Counter::duration_ms] += figures.duration_ms;
  to[Counter::visits_converted] += figures.converted;
  to[Counter::visits_with_cart] += figures.with_cart;
  to[Counter::visits_cart_left] += figures.cart_left;
}

// Dimensions under which open visits may not be booked yet.
inline bool is_booked_late(Dimension dimension) {
  return dimension == Dimension::entry_page || dimension == Dimension::exit_page ||
         (dimension >= Dimension::browser && dimension <= Dimension::referrer);
}

// Whether an open visit is not booked yet under the dimension: under entry_page it is from its first page view on.
inline bool is_booked_at_close(const Visit& visit, Dimension dimension) {
  return is_booked_late(dimension) && !(dimension == Dimension::entry_page && visit.has_page());
}

// What an open visit is booked under then, so far as it has come; empty: null.
inline std::string late_value(const Visit& visit, Dimension dimension) {
  switch (dimension) {
    case Dimension::entry_page:
      return visit.entry_page;
    case Dimension::exit_page:
      return visit.exit_page;
    case Dimension::browser:
      return std::string(browser_name(visit.browser));
    case Dimension::system:
      return std::string(system_name(visit.system));
    case Dimension::new_returning:
      return std::string(new_returning_name(visit.new_returning));
    case Dimension::content:
      return visit.first_touch.content_label;
    case Dimension::term:
      return visit.first_touch.term;
    case Dimension::code:
      return visit.first_touch.code;
    case Dimension::referrer:
      return visit.first_touch.referrer;
    default:
      return {};
  }
}

// at(minute_start_s) gives the counters of that minute, to be added to, for each part, that of the visit's start first; the
// parts add up to the whole visit, but for its visitor. `sign` -1 takes it off.
template <class At>
void add_visit(const Visit& visit, int sign, At at) {
  add_figures(at(minute_start_s(visit.start_ms)), sign > 0 ? visit.figures() : VisitFigures{} - visit.figures());
  for (const VisitMinute& minute : visit.minutes) {
    Counters& counters = at(minute.minute_start_s);
    counters[Counter::pageviews] += sign * int64_t{minute.pageviews};
    counters[Counter::events] += sign * int64_t{minute.events};
    counters[Counter::pages_left] += sign * int64_t{minute.pages_left};
    counters[Counter::page_time_ms] += sign * minute.page_time_ms;
  }
  if (!visit.has_page()) return;
  at(minute_start_s(visit.entry_ms))[Counter::entries] += sign;
  at(minute_start_s(visit.exit_ms))[Counter::exits] += sign;
}

// add(minute_start_s, counters) for each part.
template <class Add>
void each_part_of_visit(const Visit& visit, Add add) {
  std::map<int64_t, Counters> parts;
  add_visit(visit, 1, [&](int64_t minute_s) -> Counters& { return parts[minute_s]; });
  parts[minute_start_s(visit.start_ms)].visitors.add(visit.distinct_visitor);
  for (const auto& [minute_s, part] : parts) add(minute_s, part);
}

}  // namespace footfall
