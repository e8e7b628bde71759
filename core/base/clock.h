// The wall clock, asked for by those who may (never a request): tests give times of their own.
#pragma once

#include <cstdint>

namespace footfall {

inline constexpr int64_t kMsPerDay = 86'400'000;

int64_t now_us();                             // since 1970, UTC
inline int64_t now_ms() { return now_us() / 1000; }

// Days since 1970 of an instant, UTC; right before 1970 too.
inline constexpr int64_t utc_day(int64_t time_ms) {
  return time_ms >= 0 ? time_ms / kMsPerDay : -((-time_ms + kMsPerDay - 1) / kMsPerDay);
}

}  // namespace footfall
