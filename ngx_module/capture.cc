#include "capture.h"

#include <algorithm>
#include <cstring>

#include "conf.h"
#include "events.h"
#include "worker.h"

namespace footfall {
namespace {

// What the request's own headers say about being counted. Bits, so that they stay in a register.
constexpr unsigned kSaysGpc = 1, kSaysDnt = 2, kSaysPrefetch = 4;

bool says_one(const ngx_str_t& value) { return value.len == 1 && value.data[0] == '1'; }

bool says_prefetch(const ngx_str_t& value) {
  constexpr std::string_view kPrefetch = "prefetch";
  return value.len >= kPrefetch.size() &&
         ngx_strncasecmp(value.data, as_ngx_str(kPrefetch).data, kPrefetch.size()) == 0;
}

[[gnu::noinline]] unsigned read_header(const ngx_table_elt_t& header) {
  const std::string_view name(reinterpret_cast<const char*>(header.lowcase_key), header.key.len);
  if (name == "dnt") return says_one(header.value) ? kSaysDnt : 0;
  if (name == "sec-gpc") return says_one(header.value) ? kSaysGpc : 0;
  if (name == "purpose" || name == "sec-purpose") return says_prefetch(header.value) ? kSaysPrefetch : 0;
  return 0;
}

// Whether it can be one of those that read_header() knows, by length (modulo 64: that needs no bound) and first letter.
// Browsers send a dozen others.
bool may_say(const ngx_table_elt_t& header) {
  constexpr uint64_t kLengths = 1 << 3 | 1 << 7 | 1 << 11;
  if ((kLengths >> (header.key.len & 63) & 1) == 0) return false;
  const u_char first = header.lowcase_key[0];
  return first == 's' || first == 'p' || first == 'd';
}

inline unsigned read_headers(const ngx_http_request_t* r) {
  unsigned says = 0;
  for (const ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
    const auto* header = static_cast<const ngx_table_elt_t*>(part->elts);
    for (const auto* end = header + part->nelts; header != end; ++header) {
      if (may_say(*header)) says |= read_header(*header);
    }
  }
  return says;
}

ngx_uint_t policy_of(const LocConf* conf, unsigned says) {
  return std::max((says & kSaysGpc) != 0 ? conf->gpc : kSignalIgnore,
                  (says & kSaysDnt) != 0 ? conf->dnt : kSignalIgnore);
}

[[gnu::noinline]] std::string_view other_address_of(const sockaddr* address) {
  if (address->sa_family != AF_INET6) return {};
  const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  const std::string_view bytes(reinterpret_cast<const char*>(&v6), sizeof v6);
  return IN6_IS_ADDR_V4MAPPED(&v6) ? bytes.substr(12) : bytes;
}

// 4 bytes of IPv4, also where it came in through an IPv6 socket: one visitor has one key on both. 16 of IPv6.
[[gnu::always_inline]] inline std::string_view address_of(const sockaddr* address) {
  if (address->sa_family != AF_INET) [[unlikely]]
    return other_address_of(address);
  const auto& v4 = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  return {reinterpret_cast<const char*>(&v4), sizeof v4};
}

[[gnu::noinline]] Method other_method_of(ngx_uint_t method) {
  switch (method) {
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

Method method_of(ngx_uint_t method) {
  if (method == NGX_HTTP_GET) [[likely]]
    return Method::get;
  return other_method_of(method);
}

// The same number as $status.
uint16_t status_of(const ngx_http_request_t* r) {
  if (r->err_status != 0) return static_cast<uint16_t>(r->err_status);
  if (r->headers_out.status != 0) [[likely]]
    return static_cast<uint16_t>(r->headers_out.status);
  return r->http_version == NGX_HTTP_VERSION_9 ? 9 : 0;
}

bool ends_at(const ngx_str_t& type, size_t bytes) {
  return type.len == bytes || type.data[bytes] == ';' || type.data[bytes] == ' ';
}

bool is_type(const ngx_str_t& type, std::string_view name) {
  return type.len >= name.size() && ends_at(type, name.size()) &&
         ngx_strncasecmp(type.data, as_ngx_str(name).data, name.size()) == 0;
}

[[gnu::noinline]] ContentKind other_content_of(const ngx_str_t& type) {
  if (type.len == 0) return ContentKind::none;
  return is_type(type, "text/html") || is_type(type, "application/xhtml+xml") ? ContentKind::html : ContentKind::other;
}

// Compared as it is nearly always spelt first: that is a few instructions, without case it is two hundred.
[[gnu::always_inline]] inline ContentKind content_of(const ngx_str_t& type) {
  constexpr size_t kBytes = sizeof "text/html" - 1;
  const bool is_html = type.len >= kBytes && std::memcmp(type.data, "text/html", kBytes) == 0 && ends_at(type, kBytes);
  return is_html ? ContentKind::html : other_content_of(type);
}

int64_t time_ms(const ngx_time_t* now) {
  return static_cast<int64_t>(now->sec) * 1000 + static_cast<int64_t>(now->msec);
}

uint32_t request_time_ms(const ngx_http_request_t* r, int64_t now_ms) {
  const int64_t ms = now_ms - static_cast<int64_t>(r->start_sec) * 1000 - static_cast<int64_t>(r->start_msec);
  if (static_cast<uint64_t>(ms) <= UINT32_MAX) [[likely]]
    return static_cast<uint32_t>(ms);
  return ms < 0 ? 0 : UINT32_MAX;  // the clock was set meanwhile
}

std::string_view value_of(const ngx_table_elt_t* header) {
  if (header != nullptr) [[likely]]
    return view(header->value);
  return {};
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

// Into a StageRecord or a RawHit.
template <class To>
inline void map_numbers(const ngx_http_request_t* r, int64_t now_ms, To& to) {
  to.request_time_ms = request_time_ms(r, now_ms);
  to.bytes_sent = static_cast<uint64_t>(r->connection->sent);
  to.status = status_of(r);
  to.method = method_of(r->method);
  to.content = content_of(r->headers_out.content_type);
}

// Stages a request that nothing but the default configuration looks at, field by field from where nginx has them.
// False: the record would be none of the usual ones; nothing is staged.
[[gnu::always_inline]] inline bool stage_plain(const ngx_http_request_t* r, const LocConf* conf, unsigned says) {
  StageWriter* const writer = capture.writer;
  const int64_t now_ms = time_ms(ngx_timeofday());
  PlainRecord record = writer->begin_plain(conf->context, now_ms);
  if (record.fixed == nullptr) return false;
  record.add_address(address_of(r->connection->sockaddr));
  if (!record.add(&StageRecord::uri, view(r->unparsed_uri), kRawUriBytesMax)) return false;
  if (!record.add(&StageRecord::referrer, value_of(r->headers_in.referer), kRawReferrerBytesMax)) return false;
  if (!record.add(&StageRecord::agent, value_of(r->headers_in.user_agent), kAgentBytesMax)) return false;
  if (!record.add(&StageRecord::host, view(r->headers_in.server), kRawHostBytesMax)) return false;
  map_numbers(r, now_ms, *record.fixed);
  if ((says & kSaysPrefetch) != 0) record.fixed->flags = kRecordPrefetch;
  writer->show_plain(record);
  return true;
}

// Whatever a hit may have. A drop is counted by the writer, and logged by the tick.
[[gnu::noinline]] void stage_full(ngx_http_request_t* r, const LocConf* conf, unsigned says) {
  RawHit& hit = *capture.hit;
  hit.time_ms = time_ms(ngx_timeofday());
  map_numbers(r, hit.time_ms, hit);
  hit.prefetch = (says & kSaysPrefetch) != 0;
  hit.from_cache = is_from_cache(r);
  hit.address = address_of(r->connection->sockaddr);
  hit.uri = view(r->unparsed_uri);
  hit.referrer = value_of(r->headers_in.referer);
  hit.agent = value_of(r->headers_in.user_agent);
  hit.host = view(r->headers_in.server);
  map_values(r, conf, policy_of(conf, says), hit);
  tell_events(r, conf, hit);
  capture.writer->append(hit, conf->context);
}

}  // namespace

ngx_uint_t signal_policy(const ngx_http_request_t* r, const LocConf* conf) noexcept {
  return policy_of(conf, read_headers(r));
}

bool is_prefetch(const ngx_http_request_t* r) noexcept { return (read_headers(r) & kSaysPrefetch) != 0; }

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

[[gnu::noinline]] bool holds(ngx_http_request_t* r, ngx_http_complex_value_t* condition) noexcept {
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

  const unsigned says = read_headers(r);
  if (says != 0 && policy_of(conf, says) == kSignalDrop) return capture.writer->count_drop(DropReason::signal), NGX_OK;
  if (conf->has_values || tells_something(r, conf) || !stage_plain(r, conf, says)) stage_full(r, conf, says);
  return NGX_OK;
}

}  // namespace footfall
