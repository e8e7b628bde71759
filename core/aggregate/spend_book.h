// What marketing cost, by key and day: who tells a day again replaces it. Books each day in the rows that the touches of its
// key have (numbers of imports apart), so that spend goes with its import, merges and is kept like all that is counted.
#pragma once

#include "aggregate/bookings.h"
#include "aggregate/order_book.h"
#include "aggregate/sites.h"
#include "credit/spend_record.h"
#include "hit/hit.h"
#include "rollup/changes.h"
#include "rollup/summary.h"

namespace footfall {

class SpendBook {
 public:
  SpendBook(const StringHasher& hasher, Changes& changes, Bookings& bookings, OrderBook& orders)
      : hasher_(hasher), changes_(changes), bookings_(bookings), orders_(orders) {}

  // A hit with kHitSpend. What is off its form is counted as malformed.
  void take(const Site& site, const Hit& hit);

 private:
  // What the newest import told of that key and day.
  std::optional<SpendRecord> newest(std::string_view prefix) const;

  const StringHasher& hasher_;
  Changes& changes_;
  Bookings& bookings_;
  OrderBook& orders_;
};

// Before an import is taken out: a day that a later one told again was booked as the difference, which is then too little or
// too much by what goes. That is booked with the later one. Everything must be folded.
Status pass_on_spend(SummaryWriter& summary, Sites& sites, uint16_t import, Changes& changes, Bookings& bookings);

}  // namespace footfall
