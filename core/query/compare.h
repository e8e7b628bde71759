// `compare=previous|year`: the range that a range is compared with, and which bucket of the one stands for which of the
// other.
//
// previous  whole months are moved back by as many months, whole days by as many days, instants by their length
// year      the same dates and clocks of the year before; of 29 February the 28th
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "query/metrics.h"
#include "query/range.h"
#include "site/zone.h"

namespace footfall {

enum class Compare : uint8_t { none, previous, year };
inline constexpr std::array<std::string_view, 2> kCompareNames = {"previous", "year"};  // without `none`

class Comparison {
 public:
  // A rolling range, the last so many days, goes by days also where these happen to be months.
  Comparison(Compare compare, const TimeRange& range, const Zone& zone, bool is_rolling = false);

  const TimeRange& before() const { return before_; }

  // The start of the bucket before that a bucket of the range is compared with, and the other way round. Days go by
  // their date or place, hours and minutes by the clock of their day, weeks and months by their place in the range.
  // nullopt: it has none, as the hour that comes twice when clocks go back, or 29 February.
  std::optional<int64_t> before_of(TimeUnit unit, int64_t start_s) const;
  std::optional<int64_t> now_of(TimeUnit unit, int64_t before_start_s) const;

 private:
  // How far back; one of them is not zero.
  struct Shift {
    int months = 0;
    int64_t days = 0;
    int64_t seconds = 0;
  };
  enum class Way : int8_t { back = -1, forth = 1 };
  std::optional<int64_t> moved(TimeUnit unit, int64_t start_s, Way way) const;
  std::optional<int64_t> by_place(TimeUnit unit, int64_t start_s, const TimeRange& from, const TimeRange& to) const;
  bool begins_on_leap_day() const;

  TimeRange range_;
  TimeRange before_;
  Shift shift_;
  Zone zone_;
};

}  // namespace footfall
