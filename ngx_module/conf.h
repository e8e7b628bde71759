// What the directives say, as the handlers read it. All of it lies in the cycle's pool and is zeroed before use.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/limits.h"
#include "hit/raw_hit.h"
#include "ngx.h"

namespace footfall {

inline constexpr uint16_t kNoContext = 0xffff;

inline constexpr size_t kEscapeBytes = 3;  // a percent-escape of one byte: the bounds are those of what is decoded

// A VALUE that an event or order may be told with. Values are cut one byte above their bound, so that the reader sees
// that they were too long and refuses them.
struct EventField {
  std::string_view parameter;
  std::string_view RawEvent::*to;
  size_t bytes_max;
  bool of_event, of_order, required;
};
inline constexpr EventField kEventFields[] = {
    {"item", &RawEvent::item, kEscapeBytes * kEventItemBytesMax, true, false, false},
    {"id", &RawEvent::id, kEscapeBytes * kOrderIdBytesMax, false, true, true},
    {"value", &RawEvent::value, kValueBytesMax, true, true, true},
    {"currency", &RawEvent::currency, 16, true, true, false},
    {"items", &RawEvent::items, kEventHeaderBytesMax, false, true, false},
    {"coupon", &RawEvent::coupon, kEscapeBytes * kCouponBytesMax, false, true, false},
    {"customer", &RawEvent::customer, kEscapeBytes * kVisitorIdBytesMax, false, true, false},
};
inline constexpr size_t kEventFieldCount = sizeof kEventFields / sizeof kEventFields[0];

// One footfall_event or footfall_order.
struct EventConf {
  bool is_order;
  ngx_uint_t sequence;  // in the order of the configuration
  ngx_str_t name;
  ngx_http_complex_value_t* fields[kEventFieldCount];  // null: not given
  ngx_http_complex_value_t* condition;
};

// How a privacy signal is answered; a higher one wins where two signals come.
enum SignalPolicy : ngx_uint_t { kSignalIgnore = 0, kSignalAnonymous = 1, kSignalDrop = 2 };

// footfall_status of one location.
struct StatusConf {
  ngx_str_t prefix;  // the location's name
  bool remote;
};

// footfall_ingest of one location.
struct IngestConf {
  bool remote;
};

struct LocConf {
  // What the log phase reads first.
  bool captured;     // footfall on, and not a status location
  uint16_t context;  // index in the stage's table, this process's; kNoContext: none
  ngx_http_complex_value_t* condition;
  bool has_values;                    // one of the four that follow is there
  ngx_http_complex_value_t* visitor;  // null: anonymous
  ngx_http_complex_value_t* path;     // null, as an empty value: the request's own
  ngx_http_complex_value_t* country;
  ngx_http_complex_value_t* bot;
  ngx_uint_t gpc, dnt;  // SignalPolicy
  ngx_array_t* told;    // EventConf*: events and orders in the order of the configuration; null: none

  ngx_flag_t events_header;  // read and hide it
  ngx_str_t events_header_name;

  ngx_str_t site;
  ngx_array_t* kept_arguments;  // ngx_str_t; null, as an empty one: none
  ngx_str_t search_argument;    // empty: none
  ngx_str_t codes_prefix;       // the server's; between slashes; empty: none
  StatusConf* status;
  bool answers_codes;  // footfall_codes stands here
  IngestConf* ingest;

  // As given on this level, or inherited.
  ngx_flag_t enabled;
  ngx_flag_t visitor_given;
  ngx_array_t* events;
  ngx_array_t* orders;
};

struct MainConf {
  ngx_str_t store;         // full path; no data: no footfall_store
  ngx_str_t stage_folder;  // empty: footfall's choice
  off_t ring_bytes;
  off_t stage_bytes;
  ngx_msec_t flush_ms;
  ngx_msec_t sync_ms;  // 0: off
  ngx_uint_t lanes_max;

  ngx_array_t captured;  // LocConf*: every location whose requests are captured
  bool tells_events;     // a footfall_event or footfall_order exists
  bool shows_status;     // a footfall_status exists
  bool follows_config;   // a footfall_codes or footfall_ingest exists
  bool takes_events;     // a footfall_ingest exists
  ngx_uint_t sequence;

  ngx_int_t entry_slot;   // indexed variable: the location that the request entered first
  ngx_int_t header_slot;  // indexed variable: the event header's text

  // Where footfall or footfall_status was first asked for: they need a store, which may come later in the file.
  ngx_str_t needed_by;
  ngx_str_t needed_in_file;
  ngx_uint_t needed_in_line;
};

inline const LocConf* loc_conf(const ngx_http_request_t* r) {
  return static_cast<const LocConf*>(ngx_http_get_module_loc_conf(r, ngx_http_footfall_module));
}
inline const MainConf* main_conf(const ngx_http_request_t* r) {
  return static_cast<const MainConf*>(ngx_http_get_module_main_conf(r, ngx_http_footfall_module));
}
inline MainConf* main_conf(ngx_conf_t* cf) {
  return static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_footfall_module));
}

// Life of the configuration.
void* create_main_conf(ngx_conf_t* cf) noexcept;
char* init_main_conf(ngx_conf_t* cf, void* conf) noexcept;
void* create_loc_conf(ngx_conf_t* cf) noexcept;
char* merge_loc_conf(ngx_conf_t* cf, void* parent, void* child) noexcept;

// Directives. A wrong one is an [emerg] `DIRECTIVE: what, and what would be right in file:line`.
char* set_store(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_footfall(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_site(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_visitor(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_signals(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_path(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_args(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_search(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_country(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_bot(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_event(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_order(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_events_header(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_codes(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_ingest(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_status(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;

}  // namespace footfall
