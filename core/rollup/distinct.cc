#include "rollup/distinct.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>

#include "base/bytes.h"

namespace footfall {
namespace {

enum : uint8_t { kEmpty = 0, kExact = 1, kDense = 2 };
constexpr unsigned kRegisterBits = 6;

struct Place {
  size_t index;
  uint8_t rank;
};

// The top bits choose the register, the rest tell the rank: 1 + leading zeros.
Place place_of(uint64_t hash, unsigned precision) {
  const uint64_t rest = hash << precision;
  const unsigned rank = rest == 0 ? 64 - precision + 1 : static_cast<unsigned>(std::countl_zero(rest)) + 1;
  return {static_cast<size_t>(hash >> (64 - precision)), static_cast<uint8_t>(rank)};
}

// Helper series of Ertl's improved raw estimator ("New cardinality estimation algorithms for HyperLogLog sketches",
// 2017): needs no bias table and no switch between regimes.
double sigma(double x) {
  if (x == 1.0) return INFINITY;
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

double tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

}  // namespace

void Distinct::set_precision(Precision precision) {
  assert(empty());
  precision_ = precision;
}

void Distinct::add(uint64_t hash) {
  if (!registers_.empty()) {
    const Place place = place_of(hash, static_cast<unsigned>(precision_));
    registers_[place.index] = std::max(registers_[place.index], place.rank);
    return;
  }
  exact_.push_back(hash);
  if (exact_.size() > std::max(2 * sorted_, exact_max())) settle();
}

void Distinct::settle() const {
  if (sorted_ == exact_.size()) return;
  std::sort(exact_.begin(), exact_.end());
  exact_.erase(std::unique(exact_.begin(), exact_.end()), exact_.end());
  sorted_ = exact_.size();
  if (exact_.size() > exact_max()) densify();
}

void Distinct::densify() const {
  registers_.assign(size_t{1} << static_cast<unsigned>(precision_), 0);
  for (uint64_t hash : exact_) {
    const Place place = place_of(hash, static_cast<unsigned>(precision_));
    registers_[place.index] = std::max(registers_[place.index], place.rank);
  }
  exact_ = {};
  sorted_ = 0;
}

// A register of the lower precision gathers 2^d of the higher: the bits that chose among them become leading bits of
// the rank.
void Distinct::lower_precision(Precision to) {
  if (to >= precision_) return;
  const unsigned from_bits = static_cast<unsigned>(precision_), to_bits = static_cast<unsigned>(to);
  settle();
  precision_ = to;
  if (registers_.empty()) {
    if (exact_.size() > exact_max()) densify();
    return;
  }
  const unsigned shift = from_bits - to_bits;
  std::vector<uint8_t> lower(size_t{1} << to_bits, 0);
  for (size_t index = 0; index < registers_.size(); ++index) {
    if (registers_[index] == 0) continue;
    const size_t chosen = index & ((size_t{1} << shift) - 1);
    const unsigned rank = chosen == 0 ? registers_[index] + shift
                                      : shift - static_cast<unsigned>(std::bit_width(chosen)) + 1;
    uint8_t& target = lower[index >> shift];
    target = std::max(target, static_cast<uint8_t>(rank));
  }
  registers_ = std::move(lower);
}

void Distinct::merge(const Distinct& other) {
  if (other.empty() || &other == this) return;
  if (empty()) {
    *this = other;
    return;
  }
  if (other.precision_ != precision_) {
    Distinct lowered = other;
    lowered.lower_precision(precision_);
    lower_precision(other.precision_);
    if (lowered.precision_ == precision_) merge(lowered);
    return;
  }
  if (other.registers_.empty()) {
    for (uint64_t hash : other.exact_) add(hash);
    return;
  }
  if (registers_.empty()) densify();
  for (size_t i = 0; i < registers_.size(); ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

uint64_t Distinct::estimate() const {
  settle();
  if (registers_.empty()) return exact_.size();
  const unsigned precision = static_cast<unsigned>(precision_);
  const unsigned q = 64 - precision;
  std::array<uint32_t, 66> counts{};
  for (uint8_t rank : registers_) ++counts[std::min<unsigned>(rank, q + 1)];
  const double m = static_cast<double>(registers_.size());
  double z = m * tau(1 - counts[q + 1] / m);
  for (unsigned k = q; k >= 1; --k) z = 0.5 * (z + counts[k]);
  z += m * sigma(counts[0] / m);
  return static_cast<uint64_t>(std::llround(m * m / (2 * std::log(2)) / z));
}

std::string Distinct::encode() const {
  settle();
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(empty() ? kEmpty : registers_.empty() ? kExact : kDense).u8(static_cast<uint8_t>(precision_));
  for (uint64_t hash : exact_) writer.le64(hash);
  unsigned held = 0, bits = 0;
  for (uint8_t rank : registers_) {
    held |= static_cast<unsigned>(rank) << bits;
    for (bits += kRegisterBits; bits >= 8; bits -= 8, held >>= 8) writer.u8(static_cast<uint8_t>(held));
  }
  return bytes;
}

bool Distinct::decode(std::string_view bytes) {
  exact_.clear();
  registers_.clear();
  sorted_ = 0;
  BytesReader reader(bytes);
  const uint8_t kind = reader.u8(), precision = reader.u8();
  if (!reader.ok() || (precision != 12 && precision != 14)) return false;
  precision_ = static_cast<Precision>(precision);
  if (kind == kEmpty) return reader.at_end();
  if (kind == kExact) {
    if (reader.left() % 8 != 0 || reader.left() / 8 > exact_max()) return false;
    exact_.reserve(reader.left() / 8);
    while (!reader.at_end()) exact_.push_back(reader.le64());
    const bool ascending = std::is_sorted(exact_.begin(), exact_.end(), std::less_equal<>());
    if (!ascending) exact_.clear();
    sorted_ = exact_.size();
    return ascending;
  }
  const size_t registers = size_t{1} << precision;
  if (kind != kDense || reader.left() != registers * kRegisterBits / 8) return false;
  registers_.reserve(registers);
  unsigned held = 0, bits = 0;
  while (registers_.size() < registers) {
    for (; bits < kRegisterBits; bits += 8) held |= static_cast<unsigned>(reader.u8()) << bits;
    registers_.push_back(static_cast<uint8_t>(held & 63));
    held >>= kRegisterBits;
    bits -= kRegisterBits;
  }
  // A rank that no hash has would not fit its six bits once brought down to a lower precision.
  const bool possible = *std::max_element(registers_.begin(), registers_.end()) <= 64 - precision + 1;
  if (!possible) registers_.clear();
  return possible;
}

}  // namespace footfall
