#include "aggregate/order_book.h"

#include <algorithm>

#include "aggregate/keeping.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "site/checks.h"

namespace footfall {
namespace {

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

constexpr uint8_t kRateVersion = 2;
constexpr int kRateDaysBack = 7;  // markets are closed at weekends and on holidays

constexpr uint8_t kind_number(ConversionKind kind) { return static_cast<uint8_t>(kind); }

std::string_view prefix_of(std::string_view key) { return key.substr(0, kOrderKeyIdBytes); }
uint16_t import_of(std::string_view key) { return load_be16(key.data() + kOrderKeyIdBytes); }

OrderOrigin origin_to_keep(const Origin& origin) {
  return {.country = std::string(origin.country), .device = origin.device, .browser = origin.browser,
          .system = origin.system, .new_returning = origin.new_returning};
}

Origin origin_of(const OrderOrigin& origin) {
  return {.country = origin.country, .device = origin.device, .browser = origin.browser, .system = origin.system,
          .new_returning = origin.new_returning};
}

std::vector<OrderPart> parts_to_keep(std::span<const KeptItem> parts) {
  std::vector<OrderPart> kept;
  for (const KeptItem& part : parts)
    kept.push_back({std::string(part.id), std::string(part.category), part.quantity, part.value_micros});
  return kept;
}

std::vector<KeptItem> kept_items(const std::vector<OrderPart>& parts) {
  std::vector<KeptItem> items;
  for (const OrderPart& part : parts)
    items.push_back({.id = part.id, .category = part.category, .value_micros = part.value_micros});
  return items;
}

void convert(std::vector<OrderPart>& parts, const Rate& rate) {
  for (OrderPart& part : parts) part.value_micros = convert_micros(part.value_micros, rate);
}

OrderChange change_of(const Hit& hit, const Event& event) {
  OrderChange change;
  change.kind = *change_kind(event.name);
  change.time_ms = hit.time_ms;
  if (event.has_value) change.value_micros = event.value_micros;
  change.currency = event.currency;
  change.parts = parts_to_keep(parts_of(event.items));
  return change;
}

}  // namespace

void OrderBook::each(std::string_view prefix, const SeeStoredOrder& see) const {
  each_stored_(prefix, [&](std::string_view key, std::string_view value) {
    if (recent_.find(key) == recent_.end()) see(key, value);
  });
  for (auto place = recent_.lower_bound(prefix); place != recent_.end() && place->first.starts_with(prefix); ++place)
    see(place->first, place->second);
}

void OrderBook::set(std::string key, std::string value) {
  recent_.insert_or_assign(key, value);
  changes_.set(KeyedDatabase::orders, std::move(key), std::move(value));
}

// An id is forgotten after `[retention] orders`, whether it was swept by then or not.
bool OrderBook::is_known(std::string_view key, int64_t time_ms) const {
  const int64_t memory_s = sites_.config().retention.orders_s;
  bool is_known = false;
  each(prefix_of(key), [&](std::string_view, std::string_view value) {
    const std::optional<int64_t> told_ms = conversion_time_ms(value);
    is_known |= !told_ms || time_ms / 1000 - *told_ms / 1000 <= memory_s;
  });
  return is_known;
}

std::optional<Conversion> OrderBook::find(const Site& site, const Hash128& id, int64_t time_ms) const {
  const int64_t memory_s = sites_.config().retention.orders_s;
  std::optional<Conversion> found;
  each(prefix_of(key_of(site, kind_number(ConversionKind::order), id)), [&](std::string_view, std::string_view value) {
    Conversion order;
    if (found || !decode_conversion(value, order) || time_ms / 1000 - order.time_ms / 1000 > memory_s) return;
    found = std::move(order);
  });
  return found;
}

std::vector<OrderBook::Known> OrderBook::orders_of(const Site& site, const Hash128& id) const {
  std::vector<Known> orders;
  each(prefix_of(key_of(site, kind_number(ConversionKind::order), id)), [&](std::string_view key, std::string_view value) {
    Known known{.import = import_of(key), .order = {}};
    if (decode_conversion(value, known.order)) orders.push_back(std::move(known));
  });
  return orders;
}

bool OrderBook::is_new_event(const Site& site, const Hit& hit, const Event& event) {
  if (!(hit.flags & kHitEventOnly) || event.id.empty()) return true;
  std::string what(event.name);
  BytesWriter writer(what);
  writer.u8(0).bytes(event.id);
  // An order may be refunded more than once: one at another time, or of another value or other items, is another.
  if (event.changes_order()) {
    writer.u8(event.has_value).le64(static_cast<uint64_t>(hit.time_ms)).le64(static_cast<uint64_t>(event.value_micros));
    for (const OrderItem& item : event.items) writer.text(item.id).text(item.category).zigzag(item.quantity).zigzag(item.price_micros);
  }
  std::string key = key_of(site, kind_number(ConversionKind::event), hasher_(what));
  if (is_known(key, hit.time_ms)) return false;
  Conversion told;
  told.kind = ConversionKind::event;
  told.time_ms = hit.time_ms;
  set(std::move(key), encode_conversion(told));
  return true;
}

std::string OrderBook::rate_key(const Site& site, Currency currency, std::string_view day) const {
  std::string what(currency.text());
  what.append(day);
  return key_of(site, kRateKind, hasher_(what));
}

bool OrderBook::take_rate(const Site& site, const Hit& hit, const Event& event) {
  if (!(hit.flags & kHitEventOnly) || event.name != kRateEventName) return false;
  const std::optional<int64_t> trillionths = parse_trillionths(event.id);
  if (!trillionths || event.currency == Currency{}) return bookings_.count(site, hit.time_ms, Counter::malformed_events), true;
  std::string value;
  BytesWriter(value).u8(kRateVersion).u8(kRateKind).le64(static_cast<uint64_t>(hit.time_ms)).le64(static_cast<uint64_t>(*trillionths));
  set(rate_key(site, event.currency, event.item), std::move(value));
  return true;
}

std::optional<Rate> OrderBook::rate_of(const Site& site, Currency currency, int64_t time_ms) const {
  if (currency == Currency{} || currency == site.config.currency) return Rate{site.config.currency, kRateOne};
  int64_t day_s = site.zone.bucket_start_s(Level::day, minute_start_s(time_ms));
  for (int back = 0; back <= kRateDaysBack; ++back, day_s = site.zone.bucket_start_s(Level::day, day_s - 1)) {
    std::optional<Rate> found;
    each(prefix_of(rate_key(site, currency, site.zone.bucket_text(Level::day, day_s))), [&](std::string_view, std::string_view value) {
      BytesReader reader(value);
      if (reader.u8() != kRateVersion || reader.u8() != kRateKind) return;
      reader.le64();
      const Rate rate{currency, static_cast<int64_t>(reader.le64())};
      if (reader.ok()) found = rate;  // of the newest import
    });
    if (found) return found;
  }
  const Rate* rate = find_rate(sites_.config(), currency);
  return rate != nullptr ? std::optional(*rate) : std::nullopt;
}

std::optional<OrderBook::Order> OrderBook::accept(const Site& site, const Hit& hit, const Event& event) {
  if (event.fault != OrderFault::none) {
    bookings_.count(site, hit.time_ms, Counter::rejected_orders);
    return std::nullopt;
  }
  Order order;
  order.key = key_of(site, kind_number(ConversionKind::order), hasher_(event.id));
  if (is_known(order.key, hit.time_ms)) {
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
  const std::optional<Rate> rate = rate_of(site, told.currency, told.time_ms);
  order.booking.has_rate = rate.has_value();
  if (rate) order.rate_trillionths = rate->trillionths;
  if (rate) convert(order.booking, *rate);
  order.booking.by_item = sum_by(&KeptItem::id, order.booking.parts);
  order.booking.by_category = sum_by(&KeptItem::category, order.booking.parts);
  return order;
}

void OrderBook::keep(const Site& site, Order order, const Hash128& visitor, const Origin& origin,
                     std::span<const Touch> touches) {
  const Bookings::Order& told = order.told;
  Conversion kept;
  kept.time_ms = told.time_ms;
  kept.visitor = visitor;
  kept.value_micros = told.value_micros;
  kept.currency = told.currency;
  kept.items = told.items;
  for (const Touch& touch : touches)
    if (touch.time_ms <= told.time_ms) kept.touches.push_back(touch);  // a late order has had no later ones
  kept.rate_trillionths = order.rate_trillionths;
  kept.origin = origin_to_keep(origin);
  kept.coupon = told.coupon;
  kept.coverage = order.booking.coverage;
  kept.parts = parts_to_keep(told.parts);
  BytesReader id(std::string_view(order.key).substr(sizeof(uint16_t) + sizeof(uint8_t)));
  const Hash128 hash = id.hash();
  set(std::move(order.key), encode_conversion(kept));
  settle_earlier(site, hash, kept);
}

OrderBook::KnownCustomer OrderBook::touches_of_customer(const Site& site, const Hash128& name, const Hash128& visitor,
                                                        std::span<const Touch> own, int64_t time_ms,
                                                        const TouchesOf& touches_of) {
  const std::string key = key_of(site, kCustomerKind, name);
  Customer customer, told, by_us;
  const int64_t memory_s = sites_.config().retention.orders_s;
  each(prefix_of(key), [&](std::string_view of, std::string_view value) {
    if (!decode_customer(value, told) || time_ms / 1000 - told.time_ms / 1000 > memory_s) return;
    if (customer.first_order_ms == 0 || told.first_order_ms < customer.first_order_ms) customer.first_order_ms = told.first_order_ms;
    customer.add(told.touches);
    for (const Hash128& other : told.visitors) customer.add_visitor(other);
    if (of == key) by_us = told;
  });
  for (const Hash128& other : customer.visitors)
    if (other != visitor) customer.add(touches_of(other));
  by_us.time_ms = std::max(by_us.time_ms, time_ms);
  if (by_us.first_order_ms == 0) by_us.first_order_ms = time_ms;
  if (customer.add_visitor(visitor)) {
    by_us.add_visitor(visitor);
    by_us.add(own);
  }
  customer.add(own);
  set(key, encode_customer(by_us));
  return {std::move(customer.touches), customer.first_order_ms};
}

void OrderBook::keep_goal(const Site& site, const Hash128& goal, const Hash128& visitor, std::span<const Touch> touches,
                          int64_t time_ms, int64_t value_micros) {
  Conversion kept;
  kept.kind = ConversionKind::goal;
  kept.time_ms = time_ms;
  kept.visitor = visitor;
  kept.value_micros = value_micros;
  kept.currency = site.config.currency;
  for (const Touch& touch : touches)
    if (touch.time_ms <= time_ms) kept.touches.push_back(touch);
  changes_.set(KeyedDatabase::orders, key_of(site, kind_number(ConversionKind::goal), goal), encode_conversion(kept));
}

// --- what comes to an order later ------------------------------------------------------------------------------------

std::vector<OrderBook::Told> OrderBook::told_of(const Site& site, const Hash128& id) const {
  std::vector<Told> all;
  Told told;
  each(prefix_of(key_of(site, kOrderChangesKind, id)), [&](std::string_view key, std::string_view value) {
    if (!decode_changes(value, told.changes)) return;
    told.key = key;
    told.import = import_of(key);
    all.push_back(std::move(told));
  });
  return all;
}

// As they came, whoever told them.
std::vector<OrderBook::Turn> OrderBook::in_turn(std::vector<Told>& all) {
  std::vector<Turn> turns;
  for (Told& told : all)
    for (OrderChange& change : told.changes) turns.push_back({&told, &change});
  std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.change->number < b.change->number; });
  return turns;
}

