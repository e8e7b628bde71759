#include "rollup/order_entry.h"

#include <vector>

#include "credit/customer.h"
#include "credit/order.h"
#include "credit/order_change.h"
#include "credit/spend_record.h"
#include "rollup/keys.h"
#include "visit/visit_record.h"

namespace footfall {

bool is_order_entry(std::string_view key, std::string_view value) {
  if (key.size() != kOrderKeyIdBytes + sizeof(uint16_t)) return false;
  const auto kind = static_cast<uint8_t>(key[sizeof(uint16_t)]);
  if (kind == kCarriedVisitKind) {
    Visit visit;
    return decode_visit(value, visit);
  }
  if (kind == kOrderChangesKind) {
    std::vector<OrderChange> changes;
    return decode_changes(value, changes);
  }
  if (kind == kCustomerKind) {
    Customer customer;
    return decode_customer(value, customer);
  }
  if (kind == kRateKind) return conversion_time_ms(value) && value.size() == kRateBytes;
  if (kind == kSpendKind) {
    SpendRecord spend;
    return decode_spend(value, spend);
  }
  Conversion conversion;
  return decode_conversion(value, conversion) && static_cast<uint8_t>(conversion.kind) == kind;
}

}  // namespace footfall
