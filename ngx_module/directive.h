// What the directives' setters share: reading a line's arguments, and refusing a wrong one with its directive, its
// value and what would be right.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "conf.h"

namespace footfall {

inline char* const kConfError = static_cast<char*>(NGX_CONF_ERROR);
inline char* const kDuplicate = const_cast<char*>("is duplicate");

// The line's words, the directive's name first.
std::span<ngx_str_t> arguments(ngx_conf_t* cf);

// Logs `[emerg] DIRECTIVE: parts… in file:line`.
char* refuse(ngx_conf_t* cf, std::initializer_list<std::string_view> parts);

// `name=value` into its value, which may be empty.
bool is_parameter(std::string_view argument, std::string_view name, std::string_view& value);

// False: the bit was seen on this line before.
bool first_time(unsigned& seen, unsigned bit);

// 1 to bytes_max of A-Z a-z 0-9 _ . -
bool is_name(std::string_view text, size_t bytes_max);

// A VALUE with or without variables. Null: nginx said why.
ngx_http_complex_value_t* compile(ngx_conf_t* cf, std::string_view text);

}  // namespace footfall
