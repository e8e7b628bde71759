// The time that a query asks about: words, dates of the site's zone, or instants.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "query/metrics.h"
#include "query/plan.h"
#include "query/report.h"
#include "site/config.h"
#include "site/zone.h"

namespace footfall {

// Half open, on whole minutes.
struct TimeRange {
  int64_t from_s = 0;
  int64_t to_s = 0;

  bool operator==(const TimeRange&) const = default;
};

struct RangeWords {
  std::optional<std::string> range = {}, from = {}, to = {};  // as given; nothing given: 30d
};

// What `range` may be.
std::span<const std::string_view> range_names();

struct RangeContext {
  int64_t now_s = 0;
  const Zone& zone;
  const Retention& retention;
  std::span<const int64_t> kept_since_s = {};  // by level: what ended by then may be gone all the same; may be empty
  std::optional<TimeUnit> unit;          // the query's time dimension
  std::function<int64_t()> first_day_s;  // where `all` begins
  std::function<bool(int64_t from_s, int64_t to_s)> has_imports = {};  // in these hours; null: none anywhere
};

// Dates include both days. Ends given as instants are widened to whole minutes, or to whole buckets of the time
// dimension; then every range is widened to the finest bucket that is still kept at its ends,
// of imports too: an hour. Refused: what is no time,
// an empty range, a time dimension finer than what is kept at `from`.
std::variant<TimeRange, QueryError> parse_range(const RangeWords& words, const RangeContext& context);

// What keeps a range from being told as it is: too fine at its ends, or by the time dimension, for what is kept of it.
std::optional<QueryError> check_range_kept(const TimeRange& range, const RangeContext& context);

// RFC 3339 with the zone's offset, and in UTC.
std::string instant_text(int64_t time_s, const Zone& zone);
std::string utc_text_of_ms(int64_t time_ms);  // with milliseconds

}  // namespace footfall
