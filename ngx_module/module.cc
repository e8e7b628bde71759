// The module as nginx sees it: its directives, its handlers' places in a request's way, its life in each process.
#include "capture.h"
#include "conf.h"
#include "events.h"
#include "ngx.h"
#include "variables.h"
#include "worker.h"

namespace footfall {
namespace {

constexpr ngx_uint_t kEverywhere = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

ngx_command_t commands[] = {
    {ngx_string("footfall_store"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_store, NGX_HTTP_MAIN_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("footfall"), kEverywhere | NGX_CONF_TAKE12, set_footfall, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_site"), kEverywhere | NGX_CONF_TAKE1, set_site, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_visitor"), kEverywhere | NGX_CONF_TAKE1, set_visitor, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_signals"), kEverywhere | NGX_CONF_TAKE12, set_signals, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_path"), kEverywhere | NGX_CONF_TAKE1, set_path, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_args"), kEverywhere | NGX_CONF_1MORE, set_args, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_search"), kEverywhere | NGX_CONF_TAKE1, set_search, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_country"), kEverywhere | NGX_CONF_TAKE1, set_country, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_bot"), kEverywhere | NGX_CONF_TAKE1, set_bot, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_event"), kEverywhere | NGX_CONF_1MORE, set_event, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_order"), kEverywhere | NGX_CONF_1MORE, set_order, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_events_header"), kEverywhere | NGX_CONF_TAKE1, set_events_header, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},
    {ngx_string("footfall_codes"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, set_codes, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_ingest"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1, set_ingest,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("footfall_status"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE12, set_status,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    ngx_null_command,
};

bool add_handler(ngx_conf_t* cf, ngx_http_phases phase, ngx_http_handler_pt handler) {
  auto* core = static_cast<ngx_http_core_main_conf_t*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
  auto* place = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[phase].handlers));
  if (place == nullptr) return false;
  *place = handler;
  return true;
}

ngx_int_t before_configuration(ngx_conf_t* cf) noexcept {
  return add_variables(cf) == NGX_OK ? add_slots(cf, main_conf(cf)) : NGX_ERROR;
}

ngx_int_t after_configuration(ngx_conf_t* cf) noexcept {
  const MainConf* main = main_conf(cf);
  if (main->captured.nelts == 0) return NGX_OK;
  if (!add_handler(cf, NGX_HTTP_LOG_PHASE, stage_hit)) return NGX_ERROR;
  if (main->tells_events && !add_handler(cf, NGX_HTTP_REWRITE_PHASE, remember_entry)) return NGX_ERROR;
  add_header_filter();
  return NGX_OK;
}

ngx_http_module_t context = {
    before_configuration, after_configuration, create_main_conf, init_main_conf, nullptr, nullptr,
    create_loc_conf,      merge_loc_conf,
};

}  // namespace
}  // namespace footfall

extern "C" {
__attribute__((visibility("default"))) ngx_module_t ngx_http_footfall_module = {
    NGX_MODULE_V1,
    &footfall::context,
    footfall::commands,
    NGX_HTTP_MODULE,
    nullptr,  // init master: nginx never calls it
    footfall::init_module,
    footfall::init_process,
    nullptr,  // init thread
    nullptr,  // exit thread
    footfall::exit_process,
    nullptr,  // exit master
    NGX_MODULE_V1_PADDING,
};
}
