// The status location: the page at its root, the query API below v1/. Reads only, and only for whoever may look.
#pragma once

#include <string_view>

#include "ngx.h"

namespace footfall {

// Content handler of a location with footfall_status. Its requests are not captured.
ngx_int_t answer_status(ngx_http_request_t* r) noexcept;

// In a worker whose configuration has a footfall_status. A failure is logged; queries are then answered with 503.
void start_queries(ngx_cycle_t* cycle, std::string_view store_path);
void stop_queries() noexcept;

}  // namespace footfall
