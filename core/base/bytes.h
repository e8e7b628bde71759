// Fixed-width numbers in byte strings. Little-endian (`_le`) inside values, big-endian (`_be`) in keys, so that keys sort.
// BytesWriter and BytesReader write and read them in turn; a reader never runs past its end, it only turns bad.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"

namespace footfall {

static_assert(std::endian::native == std::endian::little, "stored numbers are little-endian as they lie in memory");

template <class T>
inline T load_raw(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline uint16_t load_le16(const void* from) { return load_raw<uint16_t>(from); }
inline uint32_t load_le32(const void* from) { return load_raw<uint32_t>(from); }
inline uint64_t load_le64(const void* from) { return load_raw<uint64_t>(from); }
inline void store_le16(void* to, uint16_t value) { std::memcpy(to, &value, sizeof value); }
inline void store_le32(void* to, uint32_t value) { std::memcpy(to, &value, sizeof value); }
inline void store_le64(void* to, uint64_t value) { std::memcpy(to, &value, sizeof value); }

inline uint64_t load_be64(const void* from) { return __builtin_bswap64(load_le64(from)); }
inline uint32_t load_be32(const void* from) { return __builtin_bswap32(load_le32(from)); }
inline uint16_t load_be16(const void* from) { return __builtin_bswap16(load_le16(from)); }

// Appends to a string of its own or a given one.
class BytesWriter {
 public:
  explicit BytesWriter(std::string& to) : to_(to) {}

  BytesWriter& u8(uint8_t value) { return to_.push_back(static_cast<char>(value)), *this; }
  BytesWriter& le16(uint16_t value) { return raw(&value, sizeof value); }
  BytesWriter& le32(uint32_t value) { return raw(&value, sizeof value); }
  BytesWriter& le64(uint64_t value) { return raw(&value, sizeof value); }
  BytesWriter& be16(uint16_t value) { return le16(__builtin_bswap16(value)); }
  BytesWriter& be32(uint32_t value) { return le32(__builtin_bswap32(value)); }
  BytesWriter& be64(uint64_t value) { return le64(__builtin_bswap64(value)); }
  BytesWriter& hash(const Hash128& value) { return be64(value.high).be64(value.low); }
  // seven bits a byte, the lowest first; small numbers are short
  BytesWriter& varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) u8(static_cast<uint8_t>(value | 0x80));
    return u8(static_cast<uint8_t>(value));
  }
  // signed: 0, -1, 1, -2, …
  BytesWriter& zigzag(int64_t value) {
    return varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  BytesWriter& text(std::string_view value) { return varint(value.size()).bytes(value); }
  BytesWriter& bytes(std::string_view value) { return to_.append(value), *this; }
  // length u16, then the bytes; the caller keeps value below 64 KiB
  BytesWriter& text32(std::string_view value) { return le32(static_cast<uint32_t>(value.size())).bytes(value); }
  BytesWriter& text16(std::string_view value) { return le16(static_cast<uint16_t>(value.size())).bytes(value); }

 private:
  BytesWriter& raw(const void* value, size_t bytes) {
    return to_.append(static_cast<const char*>(value), bytes), *this;
  }

  std::string& to_;
};

// Writes in turn to where there is known to be room.
class PlaceWriter {
 public:
  explicit PlaceWriter(char* to) : to_(to) {}

  template <class T>
  PlaceWriter& put(T number) {
    std::memcpy(to_, &number, sizeof number);
    to_ += sizeof number;
    return *this;
  }
  // Most texts are short: a call costs more than copying them. None is empty.
  PlaceWriter& bytes(std::string_view text) {
    const size_t bytes = text.size();
    if (bytes > kBlock) {
      copy_blocks(text);
    } else if (bytes >= 8) {
      copy_ends<uint64_t>(text);
    } else if (bytes >= 4) {
      copy_ends<uint32_t>(text);
    } else {
      to_[0] = text.front(), to_[bytes / 2] = text[bytes / 2], to_[bytes - 1] = text.back();
    }
    to_ += bytes;
    return *this;
  }
  char* end() const { return to_; }

 private:
  static constexpr size_t kBlock = 16;

  // The last block may overlap the one before. Of a copy whose length has a bound the compiler makes `rep movs`, which takes
  // longer to begin than the whole text takes.
  void copy_blocks(std::string_view text) {
    const size_t last = text.size() - kBlock;
    for (size_t at = 0; at < last; at += kBlock) std::memcpy(to_ + at, text.data() + at, kBlock);
    std::memcpy(to_ + last, text.data() + last, kBlock);
  }

  // From both ends, which may overlap.
  template <class T>
  void copy_ends(std::string_view text) {
    const T first = load_raw<T>(text.data()), last = load_raw<T>(text.data() + text.size() - sizeof(T));
    std::memcpy(to_, &first, sizeof first);
    std::memcpy(to_ + text.size() - sizeof last, &last, sizeof last);
  }

  char* to_;
};

// Reads in turn. Past the end every read gives zero or empty, and ok() is false from then on.
class BytesReader {
 public:
  explicit BytesReader(std::string_view from) : from_(from) {}

  uint8_t u8() { return number<uint8_t>(); }
  uint16_t le16() { return number<uint16_t>(); }
  uint32_t le32() { return number<uint32_t>(); }
  uint64_t le64() { return number<uint64_t>(); }
  uint16_t be16() { return __builtin_bswap16(le16()); }
  uint32_t be32() { return __builtin_bswap32(le32()); }
  uint64_t be64() { return __builtin_bswap64(le64()); }
  Hash128 hash() {
    const uint64_t high = be64();
    return {high, be64()};
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = u8();
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return fail(), 0;
  }
  int64_t zigzag() {
    const uint64_t value = varint();
    return static_cast<int64_t>(value >> 1 ^ (0 - (value & 1)));
  }
  std::string_view text() { return bytes(varint()); }
  std::string_view bytes(size_t count) {
    if (count > from_.size()) return fail(), std::string_view{};
    const std::string_view taken = from_.substr(0, count);
    from_.remove_prefix(count);
    return taken;
  }
  std::string_view text32() { return bytes(le32()); }
  std::string_view text16() { return bytes(le16()); }

  bool ok() const { return ok_; }
  bool at_end() const { return from_.empty(); }
  size_t left() const { return from_.size(); }
  void fail() { ok_ = false, from_ = {}; }

 private:
  template <class T>
  T number() {
    if (from_.size() < sizeof(T)) return fail(), T{0};
    const T value = load_raw<T>(from_.data());
    from_.remove_prefix(sizeof(T));
    return value;
  }

  std::string_view from_;
  bool ok_ = true;
};

}  // namespace footfall
