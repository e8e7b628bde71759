// Conversions: who gets the credit, and what customers brought after their first order.
#include <algorithm>
#include <iterator>
#include <optional>

#include "aggregate/bookings.h"
#include "credit/attribution.h"
#include "credit/cohort.h"

namespace footfall {
namespace {

// By which cohorts are told, of a customer's first touch.
using CohortDimension = TouchText;
constexpr CohortDimension kCohortDimensions[] = {
    {Dimension::cohort_channel, &Touch::channel},   {Dimension::cohort_source, &Touch::source},
    {Dimension::cohort_medium, &Touch::medium},     {Dimension::cohort_campaign, &Touch::campaign},
    {Dimension::cohort_code, &Touch::code},
};

__int128 square(int64_t value) { return static_cast<__int128>(value) * value; }

// Squares of absurd money may pass 128 bits; then the sum is wrong, and nothing else.
void add_wrapping(__int128& to, __int128 value) {
  to = static_cast<__int128>(static_cast<unsigned __int128>(to) + static_cast<unsigned __int128>(value));
}

static_assert(std::size(kTouchTexts) == kTouchDimensions.size() &&
              std::equal(std::begin(kTouchTexts), std::end(kTouchTexts), kTouchDimensions.begin(),
                         [](const TouchText& text, Dimension dimension) { return text.dimension == dimension; }));

// Those that touches have, each once.
std::vector<std::string_view> values_of(std::span<const Touch> touches, std::string Touch::*text) {
  std::vector<std::string_view> values;
  for (const Touch& touch : touches)
    if (std::find(values.begin(), values.end(), touch.*text) == values.end()) values.push_back(touch.*text);
  return values;
}

}  // namespace

void Bookings::add_credit(Counters& to, const Conversion& conversion, Model model, int64_t sign) {
  to[credited(Counter::conversions_last, model)] += sign * conversion.conversions;
  to[credited(Counter::orders_last, model)] += sign * conversion.orders;
  to[credited(Counter::items_last, model)] += sign * conversion.items;
  to[credited(Amount::revenue_last, model)] += sign * conversion.revenue_micros;
  if (conversion.refund_micros != 0) to[credited(Amount::refunds_last, model)] += sign * conversion.refund_micros;
}

void Bookings::add_whole(Counters& to, const Conversion& conversion) {
  for (const Model model : {Model::last, Model::last_non_direct, Model::first}) add_credit(to, conversion, model);
  to[Amount::goal_value] += conversion.goal_value_micros;
}

void Bookings::add_squares(Counters& to, const Conversion& order) {
  if (order.orders == 0) return;
  add_wrapping(to[Amount::revenue_squares_last], square(order.revenue_micros));
  to.see_revenue(order.revenue_micros);
}

void Bookings::add_shared_sums(Counters& to, const ByModel& parts, int sign) {
  const Conversion& last = parts[Model::last];
  const bool is_order = parts.has_order();
  for (const Model model : kAllModels) {
    const Conversion& part = parts[model];
    add_credit(to, part, model, sign);
    if (!gives_whole(model)) add_credit(to, last, model, -sign);
    if (!is_order) continue;
    add_wrapping(to[credited(Amount::revenue_squares_last, model)],
                 sign * (square(part.revenue_micros) - (model == Model::last ? 0 : square(last.revenue_micros))));
    if (!gives_whole(model)) to[order_squares(model)] += sign * (square(part.orders) - last.orders * kCreditWhole);
  }
}

void Bookings::add_shared(Counters& to, const ByModel& parts) {
  add_shared_sums(to, parts, 1);
  if (!parts.has_order()) return;
  for (const Model model : kAllModels) to.see_revenue(model, parts[model].revenue_micros);
}

void Bookings::credit(const Site& site, const Conversion& conversion, const Origin& origin,
                      std::span<const Touch> touches) {
  const auto add = [&](Counters& counters) {
    add_whole(counters, conversion);
    add_squares(counters, conversion);
  };
  add(at(site, Dimension::total, conversion.time_ms, std::string_view()));
  each_origin_dimension(site, origin, conversion.time_ms, add);
  const std::span<const Touch> own_journey = journey(touches, conversion.journey_ms, site.lookback_ms());
  credit_touches(site, conversion, own_journey);
  credit_by_lookbacks(site, conversion, touches, own_journey);
}

Bookings::Shared::Shared(const Conversion& whole, std::span<const Touch> touches) : journey(touches) {
  static const Touch kNoTouch;  // nothing is known of how the visitor came
  if (journey.empty()) journey = {&kNoTouch, 1};
  parts.resize(journey.size());
  std::vector<int64_t> revenue(journey.size()), refunds(journey.size());
  for (const Model model : kAllModels) {
    const Credits shares = credits_of(model, journey, whole.journey_ms);
    split_micros(whole.revenue_micros, shares, revenue);
    split_micros(whole.refund_micros, shares, refunds);
    for (size_t touch = 0; touch < journey.size(); ++touch) {
      const auto share = [&](int64_t millionths) { return millionths / kCreditWhole * shares[touch]; };
      parts[touch][model] = {.time_ms = whole.time_ms,
                             .orders = share(whole.orders),
                             .items = share(whole.items),
                             .conversions = share(whole.conversions),
                             .revenue_micros = revenue[touch],
                             .refund_micros = refunds[touch]};
    }
  }
}

Bookings::ByModel Bookings::Shared::of(std::string Touch::*text, std::string_view value) const {
  ByModel sum;
  for (size_t touch = 0; touch < journey.size(); ++touch)
    if (journey[touch].*text == value) sum.add(parts[touch]);
  return sum;
}

void Bookings::credit_touches(const Site& site, const Conversion& conversion, std::span<const Touch> journey) {
  if (journey.size() <= 1) {
    static const Touch kNoTouch;
    each_touch_dimension(site, journey.empty() ? kNoTouch : journey.front(), conversion.time_ms, [&](Counters& counters) {
      for (const Model model : {Model::last, Model::last_non_direct, Model::first}) add_credit(counters, conversion, model);
      add_squares(counters, conversion);
    });
    return;
  }
  const Shared shared(conversion, journey);
  for (const TouchText& of : kTouchTexts)
    for (const std::string_view value : values_of(journey, of.text))
      add_shared(at(site, of.dimension, conversion.time_ms, value), shared.of(of.text, value));
}

// Journeys of all lookbacks end with the conversion: those of as many touches are the same, and mostly all are.
void Bookings::credit_by_lookbacks(const Site& site, const Conversion& conversion, std::span<const Touch> touches,
                                   std::span<const Touch> own_journey) {
  std::optional<Shared> by_own;
  for (size_t lookback = 0; lookback < kLookbacks; ++lookback) {
    const std::span<const Touch> other = journey(touches, conversion.journey_ms, kLookbackDays[lookback] * kDayS * 1000);
    if (other.size() == own_journey.size()) continue;
    if (!by_own) by_own.emplace(conversion, own_journey);
    credit_difference(site, conversion, lookback, Shared(conversion, other), *by_own);
  }
}

// Nothing is booked where it makes no difference: by a dimension in which all touches are alike, say.
void Bookings::credit_difference(const Site& site, const Conversion& conversion, size_t lookback, const Shared& by_it,
                                 const Shared& by_own) {
  for (size_t of = 0; of < std::size(kTouchTexts); ++of) {
    const auto text = kTouchTexts[of].text;
    std::vector<std::string_view> values = values_of(by_it.journey, text);
    for (const std::string_view value : values_of(by_own.journey, text))
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    if (values.size() == 1) continue;
    for (const std::string_view value : values) {
      const ByModel now = by_it.of(text, value), own = by_own.of(text, value);
      if (now == own) continue;
      Counters& counters = at(site, by_lookback(of, lookback), conversion.time_ms, value);
      add_shared_sums(counters, now, 1);
      add_shared_sums(counters, own, -1);
      counters[Counter::journeys_converted] += conversion.conversions != 0;
    }
  }
}

void Bookings::order(const Site& site, const Order& order, const Origin& origin, std::span<const Touch> touches) {
  const int64_t one = order.is_change ? 0 : kCreditWhole;
  const Conversion conversion{.time_ms = order.time_ms,
                              .journey_ms = order.is_change ? order.order_ms : order.time_ms,
                              .orders = one,
                              .items = static_cast<int64_t>(order.items) * one,
                              .conversions = one,
                              .revenue_micros = order.has_rate ? order.value_micros : 0,
                              .refund_micros = order.has_rate ? order.refund_micros : 0};
  credit(site, conversion, origin, touches);
  add_whole(at(site, Dimension::event, order.time_ms, kOrderEventName), conversion);
  add_whole(at(site, Dimension::goal, order.time_ms, std::string_view()), conversion);
  items(site, Dimension::item, order.by_item, order, conversion);
  items(site, Dimension::item_category, order.by_category, order, conversion);
  add_whole(at(site, Dimension::coupon, order.time_ms, order.coupon), conversion);
  add_whole(at(site, Dimension::order_currency, order.time_ms, order.currency.text()), conversion);
  add_whole(at(site, Dimension::coverage, order.time_ms, order.coverage), conversion);
  if (!order.has_rate) {
    const Conversion apart{.orders = one, .revenue_micros = order.value_micros};
    add_whole(at(site, Dimension::currency, order.time_ms, order.currency.text()), apart);
  }
}

// Each item's own part of the order. What is left of the value (shipping, a discount below zero) is nobody's, and so are
// items without a name and an order that names none: rows of pieces and money add up to the order.
void Bookings::items(const Site& site, Dimension dimension, std::span<const ItemSum> sums, const Order& order,
                     const Conversion& whole) {
  Conversion left = whole;
  const auto is_nameless = [](const ItemSum& item) { return item.name.empty(); };
  if (!sums.empty() && std::none_of(sums.begin(), sums.end(), is_nameless)) left.orders = left.conversions = 0;
  for (const ItemSum& item : sums) {
    if (is_nameless(item)) continue;
    Conversion part = whole;
    const int64_t money_micros = order.has_rate ? item.value_micros : 0;
    part.items = order.is_change ? 0 : item.quantity * kCreditWhole;
    part.revenue_micros = order.is_change ? 0 : money_micros;
    part.refund_micros = order.is_change ? money_micros : 0;
    left.items -= part.items;
    left.revenue_micros -= part.revenue_micros;
    left.refund_micros -= part.refund_micros;
    add_whole(at(site, dimension, order.time_ms, item.name), part);
  }
  add_whole(at(site, dimension, order.time_ms, std::string_view()), left);
}

void Bookings::goal(const Site& site, const Goal& goal, const Origin& origin, std::span<const Touch> touches) {
  const Conversion conversion{
      .time_ms = goal.time_ms, .journey_ms = goal.time_ms, .conversions = kCreditWhole, .goal_value_micros = goal.value_micros};
  credit(site, conversion, origin, touches);
  add_whole(at(site, Dimension::event, goal.time_ms, goal.event), conversion);
  add_whole(at(site, Dimension::goal, goal.time_ms, goal.name), conversion);
  add_whole(at(site, Dimension::item, goal.time_ms, goal.item), conversion);
  for (const Dimension of_orders : {Dimension::item_category, Dimension::coupon, Dimension::order_currency, Dimension::coverage})
    add_whole(at(site, of_orders, goal.time_ms, std::string_view()), conversion);
}

void Bookings::customer_ordered(const Site& site, const Order& order, const Touch& first_touch, int64_t first_order_ms, bool is_new) {
  const auto add = [&](Dimension dimension, int64_t time_ms, std::string_view value) {
    Counters& counters = at(site, dimension, time_ms, cohort_text(cohort_age(order.time_ms - first_order_ms), value));
    counters[Counter::customers] += is_new;
    counters[Counter::orders_last] += kCreditWhole;
    counters[Amount::revenue_last] += order.has_rate ? order.value_micros : 0;
  };
  add(Dimension::cohort_month, first_order_ms, {});
  for (const CohortDimension& of : kCohortDimensions) add(of.dimension, first_touch.time_ms, first_touch.*of.text);
}

}  // namespace footfall
