// What rollups must add up to: rows to totals, in every bucket; minutes to hours to days to months. For SummaryCheck.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "rollup/counters.h"
#include "rollup/keys.h"
#include "site/zone.h"

namespace footfall {

// All sums of a rollup by number: counters, then amounts.
inline constexpr size_t kSums = kCounters + kAmounts;
using SumValues = std::array<__int128, kSums>;
SumValues sum_values(const Counters& counters);
std::string_view sum_name(size_t sum);

// The sums whose rows, `other` among them, add up to the total by that dimension; ascending.
std::span<const uint8_t> sums_that_add_up(Dimension dimension);

// Rows of one bucket added up. The prints add up as the rows of each value do: those of finer buckets are those of the
// coarser one only if every value's counters add up, not just their sum.
struct RowSums {
  SumValues sums{};
  std::array<uint64_t, kSums> prints{};
  bool has_other = false;  // then values are not the same in finer buckets and coarser ones

  void add(const Hash128& value, const Counters& counters);
  void add(const Hash128& value, size_t sum, __int128 amount);
  void merge(const RowSums& other);
};

// A bucket of one site and dimension, and one import.
struct Place {
  Level level = Level::minute;
  int64_t start_s = 0;
  uint16_t import = 0;
  auto operator<=>(const Place&) const = default;
};
// "site shop, page, day 2026-10-01"
std::string place_text(std::string_view site, const Zone& zone, Dimension dimension, const Place& place);
using PlaceSums = std::map<Place, RowSums>;

// What ended by then may be gone, by level; INT64_MIN: nothing is.
using KeptSince = std::array<int64_t, kLevels.size()>;

// A sum that is not what it must be: which one, and both figures.
using OnWrongSum = std::function<void(const Place& place, const std::string& text)>;

// `rows` of a dimension against the totals, both with open visits.
void compare_with_totals(const PlaceSums& totals, const PlaceSums& rows, Dimension dimension, const OnWrongSum& wrong);

// Takes out buckets that may be gone: some dimensions' may be, and others' not yet.
void leave_out_old(const Zone& zone, const KeptSince& kept_since, PlaceSums& sums);

// Every bucket of a dimension against the finer ones in it, where these are kept whole.
void compare_levels(const PlaceSums& rows, const Zone& zone, const KeptSince& kept_since, const OnWrongSum& wrong);

// The sums that kept visits tell (kept_sums.h), bucket by bucket, against the dimension's rows.
void compare_with_visits(const PlaceSums& visits, const PlaceSums& rows, Dimension dimension, bool has_undone_imports,
                         const OnWrongSum& wrong);

// Orders and their pieces, as they are remembered, against the totals; spend likewise.
void compare_with_orders(const PlaceSums& orders, const PlaceSums& totals, const OnWrongSum& wrong);
void compare_with_spend(const PlaceSums& spend, const PlaceSums& totals, const OnWrongSum& wrong);
inline constexpr size_t kSpendSums[] = {static_cast<size_t>(Counter::clicks), static_cast<size_t>(Counter::impressions),
                                        kCounters + static_cast<size_t>(Amount::cost)};

std::string int128_text(__int128 value);

}  // namespace footfall
