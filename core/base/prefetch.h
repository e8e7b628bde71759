// Asks for memory that is needed in a moment.
#pragma once

#include <cstddef>

namespace footfall {

inline void prefetch(const void* object, size_t bytes) {
  constexpr size_t kLineBytes = 64;
  for (size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(static_cast<const char*>(object) + at);
}

}  // namespace footfall
