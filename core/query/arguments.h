// A raw query string as names and values.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "query/report.h"

namespace footfall {

inline constexpr size_t kArgumentsBytesMax = 16 * 1024;

class Arguments {
 public:
  // Form-decoded leniently. Refused: a name that is not `known` (one of `later` is told as such), a name given twice,
  // more than kArgumentsBytesMax.
  static std::variant<Arguments, QueryError> parse(std::string_view raw, std::span<const std::string_view> known,
                                                   std::span<const std::string_view> later);

  // nullptr: not given.
  const std::string* find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// The parts between commas, as they are.
std::vector<std::string> split_list(std::string_view text);

}  // namespace footfall
