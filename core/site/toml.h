// footfall.toml, read strictly: every key is known, of its type and in its range, or the file is refused whole.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "site/config.h"

namespace footfall {

inline constexpr std::string_view kDefaultConfigPath = "/etc/footfall/footfall.toml";
inline constexpr size_t kConfigErrorsMax = 20;               // told at once; further ones are counted
inline constexpr size_t kConfigBytesMax = 16 * 1024 * 1024;  // a longer file is none of ours

// The file's settings. The error's text is one line per fault, in the file's order: `file:line: what, and what would be
// right`. A file that is not there is Error::Code::not_found, one that cannot be read is io, everything else invalid.
Result<Config> load_config(const std::string& path);

// The same for a text; `file_name` stands in the faults.
Result<Config> parse_config(std::string_view text, std::string_view file_name);

}  // namespace footfall
