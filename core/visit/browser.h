// The browser and the operating system that a user agent says it is: families, without version. The tables stand in
// browser.cc, and for readers in core/README.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace footfall {

// Numbers are stored.
enum class Browser : uint8_t {
  other = 0,
  chrome = 1,
  safari = 2,
  firefox = 3,
  edge = 4,
  opera = 5,
  opera_mini = 6,
  samsung_internet = 7,
  internet_explorer = 8,
  android_browser = 9,
  android_webview = 10,  // an app that none of the names below tells
  ios_webview = 11,      // likewise
  vivaldi = 12,
  yandex = 13,
  duckduckgo = 14,
  ecosia = 15,
  uc_browser = 16,
  qq_browser = 17,
  huawei_browser = 18,
  mi_browser = 19,
  oppo_browser = 20,
  whale = 21,
  silk = 22,
  epiphany = 23,
  facebook = 24,  // from here on: apps that show a page within themselves
  instagram = 25,
  tiktok = 26,
  pinterest = 27,
  snapchat = 28,
  linkedin = 29,
  twitter = 30,
  wechat = 31,
  line = 32,
  kakaotalk = 33,
  naver = 34,
  google_app = 35,
};
inline constexpr unsigned kBrowsers = 36;

// Numbers are stored.
enum class System : uint8_t {
  other = 0,
  windows = 1,
  macos = 2,
  linux = 3,
  android = 4,
  ios = 5,  // iPadOS as well, where it says so
  chrome_os = 6,
  windows_phone = 7,
  harmony_os = 8,
  kaios = 9,
  tizen = 10,
  webos = 11,
  playstation = 12,
  nintendo = 13,
  bsd = 14,
};
inline constexpr unsigned kSystems = 15;

// As reports show them: `Chrome`, `Samsung Internet`, `macOS`; `other`.
std::string_view browser_name(Browser browser);
std::string_view system_name(System system);

// The first row of the table that holds. Case counts. Of a bot: whatever it claims to be.
Browser browser_of(std::string_view agent);
System system_of(std::string_view agent);

// The tables as they stand in core/README.md: a row a family, in the order in which they are asked.
std::string browser_table_markdown();

}  // namespace footfall
