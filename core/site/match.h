// Patterns of paths, events and agents: `*` matches any run of characters, also none; all else matches itself.
#pragma once

#include <string_view>

namespace footfall {

// The whole text. Linear time, without recursion or allocation.
bool matches(std::string_view pattern, std::string_view text);

// Anywhere in the text, letters A-Z alike in either case. An empty pattern is nowhere.
bool matches_inside(std::string_view pattern, std::string_view text);

}  // namespace footfall
