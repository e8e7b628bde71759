// The directives' setters: each reads one line of the configuration, and refuses a wrong one with its directive, its
// value and what would be right.
#include <initializer_list>
#include <span>

#include "conf.h"
#include "lane/lane.h"
#include "lane/stage.h"
#include "status.h"

namespace footfall {
namespace {

constexpr off_t kRingBytesMax = off_t{64} << 30;
constexpr off_t kStageBytesMax = off_t{1} << 30;
constexpr ngx_int_t kFlushMsMin = 10;
constexpr ngx_int_t kFlushMsMax = 10'000;
constexpr ngx_int_t kSyncMsMin = 10;
constexpr ngx_int_t kSyncMsMax = 3'600'000;

char* const kConfError = static_cast<char*>(NGX_CONF_ERROR);
char* const kDuplicate = const_cast<char*>("is duplicate");

std::span<ngx_str_t> arguments(ngx_conf_t* cf) { return {static_cast<ngx_str_t*>(cf->args->elts), cf->args->nelts}; }

char* refuse(ngx_conf_t* cf, std::initializer_list<std::string_view> parts) {
  char text[1024];
  size_t used = 0;
  for (const std::string_view part : parts) used += part.copy(text + used, sizeof text - used);
  const ngx_str_t message = as_ngx_str({text, used});
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V: %V", &arguments(cf)[0], &message);
  return kConfError;
}

// `name=value` into its value; the value may be empty.
bool is_parameter(std::string_view argument, std::string_view name, std::string_view& value) {
  if (!argument.starts_with(name) || argument.size() == name.size() || argument[name.size()] != '=') return false;
  value = argument.substr(name.size() + 1);
  return true;
}

// Refuses a parameter's second occurrence on one line.
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

bool is_header_name(std::string_view text) {
  constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";  // RFC 9110 token
  if (text.empty() || text.size() > 128) return false;
  for (const char c : text) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && kOther.find(c) == std::string_view::npos) return false;
  }
  return true;
}

// Null: nginx said why.
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

void need_store(ngx_conf_t* cf) {
  MainConf* main = main_conf(cf);
  if (main->needed_by.len != 0) return;
  main->needed_by = arguments(cf)[0];
  main->needed_in_file = cf->conf_file->file.name;
  main->needed_in_line = cf->conf_file->line;
}

// --- footfall_store --------------------------------------------------------------------------------------------------

char* read_size(ngx_conf_t* cf, std::string_view argument, std::string_view text, off_t min, off_t max,
                std::string_view right, off_t& to) {
  ngx_str_t source = as_ngx_str(text);
  to = text.empty() ? NGX_ERROR : ngx_parse_offset(&source);
  if (to == NGX_ERROR) return refuse(cf, {"\"", argument, "\" is no size; right would be ", right});
  if (to < min || to > max) return refuse(cf, {"\"", argument, "\" is out of range; right would be ", right});
  return NGX_CONF_OK;
}

char* read_time(ngx_conf_t* cf, std::string_view argument, std::string_view text, ngx_int_t min_ms, ngx_int_t max_ms,
                std::string_view right, ngx_msec_t& to_ms) {
  ngx_str_t source = as_ngx_str(text);
  const ngx_int_t ms = text.empty() ? NGX_ERROR : ngx_parse_time(&source, 0);
  if (ms == NGX_ERROR) return refuse(cf, {"\"", argument, "\" is no time; right would be ", right});
  if (ms < min_ms || ms > max_ms) return refuse(cf, {"\"", argument, "\" is out of range; right would be ", right});
  to_ms = static_cast<ngx_msec_t>(ms);
  return NGX_CONF_OK;
}

char* read_lanes(ngx_conf_t* cf, std::string_view argument, std::string_view text, ngx_uint_t& to) {
  ngx_str_t source = as_ngx_str(text);
  const ngx_int_t lanes = ngx_atoi(source.data, source.len);
  if (lanes < 1 || lanes > static_cast<ngx_int_t>(kLanesMax)) {
    return refuse(cf, {"\"", argument, "\" is no number of lanes; right would be lanes=1 to lanes=256"});
  }
  to = static_cast<ngx_uint_t>(lanes);
  return NGX_CONF_OK;
}

