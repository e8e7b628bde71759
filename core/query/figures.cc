#include "query/figures.h"

#include <cmath>
#include <utility>

namespace footfall {
namespace {

constexpr int kSecondsDigits = 3;
constexpr int kSharesDigits = 3;
constexpr long double kFigureMax = 1e37L;  // in units of the last digit
constexpr __int128 kPowersOfTen[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};

bool is_shared(const Metric& metric) { return metric.top.kind == Part::Kind::credited; }

// How much of a part is one: credited counts and amounts are in millionths.
__int128 one_of(const Part& part) {
  if (part.kind == Part::Kind::profit) return static_cast<__int128>(kMicrosPerUnit) * kMicrosPerUnit;
  return part.kind == Part::Kind::counter ? 1 : kMicrosPerUnit;
}

// 10^-digits in micros, as format_micros takes it.
std::string spell(__int128 value, int digits) { return format_micros(value * kPowersOfTen[6 - digits], digits); }

std::string without_trailing_zeros(std::string number) {
  if (number.find('.') == std::string::npos) return number;
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number == "-0" ? "0" : number;
}

__int128 common_divisor(__int128 a, __int128 b) {
  for (a = a < 0 ? -a : a, b = b < 0 ? -b : b; b != 0;) a = std::exchange(b, a % b);
  return a == 0 ? 1 : a;
}

}  // namespace

int digits_of(const Metric& metric, Currency currency) {
  switch (metric.type) {
    case ColumnType::money:
      return currency_digits(currency);
    case ColumnType::ratio:
      return kRatioDigits;
    case ColumnType::seconds:
      return kSecondsDigits;
    default:
      return is_shared(metric) ? kSharesDigits : 0;
  }
}

Quotient quotient_of(const Metric& metric, bool has_bottom, __int128 top, __int128 bottom) {
  if ((has_bottom && bottom <= 0) || (metric.is_cost_of_one() && top <= 0)) return {};
  return {.is_null = false, .top = top, .bottom = has_bottom ? bottom : 1};
}

Figure figure_of(const Metric& metric, bool has_bottom, __int128 top, __int128 bottom, Currency currency) {
  if (quotient_of(metric, has_bottom, top, bottom).is_null) return {};
  const __int128 scale = kPowersOfTen[digits_of(metric, currency)];
  const __int128 top_one = metric.type == ColumnType::seconds ? 1'000 : one_of(metric.top);  // milliseconds
  const __int128 numerator = top * scale * (has_bottom ? one_of(metric.bottom) : 1);
  return {.is_null = false,
          .is_fractional = is_shared(metric) && top % kMicrosPerUnit != 0,
          .value = divide_rounded(numerator, top_one * (has_bottom ? bottom : 1))};
}

Figure figure_of_quantile(__int128 settled) {
  return settled > 0 ? Figure{.is_null = false, .value = settled - 1} : Figure{};
}

// Both in their lowest terms, so that products fit: of sums that are whole cents they do by far. Where they do not, all the
// digits that are shown are right but for the last of some.
Figure figure_of_change(const Quotient& now, const Quotient& before) {
  if (now.is_null || before.is_null || before.top == 0) return {};
  const __int128 of_tops = common_divisor(now.top, before.top), of_bottoms = common_divisor(now.bottom, before.bottom);
  const __int128 now_top = now.top / of_tops, before_top = before.top / of_tops;
  const __int128 now_bottom = now.bottom / of_bottoms, before_bottom = before.bottom / of_bottoms;
  const __int128 scale = kPowersOfTen[kRatioDigits], size = before_top > 0 ? before_top : -before_top;
  __int128 now_part, before_part, apart, scaled, whole;
  const bool fits = !__builtin_mul_overflow(now_top, before_bottom, &now_part) && !__builtin_mul_overflow(before_top, now_bottom, &before_part) &&
                    !__builtin_sub_overflow(now_part, before_part, &apart) && !__builtin_mul_overflow(apart, scale, &scaled) &&
                    !__builtin_mul_overflow(size, now_bottom, &whole);
  if (fits) return {.is_null = false, .value = divide_rounded(scaled, whole)};
  const auto value_of = [](const Quotient& of) { return static_cast<long double>(of.top) / static_cast<long double>(of.bottom); };
  const long double change = std::round((value_of(now) - value_of(before)) / std::fabs(value_of(before)) * static_cast<long double>(scale));
  if (!(std::fabs(change) < kFigureMax)) return {};
  return {.is_null = false, .value = static_cast<__int128>(change)};
}

Figure figure_of_share(__int128 part, __int128 whole) {
  if (whole <= 0) return {};
  return {.is_null = false, .value = divide_rounded(part * kPowersOfTen[kRatioDigits], whole)};
}

Cell cell_of(const Figure& figure, int digits, ColumnType type) {
  if (figure.is_null) return Cell::null();
  if (type == ColumnType::ratio) return Cell::of_number(without_trailing_zeros(spell(figure.value, digits)));
  if (type == ColumnType::integer) return Cell::of_number(spell(figure.value / kPowersOfTen[digits], 0));
  return Cell::of_number(spell(figure.value, digits));
}

}  // namespace footfall
