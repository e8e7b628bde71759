// When a bucket's time is settled: a while after its end, by the clock of the hits themselves. What is booked until then
// decides which of a bucket's values are kept (trim.h); what comes later is late for it. So that the outcome depends on
// the hits alone, and not on when they were folded, each change says for which levels it was late.
#pragma once

#include <compare>
#include <cstdint>

#include "site/zone.h"

namespace footfall {

inline constexpr int64_t kMinuteSettlesAfterS = 600;
inline constexpr int64_t kSettlesAfterS = 7'200;  // hours, days, months: a visit of their last minute has mostly closed
// A bucket that had no more values than it keeps takes what is late as well, and is settled for good by then.
inline constexpr int64_t kSettlesForGoodAfterS = 26 * 3'600;

constexpr int64_t settles_after_s(Level level) { return level == Level::minute ? kMinuteSettlesAfterS : kSettlesAfterS; }

// How many levels, from the minute on, had settled the bucket that holds something: 0, it is in time for all of them; 1,
// late for minutes alone; …; 4, late for the month. Buckets of coarser levels never settle before finer ones.
struct Lateness {
  uint8_t settled = 0;
  uint8_t for_good = 0;  // likewise, settled for good

  bool is_late(Level level) const { return settled > static_cast<uint8_t>(level); }
  bool is_too_late(Level level) const { return for_good > static_cast<uint8_t>(level); }
  // As far as it matters to a level and those above it.
  Lateness from(Level level) const { return {is_late(level) ? settled : uint8_t{0}, is_too_late(level) ? for_good : uint8_t{0}}; }

  uint8_t code() const { return static_cast<uint8_t>(settled << 4 | for_good); }  // stored in blocks of changes
  static Lateness of_code(uint32_t code) { return {static_cast<uint8_t>(code >> 4 & 15), static_cast<uint8_t>(code & 15)}; }
  auto operator<=>(const Lateness&) const = default;
};

// A bucket, and how late something was for it.
struct BucketTime {
  BucketTime(int64_t start_s, Lateness late = {}, Level level = Level::minute) : start_s(start_s), late(late), level(level) {}

  int64_t start_s;
  Lateness late;
  Level level;
};

// `finest` is the level of the bucket that begins at `start_s`; the clock is that of the hits.
Lateness find_lateness(const Zone& zone, Level finest, int64_t start_s, int64_t clock_s);

}  // namespace footfall
