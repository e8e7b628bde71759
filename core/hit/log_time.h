// The time of a log line, however it is spelt.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace footfall {

// Remembers what it read last: a busy log has many lines of one second, and every log of one day. Keep one per reader.
class LogTime {
 public:
  // Milliseconds since 1970, UTC; of the years 1970 to 9999. `24/Nov/2026:10:00:00 +0100`; ISO 8601 with an offset
  // (`2026-11-24T10:00:00.250+01:00`, `…Z`; a blank for the `T`); seconds since 1970 (`1795510800.250`). Digits
  // past the millisecond are cut off. A 60th second is the next minute's first.
  std::optional<int64_t> read_ms(std::string_view text);

 private:
  std::optional<int64_t> read_of_last_day(std::string_view text) const;
  std::optional<int64_t> remember(std::string_view text, std::optional<int64_t> ms);

  std::array<char, 32> last_text_{};
  size_t last_bytes_ = 0;
  int64_t last_ms_ = 0;
};

// Seconds with digits after the point (`0.250`, `3`) as whole milliseconds; nothing where it is no such number or more
// than 10^12 s.
std::optional<int64_t> seconds_as_ms(std::string_view text);

}  // namespace footfall
