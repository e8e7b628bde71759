// The directives that say what page a request is, what was searched for, and who asks from where.
#include <algorithm>

#include "directive.h"
#include "site/checks.h"

namespace footfall {
namespace {

constexpr size_t kArgumentsMax = 32;  // as many names are looked for

// An empty text undoes what was inherited.
char* set_value(ngx_conf_t* cf, ngx_http_complex_value_t*& to, std::string_view text) {
  to = compile(cf, text);
  return to != nullptr ? NGX_CONF_OK : kConfError;
}

bool has_variables(std::string_view text) { return text.find('$') != std::string_view::npos; }

bool is_country(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return text.size() == 2 && is_letter(text[0]) && is_letter(text[1]);
}

bool is_argument(std::string_view text) { return is_argument_name(text) && !has_variables(text); }

char* refuse_argument(ngx_conf_t* cf, std::string_view text) {
  return refuse(cf,
                {"\"", text, "\" is no argument's name; right would be 1 to 64 letters without & = # ; $ and blanks"});
}

}  // namespace

char* set_path(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->path != nullptr) return kDuplicate;
  const std::string_view value = view(arguments(cf)[1]);
  if (!value.empty() && value.front() != '/' && value.front() != '$') {
    return refuse(cf, {"\"", value, "\" is no path; right would be one that begins with /, or a variable"});
  }
  return set_value(cf, loc->path, value);
}

char* set_args(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->kept_arguments != nullptr) return kDuplicate;
  const auto names = arguments(cf).subspan(1);
  loc->kept_arguments = ngx_array_create(cf->pool, names.size(), sizeof(ngx_str_t));
  if (loc->kept_arguments == nullptr) return kConfError;
  if (names.size() == 1 && names[0].len == 0) return NGX_CONF_OK;  // undoes what was inherited
  if (names.size() > kArgumentsMax) {
    return refuse(cf, {"\"", view(names[kArgumentsMax]), "\" is one too many; right would be at most 32 names"});
  }
  for (const ngx_str_t& name : names) {
    if (!is_argument(view(name))) return refuse_argument(cf, view(name));
    const auto* known = static_cast<const ngx_str_t*>(loc->kept_arguments->elts);
    if (std::any_of(known, known + loc->kept_arguments->nelts,
                    [&](const ngx_str_t& other) { return view(other) == view(name); })) {
      return refuse(cf, {"\"", view(name), "\" is given a second time; right would be once"});
    }
    *static_cast<ngx_str_t*>(ngx_array_push(loc->kept_arguments)) = name;  // there is room for all
  }
  return NGX_CONF_OK;
}

char* set_search(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->search_argument.data != nullptr) return kDuplicate;
  const ngx_str_t& name = arguments(cf)[1];
  if (name.len != 0 && !is_argument(view(name))) return refuse_argument(cf, view(name));
  loc->search_argument = name;
  return NGX_CONF_OK;
}

char* set_country(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->country != nullptr) return kDuplicate;
  const std::string_view value = view(arguments(cf)[1]);
  if (!value.empty() && !has_variables(value) && !is_country(value)) {
    return refuse(cf, {"\"", value,
                       "\" is no country; right would be two letters such as DE, or a variable such as "
                       "$geoip2_data_country_code"});
  }
  return set_value(cf, loc->country, value);
}

char* set_bot(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->bot != nullptr) return kDuplicate;
  const std::string_view value = view(arguments(cf)[1]);
  if (value == "on" || value == "off") {
    return refuse(cf, {"\"", value, "\" is no flag; right would be 1, 0, or a variable that is empty or 0 for people"});
  }
  return set_value(cf, loc->bot, value);
}

}  // namespace footfall
