#include "hit/rules.h"

#include <algorithm>

#include "base/limits.h"
#include "hit/event_fields.h"
#include "hit/url.h"
#include "site/match.h"

namespace footfall {
namespace {

std::string_view read_argument(std::string_view query, const std::string& name, TextArena& arena) {
  return name.empty() ? std::string_view() : find_argument(query, name, arena);
}

// As it was sent: the parts of items have escapes of their own, which the list's reader undoes.
std::string_view raw_argument(std::string_view query, const std::string& name) {
  for (QueryReader reader(query); !name.empty() && reader.next();)
    if (ArgumentName(reader.raw_name()) == std::string_view(name) && !reader.raw_value().empty())
      return reader.raw_value();
  return {};
}

void read_event(const EventRule& rule, std::string_view query, EventRoom& room) {
  EventFields fields;
  fields.name = rule.name;
  if (!room.events.full()) {
    fields.item = read_argument(query, rule.item_argument, room.arena);
    fields.value = read_argument(query, rule.value_argument, room.arena);
    fields.currency = read_argument(query, rule.currency_argument, room.arena);
  }
  take_event(fields, room);
}

void read_order(const OrderPage& page, std::string_view query, EventRoom& room) {
  EventFields fields;
  fields.name = kOrderEventName;
  fields.source = ItemsSource::directive;
  fields.id = read_argument(query, page.id_argument, room.arena);
  fields.value = read_argument(query, page.value_argument, room.arena);
  if (fields.id.empty() && fields.value.empty()) return;
  fields.currency = read_argument(query, page.currency_argument, room.arena);
  fields.coupon = read_argument(query, page.coupon_argument, room.arena);
  fields.customer = read_argument(query, page.customer_argument, room.arena);
  fields.items = raw_argument(query, page.items_argument);
  take_event(fields, room);
}

}  // namespace

void read_rules(const SiteConfig& site, std::string_view query, const Hit& hit, EventRoom& room) {
  if (site.events.empty() && !site.order_page) return;
  if (hit.status >= 400 || hit.method == Method::head) return;
  const std::string_view path = path_without_arguments(hit.path);
  // The order first: a hit that is too large loses its last events.
  const bool is_told = std::any_of(hit.events.begin(), hit.events.end(), [](const Event& e) { return e.is_order(); });
  if (site.order_page && !is_told && matches(site.order_page->path, path)) read_order(*site.order_page, query, room);
  for (const EventRule& rule : site.events)
    if (matches(rule.path, path)) read_event(rule, query, room);
}

}  // namespace footfall
