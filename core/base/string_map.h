// Hash maps and sets by string that look up a std::string_view without making a string (Debian's abseil has a
// string_view of its own and does not take the standard one).
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace footfall {

struct StringViewHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

template <class Value>
using StringMap = absl::flat_hash_map<std::string, Value, StringViewHash, std::equal_to<>>;
using StringSet = absl::flat_hash_set<std::string, StringViewHash, std::equal_to<>>;

// The map's entries in the order of their keys, which lives no longer than the map.
template <class Value>
std::vector<const typename StringMap<Value>::value_type*> in_order(const StringMap<Value>& map) {
  std::vector<const typename StringMap<Value>::value_type*> entries;
  entries.reserve(map.size());
  for (const auto& entry : map) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](auto* a, auto* b) { return a->first < b->first; });
  return entries;
}

}  // namespace footfall
