// The one door to nginx's headers. C++ headers come before it; nothing below ngx_module includes it.
#pragma once
#pragma GCC system_header  // nginx's headers are held to C's warnings, not to ours

#include <string_view>

extern "C" {
#include <ngx_channel.h>
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

extern ngx_module_t ngx_http_footfall_module;
}

namespace footfall {

inline std::string_view view(const ngx_str_t& text) { return {reinterpret_cast<const char*>(text.data), text.len}; }

// nginx never writes through these; its types only lack the const.
inline ngx_str_t as_ngx_str(std::string_view text) {
  return {text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

}  // namespace footfall
