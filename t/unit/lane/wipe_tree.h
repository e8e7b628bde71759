// A ring as a power cut may leave it: pages of its tree that were never written. Its blocks are there.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace footfall {

inline void wipe_tree(const std::string& ring_path) {
  constexpr size_t kPageBytes = 4096, kFlagsAt = 10;
  std::fstream file(ring_path + "/data.mdb", std::ios::in | std::ios::out | std::ios::binary);
  for (size_t page = 2;; ++page) {
    uint16_t flags = 0;
    file.seekg(static_cast<std::streamoff>(page * kPageBytes + kFlagsAt));
    if (!file.read(reinterpret_cast<char*>(&flags), sizeof flags)) return;
    if (flags != 1 && flags != 2) continue;  // neither a branch nor a leaf
    file.seekp(static_cast<std::streamoff>(page * kPageBytes));
    file.write(std::string(kPageBytes, '\0').data(), kPageBytes);
  }
}

}  // namespace footfall
