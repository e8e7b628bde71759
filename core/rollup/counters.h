// The counters of a rollup, and their sum. Numbers are stored: append, never reorder. Meaning: core/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/box.h"
#include "credit/model.h"
#include "rollup/distinct.h"
#include "rollup/quantiles.h"

namespace footfall {

enum class Counter : uint8_t {
  hits = 0,
  bytes = 1,
  errors_4xx = 2,
  errors_5xx = 3,
  bot_hits = 4,
  late_hits = 5,
  excluded_hits = 6,
  pageviews = 7,
  entries = 8,
  exits = 9,
  bounces = 10,           // by page: of the entry page
  visits = 11,            // by page: visits that viewed it
  duration_ms = 12,       // sum over visits
  visits_converted = 13,  // visits with an order or a reached goal
  visits_with_cart = 14,  // visits with add_to_cart
  visits_cart_left = 15,  // … and no order
  events = 16,            // orders too
  duplicate_orders = 17,
  rejected_orders = 18,
  malformed_events = 19,  // hits whose event header was off its grammar
  // Credited, in millionths of a conversion, order or item: by model (see credit()).
  conversions_last = 20,
  conversions_last_non_direct = 21,
  conversions_first = 22,
  orders_last = 23,
  orders_last_non_direct = 24,
  orders_first = 25,
  items_last = 26,
  items_last_non_direct = 27,
  items_first = 28,
  pages_left = 29,    // page views with a next one in the visit
  page_time_ms = 30,  // from them to the next one
  // Of models that share: what they give beyond `last`, which mostly is nothing.
  conversions_linear = 31,
  conversions_position = 32,
  conversions_time_decay = 33,
  orders_linear = 34,
  orders_position = 35,
  orders_time_decay = 36,
  items_linear = 37,
  items_position = 38,
  items_time_decay = 39,
  clicks = 40,  // of what was paid for, as the shop was told
  impressions = 41,
  // Of the steps of journeys (rollup/journey_key.h): of those that converted, at that time; of those that have not, signed,
  // as they change; and once more at the time of their last touch.
  journeys_converted = 42,
  journeys_standing = 43,
  journeys_last_touched = 44,
  customers = 45,  // of cohorts: those who ordered for the first time
};
inline constexpr size_t kCounters = 46;
inline constexpr bool is_credited(Counter counter) {
  return (counter >= Counter::conversions_last && counter <= Counter::items_first) ||
         (counter >= Counter::conversions_linear && counter <= Counter::items_time_decay);
}
inline constexpr bool is_shared(Counter counter) {
  return counter >= Counter::conversions_linear && counter <= Counter::items_time_decay;
}

// 128-bit sums, in micros of the site's currency (by the dimension `currency`: of the row's own).
enum class Amount : uint8_t {
  revenue_last = 0,
  revenue_last_non_direct = 1,
  revenue_first = 2,
  goal_value = 3,
  refunds_last = 4,  // by the order's touches, in the refund's own bucket
  refunds_last_non_direct = 5,
  refunds_first = 6,
  revenue_linear = 7,  // of models that share: beyond `last`
  revenue_position = 8,
  revenue_time_decay = 9,
  refunds_linear = 10,
  refunds_position = 11,
  refunds_time_decay = 12,
  cost = 13,
  // Over orders, an order's touches in the row added first: what intervals are made of (credit/intervals.h).
  revenue_squares_last = 14,             // square micros
  revenue_squares_last_non_direct = 15,  // of all other models: beyond `last`
  revenue_squares_first = 16,
  revenue_squares_linear = 17,
  revenue_squares_position = 18,
  revenue_squares_time_decay = 19,
  order_squares_linear = 20,  // square millionths, beyond what they are where each order is one touch's
  order_squares_position = 21,
  order_squares_time_decay = 22,
};
inline constexpr size_t kAmounts = 23;

inline constexpr bool is_shared(Amount amount) {
  return (amount >= Amount::revenue_linear && amount <= Amount::refunds_time_decay) ||
         amount >= Amount::revenue_squares_last_non_direct;
}

// The sum of a model, where that of `last` is known.
inline constexpr Counter credited(Counter last, Model model) {
  const unsigned of = static_cast<unsigned>(last) - static_cast<unsigned>(Counter::conversions_last);
  if (gives_whole(model)) return static_cast<Counter>(static_cast<unsigned>(last) + static_cast<unsigned>(model));
  return static_cast<Counter>(static_cast<unsigned>(Counter::conversions_linear) + of + static_cast<unsigned>(model) -
                              static_cast<unsigned>(Model::linear));
}
inline constexpr Amount credited(Amount last, Model model) {
  const auto place = static_cast<unsigned>(model);
  if (gives_whole(model) || last == Amount::revenue_squares_last) return static_cast<Amount>(static_cast<unsigned>(last) + place);
  const Amount linear = last == Amount::revenue_last ? Amount::revenue_linear : Amount::refunds_linear;
  return static_cast<Amount>(static_cast<unsigned>(linear) + place - static_cast<unsigned>(Model::linear));
}
// Of a model that shares an order.
inline constexpr Amount order_squares(Model model) {
  return static_cast<Amount>(static_cast<unsigned>(Amount::order_squares_linear) + static_cast<unsigned>(model) -
                             static_cast<unsigned>(Model::linear));
}

// Hundreds of thousands are in memory at once, and few of them have a rare counter or an amount.
class Counters {
 public:
  Distinct visitors;
  Box<Quantiles> took_ms;  // of hits: how long requests took; absent where none is known

