// Codes of marketing that has no link, in targets: PREFIX/CODE, as footfall_codes answers it. One reading of it for the
// answer and for the hit, so that what leads somewhere is what is counted.
#pragma once

#include <string_view>

#include "hit/text.h"

namespace footfall {

// Whether a text can be the prefix: a path that begins and ends with `/` and is its own normal path (url.h), so that
// paths can be compared with it; at most kCodesPrefixBytesMax.
inline constexpr size_t kCodesPrefixBytesMax = 255;
bool is_codes_prefix(std::string_view text);

// The code that a path asks for: what stands behind the prefix in its normal form, without a slash at its end, escapes
// undone, made clean text of at most kHitCodeBytesMax. Empty: the path does not lie below the prefix, or nothing follows
// it. `path` as sent, without query. Case stays as it is. `marred`: it was cleaned or cut, so it is no code that the
// configuration can name. The view is of `path` or in the arena.
std::string_view code_of_path(std::string_view path, std::string_view prefix, TextArena& arena, bool& marred);

// Whether the query says that the code was read off a printed square: it has the argument `qr`, whatever its value.
bool says_qr(std::string_view query);

}  // namespace footfall
