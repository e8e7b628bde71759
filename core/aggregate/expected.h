// Whoever reads hits faster than memory answers says which ones come, so that what is known of their visitors is on its
// way: `soon` first, and again when it is among the `next` few. It changes no figure, and may be left out.
#pragma once

#include <cstdint>

namespace footfall {

enum class Expected : uint8_t { soon, next };

}  // namespace footfall
