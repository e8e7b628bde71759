// What the values of a log line say once the line is split: escapes undone, the request taken apart, an address as
// bytes.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "hit/hit.h"

namespace footfall {

// Appends `text` with the escapes of nginx (`\x22`), Apache (`\"`, `\\`, `\n`, …) and JSON (`\u00e9`, pairs too; half
// a pair is U+FFFD) undone; none of them uses a spelling of another for something else. What is no escape stays as it
// is. Never longer than `text`.
void append_unescaped(std::string_view text, std::string& to);

// `METHOD target HTTP/1.1`, as sent.
struct RequestLine {
  Method method = Method::other;
  std::string_view target;  // may hold blanks; empty: none, or the request is garbage
  bool has_version = false;
  std::string_view method_name;
};
RequestLine split_request(std::string_view request);

// Whether nginx can have read it: all three are there, the method in capitals, and the target has neither blanks nor
// control characters.
bool is_well_formed(const RequestLine& line);

Method method_of(std::string_view name);

// Takes `http://host:80` off the front of a target in absolute form, as nginx's $request_uri has it, and gives its
// authority; empty: it is in another form.
std::string_view take_authority(std::string_view& target);

// `text/html; charset=utf-8` and the like; an empty one is none.
ContentKind content_kind_of(std::string_view content_type);

// The bytes of an address, 4 or 16, in network order; a view of `room`, or empty for none (`-`, `unix:`). A host's name
// (Apache's HostnameLookups) tells its visitor as well as an address does: it becomes one of 0100::/64, which is
// nobody's (RFC 6666).
using AddressRoom = std::array<char, 16>;
std::string_view read_log_address(std::string_view text, AddressRoom& room);

}  // namespace footfall
