#include "hit/log_text.h"

#include <arpa/inet.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "hit/text.h"

namespace footfall {
namespace {

int hex_value(std::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    const char lower = lower_ascii(c);
    const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_utf8(uint32_t code, std::string& to) {
  const auto add = [&](uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return add(code);
  if (code < 0x800) return add(0xC0 | code >> 6), add(0x80 | (code & 0x3F));
  if (code < 0x10000) return add(0xE0 | code >> 12), add(0x80 | (code >> 6 & 0x3F)), add(0x80 | (code & 0x3F));
  add(0xF0 | code >> 18), add(0x80 | (code >> 12 & 0x3F)), add(0x80 | (code >> 6 & 0x3F)), add(0x80 | (code & 0x3F));
}

// `\uXXXX` at the front, maybe a pair of them; the bytes that it takes, or 0.
size_t append_unicode_escape(std::string_view text, std::string& to) {
  const auto unit_at = [&](size_t at) {
    return text.size() >= at + 6 && text[at] == '\\' && text[at + 1] == 'u' ? hex_value(text.substr(at + 2, 4)) : -1;
  };
  const int unit = unit_at(0);
  if (unit < 0) return 0;
  if (unit < 0xD800 || unit > 0xDFFF) return append_utf8(static_cast<uint32_t>(unit), to), 6;
  const int low = unit < 0xDC00 ? unit_at(6) : -1;
  if (low < 0xDC00 || low > 0xDFFF) return append_utf8(0xFFFD, to), 6;
  append_utf8(0x10000 + (static_cast<uint32_t>(unit - 0xD800) << 10) + static_cast<uint32_t>(low - 0xDC00), to);
  return 12;
}

// An escape at the front of `text`, which begins with a backslash; the bytes that it takes, or 0.
size_t append_escape(std::string_view text, std::string& to) {
  if (text.size() < 2) return 0;
  if (text[1] == 'u') return append_unicode_escape(text, to);
  if (text[1] == 'x') {
    const int byte = text.size() >= 4 ? hex_value(text.substr(2, 2)) : -1;
    if (byte < 0) return 0;
    to.push_back(static_cast<char>(byte));
    return 4;
  }
  static constexpr std::string_view kSpelt = "\"\\/nrtbfv";
  const size_t which = kSpelt.find(text[1]);
  if (which == std::string_view::npos) return 0;
  to.push_back("\"\\/\n\r\t\b\f\v"[which]);
  return 2;
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool is_method_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || is_lower(c) || c == '_' || c == '-'; });
}

bool is_plain_target_byte(char c) { return static_cast<uint8_t>(c) > 0x20 && c != 0x7F; }

// Where ` HTTP/1.1` begins at the end of a request; npos: nowhere.
size_t version_start(std::string_view text) {
  static constexpr std::string_view kVersion = " HTTP/";
  const size_t last_blank = text.rfind(' ');
  return last_blank != std::string_view::npos && text.substr(last_blank).starts_with(kVersion) ? last_blank
                                                                                               : std::string_view::npos;
}

// Not of tabs: nginx refuses them.
std::string_view without_spaces_around(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_type(std::string_view type, std::string_view name) {
  if (type.size() < name.size() || !equal_ignoring_case(type.substr(0, name.size()), name)) return false;
  return type.size() == name.size() || type[name.size()] == ';' || type[name.size()] == ' ';
}

// Dotted decimal alone: four parts of one to three digits.
bool read_ipv4(std::string_view text, char* to) {
  constexpr size_t kLongest = 15;  // 255.255.255.255
  if (text.size() > kLongest) return false;
  unsigned value = 0, digits = 0, part = 0;
  for (const char c : text) {
    const unsigned digit = static_cast<unsigned>(c) - '0';
    if (digit <= 9) {
      value = value * 10 + digit;
      if (++digits > 3) return false;
    } else {
      if (c != '.' || digits == 0 || value > 255 || part == 3) return false;
      to[part++] = static_cast<char>(value);
      value = digits = 0;
    }
  }
  if (part != 3 || digits == 0 || value > 255) return false;
  to[3] = static_cast<char>(value);
  return true;
}

bool read_ipv6(std::string_view text, char* to) {
  char name[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof name || text.find(':') == std::string_view::npos) return false;
  std::memcpy(name, text.data(), text.size());
  name[text.size()] = '\0';
  return inet_pton(AF_INET6, name, to) == 1;
}

}  // namespace

void append_unescaped(std::string_view text, std::string& to) {
  while (!text.empty()) {
    const size_t plain = std::min(text.find('\\'), text.size());
    to.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const size_t taken = append_escape(text, to);
    if (taken == 0) to.push_back('\\');
    text.remove_prefix(std::max<size_t>(taken, 1));
  }
}

RequestLine split_request(std::string_view request) {
  RequestLine line;
  const bool is_get = request.starts_with("GET ");  // as most are
  const size_t method_end = is_get ? 3 : request.find(' ');
  if (method_end == std::string_view::npos || method_end == 0) return line;
  const std::string_view method = request.substr(0, method_end);
  if (!is_get && !is_method_name(method)) return line;

  line.method = is_get ? Method::get : method_of(method);
  line.method_name = method;
  const std::string_view target = request.substr(method_end + 1);
  const size_t version = version_start(target);
  line.has_version = version != std::string_view::npos;
  line.target = without_spaces_around(target.substr(0, version));
  return line;
}

bool is_well_formed(const RequestLine& line) {
  const bool in_capitals = std::none_of(line.method_name.begin(), line.method_name.end(), is_lower);
  return in_capitals && line.has_version && !line.target.empty() &&
         std::all_of(line.target.begin(), line.target.end(), is_plain_target_byte);
}

Method method_of(std::string_view name) {
  static constexpr std::pair<std::string_view, Method> kMethods[] = {
      {"GET", Method::get}, {"HEAD", Method::head},  {"POST", Method::post},
      {"PUT", Method::put}, {"DELETE", Method::del}, {"OPTIONS", Method::options},
  };
  for (const auto& [known, method] : kMethods) {
    if (name == known) return method;
  }
  return Method::other;
}

std::string_view take_authority(std::string_view& target) {
  if (target.empty() || target.front() == '/') return {};
  const size_t scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos || scheme_end > target.find_first_of("/?#")) return {};
  const size_t start = scheme_end + 3;
  const size_t end = std::min(target.find_first_of("/?#", start), target.size());
  const std::string_view authority = target.substr(start, end - start);
  target.remove_prefix(end);
  return authority;
}

ContentKind content_kind_of(std::string_view content_type) {
  if (content_type.empty()) return ContentKind::none;
  const bool is_html = is_type(content_type, "text/html") || is_type(content_type, "application/xhtml+xml");
  return is_html ? ContentKind::html : ContentKind::other;
}

std::string_view read_log_address(std::string_view text, AddressRoom& room) {
  if (read_ipv4(text, room.data())) return {room.data(), 4};
  if (text.empty() || text == "-" || text.starts_with("unix:")) return {};
  if (read_ipv6(text, room.data())) return {room.data(), 16};
  room = {};
  room[0] = 1;
  const uint64_t name_hash = XXH3_64bits(text.data(), text.size());
  std::memcpy(room.data() + 8, &name_hash, sizeof name_hash);
  return {room.data(), 16};
}

}  // namespace footfall
