// The configuration as it lies in the summary and in the file of workers (footfall.v1.Config), written by the aggregator.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "site/config.h"

namespace footfall {

// Equal configurations give equal bytes.
std::string encode_config(const Config& config);

// Error::Code::corrupt for bytes that encode_config cannot have written.
Result<Config> decode_config(std::string_view bytes);

}  // namespace footfall
