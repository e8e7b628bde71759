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
  // Credited, in millionths of a conversion, order or item: by model (see credited()).
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
};
inline constexpr size_t kCounters = 31;
inline constexpr size_t kCreditedCounters = 9;  // from conversions_last on
inline constexpr size_t kPlainCounters = kCounters - kCreditedCounters;
inline constexpr bool is_credited(Counter counter) {
  return counter >= Counter::conversions_last && counter <= Counter::items_first;
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
};
inline constexpr size_t kAmounts = 7;

// By a dimension that is no touch's, and in totals, the counters of all models hold the same.
inline constexpr Counter credited(Counter last, Model model) {
  return static_cast<Counter>(static_cast<unsigned>(last) + static_cast<unsigned>(model));
}
inline constexpr Amount credited(Amount last, Model model) {
  return static_cast<Amount>(static_cast<unsigned>(last) + static_cast<unsigned>(model));
}

// Hundreds of thousands are in memory at once, and few of them were ever credited anything.
class Counters {
 public:
  Distinct visitors;
  Box<Quantiles> took_ms;  // of hits: how long requests took; absent where none is known

  int64_t& operator[](Counter counter) {
    return is_credited(counter) ? credits_.need().counts[place(counter)] : plain_[place(counter)];
  }
  int64_t operator[](Counter counter) const {
    if (!is_credited(counter)) return plain_[place(counter)];
    return credits_ ? credits_->counts[place(counter)] : 0;
  }
  __int128& operator[](Amount amount) { return credits_.need().amounts[static_cast<size_t>(amount)]; }
  __int128 operator[](Amount amount) const { return credits_ ? credits_->amounts[static_cast<size_t>(amount)] : 0; }

  // see(number, value) for each that is not zero, in the order of their numbers.
  template <class See>
  void each(See see) const {
    constexpr size_t kFirst = static_cast<size_t>(Counter::conversions_last);
    const auto see_all = [&](const int64_t* values, size_t number, size_t end) {
      for (; number < end; ++number, ++values)
        if (*values != 0) see(number, *values);
    };
    see_all(plain_.data(), 0, kFirst);
    if (credits_) see_all(credits_->counts.data(), kFirst, kFirst + kCreditedCounters);
    see_all(plain_.data() + kFirst, kFirst + kCreditedCounters, kCounters);
  }

  bool is_zero() const;
  void merge(const Counters& other);
  void merge_sums(const Counters& other);         // without visitors and times
  bool has_credits() const { return static_cast<bool>(credits_); }
  bool has_sums_of(const Counters& other) const;  // whatever the visitors and times

 private:
  struct Credits {
    std::array<int64_t, kCreditedCounters> counts{};
    std::array<__int128, kAmounts> amounts{};
  };

  // Within the plain or the credited ones.
  static constexpr size_t place(Counter counter) {
    const size_t number = static_cast<size_t>(counter), first = static_cast<size_t>(Counter::conversions_last);
    if (is_credited(counter)) return number - first;
    return number < first ? number : number - kCreditedCounters;
  }

  std::array<int64_t, kPlainCounters> plain_{};
  Box<Credits> credits_;
};

// As a serialised footfall.v1.Rollup. The same counters always give the same bytes.
std::string encode_counters(const Counters& counters);
void encode_counters(const Counters& counters, std::string& to);  // replaces what `to` holds

// Adds what is encoded to `to`. False: the bytes are no rollup; `to` is then as it was.
bool merge_encoded_counters(std::string_view bytes, Counters& to);

}  // namespace footfall
