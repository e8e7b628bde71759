#include "conf.h"

#include <algorithm>

#include "codes.h"
#include "hit/event_batch.h"
#include "ingest.h"
#include "lane/lane.h"
#include "status.h"

namespace footfall {
namespace {

constexpr std::string_view kEventsHeaderDefault = "footfall-event";
constexpr std::string_view kSiteDefault = "default";  // of a server without a name

EventConf** told_of(ngx_array_t* list) { return static_cast<EventConf**>(list->elts); }

// Events and orders are inherited apart, but told in the order in which they stand.
ngx_array_t* in_order(ngx_conf_t* cf, ngx_array_t* events, ngx_array_t* orders) {
  if (events == nullptr || orders == nullptr) return events != nullptr ? events : orders;
  ngx_array_t* told = ngx_array_create(cf->pool, events->nelts + orders->nelts, sizeof(EventConf*));
  if (told == nullptr) return nullptr;
  ngx_uint_t event = 0;
  ngx_uint_t order = 0;
  while (event < events->nelts || order < orders->nelts) {
    const bool event_first = order == orders->nelts || (event < events->nelts && told_of(events)[event]->sequence <
                                                                                     told_of(orders)[order]->sequence);
    auto** place = static_cast<EventConf**>(ngx_array_push(told));
    *place = event_first ? told_of(events)[event++] : told_of(orders)[order++];
  }
  return told;
}

ngx_str_t first_server_name(ngx_conf_t* cf) {
  auto* server = static_cast<ngx_http_core_srv_conf_t*>(ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
  if (server->server_name.len == 0) return as_ngx_str(kSiteDefault);
  ngx_str_t name = server->server_name;
  if (name.len > kSiteNameBytesMax) name.len = kSiteNameBytesMax;
  return name;
}

// `if` and `limit_except` make locations of their own, which answer as the one around them does.
void inherit_answers(ngx_conf_t* cf, const LocConf* outer, LocConf* conf) {
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if (!core->noname || core->handler != nullptr) return;
  conf->status = outer->status;
  conf->answers_codes = outer->answers_codes;
  if (conf->status != nullptr) core->handler = answer_status;
  conf->ingest = outer->ingest;
  if (conf->answers_codes) core->handler = answer_code;
  if (conf->ingest != nullptr) core->handler = answer_ingest;
}

// A batch is read whole, so it need not go through a file; what is larger than one is refused whatever nginx lets in, and
// nginx lets in no more than it takes to say so.
void bound_bodies(ngx_conf_t* cf) {
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  core->client_body_buffer_size = std::max(core->client_body_buffer_size, kEventBatchBytesMax);
  constexpr off_t kReadBytesMax = 8 * off_t{kEventBatchBytesMax};
  if (core->client_max_body_size == 0 || core->client_max_body_size > kReadBytesMax)
    core->client_max_body_size = kReadBytesMax;
}

char* add_captured(ngx_conf_t* cf, LocConf* conf) {
  auto** place = static_cast<LocConf**>(ngx_array_push(&main_conf(cf)->captured));
  if (place == nullptr) return static_cast<char*>(NGX_CONF_ERROR);
  *place = conf;
  return NGX_CONF_OK;
}

}  // namespace

void* create_main_conf(ngx_conf_t* cf) noexcept {
  auto* conf = static_cast<MainConf*>(ngx_pcalloc(cf->pool, sizeof(MainConf)));
  if (conf == nullptr) return nullptr;
  if (ngx_array_init(&conf->captured, cf->pool, 16, sizeof(LocConf*)) != NGX_OK) return nullptr;
  conf->ring_bytes = static_cast<off_t>(kRingBytesDefault);
  conf->stage_bytes = static_cast<off_t>(kStageBytesDefault);
  conf->flush_ms = 100;
  conf->sync_ms = 1000;
  conf->lanes_max = kLanesMax;
  return conf;
}

char* init_main_conf(ngx_conf_t* cf, void* conf) noexcept {
  auto* main = static_cast<MainConf*>(conf);
  if (main->store.data != nullptr || main->needed_by.len == 0) return NGX_CONF_OK;
  ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                "%V: there is no store to write to or read from; say \"footfall_store PATH;\" in http in %V:%ui",
                &main->needed_by, &main->needed_in_file, main->needed_in_line);
  return static_cast<char*>(NGX_CONF_ERROR);
}

void* create_loc_conf(ngx_conf_t* cf) noexcept {
  auto* conf = static_cast<LocConf*>(ngx_pcalloc(cf->pool, sizeof(LocConf)));
  if (conf == nullptr) return nullptr;
  conf->context = kNoContext;
  conf->enabled = NGX_CONF_UNSET;
  conf->visitor_given = NGX_CONF_UNSET;
  conf->gpc = NGX_CONF_UNSET_UINT;
  conf->dnt = NGX_CONF_UNSET_UINT;
  conf->events_header = NGX_CONF_UNSET;
  return conf;
}

char* merge_loc_conf(ngx_conf_t* cf, void* parent, void* child) noexcept {
  auto* outer = static_cast<LocConf*>(parent);
  auto* conf = static_cast<LocConf*>(child);

  if (conf->enabled == NGX_CONF_UNSET) conf->condition = outer->condition;
  ngx_conf_merge_value(conf->enabled, outer->enabled, 0);
  if (conf->visitor_given == NGX_CONF_UNSET) conf->visitor = outer->visitor;
  ngx_conf_merge_value(conf->visitor_given, outer->visitor_given, 0);
  if (conf->path == nullptr) conf->path = outer->path;
  if (conf->country == nullptr) conf->country = outer->country;
  if (conf->bot == nullptr) conf->bot = outer->bot;
  conf->has_values =
      conf->visitor != nullptr || conf->path != nullptr || conf->country != nullptr || conf->bot != nullptr;
  if (conf->kept_arguments == nullptr) conf->kept_arguments = outer->kept_arguments;
  if (conf->search_argument.data == nullptr) conf->search_argument = outer->search_argument;
  if (conf->codes_prefix.data == nullptr) conf->codes_prefix = outer->codes_prefix;
  ngx_conf_merge_uint_value(conf->gpc, outer->gpc, kSignalAnonymous);
  ngx_conf_merge_uint_value(conf->dnt, outer->dnt, kSignalIgnore);
  ngx_conf_merge_value(conf->events_header, outer->events_header, 1);
  if (conf->events_header_name.data == nullptr) conf->events_header_name = outer->events_header_name;
  if (conf->events_header_name.data == nullptr) conf->events_header_name = as_ngx_str(kEventsHeaderDefault);
  if (conf->site.data == nullptr) conf->site = outer->site;
  if (conf->site.data == nullptr) conf->site = first_server_name(cf);

  if (conf->events == nullptr) conf->events = outer->events;
  if (conf->orders == nullptr) conf->orders = outer->orders;
  conf->told = in_order(cf, conf->events, conf->orders);
  if (conf->told == nullptr && conf->events != nullptr) return static_cast<char*>(NGX_CONF_ERROR);

  inherit_answers(cf, outer, conf);
  if (conf->ingest != nullptr) bound_bodies(cf);
  conf->captured = conf->enabled && conf->status == nullptr;
  return conf->captured ? add_captured(cf, conf) : NGX_CONF_OK;
}

}  // namespace footfall
