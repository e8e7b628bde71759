// What a hit means: one function that reads a hit in the order of time and settles bot, visit, touch, events, orders
// and goals, booking each fact as it goes. Knows no lane, no file and no clock.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/bookings.h"
#include "aggregate/journeys.h"
#include "aggregate/order_book.h"
#include "aggregate/sites.h"
#include "aggregate/spend_book.h"
#include "credit/order.h"
#include "hit/hit.h"
#include "hit/text_memo.h"
#include "rollup/changes.h"
#include "rollup/summary.h"
#include "visit/bots.h"
#include "visit/visit_record.h"
#include "visit/visitor.h"

namespace footfall {

// What was stored and folded before; nullopt: nothing.
using FindStored = std::function<std::optional<std::string>(KeyedDatabase database, std::string_view key)>;
class Engine {
 public:
  // One engine per timeline; both share changes and recent orders. An order counts once whatever timeline told it.
  Engine(Timeline timeline, Sites& sites, const StringHasher& hasher, AgentClassifier classify, Changes& changes,
         RecentOrders& recent_orders, FindStored find_stored, EachStoredOrder each_stored_order);

  // Takes up an open visit that was stored, if it is of this timeline. `key` as in rollup/keys.h.
  void restore_open_visit(std::string_view key, std::string_view value);
  // Lets go of every visitor, after a flush: what is stored is read again.
  void forget();

  // The clock of the hits goes on from there, and those of earlier imports stand there, in seconds.
  void set_clocks(int64_t clock_s, std::map<uint16_t, int64_t> import_clocks_s);
  int64_t clock_s() const { return bookings_.clock_s(); }
  void set_horizons(const Horizons& horizons) { bookings_.set_horizons(horizons); }
  void merge_import_clocks(uint16_t through) { footfall::merge_import_clocks(import_clocks_s_, through); }
  // Of each import so far, the newest 1,000.
  const std::map<uint16_t, int64_t>& import_clocks_s() const { return import_clocks_s_; }

  // Its open visits close, as `instead`'s, and what is stored of it goes with the next flush. After a fold.
  void forget_visitor(const Hash128& visitor, const Hash128& instead, Forgotten& found);

  // Of hits that are counted soon, in their order: what is known of their visitors is on its way then. Changes no figure.
  void expect(const Hit& hit, std::string_view site_name);
  // Hits come in order of time; one that is older than the hits before it is `late`.
  void count(const Hit& hit, std::string_view site_name, bool late);

  // Puts every changed visitor and visit into the changes: before each checkpoint.
  void flush();

  // Closes visits that are over at `time_ms` where no hit said so, and those idle longest beyond open_visits_max. Lets go
  // of what can be read from the store: visitors without a visit, and where there are too many, visits idle longest. After
  // a fold, when all that was stored is found again.
  void settle(int64_t time_ms);
  // Closes visits alone; at any time.
  void close_visits(int64_t time_ms);

  size_t open_visits() const;
  // Visits closed before their time since this engine began, as more than open_visits_max were open.
  uint64_t closed_early() const { return closed_early_; }
  // So many open visits stay in memory at a settle at least, so many at most.
  void set_visits_in_memory(size_t least, size_t most) { visits_kept_ = least, visits_max_ = most; }

 private:
  struct VisitorKey {
    uint16_t site = 0;
    Hash128 visitor;
    bool operator==(const VisitorKey&) const = default;
    template <class H>
    friend H AbslHashValue(H state, const VisitorKey& key) {
      return H::combine(std::move(state), key.visitor.low ^ key.site);
    }
  };
  struct Entry {
    Visitor visitor;
    std::unique_ptr<OpenVisit> visit;
    bool visitor_changed = false;
    bool visit_changed = false;
    bool visitor_stored = false;
    bool visit_stored = false;
    bool is_listed = false;  // in changed_
  };
  struct VisitEnd {
    int64_t time_ms;
    VisitorKey key;
    bool operator>(const VisitEnd& other) const { return time_ms > other.time_ms; }
  };
  void go_to(int64_t time_ms);
  bool is_forgotten(const VisitorKey& key, const Visitor& visitor) const;
  void see(const Hit& hit, Visitor& visitor) const;
  static int64_t gap_ms(const Site& site) { return site.config.visit_gap_s * 1000; }
  static VisitorKey key_of(const Site& site, const Hit& hit) {
    return {site.number, hit.id_key.is_zero() ? hit.anonymous_key : hit.id_key};
  }
  void expect_entry(const VisitorKey& key) { visitors_.prefetch(key); }
  void expect_visit(const VisitorKey& key);
  void expect_beyond(const std::vector<VisitorKey>& keys, size_t i);
  Entry& entry_of(const VisitorKey& key);
  // In memory, or its open visit in the store; nullptr: neither. Moves other entries.
  Entry* find_open(const VisitorKey& key);
  void load_open_visit(const VisitorKey& key, Entry& entry);
  void close_beyond_most();
  void spill();
  void count_of_visitor(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit);
  void count_without_visitor(Site& site, const Hit& hit);
  // What an agent says of itself.
  struct Agent {
    BotVerdict verdict;
    Device device = Device::other;
    Browser browser = Browser::other;
    System system = System::other;

