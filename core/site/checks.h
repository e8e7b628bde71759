// What single words of the configuration must look like.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace footfall {

// Something to be shown: 1..bytes_max bytes of UTF-8 without control characters or spaces around it.
bool is_label(std::string_view text, size_t bytes_max);

// Letters, digits and . _ - : * as in nginx's server names; 1..kSiteNameBytesMax.
bool is_site_name(std::string_view text);

// An event's name: letters, digits and . _ - :; 1..kEventNameBytesMax.
bool is_event_name(std::string_view text);

// A query argument's name, as it reads after decoding.
bool is_argument_name(std::string_view text);

// A path or a pattern of paths as hits have them: begins with / (or, a pattern, with *), printable ASCII, no fragment.
bool is_path(std::string_view text);
bool is_path_pattern(std::string_view text);

// What a code leads to: a path with arguments, or an http or https URL without user name; either may end in a fragment. Fit to
// stand in a Location header.
bool is_target(std::string_view text);

// A code: letters, digits and . _ ~ -; 1..64.
bool is_code(std::string_view text);

// A bare host in the form that referrers are compared in: lower case, without leading www. and trailing dot. Anything
// with a scheme, a port, a path, a `*` or raw UTF-8 is none.
std::optional<std::string> normalised_host(std::string_view text);

// A double's shortest plain decimal that reads back as the same: 0.92 -> "0.92", 5.5e-05 -> "0.000055". Not finite: "".
std::string plain_decimal(double value);

// A plain decimal > 0 and < 1,000,000 in trillionths, rounded half up.
std::optional<int64_t> parse_trillionths(std::string_view text);

// Small edits (insert, drop, change a letter) that lead from one word to the other.
size_t edit_distance(std::string_view from, std::string_view to);

// A-Z to a-z, the rest as it is.
std::string lower_ascii(std::string_view text);

}  // namespace footfall
