// What is remembered of an order or of a reached goal: enough to know a repeat, to take value back later, and to credit
// it again by another model or lookback.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "base/money.h"
#include "site/config.h"
#include "visit/browser.h"
#include "visit/device.h"
#include "visit/touch.h"
#include "visit/visit_record.h"

namespace footfall {

enum class ConversionKind : uint8_t { order = 0, goal = 1, event = 2 };  // numbers are stored; event: one with an id

// What an order says of an item; those of one id and category are one.
struct OrderPart {
  std::string id, category;
  int64_t quantity = 0;
  int64_t value_micros = 0;

  bool operator==(const OrderPart&) const = default;
};

// Where the buyer sat, and at what.
struct OrderOrigin {
  std::string country;
  Device device = Device::other;
  Browser browser = Browser::other;
  System system = System::other;
  NewReturning new_returning = NewReturning::unknown;

  bool operator==(const OrderOrigin&) const = default;
};

// Beside the kinds of rollup/keys.h: version u8, kRateKind u8, time_ms i64, trillionths i64.
inline constexpr uint8_t kRateKind = 5;
inline constexpr size_t kRateBytes = 1 + 1 + 8 + 8;

struct Conversion {
  ConversionKind kind = ConversionKind::order;
  int64_t time_ms = 0;
  Hash128 visitor;
  int64_t value_micros = 0;     // in `currency`
  Currency currency;
  uint64_t items = 0;           // pieces
  std::vector<Touch> touches;   // that the visitor had by then, at most kTouchesMax
  // Of orders alone.
  int64_t rate_trillionths = kRateOne;  // into the site's currency, as it was counted; 0: there was none
  OrderOrigin origin;
  std::string coupon, coverage;
  std::vector<OrderPart> parts;  // in `currency`
};

void encode_parts(const std::vector<OrderPart>& parts, BytesWriter& to);
bool decode_parts(BytesReader& from, std::vector<OrderPart>& to);

// With a version byte; the layout stands in order.cc.
std::string encode_conversion(const Conversion& conversion);
bool decode_conversion(std::string_view bytes, Conversion& to);
// Its time alone; nullopt: broken.
std::optional<int64_t> conversion_time_ms(std::string_view bytes);

}  // namespace footfall
