#include "rollup/column.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/packing.h"

namespace footfall {
namespace {

// ints:  kind u8 (bytes a number; 0: all the same; by difference; packed) | least zigzag | planes: the lowest byte of each
//        number less the least, then the next byte of each, …
// texts: kind u8 | texts varint | their bytes varint | stored varint | lengths varint each, then the texts | codes as ints
constexpr uint8_t kWidthMask = 0x0f, kByDifference = 0x10, kPacked = 0x20;
constexpr int kPackingLevel = 3;
constexpr size_t kWorthPacking = 24;  // fewer bytes never get smaller
constexpr size_t kTextBytesMax = 256 << 20;

unsigned width_of(uint64_t value) {
  unsigned width = 0;
  for (; value != 0; value >>= 8) ++width;
  return width;
}

// True: `to` got the bytes packed.
bool append(std::string_view bytes, bool is_packed, std::string& to) {
  if (is_packed && bytes.size() >= kWorthPacking && pack(bytes, kPackingLevel, to)) return true;
  to.append(bytes);
  return false;
}

template <class Number>
std::string planes_of(const std::vector<Number>& values, Number least, unsigned width) {
  std::string planes(values.size() * width, '\0');
  char* to = planes.data();
  for (unsigned shift = 0; shift < 8 * width; shift += 8)
    for (const uint64_t value : values) *to++ = static_cast<char>((value - least) >> shift);
  return planes;
}

}  // namespace

void encode_ints(const std::vector<int64_t>& values, bool by_difference, bool is_packed, std::string& to) {
  std::vector<uint64_t> numbers(values.begin(), values.end());
  if (by_difference)
    for (size_t i = numbers.size(); i-- > 1;) numbers[i] -= numbers[i - 1];
  int64_t least = 0, most = 0;
  if (!numbers.empty()) {
    // By difference the first number stands alone: it would make all of them wide.
    const auto first = numbers.begin() + (by_difference && numbers.size() > 1 ? 1 : 0);
    const auto is_less = [](uint64_t a, uint64_t b) { return static_cast<int64_t>(a) < static_cast<int64_t>(b); };
    const auto [low, high] = std::minmax_element(first, numbers.end(), is_less);
    least = static_cast<int64_t>(*low), most = static_cast<int64_t>(*high);
  }
  const uint64_t base = static_cast<uint64_t>(least);
  const unsigned width = width_of(static_cast<uint64_t>(most) - base);
  const size_t kind_at = to.size();
  BytesWriter(to).u8(static_cast<uint8_t>(width | (by_difference ? kByDifference : 0))).zigzag(least);
  if (by_difference && !numbers.empty()) {
    BytesWriter(to).zigzag(static_cast<int64_t>(numbers.front()));
    numbers.front() = base;
  }
  if (append(planes_of(numbers, base, width), is_packed, to)) to[kind_at] = static_cast<char>(to[kind_at] | kPacked);
}

bool decode_ints(std::string_view bytes, size_t rows, std::vector<int64_t>& to) {
  BytesReader reader(bytes);
  const uint8_t kind = reader.u8();
  const unsigned width = kind & kWidthMask;
  const uint64_t base = static_cast<uint64_t>(reader.zigzag());
  const bool by_difference = (kind & kByDifference) != 0 && rows > 0;
  const uint64_t first = by_difference ? static_cast<uint64_t>(reader.zigzag()) : 0;
  std::string_view planes = reader.bytes(reader.left());
  if (!reader.ok() || width > 8) return false;
  std::string unpacked;
  if (kind & kPacked) {
    if (!unpack(planes, rows * width, unpacked)) return false;
    planes = unpacked;
  }
  if (planes.size() != rows * width) return false;
  to.assign(rows, static_cast<int64_t>(base));
  const char* from = planes.data();
  for (unsigned shift = 0; shift < 8 * width; shift += 8, from += rows)
    for (size_t i = 0; i < rows; ++i)
      to[i] = static_cast<int64_t>(static_cast<uint64_t>(to[i]) + (uint64_t{static_cast<uint8_t>(from[i])} << shift));
  if (!by_difference) return true;
  to[0] = static_cast<int64_t>(first);
  for (size_t i = 1; i < rows; ++i)
    to[i] = static_cast<int64_t>(static_cast<uint64_t>(to[i]) + static_cast<uint64_t>(to[i - 1]));
  return true;
}

void encode_texts(const TextColumn& column, bool is_packed, std::string& to) {
  std::string all;
  BytesWriter writer(all);
  for (size_t i = 1; i < column.texts.size(); ++i) writer.varint(column.texts[i].size());
  for (size_t i = 1; i < column.texts.size(); ++i) writer.bytes(column.texts[i]);
  std::string stored;
  const bool packed = append(all, is_packed, stored);
  BytesWriter(to).u8(packed ? kPacked : 0).varint(column.texts.size() - 1).varint(all.size()).text(stored);
  // As encode_ints() would, but what is least and most is known.
  const unsigned width = width_of(column.texts.size() - 1);
  const size_t kind_at = to.size();
  BytesWriter(to).u8(static_cast<uint8_t>(width)).zigzag(0);
  if (append(planes_of(column.codes, 0u, width), is_packed, to)) to[kind_at] = static_cast<char>(to[kind_at] | kPacked);
}

bool decode_texts(std::string_view bytes, size_t rows, TextColumn& to, std::string& unpacked) {
  BytesReader reader(bytes);
  const uint8_t kind = reader.u8();
  const uint64_t count = reader.varint(), text_bytes = reader.varint();
  std::string_view all = reader.text();
  std::vector<int64_t> codes;
  if (!reader.ok() || text_bytes > kTextBytesMax || count > text_bytes) return false;
  if (!decode_ints(reader.bytes(reader.left()), rows, codes)) return false;
  if (kind & kPacked) {
    if (!unpack(all, text_bytes, unpacked)) return false;
    all = unpacked;
  }
  BytesReader lengths(all);
  std::vector<uint64_t> sizes(count);
  for (uint64_t& size : sizes) size = lengths.varint();
  to.texts.assign(1, {});
  to.texts.reserve(count + 1);
  for (const uint64_t size : sizes) to.texts.push_back(lengths.bytes(size));
  if (!lengths.ok() || !lengths.at_end()) return false;
  to.codes.resize(rows);
  for (size_t i = 0; i < rows; ++i) {
    if (static_cast<uint64_t>(codes[i]) > count) return false;
    to.codes[i] = static_cast<uint32_t>(codes[i]);
  }
  return true;
}

}  // namespace footfall
