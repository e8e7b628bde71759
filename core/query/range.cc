#include "query/range.h"

#include <absl/time/time.h>

#include <algorithm>

#include "query/text.h"

namespace footfall {
namespace {

constexpr int64_t kFirstS = 0;               // 1970
constexpr int64_t kLastS = 253'402'214'400;  // 9999-12-31
constexpr size_t kInstantBytesMax = 64;

constexpr std::string_view kRanges[] = {"today", "yesterday", "7d", "30d", "month", "prev_month", "year", "all"};

QueryError bad(std::string param, std::string message, std::vector<std::string> allowed = {}) {
  return {400, "bad_request", std::move(message), std::move(param), std::move(allowed)};
}

int64_t day_start_s(const Zone& zone, int64_t time_s) { return zone.bucket_start_s(Level::day, time_s); }

int64_t days_before_s(const Zone& zone, int64_t day_s, int days) {
  for (; days > 0; --days) day_s = day_start_s(zone, day_s - 1);
  return day_s;
}

std::optional<TimeRange> range_of_word(std::string_view word, const RangeContext& context) {
  const Zone& zone = context.zone;
  const int64_t today_s = day_start_s(zone, context.now_s);
  const int64_t end_s = zone.next_bucket_s(Level::day, today_s);
  const int64_t month_s = zone.bucket_start_s(Level::month, context.now_s);
  if (word == "today") return TimeRange{today_s, end_s};
  if (word == "yesterday") return TimeRange{days_before_s(zone, today_s, 1), today_s};
  if (word == "7d") return TimeRange{days_before_s(zone, today_s, 6), end_s};
  if (word == "30d") return TimeRange{days_before_s(zone, today_s, 29), end_s};
  if (word == "month") return TimeRange{month_s, end_s};
  if (word == "prev_month") return TimeRange{zone.bucket_start_s(Level::month, month_s - 1), month_s};
  if (word == "year") {
    const Result<int64_t> first_s = zone.parse_date(zone.date_text(today_s).substr(0, 4) + "-01-01");
    return TimeRange{first_s ? *first_s : month_s, end_s};
  }
  if (word == "all") return TimeRange{std::min(context.first_day_s(), today_s), end_s};
  return std::nullopt;
}

// One end as it was given: a whole day, or an instant with its neighbouring minutes.
struct End {
  bool is_instant = false;
  int64_t floor_s = 0;  // of a day its first second
  int64_t ceil_s = 0;   // of a day the next one's first second
};

std::optional<End> parse_instant(std::string text) {
  if (text.empty() || text.size() > kInstantBytesMax || text[0] < '0' || text[0] > '9') return std::nullopt;
  if (text.find_first_of("Tt") == std::string::npos) return std::nullopt;
  // A `+` that was not escaped in a query string came in as a space.
  if (const size_t space = text.rfind(' '); space != std::string::npos) text[space] = '+';
  if (text.back() == 'z') text.back() = 'Z';
  absl::Time time;
  std::string fault;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &fault)) return std::nullopt;
  const int64_t floor_s = absl::ToUnixSeconds(time);
  const int64_t second_after_s = floor_s + (absl::FromUnixSeconds(floor_s) == time ? 0 : 1);
  return End{true, floor_s - ((floor_s % 60) + 60) % 60, (second_after_s + 59) / 60 * 60};
}

