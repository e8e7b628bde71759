#include "visit/agent_matcher.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace footfall {
namespace {

// Up to eight bytes from the front; missing ones are zero.
uint64_t head_of(std::string_view text) {
  uint64_t bytes = 0;
  if (text.size() >= sizeof bytes) {
    std::memcpy(&bytes, text.data(), sizeof bytes);  // one load: nearly always taken
  } else {
    std::memcpy(&bytes, text.data(), text.size());
  }
  return bytes;
}

// Knuth's multiplicative hash of the first three bytes, 16 bits of it.
uint32_t begin_of(uint64_t head) { return (static_cast<uint32_t>(head & 0xffffff) * 2654435761u) >> 16; }

size_t slot_of(uint32_t begin) { return begin >> 4; }

bool holds_at(const AgentPattern& pattern, std::string_view agent, size_t at) {
  if (pattern.at_start && at != 0) return false;
  if (!agent.substr(at).starts_with(pattern.text)) return false;
  const std::string_view rest = agent.substr(at + pattern.text.size());
  if (pattern.then.empty()) return !pattern.at_end || rest.empty();
  return pattern.at_end ? rest.ends_with(pattern.then) : rest.find(pattern.then) != std::string_view::npos;
}

bool goes_before(const AgentPattern& one, const AgentPattern* other) {
  if (other == nullptr || one.rank != other->rank) return other == nullptr || one.rank < other->rank;
  return one.text.size() > other->text.size();
}

}  // namespace

AgentMatcher::AgentMatcher(std::span<const AgentPattern> patterns) : heads_(patterns.size()) {
  for (const AgentPattern& pattern : patterns) {
    assert(pattern.text.size() >= kAgentPatternBytesMin);
    const uint32_t begin = begin_of(head_of(pattern.text));
    begins_.set(begin);
    ++first_[slot_of(begin) + 1];
  }
  for (size_t slot = 0; slot < kSlots; ++slot) first_[slot + 1] += first_[slot];
  std::array<uint32_t, kSlots + 1> next = first_;
  for (const AgentPattern& pattern : patterns) {
    const uint64_t head = head_of(pattern.text);
    const size_t bytes = std::min(pattern.text.size(), sizeof head);
    heads_[next[slot_of(begin_of(head))]++] = {head, ~uint64_t{0} >> (8 * (sizeof head - bytes)), &pattern};
  }
}

BotVerdict AgentMatcher::classify(std::string_view agent) const {
  if (agent.empty()) return classify_empty_agent(agent);
  const AgentPattern* best = nullptr;
  for (size_t at = 0; at + kAgentPatternBytesMin <= agent.size(); ++at) {
    const uint64_t here = head_of(agent.substr(at));
    const uint32_t begin = begin_of(here);
    if (!begins_[begin]) continue;
    const size_t slot = slot_of(begin);
    for (uint32_t i = first_[slot]; i < first_[slot + 1]; ++i) {
      const auto& [bytes, mask, pattern] = heads_[i];
      if ((here & mask) != bytes || !goes_before(*pattern, best)) continue;
      if (holds_at(*pattern, agent, at)) best = pattern;
    }
  }
  return best == nullptr ? BotVerdict() : BotVerdict{best->bot, best->number, best->name};
}

}  // namespace footfall
