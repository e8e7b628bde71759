// Keys of the summary's databases: fixed-width, big-endian, so that a range of time is a range of keys.
//
//   rollup key:     site u16 | dimension u8 | level u8 | bucket start u64 (seconds, sign flipped) | value 16 | import u16
//   dictionary key: month u16 | value 16
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "credit/model.h"
#include "rollup/settled.h"
#include "site/zone.h"

namespace footfall {

// Numbers are stored.
enum class Dimension : uint8_t {
  total = 0,
  page = 1,
  channel = 2,
  source = 3,
  medium = 4,
  campaign = 5,
  referrer_host = 6,
  entry_page = 7,
  exit_page = 8,     // booked when a visit closes; a query adds the open ones
  status_class = 9,
  event = 10,
  goal = 11,
  currency = 12,     // orders whose value has no rate: revenue in their own currency
  country = 13,      // of a visit's first hit; of hits: their own
  device = 14,       // likewise
  item = 15,         // null: what no item brought (events without one, shipping, discounts)
  search_term = 16,  // of page views; null: they are no search
  bot_class = 17,    // of hits; null: people
  browser = 18,      // of a visit's first hit; booked when a visit closes, as are the next six
  system = 19,
  new_returning = 20,
  content = 21,      // of the touch
  term = 22,
  code = 23,
  referrer = 24,     // host and path
  page_group = 25,   // of page views, where the site has groups; null: none of them
  http_status = 26,  // of hits
  item_category = 27,   // null: what no item with a category brought
  coupon = 28,          // of orders
  order_currency = 29,  // of orders, as they were told: revenue in the site's currency
  ledger = 30,          // of hits: class and reason of a bot, kLedgerGap between them; null: people
  coverage = 31,        // of orders: what is known of how their buyers came first; null: goals
  journey_channel = 32,   // steps of journeys (credit/journey_steps.h), of channels
  journey_campaign = 33,  // likewise
  // Orders of customers (credit/cohort.h), by when they ordered first, and by and when what brought them first.
  cohort_month = 34,
  cohort_channel = 35,
  cohort_source = 36,
  cohort_medium = 37,
  cohort_campaign = 38,
  cohort_code = 39,
  // From kFirstByLookback on: credit by a lookback, beyond that by the site's own. See by_lookback().
};
inline constexpr char kLedgerGap = '\t';

// The dimensions of a touch. What an order gives their values by another lookback than the site's mostly is what it gives
// by that: the difference alone is counted, in a dimension for each of them and each lookback, under the value's own hash.
// So what is cut off of one is in the row `other` of its own. journeys_converted counts the conversions that differ.
inline constexpr std::array<Dimension, 9> kTouchDimensions = {
    Dimension::channel, Dimension::source, Dimension::medium, Dimension::campaign,     Dimension::referrer_host,
    Dimension::content, Dimension::term,   Dimension::code,   Dimension::referrer};
inline constexpr size_t kFirstByLookback = 40;
inline constexpr size_t kDimensions = kFirstByLookback + kLookbacks * kTouchDimensions.size();
constexpr bool is_by_lookback(Dimension dimension) { return static_cast<size_t>(dimension) >= kFirstByLookback; }
// Of the place of a touch's dimension in kTouchDimensions, and of a lookback in kLookbackDays.
constexpr Dimension by_lookback(size_t touch_dimension, size_t lookback) {
  return static_cast<Dimension>(kFirstByLookback + lookback * kTouchDimensions.size() + touch_dimension);
}
// Of a dimension; nullopt: it is no touch's.
std::optional<Dimension> by_lookback(Dimension dimension, int lookback_days);

std::string_view dimension_name(Dimension dimension);

// A dimension's value by its hash: StringHasher of the text, zero for null, all ones for `other`.
inline constexpr Hash128 kNullValue{0, 0};
inline constexpr Hash128 kOtherValue{~0ull, ~0ull};

struct RollupKey {
  uint16_t site = 0;
  Dimension dimension = Dimension::total;
  Level level = Level::minute;
  int64_t bucket_start_s = 0;
  Hash128 value;
  uint16_t import = 0;  // 0: live
  Lateness late{};     // of a change alone: no part of the stored key

  auto operator<=>(const RollupKey&) const = default;

  template <class H>
  friend H AbslHashValue(H state, const RollupKey& key) {
    const uint64_t rest = uint64_t{key.site} << 32 | static_cast<uint64_t>(key.dimension) << 24 |
                          static_cast<uint64_t>(key.level) << 16 | key.import | uint64_t{key.late.code()} << 48;
    return H::combine(std::move(state), key.value.low ^ key.value.high, key.bucket_start_s, rest);
  }
};
inline constexpr size_t kRollupKeyBytes = 2 + 1 + 1 + 8 + 16 + 2;

std::string encode_key(const RollupKey& key);
void encode_key(const RollupKey& key, std::string& to);  // replaces what `to` holds
std::optional<RollupKey> decode_rollup_key(std::string_view bytes);

// The first possible key of a bucket: where a scan of [bucket, next bucket) begins.
std::string bucket_prefix(uint16_t site, Dimension dimension, Level level, int64_t bucket_start_s);

// What all keys of a bucket's dimension begin with, read back; nullopt: those bytes are none.
inline constexpr size_t kBucketPrefixBytes = 2 + 1 + 1 + 8;
std::optional<RollupKey> decode_bucket_prefix(std::string_view bytes);

std::string dictionary_key(uint16_t month, const Hash128& value);

// Months since January 1970, UTC.
uint16_t month_number(int64_t time_s);

// Live hits and imported ones are timelines of their own, with visitors and open visits of their own.
enum class Timeline : uint8_t { live = 0, imported = 1 };  // numbers are stored

// Of visitors and open visits: site u16 | visitor 16 | timeline u8. Of orders and what else an import brings: site u16 |
// kind u8 (0 order, 1 goal, 2 event with an id, 3 visit that goes on in that import, as it was before it, by
// its visitor, 4 what came to an order later, 5 a currency's rate of a day, 6 a customer, 7 spend of a key and day) | hash 16 | import u16 (0: live).
std::string visitor_key(uint16_t site, const Hash128& visitor, Timeline timeline = Timeline::live);
std::string order_key(uint16_t site, uint8_t kind, const Hash128& hash, uint16_t import = 0);
inline constexpr uint8_t kCarriedVisitKind = 3;
inline constexpr size_t kOrderKeyIdBytes = 2 + 1 + 16;  // what one order's keys of all imports begin with

}  // namespace footfall
