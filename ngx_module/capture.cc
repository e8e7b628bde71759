#include "capture.h"

#include <algorithm>
#include <cstring>

#include "conf.h"
#include "events.h"
#include "worker.h"

namespace footfall {
namespace {

// What the request's own headers say about being counted.
struct RequestHeaders {
  bool gpc = false;
  bool dnt = false;
  bool prefetch = false;
};

bool says_one(const ngx_str_t& value) { return value.len == 1 && value.data[0] == '1'; }

bool says_prefetch(const ngx_str_t& value) {
  constexpr std::string_view kPrefetch = "prefetch";
  return value.len >= kPrefetch.size() &&
         ngx_strncasecmp(value.data, as_ngx_str(kPrefetch).data, kPrefetch.size()) == 0;
}

void read_header(const ngx_table_elt_t& header, RequestHeaders& to) {
  const auto is = [&](const char* name) { return std::memcmp(header.lowcase_key, name, header.key.len) == 0; };
  switch (header.key.len) {  // by length first: most headers stop here
    case 3:
      if (is("dnt")) to.dnt = says_one(header.value);
      return;
    case 7:
      if (is("sec-gpc")) to.gpc = says_one(header.value);
      if (is("purpose")) to.prefetch |= says_prefetch(header.value);
      return;
    case 11:
      if (is("sec-purpose")) to.prefetch |= says_prefetch(header.value);
      return;
  }
}

RequestHeaders read_headers(const ngx_http_request_t* r) {
  RequestHeaders headers;
  for (const ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
    const auto* header = static_cast<const ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) read_header(header[i], headers);
  }
  return headers;
}

ngx_uint_t policy_of(const LocConf* conf, const RequestHeaders& headers) {
  return std::max(headers.gpc ? conf->gpc : kSignalIgnore, headers.dnt ? conf->dnt : kSignalIgnore);
}

// 4 bytes of IPv4, also where it came in through an IPv6 socket: one visitor has one key on both. 16 of IPv6.
std::string_view address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return {reinterpret_cast<const char*>(&v4), sizeof v4};
  }
  if (address->sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    const std::string_view bytes(reinterpret_cast<const char*>(&v6), sizeof v6);
    return IN6_IS_ADDR_V4MAPPED(&v6) ? bytes.substr(12) : bytes;
  }
  return {};
}

Method method_of(ngx_uint_t method) {
  switch (method) {
    case NGX_HTTP_GET:
      return Method::get;
    case NGX_HTTP_HEAD:
      return Method::head;
    case NGX_HTTP_POST:
      return Method::post;
    case NGX_HTTP_PUT:
      return Method::put;
    case NGX_HTTP_DELETE:
      return Method::del;
    case NGX_HTTP_OPTIONS:
      return Method::options;
  }
  return Method::other;
}

// The same number as $status.
uint16_t status_of(const ngx_http_request_t* r) {
  if (r->err_status != 0) return static_cast<uint16_t>(r->err_status);
  if (r->headers_out.status != 0) return static_cast<uint16_t>(r->headers_out.status);
  return r->http_version == NGX_HTTP_VERSION_9 ? 9 : 0;
}

// Compared as it is nearly always spelt first: that is a few instructions, without case it is two hundred.
bool is_type(const ngx_str_t& type, std::string_view name) {
  if (type.len < name.size()) return false;
  if (type.len > name.size() && type.data[name.size()] != ';' && type.data[name.size()] != ' ') return false;
  return std::memcmp(type.data, name.data(), name.size()) == 0 ||
         ngx_strncasecmp(type.data, as_ngx_str(name).data, name.size()) == 0;
}

ContentKind content_of(const ngx_str_t& type) {
  if (type.len == 0) return ContentKind::none;
  return is_type(type, "text/html") || is_type(type, "application/xhtml+xml") ? ContentKind::html : ContentKind::other;
}

uint32_t request_time_ms(const ngx_http_request_t* r, const ngx_time_t* now) {
  const int64_t ms = (static_cast<int64_t>(now->sec) - r->start_sec) * 1000 +
                     (static_cast<int64_t>(now->msec) - static_cast<int64_t>(r->start_msec));
  return static_cast<uint32_t>(std::clamp<int64_t>(ms, 0, UINT32_MAX));
}

