#include "base/keyed_hash.h"

#include <sodium.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cassert>
#include <string>

#include "base/bytes.h"

namespace footfall {

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
