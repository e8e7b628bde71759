// What is remembered of spend: of each key and day what was told and how it was booked, so that who tells it again replaces it.
// Kept beside orders, under the hash of key and day and the import that told it; the newest import's holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "credit/spend.h"

namespace footfall {

inline constexpr uint8_t kSpendKind = 7;  // beside the kinds of rollup/keys.h

// How a day of spend was counted, and by which rows.
struct SpendBooking {
  SpendKey rows;
  Currency currency;         // what cost_micros is in: the site's; one without a rate is told apart
  bool has_rate = true;      // false: the cost is no part of the site's money
  int64_t cost_micros = 0;
  int64_t clicks = 0, impressions = 0;

  bool operator==(const SpendBooking&) const = default;
};

struct SpendRecord {
  int64_t day_ms = 0;  // the day's first moment
  SpendKey key;
  SpendAmounts told;   // in its own currency, which is always there
  SpendBooking booked;

  bool operator==(const SpendRecord&) const = default;
};

// What key and day are hashed by; `day` as 2026-10-31.
std::string spend_name(const SpendKey& key, std::string_view day);

// The first bytes as of a conversion. The layout stands in spend_record.cc.
std::string encode_spend(const SpendRecord& record);
bool decode_spend(std::string_view bytes, SpendRecord& to);

}  // namespace footfall
