#include "lane/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

constexpr int kFoldersDeep = 3;  // PATH/lane.N/ring.G

void give(const std::string& path, std::optional<StoreOwner> owner) {
  if (owner && geteuid() == 0) (void)!chown(path.c_str(), owner->user, owner->group);
}

// A folder of the store and what is in it, lanes and summaries included. Links are given, not followed.
void hand_over(const std::string& folder, StoreOwner owner, int folders_deep) {
  (void)!lchown(folder.c_str(), owner.user, owner.group);
  if (folders_deep == 0) return;
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* entries = fd >= 0 ? fdopendir(fd) : nullptr;
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") hand_over(folder + "/" + name, owner, folders_deep - 1);
  }
  closedir(entries);
}

// A command that root started before the first nginx could not know the workers' user: its store would shut them out.
// Told by the mode that it is made with, so that one which somebody closed on purpose stays as it is.
void hand_over_roots_own(const std::string& path, StoreOwner owner) {
  struct stat folder;
  if (owner.user == 0 || geteuid() != 0 || lstat(path.c_str(), &folder) != 0) return;
  if (folder.st_uid == 0 && (folder.st_mode & 07777) == 02770) hand_over(path, owner, kFoldersDeep);
}

Status make_folder(const std::string& path, std::optional<StoreOwner> owner) {
  if (mkdir(path.c_str(), 0770) == 0) {
    give(path, owner);
    chmod(path.c_str(), 02770);
    return {};
  }
  if (errno != EEXIST) return Error::io("mkdir " + path, errno);
  struct stat there;
  if (stat(path.c_str(), &there) != 0) return Error::io("stat " + path, errno);
  if (!S_ISDIR(there.st_mode)) return Error::invalid(path + " is no folder");
  return {};
}

Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? Error::not_found(path) : Error::io("open " + path, errno);
  char buffer[256];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  const int read_errno = errno;
  ::close(fd);
  if (got < 0) return Error::io("read " + path, read_errno);
  return std::string(buffer, got);
}

// A new file of that content, on disk when this returns.
Status write_new_file(const std::string& path, std::string_view content) {
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return Error::io("create " + path, errno);
  fchmod(fd, 0660);
  const bool written = write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && fsync(fd) == 0;
  const int write_errno = errno;
  ::close(fd);
  if (written) return {};
  ::unlink(path.c_str());
  return Error::io("write " + path, write_errno);
}

