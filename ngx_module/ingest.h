// Events that the shop's servers post: a batch is checked whole, then staged whole, then answered with 202.
#pragma once

#include "ngx.h"

namespace footfall {

// Content handler of a location with footfall_ingest. Once it has answered 202, the events outlive this worker as any hit
// does; with any other answer none of them counts.
ngx_int_t answer_ingest(ngx_http_request_t* r) noexcept;

}  // namespace footfall
