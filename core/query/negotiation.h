// What a request's headers ask of an answer: its form, and whether it is known already.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace footfall {

enum class ReportFormat : uint8_t { json, csv, pb };
inline constexpr std::array<std::string_view, 3> kFormatNames = {"json", "csv", "pb"};  // as `format=` has them

std::optional<ReportFormat> find_format(std::string_view name);

// With its charset, as an answer's header has it.
std::string_view content_type_of(ReportFormat format);

// What `Accept` (RFC 9110, §12.5.1) likes best: by weight, then what it names most closely, then in the order above.
// JSON where it is empty, accepts none of them, or is not even a list: a 406 would help nobody.
ReportFormat accepted_format(std::string_view accept);

// Whether `If-None-Match` (RFC 9110, §13.1.2) lists the tag, weak or not, or is `*`. `etag` with its quotes.
bool is_listed(std::string_view if_none_match, std::string_view etag);

}  // namespace footfall
