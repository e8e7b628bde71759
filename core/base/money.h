// Money is integer millionths ("micros") of a currency unit, never floating point; it is rounded once, when shown.
// Source: numbers.md §6, as told in core/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace footfall {

inline constexpr int64_t kMicrosPerUnit = 1'000'000;

// Three capital letters of ISO 4217. Unknown codes are allowed and have two digits.
struct Currency {
  std::array<char, 3> code{};

  std::string_view text() const { return {code.data(), code.size()}; }
  bool operator==(const Currency&) const = default;
};

// Three letters in either case; anything else is no currency.
std::optional<Currency> parse_currency(std::string_view text);

// Digits after the point that the currency is shown with: 2 for most, 0 for JPY and its like, 3 for KWD and its like.
int currency_digits(Currency currency);

// A plain decimal (`-12.5`, `129.90`, `.5` and `5.` are not plain) as micros; at most six digits after the point carry
// value and further ones must be digits (rounded half away from zero). |value| < kValueUnitsMax. No exponent, no
// spaces, no thousands separator: nullopt.
std::optional<int64_t> parse_micros(std::string_view text);

// Shown with `digits` digits after the point, rounded half away from zero: format_micros(5432100000, 2) == "5432.10".
std::string format_micros(__int128 micros, int digits);

// numerator/denominator rounded half away from zero; denominator > 0.
__int128 divide_rounded(__int128 numerator, __int128 denominator);

}  // namespace footfall
