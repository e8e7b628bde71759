#include "credit/shares.h"

#include <algorithm>
#include <cmath>

#include "credit/attribution.h"

namespace footfall {
namespace {

// So that a last bit of floating point does not make 0.4 into 0.399999999.
constexpr double kNearlyWhole = 1e-12 * static_cast<double>(kShareWhole);

size_t heaviest(std::span<const int64_t> shares) {
  return static_cast<size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
}

}  // namespace

std::vector<int64_t> shares_of(std::span<const double> weights) {
  std::vector<int64_t> shares(weights.size());
  double sum = 0;
  for (const double weight : weights) sum += std::max(weight, 0.0);
  if (!(sum > 0)) return shares;
  int64_t rest = kShareWhole;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double share = std::max(weights[i], 0.0) / sum * static_cast<double>(kShareWhole);
    shares[i] = std::min(static_cast<int64_t>(std::floor(share + kNearlyWhole)), rest);
    rest -= shares[i];
  }
  shares[heaviest(shares)] += rest;
  return shares;
}

std::vector<__int128> split_by_shares(__int128 value, std::span<const int64_t> shares) {
  std::vector<__int128> parts(shares.size());
  if (std::any_of(shares.begin(), shares.end(), [](int64_t share) { return share > 0; }))
    split_value(value, shares, kShareWhole, heaviest(shares), parts);
  return parts;
}

}  // namespace footfall
