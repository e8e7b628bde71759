// A day of spend on its way from a table to its booking: first a line, which the importer reads like a log's; then a hit of no
// request (kHitSpend), so that it goes the way of all that is imported: by the lane, once, and back with its import.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "credit/spend.h"
#include "hit/hit.h"
#include "hit/log_line.h"

namespace footfall {

// Channels and codes are no longer; the other texts of a key are campaign fields.
inline constexpr size_t kSpendChannelBytesMax = 128;
inline constexpr size_t kSpendCodeBytesMax = kHitCodeBytesMax;

struct ToldSpend {
  absl::CivilDay day;
  SpendKey key;
  SpendAmounts amounts;

  bool operator==(const ToldSpend&) const = default;
};

// Texts as tables have them: without control characters. Without a line feed.
std::string spend_line(const ToldSpend& spend, std::string_view site);

// A table's first line: whatever is changed in the rows, it is another table.
std::string spend_head_line(const Hash128& rows);

// The day's noon in UTC: what a day of spend is put in order by.
int64_t spend_time_ms(absl::CivilDay day);

// Reads what those wrote. Not thread-safe.
class SpendLineReader {
 public:
  // hit, blank (the head line) or rejected (none of such lines).
  LineOutcome read(std::string_view line);
  // Views of the line.
  const Hit& hit() const { return hit_; }
  std::string_view site_name() const { return site_; }

 private:
  Hit hit_;
  std::string_view site_;
};

// What a hit with kHitSpend tells. False: it is off its form.
bool spend_of(const Hit& hit, ToldSpend& to);

}  // namespace footfall
