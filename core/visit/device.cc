#include "visit/device.h"

#include <algorithm>
#include <initializer_list>

namespace footfall {
namespace {

bool has_any(std::string_view agent, std::initializer_list<std::string_view> marks) {
  return std::any_of(marks.begin(), marks.end(),
                     [agent](std::string_view mark) { return agent.find(mark) != std::string_view::npos; });
}

// `Tablet PC` is what old Windows said of any machine with a pen driver.
bool has_tablet(std::string_view agent) {
  constexpr std::string_view kMark = "Tablet";
  for (size_t at = agent.find(kMark); at != std::string_view::npos; at = agent.find(kMark, at + 1)) {
    if (!agent.substr(at + kMark.size()).starts_with(" PC")) return true;
  }
  return false;
}

bool is_tablet(std::string_view agent) {
  return has_tablet(agent) || has_any(agent, {"iPad", "Kindle", "Silk"}) ||
         (has_any(agent, {"Android"}) && !has_any(agent, {"Mobile"}));
}

}  // namespace

std::string_view device_name(Device device) {
  constexpr std::string_view kNames[kDevices] = {"bot", "tv", "tablet", "mobile", "desktop", "other"};
  const auto number = static_cast<unsigned>(device);
  return number < kDevices ? kNames[number] : "other";
}

Device device_of(std::string_view agent, bool is_bot) {
  if (is_bot) return Device::bot;
  if (has_any(agent, {"TV"})) return Device::tv;
  if (is_tablet(agent)) return Device::tablet;
  if (has_any(agent, {"Mobi", "iPhone", "iPod", "Opera Mini"})) return Device::mobile;
  if (has_any(agent, {"Windows", "Macintosh", "X11", "CrOS"})) return Device::desktop;
  return Device::other;
}

}  // namespace footfall
