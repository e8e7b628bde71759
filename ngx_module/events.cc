#include "events.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "capture.h"

namespace footfall {
namespace {

ngx_http_output_header_filter_pt next_header_filter;

// No configuration can spell these names, so nobody else uses the slots.
constexpr std::string_view kEntrySlotName = "footfall entry";
constexpr std::string_view kHeaderSlotName = "footfall header";

ngx_int_t not_yet(ngx_http_request_t*, ngx_http_variable_value_t* value, uintptr_t) noexcept {
  value->not_found = 1;
  return NGX_OK;
}

ngx_int_t add_slot(ngx_conf_t* cf, std::string_view name) {
  ngx_str_t text = as_ngx_str(name);
  text.data = ngx_pstrdup(cf->pool, &text);  // nginx lower-cases names in place
  if (text.data == nullptr) return NGX_ERROR;
  ngx_http_variable_t* variable = ngx_http_add_variable(cf, &text, 0);
  if (variable == nullptr) return NGX_ERROR;
  variable->get_handler = not_yet;
  return ngx_http_get_variable_index(cf, &text);
}

void fill_slot(ngx_http_variable_value_t& slot, const void* data, size_t bytes) {
  slot.data = static_cast<u_char*>(const_cast<void*>(data));
  slot.len = static_cast<unsigned>(bytes);
  slot.valid = 1;
  slot.no_cacheable = 0;
  slot.not_found = 0;
}

// --- the event header ------------------------------------------------------------------------------------------------

bool is_event_header(const ngx_table_elt_t& header, const ngx_str_t& name) {
  return header.hash != 0 && header.key.len == name.len && ngx_strncasecmp(header.key.data, name.data, name.len) == 0;
}

template <class Do>
void each_event_header(ngx_http_request_t* r, const ngx_str_t& name, Do&& act) {
  for (ngx_list_part_t* part = &r->headers_out.headers.part; part != nullptr; part = part->next) {
    auto* header = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (is_event_header(header[i], name)) act(header[i]);
    }
  }
}

// Several lines are one list (RFC 9110 §5.3). Cut one byte above the bound: the reader then refuses it as too long.
std::string_view join_lines(ngx_http_request_t* r, const ngx_str_t& name) {
  auto* text = static_cast<char*>(ngx_pnalloc(r->pool, kEventHeaderBytesMax + 1));
  if (text == nullptr) return {};
  size_t used = 0;
  const auto add = [&](std::string_view part) { used += part.copy(text + used, kEventHeaderBytesMax + 1 - used); };
  each_event_header(r, name, [&](const ngx_table_elt_t& header) {
    if (used != 0) add(", ");
    add(view(header.value));
  });
  return {text, used};
}

// The client never sees the header. A cached answer repeats the header of the request that filled the cache, whose
// events were told then.
[[gnu::noinline]] void take_event_header(ngx_http_request_t* r, const LocConf* conf) {
  size_t lines = 0;
  std::string_view text;
  each_event_header(r, conf->events_header_name, [&](const ngx_table_elt_t& header) {
    if (lines++ == 0) text = view(header.value).substr(0, kEventHeaderBytesMax + 1);
  });
  if (lines == 0) return;
  if (lines > 1) text = join_lines(r, conf->events_header_name);
  each_event_header(r, conf->events_header_name, [](ngx_table_elt_t& header) { header.hash = 0; });
#if (NGX_HTTP_CACHE)
  if (r->cached) return;
#endif
  fill_slot(r->variables[main_conf(r)->header_slot], text.data(), text.size());
}

ngx_int_t hide_event_header(ngx_http_request_t* r) noexcept {
  if (r->upstream != nullptr && r == r->main) {
    const LocConf* conf = loc_conf(r);
    if (conf->captured && conf->events_header) take_event_header(r, conf);
  }
  return next_header_filter(r);
}

// --- events and orders of directives ---------------------------------------------------------------------------------

ngx_str_t sent_query(const ngx_http_request_t* r) {
  std::string_view target = view(r->unparsed_uri);
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  return as_ngx_str(mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1));
}

bool is_told_by(const ngx_array_t* told, const EventConf* event) {
  if (told == nullptr) return false;
  auto* const* first = static_cast<EventConf* const*>(told->elts);
  return std::find(first, first + told->nelts, event) != first + told->nelts;
}

void tell_event(ngx_http_request_t* r, const EventConf& conf, RawHit& hit) {
  if (hit.events.size() == hit.events.capacity()) return;  // reserved at the start, one above the bound: append cuts
  if (conf.condition != nullptr && !holds(r, conf.condition)) return;
  RawEvent event;
  event.is_order = conf.is_order;
  event.name = view(conf.name);
  for (size_t i = 0; i < kEventFieldCount; ++i) {
    ngx_str_t value;
    if (conf.fields[i] == nullptr || ngx_http_complex_value(r, conf.fields[i], &value) != NGX_OK) continue;
    event.*kEventFields[i].to = view(value).substr(0, kEventFields[i].bytes_max + 1);
  }
  hit.events.push_back(event);
}

void tell_list(ngx_http_request_t* r, const ngx_array_t* told, const ngx_array_t* but, RawHit& hit) {
  if (told == nullptr) return;
  auto* const* event = static_cast<EventConf* const*>(told->elts);
  for (ngx_uint_t i = 0; i < told->nelts; ++i) {
    if (!is_told_by(but, event[i])) tell_event(r, *event[i], hit);
  }
}

void tell_directives(ngx_http_request_t* r, const MainConf* main, const LocConf* conf, RawHit& hit) {
  const ngx_http_variable_value_t& slot = r->variables[main->entry_slot];
  const auto* entry = slot.valid ? reinterpret_cast<const LocConf*>(slot.data) : conf;
  if (entry->told == nullptr && conf->told == nullptr) return;
  const SentArguments sent(r);
  tell_list(r, entry->told, nullptr, hit);
  if (entry != conf) tell_list(r, conf->told, entry->told, hit);
}

}  // namespace

SentArguments::SentArguments(ngx_http_request_t* r) noexcept : r_(r), args_(r->args) { r->args = sent_query(r); }

ngx_int_t add_slots(ngx_conf_t* cf, MainConf* main) noexcept {
  main->entry_slot = add_slot(cf, kEntrySlotName);
  main->header_slot = add_slot(cf, kHeaderSlotName);
  return main->entry_slot == NGX_ERROR || main->header_slot == NGX_ERROR ? NGX_ERROR : NGX_OK;
}

void add_header_filter() noexcept {
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = hide_event_header;
}

ngx_int_t remember_entry(ngx_http_request_t* r) noexcept {
  if (r != r->main) return NGX_DECLINED;  // subrequests share the slots of their parent
  ngx_http_variable_value_t& slot = r->variables[main_conf(r)->entry_slot];
  if (!slot.valid) fill_slot(slot, loc_conf(r), 0);
  return NGX_DECLINED;
}

void tell_events(ngx_http_request_t* r, const LocConf* conf, RawHit& hit) noexcept {
  const MainConf* main = main_conf(r);
  const ngx_http_variable_value_t& header = r->variables[main->header_slot];
  hit.events_header =
      header.valid ? std::string_view(reinterpret_cast<const char*>(header.data), header.len) : std::string_view{};
  hit.events.clear();
  if (main->tells_events && hit.status < 400 && hit.method != Method::head) tell_directives(r, main, conf, hit);
}

}  // namespace footfall
