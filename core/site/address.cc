#include "site/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace footfall {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

bool is_mapped(const std::array<uint8_t, 16>& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
}

std::array<uint8_t, 16> mapped(const void* four_bytes) {
  std::array<uint8_t, 16> address{};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
  std::memcpy(address.data() + kMappedPrefix.size(), four_bytes, 4);
  return address;
}

// The mask's byte for the prefix: 0xff inside it, 0 behind it.
uint8_t mask_byte(int prefix_bits, int index) {
  const int bits = std::clamp(prefix_bits - index * 8, 0, 8);
  return static_cast<uint8_t>(0xff00 >> bits);
}

std::optional<int> parse_length(std::string_view text, int max) {
  int length = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (fault != std::errc{} || end != text.data() + text.size() || text.empty() || text.size() > 3) return std::nullopt;
  if (length < 0 || length > max) return std::nullopt;
  return length;
}

}  // namespace

std::optional<AddressRange> parse_address_range(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  AddressRange range;
  uint8_t four[4];
  int bits_before = 0, bits = 128;
  if (inet_pton(AF_INET, host.c_str(), four) == 1) {
    range.address = mapped(four);
    bits_before = kMappedBits;
    bits = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), range.address.data()) != 1) {
    return std::nullopt;
  }
  if (host.size() != std::strlen(host.c_str())) return std::nullopt;  // a NUL inside
  if (slash != std::string_view::npos) {
    const std::optional<int> length = parse_length(text.substr(slash + 1), bits);
    if (!length) return std::nullopt;
    bits = *length;
  }
  range.prefix_bits = static_cast<uint8_t>(bits_before + bits);
  for (int i = 0; i < 16; ++i) range.address[i] &= mask_byte(range.prefix_bits, i);
  return range;
}

bool covers(const AddressRange& range, std::string_view address) {
  std::array<uint8_t, 16> full;
  if (address.size() == 4) {
    full = mapped(address.data());
  } else if (address.size() == full.size()) {
    std::memcpy(full.data(), address.data(), full.size());
  } else {
    return false;
  }
  if (is_mapped(full) && range.prefix_bits < kMappedBits) return false;
  for (int i = 0; i < 16; ++i) {
    if ((full[i] & mask_byte(range.prefix_bits, i)) != range.address[i]) return false;
  }
  return true;
}

std::string format_address_range(const AddressRange& range) {
  char text[INET6_ADDRSTRLEN];
  const bool is_four = is_mapped(range.address) && range.prefix_bits >= kMappedBits;
  if (is_four) {
    inet_ntop(AF_INET, range.address.data() + kMappedPrefix.size(), text, sizeof text);
  } else {
    inet_ntop(AF_INET6, range.address.data(), text, sizeof text);
  }
  std::string result = text;
  if (range.prefix_bits < 128) result += '/' + std::to_string(range.prefix_bits - (is_four ? kMappedBits : 0));
  return result;
}

}  // namespace footfall
