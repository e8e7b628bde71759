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
static_assert(kRegisterBits * 4 == 24);

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
  Members& members = members_.need();
  if (!members.registers.empty()) {
    const Place place = place_of(hash, static_cast<unsigned>(precision_));
    members.registers[place.index] = std::max(members.registers[place.index], place.rank);
    return;
  }
  members.exact.push_back(hash);
  if (members.exact.size() > std::max(2 * members.sorted, exact_max())) settle();
}

void Distinct::settle() const {
  if (!members_ || members_->sorted == members_->exact.size()) return;
  auto& exact = members_->exact;
  std::sort(exact.begin(), exact.end());
  exact.erase(std::unique(exact.begin(), exact.end()), exact.end());
  members_->sorted = exact.size();
  if (exact.size() > exact_max()) densify();
}

void Distinct::densify() const {
  std::vector<uint8_t>& registers = members_->registers;
  registers.assign(size_t{1} << static_cast<unsigned>(precision_), 0);
  for (uint64_t hash : members_->exact) {
    const Place place = place_of(hash, static_cast<unsigned>(precision_));
    registers[place.index] = std::max(registers[place.index], place.rank);
  }
  members_->exact.clear();
  members_->exact.shrink_to_fit();
  members_->sorted = 0;
}

// A register of the lower precision gathers 2^d of the higher: the bits that chose among them become leading bits of
// the rank.
void Distinct::lower_precision(Precision to) {
  if (to >= precision_) return;
  const unsigned from_bits = static_cast<unsigned>(precision_), to_bits = static_cast<unsigned>(to);
  settle();
  precision_ = to;
  if (!members_) return;
  std::vector<uint8_t>& registers = members_->registers;
  if (registers.empty()) {
    if (members_->exact.size() > exact_max()) densify();
    return;
  }
  const unsigned shift = from_bits - to_bits;
  std::vector<uint8_t> lower(size_t{1} << to_bits, 0);
  for (size_t index = 0; index < registers.size(); ++index) {
    if (registers[index] == 0) continue;
    const size_t chosen = index & ((size_t{1} << shift) - 1);
    const unsigned rank = chosen == 0 ? registers[index] + shift
                                      : shift - static_cast<unsigned>(std::bit_width(chosen)) + 1;
    uint8_t& target = lower[index >> shift];
    target = std::max(target, static_cast<uint8_t>(rank));
  }
  registers = std::move(lower);
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
  if (other.members_->registers.empty()) {
    for (uint64_t hash : other.members_->exact) add(hash);
    return;
  }
  if (members_->registers.empty()) densify();
  std::vector<uint8_t>& to = members_->registers;
  const std::vector<uint8_t>& from = other.members_->registers;
  for (size_t i = 0; i < to.size(); ++i) to[i] = std::max(to[i], from[i]);
}

uint64_t Distinct::estimate() const {
  settle();
  if (!members_) return 0;
  const std::vector<uint8_t>& registers = members_->registers;
  if (registers.empty()) return members_->exact.size();
  const unsigned precision = static_cast<unsigned>(precision_);
  const unsigned q = 64 - precision;
  std::array<uint32_t, 66> counts{};
  for (uint8_t rank : registers) ++counts[std::min<unsigned>(rank, q + 1)];
  const double m = static_cast<double>(registers.size());
  double z = m * tau(1 - counts[q + 1] / m);
  for (unsigned k = q; k >= 1; --k) z = 0.5 * (z + counts[k]);
  z += m * sigma(counts[0] / m);
  return static_cast<uint64_t>(std::llround(m * m / (2 * std::log(2)) / z));
}

std::string Distinct::encode() const {
  settle();
  std::string bytes;
  BytesWriter writer(bytes);
  if (!members_) {
    writer.u8(kEmpty).u8(static_cast<uint8_t>(precision_));
    return bytes;
  }
  const std::vector<uint8_t>& registers = members_->registers;
  bytes.reserve(2 + members_->exact.size() * 8 + registers.size() * kRegisterBits / 8);
  writer.u8(registers.empty() ? kExact : kDense).u8(static_cast<uint8_t>(precision_));
  for (uint64_t hash : members_->exact) writer.le64(hash);
  // Four registers make three bytes.
  for (size_t i = 0; i < registers.size(); i += 4) {
    const uint32_t bits = static_cast<uint32_t>(registers[i] | registers[i + 1] << 6 | registers[i + 2] << 12 |
                                                registers[i + 3] << 18);
    const char packed[] = {static_cast<char>(bits), static_cast<char>(bits >> 8), static_cast<char>(bits >> 16)};
    bytes.append(packed, sizeof packed);
  }
  return bytes;
}

bool Distinct::decode(std::string_view bytes) {
  members_.reset();
  BytesReader reader(bytes);
  const uint8_t kind = reader.u8(), precision = reader.u8();
  if (!reader.ok() || (precision != 12 && precision != 14)) return false;
  precision_ = static_cast<Precision>(precision);
  if (kind == kEmpty) return reader.at_end();
  if (kind == kExact) {
    if (reader.left() % 8 != 0 || reader.left() / 8 > exact_max()) return false;
    if (reader.at_end()) return true;
    auto& exact = members_.need().exact;
    exact.reserve(reader.left() / 8);
    while (!reader.at_end()) exact.push_back(reader.le64());
    members_->sorted = exact.size();
    const bool ascending = std::is_sorted(exact.begin(), exact.end(), std::less_equal<>());
    if (!ascending) members_.reset();
    return ascending;
  }
  const size_t count = size_t{1} << precision;
  if (kind != kDense || reader.left() != count * kRegisterBits / 8) return false;
  std::vector<uint8_t>& registers = members_.need().registers;
  registers.reserve(count);
  while (registers.size() < count) {
    uint32_t bits = reader.u8();
    bits |= static_cast<uint32_t>(reader.u8()) << 8;
    bits |= static_cast<uint32_t>(reader.u8()) << 16;
    for (unsigned shift = 0; shift < 24; shift += kRegisterBits) registers.push_back(bits >> shift & 63);
  }
  // A rank that no hash has would not fit its six bits once brought down to a lower precision.
  const bool possible = *std::max_element(registers.begin(), registers.end()) <= 64 - precision + 1;
  if (!possible) members_.reset();
  return possible;
}

}  // namespace footfall
