// Bytes made smaller by zstd, and back. Contexts are kept, one of each kind a thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace footfall {

// Appends `bytes` packed, if that is smaller than they are; else appends nothing. True: it was.
bool pack(std::string_view bytes, int level, std::string& to);

// Replaces what `to` holds by what was packed, exactly `bytes` long. False: broken.
bool unpack(std::string_view packed, size_t bytes, std::string& to);

}  // namespace footfall
