#include "aggregate/engine.h"

#include <algorithm>

#include "aggregate/keeping.h"
#include "base/clock.h"
#include "base/prefetch.h"
#include "site/match.h"

namespace footfall {
namespace {

constexpr size_t kKnownAgentsMax = 100'000;
constexpr size_t kImportClocksMax = 1'000;
constexpr uint32_t kViewsOfPeopleMax = 300;  // more in a visit, at over one a second, are a bot's

int64_t gap_ms(const Site& site) { return site.config.visit_gap_s * 1000; }
int64_t lookback_ms(const Site& site) { return site.config.lookback_days * kDayS * 1000; }

std::string_view without_arguments(std::string_view path) { return path.substr(0, path.find('?')); }

// What an order says of each item: one that stands there twice, with the same category, is one. Items that are said to be
// worth more than an order can be bring no money of their own.
std::vector<KeptItem> parts_of(std::span<const OrderItem> items) {
  std::vector<KeptItem> parts;
  for (const OrderItem& item : items) {
    auto place = parts.end();
    for (auto part = parts.begin(); part != parts.end(); ++part) {
      if (part->id != item.id) continue;
      place = part + 1;  // behind the last of its id
      if (part->category == item.category) break;
    }
    const bool is_known = place != parts.begin() && !parts.empty() && (place - 1)->id == item.id &&
                          (place - 1)->category == item.category;
    KeptItem& part = is_known ? *(place - 1) : *parts.insert(place, {.id = item.id, .category = item.category});
    const __int128 value_micros = static_cast<__int128>(item.quantity) * item.price_micros;
    part.quantity += item.quantity;
    if (value_micros < kValueUnitsMax * kMicrosPerUnit) part.value_micros += static_cast<int64_t>(value_micros);
  }
  return parts;
}

std::vector<Bookings::ItemSum> sum_by(std::string_view KeptItem::*name, std::span<const KeptItem> parts) {
  std::vector<Bookings::ItemSum> sums;
  for (const KeptItem& part : parts) {
    auto sum = std::find_if(sums.begin(), sums.end(), [&](const auto& known) { return known.name == part.*name; });
    if (sum == sums.end()) sum = sums.insert(sum, {.name = part.*name});
    sum->quantity += part.quantity;
    sum->value_micros += part.value_micros;
  }
  return sums;
}

void convert(Bookings::Order& order, const Rate& rate) {
  order.value_micros = convert_micros(order.value_micros, rate);
  for (KeptItem& part : order.parts) part.value_micros = convert_micros(part.value_micros, rate);
}

// Nothing is left of whom another key took over.
bool is_anybody(const Visitor& visitor) { return visitor.is_bot || !visitor.touches.empty(); }

// Errors and redirects make none inside a visit.
bool may_make_touch(const Hit& hit) { return hit.status < 300 || hit.status == 304; }

NewReturning new_or_returning(const Visitor& visitor, const Hit& hit) {
  if (hit.id_key.is_zero()) return NewReturning::unknown;
  const bool has_been_there = !visitor.touches.empty() && visitor.touches.front().time_ms < hit.time_ms;
  return has_been_there ? NewReturning::returning : NewReturning::first;
}

bool is_accepted(const Event& event) { return event.is_order() && event.fault == OrderFault::none; }

}  // namespace

Engine::Engine(Timeline timeline, Sites& sites, const StringHasher& hasher, AgentClassifier classify, Changes& changes,
               RecentOrders& recent_orders, FindStored find_stored, IsStoredOrder is_stored_order)
    : sites_(sites),
      hasher_(hasher),
      classify_(classify),
      find_stored_(std::move(find_stored)),
      is_stored_order_(std::move(is_stored_order)),
      timeline_(timeline),
      changes_(changes),
      bookings_(changes, hasher),
      recent_orders_(recent_orders) {}

void Engine::restore_open_visit(std::string_view key, std::string_view value) {
  BytesReader reader(key);
  const uint16_t site = reader.be16();
  const VisitorKey visitor{site, reader.hash()};
  if (reader.u8() != static_cast<uint8_t>(timeline_)) return;
  Visit visit;
  if (!reader.ok() || site >= sites_.size() || !decode_visit(value, visit)) return;
  ends_.push({visit.last_ms + gap_ms(sites_.at(site)), visitor});
  if (visitors_.size() >= visits_max_) return void(++spilled_);
  Entry& entry = entry_of(visitor);
  entry.visit = std::make_unique<OpenVisit>(std::move(visit));
  entry.visit_stored = true;
}

void Engine::forget() {
  visitors_.clear();
  changed_.clear();
  ends_ = {};
  spilled_ = 0;
}

void Engine::set_clocks(int64_t clock_s, std::map<uint16_t, int64_t> import_clocks_s) {
  bookings_.set_clock_s(std::max(clock_s, Bookings::kFirstClockS));
  import_clocks_s_ = std::move(import_clocks_s);
}

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

// What the store sweeps in its own time (rollup/upkeep.h) is not there from the moment on that it may.
bool Engine::is_forgotten(const VisitorKey& key, const Visitor& visitor) const {
  const VisitorSeen& seen = visitor.seen;
  int64_t clock_s = bookings_.clock_s();
  if (seen.import != clock_import_)
    if (const auto known = import_clocks_s_.find(seen.import); known != import_clocks_s_.end())
      clock_s = std::max(clock_s, known->second);
  return is_over(seen, sites_.at(key.site).config.visit_gap_s, sites_.config().retention.visitors_s, clock_s);
}

void Engine::see(const Hit& hit, Visitor& visitor) const {
  visitor.seen = {.is_salted = hit.id_key.is_zero() && !(hit.flags & kHitLastingKey),
                  .day = utc_day(hit.time_ms),
                  .import = changes_.import()};
}

void Engine::load_open_visit(const VisitorKey& key, Entry& entry) {
  const std::optional<std::string> stored =
      find_stored_(KeyedDatabase::open_visits, visitor_key(key.site, key.visitor, timeline_));
  Visit visit;
  if (!stored || !decode_visit(*stored, visit)) return;
  entry.visit = std::make_unique<OpenVisit>(std::move(visit));
  entry.visit_stored = true;
  --spilled_;
}

Engine::Entry* Engine::find_open(const VisitorKey& key) {
  if (const auto place = visitors_.find(key); place != visitors_.end()) return &place->second;
  if (spilled_ == 0) return nullptr;
  Entry& entry = entry_of(key);
  return entry.visit ? &entry : nullptr;
}

Engine::Entry& Engine::entry_of(const VisitorKey& key) {
  const auto [place, fresh] = visitors_.try_emplace(key);
  if (fresh) {
    if (spilled_ > 0) load_open_visit(key, place->second);
    Visitor& visitor = place->second.visitor;
    if (const std::optional<std::string> stored =
            find_stored_(KeyedDatabase::visitors, visitor_key(key.site, key.visitor, timeline_)))
      if (!decode_visitor(*stored, visitor) || is_forgotten(key, visitor)) visitor = Visitor();
  } else if (!place->second.visit && is_anybody(place->second.visitor) && is_forgotten(key, place->second.visitor)) {
    place->second.visitor = Visitor();
    place->second.visitor_changed = true;
  }
  return place->second;
}

// First the place in the table, then the visit.
void Engine::expect(const VisitorKey& key, Expected when) {
  if (when == Expected::soon) return visitors_.prefetch(key);
  const auto place = visitors_.find(key);
  if (place != visitors_.end() && place->second.visit) prefetch(place->second.visit.get(), sizeof(OpenVisit));
}

void Engine::expect(const Hit& hit, std::string_view site_name, Expected when) {
  expect(key_of(sites_.find(site_name), hit), when);
}

// Of keys that are looked up in their order: those that come behind the one at `i`.
void Engine::expect_beyond(const std::vector<VisitorKey>& keys, size_t i) {
  constexpr size_t kSoon = 12, kNext = 6;
  if (i + kSoon < keys.size()) expect(keys[i + kSoon], Expected::soon);
  if (i + kNext < keys.size()) expect(keys[i + kNext], Expected::next);
}

void Engine::count(const Hit& hit, std::string_view site_name, bool late) {
  go_to(hit.time_ms);
  Site& site = sites_.find(site_name);
  if (timeline_ == Timeline::live && site.first_live_ms == 0) site.first_live_ms = hit.time_ms;
  if (hit.flags & kHitExcluded) return bookings_.count(site, hit.time_ms, Counter::excluded_hits);
  if (late) bookings_.count(site, hit.time_ms, Counter::late_hits);
  if (hit.flags & kHitEventsMalformed) bookings_.count(site, hit.time_ms, Counter::malformed_events);

  const VisitorKey key = key_of(site, hit);
  if (key.visitor.is_zero()) return count_without_visitor(site, hit);
  if (spilled_ > 0)  // before the entry's own place is asked for: they move it
    for (const Hash128& before : {hit.anonymous_key, hit.previous_anonymous_key})
      if (!before.is_zero()) find_open({site.number, before});
  Entry& entry = entry_of(key);
  if (!has_visit_for(site, entry, hit)) take_over_visit(site, key, entry, hit);
  notice_behaviour(hit, entry);
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
  entry.visit = std::move(from.visit);
  ends_.push({entry.visit->last_ms + gap_ms(sites_.at(key.site)), key});
  std::vector<Touch>& touches = from.visitor.touches;
  const auto goes_along = [&](const Touch& touch) { return all || touch.time_ms >= entry.visit->start_ms; };
  for (const Touch& touch : touches)
    if (goes_along(touch)) entry.visitor.add(touch);
  std::erase_if(touches, goes_along);
  see(hit, entry.visitor);
  if (all && from.visitor.is_bot) {
    entry.visitor.is_bot = true;
    entry.visitor.bot_import = from.visitor.bot_import;
    from.visitor.is_bot = false;
  }
  entry.visitor_changed = entry.visit_changed = from.visitor_changed = from.visit_changed = true;
}

void Engine::count_of_visitor(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit) {
  const Bookings::Page page{hit.path, hasher_(hit.path)};
  const Agent who = judge(hit, entry.visitor);
  if (!(hit.flags & kHitEventOnly)) bookings_.hit(site, hit, page, who.bot, who.device);
  if (who.bot != BotClass::none) return;

  if (is_page(hit)) {
    open_or_extend(site, key, entry, hit);
    count_page(site, entry, hit, page);
    reach_goals(site, key, entry, hit, nullptr);
  }
  for (const Event& event : hit.events) {
    if (event.is_order()) {
      count_order(site, key, entry, hit, event);
    } else if (is_new_event(site, hit, event)) {
      open_or_extend(site, key, entry, hit);
      count_event(site, entry, hit, event);
      reach_goals(site, key, entry, hit, &event);
    }
  }
  if (entry.visit && entry.visit->steps.size() > kVisitStepsBytesMax) keep_steps(key, *entry.visit);
}

// Whoever has neither id nor address (a socket's clients, say) are many, not one: the hit counts, and an order counts,
// credited to nothing; so does an event that was told by itself.
void Engine::count_without_visitor(Site& site, const Hit& hit) {
  const Agent who = judge(hit, Visitor());
  const bool is_event_only = (hit.flags & kHitEventOnly) != 0;
  if (!is_event_only) bookings_.hit(site, hit, {hit.path, hasher_(hit.path)}, who.bot, who.device);
  if (who.bot != BotClass::none) return;
  for (const Event& event : hit.events) {
    if (!event.is_order()) {
      if (!is_event_only || !is_new_event(site, hit, event)) continue;
      bookings_.event_alone(site, hit.time_ms, event);
      changes_.keep(site.number, encode_kept_visit(kept_event_alone(hit.time_ms, event)));
      continue;
    }
    if (std::optional<NewOrder> order = accept_order(site, hit, event)) {
      const Origin origin{hit.country, who.device, who.browser, who.system};
      bookings_.order(site, order->booking, origin, {});
      KeptVisit kept = kept_alone(hit.time_ms, origin);
      kept.conversions.push_back(kept_order(hit.time_ms, order->told, order->booking, {}));
      changes_.keep(site.number, encode_kept_visit(kept));
      store_conversion(std::move(order->key), ConversionKind::order, {}, {}, order->told);
    }
  }
}

Engine::Agent Engine::agent(std::string_view text) {
  if (known_agents_.size() >= kKnownAgentsMax) known_agents_.clear();
  const auto [known, fresh] = known_agents_.try_emplace(hasher_(text));
  if (fresh) {
    const BotClass bot = classify_(text);
    known->second = {bot, device_of(text, bot != BotClass::none), browser_of(text), system_of(text)};
  }
  return known->second;
}

Engine::Agent Engine::judge(const Hit& hit, const Visitor& visitor) {
  if (hit.flags & kHitOwnBot) return {BotClass::own_flag, Device::bot};
  const Agent by_agent = hit.flags & kHitEventOnly ? Agent{} : agent(hit.agent);
  // A crawler that reads robots.txt is still that crawler.
  if (visitor.is_bot && by_agent.bot == BotClass::none) return {BotClass::behaviour, Device::bot};
  return by_agent;
}

void Engine::notice_behaviour(const Hit& hit, Entry& entry) {
  if (entry.visitor.is_bot) return;
  const bool fetched_robots = without_arguments(hit.path) == "/robots.txt";
  const bool too_fast = entry.visit && entry.visit->pageviews >= kViewsOfPeopleMax && is_page(hit) &&
                        hit.time_ms - entry.visit->start_ms < int64_t{kViewsOfPeopleMax} * 1000;
  if (!fetched_robots && !too_fast) return;
  entry.visitor.is_bot = true;
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
      if (std::optional<Touch> touch = site.touches.further_touch(hit, entry.visit->last_touch())) {
        entry.visit->later_touch.need() = *touch;
        add_touch(hit, entry, std::move(*touch));
      }
    }
    return *entry.visit;
  }
  entry.visit = std::make_unique<OpenVisit>();
  OpenVisit& visit = *entry.visit;
  ends_.push({hit.time_ms + gap_ms(site), key});
  visit.start_ms = visit.last_ms = hit.time_ms;
  visit.steps.reserve(kVisitStepsBytesUsual);
  visit.first_touch = site.touches.first_touch(hit);
  visit.country = hit.country;
  const Agent who = judge(hit, entry.visitor);
  visit.device = who.device;
  visit.browser = who.browser;
  visit.system = who.system;
  visit.new_returning = new_or_returning(entry.visitor, hit);
  visit.import = changes_.import();
  visit.distinct_visitor = key.visitor.low;
  add_touch(hit, entry, visit.first_touch);
  bookings_.visit_began(site, visit);
  return visit;
}

