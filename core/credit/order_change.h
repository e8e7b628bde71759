// What came to an order after it was made: refunds, a cancellation, another value. Each is remembered with the order's id,
// also before the order itself is seen. Rules: core/README.md, "Orders and money".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "credit/order.h"

namespace footfall {

// Numbers are stored.
enum class ChangeKind : uint8_t {
  refund = 0,     // of a value, of items, or of all that is left
  cancelled = 1,  // all that is left
  changed = 2,    // what is left is another value from now on
};

// The kind of an event by its name (`refund`, `order_cancelled`, `order_changed`); nullopt: it changes no order.
std::optional<ChangeKind> change_kind(std::string_view event_name);

struct OrderChange {
  ChangeKind kind = ChangeKind::refund;
  uint64_t number = 0;  // rises with the changes of an order, whoever tells them: settled in this turn
  int64_t time_ms = 0;
  std::optional<int64_t> value_micros;  // as told, in `currency`; nullopt: none was
  Currency currency;                    // all zero: the order's
  std::vector<OrderPart> parts;         // as told
  // Settled with its order: in the site's currency, or in the order's own where that has no rate.
  bool is_settled = false;
  std::vector<OrderPart> taken;  // what was taken back of each part
  int64_t refund_micros = 0;
  int64_t revenue_micros = 0;  // that came in addition

  OrderChange as_told() const {
    OrderChange told = *this;
    told.is_settled = false;
    told.refund_micros = told.revenue_micros = 0;
    told.taken.clear();
    return told;
  }
  bool operator==(const OrderChange&) const = default;
};

// An order's value and parts in the money that its changes are counted in.
struct OrderMoney {
  int64_t value_micros = 0;
  std::vector<OrderPart> parts;
};

// Settles a change of an order, after those settled before. `told_micros`, and the parts as told that `taken` holds, are in the
// money of `order`. Never more is taken back than is left.
void settle(OrderChange& change, std::optional<int64_t> told_micros, const OrderMoney& order,
            std::span<const OrderChange> before);

// What one import (0: live hits) told of an order; in the order in which it came. The first bytes as of a conversion.
inline constexpr uint8_t kOrderChangesKind = 4;  // beside the kinds of rollup/keys.h
inline constexpr size_t kOrderChangesMax = 1'000;
std::string encode_changes(std::span<const OrderChange> changes);
bool decode_changes(std::string_view bytes, std::vector<OrderChange>& to);

}  // namespace footfall
