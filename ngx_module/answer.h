// What the module's own locations share: what a request says of itself, and answers that are made here.
#pragma once

#include <string>
#include <string_view>

#include "ngx.h"

namespace footfall {

inline constexpr std::string_view kJsonType = "application/json; charset=utf-8";

// A request header's value, empty where it is not sent. Lines of the same name are one list.
std::string header_in(const ngx_http_request_t* r, std::string_view lower_name);

// Whether it comes from this machine and was forwarded by nobody: a proxy here would open the location to all.
bool is_local(const ngx_http_request_t* r);

// Adds a line to the answer's head. Both texts outlive the request. Null: out of memory.
ngx_table_elt_t* add_header(ngx_http_request_t* r, std::string_view name, std::string_view value);

// No data: out of memory.
ngx_str_t copy_to_pool(ngx_http_request_t* r, std::string_view text);

// Sends head and body (none for HEAD); gives what a content handler gives.
ngx_int_t send_body(ngx_http_request_t* r, int status, std::string_view type, std::string_view body);

}  // namespace footfall
