// Codes at the edge: PREFIX/CODE is answered with a redirect to the target that the configuration names, and is a hit
// like any other.
#pragma once

#include "ngx.h"

namespace footfall {

// Content handler of a location with footfall_codes. Nothing of the request decides where it leads but the code.
ngx_int_t answer_code(ngx_http_request_t* r) noexcept;

}  // namespace footfall
