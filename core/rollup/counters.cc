#include "rollup/counters.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "footfall/v1/summary.pb.h"
#include "rollup/counters_codec.h"

namespace footfall {
namespace {

// Sums wrap round: stored bytes may hold anything, and an overflow must stay without consequence for what is beside it.
void add(int64_t& to, int64_t value) { to = static_cast<int64_t>(static_cast<uint64_t>(to) + static_cast<uint64_t>(value)); }
void add(__int128& to, __int128 value) {
  using Bits = unsigned __int128;
  to = static_cast<__int128>(static_cast<Bits>(to) + static_cast<Bits>(value));
}

bool has_largest(const Counters& counters) {
  return std::any_of(kAllModels.begin(), kAllModels.end(),
                     [&](Model model) { return counters.largest_revenue_micros(model) != 0; });
}

}  // namespace

bool Counters::is_zero() const {
  static const Rare kNone;
  const auto is_nothing = [](int64_t value) { return value == 0; };
  return visitors.empty() && !took_ms && std::all_of(plain_.begin(), plain_.end(), is_nothing) && (!rare_ || *rare_ == kNone);
}

void Counters::merge(const Counters& other) {
  merge_sums(other);
  if (!other.visitors.empty()) visitors.merge(other.visitors);
  if (other.took_ms) took_ms.need().merge(*other.took_ms);
  if (other.rare_)
    for (const Model model : kAllModels) see_revenue(model, other.largest_revenue_micros(model));
}

void Counters::merge_sums(const Counters& other) {
  for (size_t i = 0; i < plain_.size(); ++i) add(plain_[i], other.plain_[i]);
  if (other.rare_) {
    Rare& rare = rare_.need();
    for (size_t i = 0; i < rare.counts.size(); ++i) add(rare.counts[i], other.rare_->counts[i]);
    for (size_t i = 0; i < rare.amounts.size(); ++i) add(rare.amounts[i], other.rare_->amounts[i]);
  }
}

bool Counters::has_sums_of(const Counters& other) const {
  static const Rare kNone;
  const Rare& rare = rare_ ? *rare_ : kNone;
  const Rare& others = other.rare_ ? *other.rare_ : kNone;
  return plain_ == other.plain_ && rare.counts == others.counts && rare.amounts == others.amounts;
}

void fill_rollup(const Counters& counters, v1::Rollup& message) {
  counters.each([&](size_t number, int64_t value) {
    message.add_counter(static_cast<uint32_t>(number));
    message.add_value(value);
  });
  for (size_t i = 0; i < kAmounts; ++i) {
    const __int128 amount = counters[static_cast<Amount>(i)];
    if (amount == 0) continue;
    message.add_amount(static_cast<uint32_t>(i));
    message.add_amount_low(static_cast<uint64_t>(amount));
    message.add_amount_high(static_cast<int64_t>(amount >> 64));
  }
  if (!counters.visitors.empty()) message.set_visitors(counters.visitors.encode());
  if (counters.took_ms) message.set_took_ms(counters.took_ms->encode());
  for (const Model model : has_largest(counters) ? std::span(kAllModels) : std::span<const Model>())
    message.add_largest_revenue_micros(counters.largest_revenue_micros(model));
}

bool merge_rollup(const v1::Rollup& message, Counters& to) {
  if (message.counter_size() != message.value_size() || message.amount_size() != message.amount_low_size() ||
      message.amount_size() != message.amount_high_size() || message.largest_revenue_micros_size() > static_cast<int>(kModels))
    return false;
  Distinct visitors;
  Quantiles took_ms;
  if (!message.visitors().empty() && !visitors.decode(message.visitors())) return false;
  if (!took_ms.decode(message.took_ms())) return false;
  // Counters that a later version added are passed over.
  for (int i = 0; i < message.counter_size(); ++i)
    if (message.counter(i) < kCounters) add(to[static_cast<Counter>(message.counter(i))], message.value(i));
  for (int i = 0; i < message.amount_size(); ++i)
    if (message.amount(i) < kAmounts)
      add(to[static_cast<Amount>(message.amount(i))], static_cast<__int128>(message.amount_high(i)) * (static_cast<__int128>(1) << 64) +
                                             static_cast<__int128>(message.amount_low(i)));
  if (!visitors.empty()) to.visitors.merge(visitors);
  if (!took_ms.empty()) to.took_ms.need().merge(took_ms);
  for (int i = 0; i < message.largest_revenue_micros_size(); ++i)
    to.see_revenue(static_cast<Model>(i), message.largest_revenue_micros(i));
  return true;
}

// Written for every row of every fold, where a message costs several times its few bytes. The tests hold it against the
// message's own bytes.
namespace {

constexpr uint8_t kLengthDelimited = 2;

void append_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

uint64_t zigzag(int64_t value) { return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63); }

void append_field(std::string& to, unsigned number, std::string_view bytes) {
  if (bytes.empty()) return;
  to.push_back(static_cast<char>(number << 3 | kLengthDelimited));
  append_varint(to, bytes.size());
  to.append(bytes);
}

}  // namespace

std::string encode_counters(const Counters& counters) {
  std::string bytes;
  encode_counters(counters, bytes);
  return bytes;
}

void encode_counters(const Counters& counters, std::string& to) {
  to.clear();
  thread_local std::string numbers, values;  // keep their memory
  numbers.clear();
  values.clear();
  counters.each([&](size_t number, int64_t value) {
    numbers.push_back(static_cast<char>(number));
    append_varint(values, zigzag(value));
  });
  static_assert(kCounters < 0x80 && kAmounts < 0x80);
  append_field(to, v1::Rollup::kCounterFieldNumber, numbers);
  append_field(to, v1::Rollup::kValueFieldNumber, values);
  std::string amounts, lows, highs;
  for (size_t i = 0; i < (counters.has_rare() ? kAmounts : 0); ++i) {
    const __int128 amount = counters[static_cast<Amount>(i)];
    if (amount == 0) continue;
    amounts.push_back(static_cast<char>(i));
    BytesWriter(lows).le64(static_cast<uint64_t>(amount));
    BytesWriter(highs).le64(static_cast<uint64_t>(amount >> 64));
  }
  append_field(to, v1::Rollup::kAmountFieldNumber, amounts);
  append_field(to, v1::Rollup::kAmountLowFieldNumber, lows);
  append_field(to, v1::Rollup::kAmountHighFieldNumber, highs);
  if (!counters.visitors.empty()) append_field(to, v1::Rollup::kVisitorsFieldNumber, counters.visitors.encode());
  if (counters.took_ms) append_field(to, v1::Rollup::kTookMsFieldNumber, counters.took_ms->encode());
  if (!has_largest(counters)) return;
  std::string largest;
  for (const Model model : kAllModels) append_varint(largest, static_cast<uint64_t>(counters.largest_revenue_micros(model)));
  append_field(to, v1::Rollup::kLargestRevenueMicrosFieldNumber, largest);
}

bool merge_encoded_counters(std::string_view bytes, Counters& to) {
  thread_local v1::Rollup message;  // keeps its memory: read for every row of every query
  message.Clear();
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && merge_rollup(message, to);
}

}  // namespace footfall
