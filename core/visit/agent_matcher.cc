#include "visit/agent_matcher.h"

#include <cassert>
#include <cstring>

namespace footfall {
namespace {

bool holds_at(const AgentPattern& pattern, std::string_view agent, size_t at) {
  if (pattern.at_start && at != 0) return false;
  if (!agent.substr(at).starts_with(pattern.text)) return false;
  const std::string_view rest = agent.substr(at + pattern.text.size());
  if (pattern.then.empty()) return !pattern.at_end || rest.empty();
  return pattern.at_end ? rest.ends_with(pattern.then) : rest.find(pattern.then) != std::string_view::npos;
}

}  // namespace

size_t AgentMatcher::slot_of(const char* three_bytes) {
  uint32_t bytes = 0;
  std::memcpy(&bytes, three_bytes, 3);
  return (bytes * 2654435761u) >> 18;  // the upper 14 bits of Knuth's multiplicative hash
}

AgentMatcher::AgentMatcher(std::span<const AgentPattern> patterns) : patterns_(patterns), by_slot_(patterns.size()) {
  std::vector<size_t> slots;
  slots.reserve(patterns.size());
  for (const AgentPattern& pattern : patterns) {
    assert(pattern.text.size() >= kAgentPatternBytesMin);
    slots.push_back(slot_of(pattern.text.data()));
    begins_.set(slots.back());
    ++first_[slots.back() + 1];
  }
  for (size_t slot = 0; slot < kSlots; ++slot) first_[slot + 1] += first_[slot];
  std::array<uint32_t, kSlots + 1> next = first_;
  for (size_t i = 0; i < slots.size(); ++i) by_slot_[next[slots[i]]++] = static_cast<uint32_t>(i);
}

BotClass AgentMatcher::classify(std::string_view agent) const {
  if (agent.empty()) return BotClass::no_user_agent;
  const AgentPattern* best = nullptr;
  for (size_t at = 0; at + kAgentPatternBytesMin <= agent.size(); ++at) {
    const size_t slot = slot_of(agent.data() + at);
    if (!begins_[slot]) continue;
    for (uint32_t i = first_[slot]; i < first_[slot + 1]; ++i) {
      const AgentPattern& pattern = patterns_[by_slot_[i]];
      if ((best == nullptr || pattern.rank < best->rank) && holds_at(pattern, agent, at)) best = &pattern;
    }
  }
  return best == nullptr ? BotClass::none : best->bot;
}

}  // namespace footfall
