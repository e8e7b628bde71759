// A ring that was set aside because it cannot be opened: its file is looked through for blocks, told by their checksums.
// Nothing of LMDB touches it. Blocks that the ring had let go come along where nobody has written over them yet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "lane/ring.h"

namespace footfall {

class RingScan {
 public:
  // Looks through all of the file once. What claims to be of an epoch behind the lane's running one is not believed: a request may
  // have written anything into a block. Error::not_found: no such ring.
  static Result<RingScan> open(const std::string& path, unsigned lane, uint64_t running_epoch);
  RingScan(RingScan&& other) noexcept;
  RingScan& operator=(RingScan&&) = delete;
  ~RingScan();

  // As RingCursor::next, in the order of epochs and numbers; never `corrupt`: what is no whole block is not found.
  Result<RingCursor::Outcome> next(uint64_t epoch, uint64_t number, std::string& bytes);

  size_t blocks() const { return found_.size(); }

 private:
  struct Found {
    uint64_t epoch;
    uint64_t first_number;
    uint64_t next_number;
    uint64_t offset;
    size_t bytes;
  };

  RingScan(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Status look_through(unsigned lane, uint64_t running_epoch);

  int fd_ = -1;
  std::string path_;
  std::vector<Found> found_;
  size_t at_ = 0;  // first that may hold something new
};

}  // namespace footfall
