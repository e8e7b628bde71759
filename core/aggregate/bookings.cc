#include "aggregate/bookings.h"

#include "rollup/visit_parts.h"

namespace footfall {
namespace {

std::string_view status_class(uint16_t status) {
  static constexpr std::string_view kNames[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status < 600 ? kNames[status / 100 - 1] : "other";
}

}  // namespace

Hash128 Bookings::name(int64_t time_ms, std::string_view text) {
  if (text.empty()) return kNullValue;
  const Hash128 value = hasher_(text);
  changes_.name(month_number(time_ms / 1000), value, text);
  return value;
}

Counters& Bookings::at(uint16_t site, Dimension dimension, int64_t time_ms, std::string_view text) {
  const Hash128 value = name(time_ms, text);
  // No minutes are kept of imports: their deltas go by quarters of an hour, which every zone's hours are made of.
  constexpr int64_t kQuarterS = 900;
  const int64_t minute_s = minute_start_s(time_ms);
  const int64_t start_s = changes_.import() == 0 ? minute_s : minute_s - ((minute_s % kQuarterS) + kQuarterS) % kQuarterS;
  return changes_.at(site, dimension, start_s, value);
}

template <class Change>
void Bookings::each_touch_dimension(uint16_t site, const Touch& touch, int64_t time_ms, Change change) {
  change(at(site, Dimension::channel, time_ms, touch.channel));
  change(at(site, Dimension::source, time_ms, touch.source));
  change(at(site, Dimension::medium, time_ms, touch.medium));
  change(at(site, Dimension::campaign, time_ms, touch.campaign));
  change(at(site, Dimension::referrer_host, time_ms, touch.referrer_host));
}

template <class Change>
void Bookings::each_origin_dimension(uint16_t site, const Origin& origin, int64_t time_ms, Change change) {
  change(at(site, Dimension::country, time_ms, origin.country));
  change(at(site, Dimension::device, time_ms, device_name(origin.device)));
}

template <class Change>
void Bookings::each_visit_dimension(uint16_t site, const Visit& visit, int64_t time_ms, Change change) {
  change(at(site, Dimension::total, time_ms, {}));
  each_touch_dimension(site, visit.first_touch, time_ms, change);
  each_origin_dimension(site, origin_of(visit), time_ms, change);
  if (visit.has_page()) change(at(site, Dimension::entry_page, time_ms, visit.entry_page));
}

void Bookings::hit(uint16_t site, const Hit& hit, BotClass bot, Device device) {
  const bool is_bot = bot != BotClass::none;
  const auto add = [&](Counters& counters) {
    counters[Counter::hits] += 1;
    counters[Counter::bytes] += static_cast<int64_t>(hit.bytes_sent);
    counters[Counter::errors_4xx] += hit.status >= 400 && hit.status < 500;
    counters[Counter::errors_5xx] += hit.status >= 500 && hit.status < 600;
    counters[Counter::bot_hits] += is_bot;
  };
  add(at(site, Dimension::total, hit.time_ms, {}));
  add(at(site, Dimension::page, hit.time_ms, hit.path));
  add(at(site, Dimension::status_class, hit.time_ms, status_class(hit.status)));
  each_origin_dimension(site, {hit.country, device}, hit.time_ms, add);
  add(at(site, Dimension::bot_class, hit.time_ms, is_bot ? bot_class_name(bot) : std::string_view()));
}

void Bookings::count(uint16_t site, int64_t time_ms, Counter counter) {
  at(site, Dimension::total, time_ms, {})[counter] += 1;
}

void Bookings::visit_began(uint16_t site, const Visit& visit) {
  const VisitFigures figures = visit.figures();
  each_visit_dimension(site, visit, visit.start_ms, [&](Counters& counters) {
    add_figures(counters, figures);
    counters.visitors.add(visit.distinct_visitor);
  });
}

void Bookings::figures_changed(uint16_t site, const Visit& before, const Visit& after) {
  const VisitFigures change = after.figures() - before.figures();
  if (change == VisitFigures{}) return;
  each_visit_dimension(site, before, after.start_ms, [&](Counters& counters) { add_figures(counters, change); });
  if (change.bounces == 0) return;
  at(site, Dimension::page, after.start_ms, after.entry_page)[Counter::bounces] += change.bounces;
  at(site, Dimension::search_term, after.start_ms, after.entry_term)[Counter::bounces] += change.bounces;
}

void Bookings::page_view(uint16_t site, const Visit& before, const Visit& after, const Hit& hit,
                         bool first_view_of_page) {
  const int64_t time_ms = hit.time_ms;
  const bool is_entry = !before.has_page();
  const bool is_exit = !before.has_page() || time_ms >= before.exit_ms;  // a late view is not the last one
  const auto view = [&](Counters& counters) {
    counters[Counter::pageviews] += 1;
    counters[Counter::entries] += is_entry;
    counters[Counter::exits] += is_exit;
  };
  const auto no_exit = [](Counters& counters) { counters[Counter::exits] -= 1; };

  each_visit_dimension(site, before, time_ms, view);
  view(at(site, Dimension::page, time_ms, hit.path));
  view(at(site, Dimension::search_term, time_ms, hit.search_term));
  if (!is_entry && is_exit) {
    each_visit_dimension(site, before, before.exit_ms, no_exit);
    no_exit(at(site, Dimension::page, before.exit_ms, before.exit_page));
    no_exit(at(site, Dimension::search_term, before.exit_ms, before.exit_term));
  }
  if (first_view_of_page) at(site, Dimension::page, after.start_ms, hit.path)[Counter::visits] += 1;
  figures_changed(site, before, after);
  // From its first page on, the visit has an entry page, with all that it brought before.
  if (is_entry) whole_visit(site, after, Dimension::entry_page, after.entry_page);
}

void Bookings::event(uint16_t site, const Visit& before, const Visit& after, int64_t time_ms, const Event& event) {
  const auto add = [](Counters& counters) { counters[Counter::events] += 1; };
  each_visit_dimension(site, before, time_ms, add);
  add(at(site, Dimension::event, time_ms, event.name));
  add(at(site, Dimension::item, time_ms, event.item));
  figures_changed(site, before, after);
}

void Bookings::whole_visit(uint16_t site, const Visit& visit, Dimension dimension, std::string_view page) {
  each_part_of_visit(
      visit, [&](int64_t minute_s, const Counters& part) { at(site, dimension, minute_s * 1000, page).merge(part); });
}

void Bookings::visit_closed(uint16_t site, const Visit& visit) {
  whole_visit(site, visit, Dimension::exit_page, visit.exit_page);
  if (!visit.has_page()) whole_visit(site, visit, Dimension::entry_page, {});
}

void Bookings::add_credit(Counters& to, const Conversion& conversion, Model model) {
  to[credited(Counter::conversions_last, model)] += conversion.conversions;
  to[credited(Counter::orders_last, model)] += conversion.orders;
  to[credited(Counter::items_last, model)] += conversion.items;
  to[credited(Amount::revenue_last, model)] += conversion.revenue_micros;
}

void Bookings::add_whole(Counters& to, const Conversion& conversion) {
  for (Model model : kAllModels) add_credit(to, conversion, model);
  to[Amount::goal_value] += conversion.goal_value_micros;
}

void Bookings::credit(uint16_t site, const Conversion& conversion, const Origin& origin,
                      std::span<const Touch> journey) {
  const auto add = [&](Counters& counters) { add_whole(counters, conversion); };
  add(at(site, Dimension::total, conversion.time_ms, {}));
  each_origin_dimension(site, origin, conversion.time_ms, add);
  for (Model model : kAllModels) {
    const Touch* touch = credited_touch(model, journey);
    static const Touch kNoTouch;  // nothing is known of how the visitor came
    each_touch_dimension(site, touch != nullptr ? *touch : kNoTouch, conversion.time_ms,
                         [&](Counters& counters) { add_credit(counters, conversion, model); });
  }
}

void Bookings::order(uint16_t site, const Order& order, const Origin& origin, std::span<const Touch> journey) {
  const Conversion conversion{.time_ms = order.time_ms,
                              .orders = kCreditWhole,
                              .items = static_cast<int64_t>(order.items) * kCreditWhole,
                              .conversions = kCreditWhole,
                              .revenue_micros = order.has_rate ? order.value_micros : 0};
  credit(site, conversion, origin, journey);
  add_whole(at(site, Dimension::event, order.time_ms, "purchase"), conversion);
  add_whole(at(site, Dimension::goal, order.time_ms, {}), conversion);
  items(site, order, conversion);
  if (!order.has_rate) {
    const Conversion apart{.orders = kCreditWhole, .revenue_micros = order.value_micros};
    add_whole(at(site, Dimension::currency, order.time_ms, order.currency.text()), apart);
  }
}

// Each item's own part of the order. What is left of the value (shipping, a discount below zero) is nobody's, and so is
// an order that names no items: rows of pieces and money add up to the order.
void Bookings::items(uint16_t site, const Order& order, const Conversion& whole) {
  Conversion left = whole;
  if (!order.by_item.empty()) left.orders = left.conversions = 0;
  for (const ItemSum& item : order.by_item) {
    Conversion part = whole;
    part.items = item.quantity * kCreditWhole;
    part.revenue_micros = order.has_rate ? item.value_micros : 0;
    left.items -= part.items;
    left.revenue_micros -= part.revenue_micros;
    add_whole(at(site, Dimension::item, order.time_ms, item.id), part);
  }
  add_whole(at(site, Dimension::item, order.time_ms, {}), left);
}

void Bookings::goal(uint16_t site, const Goal& goal, const Origin& origin, std::span<const Touch> journey) {
  const Conversion conversion{
      .time_ms = goal.time_ms, .conversions = kCreditWhole, .goal_value_micros = goal.value_micros};
  credit(site, conversion, origin, journey);
  add_whole(at(site, Dimension::event, goal.time_ms, goal.event), conversion);
  add_whole(at(site, Dimension::goal, goal.time_ms, goal.name), conversion);
  add_whole(at(site, Dimension::item, goal.time_ms, goal.item), conversion);
}

}  // namespace footfall
