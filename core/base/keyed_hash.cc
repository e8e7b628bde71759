#include "base/keyed_hash.h"

#include <sodium.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <string>

#include "base/bytes.h"

namespace footfall {
namespace {

// SipHash (Aumasson, Bernstein) with 128 bits, word by word: libsodium has no way into the midst of a message.
using SipState = std::array<uint64_t, 4>;

inline void sip_round(SipState& v) {
  v[0] += v[1], v[1] = std::rotl(v[1], 13) ^ v[0], v[0] = std::rotl(v[0], 32);
  v[2] += v[3], v[3] = std::rotl(v[3], 16) ^ v[2];
  v[0] += v[3], v[3] = std::rotl(v[3], 21) ^ v[0];
  v[2] += v[1], v[1] = std::rotl(v[1], 17) ^ v[2], v[2] = std::rotl(v[2], 32);
}

inline void sip_take(SipState& v, uint64_t word) {
  v[3] ^= word;
  sip_round(v), sip_round(v);
  v[0] ^= word;
}

inline uint64_t sip_give(SipState& v) {
  sip_round(v), sip_round(v), sip_round(v), sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

}  // namespace

Key128 derive_key(const Secret256& secret, std::string_view purpose) {
  Key128 key;
  crypto_generichash(key.data(), key.size(), reinterpret_cast<const uint8_t*>(purpose.data()), purpose.size(),
                     secret.data(), secret.size());
  return key;
}

Hash128 keyed_hash(const Key128& key, std::string_view first, std::string_view second) {
  // message: first-length u32 | first | second
  constexpr size_t kOnStack = 1024;
  const size_t bytes = 4 + first.size() + second.size();
  uint8_t on_stack[kOnStack];
  std::string on_heap;
  uint8_t* message = on_stack;
  if (bytes > kOnStack) {
    on_heap.resize(bytes);
    message = reinterpret_cast<uint8_t*>(on_heap.data());
  }
  store_le32(message, static_cast<uint32_t>(first.size()));
  if (!first.empty()) std::memcpy(message + 4, first.data(), first.size());
  if (!second.empty()) std::memcpy(message + 4 + first.size(), second.data(), second.size());

  uint8_t out[crypto_shorthash_siphashx24_BYTES];
  static_assert(sizeof out == 16 && crypto_shorthash_siphashx24_KEYBYTES == sizeof(Key128));
  crypto_shorthash_siphashx24(out, message, bytes, key.data());
  wipe(message, bytes);
  return {load_le64(out), load_le64(out + 8)};
}

HashBeginning::HashBeginning(const Key128& key, std::string_view beginning) {
  const uint64_t key0 = load_le64(key.data()), key1 = load_le64(key.data() + 8);
  state_ = {key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d ^ 0xee, key0 ^ 0x6c7967656e657261,
            key1 ^ 0x7465646279746573};
  const size_t bytes = 4 + beginning.size();
  length_ = static_cast<uint64_t>((bytes + 7) / 8 * 8 + 16) << 56;

  uint64_t word = static_cast<uint32_t>(beginning.size());
  size_t filled = 4;
  while (!beginning.empty()) {
    const size_t taken = std::min(8 - filled, beginning.size());
    std::memcpy(reinterpret_cast<char*>(&word) + filled, beginning.data(), taken);
    beginning.remove_prefix(taken);
    if ((filled += taken) < 8) break;
    sip_take(state_, word);
    word = filled = 0;
  }
  if (filled > 0) sip_take(state_, word);
}

Hash128 HashBeginning::with_end(uint64_t first, uint64_t second) const {
  SipState v = state_;
  sip_take(v, first);
  sip_take(v, second);
  sip_take(v, length_);
  v[2] ^= 0xee;
  const uint64_t high = sip_give(v);
  v[1] ^= 0xdd;
  return {high, sip_give(v)};
}

StringHasher::StringHasher(const Secret256& secret) {
  static_assert(sizeof secret_ >= XXH3_SECRET_SIZE_MIN);
  for (size_t at = 0; at < secret_.size(); at += 32) {
    const std::string purpose = "strings " + std::to_string(at);
    crypto_generichash(secret_.data() + at, 32, reinterpret_cast<const uint8_t*>(purpose.data()), purpose.size(),
                       secret.data(), secret.size());
  }
}

Hash128 StringHasher::operator()(std::string_view text) const {
  const XXH128_hash_t hash = XXH3_128bits_withSecret(text.data(), text.size(), secret_.data(), secret_.size());
  return {hash.high64, hash.low64};
}

void random_bytes(void* to, size_t bytes) { randombytes_buf(to, bytes); }

void wipe(void* what, size_t bytes) { sodium_memzero(what, bytes); }

}  // namespace footfall
