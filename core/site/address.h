// Ranges of client addresses, as `exclude` names them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace footfall {

// An IPv6 prefix; an IPv4 one lies in ::ffff:0:0/96. Bits behind the prefix are zero.
struct AddressRange {
  std::array<uint8_t, 16> address{};
  uint8_t prefix_bits = 128;

  bool operator==(const AddressRange&) const = default;
};

// `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`, `::1`. Bits behind the prefix may be set in the text; they are cleared.
std::optional<AddressRange> parse_address_range(std::string_view text);

// `address`: 4 or 16 bytes in network order; other lengths are in no range. An IPv4-mapped address counts as IPv4, and
// an IPv6 range such as ::/0 holds no IPv4 address.
bool covers(const AddressRange& range, std::string_view address);

// As it would be written: `10.0.0.0/8`; a single address without its length.
std::string format_address_range(const AddressRange& range);

}  // namespace footfall
