#include "rollup/settled.h"

namespace footfall {

Lateness find_lateness(const Zone& zone, Level finest, int64_t start_s, int64_t clock_s) {
  Lateness late;
  for (auto at = static_cast<size_t>(finest); at < kLevels.size(); ++at) {
    const Level level = kLevels[at];
    // Most are asked within an hour or two: no need to look where the hour ends.
    if (clock_s < start_s + settles_after_s(level)) break;
    const int64_t end_s = zone.next_bucket_s(level, start_s);
    if (clock_s < end_s + settles_after_s(level)) break;
    late.settled = static_cast<uint8_t>(at + 1);
    if (clock_s >= end_s + kSettlesForGoodAfterS) late.for_good = static_cast<uint8_t>(at + 1);
  }
  return late;
}

}  // namespace footfall
