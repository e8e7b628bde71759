// The kind of device by its user agent.
#pragma once

#include <cstdint>
#include <string_view>

namespace footfall {

// Numbers are stored.
enum class Device : uint8_t { bot = 0, tv = 1, tablet = 2, mobile = 3, desktop = 4, other = 5 };
inline constexpr unsigned kDevices = 6;

std::string_view device_name(Device device);

// `is_bot`: what the bot table, the shop's flag or behaviour said of the hit.
Device device_of(std::string_view agent, bool is_bot);

}  // namespace footfall
