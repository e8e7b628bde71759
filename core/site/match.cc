#include "site/match.h"

#include <cstring>
#include <string>

#include "site/checks.h"

namespace footfall {
namespace {

// string_view::find is quadratic on "aaaa…"; glibc's memmem is linear.
size_t find_linear(std::string_view text, std::string_view part) {
  const void* found = memmem(text.data(), text.size(), part.data(), part.size());
  return found == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star + 1);

  // Without single-character wildcards the leftmost place for each inner part leaves most for those behind it.
  while ((star = pattern.find('*')) != std::string_view::npos) {
    const std::string_view part = pattern.substr(0, star);
    const size_t at = part.empty() ? 0 : find_linear(text, part);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + part.size());
    pattern.remove_prefix(star + 1);
  }
  return text.ends_with(pattern);
}

bool matches_inside(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return false;
  return matches('*' + lower_ascii(pattern) + '*', lower_ascii(text));
}

}  // namespace footfall
