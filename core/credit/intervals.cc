#include "credit/intervals.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/money.h"
#include "credit/model.h"

namespace footfall {
namespace {

using Wide = unsigned __int128;

// return sums: version u8 | visits varint | credit | credit^2 | revenue | revenue^2, each low varint, high varint | largest varint
constexpr uint8_t kVersion = 1;

Wide sum_of(Wide a, Wide b) { return a > ~Wide{0} - b ? ~Wide{0} : a + b; }

void write(Wide value, BytesWriter& to) { to.varint(static_cast<uint64_t>(value)).varint(static_cast<uint64_t>(value >> 64)); }
Wide read(BytesReader& from) {
  const Wide low = from.varint();
  return low | Wide{from.varint()} << 64;
}

// The interval's upper over its middle, which is its middle over its lower: log-normal.
std::optional<double> spread(const ReturnSums& sums) {
  const auto n = static_cast<double>(sums.visits);
  double k = sums.effective_conversions();
  if (k > n && k <= n * (1 + 1e-9)) k = n;  // equal shares of all visits, a last bit off
  const auto revenue = static_cast<double>(sums.revenue_micros);
  if (!(k > 0) || k > n || !(revenue > 0)) return std::nullopt;
  // s^2/(k m^2) = (k * sum of r^2 / (sum of r)^2 - 1)/k; equal values may come out a last bit below 0.
  const double values = std::max(k * (static_cast<double>(sums.revenue_squares) / revenue / revenue) - 1, 0.0);
  return std::exp(kZ * std::sqrt((1 - k / n) / k + values / k));
}

bool is_one_order_over_half(const ReturnSums& sums) { return Wide{2} * sums.largest_micros > sums.revenue_micros; }

Verdict verdict_of(const Interval& roas, double break_even) {
  if (roas.low > break_even) return Verdict::raise;
  if (roas.high < break_even) return Verdict::cut;
  return roas.high <= kNarrow * roas.low ? Verdict::keep : Verdict::too_early;
}

// An interval gets narrower with the root of the visits. It is narrow enough once it lets go of break-even, or is narrow;
// besides, there must be enough conversions, and none over half of them.
std::optional<uint64_t> visits_needed(const ReturnSums& sums, double roas, double break_even) {
  const std::optional<double> now = spread(sums);
  if (!now) return std::nullopt;
  const double enough = std::max(std::fabs(std::log(roas / break_even)), std::log(kNarrow) / 2);
  const double narrower = std::log(*now) / enough;
  const double largest = 2 * static_cast<double>(sums.largest_micros) / static_cast<double>(sums.revenue_micros);
  const double times = std::max({narrower * narrower, kConversionsMin / sums.effective_conversions(), largest});
  const double more = std::ceil(static_cast<double>(sums.visits) * (times - 1));
  return static_cast<uint64_t>(std::clamp(more, 1.0, 1e18));
}

}  // namespace

std::optional<Interval> wilson(double k, double n) {
  if (!(n > 0) || !(k >= 0) || k > n) return std::nullopt;
  const double p = k / n, z2 = kZ * kZ;
  const double middle = p + z2 / (2 * n), half = kZ * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const double low = k == 0 ? 0 : (middle - half) / (1 + z2 / n), high = k == n ? 1 : (middle + half) / (1 + z2 / n);
  return Interval{std::max(low, 0.0), std::min(high, 1.0)};
}

std::optional<Interval> newcombe(double k1, double n1, double k2, double n2) {
  const std::optional<Interval> first = wilson(k1, n1), second = wilson(k2, n2);
  if (!first || !second) return std::nullopt;
  const double p1 = k1 / n1, p2 = k2 / n2;
  return Interval{p1 - p2 - std::hypot(p1 - first->low, second->high - p2), p1 - p2 + std::hypot(first->high - p1, p2 - second->low)};
}

void ReturnSums::add_conversion(int64_t credit, int64_t revenue) {
  const auto c = static_cast<Wide>(std::max<int64_t>(credit, 0)), r = static_cast<Wide>(std::max<int64_t>(revenue, 0));
  credit_millionths = sum_of(credit_millionths, c);
  credit_squares = sum_of(credit_squares, c * c);
  revenue_micros = sum_of(revenue_micros, r);
  revenue_squares = sum_of(revenue_squares, r * r);
  largest_micros = std::max(largest_micros, static_cast<uint64_t>(r));
}

void ReturnSums::merge(const ReturnSums& other) {
  visits = static_cast<uint64_t>(std::min<Wide>(Wide{visits} + other.visits, UINT64_MAX));
  credit_millionths = sum_of(credit_millionths, other.credit_millionths);
  credit_squares = sum_of(credit_squares, other.credit_squares);
  revenue_micros = sum_of(revenue_micros, other.revenue_micros);
  revenue_squares = sum_of(revenue_squares, other.revenue_squares);
  largest_micros = std::max(largest_micros, other.largest_micros);
}

std::string ReturnSums::encode() const {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).varint(visits);
  for (const Wide sum : {credit_millionths, credit_squares, revenue_micros, revenue_squares}) write(sum, writer);
  writer.varint(largest_micros);
  return bytes;
}

