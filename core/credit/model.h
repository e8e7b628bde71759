// Attribution models: which touch of a conversion's journey gets the credit. Rules: core/README.md, "Credit".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "visit/touch.h"

namespace footfall {

// Rule models: they look at one journey alone. Numbers are stored. The first three give a conversion whole to one touch.
enum class Model : uint8_t { last = 0, last_non_direct = 1, first = 2, linear = 3, position = 4, time_decay = 5 };
inline constexpr size_t kModels = 6;
inline constexpr std::array<std::string_view, kModels> kModelNames = {"last",   "last_non_direct", "first",
                                                                      "linear", "position",        "time_decay"};
inline constexpr std::array<Model, kModels> kAllModels = {Model::last,   Model::last_non_direct, Model::first,
                                                          Model::linear, Model::position,        Model::time_decay};
inline constexpr bool gives_whole(Model model) { return model <= Model::first; }

inline constexpr int64_t kCreditWhole = 1'000'000;  // credit is counted in millionths of a conversion

// Over how many days journeys may go back.
inline constexpr size_t kLookbacks = 4;
inline constexpr int kLookbackDays[kLookbacks] = {1, 7, 30, 90};

// The touches of a visitor that a conversion at `time_ms` may be credited to: those in [time - lookback, time], in time
// order. `touches` is in time order.
std::span<const Touch> journey(std::span<const Touch> touches, int64_t time_ms, int64_t lookback_ms);

}  // namespace footfall