void Engine::add_touch(const Hit& hit, Entry& entry, Touch touch) {
  touch.import = changes_.import();
  see(hit, entry.visitor);
  entry.visitor.add(std::move(touch));
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

bool Engine::is_new_order(const std::string& key, int64_t time_ms) {
  const std::string_view id = std::string_view(key).substr(0, kOrderKeyIdBytes);
  if (is_stored_order_(id, time_ms)) return false;
  return recent_orders_.insert(std::string(id)).second;
}

// An event that was told by itself and has an id counts once, as orders do.
bool Engine::is_new_event(const Site& site, const Hit& hit, const Event& event) {
  if (!(hit.flags & kHitEventOnly) || event.id.empty()) return true;
  std::string what(event.name);
  what.append(1, '\0').append(event.id);
  std::string key =
      order_key(site.number, static_cast<uint8_t>(ConversionKind::event), hasher_(what), changes_.import());
  if (!is_new_order(key, hit.time_ms)) return false;
  Bookings::Order order;
  order.time_ms = hit.time_ms;
  store_conversion(std::move(key), ConversionKind::event, {}, {}, order);
  return true;
}

// nullopt: rejected or a repeat, and counted as such.
std::optional<Engine::NewOrder> Engine::accept_order(Site& site, const Hit& hit, const Event& event) {
  NewOrder order;
  order.key = order_key(site.number, static_cast<uint8_t>(ConversionKind::order), hasher_(event.id), changes_.import());
  if (!is_accepted(event)) {
    bookings_.count(site, hit.time_ms, Counter::rejected_orders);
    return std::nullopt;
  }
  if (!is_new_order(order.key, hit.time_ms)) {
    bookings_.count(site, hit.time_ms, Counter::duplicate_orders);
    return std::nullopt;
  }
  Bookings::Order& told = order.told;
  told = {.time_ms = hit.time_ms, .value_micros = event.value_micros, .currency = event.currency};
  for (const OrderItem& item : event.items) told.items += static_cast<uint64_t>(item.quantity);
  told.coupon = event.coupon;
  told.parts = parts_of(event.items);
  if (told.currency == Currency{}) told.currency = site.config.currency;
  order.booking = told;
  if (told.currency != site.config.currency) {
    const Rate* rate = find_rate(sites_.config(), told.currency);
    order.booking.has_rate = rate != nullptr;
    if (rate != nullptr) convert(order.booking, *rate);
  }
  order.booking.by_item = sum_by(&KeptItem::id, order.booking.parts);
  order.booking.by_category = sum_by(&KeptItem::category, order.booking.parts);
  return order;
}

void Engine::count_order(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit, const Event& event) {
  std::optional<NewOrder> order = accept_order(site, hit, event);
  if (!order) return;
  OpenVisit& visit = open_or_extend(site, key, entry, hit);
  const VisitFigures before = visit.figures();
  visit.count_event(hit.time_ms, event.name, event.item);
  ++visit.orders;
  bookings_.event(site, visit, before, hit.time_ms, event);

  bookings_.order(site, order->booking, origin_of(visit),
                  journey(entry.visitor.touches, hit.time_ms, lookback_ms(site)));
  visit.keep(kept_order(visit.start_ms, order->told, order->booking, entry.visitor.touches));
  store_conversion(std::move(order->key), ConversionKind::order, key.visitor, entry.visitor.touches, order->told);
  reach_goals(site, key, entry, hit, &event);
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
    bookings_.goal(site, told, origin_of(visit), journey(entry.visitor.touches, hit.time_ms, lookback_ms(site)));
    visit.keep(kept_goal(visit.start_ms, told, entry.visitor.touches));
    std::string what(goal.name);
    BytesWriter(what).u8(0).hash(key.visitor).le64(static_cast<uint64_t>(visit.start_ms));
    store_conversion(order_key(site.number, static_cast<uint8_t>(ConversionKind::goal), hasher_(what), changes_.import()),
                     ConversionKind::goal, key.visitor, entry.visitor.touches,
                     {.time_ms = hit.time_ms, .value_micros = goal.value_micros, .currency = site.config.currency});
  }
}

