// What ends at workers without a lane is captured nowhere: how many hits, and why, told in the store for whoever asks.
//
//   PATH/missed: one line: hits since_ms seen_ms why…
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace footfall {

struct Missed {
  uint64_t hits = 0;     // since the store was made
  int64_t since_ms = 0;  // since when some worker has had no lane
  int64_t seen_ms = 0;   // when one last said so
  std::string why;

  // Who has no lane says so once a second.
  bool is_now(int64_t now_ms) const { return now_ms - seen_ms < 3'000; }
};

// Adds to what was told before. An empty `why`: the worker has a lane by now. False: the store cannot be written, or is
// being written just now; tell it later.
bool tell_missed(const std::string& store_path, uint64_t hits, std::string_view why, int64_t now_ms);

// nullopt: nobody has missed anything yet.
std::optional<Missed> read_missed(const std::string& store_path);

}  // namespace footfall
