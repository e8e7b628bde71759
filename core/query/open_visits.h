// What open visits add to the dimensions that are booked late (rollup/visit_parts.h): most when the visit closes, entry_page
// with the first page view.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "rollup/counters.h"
#include "rollup/keys.h"
#include "rollup/summary.h"

namespace footfall {

// Calls add(minute, text, counters) for each part of each open visit of the site that the dimension does not hold yet;
// an empty text is null. The parts of a visit add up to all of it; parts of any time are given. Error::corrupt: a
// stored visit that cannot be one.
Status each_open_visit_part(SummarySnapshot& snapshot, uint16_t site, Dimension dimension,
                            const std::function<void(int64_t minute_s, std::string_view text, const Counters&)>& add);

}  // namespace footfall
