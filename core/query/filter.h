// Which facts a query looks at: `filter=channel:is:email|sms;page:starts:/sale`. A condition is told by the fact's own
// value of its dimension, as the rows of `by` are.
//
//   filter     condition ( ";" condition )*                    all of them hold
//   condition  dimension ":" op ":" value ( "|" value )*       any of the values; of is_not: none of them
//   op         is | is_not | contains | starts | matches       of the last, `*` is any run of characters
//
// `\;` `\|` `\\` in a value stand for the second character; any other backslash for itself. An empty value is null.
// Case counts.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/metrics.h"
#include "query/report.h"

namespace footfall {

enum class FilterOp : uint8_t { is, is_not, contains, starts, matches };
inline constexpr std::array<std::string_view, 5> kFilterOpNames = {"is", "is_not", "contains", "starts", "matches"};

inline constexpr size_t kFilterConditionsMax = 16;
inline constexpr size_t kFilterValuesMax = 1'000;  // of all conditions together

struct Condition {
  const DimensionInfo* dimension = nullptr;
  FilterOp op = FilterOp::is;
  std::vector<std::string> values;  // sorted, each once; empty: null

  // Whether a fact of that value is meant; nullptr: null.
  bool holds(const std::string_view* text) const;
  // Whether it means one value alone, whatever there is.
  bool is_one_value() const { return op == FilterOp::is && values.size() == 1; }

  bool operator==(const Condition&) const = default;
};
using Filter = std::vector<Condition>;

// Refused: what is off the form, no dimension, one of time, no op, more than the bounds.
std::variant<Filter, QueryError> parse_filter(std::string_view text);

// As it may be asked again; equal filters give equal texts if their conditions come in the same order.
std::string filter_text(const Filter& filter);

// The dimensions that it names, each once, in their order.
std::vector<const DimensionInfo*> dimensions_of(const Filter& filter);

// Whether all conditions on that dimension hold; also where there are none.
bool holds(const Filter& filter, const DimensionInfo& dimension, const std::string_view* text);

}  // namespace footfall
