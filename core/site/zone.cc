#include "site/zone.h"

#include <algorithm>
#include <charconv>

namespace footfall {
namespace {

constexpr int64_t kMinuteS = 60;
constexpr int64_t kHourS = 3600;

int64_t floor_to(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

absl::Time instant(int64_t time_s) { return absl::FromUnixSeconds(time_s); }

int64_t offset_s(const absl::TimeZone& zone, int64_t time_s) { return zone.At(instant(time_s)).offset; }

// The clock's change in instants. `trans` is the very second, also where the new reading comes twice or never came.
int64_t change_s(const absl::TimeZone& zone, const absl::TimeZone::CivilTransition& change) {
  return absl::ToUnixSeconds(zone.At(change.to).trans);
}

// The first second that bears a date, or what comes in its place: where midnight comes twice it is the first one, where
// it never comes the second at which the clocks jumped over it.
int64_t start_of_day_s(const absl::TimeZone& zone, absl::CivilDay day) {
  const absl::TimeZone::TimeInfo midnight = zone.At(absl::CivilSecond(day));
  return absl::ToUnixSeconds(midnight.kind == absl::TimeZone::TimeInfo::SKIPPED ? midnight.trans : midnight.pre);
}

absl::CivilDay day_of(const absl::TimeZone& zone, int64_t time_s) {
  return absl::CivilDay(zone.At(instant(time_s)).cs);
}

absl::CivilDay monday_of(absl::CivilDay day) {
  return absl::GetWeekday(day) == absl::Weekday::monday ? day : absl::PrevWeekday(day, absl::Weekday::monday);
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// The C library's zone files may also be named by path, and "localtime" is whatever this machine is set to: neither is
// a name that means the same tomorrow.
bool may_be_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name[0] == '/' || name == "localtime") return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-' || c == '/';
  });
}

}  // namespace

std::string_view level_name(Level level) {
  static constexpr std::array<std::string_view, kLevels.size()> kNames = {"minute", "hour", "day", "month"};
  return kNames[static_cast<size_t>(level)];
}

Result<Zone> Zone::load(std::string_view name) {
  Zone zone;
  zone.name_ = name;
  if (!may_be_zone_name(name) || !absl::LoadTimeZone(zone.name_, &zone.zone_)) {
    return Error::invalid("time zone \"" + zone.name_ + "\" is unknown; it must be a name as \"Europe/Berlin\"");
  }
  return zone;
}

Zone::Bounds Zone::find(size_t kind, int64_t time_s) const {
  if (kind == static_cast<size_t>(Level::minute)) {
    const int64_t start_s = floor_to(time_s, kMinuteS);
    return {start_s, start_s + kMinuteS};
  }

  if (kind == static_cast<size_t>(Level::hour)) {
    const int64_t offset = offset_s(zone_, time_s);
    Bounds hour{floor_to(time_s + offset, kHourS) - offset, 0};
    hour.next_s = hour.start_s + kHourS;
    absl::TimeZone::CivilTransition change;
    if (zone_.PrevTransition(instant(time_s + 1), &change)) {
      const int64_t at_s = change_s(zone_, change);
      if (offset_s(zone_, at_s - 1) != offset) hour.start_s = std::max(hour.start_s, at_s);
    }
    if (zone_.NextTransition(instant(time_s), &change)) {
      const int64_t at_s = change_s(zone_, change);
      if (offset_s(zone_, at_s) != offset) hour.next_s = std::min(hour.next_s, at_s);
    }
    return hour;
  }

  // Days, weeks and months run from one date's start to another's. Where the clocks went back over midnight, a second
  // may show the old date after the new one had begun: it belongs to the new one.
  absl::CivilDay day = day_of(zone_, time_s);
  if (start_of_day_s(zone_, day + 1) <= time_s) ++day;
  absl::CivilDay first = day, next = day + 1;
  if (kind == static_cast<size_t>(Level::month)) {
    first = absl::CivilDay(absl::CivilMonth(day));
    next = absl::CivilDay(absl::CivilMonth(day) + 1);
  } else if (kind == kWeek) {
    first = monday_of(day);
    next = first + 7;
  }
  return {start_of_day_s(zone_, first), start_of_day_s(zone_, next)};
}

const Zone::Bounds& Zone::bounds(size_t kind, int64_t time_s) const {
  Bounds& last = last_[kind];
  if (!last.hold(time_s)) last = find(kind, time_s);
  return last;
}

int64_t Zone::bucket_start_s(Level level, int64_t time_s) const {
  if (level == Level::minute) return floor_to(time_s, kMinuteS);
  return bounds(static_cast<size_t>(level), time_s).start_s;
}

int64_t Zone::next_bucket_s(Level level, int64_t start_s) const {
  return bounds(static_cast<size_t>(level), start_s).next_s;
}

int64_t Zone::week_start_s(int64_t time_s) const { return bounds(kWeek, time_s).start_s; }

int64_t Zone::next_week_s(int64_t start_s) const { return bounds(kWeek, start_s).next_s; }

std::string Zone::date_text(int64_t time_s) const { return absl::FormatCivilTime(day_of(zone_, time_s)); }

Result<int64_t> Zone::parse_date(std::string_view text) const {
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-' && all_digits(text.substr(0, 4)) &&
                      all_digits(text.substr(5, 2)) && all_digits(text.substr(8, 2));
  if (shaped) {
    const int year = number(text.substr(0, 4)), month = number(text.substr(5, 2)), of_month = number(text.substr(8, 2));
    const absl::CivilDay day(year, month, of_month);
    // CivilDay turns February 30 into March 2
    if (day.year() == year && day.month() == month && day.day() == of_month) return start_of_day_s(zone_, day);
  }
  return Error::invalid("\"" + std::string(text) + "\" is no date; it must be as 2026-10-25");
}

std::string Zone::bucket_text(Level level, int64_t start_s) const {
  switch (level) {
    case Level::minute:
      return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", instant(start_s), absl::UTCTimeZone());
    case Level::hour:
      return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", instant(start_s), zone_);
    case Level::day:
      return date_text(start_s);
    case Level::month:
      return absl::FormatCivilTime(absl::CivilMonth(day_of(zone_, start_s)));
  }
  return {};
}

}  // namespace footfall
