// Which counters a fact goes to: one function per fact, each adding to the deltas of the running checkpoint. The rules
// of which dimension gets which figure live here and nowhere else; core/README.md tells them to users.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "aggregate/sites.h"
#include "base/keyed_hash.h"
#include "credit/model.h"
#include "credit/spend_record.h"
#include "hit/hit.h"
#include "rollup/changes.h"
#include "rollup/retention.h"
#include "visit/bots.h"
#include "visit/browser.h"
#include "visit/device.h"
#include "visit/visit_record.h"

namespace footfall {

// Where somebody sits, and at what: of a visit by its first hit, of who has none by the hit.
struct Origin {
  std::string_view country;  // empty: not known
  Device device = Device::other;
  Browser browser = Browser::other;
  System system = System::other;
  NewReturning new_returning = NewReturning::unknown;
};
inline Origin origin_of(const Visit& visit) {
  return {visit.country, visit.device, visit.browser, visit.system, visit.new_returning};
}

// The dimensions of a touch.
struct TouchText {
  Dimension dimension;
  std::string Touch::*text;
};
inline constexpr TouchText kTouchTexts[] = {
    {Dimension::channel, &Touch::channel},   {Dimension::source, &Touch::source},
    {Dimension::medium, &Touch::medium},     {Dimension::campaign, &Touch::campaign},
    {Dimension::referrer_host, &Touch::referrer_host}, {Dimension::content, &Touch::content_label},
    {Dimension::term, &Touch::term},         {Dimension::code, &Touch::code},
    {Dimension::referrer, &Touch::referrer},
};

// An open visit with the rows that its figures go to, whatever its pages.
struct OpenVisit : Visit {
  const RowGroup* rows = nullptr;
  uint64_t rows_of = 0;  // Changes::groups_number() that they are of; another one: to be looked for again
};

class Bookings {
 public:
  static constexpr int64_t kFirstClockS = -(int64_t{1} << 40);  // before any hit

  Bookings(Changes& changes, const StringHasher& hasher) : changes_(changes), hasher_(hasher) {}

  // The time at which things are booked, by the clock of the hits.
  void set_clock_s(int64_t clock_s) { clock_s_ = clock_s; }
  int64_t clock_s() const { return clock_s_; }
  // What is too old to be kept. Of imports nothing is booked by a level that would not keep it: days of an old log have
  // far fewer rows than its hours.
  void set_horizons(const Horizons& horizons);

  // A page's path by its hash, so that it is hashed once a hit.
  struct Page {
    std::string_view path;
    Hash128 value;
  };

  // Facts of any hit.
  void hit(const Site& site, const Hit& hit, const Page& page, const BotVerdict& bot, Device device);
  void count(const Site& site, int64_t time_ms, Counter counter);  // in the site's total alone

  // Facts of a visit. The figures go to the bucket of its first hit; a page view or event to its own.
  void visit_began(const Site& site, OpenVisit& visit);
  // Before the visit is told of a view that follows its last page: that is its exit no more, and was looked at until then.
  void exit_passed(const Site& site, OpenVisit& visit, int64_t next_view_ms);
  struct View {
    int64_t time_ms = 0;
    Page page;
    std::string_view search_term;
    bool is_entry = false;
    bool is_exit = false;       // no later page is known
    bool first_of_page = false; // in the visit
  };
  // `before`: what the visit stood for before the view.
  void page_view(const Site& site, OpenVisit& visit, const VisitFigures& before, const View& view);
  void event(const Site& site, OpenVisit& visit, const VisitFigures& before, int64_t time_ms, const Event& event);
  // Of nobody known.
  // A page view of nobody known, which is in no visit.
  void view_alone(const Site& site, int64_t time_ms, const Page& page, std::string_view term, const Origin& origin);
  void event_alone(const Site& site, int64_t time_ms, const Event& event, const Origin& origin);
  void figures_changed(const Site& site, OpenVisit& visit, const VisitFigures& before);
  // The exit page is known now; for a visit without page view that there is no entry page either. Browser and all else that
  // is booked late goes along.
  void visit_closed(const Site& site, const Visit& visit);
  // What visit_closed booked is taken back: the visit goes on.
  void visit_reopened(const Site& site, const Visit& visit);
  // The visit as such, without what was viewed and told in it: given to (`sign` 1) or taken from (-1) the import that
  // goes on with it, once the one that it is from is undone.
  void visit_carried(const Site& site, const Visit& visit, int sign);

