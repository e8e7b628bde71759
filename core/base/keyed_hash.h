// 128-bit hashes. Keyed ones (SipHash-2-4, libsodium) hide what they were made from; seeded ones (XXH3, seeded by the
// store's secret) only name a string and are cheap.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace footfall {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  bool is_zero() const { return high == 0 && low == 0; }
  auto operator<=>(const Hash128&) const = default;

  template <class H>
  friend H AbslHashValue(H state, const Hash128& hash) {
    return H::combine(std::move(state), hash.high * 0x9e3779b97f4a7c15 ^ hash.low);  // a hash already, or a small number
  }
};

using Key128 = std::array<uint8_t, 16>;     // key of a keyed hash
using Secret256 = std::array<uint8_t, 32>;  // the store's secret, or a day's salt

// A key for one purpose, derived from a secret (BLAKE2b): keys of different purposes tell nothing of each other.
Key128 derive_key(const Secret256& secret, std::string_view purpose);

// Keyed 128-bit hash over the parts, told apart by their lengths: ("ab","c") differs from ("a","bc").
Hash128 keyed_hash(const Key128& key, std::string_view first, std::string_view second = {});

// A message's beginning, hashed once for all the ends that it is asked with: one end then costs no more than its own
// bytes. SipHash-2-4 with 128 bits of: beginning-length u32 | beginning | zeros up to a multiple of 8 | end (16 bytes).
// It can be turned back into its key, so it is kept and wiped as the key is.
class HashBeginning {
 public:
  HashBeginning() = default;
  HashBeginning(const Key128& key, std::string_view beginning);

  // The end as two numbers, little-endian as they lie in memory.
  Hash128 with_end(uint64_t first, uint64_t second) const;

 private:
  std::array<uint64_t, 4> state_{};
  uint64_t length_ = 0;  // of the whole message, where its last word has it
};

// Names strings within one store. Cheap, and not guessable without the store's secret.
class StringHasher {
 public:
  explicit StringHasher(const Secret256& secret);
  Hash128 operator()(std::string_view text) const;

 private:
  alignas(8) std::array<uint8_t, 192> secret_;
};

// Fills with random bytes of the kernel.
void random_bytes(void* to, size_t bytes);

// Overwrites in a way that the compiler keeps.
void wipe(void* what, size_t bytes);

}  // namespace footfall
