#include "query/compare.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

namespace footfall {
namespace {

using absl::CivilDay;
using absl::CivilMonth;
using absl::CivilSecond;

constexpr int kMonthsOfYear = 12;

absl::TimeZone clocks_of(const Zone& zone) {
  absl::TimeZone clocks;
  return absl::LoadTimeZone(zone.name(), &clocks) ? clocks : absl::UTCTimeZone();
}

CivilSecond civil(const Zone& zone, int64_t time_s) { return clocks_of(zone).At(absl::FromUnixSeconds(time_s)).cs; }
CivilDay day_of(const Zone& zone, int64_t time_s) { return CivilDay(civil(zone, time_s)); }

// Of a date that the zone left out: where the next one starts.
int64_t day_start_s(const Zone& zone, CivilDay day) {
  const Result<int64_t> start_s = zone.parse_date(absl::FormatCivilTime(day));
  return start_s ? *start_s : absl::ToUnixSeconds(absl::FromCivil(CivilSecond(day), clocks_of(zone)));
}

bool is_start(const Zone& zone, Level level, int64_t time_s) { return zone.bucket_start_s(level, time_s) == time_s; }

// As many months on, on the same day; nullopt: that month has no such day.
std::optional<CivilDay> month_moved(CivilDay day, int months) {
  const CivilMonth month = CivilMonth(day) + months;
  const CivilDay moved(month.year(), month.month(), day.day());
  return CivilMonth(moved) == month ? std::optional(moved) : std::nullopt;
}

// The year before; the 28th stands for 29 February.
CivilDay year_before(CivilDay day) {
  const std::optional<CivilDay> same = month_moved(day, -kMonthsOfYear);
  return same ? *same : CivilDay(day.year() - 1, 2, 28);
}

int64_t instant_year_before(const Zone& zone, int64_t time_s) {
  const CivilSecond clock = civil(zone, time_s);
  const CivilSecond moved = CivilSecond(year_before(CivilDay(clock))) + (clock - CivilSecond(CivilDay(clock)));
  return absl::ToUnixSeconds(absl::FromCivil(moved, clocks_of(zone)));
}

}  // namespace

Comparison::Comparison(Compare compare, const TimeRange& range, const Zone& zone, bool is_rolling) : range_(range), zone_(zone) {
  const bool whole_days = is_start(zone, Level::day, range.from_s) && is_start(zone, Level::day, range.to_s);
  const CivilDay first = day_of(zone, range.from_s), end = day_of(zone, range.to_s);
  if (compare == Compare::year) {
    shift_.months = kMonthsOfYear;
    before_ = whole_days ? TimeRange{day_start_s(zone, year_before(first)), day_start_s(zone, year_before(end - 1) + 1)}
                         : TimeRange{instant_year_before(zone, range.from_s), instant_year_before(zone, range.to_s)};
    return;
  }
  if (whole_days && !is_rolling && first.day() == 1 && end.day() == 1) {
    shift_.months = static_cast<int>(CivilMonth(end) - CivilMonth(first));
    before_ = {day_start_s(zone, CivilDay(CivilMonth(first) - shift_.months)), range.from_s};
  } else if (whole_days) {
    shift_.days = end - first;
    before_ = {day_start_s(zone, first - shift_.days), range.from_s};
  } else {
    shift_.seconds = range.to_s - range.from_s;
    before_ = {range.from_s - shift_.seconds, range.from_s};
  }
}

std::optional<int64_t> Comparison::before_of(TimeUnit unit, int64_t start_s) const {
  if (unit == TimeUnit::week || unit == TimeUnit::month) return by_place(unit, start_s, range_, before_);
  return moved(unit, start_s, Way::back);
}

std::optional<int64_t> Comparison::now_of(TimeUnit unit, int64_t before_start_s) const {
  if (unit == TimeUnit::week || unit == TimeUnit::month) return by_place(unit, before_start_s, before_, range_);
  return moved(unit, before_start_s, Way::forth);
}

std::optional<int64_t> Comparison::moved(TimeUnit unit, int64_t start_s, Way way) const {
  const int sign = static_cast<int>(way);
  const Level level = level_of(unit);
  if (shift_.seconds != 0) {
    const int64_t moved_s = start_s + sign * shift_.seconds;
    return is_start(zone_, level, moved_s) ? std::optional(moved_s) : std::nullopt;
  }
  const CivilDay own = day_of(zone_, start_s);
  std::optional<CivilDay> day = shift_.months != 0 ? month_moved(own, sign * shift_.months) : own + sign * shift_.days;
  // Of a range that begins on 29 February, that day is compared with the 28th: no other one is.
  if (begins_on_leap_day()) {
    const CivilDay leap = day_of(zone_, range_.from_s), stands_for = year_before(leap);
    if (way == Way::back && own == leap) day = stands_for;
    if (way == Way::forth && own == stands_for) day = leap;
  }
  if (!day) return std::nullopt;
  if (unit == TimeUnit::day) {
    const int64_t moved_s = day_start_s(zone_, *day);
    return day_of(zone_, moved_s) == *day ? std::optional(moved_s) : std::nullopt;
  }
  const absl::TimeZone clocks = clocks_of(zone_);
  const CivilSecond clock = civil(zone_, start_s);
  const auto own_times = clocks.At(clock);
  const bool comes_again =
      own_times.kind == absl::TimeZone::TimeInfo::REPEATED && absl::ToUnixSeconds(own_times.post) == start_s;
  const auto times = clocks.At(CivilSecond(*day) + (clock - CivilSecond(own)));
  if (times.kind == absl::TimeZone::TimeInfo::SKIPPED) return std::nullopt;
  if (comes_again && times.kind != absl::TimeZone::TimeInfo::REPEATED) return std::nullopt;
  const int64_t moved_s = absl::ToUnixSeconds(comes_again ? times.post : times.pre);
  return is_start(zone_, level, moved_s) ? std::optional(moved_s) : std::nullopt;
}

bool Comparison::begins_on_leap_day() const {
  const CivilDay first = day_of(zone_, range_.from_s);
  return shift_.months == kMonthsOfYear && first.month() == 2 && first.day() == 29;
}

std::optional<int64_t> Comparison::by_place(TimeUnit unit, int64_t start_s, const TimeRange& from,
                                            const TimeRange& to) const {
  int64_t at_s = unit_start_s(unit, from.from_s, zone_), other_s = unit_start_s(unit, to.from_s, zone_);
  for (; at_s < start_s && at_s < from.to_s && other_s < to.to_s; at_s = next_unit_s(unit, at_s, zone_))
    other_s = next_unit_s(unit, other_s, zone_);
  return at_s == start_s && other_s < to.to_s ? std::optional(other_s) : std::nullopt;
}

}  // namespace footfall
