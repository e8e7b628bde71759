// Of a data file (LMDB 0.9 on 64 bits, little-endian, pages of 4 KiB):
//
//   pages 0 and 1: header 16 | magic u32 | version u32 | address u64 | map size u64 | free db 48 | main db 48 |
//                  last page u64 | transaction id u64        the higher id counts
//   db:            page size u32 (free db) … | root page u64 at 40, all ones: none
//   header:        page u64 | 2 | flags u16 | lower u16, upper u16; of an overflow page instead: pages u32
//   branch, leaf:  header | places u16 x (lower - 16) / 2 | … nodes
//   node:          4 | flags u16 | key bytes u16 | key | data; a branch's page is its first 6 bytes;
//                  data of a leaf's node: flag 1: overflow page u64, flag 2: db of a named database
#include "base/lmdb_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"

namespace footfall {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint64_t kNoPage = ~0ull;
constexpr size_t kHeaderBytes = 16, kDatabaseBytes = 48, kRootAt = 40;
enum PageFlag : uint16_t { kBranch = 1, kLeaf = 2, kOverflow = 4 };
enum NodeFlag : uint16_t { kBigData = 1, kNamedDatabase = 2 };
constexpr int kDepthMax = 32;    // LMDB's own bound
constexpr int kAttemptsMax = 8;  // a writer may use pages anew while they are walked

struct Meta {
  uint64_t free_root = kNoPage, main_root = kNoPage;
  uint64_t last_page = 0;
  uint64_t transaction = 0;
};

class DataFile {
 public:
  explicit DataFile(int fd) : fd_(fd) {}
  ~DataFile() { ::close(fd_); }

  Status check(const std::string& name);

 private:
  bool read_page(uint64_t page, uint8_t (&to)[kPageBytes]) const {
    return page < pages_ && pread(fd_, to, kPageBytes, static_cast<off_t>(page * kPageBytes)) == kPageBytes;
  }
  bool read_meta(Meta& to) const;
  bool tree_is_there(uint64_t root, int depth);
  bool node_is_there(const uint8_t* node, size_t room, bool branch, int depth);

  const int fd_;
  uint64_t pages_ = 0;    // whole ones in the file
  uint64_t visited_ = 0;  // at most pages_: a damaged tree may run in circles
};

bool DataFile::read_meta(Meta& to) const {
  uint8_t page[kPageBytes];
  bool found = false;
  for (uint64_t number : {0, 1}) {
    if (pread(fd_, page, sizeof page, static_cast<off_t>(number * kPageBytes)) != sizeof page) return false;
    if (load_le32(page + 16) != kMagic || load_le32(page + 40) != kPageBytes) continue;
    const uint64_t transaction = load_le64(page + 144);
    if (found && transaction < to.transaction) continue;
    to = {load_le64(page + 40 + kRootAt), load_le64(page + 88 + kRootAt), load_le64(page + 136), transaction};
    found = true;
  }
  return found;
}

// Is every page of the tree in the file?
bool DataFile::tree_is_there(uint64_t root, int depth) {
  if (root == kNoPage) return true;
  uint8_t page[kPageBytes];
  if (depth > kDepthMax || ++visited_ > pages_ || !read_page(root, page)) return false;
  const uint16_t flags = load_le16(page + 10), lower = load_le16(page + 12);
  if ((flags & (kBranch | kLeaf)) == 0 || lower < kHeaderBytes || lower > kPageBytes) return false;
  for (size_t at = kHeaderBytes; at + 2 <= lower; at += 2) {
    const uint16_t node = load_le16(page + at);
    if (node < lower || node + 8u > kPageBytes) return false;
    if (!node_is_there(page + node, kPageBytes - node, (flags & kBranch) != 0, depth)) return false;
  }
  return true;
}

bool DataFile::node_is_there(const uint8_t* node, size_t room, bool branch, int depth) {
  const uint16_t flags = load_le16(node + 4);
  if (branch) return tree_is_there(load_le32(node) | static_cast<uint64_t>(flags) << 32, depth + 1);
  const size_t data = 8 + size_t{load_le16(node + 6)};
  if ((flags & kBigData) != 0) {
    if (data + 8 > room) return false;
    const uint64_t first = load_le64(node + data);
    uint8_t page[kPageBytes];
    if (!read_page(first, page) || (load_le16(page + 10) & kOverflow) == 0) return false;
    return load_le32(page + 12) <= pages_ - first;
  }
  if ((flags & kNamedDatabase) != 0)
    return data + kDatabaseBytes <= room && tree_is_there(load_le64(node + data + kRootAt), depth + 1);
  return true;
}

Status DataFile::check(const std::string& name) {
  Meta meta;
  uint64_t bytes = 0;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Meta before = meta;
    const bool is_ours = read_meta(meta);
    struct stat file;  // asked for after the meta page: the file of a running writer only grows
    if (fstat(fd_, &file) != 0) return Error::io("stat " + name, errno);
    bytes = static_cast<uint64_t>(file.st_size);
    if (bytes == 0) return {};
    if (!is_ours) return Error::corrupt(name + ": no LMDB file");
    pages_ = bytes / kPageBytes;
    if (meta.last_page < pages_) return {};
    if (attempt > 0 && meta.transaction == before.transaction) break;
    // Pages at the end that are free need not have been written.
    visited_ = 0;
    if (tree_is_there(meta.free_root, 0) && tree_is_there(meta.main_root, 0)) return {};
  }
  return Error::corrupt(name + ": " + std::to_string(bytes) + " bytes, but its newest meta page claims " +
                        std::to_string((meta.last_page + 1) * kPageBytes));
}

}  // namespace

Status check_lmdb_file(const std::string& data_file) {
  const int fd = ::open(data_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? Status() : Status(Error::io("open " + data_file, errno));
  return DataFile(fd).check(data_file);
}

}  // namespace footfall