  // A conversion. `touches` are those that the visitor had, in time order: it is credited over those in the site's lookback, and
  // what each other lookback would give is counted as well.
  struct ItemSum {
    std::string_view name;  // the item's id, or a category; empty: none
    int64_t quantity = 0;
    int64_t value_micros = 0;
  };
  struct Order {
    int64_t time_ms = 0;
    uint64_t items = 0;
    bool has_rate = true;      // false: value_micros is in `currency`, which has no rate
    int64_t value_micros = 0;  // in the site's currency
    Currency currency;         // as it was told
    std::string_view coupon{};
    std::string_view coverage{};  // what is known of how the buyer came first
    // What came to an order that was counted before: no order, no pieces; its parts are of the refund.
    bool is_change = false;
    int64_t order_ms = 0;       // when that order came, which the ages of its touches are told by
    int64_t refund_micros = 0;  // in the money of value_micros, which is then what came in addition
    // Each id and category once, those of one id together; of these sums, by each name. In the money of value_micros;
    // views of the hit.
    std::vector<KeptItem> parts{};
    std::vector<ItemSum> by_item{}, by_category{};
  };
  void order(const Site& site, const Order& order, const Origin& origin, std::span<const Touch> touches);
  struct Goal {
    int64_t time_ms = 0;
    std::string_view name;
    std::string_view event{};  // empty: reached by a page
    std::string_view item{};   // of the event
    int64_t value_micros = 0;
  };
  void goal(const Site& site, const Goal& goal, const Origin& origin, std::span<const Touch> touches);

  // A customer's order, by what brought the customer first (in the bucket of that touch) and in the bucket of the first order.
  void customer_ordered(const Site& site, const Order& order, const Touch& first_touch, int64_t first_order_ms, bool is_new);

  // A step of a journey (journeys.h) that stands from now on, or no longer (`sign` -1); and of one that converted.
  // One touch of somebody new, whose campaign is not known, as it comes: one step by each dimension, whatever the lookback.
  void journey_begins(const Site& site, const Touch& touch);
  void step_stands(const Site& site, Dimension dimension, std::string_view step, int64_t now_ms, int64_t last_touch_ms, int sign);
  // All of one, as a group of rows: `each_step` gives its steps, one by one, to what it is given.
  template <class EachStep>
  void journey_stands(const Site& site, const Hash128& values, uint8_t lookbacks, int64_t now_ms, int64_t last_touch_ms, int sign,
                      const EachStep& each_step) {
    const RowGroup& rows = changes_.group(name_of_journey(values, lookbacks), [&] {
      RowGroup rows;
      each_step([&](Dimension dimension, std::string_view step) { rows.push_back(row(dimension, step)); });
      return rows;
    });
    journey_stands(site, rows, now_ms, last_touch_ms, sign);
  }
  void journey_converted(const Site& site, Dimension dimension, std::string_view step, int64_t time_ms);

  // What marketing cost on a day, in the day's first hour (`sign` 1), or what was booked of it taken back (-1).
  void spend(const Site& site, int64_t day_ms, const SpendBooking& spend, int sign);

 private:
  // Groups are known by names that no visit's hash is like: the high half is a small number.
  static constexpr uint64_t kOfHits = uint64_t{1} << 40, kOfLateOrigins = uint64_t{2} << 40, kOfLateTouches = uint64_t{3} << 40,
                            kOfJourneys = uint64_t{4} << 40, kOfStandingJourneys = uint64_t{5} << 40;
  static Hash128 name_of_journey(const Hash128& values, uint8_t lookbacks);
  void journey_stands(const Site& site, const RowGroup& rows, int64_t now_ms, int64_t last_touch_ms, int sign);
  struct Conversion {
    int64_t time_ms = 0;
    int64_t journey_ms = 0;  // the time up to which its journey goes
    int64_t orders = 0, items = 0, conversions = 0;  // millionths
    int64_t revenue_micros = 0, refund_micros = 0, goal_value_micros = 0;
    bool operator==(const Conversion&) const = default;
    void add(const Conversion& other) {  // its credit and money
      orders += other.orders;
      items += other.items;
      conversions += other.conversions;
      revenue_micros += other.revenue_micros;
      refund_micros += other.refund_micros;
    }
  };
  struct ByModel {
    std::array<Conversion, kModels> parts{};
    bool operator==(const ByModel&) const = default;
    bool has_order() const {
      return std::any_of(parts.begin(), parts.end(), [](const Conversion& part) { return part.orders != 0; });
    }
    Conversion& operator[](Model model) { return parts[static_cast<size_t>(model)]; }
    const Conversion& operator[](Model model) const { return parts[static_cast<size_t>(model)]; }
    void add(const ByModel& other) {
      for (size_t model = 0; model < kModels; ++model) parts[model].add(other.parts[model]);
    }
  };
  // The finest bucket that something is booked by.
  struct FinestBucket {
    int64_t start_s = 0, next_s = 0;
    Level level = Level::minute;
  };
  // Hours of imports, found by the time that they hold.
  struct Hour {
    uint16_t site = 0;
    int64_t start_s = 0, next_s = 0;
    FinestBucket finest{};
  };