// An id that was forgotten may be told again for another order.
std::vector<OrderChange> OrderBook::settled_with(const Conversion& order, std::span<const OrderChange> changes) const {
  const int64_t memory_ms = sites_.config().retention.orders_s * 1000;
  std::vector<OrderChange> settled;
  for (const OrderChange& change : changes)
    if (change.is_settled && order.time_ms - change.time_ms <= memory_ms) settled.push_back(change);
  return settled;
}

bool OrderBook::change(const Site& site, const Hit& hit, const Event& event) {
  if (event.fault != OrderFault::none) return bookings_.count(site, hit.time_ms, Counter::rejected_orders), false;
  const Hash128 id = hasher_(event.id);
  std::string key = key_of(site, kOrderChangesKind, id);
  std::vector<OrderChange> by_us, all;
  for (Told& told : told_of(site, id)) {
    all.insert(all.end(), told.changes.begin(), told.changes.end());
    if (told.key == key) by_us = std::move(told.changes);
  }
  OrderChange change = change_of(hit, event);
  for (const OrderChange& before : all) change.number = std::max(change.number, before.number);
  ++change.number;
  const std::optional<Conversion> order = find(site, id, hit.time_ms);
  const bool is_taken = by_us.size() < kOrderChangesMax &&
                        (!order || settle(site, *order, settled_with(*order, all), change));
  if (!is_taken) return bookings_.count(site, hit.time_ms, Counter::rejected_orders), false;
  if (order) book(site, *order, change);
  by_us.push_back(std::move(change));
  set(std::move(key), encode_changes(by_us));
  return true;
}

