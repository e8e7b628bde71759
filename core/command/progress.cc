#include "command/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace footfall {
namespace {

constexpr auto kBetween = std::chrono::milliseconds(200);
constexpr int kWidth = 30;

std::string time_left(double seconds) {
  char text[32];
  const long whole = static_cast<long>(seconds + 0.5);
  std::snprintf(text, sizeof text, "%ld:%02ld left", whole / 60, whole % 60);
  return text;
}

}  // namespace

ProgressBar::ProgressBar() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(uint64_t done, uint64_t total, uint64_t lines) {
  const Clock::time_point now = Clock::now();
  if (!on_terminal_ || now - drawn_at_ < kBetween) return;
  drawn_at_ = now;
  drawn_ = true;
  const double seconds = std::max(std::chrono::duration<double>(now - began_).count(), 1e-3);
  const double rate = static_cast<double>(lines) / seconds;
  if (total == 0) {
    std::fprintf(stderr, "\r%llu lines, %.0f a second\033[K", static_cast<unsigned long long>(lines), rate);
    return;
  }
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const int full = static_cast<int>(share * kWidth);
  const std::string bar = std::string(full, '#') + std::string(kWidth - full, '.');
  const std::string left = share > 0.01 ? ", " + time_left(seconds / share * (1 - share)) : "";
  std::fprintf(stderr, "\r[%s] %3.0f %%, %.0f lines a second%s\033[K", bar.c_str(), share * 100, rate, left.c_str());
}

void ProgressBar::clear() {
  if (drawn_) std::fprintf(stderr, "\r\033[K");
  drawn_ = false;
}

}  // namespace footfall
