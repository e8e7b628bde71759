// What the shop tells with a request: the upstream's event header, and the events and orders of directives.
#pragma once

#include "conf.h"
#include "hit/raw_hit.h"
#include "ngx.h"

namespace footfall {

// While it lives, $arg_… and $args are of the query as the client sent it: try_files and internal redirects change or
// clear r->args.
class SentArguments {
 public:
  explicit SentArguments(ngx_http_request_t* r) noexcept;
  ~SentArguments() { r_->args = args_; }
  SentArguments(const SentArguments&) = delete;

 private:
  ngx_http_request_t* r_;
  ngx_str_t args_;
};

// Hidden indexed variables whose slots carry, from early phases to the log phase and over internal redirects, the
// location that the request entered first and the event header's text.
ngx_int_t add_slots(ngx_conf_t* cf, MainConf* main) noexcept;

// Header filter: takes the event header out of an upstream's answer.
void add_header_filter() noexcept;

// Rewrite-phase handler.
ngx_int_t remember_entry(ngx_http_request_t* r) noexcept;

// Whether there is something for tell_events() to look at.
inline bool tells_something(const ngx_http_request_t* r, const LocConf* conf) {
  const MainConf* main = main_conf(r);
  if (r->variables[main->header_slot].valid) return true;
  return main->tells_events && (conf->told != nullptr || r->variables[main->entry_slot].valid);
}

// Sets events_header and events of the hit, whose status, method and from_cache are there already. Views live as long
// as the request.
void tell_events(ngx_http_request_t* r, const LocConf* conf, RawHit& hit) noexcept;

}  // namespace footfall
