// Messages of the summary as plain values; the one place in rollup where both meet.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "rollup/summary.h"

namespace footfall {

std::string encode_checkpoint(const CheckpointState& state);
Result<CheckpointState> decode_checkpoint(std::string_view bytes);

}  // namespace footfall