  Hash128 value_of(std::string_view text) const;  // null for an empty one
  Page page_of(std::string_view path) const { return {path, value_of(path)}; }
  GroupRow row(Dimension dimension, std::string_view text) const;
  BucketTime bucket(const Site& site, int64_t time_ms) {
    const bool is_import = changes_.import() != 0;
    if (time_ms != last_time_ms_ || site.number != last_site_ || is_import != last_was_import_) {
      last_bucket_ = find_bucket(site, time_ms);
      last_time_ms_ = time_ms;
      last_site_ = site.number;
      last_was_import_ = is_import;
    }
    return {last_bucket_.start_s, lateness(site, last_bucket_), last_bucket_.level};
  }
  FinestBucket find_bucket(const Site& site, int64_t time_ms);
  FinestBucket find_bucket_of_import(const Site& site, int64_t hour_s) const;
  Lateness lateness(const Site& site, const FinestBucket& bucket) const {
    const bool is_in_time = clock_s_ < bucket.next_s + settles_after_s(bucket.level);
    return is_in_time ? Lateness{} : find_lateness(site.zone, bucket.level, bucket.start_s, clock_s_);
  }
  Counters& at(const Site& site, Dimension dimension, int64_t time_ms, std::string_view text);
  Counters& at(const Site& site, Dimension dimension, int64_t time_ms, const Page& page);
  const RowGroup& hit_rows(const Hit& hit, const BotVerdict& bot, Device device);
  const RowGroup& rows_of(OpenVisit& visit);
  // What is booked late beside the exit page and the referrer: whose browser it was, and the rest of the first touch.
  const RowGroup& late_origin_rows(const Visit& visit);
  const RowGroup& late_touch_rows(const Visit& visit);
  // To the total, the first touch's dimensions and those of its origin.
  Counters& visit_rows(const Site& site, OpenVisit& visit, int64_t time_ms) {
    return changes_.at(site.number, bucket(site, time_ms), rows_of(visit));
  }
  template <class Change>
  void each_touch_dimension(const Site& site, const Touch& touch, int64_t time_ms, Change change) {
    for (const TouchText& of : kTouchTexts) change(at(site, of.dimension, time_ms, touch.*of.text));
  }
  template <class Change>
  void each_origin_dimension(const Site& site, const Origin& origin, int64_t time_ms, Change change) {
    change(at(site, Dimension::country, time_ms, origin.country));
    change(at(site, Dimension::device, time_ms, device_name(origin.device)));
    change(at(site, Dimension::browser, time_ms, browser_name(origin.browser)));
    change(at(site, Dimension::system, time_ms, system_name(origin.system)));
    change(at(site, Dimension::new_returning, time_ms, new_returning_name(origin.new_returning)));
  }
  // By the page itself, what was searched for with it, and its group where the site has any.
  template <class Change>
  void each_page_dimension(const Site& site, int64_t time_ms, const Page& page, std::string_view term, Change change);
  void change_figures(const Site& site, OpenVisit& visit, const VisitFigures& before, bool with_entry_page);
  void whole_visit(const Site& site, const Visit& visit, Dimension dimension, std::string_view page);
  // A visit by bucket, that of its start first; its visitor apart. The parts live until the next call.
  struct VisitPart {
    BucketTime bucket;
    Counters counters;
  };
  std::span<const VisitPart> parts_of(const Site& site, const Visit& visit, int sign);
  void add_part(const Visit& visit, const VisitPart& part, int sign, Counters& to);
  void until_closed(const Site& site, const Visit& visit, int sign);
  void items(const Site& site, Dimension dimension, std::span<const ItemSum> sums, const Order& order,
             const Conversion& whole);
  void credit(const Site& site, const Conversion& conversion, const Origin& origin, std::span<const Touch> touches);
  // What the touches of a journey get, a part each; without touches what nobody brought.
  struct Shared {
    Shared(const Conversion& whole, std::span<const Touch> journey);
    ByModel of(std::string Touch::*text, std::string_view value) const;
    std::span<const Touch> journey;
    std::vector<ByModel> parts;
  };
  void credit_touches(const Site& site, const Conversion& conversion, std::span<const Touch> journey);
  void credit_by_lookbacks(const Site& site, const Conversion& conversion, std::span<const Touch> touches, std::span<const Touch> own_journey);
  void credit_difference(const Site& site, const Conversion& conversion, size_t lookback, const Shared& by_it, const Shared& by_own);
  static void add_credit(Counters& to, const Conversion& conversion, Model model, int64_t sign = 1);
  // What intervals are made of, of an order that is the row's in all models.
  static void add_squares(Counters& to, const Conversion& order);
  // What each model gives a row of one conversion; the sums alone (`sign` -1: taken off), and with the largest order.
  static void add_shared_sums(Counters& to, const ByModel& parts, int sign);
  static void add_shared(Counters& to, const ByModel& parts);
  // Where no touch decides: the same in each model, and the goals' value.
  static void add_whole(Counters& to, const Conversion& conversion);

  Changes& changes_;
  const StringHasher& hasher_;
  // Where the time asked for last lies: one hit asks for its own again and again.
  int64_t last_time_ms_ = INT64_MIN;
  FinestBucket last_bucket_{};
  int64_t clock_s_ = kFirstClockS;
  uint16_t last_site_ = 0;
  bool last_was_import_ = false;
  Horizons horizons_;
  std::array<Hour, 16> hours_{};
  std::vector<VisitPart> parts_;
};

}  // namespace footfall