std::string_view value_of(const ngx_table_elt_t* header) {
  return header != nullptr ? view(header->value) : std::string_view{};
}

bool is_from_cache([[maybe_unused]] const ngx_http_request_t* r) {
#if (NGX_HTTP_CACHE)
  return r->cached;
#else
  return false;
#endif
}

void map_values(ngx_http_request_t* r, const LocConf* conf, ngx_uint_t policy, RawHit& hit) {
  hit.visitor_id = hit.path = hit.country = {};
  hit.own_bot = false;
  if (!conf->has_values) return;
  const SentArguments sent(r);
  if (policy == kSignalIgnore) hit.visitor_id = text_of(r, conf->visitor);
  hit.path = text_of(r, conf->path);
  hit.country = text_of(r, conf->country);
  hit.own_bot = conf->bot != nullptr && holds(r, conf->bot);
}

void map_request(ngx_http_request_t* r, const LocConf* conf, const RequestHeaders& headers, ngx_uint_t policy,
                 RawHit& hit) {
  const ngx_time_t* now = ngx_timeofday();
  hit.time_ms = static_cast<int64_t>(now->sec) * 1000 + static_cast<int64_t>(now->msec);
  hit.request_time_ms = request_time_ms(r, now);
  hit.bytes_sent = static_cast<uint64_t>(r->connection->sent);
  hit.status = status_of(r);
  hit.method = method_of(r->method);
  hit.content = content_of(r->headers_out.content_type);
  hit.prefetch = headers.prefetch;
  hit.from_cache = is_from_cache(r);
  hit.address = address_of(r->connection->sockaddr);
  map_values(r, conf, policy, hit);
  hit.uri = view(r->unparsed_uri);
  hit.referrer = value_of(r->headers_in.referer);
  hit.agent = value_of(r->headers_in.user_agent);
  hit.host = view(r->headers_in.server);
  tell_events(r, conf, hit);
}

}  // namespace

ngx_uint_t signal_policy(const ngx_http_request_t* r, const LocConf* conf) noexcept {
  return policy_of(conf, read_headers(r));
}

bool is_prefetch(const ngx_http_request_t* r) noexcept { return read_headers(r).prefetch; }

bool is_captured(ngx_http_request_t* r, const LocConf* conf) noexcept {
  return conf->captured && r == r->main && (conf->condition == nullptr || holds(r, conf->condition)) &&
         signal_policy(r, conf) != kSignalDrop;
}

void map_told(ngx_http_request_t* r, const LocConf* conf, RawHit& hit) noexcept {
  hit.status = status_of(r);
  hit.method = method_of(r->method);
  tell_events(r, conf, hit);
}

std::string_view text_of(ngx_http_request_t* r, ngx_http_complex_value_t* value) noexcept {
  ngx_str_t text;
  return value != nullptr && ngx_http_complex_value(r, value, &text) == NGX_OK ? view(text) : std::string_view{};
}

bool holds(ngx_http_request_t* r, ngx_http_complex_value_t* condition) noexcept {
  ngx_str_t value;
  if (ngx_http_complex_value(r, condition, &value) != NGX_OK) return false;
  return value.len > 1 || (value.len == 1 && value.data[0] != '0');
}

ngx_int_t stage_hit(ngx_http_request_t* r) noexcept {
  const LocConf* conf = loc_conf(r);
  if (!conf->captured) return NGX_OK;
  if (r != r->main) return NGX_OK;
  if (capture.writer == nullptr || conf->context == kNoContext) return ++capture.missed, NGX_OK;
  if (conf->condition != nullptr && !holds(r, conf->condition)) return NGX_OK;

  const RequestHeaders headers = read_headers(r);
  const ngx_uint_t policy = policy_of(conf, headers);
  if (policy == kSignalDrop) return capture.writer->count_drop(DropReason::signal), NGX_OK;

  map_request(r, conf, headers, policy, *capture.hit);
  capture.writer->append(*capture.hit, conf->context);  // a drop is counted there, and logged by the tick
  return NGX_OK;
}

}  // namespace footfall
