#include "aggregate/engine.h"

#include <algorithm>

#include "aggregate/keeping.h"
#include "base/clock.h"
#include "hit/lists.h"
#include "site/match.h"

namespace footfall {
namespace {

constexpr size_t kKnownAgentsMax = 100'000;
constexpr size_t kImportClocksMax = 1'000;
constexpr uint32_t kViewsOfPeopleMax = 300;  // more in a visit, at over one a second, are a bot's

std::string_view without_arguments(std::string_view path) { return path.substr(0, path.find('?')); }

bool is_robots_txt(std::string_view path) {
  constexpr std::string_view kName = "/robots.txt";
  return path.starts_with(kName) && (path.size() == kName.size() || path[kName.size()] == '?');
}

// Errors and redirects make none inside a visit, but for those of codes.
bool may_make_touch(const Hit& hit) { return hit.status < 300 || hit.status == 304 || is_code_redirect(hit); }

// What is known of how a buyer came first.
constexpr std::string_view kKnown = "known", kDirect = "direct", kCookieless = "cookieless", kNoVisitor = "no_visitor";

std::string_view coverage(std::span<const Touch> touches, bool is_identified) {
  if (!touches.empty() && !touches.front().is_direct()) return kKnown;
  return is_identified ? kDirect : kCookieless;  // a key of one day: whatever came before is not known
}

// Told by the back office by itself, of an order: whoever is named did not come for it.
bool is_of_the_office(const Hit& hit) {
  return (hit.flags & kHitEventOnly) != 0 && !hit.events.empty() &&
         std::all_of(hit.events.begin(), hit.events.end(),
                     [](const Event& event) { return event.changes_order() || event.name == kRateEventName; });
}

NewReturning new_or_returning(const Visitor& visitor, const Hit& hit) {
  if (hit.id_key.is_zero()) return NewReturning::unknown;
  const bool has_been_there = !visitor.touches.empty() && visitor.touches.front().time_ms < hit.time_ms;
  return has_been_there ? NewReturning::returning : NewReturning::first;
}

}  // namespace

Engine::Engine(Timeline timeline, Sites& sites, const StringHasher& hasher, AgentClassifier classify, Changes& changes,
               RecentOrders& recent_orders, FindStored find_stored, EachStoredOrder each_stored_order)
    : sites_(sites),
      hasher_(hasher),
      classify_(classify),
      find_stored_(std::move(find_stored)),
      timeline_(timeline),
      changes_(changes),
      bookings_(changes, hasher),
      journeys_(hasher),
      orders_(sites, hasher, changes, bookings_, recent_orders, std::move(each_stored_order)),
      spend_(hasher, changes, bookings_, orders_) {}

// Each import has a clock of its own. Visits close when it has passed their end: so what was booked by then is the same
// whenever it is stored.
void Engine::go_to(int64_t time_ms) {
  const int64_t time_s = time_ms / 1000;
  if (const uint16_t import = changes_.import(); import != clock_import_) {
    clock_import_ = import;
    const auto known = import_clocks_s_.find(import);
    bookings_.set_clock_s(known == import_clocks_s_.end() ? time_s : std::max(time_s, known->second));
  } else if (time_s > bookings_.clock_s()) {
    bookings_.set_clock_s(time_s);
  } else {
    return;
  }
  close_visits(time_ms);
  if (clock_import_ == 0) return;
  import_clocks_s_[clock_import_] = bookings_.clock_s();
  if (import_clocks_s_.size() > kImportClocksMax) import_clocks_s_.erase(import_clocks_s_.begin());
}

void Engine::see(const Hit& hit, Visitor& visitor) const {
  visitor.seen = {.is_salted = hit.id_key.is_zero() && !(hit.flags & kHitLastingKey),
                  .day = utc_day(hit.time_ms),
                  .import = changes_.import()};
}

void Engine::count(const Hit& hit, std::string_view site_name, bool late) {
  journeys_.forget_many();
  if (hit.flags & kHitSpend) return spend_.take(sites_.find(site_name), hit);  // no clock goes by it
  go_to(hit.time_ms);
  Site& site = sites_.find(site_name);
  // What an ingested event tells of days ago makes no log of these days known.
  if (timeline_ == Timeline::live && site.first_live_ms == 0 && !(hit.flags & kHitEventOnly)) site.first_live_ms = hit.time_ms;
  if (hit.flags & kHitExcluded) return bookings_.count(site, hit.time_ms, Counter::excluded_hits);
  if (late) bookings_.count(site, hit.time_ms, Counter::late_hits);
  if (hit.flags & kHitEventsMalformed) bookings_.count(site, hit.time_ms, Counter::malformed_events);

  const VisitorKey key = key_of(site, hit);
  if (key.visitor.is_zero() || is_of_the_office(hit)) return count_without_visitor(site, hit);
  if (spilled_ > 0)  // before the entry's own place is asked for: they move it
    for (const Hash128& before : {hit.anonymous_key, hit.previous_anonymous_key})
      if (!before.is_zero()) find_open({site.number, before});
  Entry& entry = entry_of(key);
  if (!has_visit_for(site, entry, hit)) take_over_visit(site, key, entry, hit);
  notice_behaviour(site, hit, entry);
  count_of_visitor(site, key, entry, hit);
  note_change(key, entry);
}

bool Engine::has_visit_for(const Site& site, const Entry& entry, const Hit& hit) {
  // Long before its start: an older import, or very late.
  return entry.visit && hit.time_ms - entry.visit->last_ms <= gap_ms(site) &&
         entry.visit->start_ms - hit.time_ms <= gap_ms(site);
}

// Somebody who had another key a moment ago goes on with the visit that is open under it: when consent comes in, the
// anonymous one; after the change of salts, yesterday's.
void Engine::take_over_visit(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit) {
  for (const Hash128& other : {hit.anonymous_key, hit.previous_anonymous_key}) {
    if (other.is_zero() || other == key.visitor) continue;
    const VisitorKey before{site.number, other};
    const auto place = visitors_.find(before);
    if (place == visitors_.end() || !has_visit_for(site, place->second, hit)) continue;
    if (entry.visit) close(key, entry);
    take_over(key, entry, place->second, hit);
    note_change(before, place->second);
    return;
  }
}

// The touches go along: the visit's own with a consent (others may have the same anonymous key), all of them with a new
// salt, as the key that had them comes no more.
void Engine::take_over(const VisitorKey& key, Entry& entry, Entry& from, const Hit& hit) {
  const bool all = hit.id_key.is_zero();
  const JourneyChange of_one(entry.visitor, journeys_), of_other(from.visitor, journeys_);
  entry.visit = std::move(from.visit);
  ends_.push({entry.visit->last_ms + gap_ms(sites_.at(key.site)), key});
  std::vector<Touch>& touches = from.visitor.touches;
  const auto goes_along = [&](const Touch& touch) { return all || touch.time_ms >= entry.visit->start_ms; };
  for (const Touch& touch : touches)
    if (goes_along(touch)) entry.visitor.add(touch);
  std::erase_if(touches, goes_along);
  if (all || from.visitor.ordered_ms >= entry.visit->start_ms)
    for (const auto& [time_ms, import] : {std::pair(from.visitor.first_order_ms, from.visitor.first_order_import),
                                          std::pair(from.visitor.ordered_ms, from.visitor.order_import)})
      entry.visitor.see_order(time_ms, import);
  const Site& site = sites_.at(key.site);
  of_other.settle(bookings_, site, from.visitor, hit.time_ms, JourneyChange::Why::moved);
  of_one.settle(bookings_, site, entry.visitor, hit.time_ms, JourneyChange::Why::touch);
  see(hit, entry.visitor);
  if (all && from.visitor.is_bot()) {
    entry.visitor.behaviour = from.visitor.behaviour;
    entry.visitor.bot_import = from.visitor.bot_import;
    from.visitor.behaviour = Behaviour::none;
  }
  entry.visitor_changed = entry.visit_changed = from.visitor_changed = from.visit_changed = true;
}

void Engine::count_of_visitor(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit) {
  const Bookings::Page page{hit.path, hasher_(hit.path)};
  const Agent who = judge(hit, entry.visitor.behaviour);
  if (!(hit.flags & kHitEventOnly)) bookings_.hit(site, hit, page, who.verdict, who.device);
  if (who.is_bot()) return;

  if (is_page(hit)) {
    open_or_extend(site, key, entry, hit);
    count_page(site, entry, hit, page);
    reach_goals(site, key, entry, hit, nullptr);
  } else if (is_code_redirect(hit) && site.codes.find(hit).code != nullptr) {
    OpenVisit& visit = open_or_extend(site, key, entry, hit);
    const VisitFigures before = visit.figures();
    visit.extend(hit.time_ms);
    bookings_.figures_changed(site, visit, before);
  }
  for (const Event& event : hit.events) {
    if (event.is_order()) {
      count_order(site, key, entry, hit, event);
    } else if (orders_.is_new_event(site, hit, event) && (!event.changes_order() || orders_.change(site, hit, event))) {
      open_or_extend(site, key, entry, hit);
      count_event(site, entry, hit, event);
      reach_goals(site, key, entry, hit, &event);
    }
  }
  if (entry.visit && entry.visit->steps.size() > kVisitStepsBytesMax) keep_steps(key, *entry.visit);
}

// Whoever has neither id nor address (a socket's clients, say) are many, not one: the hit and the page view count, in no visit, and an
// order counts, credited to nothing; so does an event that was told by itself.
void Engine::count_without_visitor(Site& site, const Hit& hit) {
  const Agent who = judge(hit, is_spam(site, hit) ? Behaviour::referrer_spam : Behaviour::none);
  const bool is_event_only = (hit.flags & kHitEventOnly) != 0;
  const Bookings::Page page{hit.path, hasher_(hit.path)};
  if (!is_event_only) bookings_.hit(site, hit, page, who.verdict, who.device);
  if (who.is_bot()) return;
  const Origin origin{hit.country, who.device, who.browser, who.system};
  if (is_page(hit)) {
    bookings_.view_alone(site, hit.time_ms, page, hit.search_term, origin);
    changes_.keep(site.number, encode_kept_visit(kept_view_alone(hit.time_ms, origin, hit.path, hit.search_term)));
  }
  for (const Event& event : hit.events) {
    if (orders_.take_rate(site, hit, event)) continue;
    if (!event.is_order()) {
      if (!is_event_only || !orders_.is_new_event(site, hit, event)) continue;
      if (event.changes_order() && !orders_.change(site, hit, event)) continue;
      bookings_.event_alone(site, hit.time_ms, event, {});
      changes_.keep(site.number, encode_kept_visit(kept_event_alone(hit.time_ms, event)));
      continue;
    }
    if (std::optional<OrderBook::Order> order = orders_.accept(site, hit, event)) {
      const LedToOrder led = touches_of_order(site, nullptr, {}, hit, event);
      const std::vector<Touch>& touches = led.touches;
      order->booking.coverage = touches.empty() ? kNoVisitor : coverage(touches, true);
      bookings_.order(site, order->booking, origin, touches);
      book_converted(bookings_, site, hit.time_ms, touches);
      if (!event.customer.is_zero()) count_cohort(site, hit, *order, led);
      bookings_.event_alone(site, hit.time_ms, event, origin);
      KeptVisit kept = kept_alone(hit.time_ms, origin);
      kept.events.push_back({.name = event.name, .item = event.item});
      kept.conversions.push_back(kept_order(hit.time_ms, order->told, order->booking, touches));
      changes_.keep(site.number, encode_kept_visit(kept));
      orders_.keep(site, std::move(*order), {}, origin, touches);
    }
  }
}

const Engine::Agent& Engine::known_agent(std::string_view text) {
  if (known_agents_.size() >= kKnownAgentsMax) known_agents_.clear();
  const auto [known, fresh] = known_agents_.try_emplace(hasher_(text));
  if (fresh) {
    const BotVerdict verdict = classify_(text);
    known->second = {verdict, device_of(text, verdict.bot != BotClass::none), browser_of(text), system_of(text)};
  }
  return known->second;
}

Engine::Agent Engine::agent(std::string_view text) {
  if (!near_agents_.takes(text)) return known_agent(text);
  const Agent* near = near_agents_.find(text);
  return near != nullptr ? *near : near_agents_.put(text, known_agent(text));
}

Engine::Agent Engine::judge(const Hit& hit, Behaviour behaviour) {
  if (hit.flags & kHitOwnBot) return {verdict_of_own_flag(), Device::bot};
  const Agent by_agent = hit.flags & kHitEventOnly ? Agent{} : agent(hit.agent);
  // A crawler that reads robots.txt is still that crawler.
  if (behaviour != Behaviour::none && !by_agent.is_bot()) return {verdict_of(behaviour), Device::bot};
  return by_agent;
}

// A shop's own host, or one that pays for it, is no spam, whatever the list says.
bool Engine::is_spam(const Site& site, const Hit& hit) {
  if (hit.referrer_host.empty() || (hit.flags & kHitReferrerOwn) || hit.referrer_host == listed_nowhere_) return false;
  if (is_referrer_spam(hit.referrer_host)) return !site.touches.external_referrer(hit).empty();
  listed_nowhere_ = hit.referrer_host;
  return false;
}

void Engine::notice_behaviour(const Site& site, const Hit& hit, Entry& entry) {
  if (entry.visitor.is_bot()) return;
  const bool too_fast = entry.visit && entry.visit->pageviews >= kViewsOfPeopleMax && is_page(hit) &&
                        hit.time_ms - entry.visit->start_ms < int64_t{kViewsOfPeopleMax} * 1000;
  const Behaviour behaviour = is_robots_txt(hit.path) ? Behaviour::robots_txt
                              : is_spam(site, hit)    ? Behaviour::referrer_spam
                              : too_fast              ? Behaviour::too_many_pages
                                                      : Behaviour::none;
  if (behaviour == Behaviour::none) return;
  entry.visitor.behaviour = behaviour;
  entry.visitor.bot_import = changes_.import();
  see(hit, entry.visitor);
  entry.visitor_changed = true;
}

// The visitor's visit that the hit belongs to: the open one, with a further touch where the hit carries one, or a new
// one.
OpenVisit& Engine::open_or_extend(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit) {
  entry.visit_changed = true;
  if (entry.visit && !has_visit_for(site, entry, hit)) close(key, entry);
  if (entry.visit) {
    if (entry.visit->import != changes_.import()) go_on_with(key, *entry.visit);
    if (may_make_touch(hit)) {
      if (std::optional<Touch> touch = site.touches.further_touch(hit, entry.visit->last_touch(), site.codes.find(hit))) {
        entry.visit->later_touch.need() = *touch;
        add_touch(site, hit, entry, std::move(*touch));
      }
    }
    return *entry.visit;
  }
  entry.visit = std::make_unique<OpenVisit>();
  OpenVisit& visit = *entry.visit;
  ends_.push({hit.time_ms + gap_ms(site), key});
  visit.start_ms = visit.last_ms = hit.time_ms;
  visit.steps.reserve(kVisitStepsBytesUsual);
  visit.first_touch = site.touches.first_touch(hit, site.codes.find(hit));
  visit.country = hit.country;
  const Agent who = judge(hit, entry.visitor.behaviour);
  visit.device = who.device;
  visit.browser = who.browser;
  visit.system = who.system;
  visit.new_returning = new_or_returning(entry.visitor, hit);
  visit.import = changes_.import();
  visit.distinct_visitor = key.visitor.low;
  add_touch(site, hit, entry, visit.first_touch);
  bookings_.visit_began(site, visit);
  return visit;
}

void Engine::add_touch(const Site& site, const Hit& hit, Entry& entry, Touch touch) {
  touch.import = changes_.import();
  see(hit, entry.visitor);
  const JourneyChange journey(entry.visitor, journeys_);
  entry.visitor.add(std::move(touch));
  journey.settle(bookings_, site, entry.visitor, hit.time_ms, JourneyChange::Why::touch);
  entry.visitor_changed = true;
}

// Whatever import is being counted, a visit's end belongs to the one that it was last in; and whenever it is noticed, to
// the time at which it was over.
void Engine::close(const VisitorKey& key, Entry& entry) {
  Site& site = sites_.at(key.site);
  const uint16_t import = changes_.import();
  const int64_t clock_s = bookings_.clock_s();
  changes_.set_import(entry.visit->import);
  bookings_.set_clock_s((entry.visit->last_ms + gap_ms(site)) / 1000);
  bookings_.visit_closed(site, *entry.visit);
  bookings_.set_clock_s(clock_s);
  changes_.keep(key.site, encode_kept_visit(*entry.visit, key.visitor.low));
  changes_.set_import(import);
  entry.visit.reset();
  entry.visit_changed = true;
}

// A visit without end must not grow without end.
void Engine::keep_steps(const VisitorKey& key, Visit& visit) {
  KeptVisit kept = kept_visit_of(visit, key.visitor.low);
  kept.flags = 0;
  changes_.keep(key.site, encode_kept_visit(kept));
  visit.let_go_of_steps();
}

// A visit of an earlier import goes on in this one: it is closed under the one and opened again under the other, so that
// the figures of each hold without the other's, and is remembered as it was then (undo.h).
void Engine::go_on_with(const VisitorKey& key, Visit& visit) {
  const uint16_t import = changes_.import();
  changes_.set_import(visit.import);
  bookings_.visit_closed(sites_.at(key.site), visit);
  changes_.set_import(import);
  bookings_.visit_reopened(sites_.at(key.site), visit);
  changes_.set(KeyedDatabase::orders, order_key(key.site, kCarriedVisitKind, key.visitor, import), encode_visit(visit));
  visit.import = import;
}

void Engine::count_page(Site& site, Entry& entry, const Hit& hit, const Bookings::Page& page) {
  OpenVisit& visit = *entry.visit;
  const VisitFigures before = visit.figures();
  Bookings::View view{.time_ms = hit.time_ms, .page = page, .search_term = hit.search_term};
  view.is_entry = !visit.has_page();
  view.is_exit = view.is_entry || hit.time_ms >= visit.exit_ms;
  if (view.is_exit && !view.is_entry) bookings_.exit_passed(site, visit, hit.time_ms);
  view.first_of_page = visit.view(hit.path, page.value.low, hit.time_ms, hit.search_term);
  bookings_.page_view(site, visit, before, view);
}

void Engine::count_event(Site& site, Entry& entry, const Hit& hit, const Event& event) {
  OpenVisit& visit = *entry.visit;
  const VisitFigures before = visit.figures();
  visit.count_event(hit.time_ms, event.name, event.item);
  if (event.name == "add_to_cart") visit.has_cart = true;
  bookings_.event(site, visit, before, hit.time_ms, event);
}

void Engine::count_order(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit, const Event& event) {
  std::optional<OrderBook::Order> order = orders_.accept(site, hit, event);
  if (!order) return;
  OpenVisit& visit = open_or_extend(site, key, entry, hit);
  const VisitFigures before = visit.figures();
  visit.count_event(hit.time_ms, event.name, event.item);
  ++visit.orders;
  bookings_.event(site, visit, before, hit.time_ms, event);

  const LedToOrder led = touches_of_order(site, &entry, key.visitor, hit, event);
  const std::vector<Touch>& touches = led.touches;
  order->booking.coverage = coverage(touches, !hit.id_key.is_zero() || !event.customer.is_zero());
  bookings_.order(site, order->booking, origin_of(visit), touches);
  book_converted(bookings_, site, hit.time_ms, touches);
  count_cohort(site, hit, *order, led);
  const JourneyChange until_now(entry.visitor, journeys_);
  entry.visitor.see_order(hit.time_ms, changes_.import());
  entry.visitor_changed = true;
  until_now.settle(bookings_, site, entry.visitor, hit.time_ms, JourneyChange::Why::order);
  visit.keep(kept_order(visit.start_ms, order->told, order->booking, touches));
  orders_.keep(site, std::move(*order), key.visitor, origin_of(visit), touches);
  reach_goals(site, key, entry, hit, &event);
}

// What led to an order: its visitor's touches, and those of whoever ordered as the same customer. A coupon tells how the order
// came where no touch of its code is in reach.
Engine::LedToOrder Engine::touches_of_order(const Site& site, Entry* entry, const Hash128& visitor, const Hit& hit, const Event& event) {
  LedToOrder led;
  if (entry != nullptr) led.touches = entry->visitor.touches;
  if (entry != nullptr && event.customer.is_zero()) led.first_order_ms = entry->visitor.first_order_ms;
  const auto join_customer = [&] {
    if (event.customer.is_zero()) return int64_t{0};
    auto [touches, first_order_ms] =
        orders_.touches_of_customer(site, event.customer, visitor, led.touches, hit.time_ms,
                                    [&](const Hash128& other) { return touches_of({site.number, other}); });
    led.touches = std::move(touches);
    return first_order_ms;
  };
  if (const int64_t first_ms = join_customer(); first_ms != 0) led.first_order_ms = first_ms;
  const CodeConfig* code = site.codes.of_coupon(event.coupon);
  if (code == nullptr) return led;
  for (const Touch& touch : journey(led.touches, hit.time_ms, site.lookback_ms()))
    if (is_same_code(touch.code, code->code)) return led;
  Visitor with_coupon;
  with_coupon.touches = std::move(led.touches);
  with_coupon.add(site.touches.touch_of_code(*code, hit.time_ms));
  if (entry != nullptr) {
    entry->visit->later_touch.need() = site.touches.touch_of_code(*code, hit.time_ms);
    add_touch(site, hit, *entry, site.touches.touch_of_code(*code, hit.time_ms));
  }
  led.touches = std::move(with_coupon.touches);
  join_customer();
  return led;
}

// By whom it came first, and how long after the first order: only who is known by a name or a key is a customer.
void Engine::count_cohort(const Site& site, const Hit& hit, const OrderBook::Order& order, const LedToOrder& led) {
  static const Touch kNoTouch;
  const int64_t first_ms = led.first_order_ms != 0 ? std::min(led.first_order_ms, hit.time_ms) : hit.time_ms;
  Touch first = led.touches.empty() ? kNoTouch : led.touches.front();
  if (led.touches.empty()) first.time_ms = first_ms;
  bookings_.customer_ordered(site, order.booking, first, first_ms, led.first_order_ms == 0);
}

// Of a visitor of this timeline, without moving other entries.
std::vector<Touch> Engine::touches_of(const VisitorKey& key) const {
  if (const auto place = visitors_.find(key); place != visitors_.end()) return place->second.visitor.touches;
  const std::optional<std::string> stored =
      find_stored_(KeyedDatabase::visitors, visitor_key(key.site, key.visitor, timeline_));
  Visitor visitor;
  if (!stored || !decode_visitor(*stored, visitor) || is_forgotten(key, visitor)) return {};
  return std::move(visitor.touches);
}

// Goals count once per visit.
void Engine::reach_goals(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit, const Event* event) {
  OpenVisit& visit = *entry.visit;
  for (const GoalConfig& goal : site.config.goals) {
    const bool reached = event == nullptr ? !goal.path.empty() && matches(goal.path, without_arguments(hit.path))
                                          : goal.event == event->name;
    if (!reached) continue;
    const VisitFigures before = visit.figures();
    if (!visit.reach(goal.name)) continue;
    bookings_.figures_changed(site, visit, before);
    Bookings::Goal told{.time_ms = hit.time_ms, .name = goal.name, .value_micros = goal.value_micros};
    if (event != nullptr) told.event = event->name, told.item = event->item;
    bookings_.goal(site, told, origin_of(visit), entry.visitor.touches);
    visit.keep(kept_goal(visit.start_ms, told, entry.visitor.touches));
    std::string what(goal.name);
    BytesWriter(what).u8(0).hash(key.visitor).le64(static_cast<uint64_t>(visit.start_ms));
    orders_.keep_goal(site, hasher_(what), key.visitor, entry.visitor.touches, hit.time_ms, goal.value_micros);
  }
}

}  // namespace footfall
