#include "query/text.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>

#include "hit/text.h"

namespace footfall {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr size_t kQuotedBytesMax = 64;

struct CodeRange {
  uint32_t first, last;
};

bool in(uint32_t code, const CodeRange* first, const CodeRange* last) {
  return std::any_of(first, last, [&](const CodeRange& range) { return code >= range.first && code <= range.last; });
}

// Unicode 15, East Asian Width W and F, in blocks; and the emoji.
constexpr CodeRange kWide[] = {{0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},  {0x23E9, 0x23EC},
                               {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},  {0x4E00, 0x9FFF},
                               {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},  {0xF900, 0xFAFF},
                               {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F},
                               {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr CodeRange kCombining[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
                                    {0x064B, 0x065F}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},
                                    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0x3099, 0x309A},
                                    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
// Controls, and what has no width or turns the direction of what follows.
constexpr CodeRange kUnshown[] = {{0x00, 0x1F},     {0x7F, 0x9F},      {0xAD, 0xAD},     {0x061C, 0x061C},
                                  {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
                                  {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    out += step.well_formed ? text.substr(0, step.bytes) : kReplacement;
    text.remove_prefix(step.bytes);
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    const std::string_view character = step.well_formed ? text.substr(0, step.bytes) : kReplacement;
    if (out.size() + character.size() > kQuotedBytesMax + 1) {
      out += "…";
      break;
    }
    out += character;
    text.remove_prefix(step.bytes);
  }
  return out + '"';
}

std::string json_string(std::string_view text) {
  const std::string valid = valid_utf8(text);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

std::string terminal_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (!step.well_formed) {
      out += kReplacement;
    } else if (in(step.code, std::begin(kUnshown), std::end(kUnshown))) {
      char escape[16];
      std::snprintf(escape, sizeof escape, step.code < 0x100 ? "\\x%02x" : "\\u{%x}", static_cast<unsigned>(step.code));
      out += escape;
    } else {
      out += text.substr(0, step.bytes);
    }
    text.remove_prefix(step.bytes);
  }
  return out;
}

size_t terminal_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    const bool known = step.well_formed;
    if (!known || !in(step.code, std::begin(kCombining), std::end(kCombining)))
      width += known && in(step.code, std::begin(kWide), std::end(kWide)) ? 2 : 1;
    text.remove_prefix(step.bytes);
  }
  return width;
}

}  // namespace footfall
