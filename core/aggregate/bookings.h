// Which counters a fact goes to: one function per fact, each adding to the deltas of the running checkpoint. The rules
// of which dimension gets which figure live here and nowhere else; core/README.md tells them to users.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/keyed_hash.h"
#include "credit/model.h"
#include "hit/hit.h"
#include "rollup/changes.h"
#include "visit/visit_record.h"

namespace footfall {

class Bookings {
 public:
  Bookings(Changes& changes, const StringHasher& hasher) : changes_(changes), hasher_(hasher) {}

  // Facts of any hit.
  void hit(uint16_t site, const Hit& hit, bool is_bot);
  void count(uint16_t site, int64_t time_ms, Counter counter);  // in the site's total alone

  // Facts of a visit. The figures go to the bucket of its first hit; a page view or event to its own.
  void visit_began(uint16_t site, const Visit& visit);
  // `before`: the visit as it was before the view.
  void page_view(uint16_t site, const Visit& before, const Visit& after, std::string_view path, int64_t time_ms,
                 bool first_view_of_page);
  void event(uint16_t site, const Visit& before, const Visit& after, int64_t time_ms, std::string_view name);
  void figures_changed(uint16_t site, const Visit& before, const Visit& after);
  // The exit page is known now; for a visit without page view that there is no entry page either.
  void visit_closed(uint16_t site, const Visit& visit);

  // A conversion, credited over the journey.
  struct Order {
    int64_t time_ms = 0;
    uint64_t items = 0;
    bool has_rate = true;      // false: value_micros is in `currency`, which has no rate
    int64_t value_micros = 0;  // in the site's currency
    Currency currency;
  };
  void order(uint16_t site, const Order& order, std::span<const Touch> journey);
  struct Goal {
    int64_t time_ms = 0;
    std::string_view name;
    std::string_view event;  // empty: reached by a page
    int64_t value_micros = 0;
  };
  void goal(uint16_t site, const Goal& goal, std::span<const Touch> journey);

 private:
  struct Conversion {
    int64_t time_ms;
    int64_t orders, items, conversions;  // millionths
    int64_t revenue_micros, goal_value_micros;
  };
  using CounterChange = std::pair<Counter, int64_t>;

  Hash128 name(int64_t time_ms, std::string_view text);
  Counters& at(uint16_t site, Dimension dimension, int64_t time_ms, std::string_view text);
  template <class Change>
  void each_touch_dimension(uint16_t site, const Touch& touch, int64_t time_ms, Change change);
  // To the total, the first touch's dimensions and, once it has one, the entry page.
  template <class Change>
  void each_visit_dimension(uint16_t site, const Visit& visit, int64_t time_ms, Change change);
  void whole_visit(uint16_t site, const Visit& visit, Dimension dimension, std::string_view page);
  void credit(uint16_t site, const Conversion& conversion, std::span<const Touch> journey);
  static void add_credit(Counters& to, const Conversion& conversion, Model model);

  Changes& changes_;
  const StringHasher& hasher_;
};

}  // namespace footfall
