// Codes at the edge: PREFIX/CODE is answered with a redirect to the target that the configuration names, and is a hit
// like any other.
#pragma once

#include <string_view>

#include "ngx.h"

namespace footfall {

// Content handler of a location with footfall_codes. Nothing of the request decides where it leads but the code.
ngx_int_t answer_code(ngx_http_request_t* r) noexcept;

// In a worker whose configuration has a footfall_codes. A failure is logged; codes are then answered with 404.
void start_codes(ngx_cycle_t* cycle, std::string_view store_path);
void stop_codes() noexcept;

}  // namespace footfall
