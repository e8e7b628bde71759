#include "aggregate/bookings.h"

#include <algorithm>

#include "credit/attribution.h"
#include "credit/cohort.h"
#include "credit/journey_steps.h"
#include "rollup/visit_parts.h"
#include "site/match.h"

namespace footfall {
namespace {

std::string_view status_class(uint16_t status) {
  static constexpr std::string_view kNames[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status < 600 ? kNames[status / 100 - 1] : "other";
}

// Of the first group that holds the page; empty: none does.
std::string_view page_group(const Site& site, std::string_view page) {
  const std::vector<PageGroup>& groups = site.config.page_groups;
  const auto found = std::find_if(groups.begin(), groups.end(), [path = path_without_arguments(page)](const PageGroup& group) {
    return matches(group.path, path);
  });
  return found == groups.end() ? std::string_view() : std::string_view(found->name);
}

// Groups are known by names that no visit's hash is like: the high half is a small number.
constexpr uint64_t kOfHits = uint64_t{1} << 40, kOfLateOrigins = uint64_t{2} << 40,
                   kOfLateTouches = uint64_t{3} << 40, kOfJourneys = uint64_t{4} << 40, kOfStandingJourneys = uint64_t{5} << 40;

// The dimensions of a touch.
struct TouchText {
  Dimension dimension;
  std::string Touch::*text;
};
constexpr TouchText kTouchTexts[] = {
    {Dimension::channel, &Touch::channel},   {Dimension::source, &Touch::source},
    {Dimension::medium, &Touch::medium},     {Dimension::campaign, &Touch::campaign},
    {Dimension::referrer_host, &Touch::referrer_host}, {Dimension::content, &Touch::content_label},
    {Dimension::term, &Touch::term},         {Dimension::code, &Touch::code},
    {Dimension::referrer, &Touch::referrer},
};

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

std::string_view bot_name(BotClass bot) { return bot == BotClass::none ? std::string_view() : bot_class_name(bot); }

std::string ledger_text(const BotVerdict& bot) {
  if (bot.bot == BotClass::none) return {};
  return std::string(bot_class_name(bot.bot)).append(1, kLedgerGap).append(bot.reason);
}

}  // namespace

Hash128 Bookings::value_of(std::string_view text) const { return text.empty() ? kNullValue : hasher_(text); }

GroupRow Bookings::row(Dimension dimension, std::string_view text) const {
  return {dimension, value_of(text), std::string(text)};
}

void Bookings::set_horizons(const Horizons& horizons) {
  horizons_ = horizons;
  hours_ = {};
  last_time_ms_ = INT64_MIN;
}

Bookings::FinestBucket Bookings::find_bucket(const Site& site, int64_t time_ms) {
  const int64_t minute_s = minute_start_s(time_ms);
  if (changes_.import() == 0) return {minute_s, minute_s + 60, Level::minute};
  Hour& hour = hours_[static_cast<uint64_t>(minute_s) / 3600 % hours_.size()];
  if (minute_s < hour.start_s || minute_s >= hour.next_s || hour.site != site.number) {
    hour.site = site.number;
    hour.start_s = site.zone.bucket_start_s(Level::hour, minute_s);
    hour.next_s = site.zone.next_bucket_s(Level::hour, hour.start_s);
    hour.finest = find_bucket_of_import(site, hour.start_s);
  }
  return hour.finest;
}

// No minutes are kept of imports. Of an hour that is too old the day tells the same.
Bookings::FinestBucket Bookings::find_bucket_of_import(const Site& site, int64_t hour_s) const {
  FinestBucket bucket;
  for (const Level level : {Level::hour, Level::day, Level::month}) {
    bucket = {site.zone.bucket_start_s(level, hour_s), 0, level};
    bucket.next_s = site.zone.next_bucket_s(level, bucket.start_s);
    if (!horizons_.is_too_old(level, bucket.next_s)) break;
  }
  return bucket;
}

Counters& Bookings::at(const Site& site, Dimension dimension, int64_t time_ms, std::string_view text) {
  return at(site, dimension, time_ms, Page{text, value_of(text)});
}

Counters& Bookings::at(const Site& site, Dimension dimension, int64_t time_ms, const Page& page) {
  return changes_.at(site.number, dimension, bucket(site, time_ms), page.value, page.path);
}

const RowGroup& Bookings::hit_rows(const Hit& hit, const BotVerdict& bot, Device device) {
  static_assert(kBotClasses <= 16 && static_cast<unsigned>(Device::bot) < 16);
  const Hash128 name{kOfHits | uint64_t{hit.status} << 24 | uint64_t{bot.number} << 8 |
                         static_cast<uint64_t>(device) << 4 | static_cast<uint64_t>(bot.bot),
                     value_of(hit.country).low};
  return changes_.group(name, [&] {
    return RowGroup{row(Dimension::total, {}),
                    row(Dimension::status_class, status_class(hit.status)),
                    row(Dimension::http_status, std::to_string(hit.status)),
                    row(Dimension::country, hit.country),
                    row(Dimension::device, device_name(device)),
                    row(Dimension::bot_class, bot_name(bot.bot)),
                    row(Dimension::ledger, ledger_text(bot))};
  });
}

const RowGroup& Bookings::rows_of(OpenVisit& visit) {
  if (visit.rows_of == changes_.groups_number()) return *visit.rows;
  const Touch& touch = visit.first_touch;
  std::string all;
  BytesWriter(all)
      .text16(touch.channel)
      .text16(touch.source)
      .text16(touch.medium)
      .text16(touch.campaign)
      .text16(touch.referrer_host)
      .text16(visit.country)
      .u8(static_cast<uint8_t>(visit.device));
  visit.rows = &changes_.group(hasher_(all), [&] {
    return RowGroup{row(Dimension::total, {}),
                    row(Dimension::channel, touch.channel),
                    row(Dimension::source, touch.source),
                    row(Dimension::medium, touch.medium),
                    row(Dimension::campaign, touch.campaign),
                    row(Dimension::referrer_host, touch.referrer_host),
                    row(Dimension::country, visit.country),
                    row(Dimension::device, device_name(visit.device))};
  });
  visit.rows_of = changes_.groups_number();
  return *visit.rows;
}

const RowGroup& Bookings::late_origin_rows(const Visit& visit) {
  const Hash128 name{kOfLateOrigins | static_cast<uint64_t>(visit.browser) << 16 |
                         static_cast<uint64_t>(visit.system) << 8 | static_cast<uint64_t>(visit.new_returning),
                     0};
  return changes_.group(name, [&] {
    return RowGroup{row(Dimension::browser, browser_name(visit.browser)),
                    row(Dimension::system, system_name(visit.system)),
                    row(Dimension::new_returning, new_returning_name(visit.new_returning))};
  });
}

// Nearly all touches have none of the three. The texts that the others' name is of are fewer than those of rows_of, each
// with its length: no name is one of those.
const RowGroup& Bookings::late_touch_rows(const Visit& visit) {
  const Touch& touch = visit.first_touch;
  Hash128 name{kOfLateTouches, 0};
  if (!touch.content_label.empty() || !touch.term.empty() || !touch.code.empty()) {
    std::string all;
    BytesWriter(all).text16(touch.content_label).text16(touch.term).text16(touch.code);
    name = hasher_(all);
  }
  return changes_.group(name, [&] {
    return RowGroup{row(Dimension::content, touch.content_label), row(Dimension::term, touch.term),
                    row(Dimension::code, touch.code)};
  });
}

template <class Change>
void Bookings::each_touch_dimension(const Site& site, const Touch& touch, int64_t time_ms, Change change) {
  for (const TouchText& of : kTouchTexts) change(at(site, of.dimension, time_ms, touch.*of.text));
}

template <class Change>
void Bookings::each_origin_dimension(const Site& site, const Origin& origin, int64_t time_ms, Change change) {
  change(at(site, Dimension::country, time_ms, origin.country));
  change(at(site, Dimension::device, time_ms, device_name(origin.device)));
  change(at(site, Dimension::browser, time_ms, browser_name(origin.browser)));
  change(at(site, Dimension::system, time_ms, system_name(origin.system)));
  change(at(site, Dimension::new_returning, time_ms, new_returning_name(origin.new_returning)));
}

template <class Change>
void Bookings::each_page_dimension(const Site& site, int64_t time_ms, const Page& page, std::string_view term,
                                   Change change) {
  change(at(site, Dimension::page, time_ms, page));
  change(at(site, Dimension::search_term, time_ms, term));
  if (!site.config.page_groups.empty()) change(at(site, Dimension::page_group, time_ms, page_group(site, page.path)));
}

void Bookings::hit(const Site& site, const Hit& hit, const Page& page, const BotVerdict& bot, Device device) {
  const auto add = [&](Counters& counters) {
    counters[Counter::hits] += 1;
    counters[Counter::bytes] += static_cast<int64_t>(hit.bytes_sent);
    counters[Counter::errors_4xx] += hit.status >= 400 && hit.status < 500;
    counters[Counter::errors_5xx] += hit.status >= 500 && hit.status < 600;
    counters[Counter::bot_hits] += bot.bot != BotClass::none;
    if ((hit.flags & kHitTimeUnknown) == 0) counters.took_ms.need().add(hit.request_time_ms);
  };
  add(changes_.at(site.number, bucket(site, hit.time_ms), hit_rows(hit, bot, device)));
  add(at(site, Dimension::page, hit.time_ms, page));
}

void Bookings::count(const Site& site, int64_t time_ms, Counter counter) {
  at(site, Dimension::total, time_ms, std::string_view())[counter] += 1;
}

void Bookings::visit_began(const Site& site, OpenVisit& visit) {
  Counters& counters = visit_rows(site, visit, visit.start_ms);
  add_figures(counters, visit.figures());
  counters.visitors.add(visit.distinct_visitor);
}

void Bookings::figures_changed(const Site& site, OpenVisit& visit, const VisitFigures& before) {
  change_figures(site, visit, before, visit.has_page());
}

void Bookings::change_figures(const Site& site, OpenVisit& visit, const VisitFigures& before, bool with_entry_page) {
  const VisitFigures change = visit.figures() - before;
  if (change == VisitFigures{}) return;
  add_figures(visit_rows(site, visit, visit.start_ms), change);
  if (with_entry_page) add_figures(at(site, Dimension::entry_page, visit.start_ms, visit.entry_page), change);
  if (change.bounces == 0) return;
  each_page_dimension(site, visit.start_ms, page_of(visit.entry_page), visit.entry_term,
                      [&](Counters& counters) { counters[Counter::bounces] += change.bounces; });
}

void Bookings::exit_passed(const Site& site, OpenVisit& visit, int64_t next_view_ms) {
  const int64_t time_ms = visit.exit_ms;
  const auto change = [&](Counters& counters) {
    counters[Counter::exits] -= 1;
    counters[Counter::pages_left] += 1;
    counters[Counter::page_time_ms] += page_time_ms(time_ms, next_view_ms);
  };
  change(visit_rows(site, visit, time_ms));
  change(at(site, Dimension::entry_page, time_ms, visit.entry_page));
  each_page_dimension(site, time_ms, page_of(visit.exit_page), visit.exit_term, change);
}

void Bookings::page_view(const Site& site, OpenVisit& visit, const VisitFigures& before, const View& view) {
  const auto add = [&](Counters& counters) {
    counters[Counter::pageviews] += 1;
    counters[Counter::entries] += view.is_entry;
    counters[Counter::exits] += view.is_exit;
  };
  add(visit_rows(site, visit, view.time_ms));
  if (!view.is_entry) add(at(site, Dimension::entry_page, view.time_ms, visit.entry_page));
  each_page_dimension(site, view.time_ms, view.page, view.search_term, add);
  if (view.first_of_page) at(site, Dimension::page, visit.start_ms, view.page)[Counter::visits] += 1;
  change_figures(site, visit, before, !view.is_entry);
  // From its first page on, the visit has an entry page, with all that it brought before.
  if (view.is_entry) whole_visit(site, visit, Dimension::entry_page, visit.entry_page);
}

void Bookings::event(const Site& site, OpenVisit& visit, const VisitFigures& before, int64_t time_ms,
                     const Event& event) {
  const auto add = [](Counters& counters) { counters[Counter::events] += 1; };
  add(visit_rows(site, visit, time_ms));
  if (visit.has_page()) add(at(site, Dimension::entry_page, time_ms, visit.entry_page));
  add(at(site, Dimension::event, time_ms, event.name));
  add(at(site, Dimension::item, time_ms, event.item));
  figures_changed(site, visit, before);
}

void Bookings::event_alone(const Site& site, int64_t time_ms, const Event& event, const Origin& origin) {
  const auto add = [](Counters& counters) { counters[Counter::events] += 1; };
  add(at(site, Dimension::total, time_ms, std::string_view()));
  each_touch_dimension(site, Touch(), time_ms, add);
  each_origin_dimension(site, origin, time_ms, add);
  add(at(site, Dimension::entry_page, time_ms, std::string_view()));
  add(at(site, Dimension::exit_page, time_ms, std::string_view()));
  add(at(site, Dimension::event, time_ms, event.name));
  add(at(site, Dimension::item, time_ms, event.item));
}

void Bookings::whole_visit(const Site& site, const Visit& visit, Dimension dimension, std::string_view page) {
  const Hash128 value = value_of(page);
  for (const VisitPart& part : parts_of(site, visit, 1))
    add_part(visit, part, 1, changes_.at(site.number, dimension, part.bucket, value, page));
}

// Nobody can be taken out of a distinct count.
void Bookings::add_part(const Visit& visit, const VisitPart& part, int sign, Counters& to) {
  to.merge_sums(part.counters);
  if (sign > 0 && &part == parts_.data()) to.visitors.add(visit.distinct_visitor);
}

std::span<const Bookings::VisitPart> Bookings::parts_of(const Site& site, const Visit& visit, int sign) {
  parts_.clear();
  add_visit(visit, sign, [&](int64_t minute_s) -> Counters& {
    const BucketTime at = bucket(site, minute_s * 1000);
    const auto found = std::find_if(parts_.rbegin(), parts_.rend(),
                                    [&at](const VisitPart& part) { return part.bucket.start_s == at.start_s; });
    return found != parts_.rend() ? found->counters : parts_.emplace_back(VisitPart{at, {}}).counters;
  });
  return parts_;
}

// Added up by bucket first: it goes to three places or four.
void Bookings::until_closed(const Site& site, const Visit& visit, int sign) {
  const RowGroup& origin = late_origin_rows(visit);
  const RowGroup& touch = late_touch_rows(visit);
  const std::string_view referrer_text = visit.first_touch.referrer;
  const Page referrer = page_of(referrer_text), exit_page = page_of(visit.exit_page);
  for (const VisitPart& part : parts_of(site, visit, sign)) {
    const auto add = [&](Counters& to) { add_part(visit, part, sign, to); };
    add(changes_.at(site.number, part.bucket, origin));
    add(changes_.at(site.number, part.bucket, touch));
    add(changes_.at(site.number, Dimension::referrer, part.bucket, referrer.value, referrer.path));
    add(changes_.at(site.number, Dimension::exit_page, part.bucket, exit_page.value, exit_page.path));
    if (!visit.has_page()) add(changes_.at(site.number, Dimension::entry_page, part.bucket, kNullValue));
  }
}

void Bookings::visit_closed(const Site& site, const Visit& visit) { until_closed(site, visit, 1); }

void Bookings::visit_reopened(const Site& site, const Visit& visit) { until_closed(site, visit, -1); }

void Bookings::visit_carried(const Site& site, const Visit& visit, int sign) {
  OpenVisit open{visit};
  const auto each_dimension = [&](int64_t time_ms, auto change) {
    change(visit_rows(site, open, time_ms));
    change(changes_.at(site.number, bucket(site, time_ms), late_origin_rows(visit)));
    change(changes_.at(site.number, bucket(site, time_ms), late_touch_rows(visit)));
    change(at(site, Dimension::referrer, time_ms, visit.first_touch.referrer));
    change(at(site, Dimension::entry_page, time_ms, visit.entry_page));
    change(at(site, Dimension::exit_page, time_ms, visit.exit_page));
  };
  const VisitFigures figures = sign > 0 ? visit.figures() : VisitFigures{} - visit.figures();
  each_dimension(visit.start_ms, [&](Counters& counters) {
    add_figures(counters, figures);
    if (sign > 0) counters.visitors.add(visit.distinct_visitor);
  });
  if (!visit.has_page()) return;
  const auto entry = [&](Counters& counters) { counters[Counter::entries] += sign; };
  const auto exit = [&](Counters& counters) { counters[Counter::exits] += sign; };
  each_dimension(visit.entry_ms, entry);
  each_dimension(visit.exit_ms, exit);
  each_page_dimension(site, visit.entry_ms, page_of(visit.entry_page), visit.entry_term, entry);
  each_page_dimension(site, visit.exit_ms, page_of(visit.exit_page), visit.exit_term, exit);
  each_page_dimension(site, visit.start_ms, page_of(visit.entry_page), visit.entry_term,
                      [&](Counters& counters) { counters[Counter::bounces] += figures.bounces; });
}

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

void Bookings::add_shared(Counters& to, const ByModel& parts) {
  const Conversion& last = parts[Model::last];
  const bool is_order = std::any_of(kAllModels.begin(), kAllModels.end(), [&](Model model) { return parts[model].orders != 0; });
  for (const Model model : kAllModels) {
    const Conversion& part = parts[model];
    add_credit(to, part, model);
    if (!gives_whole(model)) add_credit(to, last, model, -1);
    if (!is_order) continue;
    add_wrapping(to[credited(Amount::revenue_squares_last, model)],
                 square(part.revenue_micros) - (model == Model::last ? 0 : square(last.revenue_micros)));
    if (!gives_whole(model)) to[order_squares(model)] += square(part.orders) - last.orders * kCreditWhole;
    to.see_revenue(model, part.revenue_micros);
  }
}

void Bookings::credit(const Site& site, const Conversion& conversion, const Origin& origin,
                      std::span<const Touch> journey) {
  const auto add = [&](Counters& counters) {
    add_whole(counters, conversion);
    add_squares(counters, conversion);
  };
  add(at(site, Dimension::total, conversion.time_ms, std::string_view()));
  each_origin_dimension(site, origin, conversion.time_ms, add);
  credit_touches(site, conversion, journey);
}

// What each touch of the journey gets, by model.
std::vector<Bookings::ByModel> Bookings::parts_by_touch(const Conversion& whole, std::span<const Touch> journey) {
  std::vector<ByModel> parts(journey.size());
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
  return parts;
}

void Bookings::credit_touches(const Site& site, const Conversion& conversion, std::span<const Touch> journey) {
  static const Touch kNoTouch;  // nothing is known of how the visitor came
  if (journey.size() <= 1) {
    each_touch_dimension(site, journey.empty() ? kNoTouch : journey.front(), conversion.time_ms, [&](Counters& counters) {
      for (const Model model : {Model::last, Model::last_non_direct, Model::first}) add_credit(counters, conversion, model);
      add_squares(counters, conversion);
    });
    return;
  }
  std::vector<ByModel> parts = parts_by_touch(conversion, journey);
  for (const TouchText& of : kTouchTexts) {
    for (size_t touch = 0; touch < journey.size(); ++touch) {
      const std::string& text = journey[touch].*of.text;
      const auto has_text = [&](const Touch& other) { return other.*of.text == text; };
      if (std::any_of(journey.begin(), journey.begin() + static_cast<ptrdiff_t>(touch), has_text)) continue;
      ByModel sum = parts[touch];
      for (size_t other = touch + 1; other < journey.size(); ++other)
        if (has_text(journey[other])) sum.add(parts[other]);
      add_shared(at(site, of.dimension, conversion.time_ms, text), sum);
    }
  }
}

void Bookings::order(const Site& site, const Order& order, const Origin& origin, std::span<const Touch> journey) {
  const int64_t one = order.is_change ? 0 : kCreditWhole;
  const Conversion conversion{.time_ms = order.time_ms,
                              .journey_ms = order.is_change ? order.order_ms : order.time_ms,
                              .orders = one,
                              .items = static_cast<int64_t>(order.items) * one,
                              .conversions = one,
                              .revenue_micros = order.has_rate ? order.value_micros : 0,
                              .refund_micros = order.has_rate ? order.refund_micros : 0};
  credit(site, conversion, origin, journey);
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

void Bookings::goal(const Site& site, const Goal& goal, const Origin& origin, std::span<const Touch> journey) {
  const Conversion conversion{
      .time_ms = goal.time_ms, .journey_ms = goal.time_ms, .conversions = kCreditWhole, .goal_value_micros = goal.value_micros};
  credit(site, conversion, origin, journey);
  add_whole(at(site, Dimension::event, goal.time_ms, goal.event), conversion);
  add_whole(at(site, Dimension::goal, goal.time_ms, goal.name), conversion);
  add_whole(at(site, Dimension::item, goal.time_ms, goal.item), conversion);
  for (const Dimension of_orders : {Dimension::item_category, Dimension::coupon, Dimension::order_currency, Dimension::coverage})
    add_whole(at(site, of_orders, goal.time_ms, std::string_view()), conversion);
}

void Bookings::journey_begins(const Site& site, const Touch& touch) {
  const auto step_of = [&](Dimension dimension, std::string_view value) {
    return row(dimension, with_lookbacks(kAllLookbacks, journey_steps({&value, 1}, false).front()));
  };
  const RowGroup& rows = changes_.group({kOfJourneys, value_of(touch.channel).low}, [&] {
    return RowGroup{step_of(Dimension::journey_channel, touch.channel), step_of(Dimension::journey_campaign, {})};
  });
  Counters& counters = changes_.at(site.number, bucket(site, touch.time_ms), rows);
  counters[Counter::journeys_standing] += 1;
  counters[Counter::journeys_last_touched] += 1;
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

void Bookings::step_stands(const Site& site, Dimension dimension, std::string_view step, int64_t now_ms, int64_t last_touch_ms, int sign) {
  const Page value = page_of(step);
  Counters& now = at(site, dimension, now_ms, value);
  now[Counter::journeys_standing] += sign;
  Counters& then = now_ms == last_touch_ms ? now : at(site, dimension, last_touch_ms, value);
  then[Counter::journeys_last_touched] += sign;
}

Hash128 Bookings::name_of_journey(const Hash128& values, uint8_t lookbacks) {
  return {kOfStandingJourneys | lookbacks, values.low};
}

void Bookings::journey_stands(const Site& site, const RowGroup& rows, int64_t now_ms, int64_t last_touch_ms, int sign) {
  Counters& now = changes_.at(site.number, bucket(site, now_ms), rows);
  now[Counter::journeys_standing] += sign;
  Counters& then = now_ms == last_touch_ms ? now : changes_.at(site.number, bucket(site, last_touch_ms), rows);
  then[Counter::journeys_last_touched] += sign;
}

void Bookings::journey_converted(const Site& site, Dimension dimension, std::string_view step, int64_t time_ms) {
  at(site, dimension, time_ms, step)[Counter::journeys_converted] += 1;
}

void Bookings::spend(const Site& site, int64_t day_ms, const SpendBooking& spend, int sign) {
  const int64_t apart_micros = spend.has_rate ? 0 : spend.cost_micros;
  if (apart_micros != 0) at(site, Dimension::currency, day_ms, spend.currency.text())[Amount::cost] += sign * apart_micros;
  if (spend.cost_micros == apart_micros && spend.clicks == 0 && spend.impressions == 0) return;
  const auto add = [&](Counters& counters) {
    if (spend.has_rate) counters[Amount::cost] += sign * spend.cost_micros;
    counters[Counter::clicks] += sign * spend.clicks;
    counters[Counter::impressions] += sign * spend.impressions;
  };
  add(at(site, Dimension::total, day_ms, std::string_view()));
  const SpendKey& rows = spend.rows;
  add(at(site, Dimension::channel, day_ms, rows.channel));
  add(at(site, Dimension::source, day_ms, rows.source));
  add(at(site, Dimension::medium, day_ms, rows.medium));
  add(at(site, Dimension::campaign, day_ms, rows.campaign));
  add(at(site, Dimension::content, day_ms, rows.content));
  add(at(site, Dimension::term, day_ms, rows.term));
  add(at(site, Dimension::code, day_ms, rows.code));
}

}  // namespace footfall
