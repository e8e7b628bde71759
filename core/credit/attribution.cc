#include "credit/attribution.h"

#include <algorithm>
#include <cassert>

namespace footfall {
namespace {

constexpr int kWeightBits = 62;
constexpr uint64_t kWeightOne = uint64_t{1} << kWeightBits;
constexpr uint64_t kLn2 = 0x2C5C85FDF473DE6B;  // ln 2 * 2^62, rounded
static_assert(kTouchesMax <= 64, "sums of weights fit 128 bits by far, their products with a credit too");

using Shares = std::span<int64_t>;

void share_evenly(Shares among, int64_t whole) {
  for (int64_t& share : among) share = whole / static_cast<int64_t>(among.size());
}

// 40 % each for the ends, 20 % for those between them.
void share_by_position(Shares shares) {
  if (shares.size() <= 2) return share_evenly(shares, kCreditWhole);
  shares.front() = shares.back() = kCreditWhole / 5 * 2;
  share_evenly(shares.subspan(1, shares.size() - 2), kCreditWhole / 5);
}

// By ages counted from the newest touch: halving all weights alike changes no share, and one weight is always whole.
void share_by_decay(std::span<const JourneyTouch> journey, Shares shares) {
  std::array<uint64_t, kTouchesMax> weights;
  const auto age = [](const JourneyTouch& touch) { return std::max<int64_t>(touch.age_ms, 0); };
  int64_t newest = age(journey.front());
  for (const JourneyTouch& touch : journey) newest = std::min(newest, age(touch));
  unsigned __int128 sum = 0;
  for (size_t i = 0; i < journey.size(); ++i) sum += weights[i] = decay_weight(age(journey[i]) - newest);
  for (size_t i = 0; i < journey.size(); ++i)
    shares[i] = static_cast<int64_t>(static_cast<unsigned __int128>(weights[i]) * kCreditWhole / sum);
}

size_t last_not_direct(std::span<const JourneyTouch> journey) {
  for (size_t i = journey.size(); i-- > 0;)
    if (!journey[i].is_direct) return i;
  return journey.size() - 1;
}

}  // namespace

uint64_t decay_weight(int64_t age_ms) {
  if (age_ms <= 0) return kWeightOne;
  const int64_t halvings = age_ms / kDecayHalfMs;
  if (halvings >= kWeightBits) return 0;
  // exp(-x) = 1 - x + x^2/2! - …, x = ln 2 * part < 0.7: the 22nd term is below 2^-62.
  const auto part = static_cast<unsigned __int128>(age_ms % kDecayHalfMs);
  const auto x = static_cast<__int128>(part * kLn2 / kDecayHalfMs);
  __int128 term = kWeightOne, sum = kWeightOne;
  for (int n = 1; n <= 22; ++n) {
    term = (term * x >> kWeightBits) / n;
    sum += n % 2 == 1 ? -term : term;
  }
  return static_cast<uint64_t>(sum) >> halvings;
}

Credits credits_of(Model model, std::span<const JourneyTouch> journey) {
  assert(journey.size() <= kTouchesMax);
  Credits credits;
  credits.size_ = std::min(journey.size(), kTouchesMax);
  if (credits.size_ == 0) return credits;
  const Shares shares{credits.shares_.data(), credits.size_};
  switch (model) {
    case Model::last:
      break;  // all of it is the rest
    case Model::last_non_direct:
      shares[last_not_direct(journey)] = kCreditWhole;
      break;
    case Model::first:
      shares.front() = kCreditWhole;
      break;
    case Model::linear:
      share_evenly(shares, kCreditWhole);
      break;
    case Model::position:
      share_by_position(shares);
      break;
    case Model::time_decay:
      share_by_decay(journey, shares);
      break;
  }
  int64_t rest = kCreditWhole;
  for (const int64_t share : shares) rest -= share;
  shares.back() += rest;
  return credits;
}

Credits credits_of(Model model, std::span<const Touch> journey, int64_t time_ms) {
  std::array<JourneyTouch, kTouchesMax> touches;
  const size_t size = std::min(journey.size(), kTouchesMax);
  for (size_t i = 0; i < size; ++i) touches[i] = {touch_age_s(journey[i], time_ms) * 1000, journey[i].is_direct()};
  return credits_of(model, std::span<const JourneyTouch>(touches.data(), size));
}

void split_value(__int128 value, std::span<const int64_t> shares, int64_t whole, size_t rest_to, std::span<__int128> parts) {
  assert(parts.size() == shares.size() && (shares.empty() || rest_to < shares.size()));
  if (shares.empty()) return;
  __int128 rest = value;
  for (size_t i = 0; i < shares.size(); ++i) rest -= parts[i] = value * shares[i] / whole;
  parts[rest_to] += rest;
}

void split_micros(int64_t value_micros, const Credits& credits, std::span<int64_t> parts) {
  std::array<__int128, kTouchesMax> wide;
  const std::span<__int128> of_touches{wide.data(), credits.size()};
  split_value(value_micros, credits.millionths(), kCreditWhole, credits.size() - 1, of_touches);
  std::copy(of_touches.begin(), of_touches.end(), parts.begin());
}

}  // namespace footfall
