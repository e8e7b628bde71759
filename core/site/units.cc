#include "site/units.h"

#include <array>
#include <charconv>

#include "site/config.h"

namespace footfall {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr std::array kDurations = {Unit{"s", 1},     Unit{"m", 60},        Unit{"h", 3600},
                                   Unit{"d", kDayS}, Unit{"w", 7 * kDayS}, Unit{"y", 365 * kDayS}};
constexpr std::array kSizes = {Unit{"B", 1},
                               Unit{"KiB", int64_t{1} << 10},
                               Unit{"MiB", int64_t{1} << 20},
                               Unit{"GiB", int64_t{1} << 30},
                               Unit{"TiB", int64_t{1} << 40},
                               Unit{"KB", 1'000},
                               Unit{"MB", 1'000'000},
                               Unit{"GB", 1'000'000'000},
                               Unit{"TB", 1'000'000'000'000}};

// Digits, then one of the units; the product must fit.
template <size_t N>
std::optional<int64_t> parse_number_with_unit(std::string_view text, const std::array<Unit, N>& units) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  int64_t number = 0;
  const char* end_of_text = text.data() + text.size();
  const auto [end, fault] = std::from_chars(text.data(), end_of_text, number);
  if (fault != std::errc{}) return std::nullopt;
  const std::string_view name(end, static_cast<size_t>(end_of_text - end));
  for (const Unit& unit : units) {
    int64_t product = 0;
    if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &product)) return product;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> parse_duration_s(std::string_view text) {
  if (text == "forever") return kForeverS;
  const std::optional<int64_t> duration_s = parse_number_with_unit(text, kDurations);
  return duration_s && *duration_s <= kForeverS ? duration_s : std::nullopt;
}

std::optional<int64_t> parse_size_bytes(std::string_view text) { return parse_number_with_unit(text, kSizes); }

}  // namespace footfall