Result<ReturnSums> ReturnSums::decode(std::string_view bytes) {
  BytesReader reader(bytes);
  if (const uint8_t version = reader.u8(); reader.ok() && version != kVersion)
    return Error::version("return sums: version " + std::to_string(version));
  ReturnSums sums;
  sums.visits = reader.varint();
  for (Wide* sum : {&sums.credit_millionths, &sums.credit_squares, &sums.revenue_micros, &sums.revenue_squares}) *sum = read(reader);
  sums.largest_micros = reader.varint();
  if (!reader.ok() || !reader.at_end()) return Error::corrupt("return sums: length");
  return sums;
}

double ReturnSums::effective_conversions() const {
  if (credit_squares == 0) return 0;
  const auto credit = static_cast<double>(credit_millionths);
  return credit / static_cast<double>(credit_squares) * credit;
}

std::optional<double> rpv_micros(const ReturnSums& sums) {
  if (sums.visits == 0) return std::nullopt;
  return static_cast<double>(sums.revenue_micros) / static_cast<double>(sums.visits);
}

std::optional<Interval> rpv_micros_interval(const ReturnSums& sums) {
  const std::optional<double> by = spread(sums), rpv = rpv_micros(sums);
  if (!by || !rpv) return std::nullopt;
  return Interval{*rpv / *by, *rpv * *by};
}

Roas roas_of(const ReturnSums& sums, int64_t cost_micros) {
  Roas of;
  if (cost_micros <= 0) return of;
  const double roas = static_cast<double>(sums.revenue_micros) / static_cast<double>(cost_micros);
  of.roas = roas;
  if (const std::optional<double> by = spread(sums)) of.interval = Interval{roas / *by, roas * *by};
  return of;
}

std::optional<Judgement> judge(const ReturnSums& sums, int64_t cost_micros, int64_t margin_micros, std::span<const Roas> of_models) {
  const Roas own = roas_of(sums, cost_micros);
  if (!own.roas || margin_micros <= 0 || margin_micros > kMicrosPerUnit) return std::nullopt;
  const double break_even = static_cast<double>(kMicrosPerUnit) / static_cast<double>(margin_micros);
  const bool is_much = sums.effective_conversions() >= kConversionsMin && !is_one_order_over_half(sums);
  const Verdict verdict = is_much && own.interval ? verdict_of(*own.interval, break_even) : Verdict::too_early;
  if (verdict == Verdict::too_early) return Judgement{verdict, visits_needed(sums, *own.roas, break_even)};
  for (const Roas& other : of_models) {
    if (!other.roas) continue;
    const double times = *other.roas / *own.roas;
    const Interval interval = other.interval.value_or(Interval{own.interval->low * times, own.interval->high * times});
    if (verdict_of(interval, break_even) != verdict) return Judgement{Verdict::depends_on_model, std::nullopt};
  }
  return Judgement{verdict, std::nullopt};
}

}  // namespace footfall
