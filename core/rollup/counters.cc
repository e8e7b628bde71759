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

// Of each model; of `last` alone where all have that; none where nothing was sold.
std::span<const Model> models_of_largest(const Counters& counters) {
  const int64_t of_last = counters.largest_revenue_micros(Model::last);
  for (const Model model : kAllModels)
    if (counters.largest_revenue_micros(model) != of_last) return kAllModels;
  return std::span(kAllModels).first(of_last != 0);
}

}  // namespace

bool Counters::is_zero() const {
  static const Rare kNone;
  const auto is_nothing = [](const auto& value) { return value == 0; };
  const auto are_nothing = [&](const auto& values) { return std::all_of(values.begin(), values.end(), is_nothing); };
  return visitors.empty() && !took_ms && are_nothing(plain_) && (!rare_ || *rare_ == kNone) &&
         (!shared_ || (are_nothing(shared_->counts) && are_nothing(shared_->amounts)));
}

Counters::Shared& Counters::need_shared() {
  if (!shared_) shared_.need().largest_micros.fill(rare_ ? rare_->largest_micros : 0);
  return *shared_;
}

void Counters::see_revenue(Model model, int64_t micros) {
  int64_t& largest = need_shared().largest_micros[static_cast<size_t>(model)];
  largest = std::max(largest, micros);
  if (model == Model::last && micros > largest_revenue_micros(model)) rare_.need().largest_micros = micros;
}

void Counters::see_revenue(int64_t micros) {
  if (micros > largest_revenue_micros(Model::last)) rare_.need().largest_micros = micros;
  if (!shared_) return;
  for (int64_t& largest : shared_->largest_micros) largest = std::max(largest, micros);
}

void Counters::merge(const Counters& other) {
  // Before the sums, which may make room for what models share.
  if (!shared_ && !other.shared_) {
    if (other.rare_ && other.rare_->largest_micros != 0) see_revenue(other.rare_->largest_micros);
  } else {
    need_shared();
    for (const Model model : kAllModels) see_revenue(model, other.largest_revenue_micros(model));
  }
  merge_sums(other);
  if (!other.visitors.empty()) visitors.merge(other.visitors);
  if (other.took_ms) took_ms.need().merge(*other.took_ms);
}

void Counters::merge_sums(const Counters& other) {
  const auto add_all = [](auto& to, const auto& from) {
    for (size_t i = 0; i < to.size(); ++i) add(to[i], from[i]);
  };
  add_all(plain_, other.plain_);
  if (other.rare_) {
    add_all(rare_.need().counts, other.rare_->counts);
    add_all(rare_->amounts, other.rare_->amounts);
  }
  if (other.shared_) {
    add_all(need_shared().counts, other.shared_->counts);
    add_all(shared_->amounts, other.shared_->amounts);
  }
}

bool Counters::has_sums_of(const Counters& other) const {
  if (plain_ != other.plain_) return false;
  for (size_t i = kFirstRare; i < kCounters; ++i)
    if ((*this)[static_cast<Counter>(i)] != other[static_cast<Counter>(i)]) return false;
  for (size_t i = 0; i < kAmounts; ++i)
    if ((*this)[static_cast<Amount>(i)] != other[static_cast<Amount>(i)]) return false;
  return true;
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
  for (const Model model : models_of_largest(counters)) message.add_largest_revenue_micros(counters.largest_revenue_micros(model));
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
  if (message.largest_revenue_micros_size() == 1) to.see_revenue(message.largest_revenue_micros(0));
  for (int i = 0; message.largest_revenue_micros_size() > 1 && i < message.largest_revenue_micros_size(); ++i)
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
  std::string largest;
  for (const Model model : models_of_largest(counters)) append_varint(largest, static_cast<uint64_t>(counters.largest_revenue_micros(model)));
  append_field(to, v1::Rollup::kLargestRevenueMicrosFieldNumber, largest);
}

bool merge_encoded_counters(std::string_view bytes, Counters& to) {
  thread_local v1::Rollup message;  // keeps its memory: read for every row of every query
  message.Clear();
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && merge_rollup(message, to);
}

}  // namespace footfall
