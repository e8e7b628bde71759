#include "credit/journey_steps.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace footfall {
namespace {

constexpr char kOne = 'o', kStep = 's', kSet = 'c';
constexpr char kNone = '-', kEdge = '^';
constexpr char kHex[] = "0123456789abcdef";

void append(std::string& to, std::string_view value) {
  if (value.empty()) return to.push_back(kNone);
  to.append(std::to_string(value.size())).append(1, ':').append(value);
}

struct Value {
  bool is_edge = false;
  std::string_view text;  // empty: none
};

// Takes it off; nullopt: there is none.
std::optional<Value> take_value(std::string_view& from) {
  if (from.empty()) return std::nullopt;
  if (from.front() == kNone || from.front() == kEdge) {
    const bool is_edge = from.front() == kEdge;
    from.remove_prefix(1);
    return Value{is_edge, {}};
  }
  size_t size = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), size);
  const size_t colon = static_cast<size_t>(end - from.data());
  if (error != std::errc() || colon == from.size() || *end != ':' || size == 0 || size > from.size() - colon - 1)
    return std::nullopt;
  const Value value{false, from.substr(colon + 1, size)};
  from.remove_prefix(colon + 1 + size);
  return value;
}

struct StepText {
  char kind = kOne;
  std::vector<Value> values;
};

// Without lookbacks; nullopt: it is none.
std::optional<StepText> read_step(std::string_view text) {
  if (text.empty()) return std::nullopt;
  StepText step{text.front(), {}};
  for (text.remove_prefix(1); !text.empty();) {
    const std::optional<Value> value = take_value(text);
    if (!value) return std::nullopt;
    step.values.push_back(*value);
  }
  const auto edges = std::count_if(step.values.begin(), step.values.end(), [](const Value& value) { return value.is_edge; });
  const bool is_right = step.kind == kStep  ? step.values.size() == 2 && edges < 2
                        : step.kind == kOne ? step.values.size() == 1 && edges == 0
                                            : step.kind == kSet && step.values.size() > 1 && edges == 0;
  return is_right ? std::optional(std::move(step)) : std::nullopt;
}

uint64_t count_of(int64_t count) { return static_cast<uint64_t>(std::max<int64_t>(count, 0)); }

}  // namespace

std::vector<std::string> journey_steps(std::span<const std::string_view> values, bool with_set) {
  std::vector<std::string_view> states;
  for (const std::string_view value : values)
    if (states.empty() || states.back() != value) states.push_back(value);
  std::vector<std::string> steps;
  if (states.empty()) return steps;
  if (states.size() == 1) {
    append(steps.emplace_back(1, kOne), states.front());
    return steps;
  }
  for (size_t to = 0; to <= states.size(); ++to) {
    std::string& step = steps.emplace_back(1, kStep);
    to == 0 ? step.push_back(kEdge) : append(step, states[to - 1]);
    to == states.size() ? step.push_back(kEdge) : append(step, states[to]);
  }
  if (!with_set) return steps;
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
  std::string& set = steps.emplace_back(1, kSet);
  for (const std::string_view state : states) append(set, state);
  return steps;
}

std::string with_lookbacks(uint8_t lookbacks, std::string_view step) {
  return std::string(1, kHex[lookbacks & kAllLookbacks]).append(step);
}

bool JourneyCounts::add(std::string_view text, int64_t converted, int64_t lost) {
  if (text.size() < 3) return false;
  const std::string_view hex(kHex, kAllLookbacks + 1);
  const size_t lookbacks = hex.find(text.front());
  if (lookbacks == std::string_view::npos || lookbacks == 0 || !read_step(text.substr(1))) return false;
  if ((lookbacks >> lookback_ & 1) == 0) return true;
  text.remove_prefix(1);
  const auto found = counts_.find(text);
  Counts& counts = found != counts_.end() ? found->second : counts_[std::string(text)];
  counts.converted += converted;
  counts.lost += lost;
  return true;
}

JourneyCounts::Models JourneyCounts::models() const {
  Models to;
  for (const auto& [text, counts] : counts_) {
    to.has_negative = to.has_negative || counts.converted < 0 || counts.lost < 0;
    const uint64_t converted = count_of(counts.converted), lost = count_of(counts.lost);
    if (converted + lost == 0) continue;
    const StepText step = *read_step(text);
    std::vector<std::string_view> texts;
    for (const Value& value : step.values) texts.push_back(value.text);
    if (step.kind != kStep) {
      for (const auto& [count, converts] : {std::pair(converted, true), std::pair(lost, false)}) {
        if (step.kind == kOne) to.transitions.add(texts, converts, count);
        if (with_sets_) to.sets.add(texts, converts, count);
      }
    } else if (step.values[0].is_edge) {
      to.transitions.add_entry(texts[1], converted + lost);
    } else if (step.values[1].is_edge) {
      to.transitions.add_end(texts[0], true, converted);
      to.transitions.add_end(texts[0], false, lost);
    } else {
      to.transitions.add_step(texts[0], texts[1], converted + lost);
    }
  }
  return to;
}

}  // namespace footfall
