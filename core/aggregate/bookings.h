// Which counters a fact goes to: one function per fact, each adding to the deltas of the running checkpoint. The rules
// of which dimension gets which figure live here and nowhere else; core/README.md tells them to users.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "credit/model.h"
#include "hit/hit.h"
#include "rollup/changes.h"
#include "visit/bots.h"
#include "visit/device.h"
#include "visit/visit_record.h"

namespace footfall {

// Where somebody sits: of a visit by its first hit, of who has none by the hit.
struct Origin {
  std::string_view country;  // empty: not known
  Device device = Device::other;
};
inline Origin origin_of(const Visit& visit) { return {visit.country, visit.device}; }

class Bookings {
 public:
  Bookings(Changes& changes, const StringHasher& hasher) : changes_(changes), hasher_(hasher) {}

  // Facts of any hit.
  void hit(uint16_t site, const Hit& hit, BotClass bot, Device device);
  void count(uint16_t site, int64_t time_ms, Counter counter);  // in the site's total alone

  // Facts of a visit. The figures go to the bucket of its first hit; a page view or event to its own.
  void visit_began(uint16_t site, const Visit& visit);
  // `before`: the visit as it was before the view.
  void page_view(uint16_t site, const Visit& before, const Visit& after, const Hit& hit, bool first_view_of_page);
  void event(uint16_t site, const Visit& before, const Visit& after, int64_t time_ms, const Event& event);
  void figures_changed(uint16_t site, const Visit& before, const Visit& after);
  // The exit page is known now; for a visit without page view that there is no entry page either.
  void visit_closed(uint16_t site, const Visit& visit);

  // A conversion, credited over the journey.
  struct ItemSum {
    std::string_view id;
    int64_t quantity = 0;
    int64_t value_micros = 0;
  };
  struct Order {
    int64_t time_ms = 0;
    uint64_t items = 0;
    bool has_rate = true;      // false: value_micros is in `currency`, which has no rate
    int64_t value_micros = 0;  // in the site's currency
    Currency currency;
    std::vector<ItemSum> by_item{};  // each id once, in the money of value_micros; views of the hit
  };
  void order(uint16_t site, const Order& order, const Origin& origin, std::span<const Touch> journey);
  struct Goal {
    int64_t time_ms = 0;
    std::string_view name;
    std::string_view event{};  // empty: reached by a page
    std::string_view item{};   // of the event
    int64_t value_micros = 0;
  };
  void goal(uint16_t site, const Goal& goal, const Origin& origin, std::span<const Touch> journey);

 private:
  struct Conversion {
    int64_t time_ms = 0;
    int64_t orders = 0, items = 0, conversions = 0;  // millionths
    int64_t revenue_micros = 0, goal_value_micros = 0;
  };
  using CounterChange = std::pair<Counter, int64_t>;

  Hash128 name(int64_t time_ms, std::string_view text);
  Counters& at(uint16_t site, Dimension dimension, int64_t time_ms, std::string_view text);
  template <class Change>
  void each_touch_dimension(uint16_t site, const Touch& touch, int64_t time_ms, Change change);
  template <class Change>
  void each_origin_dimension(uint16_t site, const Origin& origin, int64_t time_ms, Change change);
  // To the total, the first touch's dimensions, those of its origin and, once it has one, the entry page.
  template <class Change>
  void each_visit_dimension(uint16_t site, const Visit& visit, int64_t time_ms, Change change);
  void whole_visit(uint16_t site, const Visit& visit, Dimension dimension, std::string_view page);
  void items(uint16_t site, const Order& order, const Conversion& whole);
  void credit(uint16_t site, const Conversion& conversion, const Origin& origin, std::span<const Touch> journey);
  static void add_credit(Counters& to, const Conversion& conversion, Model model);
  // Where no touch decides: the same in each model, and the goals' value.
  static void add_whole(Counters& to, const Conversion& conversion);

  Changes& changes_;
  const StringHasher& hasher_;
};

}  // namespace footfall
