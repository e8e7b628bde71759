// A progress bar on a terminal: share, rate, time left. Silent where standard error is no terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace footfall {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { clear(); }
  // `total` 0: not known. Draws at most five times a second.
  void show(uint64_t done, uint64_t total, uint64_t lines);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  const bool on_terminal_;
  bool drawn_ = false;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point drawn_at_{};
};

}  // namespace footfall
