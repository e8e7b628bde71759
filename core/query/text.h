// Text of strangers on its way out: whatever bytes it has, what is shown is valid and harmless.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace footfall {

// Ill-formed sequences become U+FFFD.
std::string valid_utf8(std::string_view text);

// Quoted, valid, and cut to 64 bytes with `…`: what an error message repeats of a request.
std::string quoted(std::string_view text);

// As a JSON string, with its quotes.
std::string json_string(std::string_view text);

// For a terminal: valid, and every control or direction character as an escape: \x1b, \u{202e}.
std::string terminal_text(std::string_view text);

// Columns that a terminal takes for it: wide characters two, combining ones none.
size_t terminal_width(std::string_view text);

}  // namespace footfall