void Engine::store_conversion(std::string key, ConversionKind kind, const Hash128& visitor,
                              std::span<const Touch> touches, const Bookings::Order& order) {
  Conversion conversion;
  conversion.kind = kind;
  conversion.time_ms = order.time_ms;
  conversion.visitor = visitor;
  conversion.value_micros = order.value_micros;
  conversion.currency = order.currency;
  conversion.items = order.items;
  for (const Touch& touch : touches)
    if (touch.time_ms <= order.time_ms) conversion.touches.push_back(touch);  // a late order has had no later ones
  changes_.set(KeyedDatabase::orders, std::move(key), encode_conversion(conversion));
}

void Engine::note_change(const VisitorKey& key, Entry& entry) {
  if (entry.is_listed || !(entry.visitor_changed || entry.visit_changed)) return;
  changed_.push_back(key);
  entry.is_listed = true;
}

void Engine::flush() {
  for (size_t i = 0; i < changed_.size(); ++i) {
    expect_beyond(changed_, i);
    const VisitorKey& key = changed_[i];
    const auto place = visitors_.find(key);
    if (place == visitors_.end()) continue;
    Entry& entry = place->second;
    if (entry.visitor_changed)
      changes_.set(KeyedDatabase::visitors, visitor_key(key.site, key.visitor, timeline_),
                   is_anybody(entry.visitor) ? encode_visitor(entry.visitor) : std::string());
    if (entry.visit_changed && (entry.visit || entry.visit_stored))
      changes_.set(KeyedDatabase::open_visits, visitor_key(key.site, key.visitor, timeline_),
                   entry.visit ? encode_visit(*entry.visit) : std::string());
    if (entry.visit_changed) entry.visit_stored = entry.visit != nullptr;
    entry.visitor_changed = entry.visit_changed = entry.is_listed = false;
  }
  changed_.clear();
}

