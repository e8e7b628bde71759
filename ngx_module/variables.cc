#include "variables.h"

#include <iterator>

#include "capture.h"
#include "conf.h"
#include "events.h"
#include "hit/event_writer.h"

namespace footfall {
namespace {

constexpr std::string_view kYes = "1";

std::string_view sent_text(ngx_http_request_t* r, ngx_http_complex_value_t* value) {
  if (value == nullptr) return {};
  const SentArguments sent(r);
  return text_of(r, value);
}

std::string_view captured(ngx_http_request_t* r, const LocConf* conf) {
  return is_captured(r, conf) ? kYes : std::string_view{};
}

std::string_view site(ngx_http_request_t*, const LocConf* conf) { return view(conf->site); }

std::string_view visitor(ngx_http_request_t* r, const LocConf* conf) {
  return signal_policy(r, conf) == kSignalIgnore ? sent_text(r, conf->visitor) : std::string_view{};
}

std::string_view path(ngx_http_request_t* r, const LocConf* conf) { return sent_text(r, conf->path); }

std::string_view country(ngx_http_request_t* r, const LocConf* conf) { return sent_text(r, conf->country); }

std::string_view bot(ngx_http_request_t* r, const LocConf* conf) {
  if (conf->bot == nullptr) return {};
  const SentArguments sent(r);
  return holds(r, conf->bot) ? kYes : std::string_view{};
}

std::string_view signals(ngx_http_request_t* r, const LocConf* conf) {
  constexpr std::string_view kNames[] = {"", "anonymous", "drop"};
  return kNames[signal_policy(r, conf)];
}

std::string_view prefetch(ngx_http_request_t* r, const LocConf*) { return is_prefetch(r) ? kYes : std::string_view{}; }

std::string_view events(ngx_http_request_t* r, const LocConf* conf) {
  static RawHit told;
  static EventWriter writer;
  told.events.reserve(kEventsMax + 1);
  map_told(r, conf, told);
  const std::string_view text = writer.write(told.events_header, told.events);
  auto* copy = static_cast<char*>(ngx_pnalloc(r->pool, text.size()));
  return copy != nullptr ? std::string_view(copy, text.copy(copy, text.size())) : std::string_view{};
}

struct Variable {
  std::string_view name;
  std::string_view (*tell)(ngx_http_request_t* r, const LocConf* conf);
};
constexpr Variable kVariables[] = {
    {"footfall_captured", captured}, {"footfall_site", site},         {"footfall_visitor", visitor},
    {"footfall_path", path},         {"footfall_country", country},   {"footfall_bot", bot},
    {"footfall_signals", signals},   {"footfall_prefetch", prefetch}, {"footfall_events", events},
};
bool is_telling[std::size(kVariables)];

// A VALUE may hold the very variable that it is told by. nginx ends such circles a hundred rounds deep, which is for
// ever where each round branches; here the inner one is empty.
ngx_int_t tell(ngx_http_request_t* r, ngx_http_variable_value_t* to, uintptr_t number) noexcept {
  std::string_view text;
  if (!is_telling[number]) {
    is_telling[number] = true;
    try {
      text = kVariables[number].tell(r, loc_conf(r));
    } catch (...) {
      text = {};  // out of memory: the line tells nothing
    }
    is_telling[number] = false;
  }
  to->data = reinterpret_cast<u_char*>(const_cast<char*>(text.empty() ? "" : text.data()));
  to->len = static_cast<unsigned>(text.size());
  to->valid = 1;
  to->no_cacheable = 0;
  to->not_found = 0;
  return NGX_OK;
}

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) noexcept {
  for (size_t number = 0; number < std::size(kVariables); ++number) {
    ngx_str_t name = as_ngx_str(kVariables[number].name);
    name.data = ngx_pstrdup(cf->pool, &name);  // nginx lower-cases names in place
    if (name.data == nullptr) return NGX_ERROR;
    ngx_http_variable_t* variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (variable == nullptr) return NGX_ERROR;
    variable->get_handler = tell;
    variable->data = number;
  }
  return NGX_OK;
}

}  // namespace footfall
