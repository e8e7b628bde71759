#include "base/money.h"

#include <cassert>

#include "base/limits.h"

namespace footfall {
namespace {

constexpr int kMicrosDigits = 6;
constexpr int64_t kPowersOfTen[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ISO 4217's currencies that are not shown with two digits.
struct DigitsRow {
  int digits;
  std::string_view codes;  // three letters and a space each
};
constexpr DigitsRow kDigits[] = {
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "},
    {3, "BHD IQD JOD KWD LYD OMR TND "},
    {4, "CLF UYW "},
};

}  // namespace

std::optional<Currency> parse_currency(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  Currency currency;
  for (size_t at = 0; at < 3; ++at) {
    char letter = text[at];
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    if (letter < 'A' || letter > 'Z') return std::nullopt;
    currency.code[at] = letter;
  }
  return currency;
}

int currency_digits(Currency currency) {
  for (const DigitsRow& row : kDigits) {
    for (size_t at = 0; at < row.codes.size(); at += 4) {
      if (row.codes.substr(at, 3) == currency.text()) return row.digits;
    }
  }
  return 2;
}

std::optional<int64_t> parse_micros(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);

  size_t at = 0;
  int64_t units = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    units = units * 10 + (text[at] - '0');
    if (units >= kValueUnitsMax) return std::nullopt;
  }
  if (at == 0) return std::nullopt;

  int64_t micros = units * kMicrosPerUnit;
  if (at < text.size()) {
    if (text[at] != '.') return std::nullopt;
    const std::string_view fraction = text.substr(at + 1);
    if (fraction.empty()) return std::nullopt;
    for (size_t place = 0; place < fraction.size(); ++place) {
      if (!is_digit(fraction[place])) return std::nullopt;
      const int digit = fraction[place] - '0';
      if (place < kMicrosDigits) micros += digit * kPowersOfTen[kMicrosDigits - 1 - place];
      // The first digit past the sixth alone decides a rounding half away from zero.
      if (place == kMicrosDigits && digit >= 5) ++micros;
    }
  }
  if (micros >= kValueUnitsMax * kMicrosPerUnit) return std::nullopt;
  return negative ? -micros : micros;
}

__int128 divide_rounded(__int128 numerator, __int128 denominator) {
  assert(denominator > 0);
  const __int128 quotient = numerator / denominator;
  const __int128 rest = numerator % denominator;
  const __int128 rest_size = rest < 0 ? -rest : rest;
  // rest >= denominator / 2, said so that nothing overflows
  if (rest_size < denominator - rest_size) return quotient;
  return numerator < 0 ? quotient - 1 : quotient + 1;
}

std::string format_micros(__int128 micros, int digits) {
  assert(digits >= 0 && digits <= kMicrosDigits);
  const __int128 scaled = divide_rounded(micros, kPowersOfTen[kMicrosDigits - digits]);
  const bool negative = scaled < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(scaled) : static_cast<unsigned __int128>(scaled);

  char text[48];  // 39 digits of 128 bits, a sign and a point
  char* at = text + sizeof text;
  int placed = 0;
  while (rest != 0 || placed <= digits) {
    if (placed == digits && digits > 0) *--at = '.';
    *--at = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    ++placed;
  }
  if (negative) *--at = '-';
  return {at, static_cast<size_t>(text + sizeof text - at)};
}

}  // namespace footfall
