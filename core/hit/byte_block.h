// Sixteen bytes looked at together, by the compiler's own vectors: on whatever processor there is.
#pragma once

#include <bit>
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

// Which byte is the first that a comparison holds for; it holds for one.
inline size_t first_of(ByteBlock holds) {
  uint64_t halves[2];
  std::memcpy(halves, &holds, sizeof holds);
  return static_cast<size_t>(halves[0] != 0 ? std::countr_zero(halves[0]) : 64 + std::countr_zero(halves[1])) / 8;
}

// The first place from `from` on where `holds` is true of a byte, of `count` bytes, of which there are at least
// kByteBlock; `count`: nowhere.
template <class Holds>
size_t find_in_blocks(const char* from, size_t count, Holds&& holds) {
  const char* const last = from + count - kByteBlock;
  for (const char* at = from;; at += kByteBlock) {
    if (at > last) at = last;  // overlaps the one before, where it was true of none
    const ByteBlock found = holds(at);
    if (any(found)) return static_cast<size_t>(at - from) + first_of(found);
    if (at == last) return count;
  }
}

}  // namespace footfall