  int64_t& operator[](Counter counter) {
    const Place at = place(counter);
    return at.in == In::plain ? plain_[at.i] : at.in == In::rare ? rare_.need().counts[at.i] : need_shared().counts[at.i];
  }
  int64_t operator[](Counter counter) const {
    const Place at = place(counter);
    if (at.in == In::plain) return plain_[at.i];
    if (at.in == In::rare) return rare_ ? rare_->counts[at.i] : 0;
    return shared_ ? shared_->counts[at.i] : 0;
  }
  __int128& operator[](Amount amount) {
    return is_shared(amount) ? need_shared().amounts[place(amount)] : rare_.need().amounts[place(amount)];
  }
  __int128 operator[](Amount amount) const {
    if (is_shared(amount)) return shared_ ? shared_->amounts[place(amount)] : 0;
    return rare_ ? rare_->amounts[place(amount)] : 0;
  }

  // What a model gives. By a dimension that is no touch's, and in totals, all models give the same.
  int64_t credit(Counter last, Model model) const {
    const int64_t own = (*this)[credited(last, model)];
    return gives_whole(model) ? own : own + (*this)[last];
  }
  __int128 credit(Amount last, Model model) const {
    const Amount of = credited(last, model);
    return is_shared(of) ? (*this)[of] + (*this)[last] : (*this)[of];
  }
  // Square millionths, over orders.
  __int128 order_squares(Model model) const {
    const __int128 whole = static_cast<__int128>(credit(Counter::orders_last, gives_whole(model) ? model : Model::last)) * kCreditWhole;
    return gives_whole(model) ? whole : whole + (*this)[footfall::order_squares(model)];
  }

  // The most that one order brought the row, in micros: no sum, merging keeps the larger.
  int64_t largest_revenue_micros(Model model) const {
    if (model == Model::last || !shared_) return rare_ ? rare_->largest_micros : 0;
    return shared_->largest_micros[static_cast<size_t>(model)];
  }
  void see_revenue(Model model, int64_t micros);
  void see_revenue(int64_t micros);  // by all models

