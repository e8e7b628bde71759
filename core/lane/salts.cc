#include "lane/salts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"

namespace footfall {
namespace {

constexpr std::string_view kPrefix = "salt.";
constexpr std::string_view kBeside = ".new.";  // and the pid of who writes it

bool read_secret(const std::string& path, Secret256& to) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  const ssize_t got = read(fd, to.data(), to.size());
  ::close(fd);
  return got == static_cast<ssize_t>(to.size());
}

void destroy(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) {
    Secret256 noise;
    random_bytes(noise.data(), noise.size());
    if (write(fd, noise.data(), noise.size()) > 0) fdatasync(fd);
    ::close(fd);
  }
  ::unlink(path.c_str());
}

}  // namespace

SaltKeeper::SaltKeeper(const Store& store) : store_path_(store.path()) {
  keys_.id = derive_key(store.secret(), "visitor id");
  keys_.customer = derive_key(store.secret(), "customer");
}

const VisitorKeys& SaltKeeper::keys(int64_t time_ms, int64_t visit_gap_ms) {
  const int64_t day = utc_day(time_ms);
  if (day != day_ || !keys_.has_anonymous) {
    const std::optional<Secret256> today = salt_of(day, true);
    keys_.has_anonymous = today.has_value();
    if (today) keys_.anonymous = derive_key(*today, "anonymous visitor");
    const std::optional<Secret256> yesterday = salt_of(day - 1, false);
    previous_.reset();
    if (yesterday) previous_ = derive_key(*yesterday, "anonymous visitor");
    salt_of(day + 1, true);  // ready before anybody needs it
    destroy_old(time_ms);
    day_ = day;
  }
  keys_.has_previous = previous_.has_value() && time_ms - day * kMsPerDay < visit_gap_ms;
  if (keys_.has_previous) keys_.previous = *previous_;
  return keys_;
}

std::optional<Secret256> SaltKeeper::salt_of(int64_t day, bool make) const {
  const std::string path = salt_path(day);
  Secret256 salt;
  if (read_secret(path, salt)) return salt;
  if (!make) return std::nullopt;

  // Written beside and linked, so that all see one whole salt whoever comes first.
  random_bytes(salt.data(), salt.size());
  std::string beside = path + std::string(kBeside) + std::to_string(getpid());
  ::unlink(beside.c_str());
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return std::nullopt;
  fchmod(fd, 0660);
  const bool written = write(fd, salt.data(), salt.size()) == static_cast<ssize_t>(salt.size()) && fdatasync(fd) == 0;
  ::close(fd);
  if (written) (void)!::link(beside.c_str(), path.c_str());
  ::unlink(beside.c_str());
  if (!read_secret(path, salt)) return std::nullopt;
  return salt;
}

int SaltKeeper::destroy_old(int64_t now_ms) const {
  DIR* folder = opendir(store_path_.c_str());
  if (folder == nullptr) return 0;
  int destroyed = 0;
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix)) continue;
    const char* const digits = entry->d_name + kPrefix.size();
    char* end = nullptr;
    const long long day = std::strtoll(digits, &end, 10);
    const std::string_view rest = end;  // a process killed while it made a salt left what it wrote beside
    if (end == digits || !(rest.empty() || rest.starts_with(kBeside)) || now_ms / kMsPerDay < day + 2) continue;
    destroy(store_path_ + "/" + entry->d_name);
    ++destroyed;
  }
  closedir(folder);
  return destroyed;
}

}  // namespace footfall