bool OrderBook::settle(const Site& site, const Conversion& order, std::span<const OrderChange> before,
                       OrderChange& change) {
  const bool has_rate = order.rate_trillionths != 0;
  const Rate rate{order.currency, has_rate ? order.rate_trillionths : kRateOne};
  OrderMoney money{convert_micros(order.value_micros, rate), order.parts};
  convert(money.parts, rate);
  const bool is_same = change.currency == Currency{} || change.currency == order.currency;
  const std::optional<Rate> told_rate = is_same ? rate : has_rate ? rate_of(site, change.currency, order.time_ms) : std::nullopt;
  if (!told_rate) return false;
  std::optional<int64_t> told_micros;
  if (change.value_micros) told_micros = convert_micros(*change.value_micros, *told_rate);
  change.taken = change.parts;
  convert(change.taken, *told_rate);
  footfall::settle(change, told_micros, money, before);
  return true;
}

// Credited as the order was, in the bucket of the change; kept as a record of its own.
void OrderBook::book(const Site& site, const Conversion& order, const OrderChange& change, int sign) {
  if (change.refund_micros == 0 && change.revenue_micros == 0) return;
  Bookings::Order booking{.time_ms = change.time_ms,
                          .has_rate = order.rate_trillionths != 0,
                          .value_micros = sign * change.revenue_micros,
                          .currency = order.currency,
                          .coupon = order.coupon,
                          .coverage = order.coverage,
                          .is_change = true,
                          .order_ms = order.time_ms,
                          .refund_micros = sign * change.refund_micros,
                          .parts = kept_items(change.taken)};
  for (KeptItem& part : booking.parts) part.value_micros *= sign;
  booking.by_item = sum_by(&KeptItem::id, booking.parts);
  booking.by_category = sum_by(&KeptItem::category, booking.parts);
  const Origin origin = origin_of(order.origin);
  bookings_.order(site, booking, origin, order.touches);
  Bookings::Order told = booking;
  told.time_ms = order.time_ms;  // what the ages of its touches are told by
  KeptVisit kept = kept_alone(change.time_ms, origin);
  kept.conversions.push_back(kept_order(order.time_ms, told, booking, order.touches));
  changes_.keep(site.number, encode_kept_visit(kept));
}

void OrderBook::book(const Site& site, const Conversion& order, const Turn& turn, int sign) {
  const uint16_t now_in = import();
  changes_.set_import(turn.told->import);
  book(site, order, *turn.change, sign);
  changes_.set_import(now_in);
}

// Refunds that came before their order was seen stay those of the import that told them.
void OrderBook::settle_earlier(const Site& site, const Hash128& id, const Conversion& order) {
  std::vector<Told> told = told_of(site, id);
  std::vector<OrderChange> settled;
  for (const Told& of_import : told) settled.insert(settled.end(), of_import.changes.begin(), of_import.changes.end());
  settled = settled_with(order, settled);
  for (const Turn& turn : in_turn(told)) {
    if (turn.change->is_settled || !settle(site, order, settled, *turn.change)) continue;
    book(site, order, turn);
    settled.push_back(*turn.change);
    turn.told->is_changed = true;
  }
  for (Told& of_import : told)
    if (of_import.is_changed) set(std::move(of_import.key), encode_changes(of_import.changes));
}

}  // namespace footfall
