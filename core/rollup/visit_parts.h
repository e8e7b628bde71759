// A visit as the counters it stands for, minute by minute. The dimensions entry_page and exit_page are booked with it once
// the page is known for good (the exit page: when the visit closes); a query adds the open visits with it.
#pragma once

#include <map>

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

// Whether an open visit is not booked yet under the dimension: exit_page always, entry_page until there is a page view.
inline bool is_booked_at_close(const Visit& visit, Dimension dimension) {
  return dimension == Dimension::exit_page || (dimension == Dimension::entry_page && !visit.has_page());
}

// at(minute_start_s) gives the counters of that minute, to be added to, for each part; the parts add up to the whole visit.
// `sign` -1 takes it off, but for the visitor: nobody can be taken out of a distinct count.
template <class At>
void add_visit(const Visit& visit, int sign, At at) {
  {
    Counters& own = at(minute_start_s(visit.start_ms));
    add_figures(own, sign > 0 ? visit.figures() : VisitFigures{} - visit.figures());
    if (sign > 0) own.visitors.add(visit.distinct_visitor);
  }
  for (const VisitMinute& minute : visit.minutes) {
    Counters& counters = at(minute.minute_start_s);
    counters[Counter::pageviews] += sign * int64_t{minute.pageviews};
    counters[Counter::events] += sign * int64_t{minute.events};
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
  for (const auto& [minute_s, part] : parts) add(minute_s, part);
}

}  // namespace footfall
