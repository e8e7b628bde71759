#include "hit/log_time.h"

#include <chrono>
#include <cstring>

namespace footfall {
namespace {

constexpr int64_t kTimeMsMax = 253'402'300'799'999;  // the end of the year 9999
constexpr size_t kSecondsDigitsMax = 12;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes a text apart from its front; one wrong step turns it bad for good.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  int number(size_t digits) {
    if (rest_.size() < digits) return fail();
    int value = 0;
    for (size_t at = 0; at < digits; ++at) {
      if (!is_digit(rest_[at])) return fail();
      value = value * 10 + (rest_[at] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char c) {
    if (!take(c)) fail();
  }
  bool next_is_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  int month_name() {
    static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (rest_.size() < 3) return fail();
    for (size_t at = 0; at < kMonths.size(); at += 3) {
      if (std::memcmp(kMonths.data() + at, rest_.data(), 3) != 0) continue;
      rest_.remove_prefix(3);
      return static_cast<int>(at / 3) + 1;
    }
    return fail();
  }
  // Milliseconds of the digits behind a point.
  int64_t fraction_ms() {
    if (!next_is_digit()) return fail();
    int64_t ms = 0;
    for (int64_t worth = 100; next_is_digit(); worth /= 10) {
      ms += worth * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return ms;
  }
  int fail() { return ok_ = false, rest_ = {}, 0; }
  bool ends_well() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// `+0100`, `+01:00`, `-05`, `Z`, in seconds.
int64_t read_offset_s(Parts& parts) {
  if (parts.take('Z') || parts.take('z')) return 0;
  const bool west = parts.take('-');
  if (!west) parts.need('+');
  const int hours = parts.number(2);
  parts.take(':');
  const int minutes = parts.next_is_digit() ? parts.number(2) : 0;
  if (hours > 23 || minutes > 59) parts.fail();
  const int64_t offset_s = hours * 3600 + minutes * 60;
  return west ? -offset_s : offset_s;
}

int64_t read_clock_s(Parts& parts) {
  const int hours = parts.number(2);
  parts.need(':');
  const int minutes = parts.number(2);
  parts.need(':');
  const int seconds = parts.number(2);
  if (hours > 23 || minutes > 59 || seconds > 60) parts.fail();
  return hours * 3600 + minutes * 60 + seconds;
}

// `10:00:00` as read_clock_s reads it; nothing: it is none.
std::optional<int> clock_at(const char* text) {
  const auto two = [text](size_t at) {
    return is_digit(text[at]) && is_digit(text[at + 1]) ? (text[at] - '0') * 10 + (text[at + 1] - '0') : 99;
  };
  const int hours = two(0), minutes = two(3), seconds = two(6);
  if (hours > 23 || minutes > 59 || seconds > 60 || text[2] != ':' || text[5] != ':') return std::nullopt;
  return hours * 3600 + minutes * 60 + seconds;
}

std::optional<int64_t> time_of(const Parts& parts, int year, int month, int day, int64_t second_of_day, int64_t ms) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!parts.ends_well() || !date.ok()) return std::nullopt;
  const int64_t time_ms = (sys_days(date).time_since_epoch().count() * int64_t{86'400} + second_of_day) * 1000 + ms;
  if (time_ms < 0 || time_ms > kTimeMsMax) return std::nullopt;
  return time_ms;
}

std::optional<int64_t> read_local(std::string_view text) {
  Parts parts(text);
  const int day = parts.number(2);
  parts.need('/');
  const int month = parts.month_name();
  parts.need('/');
  const int year = parts.number(4);
  parts.need(':');
  const int64_t clock_s = read_clock_s(parts);
  parts.need(' ');
  const int64_t offset_s = read_offset_s(parts);
  return time_of(parts, year, month, day, clock_s - offset_s, 0);
}

std::optional<int64_t> read_iso(std::string_view text) {
  Parts parts(text);
  const int year = parts.number(4);
  parts.need('-');
  const int month = parts.number(2);
  parts.need('-');
  const int day = parts.number(2);
  if (!parts.take('T') && !parts.take('t')) parts.need(' ');
  const int64_t clock_s = read_clock_s(parts);
  const int64_t ms = parts.take('.') || parts.take(',') ? parts.fraction_ms() : 0;
  const int64_t offset_s = read_offset_s(parts);
  return time_of(parts, year, month, day, clock_s - offset_s, ms);
}

std::optional<int64_t> read_seconds(std::string_view text) {
  const std::optional<int64_t> ms = seconds_as_ms(text);
  return ms && *ms <= kTimeMsMax ? ms : std::nullopt;
}

}  // namespace

// A local time whose day and offset are those of the last one; nothing: it is none, or off its form.
std::optional<int64_t> LogTime::read_of_last_day(std::string_view text) const {
  constexpr std::string_view kForm = "24/Nov/2026:10:00:00 +0100";
  constexpr size_t kClock = 12, kBehindClock = 20;
  if (text.size() != kForm.size() || last_bytes_ != kForm.size() || text[2] != '/') return std::nullopt;
  if (std::memcmp(text.data(), last_text_.data(), kClock) != 0) return std::nullopt;
  const size_t behind_bytes = kForm.size() - kBehindClock;
  if (std::memcmp(text.data() + kBehindClock, last_text_.data() + kBehindClock, behind_bytes) != 0) return std::nullopt;
  const std::optional<int> clock_s = clock_at(text.data() + kClock);
  const std::optional<int> last_clock_s = clock_at(last_text_.data() + kClock);
  if (!clock_s || !last_clock_s) return std::nullopt;
  const int64_t ms = last_ms_ + int64_t{1000} * (*clock_s - *last_clock_s);
  return ms >= 0 && ms <= kTimeMsMax ? std::optional(ms) : std::nullopt;
}

std::optional<int64_t> LogTime::remember(std::string_view text, std::optional<int64_t> ms) {
  if (ms && text.size() <= last_text_.size()) {
    std::memcpy(last_text_.data(), text.data(), text.size());
    last_bytes_ = text.size();
    last_ms_ = *ms;
  }
  return ms;
}

std::optional<int64_t> LogTime::read_ms(std::string_view text) {
  if (text.size() == last_bytes_ && last_bytes_ != 0 && std::memcmp(text.data(), last_text_.data(), last_bytes_) == 0)
    return last_ms_;
  if (const std::optional<int64_t> ms = read_of_last_day(text)) return remember(text, ms);
  const bool is_local = text.size() > 2 && text[2] == '/';
  const bool is_iso = text.size() > 4 && text[4] == '-';
  return remember(text, is_local ? read_local(text) : is_iso ? read_iso(text) : read_seconds(text));
}

std::optional<int64_t> seconds_as_ms(std::string_view text) {
  int64_t seconds = 0;
  size_t digits = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (digits == kSecondsDigitsMax) return std::nullopt;
    seconds = seconds * 10 + (text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  Parts parts(text.substr(digits));
  const int64_t ms = parts.take('.') ? parts.fraction_ms() : 0;
  if (!parts.ends_well()) return std::nullopt;
  return seconds * 1000 + ms;
}

}  // namespace footfall
