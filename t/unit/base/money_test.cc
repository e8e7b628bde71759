// Money: what is a plain decimal, what is a currency, and how a figure is rounded and shown.
#include "base/money.h"

#include "base/limits.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kNoMoney = INT64_MIN;

int64_t micros_of(std::string_view text) { return parse_micros(text).value_or(kNoMoney); }

void decimals_become_micros(void**) {
  static constexpr struct {
    std::string_view text;
    int64_t micros;
  } kCases[] = {
      {"0", 0},
      {"-0", 0},
      {"129.90", 129'900'000},
      {"-12.5", -12'500'000},
      {"007", 7'000'000},
      {"0.000001", 1},
      {"0.0000004999", 0},
      {"0.0000005", 1},
      {"-0.0000005", -1},
      {"1.9999999", 2'000'000},
      {"999999999.999999", 999'999'999'999'999},
      {"-999999999.999999", -999'999'999'999'999},
  };
  for (const auto& c : kCases) expect_number(micros_of(c.text), c.micros);
}

void what_is_no_plain_decimal_is_no_money(void**) {
  static constexpr std::string_view kTexts[] = {
      "",
      "-",
      ".",
      ".5",
      "5.",
      "+5",
      " 5",
      "5 ",
      "1,5",
      "1.234,5",
      "1e3",
      "1E3",
      "0x10",
      "--1",
      "1.2.3",
      "1000000000",
      "NaN",
      "inf",
      "1-",
      "-.5",
      "€5",
      "5€",
      "١",
      "1.5 ",
      "1.a",
      "1.1234567a",
      "-1000000000",
      "99999999999999999999999999999999",
      "999999999.9999995",  // rounds up to the bound
      std::string_view("1\0", 2),
  };
  for (const std::string_view text : kTexts) expect_number(micros_of(text), kNoMoney);
}

void long_texts_are_read_without_overflow(void**) {
  static const std::string zeros = std::string(5000, '0') + "1." + std::string(5000, '0') + "9";
  expect_number(micros_of(zeros), 1'000'000);
  static const std::string nines = "1." + std::string(5000, '9');
  expect_number(micros_of(nines), 2'000'000);
}

void currencies_are_three_letters(void**) {
  expect_text(parse_currency("EUR")->text(), "EUR");
  expect_text(parse_currency("usd")->text(), "USD");
  expect_text(parse_currency("XyZ")->text(), "XYZ");
  for (const std::string_view text : {"", "EU", "EURO", "E1R", "€", "E R", "EU\n"}) {
    assert_false(parse_currency(text).has_value());
  }
}

void currencies_have_their_digits(void**) {
  static constexpr struct {
    std::string_view code;
    int digits;
  } kCases[] = {{"EUR", 2}, {"USD", 2}, {"XXX", 2}, {"JPY", 0}, {"KRW", 0}, {"ISK", 0}, {"XPF", 0},
                {"BIF", 0}, {"KWD", 3}, {"BHD", 3}, {"TND", 3}, {"CLF", 4}, {"UYW", 4}};
  for (const auto& c : kCases) expect_number(currency_digits(*parse_currency(c.code)), c.digits);
}

void figures_are_rounded_half_away_from_zero(void**) {
  static constexpr struct {
    int64_t micros;
    int digits;
    std::string_view text;
  } kCases[] = {
      {5'432'100'000, 2, "5432.10"},
      {0, 2, "0.00"},
      {0, 0, "0"},
      {5'000, 2, "0.01"},
      {4'999, 2, "0.00"},
      {-5'000, 2, "-0.01"},
      {-4'999, 2, "0.00"},
      {500'000, 0, "1"},
      {499'999, 0, "0"},
      {-500'000, 0, "-1"},
      {1'234'500, 3, "1.235"},
      {1, 6, "0.000001"},
      {-1'005'000, 2, "-1.01"},
      {999'995'000, 2, "1000.00"},
      {50'000, 1, "0.1"},
      {123'456'789, 4, "123.4568"},
  };
  for (const auto& c : kCases) expect_text(format_micros(c.micros, c.digits), c.text);
}

void sums_past_64_bits_are_shown_exactly(void**) {
  const __int128 sum = static_cast<__int128>(INT64_MAX) * 1000;
  expect_text(format_micros(sum, 2), "9223372036854775.81");
  expect_text(format_micros(sum * 1'000'000, 6), "9223372036854775807000.000000");
  expect_text(format_micros(-sum * 1'000'000, 6), "-9223372036854775807000.000000");
}

void divisions_round_half_away_from_zero(void**) {
  static constexpr struct {
    int64_t numerator, denominator, quotient;
  } kCases[] = {{7, 2, 4},   {-7, 2, -4}, {5, 3, 2}, {4, 3, 1}, {-4, 3, -1},
                {-5, 3, -2}, {0, 9, 0},   {1, 3, 0}, {6, 4, 2}};
  for (const auto& c : kCases) {
    expect_number(static_cast<int64_t>(divide_rounded(c.numerator, c.denominator)), c.quotient);
  }
  const __int128 largest = ~(static_cast<__int128>(1) << 127);
  assert_true(divide_rounded(largest, largest) == 1);
  assert_true(divide_rounded(largest - 1, largest) == 1);
}

void what_is_shown_reads_back(void**) {
  for (int64_t micros = -3'000'017; micros < 3'000'000; micros += 1'009) {
    expect_number(micros_of(format_micros(micros, 6)), micros);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(decimals_become_micros),
      cmocka_unit_test(what_is_no_plain_decimal_is_no_money),
      cmocka_unit_test(long_texts_are_read_without_overflow),
      cmocka_unit_test(currencies_are_three_letters),
      cmocka_unit_test(currencies_have_their_digits),
      cmocka_unit_test(figures_are_rounded_half_away_from_zero),
      cmocka_unit_test(sums_past_64_bits_are_shown_exactly),
      cmocka_unit_test(divisions_round_half_away_from_zero),
      cmocka_unit_test(what_is_shown_reads_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