std::variant<End, QueryError> parse_end(const std::string& param, const std::string& text, const Zone& zone) {
  std::optional<End> end = parse_instant(text);
  if (!end) {
    const Result<int64_t> start_s = zone.parse_date(text);
    if (!start_s)
      return bad(param, param + " is " + quoted(text) +
                            "; it must be a date as 2026-10-25, or an instant as 2026-10-25T14:00:00+01:00");
    const bool left_out = zone.date_text(*start_s) != text;  // a date that the zone never had
    end = End{false, *start_s, left_out ? *start_s : zone.next_bucket_s(Level::day, *start_s)};
  }
  if (end->floor_s < kFirstS - 86'400 || end->ceil_s > kLastS)
    return bad(param, param + " is " + quoted(text) + "; it must lie between 1970 and 9999");
  return *end;
}

std::variant<TimeRange, QueryError> range_of_ends(const RangeWords& words, const RangeContext& context) {
  if (!words.from) return bad("from", "`to` needs a `from`");
  const Zone& zone = context.zone;
  const auto from = parse_end("from", *words.from, zone);
  if (const auto* error = std::get_if<QueryError>(&from)) return *error;
  End to;
  if (words.to) {
    const auto parsed = parse_end("to", *words.to, zone);
    if (const auto* error = std::get_if<QueryError>(&parsed)) return *error;
    to = std::get<End>(parsed);
  } else {
    to.ceil_s = zone.next_bucket_s(Level::day, context.now_s);
  }
  TimeRange range{std::get<End>(from).floor_s, to.ceil_s};
  if (range.from_s >= range.to_s)
    return bad(words.to ? "to" : "from", words.to
                                             ? "the range is empty: `from` must lie before `to`"
                                             : "the range is empty: `from` lies after today, and there is no `to`");
  if (context.unit && std::get<End>(from).is_instant) range.from_s = unit_start_s(*context.unit, range.from_s, zone);
  if (context.unit && to.is_instant && unit_start_s(*context.unit, range.to_s, zone) != range.to_s)
    range.to_s = next_unit_s(*context.unit, range.to_s, zone);
  return range;
}

// --- what is kept ----------------------------------------------------------------------------------------------------

int64_t kept_for_s(const Retention& retention, Level level) {
  switch (level) {
    case Level::minute:
      return retention.minute_s;
    case Level::hour:
      return retention.hour_s;
    case Level::day:
      return retention.day_s;
    case Level::month:
      return retention.month_s;
  }
  return 0;
}

// What of a level ended by then may be gone: it is older than its retention, or was when that was shorter.
int64_t gone_by_s(const RangeContext& context, Level level) {
  const int64_t by_s = context.now_s - kept_for_s(context.retention, level);
  const auto at = static_cast<size_t>(level);
  return at < context.kept_since_s.size() ? std::max(by_s, context.kept_since_s[at]) : by_s;
}

// A bucket is kept until all of it is older than its level's retention. Months are what there is at last.
Level finest_kept(int64_t time_s, const RangeContext& context) {
  for (const Level level : {Level::minute, Level::hour, Level::day}) {
    const int64_t end_s = context.zone.next_bucket_s(level, time_s);
    if (end_s > gone_by_s(context, level)) return level;
  }
  return Level::month;
}

std::optional<QueryError> check_kept(const TimeRange& range, const RangeContext& context) {
  if (!context.unit) return std::nullopt;
  const Level finest = finest_kept(range.from_s, context);
  const Level needed = level_of(*context.unit);
  if (finest <= needed) return std::nullopt;
  const int64_t day_s = context.zone.next_bucket_s(Level::day, gone_by_s(context, needed));
  std::vector<std::string> allowed;
  for (const DimensionInfo& dimension : dimensions())
    if (dimension.is_time() && level_of(dimension.unit) >= finest) allowed.emplace_back(dimension.name);
  return bad("by",
             std::string(level_name(needed)) + " figures are kept since " + context.zone.date_text(day_s) +
                 "; ask from then on, or for coarser ones",
             std::move(allowed));
}

// No minutes are kept of imports.
Level finest_told(int64_t time_s, const RangeContext& context) {
  const Level finest = finest_kept(time_s, context);
  if (finest != Level::minute || !context.has_imports) return finest;
  const int64_t hour_s = context.zone.bucket_start_s(Level::hour, time_s);
  return hour_s != time_s && context.has_imports(hour_s, context.zone.next_bucket_s(Level::hour, hour_s)) ? Level::hour : finest;
}

void widen_to_kept(TimeRange& range, const RangeContext& context) {
  const Zone& zone = context.zone;
  range.from_s = zone.bucket_start_s(finest_told(range.from_s, context), range.from_s);
  const Level level = finest_told(range.to_s, context);
  if (zone.bucket_start_s(level, range.to_s) != range.to_s) range.to_s = zone.next_bucket_s(level, range.to_s);
}

}  // namespace

std::span<const std::string_view> range_names() { return kRanges; }

std::variant<TimeRange, QueryError> parse_range(const RangeWords& words, const RangeContext& context) {
  TimeRange range;
  if (words.from || words.to) {
    if (words.range) return bad("range", "`range` and `from`/`to` say the same: give one of them");
    const auto ends = range_of_ends(words, context);
    if (const auto* error = std::get_if<QueryError>(&ends)) return *error;
    range = std::get<TimeRange>(ends);
  } else {
    const std::string word = words.range.value_or("30d");
    const std::optional<TimeRange> named = range_of_word(word, context);
    if (!named) return bad("range", "there is no range " + quoted(word), {std::begin(kRanges), std::end(kRanges)});
    range = *named;
  }
  if (std::optional<QueryError> error = check_kept(range, context)) return *std::move(error);
  widen_to_kept(range, context);
  return range;
}

std::optional<QueryError> check_range_kept(const TimeRange& range, const RangeContext& context) {
  if (std::optional<QueryError> error = check_kept(range, context)) {
    error->param = "compare";
    return error;
  }
  TimeRange widened = range;
  widen_to_kept(widened, context);
  if (widened == range) return std::nullopt;
  const auto from = instant_text(widened.from_s, context.zone), to = instant_text(widened.to_s, context.zone);
  return bad("compare", "the time before is not kept as finely as that; the nearest that can be told is " + from + " to " + to);
}

std::string instant_text(int64_t time_s, const Zone& zone) {
  absl::TimeZone named;
  if (!absl::LoadTimeZone(zone.name(), &named)) named = absl::UTCTimeZone();
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", absl::FromUnixSeconds(time_s), named);
}

std::string utc_text_of_ms(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(time_ms), absl::UTCTimeZone());
}

}  // namespace footfall
