#include "hit/url.h"

#include <algorithm>
#include <cstdint>

#include "hit/byte_block.h"

namespace footfall {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::string_view kPathMarks = R"(!"$&'()*+,/:;<=>@[\]^`{|})";  // printable and no blank; # % ? end or escape
constexpr std::string_view kValueMarks = "!$()*,:@/=";  // of an argument's value: also without what form-decoding reads
constexpr std::string_view kNameMarks = "!$()*,:@/";

constexpr ByteSet unreserved_and(std::string_view marks) {
  ByteSet set(kUnreserved);
  set.add(marks);
  return set;
}
constexpr ByteSet kIsUnreserved(kUnreserved);
constexpr ByteSet kStandsInPath = unreserved_and(kPathMarks);
constexpr ByteSet kStandsInValue = unreserved_and(kValueMarks);
constexpr ByteSet kStandsInName = unreserved_and(kNameMarks);

void append_byte(uint8_t byte, const ByteSet& stands, std::string& to) {
  if (stands.has(static_cast<char>(byte))) {
    to.push_back(static_cast<char>(byte));
    return;
  }
  to.push_back('%');
  to.push_back(kHexDigits[byte >> 4]);
  to.push_back(kHexDigits[byte & 15]);
}

// Where a normal text of more than bytes_max bytes from `start` on may be cut: at most there, not inside an escape, nor
// between the escapes of one UTF-8 character. `%` always begins an escape in a normal text.
size_t cut_place(const std::string& text, size_t start, size_t bytes_max) {
  size_t end = start + bytes_max;
  if (bytes_max >= 1 && text[end - 1] == '%') {
    end -= 1;
  } else if (bytes_max >= 2 && text[end - 2] == '%') {
    end -= 2;
  }
  for (size_t back = 1; back <= 3; ++back) {
    const size_t lead = end - 3 * back;
    if (end < start + 3 * back || text[lead] != '%') break;
    char bytes[4];
    size_t count = 0;
    for (size_t at = lead; count < sizeof bytes && at < text.size(); at += 3) {
      const int byte = escaped_byte(std::string_view(text).substr(at));
      if (byte < 0) break;
      bytes[count++] = static_cast<char>(byte);
    }
    const Utf8Step step = utf8_step({bytes, count});
    if (step.well_formed) return step.bytes > back ? lead : end;
  }
  return end;
}

bool is_scheme(std::string_view text) {
  const auto is_letter = [](char c) { return lower_ascii(c) >= 'a' && lower_ascii(c) <= 'z'; };
  if (text.empty() || !is_letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

// The white space that trimming takes off, as it is spelt in a normal text.
bool ends_in_escaped_space(std::string_view text) {
  if (text.size() < 3 || text[text.size() - 3] != '%') return false;
  const int byte = escaped_byte(text.substr(text.size() - 3));
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

}  // namespace

Target split_target(std::string_view uri) {
  if (uri.empty()) return {};
  if (uri.front() != '/') {
    const size_t scheme_end = uri.find("://");
    if (scheme_end == std::string_view::npos || !is_scheme(uri.substr(0, scheme_end))) return {};
    const size_t path = uri.find_first_of("/?#", scheme_end + 3);
    if (path == std::string_view::npos) return {};
    uri.remove_prefix(path);
  }
  uri = uri.substr(0, uri.find('#'));
  const size_t mark = uri.find('?');
  if (mark == std::string_view::npos) return {uri, {}};
  return {uri.substr(0, mark), uri.substr(mark + 1)};
}

// Short paths are looked at byte by byte.
size_t plain_path_end(std::string_view path) {
  if (path.size() > kByteBlock) {
    return 1 + find_in_blocks(path.data() + 1, path.size() - 1, [](const char* from) {
             const ByteBlock block = load_block(from);
             const ByteBlock before = load_block(from - 1);
             return (block <= 0x20) | (block == 0x7F) | (block == '#') | (block == '%') | (block == '?') |
                    ((block == '/') & (before == '/'));
           });
  }
  size_t at = 1;
  while (at < path.size() && kStandsInPath.has(path[at]) && (path[at] != '/' || path[at - 1] != '/')) ++at;
  return at;
}

bool is_plain_path(std::string_view path, size_t bytes_max) {
  return !path.empty() && path.front() == '/' && path.size() <= bytes_max && plain_path_end(path) == path.size();
}

bool append_normal_path(std::string_view path, size_t bytes_max, std::string& to) {
  const size_t start = to.size();
  if (path.empty() || path.front() != '/') to.push_back('/');
  // Four escapes past the bound show where the last character that fits ends.
  const size_t enough = start + bytes_max + 12;
  for (size_t at = 0; at < path.size() && to.size() <= enough; ++at) {
    // What stays as it is goes in one piece, from behind one slash up to the next.
    const size_t begin = at;
    const size_t end = std::min(path.size(), at + (enough + 1 - to.size()));
    while (at < end && path[at] != '/' && kStandsInPath.has(path[at])) ++at;
    to.append(path, begin, at - begin);
    if (at == end) break;
    const int escaped = escaped_byte(path.substr(at));
    if (escaped >= 0) {
      append_byte(static_cast<uint8_t>(escaped), kIsUnreserved, to);
      at += 2;
    } else if (path[at] != '/' || to.size() == start || to.back() != '/') {
      append_byte(static_cast<uint8_t>(path[at]), kStandsInPath, to);
    }
  }
  if (to.size() - start <= bytes_max) return true;
  to.resize(cut_place(to, start, bytes_max));
  return false;
}

bool QueryReader::next() {
  while (!rest_.empty()) {
    const size_t end = std::min(rest_.find('&'), rest_.size());
    const std::string_view argument = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (argument.empty()) continue;
    const size_t equals = std::min(argument.find('='), argument.size());
    name_ = argument.substr(0, equals);
    value_ = argument.substr(std::min(equals + 1, argument.size()));
    return true;
  }
  return false;
}

ArgumentName::ArgumentName(std::string_view raw) {
  constexpr ByteSet kEscapes("%+");
  if (kEscapes.find(raw) == raw.size()) {
    name_ = raw;
    return;
  }
  size_t count = 0;
  for (size_t at = 0; at < raw.size(); ++at) {
    if (count == decoded_.size()) return;
    const int byte = escaped_byte(raw.substr(at));
    if (byte >= 0) at += 2;
    decoded_[count++] = byte >= 0 ? static_cast<char>(byte) : raw[at] == '+' ? ' ' : raw[at];
  }
  name_ = {decoded_.data(), count};
}

std::string_view argument_value(std::string_view raw, TextArena& arena) { return trim(decode_form(raw, arena)); }

std::string_view find_argument(std::string_view query, std::string_view name, TextArena& arena) {
  QueryReader arguments(query);
  while (arguments.next()) {
    if (ArgumentName(arguments.raw_name()) != name) continue;
    const std::string_view value = argument_value(arguments.raw_value(), arena);
    if (!value.empty()) return value;
  }
  return {};
}

KeptPathArguments::KeptPathArguments(std::string_view query, const std::vector<std::string_view>& names,
                                     TextArena& arena) {
  for (size_t at = 0; at < std::min(names.size(), found_.size()); ++at) {
    if (names[at].empty() || has(names[at])) continue;
    const std::string_view value = find_argument(query, names[at], arena);
    if (!value.empty()) found_[count_++] = {names[at], value};
  }
  std::sort(found_.begin(), found_.begin() + count_,
            [](const Argument& left, const Argument& right) { return left.name < right.name; });
}

bool KeptPathArguments::has(std::string_view name) const {
  return std::any_of(found_.begin(), found_.begin() + count_,
                     [&](const Argument& argument) { return argument.name == name; });
}

bool KeptPathArguments::append(std::string& to, size_t start, size_t bytes_max) const {
  const size_t end_max = start + bytes_max;
  for (size_t at = 0; at < count_; ++at) {
    const size_t argument_start = to.size();
    to.push_back(at == 0 ? '?' : '&');
    for (const char c : found_[at].name) {
      if (to.size() > end_max + 12) break;
      append_byte(static_cast<uint8_t>(c), kStandsInName, to);
    }
    to.push_back('=');
    const size_t value_start = to.size();
    for (const char c : found_[at].value) {
      if (to.size() > end_max + 12) break;
      append_byte(static_cast<uint8_t>(c), kStandsInValue, to);
    }
    if (to.size() <= end_max) continue;

    // A value's stump stays only where something of it is left: without one the argument would read as absent.
    size_t end = value_start < end_max ? cut_place(to, start, bytes_max) : argument_start;
    while (end > value_start && ends_in_escaped_space(std::string_view(to).substr(value_start, end - value_start))) {
      end -= 3;
    }
    to.resize(end > value_start ? end : argument_start);
    return false;
  }
  return true;
}

}  // namespace footfall
