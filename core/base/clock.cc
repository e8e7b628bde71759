#include "base/clock.h"

#include <ctime>

namespace footfall {

int64_t now_us() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace footfall
