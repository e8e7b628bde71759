#include "answer.h"

#include <algorithm>

namespace footfall {
namespace {

bool set_content_type(ngx_http_request_t* r, std::string_view type) {
  r->headers_out.content_type = copy_to_pool(r, type);
  r->headers_out.content_type_len = std::min(type.find(';'), type.size());
  return r->headers_out.content_type.data != nullptr;
}

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_UNIX) return true;
  if (address->sa_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24) == 127;
  }
  if (address->sa_family != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

// A proxy on this machine would open the location to all: what it forwards does not come from here.
bool is_forwarded(const ngx_http_request_t* r) {
  for (const ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
    const auto* header = static_cast<const ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      const std::string_view name(reinterpret_cast<const char*>(header[i].lowcase_key), header[i].key.len);
      if (name == "forwarded" || name == "x-forwarded-for") return true;
    }
  }
  return false;
}

}  // namespace

ngx_table_elt_t* add_header(ngx_http_request_t* r, std::string_view name, std::string_view value) {
  auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (header == nullptr) return nullptr;
  header->hash = 1;
#if (nginx_version >= 1023000)
  header->next = nullptr;
#endif
  header->key = as_ngx_str(name);
  header->value = as_ngx_str(value);
  return header;
}

ngx_str_t copy_to_pool(ngx_http_request_t* r, std::string_view text) {
  ngx_str_t source = as_ngx_str(text);
  return {text.size(), ngx_pstrdup(r->pool, &source)};
}

std::string header_in(const ngx_http_request_t* r, std::string_view lower_name) {
  std::string value;
  for (const ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
    const auto* header = static_cast<const ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (std::string_view(reinterpret_cast<const char*>(header[i].lowcase_key), header[i].key.len) != lower_name)
        continue;
      if (!value.empty()) value += ", ";
      value += view(header[i].value);
    }
  }
  return value;
}

bool is_local(const ngx_http_request_t* r) { return is_loopback(r->connection->sockaddr) && !is_forwarded(r); }

ngx_int_t send_body(ngx_http_request_t* r, int status, std::string_view type, std::string_view body) {
  r->headers_out.status = static_cast<ngx_uint_t>(status);
  r->headers_out.content_length_n = static_cast<off_t>(body.size());
  if (!set_content_type(r, type)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (r->method == NGX_HTTP_HEAD || body.empty()) r->header_only = 1;
  const ngx_int_t sent = ngx_http_send_header(r);
  if (sent == NGX_ERROR || sent > NGX_OK || r->header_only) return sent;

  ngx_buf_t* buffer = ngx_create_temp_buf(r->pool, body.size());
  if (buffer == nullptr) return NGX_ERROR;
  buffer->last = ngx_cpymem(buffer->pos, body.data(), body.size());
  buffer->last_buf = 1;
  buffer->last_in_chain = 1;
  ngx_chain_t out{buffer, nullptr};
  return ngx_http_output_filter(r, &out);
}

}  // namespace footfall