  // see(number, value) for each that is not zero, in the order of their numbers.
  template <class See>
  void each(See see) const {
    const auto see_all = [&](const int64_t* values, size_t number, size_t end) {
      for (; number < end; ++number, ++values)
        if (*values != 0) see(number, *values);
    };
    see_all(plain_.data(), 0, kFirstRare);
    if (rare_) see_all(rare_->counts.data(), kFirstRare, kNextPlain);
    see_all(plain_.data() + kFirstRare, kNextPlain, kFirstShared);
    if (shared_) see_all(shared_->counts.data(), kFirstShared, kNextRare);
    if (rare_) see_all(rare_->counts.data() + (kNextPlain - kFirstRare), kNextRare, kCounters);
  }

  bool is_zero() const;
  void merge(const Counters& other);
  void merge_sums(const Counters& other);         // without visitors and times
  bool has_rare() const { return rare_ || shared_; }
  bool has_sums_of(const Counters& other) const;              // whatever the visitors, the times and the largest order

 private:
  // The numbers at which plain, rare and shared ones take turns.
  static constexpr size_t kFirstRare = static_cast<size_t>(Counter::conversions_last);
  static constexpr size_t kNextPlain = static_cast<size_t>(Counter::pages_left);
  static constexpr size_t kFirstShared = static_cast<size_t>(Counter::conversions_linear);
  static constexpr size_t kNextRare = static_cast<size_t>(Counter::clicks);
  static constexpr size_t kSharedCounters = kNextRare - kFirstShared;
  static constexpr size_t kRareCounters = kNextPlain - kFirstRare + kCounters - kNextRare;
  static constexpr size_t kPlainCounters = kCounters - kRareCounters - kSharedCounters;
  static constexpr size_t kRareAmounts = 9;  // revenue, goal_value, refunds, cost, revenue_squares_last
  static constexpr size_t kSharedAmounts = kAmounts - kRareAmounts;

  struct Rare {
    std::array<int64_t, kRareCounters> counts{};
    std::array<__int128, kRareAmounts> amounts{};
    int64_t largest_micros = 0;
    bool operator==(const Rare&) const = default;
  };
  struct Shared {
    std::array<int64_t, kSharedCounters> counts{};
    std::array<__int128, kSharedAmounts> amounts{};
    std::array<int64_t, kModels> largest_micros{};
  };
  Shared& need_shared();  // with the largest that there were

  enum class In : uint8_t { plain, rare, shared };
  struct Place {
    In in;
    size_t i;
  };
  static constexpr Place place(Counter counter) {
    const size_t number = static_cast<size_t>(counter);
    if (number < kFirstRare) return {In::plain, number};
    if (number < kNextPlain) return {In::rare, number - kFirstRare};
    if (number < kFirstShared) return {In::plain, number - (kNextPlain - kFirstRare)};
    if (number < kNextRare) return {In::shared, number - kFirstShared};
    return {In::rare, number - kNextRare + (kNextPlain - kFirstRare)};
  }
  static constexpr size_t place(Amount amount) {
    const size_t number = static_cast<size_t>(amount);
    constexpr size_t kFirst = static_cast<size_t>(Amount::revenue_linear), kCost = static_cast<size_t>(Amount::cost);
    if (number < kFirst) return number;
    if (number < kCost) return number - kFirst;
    return amount <= Amount::revenue_squares_last ? number - kCost + kFirst : number - kFirst - 2;
  }
  static_assert(kAmounts == 23 && kCounters == 46, "their places");

  std::array<int64_t, kPlainCounters> plain_{};
  Box<Rare> rare_;
  Box<Shared> shared_;
};

// As a serialised footfall.v1.Rollup. The same counters always give the same bytes.
std::string encode_counters(const Counters& counters);
void encode_counters(const Counters& counters, std::string& to);  // replaces what `to` holds

// Adds what is encoded to `to`. False: the bytes are no rollup; `to` is then as it was.
bool merge_encoded_counters(std::string_view bytes, Counters& to);

}  // namespace footfall
