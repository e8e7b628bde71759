// What is remembered of a shop's customer, who may be several visitors: on the phone and at home, before and after a consent.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "visit/touch.h"

namespace footfall {

// Of each import (and of live hits) what its own orders told: together they are all that is known.
struct Customer {
  int64_t time_ms = 0;              // of the newest order
  int64_t first_order_ms = 0;       // of the first one; 0: none yet
  std::vector<Touch> touches;       // of who ordered, by then, in time order, at most kTouchesMax
  std::vector<Hash128> visitors;    // who ordered, at most kCustomerVisitorsMax: whose touches these are

  // Takes in a visitor's touches: the first and the newest ones stay. The same touch of two visitors is one.
  void add(std::span<const Touch> of_visitor);
  // False: there are as many as are kept. That one's touches are not to be added.
  bool add_visitor(const Hash128& visitor);
  bool has(const Hash128& visitor) const;
  // Touches by hits of that import go. False: there are none.
  bool forget_import(uint16_t import);
};
inline constexpr size_t kCustomerVisitorsMax = 8;

// Beside the kinds of rollup/keys.h; the first bytes as of a conversion.
inline constexpr uint8_t kCustomerKind = 6;
std::string encode_customer(const Customer& customer);
bool decode_customer(std::string_view bytes, Customer& to);

}  // namespace footfall
