// The directives of a location, but for events and orders.
#include "codes.h"
#include "directive.h"
#include "hit/code.h"
#include "ingest.h"
#include "status.h"

namespace footfall {
namespace {

bool is_header_name(std::string_view text) {
  constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";  // RFC 9110 token
  if (text.empty() || text.size() > 128) return false;
  for (const char c : text) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && kOther.find(c) == std::string_view::npos) return false;
  }
  return true;
}

void need_store(ngx_conf_t* cf) {
  MainConf* main = main_conf(cf);
  if (main->needed_by.len != 0) return;
  main->needed_by = arguments(cf)[0];
  main->needed_in_file = cf->conf_file->file.name;
  main->needed_in_line = cf->conf_file->line;
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

ngx_http_core_loc_conf_t* core_of(ngx_conf_t* cf) {
  return static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
}

// Of two that answer, the later one would do so alone, unsaid.
char* answer_by(ngx_conf_t* cf, ngx_http_core_loc_conf_t* core, ngx_http_handler_pt handler) {
  if (core->handler != nullptr) {
    return refuse(cf, {"another directive answers \"", view(core->name), "\" already; right would be a location of its own"});
  }
  core->handler = handler;
  return NGX_CONF_OK;
}

bool is_regex([[maybe_unused]] const ngx_http_core_loc_conf_t* core) {
#if (NGX_PCRE)
  return core->regex != nullptr;
#else
  return false;
#endif
}

// A path between slashes, the last of which may be left out.
ngx_str_t codes_prefix_of(ngx_conf_t* cf, const ngx_str_t& given) {
  ngx_str_t prefix{0, static_cast<u_char*>(ngx_pnalloc(cf->pool, given.len + 1))};
  if (prefix.data == nullptr) return prefix;
  ngx_memcpy(prefix.data, given.data, given.len);
  prefix.len = given.len;
  if (!view(given).ends_with('/')) prefix.data[prefix.len++] = '/';
  return prefix;
}

// Where the location holds paths beside the codes', all those would be 404.
bool holds_codes_alone(const ngx_http_core_loc_conf_t* core, std::string_view prefix) {
  if (core->named || is_regex(core)) return true;
  const std::string_view name = view(core->name);
  return name.starts_with(prefix) || name == prefix.substr(0, prefix.size() - 1);
}

// Whatever location of the server ends a request for a code, by error_page say, tells it: its hits need the prefix too.
char* make_prefix_the_servers(ngx_conf_t* cf, const ngx_str_t& prefix) {
  auto* server = static_cast<ngx_http_core_srv_conf_t*>(ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
  auto* outer = static_cast<LocConf*>(server->ctx->loc_conf[ngx_http_footfall_module.ctx_index]);
  if (outer->codes_prefix.data == nullptr) outer->codes_prefix = prefix;
  if (view(outer->codes_prefix) == view(prefix)) return NGX_CONF_OK;
  return refuse(cf, {"\"", view(prefix), "\" is a second prefix; right would be one in a server, here \"",
                     view(outer->codes_prefix), "\""});
}

}  // namespace

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
  ngx_http_core_loc_conf_t* const core = core_of(cf);
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
  if (char* outcome = answer_by(cf, core, answer_status); outcome != NGX_CONF_OK) return outcome;
  loc->status = status;
  core->auto_redirect = core->name.len != 0 && core->name.data[core->name.len - 1] == '/';  // `/footfall` leads there
  main_conf(cf)->shows_status = true;
  need_store(cf);
  return NGX_CONF_OK;
}

char* set_codes(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->answers_codes) return kDuplicate;
  const ngx_str_t prefix = codes_prefix_of(cf, arguments(cf)[1]);
  if (prefix.data == nullptr) return kConfError;
  if (!is_codes_prefix(view(prefix))) {
    return refuse(cf, {"\"", view(arguments(cf)[1]),
                       "\" is no prefix of codes; right would be a path such as /go/, without escapes and arguments"});
  }
  ngx_http_core_loc_conf_t* const core = core_of(cf);
  if (!holds_codes_alone(core, view(prefix))) {
    return refuse(cf, {"location \"", view(core->name), "\" does not lie at the prefix; right would be \"location ",
                       view(prefix), "\""});
  }
  if (char* outcome = answer_by(cf, core, answer_code); outcome != NGX_CONF_OK) return outcome;
  if (char* outcome = make_prefix_the_servers(cf, prefix); outcome != NGX_CONF_OK) return outcome;
  loc->answers_codes = true;
  main_conf(cf)->follows_config = true;
  need_store(cf);
  return NGX_CONF_OK;
}

char* set_ingest(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  if (loc->ingest != nullptr) return kDuplicate;
  const auto args = arguments(cf);
  if (args.size() == 2 && view(args[1]) != "remote") {
    return refuse(cf, {"unknown parameter \"", view(args[1]), "\"; right would be remote, or nothing"});
  }
  auto* ingest = static_cast<IngestConf*>(ngx_pcalloc(cf->pool, sizeof(IngestConf)));
  if (ingest == nullptr) return kConfError;
  ingest->remote = args.size() == 2;
  if (char* outcome = answer_by(cf, core_of(cf), answer_ingest); outcome != NGX_CONF_OK) return outcome;
  loc->ingest = ingest;
  main_conf(cf)->takes_events = main_conf(cf)->follows_config = true;
  need_store(cf);
  return NGX_CONF_OK;
}

}  // namespace footfall
