#include "hit/text.h"

#include <algorithm>

#include "hit/byte_block.h"

namespace footfall {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Whether all of it is printable ASCII; texts shorter than a block are not looked at.
bool is_printable_block(std::string_view text) {
  return text.size() >= kByteBlock && none_of_blocks(text.data(), text.size(), [](const char* from) {
           const ByteBlock block = load_block(from);
           return (block < 0x20) | (block == 0x7F);
         });
}

bool is_control(uint32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string_view decode(std::string_view text, bool plus_is_space, TextArena& arena) {
  constexpr ByteSet kEscapes("%"), kFormEscapes("%+");
  if ((plus_is_space ? kFormEscapes : kEscapes).find(text) == text.size()) return text;
  const size_t start = arena.size();
  std::string* to = arena.room_for(text.size());
  if (to == nullptr) return {};
  to->resize(start + text.size());
  char* end = to->data() + start;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const int byte = c == '%' ? escaped_byte(text.substr(at)) : -1;
    if (byte >= 0) at += 2;
    *end++ = byte >= 0 ? static_cast<char>(byte) : plus_is_space && c == '+' ? ' ' : c;
  }
  to->resize(static_cast<size_t>(end - to->data()));
  return arena.since(start);
}

}  // namespace

std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return trim_end(text);
}

Utf8Step utf8_step(std::string_view text) {
  const auto byte_at = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  const uint8_t lead = byte_at(0);
  if (lead < 0x80) return {1, true, lead};
  if (lead < 0xC2 || lead > 0xF4) return {1, false, 0};

  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  uint32_t code = lead & (0x7Fu >> length);
  // The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
  uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t at = 1; at < length; ++at) {
    if (at >= text.size() || byte_at(at) < lowest || byte_at(at) > highest) return {at, false, 0};
    code = code << 6 | (byte_at(at) & 0x3F);
    lowest = 0x80;
    highest = 0xBF;
  }
  return {length, true, code};
}

bool is_clean(std::string_view text) {
  if (is_printable_block(text)) return true;
  while (!text.empty()) {
    if (text[0] >= 0x20 && text[0] < 0x7F) {
      text.remove_prefix(1);
      continue;
    }
    const Utf8Step step = utf8_step(text);
    if (!step.well_formed || is_control(step.code)) return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

std::string_view clean_text(std::string_view text, size_t bytes_max, TextArena& arena, bool& marred) {
  text = trim(text);
  if (text.size() <= bytes_max && is_clean(text)) return text;

  marred = true;
  const size_t start = arena.size();
  std::string* to = arena.room_for(std::min(bytes_max, text.size() * kReplacement.size()));
  if (to == nullptr) return {};
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    const bool keep = step.well_formed && !is_control(step.code);
    const std::string_view piece = keep ? text.substr(0, step.bytes) : kReplacement;
    if (to->size() - start + piece.size() > bytes_max) break;
    to->append(piece);
    text.remove_prefix(step.bytes);
  }
  return trim_end(arena.since(start));
}

std::string_view lower_ascii(std::string_view text, TextArena& arena) {
  if (std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return text;
  const size_t start = arena.size();
  std::string* to = arena.room_for(text.size());
  if (to == nullptr) return {};
  for (const char c : text) to->push_back(lower_ascii(c));
  return arena.since(start);
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower_ascii(a) == lower_ascii(b); });
}

int escaped_byte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hex_digit(text[1]);
  const int low = hex_digit(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string_view decode_percent(std::string_view text, TextArena& arena) { return decode(text, false, arena); }

std::string_view decode_form(std::string_view text, TextArena& arena) { return decode(text, true, arena); }

}  // namespace footfall
