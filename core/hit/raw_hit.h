// A raw hit: what one request brought, unread, as views. The module's stage and the access-log reader both yield it, and
// HitBuilder turns it into a Hit. Everything in it is hostile.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hit/hit.h"

namespace footfall {

// What the configuration said where the request ended; the stage keeps a table of these.
struct HitContext {
  std::string_view site;                           // site name
  std::vector<std::string_view> kept_path_arguments;  // footfall_args: stay part of the path
  std::string_view search_argument;                // footfall_search
  std::string_view codes_prefix{};                 // footfall_codes; begins and ends with `/`; empty: none
};

inline constexpr size_t kValueBytesMax = 64;  // a longer value is none: capture may have cut it

// An event as a directive told it: values as they came, unread. Empty: not given.
struct RawEvent {
  bool is_order = false;
  std::string_view name, item, value, currency, id, items, coupon, customer;
};

struct RawHit {
  int64_t time_ms = 0;
  uint32_t request_time_ms = 0;
  bool time_unknown = false;        // a log that does not tell how long requests took
  uint64_t bytes_sent = 0;
  uint16_t status = 0;
  Method method = Method::get;
  ContentKind content = ContentKind::none;
  bool prefetch = false;
  bool own_bot = false;
  bool from_cache = false;          // the answer is a cache hit: its event header is not told again
  bool uri_cut = false;             // the uri was longer than kRawUriBytesMax
  bool event_only = false;          // no request: the first of `events`, told by itself; it has its time, a visitor's id, no more
  bool events_cut = false;          // directives told more than fits: the hit's events are marked malformed
  std::string_view address;         // 4 or 16 bytes, network order; empty: none
  std::string_view visitor_id;      // footfall_visitor's value; empty: anonymous
  std::string_view uri;             // the request line's target as sent; empty: the request was garbage
  std::string_view path;            // footfall_path's value; empty: the uri's own
  std::string_view referrer;
  std::string_view agent;
  std::string_view host;            // the Host header or what stands for it
  std::string_view country;         // footfall_country's value
  std::string_view events_header;   // Footfall-Event, lines joined by ", "
  std::vector<RawEvent> events;     // by directives, in their order
};

}  // namespace footfall
