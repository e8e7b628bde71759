// Requests for the tests of lanes.
#pragma once

#include <string>
#include <string_view>

#include "hit/raw_hit.h"

namespace footfall {

inline constexpr int64_t kNoon = 1'790'856'000'000;  // 2026-10-01 12:00 UTC
inline constexpr std::string_view kAddress("\xcb\x00\x71\x09", 4);
inline constexpr std::string_view kAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

// A page view; `uri` must outlive it.
inline RawHit page_view(std::string_view uri, int64_t time_ms = kNoon) {
  RawHit hit;
  hit.time_ms = time_ms;
  hit.status = 200;
  hit.bytes_sent = 5120;
  hit.content = ContentKind::html;
  hit.address = kAddress;
  hit.agent = kAgent;
  hit.host = "shop.example";
  hit.uri = uri;
  return hit;
}

// An event that a directive told.
inline RawEvent told(std::string_view name, std::string_view items = {}) {
  RawEvent event;
  event.name = name;
  event.items = items;
  return event;
}

}  // namespace footfall
