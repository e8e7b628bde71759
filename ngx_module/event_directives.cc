// footfall_event and footfall_order.
#include "directive.h"

namespace footfall {
namespace {

constexpr unsigned kConditionBit = kEventFieldCount;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

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

}  // namespace

char* set_event(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* loc = static_cast<LocConf*>(conf);
  const ngx_str_t& name = arguments(cf)[1];
  if (!is_name(view(name), kEventNameBytesMax) || !is_letter(view(name).front())) {
    return refuse(
        cf, {"\"", view(name), "\" is no event name; right would be 1 to 64 of A-Z a-z 0-9 _ . -, a letter first"});
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

}  // namespace footfall
