// The store's folder: who owns it, which version wrote it, its secret, its lanes' places. Made by the nginx master or by
// the first command; everybody else only opens it.
//
//   PATH/format  secret  salt.DAY  writer  missed  lane.N/{lock,state,stage,ring.G/}  summary.G/  current
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/keyed_hash.h"

namespace footfall {

inline constexpr uint32_t kStoreFormat = 1;

struct StoreOwner {
  uid_t user;
  gid_t group;
};

class Store {
 public:
  // Makes what is missing: the folder (2770), format, secret (0660). `owner` (given by a process that runs as root)
  // gets all of it, also of a store that root made when no owner was known. Another existing one is checked, not changed.
  static Result<Store> create(const std::string& path, std::optional<StoreOwner> owner);
  // Error::not_found: no store there. Error::version: neither of this format nor of the previous one; the text says what to
  // do. `newest`: the format that the caller knows.
  static Result<Store> open(const std::string& path, uint32_t newest = kStoreFormat);

  uint32_t format() const { return format_; }
  // The store is of that format from the return on, also after a power cut. For who holds the lock `writer`.
  Status note_format(uint32_t format);

  const std::string& path() const { return path_; }
  const Secret256& secret() const { return secret_; }
  std::string id() const;  // 16 hex digits, told from the secret; names the store's folder on tmpfs
  Result<StoreOwner> owner() const;

  std::string lane_path(unsigned lane) const { return path_ + "/lane." + std::to_string(lane); }
  std::string config_path() const { return path_ + "/config"; }  // site/config_file.h
  std::string reading_path() const { return path_ + "/reading"; }  // lane/reading_notes.h
  std::string summary_path() const;  // the generation that `current` names; generation 0 where there is none
  std::vector<unsigned> lanes() const;  // numbers of the lanes there are, ascending

  // Where stages go: `wanted` if given, else /run/footfall/ID or /dev/shm/footfall-ID where that is a tmpfs and can be
  // made, else empty: beside the ring. Makes the folder (2770) for `owner`.
  std::string stage_folder(const std::string& wanted, std::optional<StoreOwner> owner) const;

 private:
  std::string path_;
  uint32_t format_ = 0;
  Secret256 secret_{};
};

// Refuses a file system that LMDB's locks do not work on (NFS, SMB, …), naming it.
Status check_file_system(const std::string& path);

// This boot's id, all zero where the kernel does not tell.
void read_boot_id(uint8_t (&boot_id)[16]);

// A file as it lies at a path now: another one there later has another identity.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;  // 0: none is there
  bool operator==(const FileIdentity&) const = default;
  explicit operator bool() const { return inode != 0; }
};
FileIdentity identify(const std::string& path);  // links are followed
FileIdentity identify(int fd);

// An exclusive flock that dies with its process (or with this object). Never a POSIX lock: those drop when any
// descriptor of the file closes.
class FileLock {
 public:
  FileLock() = default;
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock() { release(); }

  // Error::busy where another holds it; the text names its pid where it wrote one.
  static Result<FileLock> try_lock(const std::string& path);
  void write_pid() const { write_line(""); }
  void write_line(std::string_view behind_the_pid) const;  // the pid, then the text; cut at 120 bytes
  void release();
  FileIdentity file() const { return identify(fd_); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// The pid that the holder of a lock file wrote, 0 where none holds it, or where that process is gone and another holds it.
pid_t lock_holder(const std::string& path);

// What the holder of `writer` says in that file while nothing changes and so nothing is stored: up to when the checkpoint
// that is stored tells all. Overwritten about once a second, never synced; a stale one only looks older.
struct Heartbeat {
  uint64_t checkpoint = 0;  // number of the checkpoint that it speaks of
  int64_t as_of_ms = 0;
  int64_t complete_through_ms = 0;
};
void write_heartbeat(const FileLock& writer, const Heartbeat& heartbeat);
std::optional<Heartbeat> read_heartbeat(const std::string& store_path);

}  // namespace footfall
