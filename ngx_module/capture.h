// A request becomes a raw hit in the log phase.
#pragma once

#include "conf.h"
#include "hit/raw_hit.h"
#include "ngx.h"

namespace footfall {

// Log-phase handler. On the default configuration: no system call, no lock, no allocation; a VALUE costs what its
// variables cost. Never fails a request.
ngx_int_t stage_hit(ngx_http_request_t* r) noexcept;

// As in access_log: an empty value or "0" does not hold.
bool holds(ngx_http_request_t* r, ngx_http_complex_value_t* condition) noexcept;

// A VALUE's text; empty where there is none. It lives as long as the request.
std::string_view text_of(ngx_http_request_t* r, ngx_http_complex_value_t* value) noexcept;

// Whether the log phase takes the request.
bool is_captured(ngx_http_request_t* r, const LocConf* conf) noexcept;

// The SignalPolicy that the request's privacy signals call for.
ngx_uint_t signal_policy(const ngx_http_request_t* r, const LocConf* conf) noexcept;

bool is_prefetch(const ngx_http_request_t* r) noexcept;

// Sets just the hit's events and what they depend on; its list is reserved.
void map_told(ngx_http_request_t* r, const LocConf* conf, RawHit& hit) noexcept;

}  // namespace footfall
