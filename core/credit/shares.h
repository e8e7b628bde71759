// What the models that look at all journeys at once (markov, shapley) give to each of their rows: a share of all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace footfall {

inline constexpr int64_t kShareWhole = 1'000'000'000;  // shares are counted in billionths

// Billionths by weight, adding up to kShareWhole: each rounded down, but what is within 10^-12 of a whole number; what is
// left over goes to the heaviest, the first of equals. A weight below zero counts as 0. All 0: the shares are 0.
std::vector<int64_t> shares_of(std::span<const double> weights);

// All orders, or all revenue, by those shares: the parts add up to `value` exactly, the heaviest has the rest. Shares that
// are all 0 give parts that are all 0. |value| < 10^28.
std::vector<__int128> split_by_shares(__int128 value, std::span<const int64_t> shares);

}  // namespace footfall
