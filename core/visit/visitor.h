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
  uint16_t bot_import = 0;     // whose hit told; 0: a live one

  void add(Touch touch);
  // Takes off what that import's hits brought. True: there was something.
  bool forget_import(uint16_t import);
  bool is_blank() const { return touches.empty() && !is_bot; }
};

// With a version byte; the layout stands in visitor.cc.
std::string encode_visitor(const Visitor& visitor);
bool decode_visitor(std::string_view bytes, Visitor& to);

}  // namespace footfall
