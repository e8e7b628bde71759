#include "lane/generations.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

namespace footfall {
namespace {

constexpr std::string_view kPrefix = "summary.";

Status sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Error::io("open " + path, errno);
  const int code = fsync(fd);
  const int sync_errno = errno;
  ::close(fd);
  return code == 0 ? Status() : Error::io("sync " + path, sync_errno);
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return names;
  while (const dirent* entry = readdir(folder)) names.emplace_back(entry->d_name);
  closedir(folder);
  return names;
}

// A folder of files alone.
Status remove_folder(const std::string& path) {
  for (const std::string& name : names_in(path))
    if (name != "." && name != "..") ::unlink((path + "/" + name).c_str());
  return rmdir(path.c_str()) == 0 || errno == ENOENT ? Status() : Error::io("remove " + path, errno);
}

}  // namespace

std::string generation_path(const Store& store, uint32_t generation) {
  return store.path() + "/" + std::string(kPrefix) + std::to_string(generation);
}

uint32_t current_generation(const Store& store) {
  const std::string path = store.summary_path();
  const std::string_view number = std::string_view(path).substr(path.rfind('.') + 1);
  uint32_t generation = 0;
  std::from_chars(number.data(), number.data() + number.size(), generation);
  return generation;
}

Status name_generation(const Store& store, uint32_t generation) {
  const std::string path = store.path() + "/current", beside = path + ".new";
  ::unlink(beside.c_str());
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
  if (fd < 0) return Error::io("create " + beside, errno);
  fchmod(fd, 0660);
  const std::string content = std::to_string(generation) + "\n";
  const bool written =
      write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && fsync(fd) == 0;
  const int write_errno = errno;
  ::close(fd);
  if (!written) return Error::io("write " + beside, write_errno);
  if (rename(beside.c_str(), path.c_str()) != 0) return Error::io("rename " + beside, errno);
  return sync_folder(store.path());
}

Status remove_other_generations(const Store& store) {
  const std::string current = store.summary_path();
  Status status;
  for (const std::string& name : names_in(store.path())) {
    const std::string path = store.path() + "/" + name;
    if (!name.starts_with(kPrefix) || path == current) continue;
    if (Status removed = remove_folder(path); !removed) status = removed;
  }
  return status;
}

}  // namespace footfall
