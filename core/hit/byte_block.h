// Sixteen bytes looked at together, by the compiler's own vectors: on whatever processor there is.
#pragma once

#include <cstdint>
#include <cstring>

namespace footfall {

inline constexpr size_t kByteBlock = 16;
// Signed, so that one comparison tells ASCII's upper part from controls and from all that is not ASCII.
using ByteBlock = int8_t __attribute__((vector_size(kByteBlock)));

inline ByteBlock load_block(const char* from) {
  ByteBlock block;
  std::memcpy(&block, from, sizeof block);
  return block;
}

// Whether a comparison holds for any of the bytes.
inline bool any(ByteBlock holds) {
  uint64_t halves[2];
  static_assert(sizeof halves == sizeof holds);
  std::memcpy(halves, &holds, sizeof holds);
  return (halves[0] | halves[1]) != 0;
}

// Whether `holds` is true of no block of `count` bytes from `from` on, of which there are at least kByteBlock; the last
// two may overlap.
template <class Holds>
bool none_of_blocks(const char* from, size_t count, Holds&& holds) {
  const char* const last = from + count - kByteBlock;
  for (; from < last; from += kByteBlock)
    if (any(holds(from))) return false;
  return !any(holds(last));
}

}  // namespace footfall
