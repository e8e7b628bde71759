// What is kept of one visitor beside the open visit: the touches that conversions are credited to, and whether it
// behaved as a bot. Keys and how long they last: core/README.md, "Visits".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "visit/touch.h"

namespace footfall {

struct Visitor {
  std::vector<Touch> touches;  // in time order, at most kTouchesMax: the first and the newest others
  bool is_bot = false;         // by behaviour, as long as the key lasts

  void add(Touch touch);
};

// With a version byte; the layout stands in visitor.cc.
std::string encode_visitor(const Visitor& visitor);
bool decode_visitor(std::string_view bytes, Visitor& to);

}  // namespace footfall
