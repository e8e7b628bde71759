#include "lane/missed.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace footfall {
namespace {

constexpr size_t kLineBytes = 512;  // always the same length: written in place, whole

std::string path_of(const std::string& store_path) { return store_path + "/missed"; }

std::optional<Missed> read_line(int fd) {
  char line[kLineBytes + 1] = {};
  if (pread(fd, line, kLineBytes, 0) <= 0) return std::nullopt;
  unsigned long long hits = 0;
  long long since_ms = 0, seen_ms = 0;
  int behind = 0;
  if (std::sscanf(line, "%llu %lld %lld %n", &hits, &since_ms, &seen_ms, &behind) != 3) return std::nullopt;
  std::string why(line + behind);
  why.erase(why.find_last_not_of(" \n") + 1);
  return Missed{hits, since_ms, seen_ms, std::move(why)};
}

bool write_line(int fd, const Missed& missed) {
  std::string line = std::to_string(missed.hits) + ' ' + std::to_string(missed.since_ms) + ' ' +
                     std::to_string(missed.seen_ms) + ' ' + missed.why;
  line.resize(kLineBytes - 1, ' ');
  line += '\n';
  return pwrite(fd, line.data(), line.size(), 0) == static_cast<ssize_t>(line.size());
}

}  // namespace

bool tell_missed(const std::string& store_path, uint64_t hits, std::string_view why, int64_t now_ms) {
  const int fd = ::open(path_of(store_path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return false;
  bool told = flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (told) {
    (void)!fchmod(fd, 0660);
    Missed missed = read_line(fd).value_or(Missed{});
    missed.hits += hits;
    if (!why.empty()) {
      if (!missed.is_now(now_ms)) missed.since_ms = now_ms;
      missed.seen_ms = now_ms;
      missed.why = why;
    }
    told = write_line(fd, missed);
  }
  ::close(fd);
  return told;
}

std::optional<Missed> read_missed(const std::string& store_path) {
  const int fd = ::open(path_of(store_path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  std::optional<Missed> missed = read_line(fd);
  ::close(fd);
  return missed;
}

}  // namespace footfall
