// Small helpers to write HTML and to show what a Report spelt.
#pragma once

#include <string>
#include <string_view>

#include "query/report.h"

namespace footfall {

std::string escape_html(std::string_view text);
std::string escape_url(std::string_view text);    // percent-encoded, for one query argument
std::string unescape_url(std::string_view text);  // form-decoded; a broken escape stays as it is
std::string argument_of(std::string_view arguments, std::string_view name);  // decoded; empty: not there

// A cell as a reader likes it, escaped: ratios as percentages, seconds as minutes, null as –. Of money the number alone:
// its currency stands beside it or above its column.
std::string show_cell(const Cell& cell, const Column& column);

// "12 s", "5 min", "3 h", "2 days".
std::string show_age(int64_t ms);

// RFC 3339 UTC to ms since 1970; -1: it is none.
int64_t parse_instant_ms(std::string_view text);

}  // namespace footfall
