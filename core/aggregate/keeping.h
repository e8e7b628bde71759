// What is kept of conversions and of facts without a visit (rollup/kept_visit.h): the same facts that bookings count.
#pragma once

#include <cstdint>
#include <span>

#include "aggregate/bookings.h"
#include "hit/hit.h"
#include "rollup/kept_visit.h"
#include "visit/touch.h"

namespace footfall {

// Of a record that began at `start_ms`; texts are views into what is given. `told`: in the order's own currency; `booked`: in
// the site's, where there is a rate.
KeptConversion kept_order(int64_t start_ms, const Bookings::Order& told, const Bookings::Order& booked,
                          std::span<const Touch> touches);
KeptConversion kept_goal(int64_t start_ms, const Bookings::Goal& goal, std::span<const Touch> touches);

// A record that is no visit, to be given facts.
KeptVisit kept_alone(int64_t time_ms, const Origin& origin);
// Neither its first view of a page nor an entry or exit: in no visit.
KeptVisit kept_view_alone(int64_t time_ms, const Origin& origin, std::string_view page, std::string_view term);
KeptVisit kept_event_alone(int64_t time_ms, const Event& event);

}  // namespace footfall
