// A request becomes a raw hit in the log phase.
#pragma once

#include "ngx.h"

namespace footfall {

// Log-phase handler. On the default configuration: no system call, no lock, no allocation; a VALUE costs what its
// variables cost. Never fails a request.
ngx_int_t stage_hit(ngx_http_request_t* r) noexcept;

// As in access_log: an empty value or "0" does not hold.
bool holds(ngx_http_request_t* r, ngx_http_complex_value_t* condition) noexcept;

}  // namespace footfall
