#include "credit/model.h"

#include <algorithm>

namespace footfall {

std::span<const Touch> journey(std::span<const Touch> touches, int64_t time_ms, int64_t lookback_ms) {
  const auto begin = std::find_if(touches.begin(), touches.end(),
                                  [&](const Touch& touch) { return touch.time_ms >= time_ms - lookback_ms; });
  const auto end = std::find_if(begin, touches.end(), [&](const Touch& touch) { return touch.time_ms > time_ms; });
  return {begin, end};
}

const Touch* credited_touch(Model model, std::span<const Touch> journey) {
  if (journey.empty()) return nullptr;
  switch (model) {
    case Model::first:
      return &journey.front();
    case Model::last:
      return &journey.back();
    case Model::last_non_direct: {
      const auto found =
          std::find_if(journey.rbegin(), journey.rend(), [](const Touch& touch) { return !touch.is_direct(); });
      return found == journey.rend() ? &journey.back() : &*found;
    }
  }
  return nullptr;
}

}  // namespace footfall
