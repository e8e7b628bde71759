// What is kept of one visitor beside the open visit: the touches that conversions are credited to, and whether it
// behaved as a bot. Keys and how long they last: core/README.md, "Visits".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "visit/bots.h"
#include "visit/touch.h"

namespace footfall {

// When a visitor was last heard of, and by what kind of key.
struct VisitorSeen {
  bool is_salted = false;  // an anonymous key, which lasts a UTC day
  int64_t day = 0;         // UTC, since 1970
  uint16_t import = 0;     // 0: live

  bool operator==(const VisitorSeen&) const = default;
};

// Whether that visitor is forgotten by then: with an id after `visitors_s`; without once the day is over, and a visit
// that ran over midnight.
bool is_over(const VisitorSeen& seen, int64_t visit_gap_s, int64_t visitors_s, int64_t clock_s);

struct Visitor {
  std::vector<Touch> touches;  // in time order, at most kTouchesMax: the first and the newest others
  Behaviour behaviour = Behaviour::none;  // of a bot, as long as the key lasts
  uint16_t bot_import = 0;     // whose hit told; 0: a live one
  int64_t ordered_ms = 0;      // the last order's time: touches up to then led to it. 0: there was none
  uint16_t order_import = 0;   // who told it
  int64_t first_order_ms = 0;  // likewise of the first one
  uint16_t first_order_import = 0;
  VisitorSeen seen;

  void add(Touch touch);
  // Takes off what that import's hits brought. True: there was something.
  bool forget_import(uint16_t import);
  bool is_bot() const { return behaviour != Behaviour::none; }
  bool is_blank() const { return touches.empty() && !is_bot(); }
  void see_order(int64_t time_ms, uint16_t import);

 private:
  bool forget_orders(uint16_t import);
};

// With a version byte; the layout stands in visitor.cc.
std::string encode_visitor(const Visitor& visitor);
bool decode_visitor(std::string_view bytes, Visitor& to);
// The same of `seen` alone; nullopt: broken, or of a version that did not know.
std::optional<VisitorSeen> visitor_seen(std::string_view bytes);

}  // namespace footfall
