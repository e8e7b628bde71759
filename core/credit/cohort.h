// Cohorts: customers by how they came first, or when they ordered first, and what they brought in the time after.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "site/config.h"

namespace footfall {

// Days after the first order; 0 is the first day.
inline constexpr size_t kCohortAges = 5;
inline constexpr std::array<int, kCohortAges> kCohortAgeDays = {0, 30, 90, 180, 365};

// The first age by which an order so long after the first one is in; kCohortAges: none.
inline size_t cohort_age(int64_t after_ms) {
  size_t age = 0;
  while (age < kCohortAges && after_ms > (age == 0 ? 1 : kCohortAgeDays[age]) * kDayS * 1000) ++age;
  return age;
}

// What a cohort's orders of an age are counted under: a digit, then the value.
inline std::string cohort_text(size_t age, std::string_view value) {
  return std::string(1, static_cast<char>('0' + age)).append(value);
}
struct CohortText {
  size_t age = 0;
  std::string_view value;
};
// nullopt: it is no such text.
inline std::optional<CohortText> read_cohort(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > static_cast<char>('0' + kCohortAges)) return std::nullopt;
  return CohortText{static_cast<size_t>(text[0] - '0'), text.substr(1)};
}

}  // namespace footfall
