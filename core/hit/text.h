// Text as requests bring it, made fit for a Hit: trimmed, decoded, well-formed UTF-8 without control characters,
// bounded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace footfall {

// Room for the text that a hit's views point into. Never grows past its bound, so views stay until clear().
class TextArena {
 public:
  static constexpr size_t kBytesMax = 160 * 1024;  // four times the largest raw record, and a query read by each of 16 rules

  TextArena() { bytes_.reserve(kBytesMax); }

  void clear() { bytes_.clear(); }
  // Where to append up to `bytes` bytes; nullptr if there is no room for so many.
  std::string* room_for(size_t bytes) { return bytes <= kBytesMax - bytes_.size() ? &bytes_ : nullptr; }
  size_t size() const { return bytes_.size(); }
  std::string_view since(size_t start) const { return std::string_view(bytes_).substr(start); }
  void rewind(size_t start) { bytes_.resize(start); }

 private:
  std::string bytes_;
};

// Bytes to look for. std::string_view::find_first_of() calls memchr for every byte of the text.
class ByteSet {
 public:
  constexpr explicit ByteSet(std::string_view bytes) {
    add(bytes);
  }
  constexpr void add(std::string_view bytes) {
    for (const char byte : bytes) has_[static_cast<uint8_t>(byte)] = true;
  }
  constexpr bool has(char byte) const { return has_[static_cast<uint8_t>(byte)]; }
  // Where the first of them stands; the text's size if none does.
  size_t find(std::string_view text, size_t at = 0) const {
    while (at < text.size() && !has(text[at])) ++at;
    return at;
  }

 private:
  std::array<bool, 256> has_{};
};

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Without ASCII white space at both ends. Most texts have none.
std::string_view trim_spaces(std::string_view text);
inline std::string_view trim(std::string_view text) {
  return text.empty() || is_space(text.front()) || is_space(text.back()) ? trim_spaces(text) : text;
}

// The character at the front of a text that is not empty: its bytes, or, ill formed, those that are replaced together
// (the longest start of a well-formed character, at least one byte).
struct Utf8Step {
  size_t bytes;
  bool well_formed;
  uint32_t code;
};
Utf8Step utf8_step(std::string_view text);

// Well-formed UTF-8 without control characters (U+0000–001F, U+007F–009F).
bool is_clean(std::string_view text);

// The one rule for free text of requests: trimmed; each control character and each ill-formed byte sequence becomes
// U+FFFD; cut to bytes_max on a character's border and trimmed again. The view is `text` itself where nothing had to
// change, else in the arena. `marred` is set where anything but white space at the ends was replaced or cut.
std::string_view clean_text(std::string_view text, size_t bytes_max, TextArena& arena, bool& marred);

// A–Z become a–z; other bytes, also those of UTF-8, stay.
std::string_view lower_ascii(std::string_view text, TextArena& arena);
inline char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool equal_ignoring_case(std::string_view left, std::string_view right);

// The byte that `%XX` at the front of `text` stands for, or -1.
int escaped_byte(std::string_view text);

// Escapes undone; `%zz` stays as it is. decode_form also turns `+` into a space. The view is `text` itself where there
// is nothing to undo. Without room in the arena: empty.
std::string_view decode_percent(std::string_view text, TextArena& arena);
std::string_view decode_form(std::string_view text, TextArena& arena);

}  // namespace footfall
