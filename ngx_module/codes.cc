#include "codes.h"

#include "answer.h"
#include "conf.h"
#include "config_follower.h"
#include "hit/code.h"
#include "hit/text.h"
#include "hit/url.h"

namespace footfall {
namespace {

// Read as the hit reads it, from the target as sent: what leads somewhere is what is counted. (A subrequest has its
// parent's.)
std::string_view code_of(const ngx_http_request_t* r, const LocConf* conf) {
  static TextArena* const arena = new TextArena;  // of one request at a time; nothing is left to destructors at exit
  arena->clear();
  bool marred = false;
  const Target target = split_target(view(r->unparsed_uri));
  const std::string_view code = code_of_path(target.path, view(conf->codes_prefix), *arena, marred);
  return marred ? std::string_view() : code;
}

// No shared or private cache may answer in our place: the next reader of the leaflet would not be counted, and a target
// that was changed would not be followed. Of a 404 as well: the code may come into the configuration later.
bool forbid_storing(ngx_http_request_t* r) { return add_header(r, "Cache-Control", "no-store") != nullptr; }

// The header is not made known to nginx as its Location: it would put the Host that the client sent before a path. The
// touch is the redirect's own, so what follows need not tell once more where the visitor was before.
ngx_int_t redirect(ngx_http_request_t* r, std::string_view target) {
  const ngx_str_t location = copy_to_pool(r, target);
  if (location.data == nullptr || add_header(r, "Location", view(location)) == nullptr ||
      add_header(r, "Referrer-Policy", "no-referrer") == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  r->headers_out.status = NGX_HTTP_MOVED_TEMPORARILY;
  r->headers_out.content_length_n = 0;
  r->header_only = 1;
  return ngx_http_send_header(r);
}

ngx_int_t refuse_method(ngx_http_request_t* r) {
  if (add_header(r, "Allow", "GET, HEAD") == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  return NGX_HTTP_NOT_ALLOWED;
}

}  // namespace

ngx_int_t answer_code(ngx_http_request_t* r) noexcept {
  const LocConf* conf = loc_conf(r);
  try {
    if (!forbid_storing(r)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    if (r->method != NGX_HTTP_GET && r->method != NGX_HTTP_HEAD) return refuse_method(r);
    if (const ngx_int_t discarded = ngx_http_discard_request_body(r); discarded != NGX_OK) return discarded;
    const CodeTable* const table = followed_table();
    if (table == nullptr) return NGX_HTTP_NOT_FOUND;
    const std::string_view target = table->target(view(conf->site), code_of(r, conf));
    return target.empty() ? NGX_HTTP_NOT_FOUND : redirect(r, target);
  } catch (...) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace footfall
