// Time zones and the buckets they cut. A bucket's start is the instant that names it in every key, in seconds since
// 1970.
//
// Minutes are those of UTC. An hour begins with each full hour on the zone's clocks and with each change of its offset
// (so 02:00 comes twice when the clocks go back, and a half-hour change makes half-hour buckets). A day begins with the
// first second that bears its date: days have 23, 24 or 25 hours, and a date that the zone left out has no length.
// Hours never straddle days, days never months.
#pragma once

#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace footfall {

enum class Level : uint8_t { minute = 0, hour = 1, day = 2, month = 3 };  // numbers are stored
inline constexpr std::array kLevels = {Level::minute, Level::hour, Level::day, Level::month};

std::string_view level_name(Level level);

// Cheap to copy. An object remembers the bounds that it found last, also in const functions: one object per thread.
class Zone {
 public:
  Zone() = default;  // UTC

  // A name of the tz database, as "Europe/Berlin" or "UTC". Reads the system's zoneinfo the first time.
  static Result<Zone> load(std::string_view name);

  const std::string& name() const { return name_; }

  // start <= time_s < next_bucket_s(start); a start's own start is itself.
  int64_t bucket_start_s(Level level, int64_t time_s) const;
  // Where the bucket that holds `start_s` ends and the next begins.
  int64_t next_bucket_s(Level level, int64_t start_s) const;

  // The ISO week (from Monday) that holds the time, in whole days of the zone.
  int64_t week_start_s(int64_t time_s) const;
  int64_t next_week_s(int64_t start_s) const;

  // 2026-10-25, as the zone's calendars show it.
  std::string date_text(int64_t time_s) const;
  // The first second of that local day; a day that the zone left out starts where the next does.
  Result<int64_t> parse_date(std::string_view text) const;

  // A bucket's name: minute 2026-10-25T00:30:00Z, hour 2026-10-25T02:00:00+02:00, day 2026-10-25, month 2026-10.
  std::string bucket_text(Level level, int64_t start_s) const;

 private:
  struct Bounds {
    int64_t start_s = 0;
    int64_t next_s = 0;  // start == next: nothing remembered
    bool hold(int64_t time_s) const { return start_s <= time_s && time_s < next_s; }
  };
  static constexpr size_t kWeek = kLevels.size();  // the week's place behind the levels'

  const Bounds& bounds(size_t kind, int64_t time_s) const;
  Bounds find(size_t kind, int64_t time_s) const;

  std::string name_ = "UTC";
  absl::TimeZone zone_ = absl::UTCTimeZone();
  mutable std::array<Bounds, kLevels.size() + 1> last_{};
};

using ZoneOf = std::function<const Zone&(uint16_t site)>;

}  // namespace footfall