char* read_folder(ngx_conf_t* cf, std::string_view argument, std::string_view text, ngx_str_t& to) {
  if (text.empty()) return refuse(cf, {"\"", argument, "\" names no folder; right would be stage_path=DIR"});
  to = as_ngx_str(text);
  return ngx_conf_full_name(cf->cycle, &to, 0) == NGX_OK ? NGX_CONF_OK : kConfError;
}

char* read_store_parameter(ngx_conf_t* cf, std::string_view argument, unsigned& seen, MainConf* main) {
  std::string_view value;
  constexpr std::string_view kRing = "ring=1m to ring=64g";
  constexpr std::string_view kStage = "stage=256k to stage=1g";
  constexpr std::string_view kFlush = "flush=10ms to flush=10s";
  constexpr std::string_view kSync = "sync=10ms to sync=1h, or sync=off";
  const auto twice = [&] { return refuse(cf, {"\"", argument, "\" is given a second time; right would be once"}); };

  if (is_parameter(argument, "ring", value)) {
    if (!first_time(seen, 0)) return twice();
    return read_size(cf, argument, value, static_cast<off_t>(kRingBytesMin), kRingBytesMax, kRing, main->ring_bytes);
  }
  if (is_parameter(argument, "stage", value)) {
    if (!first_time(seen, 1)) return twice();
    return read_size(cf, argument, value, static_cast<off_t>(kStageRecordBytesMin), kStageBytesMax, kStage,
                     main->stage_bytes);
  }
  if (is_parameter(argument, "stage_path", value)) {
    if (!first_time(seen, 2)) return twice();
    return read_folder(cf, argument, value, main->stage_folder);
  }
  if (is_parameter(argument, "flush", value)) {
    if (!first_time(seen, 3)) return twice();
    return read_time(cf, argument, value, kFlushMsMin, kFlushMsMax, kFlush, main->flush_ms);
  }
  if (is_parameter(argument, "sync", value)) {
    if (!first_time(seen, 4)) return twice();
    if (value == "off") {
      main->sync_ms = 0;
      return NGX_CONF_OK;
    }
    return read_time(cf, argument, value, kSyncMsMin, kSyncMsMax, kSync, main->sync_ms);
  }
  if (is_parameter(argument, "lanes", value)) {
    if (!first_time(seen, 5)) return twice();
    return read_lanes(cf, argument, value, main->lanes_max);
  }
  return refuse(cf, {"unknown parameter \"", argument,
                     "\"; right would be ring=SIZE, stage=SIZE, stage_path=DIR, flush=TIME, sync=TIME|off or lanes=N"});
}

// --- footfall_event, footfall_order ----------------------------------------------------------------------------------

constexpr unsigned kConditionBit = kEventFieldCount;

char* read_event_parameter(ngx_conf_t* cf, std::string_view argument, unsigned& seen, EventConf* event) {
  ngx_http_complex_value_t** to = nullptr;
  unsigned bit = 0;
  std::string_view value;
  for (unsigned i = 0; i < kEventFieldCount; ++i) {
    const EventField& field = kEventFields[i];
    if (!(event->is_order ? field.of_order : field.of_event)) continue;
    if (is_parameter(argument, field.parameter, value)) to = &event->fields[i], bit = i;
  }
  if (is_parameter(argument, "if", value)) to = &event->condition, bit = kConditionBit;
  if (to == nullptr) {
    const std::string_view right = event->is_order ? "id=, value=, currency=, items=, coupon=, customer= or if="
                                                   : "item=, value=, currency= or if=";
    return refuse(cf, {"unknown parameter \"", argument, "\"; right would be ", right});
  }
  if (!first_time(seen, bit)) return refuse(cf, {"\"", argument, "\" is given a second time; right would be once"});
  if (value.empty()) {
    return refuse(cf, {"\"", argument, "\" has no value; right would be a text with or without variables"});
  }
  *to = compile(cf, value);
  return *to != nullptr ? NGX_CONF_OK : kConfError;
}