// Makes a file whole or not at all; one that is there already is kept.
Status make_file(const std::string& path, std::string_view content, std::optional<StoreOwner> owner) {
  if (access(path.c_str(), F_OK) == 0) return {};
  const std::string beside = path + ".new." + std::to_string(getpid());
  if (Status written = write_new_file(beside, content); !written) return written;
  give(beside, owner);
  const bool linked = ::link(beside.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const int link_errno = errno;
  ::unlink(beside.c_str());
  if (!linked) return Error::io("write " + path, link_errno);
  return {};
}

constexpr std::string_view kFormatPrefix = "footfall store ";

std::string format_text(uint32_t format) { return std::string(kFormatPrefix) + std::to_string(format) + "\n"; }

// The number that the file says, if who knows up to `newest` can take it.
Result<uint32_t> check_format(const std::string& path, std::string_view said, uint32_t newest) {
  if (!said.starts_with(kFormatPrefix)) return Error::corrupt(path + "/format: no store of footfall");
  const std::string_view text = said.substr(kFormatPrefix.size());
  uint32_t format = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (fault != std::errc() || format == 0 || std::string_view(end, text.data() + text.size()) != "\n")
    return Error::corrupt(path + "/format: no number of a format");
  const std::string is_of = path + ": store of format " + std::to_string(format) + ", and this footfall is of format " +
                            std::to_string(newest);
  if (format > newest) return Error::version(is_of + ": a newer one made it, and is needed to go on with it");
  if (format + 1 < newest) return Error::version(is_of + ": let one of each format between aggregate it once");
  return format;
}

bool is_tmpfs(const char* path) {
  struct statfs system;
  return statfs(path, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

}  // namespace

Result<Store> Store::create(const std::string& path, std::optional<StoreOwner> owner) {
  if (Status made = make_folder(path, owner); !made) return made.error();
  if (Status usable = check_file_system(path); !usable) return usable.error();
  if (owner) hand_over_roots_own(path, *owner);
  if (Status made = make_file(path + "/format", format_text(kStoreFormat), owner); !made)
    return made.error();
  Secret256 secret;
  random_bytes(secret.data(), secret.size());
  const Status made = make_file(path + "/secret", {reinterpret_cast<const char*>(secret.data()), secret.size()}, owner);
  wipe(secret.data(), secret.size());
  if (!made) return made.error();
  return open(path);
}

Status Store::note_format(uint32_t format) {
  const std::string name = path_ + "/format", beside = name + ".new";
  if (Status written = write_new_file(beside, format_text(format)); !written) return written;
  if (rename(beside.c_str(), name.c_str()) != 0) return Error::io("rename " + beside, errno);
  if (const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); folder >= 0) {
    fsync(folder);
    ::close(folder);
  }
  format_ = format;
  return {};
}

Result<Store> Store::open(const std::string& path, uint32_t newest) {
  const Result<std::string> format = read_file(path + "/format");
  if (!format) return format.error();
  const Result<uint32_t> number = check_format(path, *format, newest);
  if (!number) return number.error();
  const Result<std::string> secret = read_file(path + "/secret");
  if (!secret) return secret.error();
  Store store;
  store.path_ = path;
  store.format_ = *number;
  if (secret->size() != store.secret_.size()) return Error::corrupt(path + "/secret: not 32 bytes");
  std::copy(secret->begin(), secret->end(), store.secret_.begin());
  return store;
}

std::string Store::id() const {
  const Key128 key = derive_key(secret_, "store id");
  static constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  for (size_t i = 0; i < 8; ++i) {
    id += kHex[key[i] >> 4];
    id += kHex[key[i] & 15];
  }
  return id;
}

Result<StoreOwner> Store::owner() const {
  struct stat folder;
  if (stat(path_.c_str(), &folder) != 0) return Error::io("stat " + path_, errno);
  return StoreOwner{folder.st_uid, folder.st_gid};
}

std::string Store::summary_path() const {
  const Result<std::string> current = read_file(path_ + "/current");
  const std::string generation = current ? current->substr(0, current->find('\n')) : "0";
  return path_ + "/summary." + generation;
}

std::vector<unsigned> Store::lanes() const {
  std::vector<unsigned> lanes;
  DIR* folder = opendir(path_.c_str());
  if (folder == nullptr) return lanes;
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with("lane.")) continue;
    char* end = nullptr;
    const unsigned long number = std::strtoul(entry->d_name + 5, &end, 10);
    if (end != entry->d_name + 5 && *end == '\0' && number < kLanesMax) lanes.push_back(static_cast<unsigned>(number));
  }
  closedir(folder);
  std::sort(lanes.begin(), lanes.end());
  return lanes;
}

std::string Store::stage_folder(const std::string& wanted, std::optional<StoreOwner> owner) const {
  if (!wanted.empty()) return make_folder(wanted, owner) ? wanted : std::string();
  if (is_tmpfs("/run")) {
    const std::string folder = "/run/footfall";
    if (mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST)
      if (make_folder(folder + "/" + id(), owner) && access((folder + "/" + id()).c_str(), W_OK) == 0)
        return folder + "/" + id();
  }
  if (is_tmpfs("/dev/shm")) {
    const std::string folder = "/dev/shm/footfall-" + id();
    if (make_folder(folder, owner) && access(folder.c_str(), W_OK) == 0) return folder;
  }
  return {};
}

