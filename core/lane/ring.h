// The ring of a lane: an LMDB environment that keeps the newest blocks up to a bound of live bytes. The lane's owner
// writes it, the aggregator reads it; nobody waits for anybody.
//
//   keys:  0x01 seq u64 (big-endian) → block        0xff → position: stage epoch u64 | stage position u64 | next number u64
//
// The position lies in the same transaction as the blocks, so nothing that left the stage is written twice or skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/lmdb.h"
#include "lane/block.h"

namespace footfall {

// Where in which stage the ring's content ends.
struct RingPosition {
  uint64_t epoch = 0;
  uint64_t position = 0;
  uint64_t next_number = 0;
};

struct RingUse {
  uint64_t used_bytes = 0;   // of live blocks, in whole pages
  int64_t oldest_ms = 0;     // 0: empty
  int64_t newest_ms = 0;
};

inline std::string ring_path(const std::string& lane_path, uint32_t generation) {
  return lane_path + "/ring." + std::to_string(generation);
}

// Where a ring lies that nobody is to open any more: see RingScan.
inline std::string aside_ring_path(const std::string& lane_path, uint32_t generation) {
  return ring_path(lane_path, generation) + ".aside";
}

class RingWriter {
 public:
  // Made where missing; the map is three times the live bytes. Error::corrupt: not all that is in it can be reached.
  static Result<RingWriter> open(const std::string& path, uint64_t live_bytes_max);

  const RingPosition& position() const { return position_; }
  const RingUse& use() const { return use_; }

  // Commits the block and the position. `replace`: the block is the last one written by this object, grown. The oldest
  // blocks go as needed; `overwritten` (added to) tells their hits. Error::full: no room on the disk or in the map; what
  // was there stays as it was.
  Status put(std::string_view block, const BlockHeader& header, bool replace, const RingPosition& position,
             uint64_t& overwritten);

  LmdbEnv& env() { return env_; }

 private:
  Status put_once(std::string_view block, const BlockHeader& header, uint64_t seq, uint64_t replaced_bytes,
                  const RingPosition& position, RingUse& use, uint64_t& overwritten);

  LmdbEnv env_;
  uint64_t live_bytes_max_ = 0;
  RingPosition position_;
  RingUse use_;
  uint64_t next_seq_ = 0;
  uint64_t last_pages_bytes_ = 0;
};

// Reads a ring's blocks in order, on from wherever the caller stands.
class RingCursor {
 public:
  // Error::not_found: no such ring (yet).
  static Result<RingCursor> open(const std::string& path);

  enum class Outcome {
    block,    // `bytes` holds a block with at least one hit not seen yet
    none,     // nothing new
    corrupt,  // the block's checksum is wrong; it is passed over, its hits are a gap
  };
  // The first block that ends behind (epoch, number): blocks of older epochs than `epoch` count as seen. `bytes` is a
  // copy: no transaction stays open. Error::corrupt: the ring's end cannot be reached.
  Result<Outcome> next(uint64_t epoch, uint64_t number, std::string& bytes);

  // The block of that sequence number or the next there is, whether or not it was seen: for who looks at all of a ring, from
  // 0 on. `bytes` is a copy, of whatever lies there. nullopt: there are no more.
  Result<std::optional<uint64_t>> at_or_behind(uint64_t seq, std::string& bytes);

  // Where the ring's content ends in its stage, in a transaction of its own.
  Result<RingPosition> position();

  LmdbEnv& env() { return env_; }

 private:
  LmdbEnv env_;
  uint64_t seq_ = 0;  // first block that may hold something new
};

}  // namespace footfall