// Visits wait by the time at which they end if nothing more comes. One that went on is put back.
void Engine::close_visits(int64_t time_ms) {
  std::vector<VisitorKey> ended;
  for (; !ends_.empty() && ends_.top().time_ms < time_ms; ends_.pop()) ended.push_back(ends_.top().key);
  for (size_t i = 0; i < ended.size(); ++i) {
    expect_beyond(ended, i);
    Entry* entry = find_open(ended[i]);
    if (entry == nullptr || !entry->visit) continue;
    const int64_t end_ms = entry->visit->last_ms + gap_ms(sites_.at(ended[i].site));
    if (end_ms < time_ms) {
      close(ended[i], *entry);
      note_change(ended[i], *entry);
    } else {
      ends_.push({end_ms, ended[i]});
    }
  }
}

void Engine::close_beyond_most() {
  const auto most = static_cast<size_t>(sites_.config().open_visits_max);
  for (size_t open = open_visits(); open > most && !ends_.empty();) {
    const VisitEnd told = ends_.top();
    ends_.pop();
    Entry* entry = find_open(told.key);
    if (entry == nullptr || !entry->visit) continue;
    if (const int64_t end_ms = entry->visit->last_ms + gap_ms(sites_.at(told.key.site)); end_ms > told.time_ms) {
      ends_.push({end_ms, told.key});
      continue;
    }
    close(told.key, *entry);
    note_change(told.key, *entry);
    ++closed_early_;
    --open;
  }
}

