// How sure a figure is (95 %), and what to do about a form of marketing. Statistics are reckoned in doubles, from sums that
// are whole numbers. Rules and coverage: README.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace footfall {

inline constexpr double kZ = 1.96;  // of 95 %

struct Interval {
  double low = 0, high = 0;
};

// A rate of k out of n by Wilson. k may be a sum of credits. Null: n is 0, k below 0 or over n.
std::optional<Interval> wilson(double k, double n);

// The difference k1/n1 - k2/n2 of two independent rates by Newcombe (from their Wilson intervals). Null where one of them is.
std::optional<Interval> newcombe(double k1, double n1, double k2, double n2);

// What a row's visits brought: enough for revenue per visit, its interval and the like. Sums stop at their type's end.
struct ReturnSums {
  uint64_t visits = 0;                        // n, of the row
  unsigned __int128 credit_millionths = 0;    // sum of c over the row's conversions
  unsigned __int128 credit_squares = 0;       // sum of c^2, in 10^-12
  unsigned __int128 revenue_micros = 0;       // sum of r = c * value
  unsigned __int128 revenue_squares = 0;      // sum of r^2, in micros^2
  uint64_t largest_micros = 0;                // the largest r

  // A conversion, once: the credits of its touches in the row are added up before. Neither is below 0.
  void add_conversion(int64_t credit_millionths, int64_t revenue_micros);
  void merge(const ReturnSums& other);

  std::string encode() const;
  static Result<ReturnSums> decode(std::string_view bytes);  // Error::version, Error::corrupt
  bool operator==(const ReturnSums&) const = default;

  // As many conversions as weigh the same if each had the same credit: (sum of c)^2 / sum of c^2. 0: none.
  double effective_conversions() const;
};

// Revenue per visit in micros. Null: no visits. Its interval is log-normal; null where k, the effective conversions, are 0 or
// over n, or nothing was earned.
std::optional<double> rpv_micros(const ReturnSums& sums);
std::optional<Interval> rpv_micros_interval(const ReturnSums& sums);

// Credited revenue over cost, a pure number. Null where cost is not above 0; `interval` also where that of rpv is.
struct Roas {
  std::optional<double> roas;
  std::optional<Interval> interval;
};
Roas roas_of(const ReturnSums& sums, int64_t cost_micros);

enum class Verdict : uint8_t { raise = 0, cut = 1, keep = 2, too_early = 3, depends_on_model = 4 };
inline constexpr std::array<std::string_view, 5> kVerdictNames = {"raise", "cut", "keep", "too_early", "depends_on_model"};

inline constexpr double kConversionsMin = 10;  // effective ones, below which it is too early
inline constexpr double kNarrow = 2;           // upper/lower of an interval that lets one keep things as they are

struct Judgement {
  Verdict verdict = Verdict::too_early;
  // With too_early: how many more visits, at the same rates and values, make it another verdict. Null where nothing was
  // earned yet, so that there is no rate to go by.
  std::optional<uint64_t> visits_needed;
};

// `of_models`: the same row by the other models that must agree (last_non_direct, position and markov; without interval that
// of `sums` is carried over in proportion, without roas it is not asked). Null: no cost, or no margin in 1..1,000,000
// millionths.
std::optional<Judgement> judge(const ReturnSums& sums, int64_t cost_micros, int64_t margin_micros, std::span<const Roas> of_models = {});

}  // namespace footfall