char* read_event_parameters(ngx_conf_t* cf, size_t from, EventConf* event) {
  unsigned seen = 0;
  const auto args = arguments(cf);
  for (size_t i = from; i < args.size(); ++i) {
    if (char* outcome = read_event_parameter(cf, view(args[i]), seen, event); outcome != NGX_CONF_OK) return outcome;
  }
  for (size_t i = 0; i < kEventFieldCount; ++i) {
    if (event->is_order && kEventFields[i].required && event->fields[i] == nullptr) {
      return refuse(cf, {kEventFields[i].parameter, "= is missing; an order needs id=VALUE and value=VALUE"});
    }
  }
  return NGX_CONF_OK;
}

EventConf* add_event(ngx_conf_t* cf, ngx_array_t*& list) {
  if (list == nullptr) list = ngx_array_create(cf->pool, 4, sizeof(EventConf*));
  if (list == nullptr) return nullptr;
  auto* event = static_cast<EventConf*>(ngx_pcalloc(cf->pool, sizeof(EventConf)));
  auto** place = static_cast<EventConf**>(ngx_array_push(list));
  if (event == nullptr || place == nullptr) return nullptr;
  MainConf* main = main_conf(cf);
  main->tells_events = true;
  event->sequence = main->sequence++;
  return *place = event;
}

bool read_policy(std::string_view text, ngx_uint_t& to) {
  if (text == "ignore") return to = kSignalIgnore, true;
  if (text == "anonymous") return to = kSignalAnonymous, true;
  if (text == "drop") return to = kSignalDrop, true;
  return false;
}

// The location that a status is asked for must have a prefix to cut off.
char* check_status_location(ngx_conf_t* cf, const ngx_http_core_loc_conf_t* core) {
  bool refused = core->exact_match || core->named || core->noname;
#if (NGX_PCRE)
  refused = refused || core->regex != nullptr;
#endif
  if (!refused) return NGX_CONF_OK;
  return refuse(cf,
                {"location \"", view(core->name),
                 "\" has no prefix to serve below; right would be a prefix location such as \"location /footfall/\""});
}

}  // namespace

char* set_store(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* main = static_cast<MainConf*>(conf);
  if (main->store.data != nullptr) return kDuplicate;
  const auto args = arguments(cf);
  if (args[1].len == 0) return refuse(cf, {"the path is empty; right would be a folder such as /var/lib/footfall"});
  ngx_str_t path = args[1];
  if (ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) return kConfError;
  main->store = path;
  unsigned seen = 0;
  for (const ngx_str_t& argument : args.subspan(2)) {
    if (char* outcome = read_store_parameter(cf, view(argument), seen, main); outcome != NGX_CONF_OK) return outcome;
  }
  return NGX_CONF_OK;
}

char* set_footfall(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->enabled != NGX_CONF_UNSET) return kDuplicate;
  const auto args = arguments(cf);
  const std::string_view word = view(args[1]);
  if (word != "on" && word != "off") return refuse(cf, {"\"", word, "\" is neither; right would be on or off"});
  loc->enabled = word == "on";
  if (loc->enabled) need_store(cf);
  if (args.size() == 2) return NGX_CONF_OK;

  std::string_view condition;
  if (!is_parameter(view(args[2]), "if", condition) || condition.empty()) {
    return refuse(cf, {"unknown parameter \"", view(args[2]), "\"; right would be if=VALUE"});
  }
  if (!loc->enabled) return refuse(cf, {"\"", view(args[2]), "\" goes with on only; right would be off alone"});
  loc->condition = compile(cf, condition);
  return loc->condition != nullptr ? NGX_CONF_OK : kConfError;
}

char* set_site(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->site.data != nullptr) return kDuplicate;
  const ngx_str_t& name = arguments(cf)[1];
  if (!is_name(view(name), kSiteNameBytesMax)) {
    return refuse(cf, {"\"", view(name), "\" is no site name; right would be 1 to 64 of A-Z a-z 0-9 _ . -"});
  }
  loc->site = name;
  return NGX_CONF_OK;
}

