#include "aggregate/bookings.h"

#include <algorithm>

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

constexpr size_t kTextsUsual = 128;  // bytes of what a visit's rows are known by

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
  all.reserve(kTextsUsual);
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
    counters[Counter::page_time_ms] += next_view_ms - time_ms;
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

void Bookings::view_alone(const Site& site, int64_t time_ms, const Page& page, std::string_view term, const Origin& origin) {
  const auto add = [](Counters& counters) { counters[Counter::pageviews] += 1; };
  add(at(site, Dimension::total, time_ms, std::string_view()));
  each_touch_dimension(site, Touch(), time_ms, add);
  each_origin_dimension(site, origin, time_ms, add);
  add(at(site, Dimension::entry_page, time_ms, page));
  add(at(site, Dimension::exit_page, time_ms, page));
  each_page_dimension(site, time_ms, page, term, add);
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
