#include "lane/ring_scan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

constexpr size_t kWindowBytes = 4 << 20;
static_assert(kWindowBytes > 2 * kBlockBytesMax);
constexpr size_t kBehindChecksum = 8;  // format and lane lie there: what a block is looked for by

// As much as there is, up to `bytes`: never by a map, which would kill where the file ends early.
Result<size_t> read_at(int fd, char* to, size_t bytes, uint64_t offset, const std::string& path) {
  size_t got = 0;
  while (got < bytes) {
    const ssize_t more = pread(fd, to + got, bytes - got, static_cast<off_t>(offset + got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return Error::io("read " + path, errno);
    if (more == 0) break;
    got += static_cast<size_t>(more);
  }
  return got;
}

}  // namespace

RingScan::RingScan(RingScan&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), found_(std::move(other.found_)), at_(other.at_) {}

RingScan::~RingScan() {
  if (fd_ >= 0) ::close(fd_);
}

Result<RingScan> RingScan::open(const std::string& path, unsigned lane, uint64_t running_epoch) {
  const std::string file = path + "/data.mdb";
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? Error::not_found(file) : Error::io("open " + file, errno);
  RingScan scan(fd, file);
  if (Status looked = scan.look_through(lane, running_epoch); !looked) return looked.error();
  // Of the versions of a block that grew the longest comes first; the others have nothing behind it.
  std::sort(scan.found_.begin(), scan.found_.end(), [](const Found& a, const Found& b) {
    return std::tuple(a.epoch, a.first_number, b.next_number) < std::tuple(b.epoch, b.first_number, a.next_number);
  });
  return scan;
}

// Windows overlap by a block, so that each block lies whole in one. What lies inside a block is none.
Status RingScan::look_through(unsigned lane, uint64_t running_epoch) {
  std::string wanted;
  BytesWriter(wanted).le16(kBlockFormat).le16(static_cast<uint16_t>(lane));
  std::string window(kWindowBytes, '\0');
  uint64_t behind_block = 0;
  for (uint64_t start = 0;; start += kWindowBytes - kBlockBytesMax) {
    const Result<size_t> got = read_at(fd_, window.data(), window.size(), start, path_);
    if (!got) return got.error();
    const std::string_view bytes(window.data(), *got);
    const bool last = *got < window.size();
    const size_t end = last ? bytes.size() : bytes.size() - kBlockBytesMax;
    for (size_t at = bytes.find(wanted, kBehindChecksum); at < end + kBehindChecksum; at = bytes.find(wanted, at + 1)) {
      const uint64_t offset = start + at - kBehindChecksum;
      if (offset < behind_block) continue;
      const std::string_view there = bytes.substr(at - kBehindChecksum);
      const size_t length = block_length(there);
      const Result<BlockReader> block = BlockReader::open(there.substr(0, length));
      if (!block || block->header().epoch > running_epoch) continue;
      const BlockHeader& header = block->header();
      found_.push_back({header.epoch, header.first_number, header.next_number(), offset, length});
      behind_block = offset + length;
    }
    if (last) return {};
  }
}

Result<RingCursor::Outcome> RingScan::next(uint64_t epoch, uint64_t number, std::string& bytes) {
  for (; at_ < found_.size(); ++at_) {
    const Found& block = found_[at_];
    if (block.epoch < epoch || (block.epoch == epoch && block.next_number <= number)) continue;
    bytes.resize(block.bytes);
    const Result<size_t> got = read_at(fd_, bytes.data(), block.bytes, block.offset, path_);
    if (!got) return got.error();
    if (BlockReader::open(bytes)) return RingCursor::Outcome::block;
  }
  return RingCursor::Outcome::none;
}

}  // namespace footfall
