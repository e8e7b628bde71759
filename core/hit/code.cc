#include "hit/code.h"

#include <string>

#include "base/limits.h"
#include "hit/hit.h"
#include "hit/url.h"

namespace footfall {
namespace {

constexpr std::string_view kQrArgument = "qr";

std::string_view normal_path(std::string_view path, TextArena& arena) {
  if (is_plain_path(path, kPathBytesMax)) return path;
  const size_t start = arena.size();
  std::string* const to = arena.room_for(normal_path_room(kPathBytesMax));
  if (to == nullptr) return {};
  append_normal_path(path, kPathBytesMax, *to);  // what is cut off lies far behind any code
  return arena.since(start);
}
static_assert(kPathBytesMax > kCodesPrefixBytesMax + 3 * kHitCodeBytesMax + 1);

}  // namespace

bool is_codes_prefix(std::string_view text) {
  return text.size() > 2 && text.size() <= kCodesPrefixBytesMax && text.ends_with('/') &&
         is_plain_path(text, kCodesPrefixBytesMax);
}

std::string_view code_of_path(std::string_view path, std::string_view prefix, TextArena& arena, bool& marred) {
  std::string_view code = normal_path(path, arena);
  if (prefix.empty() || !code.starts_with(prefix)) return {};
  code.remove_prefix(prefix.size());
  if (code.ends_with('/')) code.remove_suffix(1);
  return clean_text(decode_percent(code, arena), kHitCodeBytesMax, arena, marred);
}

bool says_qr(std::string_view query) {
  for (QueryReader arguments(query); arguments.next();)
    if (ArgumentName(arguments.raw_name()) == kQrArgument) return true;
  return false;
}

}  // namespace footfall
