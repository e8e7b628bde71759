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
#include "visit/touch.h"

namespace footfall {

enum class ConversionKind : uint8_t { order = 0, goal = 1, event = 2 };  // numbers are stored; event: one with an id

struct Conversion {
  ConversionKind kind = ConversionKind::order;
  int64_t time_ms = 0;
  Hash128 visitor;
  int64_t value_micros = 0;     // in `currency`
  Currency currency;
  uint64_t items = 0;           // pieces
  std::vector<Touch> touches;   // that the visitor had by then, at most kTouchesMax
};

// With a version byte; the layout stands in order.cc.
std::string encode_conversion(const Conversion& conversion);
bool decode_conversion(std::string_view bytes, Conversion& to);
// Its time alone; nullopt: broken.
std::optional<int64_t> conversion_time_ms(std::string_view bytes);

}  // namespace footfall
