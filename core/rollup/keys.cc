#include "rollup/keys.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace footfall {
namespace {

constexpr uint64_t kSign = 1ull << 63;

constexpr std::array<std::string_view, kFirstByLookback> kNames = {
    "total",        "page",  "channel", "source",   "medium",  "campaign", "referrer_host", "entry_page",  "exit_page",
    "status_class", "event", "goal",    "currency", "country", "device",   "item",          "search_term", "bot_class",
    "browser", "os", "new_returning", "content", "term", "code", "referrer", "page_group", "http_status",
    "item_category", "coupon", "order_currency", "ledger", "coverage",    "journey_channel", "journey_campaign",
    "cohort_month", "cohort_channel", "cohort_source", "cohort_medium", "cohort_campaign", "cohort_code"};

void append_bucket_prefix(std::string& to, uint16_t site, Dimension dimension, Level level, int64_t bucket_start_s) {
  BytesWriter(to)
      .be16(site)
      .u8(static_cast<uint8_t>(dimension))
      .u8(static_cast<uint8_t>(level))
      .be64(static_cast<uint64_t>(bucket_start_s) ^ kSign);
}

}  // namespace

std::string_view dimension_name(Dimension dimension) {
  // channel_1d, …
  static const auto kByLookback = [] {
    std::array<std::string, kDimensions - kFirstByLookback> names;
    for (size_t lookback = 0; lookback < kLookbacks; ++lookback)
      for (size_t of = 0; of < kTouchDimensions.size(); ++of)
        names[static_cast<size_t>(by_lookback(of, lookback)) - kFirstByLookback] =
            std::string(kNames[static_cast<size_t>(kTouchDimensions[of])]) + "_" + std::to_string(kLookbackDays[lookback]) + "d";
    return names;
  }();
  const auto number = static_cast<size_t>(dimension);
  return is_by_lookback(dimension) ? std::string_view(kByLookback[number - kFirstByLookback]) : kNames[number];
}

std::optional<Dimension> by_lookback(Dimension dimension, int lookback_days) {
  const auto of = std::find(kTouchDimensions.begin(), kTouchDimensions.end(), dimension);
  const auto lookback = std::find(std::begin(kLookbackDays), std::end(kLookbackDays), lookback_days);
  if (of == kTouchDimensions.end() || lookback == std::end(kLookbackDays)) return std::nullopt;
  return by_lookback(static_cast<size_t>(of - kTouchDimensions.begin()), static_cast<size_t>(lookback - std::begin(kLookbackDays)));
}

std::string bucket_prefix(uint16_t site, Dimension dimension, Level level, int64_t bucket_start_s) {
  std::string bytes;
  bytes.reserve(kRollupKeyBytes);
  append_bucket_prefix(bytes, site, dimension, level, bucket_start_s);
  return bytes;
}

void encode_key(const RollupKey& key, std::string& to) {
  to.clear();
  append_bucket_prefix(to, key.site, key.dimension, key.level, key.bucket_start_s);
  BytesWriter(to).hash(key.value).be16(key.import);
}

std::string encode_key(const RollupKey& key) {
  std::string bytes;
  bytes.reserve(kRollupKeyBytes);
  encode_key(key, bytes);
  return bytes;
}

std::optional<RollupKey> decode_bucket_prefix(std::string_view bytes) {
  if (bytes.size() != kBucketPrefixBytes) return std::nullopt;
  std::string key(bytes);
  BytesWriter(key).hash(kNullValue).be16(0);
  return decode_rollup_key(key);
}

std::optional<RollupKey> decode_rollup_key(std::string_view bytes) {
  if (bytes.size() != kRollupKeyBytes) return std::nullopt;
  BytesReader reader(bytes);
  RollupKey key;
  key.site = reader.be16();
  const uint8_t dimension = reader.u8(), level = reader.u8();
  if (dimension >= kDimensions || level >= kLevels.size()) return std::nullopt;
  key.dimension = static_cast<Dimension>(dimension);
  key.level = static_cast<Level>(level);
  key.bucket_start_s = static_cast<int64_t>(reader.be64() ^ kSign);
  key.value = reader.hash();
  key.import = reader.be16();
  return key;
}

std::string dictionary_key(uint16_t month, const Hash128& value) {
  std::string bytes;
  BytesWriter(bytes).be16(month).hash(value);
  return bytes;
}

// By the calendar's arithmetic (days counted from 1 March of year 0, in eras of 400 years): called for every key.
uint16_t month_number(int64_t time_s) {
  const int64_t days = (time_s >= 0 ? time_s : time_s - 86'399) / 86'400 + 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t months_since_march = (5 * day_of_year + 2) / 153;
  const int64_t months = (era * 400 + year_of_era) * 12 + months_since_march + 2 - 1970 * 12;
  return static_cast<uint16_t>(std::clamp<int64_t>(months, 0, UINT16_MAX));
}

std::string visitor_key(uint16_t site, const Hash128& visitor, Timeline timeline) {
  std::string bytes;
  BytesWriter(bytes).be16(site).hash(visitor).u8(static_cast<uint8_t>(timeline));
  return bytes;
}

std::string order_key(uint16_t site, uint8_t kind, const Hash128& hash, uint16_t import) {
  std::string bytes;
  BytesWriter(bytes).be16(site).u8(kind).hash(hash).be16(import);
  return bytes;
}

}  // namespace footfall
