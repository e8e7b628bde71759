#include "query/interval_figures.h"

#include <cmath>

namespace footfall {
namespace {

constexpr double kFigureMax = 1e30;  // in units of the last digit

Bounds bounds_of(const std::optional<Interval>& interval, double unit, int digits) {
  if (!interval) return {};
  const Bounds bounds{figure_of_number(interval->low / unit, digits), figure_of_number(interval->high / unit, digits)};
  return bounds.low.is_null || bounds.high.is_null ? Bounds() : bounds;
}

}  // namespace

Figure figure_of_number(double value, int digits) {
  const double scaled = std::round(value * std::pow(10, digits));
  if (!(std::fabs(scaled) <= kFigureMax)) return {};  // no number at all, too
  return {.is_null = false, .value = static_cast<__int128>(scaled)};
}

Bounds bounds_of_rate(__int128 top, __int128 bottom) {
  return bounds_of(wilson(static_cast<double>(top), static_cast<double>(bottom)), 1, kRatioDigits);
}

Bounds bounds_of_rpv(const ReturnSums& sums, Currency currency) {
  return bounds_of(rpv_micros_interval(sums), static_cast<double>(kMicrosPerUnit), currency_digits(currency));
}

Bounds bounds_of_roas(const ReturnSums& sums, __int128 cost_micros) {
  if (cost_micros > INT64_MAX) return {};
  return bounds_of(roas_of(sums, static_cast<int64_t>(cost_micros)).interval, 1, kRatioDigits);
}

}  // namespace footfall
