#include "rollup/counters.h"

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

}  // namespace

bool Counters::is_zero() const {
  for (int64_t value : values)
    if (value != 0) return false;
  for (__int128 amount : amounts)
    if (amount != 0) return false;
  return visitors.empty();
}

void Counters::merge(const Counters& other) {
  for (size_t i = 0; i < kCounters; ++i) add(values[i], other.values[i]);
  for (size_t i = 0; i < kAmounts; ++i) add(amounts[i], other.amounts[i]);
  if (!other.visitors.empty()) visitors.merge(other.visitors);
}

void fill_rollup(const Counters& counters, v1::Rollup& message) {
  for (size_t i = 0; i < kCounters; ++i) {
    if (counters.values[i] == 0) continue;
    message.add_counter(static_cast<uint32_t>(i));
    message.add_value(counters.values[i]);
  }
  for (size_t i = 0; i < kAmounts; ++i) {
    const __int128 amount = counters.amounts[i];
    if (amount == 0) continue;
    message.add_amount(static_cast<uint32_t>(i));
    message.add_amount_low(static_cast<uint64_t>(amount));
    message.add_amount_high(static_cast<int64_t>(amount >> 64));
  }
  if (!counters.visitors.empty()) message.set_visitors(counters.visitors.encode());
}

bool merge_rollup(const v1::Rollup& message, Counters& to) {
  if (message.counter_size() != message.value_size() || message.amount_size() != message.amount_low_size() ||
      message.amount_size() != message.amount_high_size())
    return false;
  Distinct visitors;
  if (!message.visitors().empty() && !visitors.decode(message.visitors())) return false;
  // Counters that a later version added are passed over.
  for (int i = 0; i < message.counter_size(); ++i)
    if (message.counter(i) < kCounters) add(to.values[message.counter(i)], message.value(i));
  for (int i = 0; i < message.amount_size(); ++i)
    if (message.amount(i) < kAmounts)
      add(to.amounts[message.amount(i)], static_cast<__int128>(message.amount_high(i)) * (static_cast<__int128>(1) << 64) +
                                             static_cast<__int128>(message.amount_low(i)));
  if (!visitors.empty()) to.visitors.merge(visitors);
  return true;
}

// One message a thread keeps its memory: both are called for every row that is read or written.
namespace {

v1::Rollup& empty_message() {
  thread_local v1::Rollup message;
  message.Clear();
  return message;
}

}  // namespace

std::string encode_counters(const Counters& counters) {
  v1::Rollup& message = empty_message();
  fill_rollup(counters, message);
  return message.SerializeAsString();
}

bool merge_encoded_counters(std::string_view bytes, Counters& to) {
  v1::Rollup& message = empty_message();
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && merge_rollup(message, to);
}

}  // namespace footfall
