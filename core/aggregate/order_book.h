// Orders and what is remembered of them: which ids are known, what came to an order later, what a foreign currency was
// worth. Books an order's changes; who made the order, and by what, the engine settles.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/bookings.h"
#include "aggregate/sites.h"
#include "credit/order.h"
#include "credit/customer.h"
#include "credit/order_change.h"
#include "hit/hit.h"
#include "rollup/changes.h"

namespace footfall {

// What was stored and folded of keys of KeyedDatabase::orders that begin so, in key order.
using SeeStoredOrder = std::function<void(std::string_view key, std::string_view value)>;
using EachStoredOrder = std::function<void(std::string_view prefix, const SeeStoredOrder& see)>;

// The same of what came since the last fold, by key; both timelines share it.
using RecentOrders = std::map<std::string, std::string, std::less<>>;

class OrderBook {
 public:
  OrderBook(Sites& sites, const StringHasher& hasher, Changes& changes, Bookings& bookings, RecentOrders& recent,
            EachStoredOrder each_stored)
      : sites_(sites), hasher_(hasher), changes_(changes), bookings_(bookings), recent_(recent),
        each_stored_(std::move(each_stored)) {}

  struct Order {
    std::string key;
    Bookings::Order told;     // in its own currency
    Bookings::Order booking;  // in the site's, where there is a rate
    int64_t rate_trillionths = 0;
  };
  // nullopt: rejected or a repeat, and counted as such. Views of the hit.
  std::optional<Order> accept(const Site& site, const Hit& hit, const Event& event);
  // Remembers it once it is booked, and settles what came to it before it was seen.
  void keep(const Site& site, Order order, const Hash128& visitor, const Origin& origin, std::span<const Touch> touches);
  void keep_goal(const Site& site, const Hash128& goal, const Hash128& visitor, std::span<const Touch> touches,
                 int64_t time_ms, int64_t value_micros);

  // All touches that led a customer to an order, in time order: those of whoever ordered under the same name before (`touches_of`
  // gives what they have by now), and the visitor's own. Remembers them with the customer.
  using TouchesOf = std::function<std::vector<Touch>(const Hash128& visitor)>;
  struct KnownCustomer {
    std::vector<Touch> touches;
    int64_t first_order_ms = 0;  // before this one; 0: there was none
  };
  KnownCustomer touches_of_customer(const Site& site, const Hash128& customer, const Hash128& visitor,
                                    std::span<const Touch> own, int64_t time_ms, const TouchesOf& touches_of);

  // What a currency was worth on a day, as `import rates` tells it (event_line.h); false: the event tells no rate.
  bool take_rate(const Site& site, const Hit& hit, const Event& event);

  // The rate of that time's day, else the newest of the seven days before it, else the configuration's.
  std::optional<Rate> rate_of(const Site& site, Currency currency, int64_t time_ms) const;

  // Entries of any kind (rollup/keys.h) whose key begins so, stored or not yet; and a new one.
  void each(std::string_view prefix, const SeeStoredOrder& see) const;
  void set(std::string key, std::string value);

  // An event that was told by itself and has an id counts once, as orders do.
  bool is_new_event(const Site& site, const Hit& hit, const Event& event);
  // A refund, a cancellation, another value. False: rejected, and counted as such.
  bool change(const Site& site, const Hit& hit, const Event& event);

  // As if that import had told nothing of the order with that id: what others told of it is settled anew where that makes a
  // difference, and waits where the order itself is gone. What the import told is not taken out here.
  void leave_out(const Site& site, const Hash128& id, uint16_t import);

 private:
  struct Known {
    uint16_t import = 0;
    Conversion order;
  };
  // What one import told of an order later.
  struct Told {
    std::string key;
    uint16_t import = 0;
    std::vector<OrderChange> changes;
    bool is_changed = false;
  };
  struct Turn {
    Told* told;
    OrderChange* change;
  };

  uint16_t import() const { return changes_.import(); }
  std::string key_of(const Site& site, uint8_t kind, const Hash128& hash) const {
    return order_key(site.number, kind, hash, import());
  }
  bool is_known(std::string_view key, int64_t time_ms) const;
  std::optional<Conversion> find(const Site& site, const Hash128& id, int64_t time_ms) const;
  std::string rate_key(const Site& site, Currency currency, std::string_view day) const;
  std::vector<Known> orders_of(const Site& site, const Hash128& id) const;
  const Known* order_of(const std::vector<Known>& orders, const OrderChange& change, std::optional<uint16_t> without) const;
  std::vector<Told> told_of(const Site& site, const Hash128& id) const;
  static std::vector<Turn> in_turn(std::vector<Told>& told);
  std::vector<OrderChange> settled_with(const Conversion& order, std::span<const OrderChange> changes) const;
  // False: it is in a currency that cannot be compared with the order's.
  bool settle(const Site& site, const Conversion& order, std::span<const OrderChange> before, OrderChange& change);
  // `sign` -1: what was booked so is taken back.
  void book(const Site& site, const Conversion& order, const OrderChange& change, int sign = 1);
  // Under the number of the import that told it.
  void book(const Site& site, const Conversion& order, const Turn& turn, int sign = 1);
  void settle_earlier(const Site& site, const Hash128& id, const Conversion& order);

  Sites& sites_;
  const StringHasher& hasher_;
  Changes& changes_;
  Bookings& bookings_;
  RecentOrders& recent_;
  const EachStoredOrder each_stored_;
};

}  // namespace footfall
