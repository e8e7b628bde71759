#include "directive.h"

namespace footfall {

std::span<ngx_str_t> arguments(ngx_conf_t* cf) { return {static_cast<ngx_str_t*>(cf->args->elts), cf->args->nelts}; }

char* refuse(ngx_conf_t* cf, std::initializer_list<std::string_view> parts) {
  char text[1024];
  size_t used = 0;
  for (const std::string_view part : parts) used += part.copy(text + used, sizeof text - used);
  const ngx_str_t message = as_ngx_str({text, used});
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V: %V", &arguments(cf)[0], &message);
  return kConfError;
}

bool is_parameter(std::string_view argument, std::string_view name, std::string_view& value) {
  if (!argument.starts_with(name) || argument.size() == name.size() || argument[name.size()] != '=') return false;
  value = argument.substr(name.size() + 1);
  return true;
}

bool first_time(unsigned& seen, unsigned bit) {
  const bool first = (seen & (1u << bit)) == 0;
  seen |= 1u << bit;
  return first;
}

bool is_name(std::string_view text, size_t bytes_max) {
  if (text.empty() || text.size() > bytes_max) return false;
  for (const char c : text) {
    const bool fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    if (!fits) return false;
  }
  return true;
}

ngx_http_complex_value_t* compile(ngx_conf_t* cf, std::string_view text) {
  auto* value = static_cast<ngx_http_complex_value_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
  if (value == nullptr) return nullptr;
  ngx_str_t source = as_ngx_str(text);
  ngx_http_compile_complex_value_t compilation{};
  compilation.cf = cf;
  compilation.value = &source;
  compilation.complex_value = value;
  return ngx_http_compile_complex_value(&compilation) == NGX_OK ? value : nullptr;
}

}  // namespace footfall
