#include "rollup/quantiles.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace footfall {
namespace {

// A value is its leading six bits and how far they were shifted: step = 32 x shift + bits, so that steps follow each
// other without a gap. Their width is at most 1/32 of where they begin.
constexpr unsigned kLeadingBits = 6;
constexpr uint32_t kStepsADoubling = 1u << (kLeadingBits - 1);
constexpr uint32_t kStepsMax = (32 - kLeadingBits) * kStepsADoubling + 2 * kStepsADoubling;
constexpr uint64_t kCountMax = std::numeric_limits<uint64_t>::max();

uint32_t step_of(uint32_t value) {
  const unsigned bits = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = bits > kLeadingBits ? bits - kLeadingBits : 0;
  return shift * kStepsADoubling + (value >> shift);
}

// The middle of a step.
uint64_t value_of_step(uint32_t step) {
  if (step < 2 * kStepsADoubling) return step;
  const uint32_t shift = step / kStepsADoubling - 1;
  const uint64_t begin = uint64_t{step - shift * kStepsADoubling} << shift;
  return begin + ((uint64_t{1} << shift) - 1) / 2;
}

uint64_t sum_to_most(uint64_t a, uint64_t b) { return a > kCountMax - b ? kCountMax : a + b; }

void append_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

bool take_varint(std::string_view& from, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (from.empty()) return false;
    const auto byte = static_cast<uint8_t>(from.front());
    from.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    // One form a number: neither bits that fall off nor a last byte of nothing.
    if (byte < 0x80) return !(shift == 63 && byte > 1) && !(shift > 0 && byte == 0);
  }
  return false;
}

}  // namespace

void Quantiles::add(uint32_t value_ms, uint64_t times) {
  if (times > 0) add_step(step_of(value_ms), times);
}

void Quantiles::add_step(uint32_t number, uint64_t count) {
  const auto place = std::lower_bound(steps_.begin(), steps_.end(), number,
                                      [](const Step& step, uint32_t wanted) { return step.number < wanted; });
  if (place != steps_.end() && place->number == number) {
    place->count = sum_to_most(place->count, count);
  } else {
    steps_.insert(place, {number, count});
  }
}

void Quantiles::merge(const Quantiles& other) {
  if (other.steps_.size() <= 2) {
    const std::vector<Step> added = other.steps_;  // may be this one's own
    for (const Step& step : added) add_step(step.number, step.count);
    return;
  }
  std::vector<Step> both;
  both.reserve(steps_.size() + other.steps_.size());
  auto mine = steps_.begin();
  for (const Step& step : other.steps_) {
    while (mine != steps_.end() && mine->number < step.number) both.push_back(*mine++);
    both.push_back(step);
    if (mine != steps_.end() && mine->number == step.number)
      both.back().count = sum_to_most(step.count, mine++->count);
  }
  both.insert(both.end(), mine, steps_.end());
  steps_ = std::move(both);
}

uint64_t Quantiles::count() const {
  uint64_t count = 0;
  for (const Step& step : steps_) count = sum_to_most(count, step.count);
  return count;
}

uint64_t Quantiles::at(unsigned percent) const {
  unsigned __int128 all = 0, seen = 0;
  for (const Step& step : steps_) all += step.count;
  for (const Step& step : steps_) {
    seen += step.count;
    if (seen * 100 >= all * percent) return value_of_step(step.number);
  }
  return 0;
}

// sketch: a step of how many behind the one before (the first: behind -1), how often: varints, step by step
std::string Quantiles::encode() const {
  std::string bytes;
  bytes.reserve(3 * steps_.size());
  uint32_t next = 0;
  for (const Step& step : steps_) {
    append_varint(bytes, step.number - next);
    append_varint(bytes, step.count);
    next = step.number + 1;
  }
  return bytes;
}

bool Quantiles::decode(std::string_view bytes) {
  steps_.clear();
  uint64_t next = 0;
  while (!bytes.empty()) {
    uint64_t gap = 0, count = 0;
    if (!take_varint(bytes, gap) || !take_varint(bytes, count) || count == 0 || gap >= kStepsMax - next) {
      steps_.clear();
      return false;
    }
    steps_.push_back({static_cast<uint32_t>(next + gap), count});
    next += gap + 1;
  }
  return true;
}

}  // namespace footfall
