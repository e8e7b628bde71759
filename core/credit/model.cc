#include "credit/model.h"

#include <algorithm>

namespace footfall {

std::span<const Touch> journey(std::span<const Touch> touches, int64_t time_ms, int64_t lookback_ms) {
  const auto begin = std::find_if(touches.begin(), touches.end(),
                                  [&](const Touch& touch) { return touch.time_ms >= time_ms - lookback_ms; });
  const auto end = std::find_if(begin, touches.end(), [&](const Touch& touch) { return touch.time_ms > time_ms; });
  return {begin, end};
}

}  // namespace footfall