    bool is_bot() const { return verdict.bot != BotClass::none; }
  };
  Agent agent(std::string_view text);
  const Agent& known_agent(std::string_view text);
  // The device is `bot` for a bot, however it was told.
  Agent judge(const Hit& hit, Behaviour behaviour);
  bool is_spam(const Site& site, const Hit& hit);
  void notice_behaviour(const Site& site, const Hit& hit, Entry& entry);
  // An open visit that the hit belongs to.
  static bool has_visit_for(const Site& site, const Entry& entry, const Hit& hit);
  void take_over_visit(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit);
  void take_over(const VisitorKey& key, Entry& entry, Entry& from, const Hit& hit);
  void note_change(const VisitorKey& key, Entry& entry);
  void store_visitor(const VisitorKey& key, Entry& entry);
  OpenVisit& open_or_extend(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit);
  void close(const VisitorKey& key, Entry& entry);
  void keep_steps(const VisitorKey& key, Visit& visit);
  void add_touch(const Site& site, const Hit& hit, Entry& entry, Touch touch);
  // `entry` null: nobody known.
  struct LedToOrder {
    std::vector<Touch> touches;
    int64_t first_order_ms = 0;  // of the same buyer, before this one; 0: none
  };
  LedToOrder touches_of_order(const Site& site, Entry* entry, const Hash128& visitor, const Hit& hit, const Event& event);
  void count_cohort(const Site& site, const Hit& hit, const OrderBook::Order& order, const LedToOrder& led);
  std::vector<Touch> touches_of(const VisitorKey& key) const;
  void go_on_with(const VisitorKey& key, Visit& visit);
  void count_page(Site& site, Entry& entry, const Hit& hit, const Bookings::Page& page);
  void count_event(Site& site, Entry& entry, const Hit& hit, const Event& event);
  void count_order(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit, const Event& event);
  // `event` null: the hit is a page view.
  void reach_goals(Site& site, const VisitorKey& key, Entry& entry, const Hit& hit, const Event* event);
  Sites& sites_;
  const StringHasher& hasher_;
  const AgentClassifier classify_;
  const FindStored find_stored_;
  const Timeline timeline_;
  Changes& changes_;
  Bookings bookings_;
  JourneyMemo journeys_;
  absl::flat_hash_map<VisitorKey, Entry> visitors_;
  std::priority_queue<VisitEnd, std::vector<VisitEnd>, std::greater<>> ends_;  // of open visits, and maybe others
  size_t spilled_ = 0;  // open visits that are in the store alone
  size_t visits_kept_ = 40'000, visits_max_ = 50'000;
  uint64_t closed_early_ = 0;
  static constexpr size_t kExpected = 16, kVisitsExpectedBehind = 12;
  std::array<VisitorKey, kExpected> expected_{};  // those told last, in a ring
  size_t told_ = 0;
  std::vector<VisitorKey> changed_;  // of those whose visitor or visit changed since the last flush, and maybe others
  OrderBook orders_;
  SpendBook spend_;
  uint16_t clock_import_ = 0;  // the import that the clock is of
  std::map<uint16_t, int64_t> import_clocks_s_;
  absl::flat_hash_map<Hash128, Agent> known_agents_;
  TextMemo<Agent, 256, 512> near_agents_;  // of these, those that came of late: found without a hash of 128 bits
  std::string listed_nowhere_;  // the last referrer's host that is no spam: mostly it is the next one's
};

}  // namespace footfall
