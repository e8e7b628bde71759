// The stage of a lane: a ring of raw records in shared memory. One producer (the worker's event loop), one consumer (the
// flusher, or whoever drains a lane without a worker). A record is safe from a crash of any process once append returns.
//
//   file:    header 4096 | contexts 65536 | records (StageHeader::record_bytes)
//   record:  bytes u32 (multiple of 8) | context u16 | status u16 | time_ms i64 | bytes_sent u64 | request_time_ms u32 |
//            method u8 | content u8 | flags u16 | address u8 | country u8 | events u16 | uri u16 | path u16 |
//            referrer u16 | agent u16 | host u16 | visitor u16 | header u16 | 6 bytes of zero |
//            then those fields' bytes in that order, the events last
//   padding: bytes u32 | context 0xffff: the rest up to the end of the records
//   events:  per event: is_order u8, then eight fields of bytes u16 | bytes
//   context: bytes u16 | site u8+bytes | search u8+bytes | count u8 | count x (argument u8+bytes) | codes' prefix u8+bytes, if any
//
// Positions are byte counts since the epoch began; position % record_bytes is the place. The producer releases `head`
// after the record is whole (of several that were staged together, after all are); the consumer moves `tail`, wipes what lies before it, then releases `wiped`.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hit/raw_hit.h"
#include "lane/store.h"

namespace footfall {

// Why a hit was not kept. Numbers are stored; names are what health and metrics show.
enum class DropReason : uint8_t {
  stage_full = 0,  // the flusher could not keep up, or cannot write (the store says why)
  oversized = 1,   // one record larger than kRawRecordBytesMax
  clock = 2,       // the request's time lies before 1995
  signal = 3,      // footfall_signals … drop: the visitor asked for it
};
inline constexpr size_t kDropReasons = 4;
std::string_view drop_reason_name(DropReason reason);

inline constexpr uint64_t kStageMagic = 0x3147415453464646;  // "FFFSTAG1"
inline constexpr uint32_t kStageVersion = 2;
inline constexpr size_t kStageHeaderBytes = 4096;
inline constexpr size_t kStageContextsBytes = 65536;
inline constexpr size_t kStageRecordBytesMin = 256 * 1024;
inline constexpr uint16_t kStagePadding = 0xffff;

// What a stage that was asked for with so many bytes has: a multiple of 4096, at least kStageRecordBytesMin.
constexpr uint64_t stage_record_bytes(uint64_t wanted_bytes) {
  return ((wanted_bytes < kStageRecordBytesMin ? kStageRecordBytesMin : wanted_bytes) + 4095) / 4096 * 4096;
}

// Lies at the start of the file. The producer's, the consumer's and the fixed part are a cache line or more apart.
struct StageHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t lane;
  uint64_t epoch;
  uint8_t boot_id[16];
  uint64_t record_bytes;
  std::atomic<uint32_t> contexts_used;   // bytes of the context table in use
  uint64_t hits_before;                  // of the lane, staged in epochs before this one

  alignas(128) std::atomic<uint64_t> head;      // producer: bytes staged in this epoch
  std::atomic<uint64_t> staged;                 // producer: hits staged in this epoch; the next hit's number
  std::atomic<int64_t> clock_ms;                // producer: every later record's time is at least this, but of events told alone
  int64_t last_time_ms;                         // producer
  std::atomic<uint64_t> dropped[kDropReasons];  // producer, in this epoch

  alignas(128) std::atomic<uint64_t> tail;      // consumer: bytes drained; what lies before may be wiped already
  std::atomic<uint64_t> drained;                // consumer: hits drained
  std::atomic<uint64_t> wiped;                  // consumer: bytes whose room the producer has
  std::atomic<uint64_t> drained_next;           // consumer: `drained` once all is wiped up to `tail`
};
static_assert(sizeof(StageHeader) <= kStageHeaderBytes);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

// A mapped stage file. Move-only; unmaps at the end.
class StageFile {
 public:
  StageFile() = default;
  StageFile(StageFile&& other) noexcept { *this = std::move(other); }
  StageFile& operator=(StageFile&& other) noexcept;
  ~StageFile();

  // Makes the file anew (whatever was there is unlinked), preallocated and prefaulted, with
  // stage_record_bytes(record_bytes).
  static Result<StageFile> create(const std::string& path, uint32_t lane, uint64_t epoch, const uint8_t (&boot_id)[16],
                                  uint64_t record_bytes);
  // Maps what is there. Refused: another version, sizes that do not agree with the file, positions that cannot be.
  static Result<StageFile> open(const std::string& path, bool writable);
  // A private copy as it is now, for a reader that does not own the stage: right as far as the original's tail has not
  // passed the reader's position since (see header().tail of the original, after the copy).
  Result<StageFile> snapshot() const;

  explicit operator bool() const { return map_ != nullptr; }
  const FileIdentity& file() const { return file_; }
  StageHeader& header() const { return *reinterpret_cast<StageHeader*>(map_); }
  uint8_t* contexts() const { return map_ + kStageHeaderBytes; }
  uint8_t* records() const { return map_ + kStageHeaderBytes + kStageContextsBytes; }

 private:
  uint8_t* map_ = nullptr;
  size_t bytes_ = 0;
  FileIdentity file_;
};

// The consumer's side, or a reader that only looks. Contexts are decoded as they are met.
class StageReader {
 public:
  // From `position` and `number` on (where the ring's last commit stands, or the stage's own tail).
  StageReader(StageFile& file, uint64_t position, uint64_t number);

  enum class Outcome {
    hit,      // `hit` and `context` are set; views point into the stage, until release()
    empty,    // nothing more is staged
    corrupt,  // bytes that cannot be a record: the rest of the stage cannot be read
    overrun,  // only for a reader that does not own the tail: the record was released meanwhile
  };
  Outcome next();

  const RawHit& hit() const { return hit_; }
  const HitContext& context() const { return *context_; }
  uint64_t position() const { return position_; }  // behind the last hit
  uint64_t number() const { return number_; }      // of the next hit

  // Wipes everything up to position() and gives its room to the producer. Only for the consumer. A release that was cut
  // off by the process's death is finished by finish_release().
  void release();
  // Wipes and drops all that is staged, after `corrupt`: the numbers of what is lost are skipped. Gives their count.
  uint64_t release_all();

 private:
  bool decode(const uint8_t* record, uint32_t bytes);
  bool decode_events(std::string_view bytes);
  const HitContext* context_at(uint16_t index);

  StageFile& file_;
  uint64_t position_;
  uint64_t number_;
  RawHit hit_;
  const HitContext* context_ = nullptr;
  std::vector<HitContext> contexts_;
  uint32_t contexts_read_ = 0;
};

// For who takes a stage over, before anything else: the consumer before may have died while it was releasing.
void finish_release(StageFile& file);

}  // namespace footfall
