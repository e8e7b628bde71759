// From sums to figures: each is rounded once, to the digits that it is shown with.
#pragma once

#include <string>

#include "base/money.h"
#include "query/metrics.h"
#include "query/report.h"

namespace footfall {

struct Figure {
  bool is_null = true;
  bool is_fractional = false;  // of credited counts: shares of a conversion are in it
  __int128 value = 0;          // in units of the last digit shown
};

// Digits after the point that the metric is computed to.
int digits_of(const Metric& metric, Currency currency);

// A figure as it is before it is rounded: the sums that it is made of, in the units of their parts.
struct Quotient {
  bool is_null = true;
  __int128 top = 0;
  __int128 bottom = 1;  // above 0
};

// `bottom` is ignored where the metric has none. Null: nothing to divide by, or of a cost that is none.
Quotient quotient_of(const Metric& metric, bool has_bottom, __int128 top, __int128 bottom);
Figure figure_of(const Metric& metric, bool has_bottom, __int128 top, __int128 bottom, Currency currency);
Figure figure_of_quantile(__int128 settled);  // as GroupSums::settle_quantiles() leaves it

// (now - before) / |before| of the same metric, rounded once: not of figures that are rounded already. Null: nothing before,
// or either is null.
inline constexpr int kRatioDigits = 6;
Figure figure_of_change(const Quotient& now, const Quotient& before);

Figure figure_of_share(__int128 part, __int128 whole);  // null: of nothing

// `type`: the column's; credited counts are spelt as integers where all of the column are whole.
Cell cell_of(const Figure& figure, int digits, ColumnType type);

}  // namespace footfall
