// The $footfall_… variables: what capture takes of a request, for log formats whose import equals live capture.
#pragma once

#include "ngx.h"

namespace footfall {

// They are for the log phase: before it, status and events are not known.
ngx_int_t add_variables(ngx_conf_t* cf) noexcept;

}  // namespace footfall