Status check_file_system(const std::string& path) {
  struct statfs system;
  if (statfs(path.c_str(), &system) != 0) return Error::io("statfs " + path, errno);
  switch (static_cast<uint32_t>(system.f_type)) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case 0xFF534D42:  // CIFS
    case 0xFE534D42:  // SMB2
    case V9FS_MAGIC:
    case AFS_SUPER_MAGIC:
      return Error::invalid(path + " lies on a network file system; the store's locks need a local one");
    default: return {};
  }
}

void read_boot_id(uint8_t (&boot_id)[16]) {
  std::fill(std::begin(boot_id), std::end(boot_id), 0);
  const Result<std::string> text = read_file("/proc/sys/kernel/random/boot_id");
  if (!text) return;
  size_t digits = 0;
  for (char c : *text) {
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0 || digits == 32) continue;
    boot_id[digits / 2] = static_cast<uint8_t>(boot_id[digits / 2] << 4 | value);
    ++digits;
  }
}

FileIdentity identify(const std::string& path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 ? FileIdentity{file.st_dev, file.st_ino} : FileIdentity{};
}

FileIdentity identify(int fd) {
  struct stat file;
  return fstat(fd, &file) == 0 ? FileIdentity{file.st_dev, file.st_ino} : FileIdentity{};
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    release();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Result<FileLock> FileLock::try_lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return Error::io("open " + path, errno);
  struct stat made;
  if (fstat(fd, &made) == 0 && made.st_uid == geteuid()) fchmod(fd, 0660);
  FileLock lock;
  lock.fd_ = fd;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error::io("lock " + path, errno);
    char holder[32] = {};
    const ssize_t got = pread(fd, holder, sizeof holder - 1, 0);
    return Error::busy(path + " is held by process " + (got > 0 ? std::string(holder, strcspn(holder, " \n")) : "?"));
  }
  // The folder may have been removed between open and lock: then this locks a file that nobody else will find.
  struct stat named;
  if (stat(path.c_str(), &named) != 0 || fstat(fd, &made) != 0 || named.st_ino != made.st_ino)
    return Error::busy(path + " was removed meanwhile");
  return lock;
}

void FileLock::write_line(std::string_view behind_the_pid) const {
  // One write of always the same length: a reader sees one line or the one before.
  std::string line = std::to_string(getpid()) + std::string(behind_the_pid);
  line.resize(120, ' ');
  line += '\n';
  (void)!pwrite(fd_, line.data(), line.size(), 0);
}

void FileLock::release() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));  // closing drops the flock
}

pid_t lock_holder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  pid_t holder = 0;
  if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    char text[32] = {};
    if (pread(fd, text, sizeof text - 1, 0) > 0) holder = static_cast<pid_t>(std::strtol(text, nullptr, 10));
    // Who looks whether an owner is gone holds the lock too, for a moment, and writes nothing.
    if (holder > 0 && kill(holder, 0) != 0 && errno == ESRCH) holder = 0;
  }
  ::close(fd);
  return holder;
}

void write_heartbeat(const FileLock& writer, const Heartbeat& heartbeat) {
  writer.write_line(' ' + std::to_string(heartbeat.checkpoint) + ' ' + std::to_string(heartbeat.as_of_ms) + ' ' +
                    std::to_string(heartbeat.complete_through_ms));
}

std::optional<Heartbeat> read_heartbeat(const std::string& store_path) {
  const Result<std::string> line = read_file(store_path + "/writer");
  if (!line) return std::nullopt;
  long long pid = 0, as_of_ms = 0, complete_through_ms = 0;
  unsigned long long checkpoint = 0;
  if (std::sscanf(line->c_str(), "%lld %llu %lld %lld", &pid, &checkpoint, &as_of_ms, &complete_through_ms) != 4)
    return std::nullopt;
  return Heartbeat{checkpoint, as_of_ms, complete_through_ms};
}

}  // namespace footfall
