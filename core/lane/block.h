// A block: some hits of one lane and epoch, numbered without a gap; what the ring holds and what a source yields.
//
//   block: checksum u64 (xxh3 of all that follows) | format u16 | lane u16 | hits u32 | epoch u64 | first number u64 |
//          first time_ms i64 | last time_ms i64 | sites u16 | sites x (u8+bytes) | hits (hit/codec.h)
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "hit/hit.h"

namespace footfall {

inline constexpr uint16_t kBlockFormat = 1;

struct BlockHeader {
  uint16_t lane = 0;
  uint32_t hits = 0;
  uint64_t epoch = 0;
  uint64_t first_number = 0;
  int64_t first_time_ms = 0;
  int64_t last_time_ms = 0;

  uint64_t next_number() const { return first_number + hits; }
};

// Collects hits until the next one would not fit into kBlockBytesMax. They are written where they lie in the block.
class BlockBuilder {
 public:
  BlockBuilder();

  void begin(uint16_t lane, uint64_t epoch, uint64_t first_number);

  // False: the block is full (the hit was not added). `hit.site` is ignored; the site goes by name.
  bool add(const Hit& hit, std::string_view site);

  // The same for an encoded hit (hit/codec.h).
  bool add_encoded(std::string_view hit, int64_t time_ms, std::string_view site);

  bool empty() const { return header_.hits == 0; }
  size_t bytes() const { return bytes_; }  // of the finished block
  const BlockHeader& header() const { return header_; }

  // The block's bytes, valid until the next call. More may be added afterwards.
  std::string_view finish();

 private:
  bool take(size_t hit_bytes, int64_t time_ms, std::string_view site);
  void add_site(std::string_view site, size_t hit_bytes);

  BlockHeader header_;
  std::vector<std::string> sites_;
  size_t last_site_ = 0;           // of the hit before; mostly the next one's too
  std::unique_ptr<char[]> block_;  // room for a block and one more hit
  size_t sites_end_ = 0;
  size_t bytes_ = 0;
  std::string encoded_;
};

// How long the block at the front of `bytes` is, told by its own counts; `bytes` may go on behind it. 0: there is none, or not
// all of one. Whether it is whole its checksum tells.
size_t block_length(std::string_view bytes);

// Reads a block. Views point into its bytes.
class BlockReader {
 public:
  // Error::corrupt: checksum or counts; Error::version: another format.
  static Result<BlockReader> open(std::string_view bytes);

  const BlockHeader& header() const { return header_; }
  const std::vector<std::string_view>& sites() const { return sites_; }
  std::string_view site_of(const Hit& hit) const { return sites_[hit.site]; }

  // The next hit and its number; false at the end (or where a hit cannot be decoded although the checksum was right).
  bool next(Hit& hit, uint64_t& number);

 private:
  BlockHeader header_;
  std::vector<std::string_view> sites_;
  std::string_view left_;
  uint64_t number_ = 0;
};

}  // namespace footfall
