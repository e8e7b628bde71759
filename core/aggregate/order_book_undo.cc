// Orders without an import that told some of them, or some of what came to them.
#include "aggregate/order_book.h"

namespace footfall {

// The order that a change is settled with, as find() tells it; what waited for one took whichever came.
const OrderBook::Known* OrderBook::order_of(const std::vector<Known>& orders, const OrderChange& change,
                                            std::optional<uint16_t> without) const {
  const int64_t memory_s = sites_.config().retention.orders_s;
  const Known* any = nullptr;
  for (const Known& known : orders) {
    if (known.import == without) continue;
    if (change.time_ms / 1000 - known.order.time_ms / 1000 <= memory_s) return &known;
    if (any == nullptr) any = &known;
  }
  return change.is_settled ? any : nullptr;
}

// What was settled before the first one that goes stays as it is.
void OrderBook::leave_out(const Site& site, const Hash128& id, uint16_t import) {
  const std::vector<Known> orders = orders_of(site, id);
  std::vector<Told> told = told_of(site, id);
  std::vector<OrderChange> settled;  // of those that stay
  bool is_anew = false;
  for (const Turn& turn : in_turn(told)) {
    OrderChange& change = *turn.change;
    if (turn.told->import == import) {
      is_anew |= change.is_settled;
      continue;
    }
    const Known* const before = order_of(orders, change, std::nullopt);
    const Known* const now = order_of(orders, change, import);
    const bool is_to_change = change.is_settled ? before != nullptr && (is_anew || before != now) : before != now;
    if (is_to_change) {
      OrderChange anew = change.as_told();
      if (now != nullptr && !settle(site, now->order, settled_with(now->order, settled), anew)) anew = change.as_told();
      if (anew != change) {
        if (change.is_settled) book(site, before->order, turn, -1);
        change = std::move(anew);
        if (change.is_settled) book(site, now->order, turn);
        turn.told->is_changed = true;
      }
    }
    if (change.is_settled) settled.push_back(change);
  }
  for (Told& of_import : told)
    if (of_import.is_changed) set(std::move(of_import.key), encode_changes(of_import.changes));
}

}  // namespace footfall
