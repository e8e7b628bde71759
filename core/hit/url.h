// Request targets: path and query apart, the one spelling of a path, and a query's arguments. Lenient: browsers and
// robots send what no grammar allows, and each such request still has one path.
//
// The normal path: as sent, but
//   - escapes of unreserved characters (A–Z a–z 0–9 - . _ ~) are decoded, other escapes are upper-case;
//   - bytes that are not printable ASCII, and blanks, are escaped: `/é` and `/%C3%A9` are one page (what is printable
//     stays as it was sent, quotes and < > too: whoever shows a path escapes it for where it is shown);
//   - a `%` that begins no escape is `%25`, so the normal path of a normal path is itself;
//   - repeated `/` are one; empty is `/`; case and a trailing `/` stay; `.` and `..` are names like any other (browsers
//     resolve them before they ask, and the server's answer belongs to what was asked);
//   - longer ones are cut, never inside an escape or a UTF-8 character.
// Arguments that stay part of it follow as `?a=1&b=2`, sorted by name, form-decoded and escaped anew (a blank is
// `%20`).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hit/text.h"

namespace footfall {

struct Target {
  std::string_view path;   // as sent; begins with `/`, or empty
  std::string_view query;  // as sent, without `?`
};

// Origin form (`/path?query`) and absolute form (`http://host/path?query`); the fragment goes. Anything else, as `*`,
// `host:443` and the garbage of a TLS handshake, has an empty path and no query.
Target split_target(std::string_view uri);

// The query of a target whose path ends at `path_end`, where `?` stands or nothing.
inline std::string_view query_behind(std::string_view uri, size_t path_end) {
  if (path_end == uri.size()) return {};
  uri.remove_prefix(path_end + 1);
  return uri.substr(0, uri.find('#'));
}

// Where a path that begins with `/` stops being what append_normal_path makes of it: at a byte that is escaped, ends a path
// or begins an escape, or at a second slash. Its size: nowhere.
size_t plain_path_end(std::string_view path);

// Whether a path has no escapes and is what append_normal_path makes of it. It has no query and no fragment then.
bool is_plain_path(std::string_view path, size_t bytes_max);

// Appends the normal path; false if it was cut to bytes_max (at least 16).
bool append_normal_path(std::string_view path, size_t bytes_max, std::string& to);
// append_normal_path appends no more than this before it cuts, KeptPathArguments::append neither.
constexpr size_t normal_path_room(size_t bytes_max) { return bytes_max + 20; }

// The arguments of a query in turn, as sent. Only `&` parts them; one without `=` has an empty value.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}
  bool next();
  std::string_view raw_name() const { return name_; }
  std::string_view raw_value() const { return value_; }

 private:
  std::string_view rest_, name_, value_;
};

// An argument's name, decoded; a name too long for any that we look for is empty.
class ArgumentName {
 public:
  explicit ArgumentName(std::string_view raw);
  operator std::string_view() const { return name_; }
  ArgumentName(const ArgumentName&) = delete;

 private:
  std::array<char, 128> decoded_;
  std::string_view name_;
};

// An argument's value, form-decoded and trimmed, but not yet clean.
std::string_view argument_value(std::string_view raw, TextArena& arena);

// The first value that is not empty of the argument of this name, like argument_value; empty: absent.
std::string_view find_argument(std::string_view query, std::string_view name, TextArena& arena);

// The arguments that stay part of the path. `names` past the 32nd are not looked at.
class KeptPathArguments {
 public:
  KeptPathArguments(std::string_view query, const std::vector<std::string_view>& names, TextArena& arena);

  // Appends them to the normal path that begins at `start` of `to`. An argument that does not fit loses its value's
  // end, those after it go; false if that happened.
  bool append(std::string& to, size_t start, size_t bytes_max) const;

 private:
  struct Argument {
    std::string_view name, value;
  };
  bool has(std::string_view name) const;

  std::array<Argument, 32> found_;
  size_t count_ = 0;
};

}  // namespace footfall