void Engine::settle(int64_t time_ms) {
  close_visits(time_ms);
  close_beyond_most();
  absl::erase_if(visitors_, [](const auto& place) {
    const Entry& entry = place.second;
    return !entry.visit && !entry.visitor_changed && !entry.visit_changed;
  });
  if (visitors_.size() > visits_max_) spill();
}

// They are read again when their visitor comes, or when they are over.
void Engine::spill() {
  std::vector<int64_t> last_ms;
  for (const auto& [key, entry] : visitors_)
    if (entry.visit) last_ms.push_back(entry.visit->last_ms);
  if (last_ms.size() <= visits_kept_) return;
  const auto newest_to_go = last_ms.end() - 1 - static_cast<ptrdiff_t>(visits_kept_);
  std::nth_element(last_ms.begin(), newest_to_go, last_ms.end());
  spilled_ += absl::erase_if(visitors_, [&](const auto& place) {
    const Entry& entry = place.second;
    return entry.visit && entry.visit->last_ms <= *newest_to_go && entry.visit_stored && !entry.visitor_changed &&
           !entry.visit_changed;
  });
}

void Engine::forget_visitor(const Hash128& visitor, const Hash128& instead, Forgotten& found) {
  for (uint16_t site = 0; site < sites_.size(); ++site) {
    const VisitorKey key{site, visitor};
    Entry& entry = entry_of(key);
    if (!entry.visit && !is_anybody(entry.visitor)) continue;
    if (entry.visit) {
      if (entry.visit->distinct_visitor == visitor.low) entry.visit->distinct_visitor = instead.low;
      close({site, instead}, entry);
      ++found.open_visits;
    }
    if (is_anybody(entry.visitor)) ++found.visitors;
    entry.visitor = Visitor();
    entry.visitor_changed = true;
    note_change(key, entry);
  }
}

size_t Engine::open_visits() const {
  return spilled_ + static_cast<size_t>(std::count_if(visitors_.begin(), visitors_.end(), [](const auto& place) {
           return place.second.visit != nullptr;
         }));
}

}  // namespace footfall
