// Finds many short patterns in one agent in one pass. The patterns come from the generated table; see README.md for how
// a regular expression becomes such patterns.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "visit/bots.h"

namespace footfall {

// Holds for an agent that has `text` and, anywhere behind it, `then`. Case counts.
struct AgentPattern {
  std::string_view text;  // at least kAgentPatternBytesMin
  std::string_view then;  // empty: nothing more is asked
  BotClass bot = BotClass::none;
  uint8_t rank = 0;  // of all that hold the lowest tells, of equal ones the longest `text`
  bool at_start = false;
  bool at_end = false;  // of `then` where there is one
  std::string_view name = {};  // as a person would say it
  uint16_t number = 0;         // of the name, from kAgentReasonsFrom on
};
inline constexpr size_t kAgentPatternBytesMin = 3;

// Reads only once made. The patterns must outlive it.
class AgentMatcher {
 public:
  explicit AgentMatcher(std::span<const AgentPattern> patterns);

  BotVerdict classify(std::string_view agent) const;

 private:
  static constexpr size_t kBegins = 1 << 16;
  static constexpr size_t kSlots = 1 << 12;

  // The first bytes of a pattern, compared before the pattern itself is looked at.
  struct Head {
    uint64_t bytes = 0;
    uint64_t mask = 0;
    const AgentPattern* pattern = nullptr;
  };

  std::bitset<kBegins> begins_;               // a pattern begins with three bytes of this hash
  std::array<uint32_t, kSlots + 1> first_{};  // where a slot's patterns begin in heads_
  std::vector<Head> heads_;                   // by slot
};

}  // namespace footfall
