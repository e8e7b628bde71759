// Durations and sizes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace footfall {

// "90s" "30m" "2h" "2d" "3w" "5y" (365 days), or "forever" (kForeverS). A whole number and one unit.
std::optional<int64_t> parse_duration_s(std::string_view text);

// "10GiB" "512MiB" "64KiB" "1TiB" "10GB" "512MB" "64KB" "1TB" "4096B". A whole number and one unit.
std::optional<int64_t> parse_size_bytes(std::string_view text);

}  // namespace footfall