char* set_visitor(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->visitor_given != NGX_CONF_UNSET) return kDuplicate;
  const std::string_view value = view(arguments(cf)[1]);
  if (value.empty())
    return refuse(cf, {"the value is empty; right would be anonymous, or a variable such as $cookie_uid"});
  loc->visitor_given = 1;
  if (value == "anonymous") return NGX_CONF_OK;
  loc->visitor = compile(cf, value);
  return loc->visitor != nullptr ? NGX_CONF_OK : kConfError;
}

char* set_signals(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->gpc != NGX_CONF_UNSET_UINT || loc->dnt != NGX_CONF_UNSET_UINT) return kDuplicate;
  for (const ngx_str_t& argument : arguments(cf).subspan(1)) {
    std::string_view value;
    ngx_uint_t* to = is_parameter(view(argument), "gpc", value)   ? &loc->gpc
                     : is_parameter(view(argument), "dnt", value) ? &loc->dnt
                                                                  : nullptr;
    if (to == nullptr || *to != NGX_CONF_UNSET_UINT || !read_policy(value, *to)) {
      return refuse(cf, {"\"", view(argument),
                         "\" is no signal with an answer; right would be gpc= or dnt= with ignore, anonymous or drop"});
    }
  }
  return NGX_CONF_OK;
}

char* set_event(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  const ngx_str_t& name = arguments(cf)[1];
  if (!is_name(view(name), kEventNameBytesMax)) {
    return refuse(cf, {"\"", view(name), "\" is no event name; right would be 1 to 64 of A-Z a-z 0-9 _ . -"});
  }
  if (view(name) == "purchase") {
    return refuse(cf, {"\"purchase\" is an order; right would be footfall_order id=VALUE value=VALUE"});
  }
  EventConf* event = add_event(cf, loc->events);
  if (event == nullptr) return kConfError;
  event->name = name;
  return read_event_parameters(cf, 2, event);
}

char* set_order(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  EventConf* order = add_event(cf, loc->orders);
  if (order == nullptr) return kConfError;
  order->is_order = true;
  order->name = as_ngx_str("purchase");
  return read_event_parameters(cf, 1, order);
}

char* set_events_header(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->events_header != NGX_CONF_UNSET) return kDuplicate;
  const ngx_str_t& name = arguments(cf)[1];
  if (!is_header_name(view(name))) {
    return refuse(cf,
                  {"\"", view(name), "\" is no header name; right would be on, off or a name such as Footfall-Event"});
  }
  loc->events_header = view(name) != "off";
  if (view(name) == "on" || view(name) == "off") return NGX_CONF_OK;
  loc->events_header_name.data = static_cast<u_char*>(ngx_pnalloc(cf->pool, name.len));
  if (loc->events_header_name.data == nullptr) return kConfError;
  loc->events_header_name.len = name.len;
  ngx_strlow(loc->events_header_name.data, name.data, name.len);
  return NGX_CONF_OK;
}

char* set_status(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->status != nullptr) return kDuplicate;
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if (char* outcome = check_status_location(cf, core); outcome != NGX_CONF_OK) return outcome;

  auto* status = static_cast<StatusConf*>(ngx_pcalloc(cf->pool, sizeof(StatusConf)));
  if (status == nullptr) return kConfError;
  status->prefix = core->name;
  for (const ngx_str_t& argument : arguments(cf).subspan(1)) {
    std::string_view desk;
    if (view(argument) == "remote" && !status->remote) {
      status->remote = true;
    } else if (is_parameter(view(argument), "desk", desk)) {
      return refuse(cf, {"\"", view(argument),
                         "\" cannot be limited yet: this version has no desks; right would be no desk= and nginx's "
                         "allow or auth_basic"});
    } else {
      return refuse(cf, {"unknown parameter \"", view(argument), "\"; right would be remote, once, or nothing"});
    }
  }
  loc->status = status;
  core->handler = answer_status;
  core->auto_redirect = core->name.len != 0 && core->name.data[core->name.len - 1] == '/';  // `/footfall` leads there
  main_conf(cf)->shows_status = true;
  need_store(cf);
  return NGX_CONF_OK;
}

}  // namespace footfall
