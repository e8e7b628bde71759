// The bounds of figures, for `ci=95`: from the sums that a figure is made of to NAME_lo and NAME_hi. What intervals are:
// credit/intervals.h.
#pragma once

#include <optional>

#include "credit/intervals.h"
#include "query/figures.h"
#include "query/metrics.h"

namespace footfall {

struct Bounds {
  Figure low, high;  // both null, or neither
};

// Of a rate: top of bottom, by Wilson. Null: of nothing, or more than all.
Bounds bounds_of_rate(__int128 top, __int128 bottom);

// Of revenue per visit, and of revenue over cost: log-normal. Null: rpv_micros_interval() and roas_of() are.
Bounds bounds_of_rpv(const ReturnSums& sums, Currency currency);
Bounds bounds_of_roas(const ReturnSums& sums, __int128 cost_micros);

// A number as a figure with so many digits, rounded half away from zero. Null: it is none that fits.
Figure figure_of_number(double value, int digits);

}  // namespace footfall
