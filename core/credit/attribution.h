// How the rule models share a conversion among the touches of its journey, and money by those shares. Whole numbers
// alone: the same on every machine. Rules: README.md of this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/limits.h"
#include "credit/model.h"
#include "visit/touch.h"

namespace footfall {

inline constexpr int64_t kDecayHalfMs = int64_t{7} * 86'400'000;  // a touch so much older has half the credit

// What the models ask of a touch.
struct JourneyTouch {
  int64_t age_ms = 0;  // of the touch at the conversion; below 0 counts as 0
  bool is_direct = false;
};

// Millionths of a conversion, by the journey's touches in time order; they add up to kCreditWhole. Empty: no touches.
class Credits {
 public:
  std::span<const int64_t> millionths() const& { return {shares_.data(), size_}; }
  std::span<const int64_t> millionths() const&& = delete;  // they live in here
  size_t size() const { return size_; }
  int64_t operator[](size_t touch) const { return shares_[touch]; }

 private:
  friend Credits credits_of(Model model, std::span<const JourneyTouch> journey);

  std::array<int64_t, kTouchesMax> shares_{};
  size_t size_ = 0;
};

// The journey is in time order and has at most kTouchesMax touches. What does not divide evenly goes to the last touch.
Credits credits_of(Model model, std::span<const JourneyTouch> journey);

// Whole seconds, as it is kept with a conversion: a begun one counts.
inline int64_t touch_age_s(const Touch& touch, int64_t time_ms) { return (time_ms - touch.time_ms + 999) / 1000; }

// The journey as journey() of model.h cuts it out, for a conversion at `time_ms`; ages in whole seconds.
Credits credits_of(Model model, std::span<const Touch> journey, int64_t time_ms);

// Splits `value` by `shares`, parts of `whole`, cut towards zero; what is left over goes to part `rest_to`, so that the
// parts add up to the value exactly. The shares are not below zero and add up to `whole` at most. |value| < 10^28.
void split_value(__int128 value, std::span<const int64_t> shares, int64_t whole, size_t rest_to, std::span<__int128> parts);

// Micros of an order, by touch: what is left over goes to the last. A value below zero is split as its opposite is.
void split_micros(int64_t value_micros, const Credits& credits, std::span<int64_t> parts);

// 2^(-age/7 d) in units of 2^-62, right to 2^-56 of itself and at most 2^-62; 0 from 434 days on.
uint64_t decay_weight(int64_t age_ms);

}  // namespace footfall
