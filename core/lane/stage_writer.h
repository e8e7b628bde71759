// The producer's side of a stage (stage.h): the worker's event loop. What every request goes through is inline.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/limits.h"
#include "hit/raw_hit.h"
#include "lane/stage.h"
#include "lane/stage_record.h"

namespace footfall {

inline constexpr size_t kAddressBytesMax = 16;
inline constexpr ptrdiff_t kPlainRecordBytesMax =
    round_up_to_8(sizeof(StageRecord) + kAddressBytesMax + kRawUriBytesMax + kRawReferrerBytesMax + kAgentBytesMax +
                  kRawHostBytesMax);
static_assert(kPlainRecordBytesMax <= ptrdiff_t{kRawRecordBytesMax});
inline constexpr int64_t kOldestTimeMs = 788'918'400'000;  // 1995-01-01: an older clock is broken

// A record that is being written where it will lie. It is not there until StageWriter::show_plain(); one that is given
// up is written over by the next.
struct PlainRecord {
  StageRecord* fixed;  // its numbers are the caller's to set; all is zero but context, time_ms and the lengths
  uint8_t* end;        // of the texts so far

  void add_address(std::string_view address) noexcept;
  // Adds a text in the order of the drawing. False: it is longer than its bound, and this record cannot be plain.
  bool add(uint16_t StageRecord::*length, std::string_view text, size_t bytes_max) noexcept;
};

// Not thread-safe, and the only producer of its file. Appending makes no system call, takes no lock, allocates nothing.
class StageWriter {
 public:
  explicit StageWriter(StageFile& file);

  // The index of this context in the stage's table, added where it is not there yet. Error::full: the table is full
  // (kStageContextsBytes). For the start of a worker, not for a request.
  Result<uint16_t> add_context(const HitContext& context);

  // Stages the hit. Fields longer than their bound are cut. False: dropped, and counted under its reason.
  bool append(const RawHit& hit, uint16_t context) noexcept;

  // The same for a hit that has an address, uri, referrer, agent and host, and no other text, in less than half the
  // instructions: the texts go from where they are into the record. No record: the stage's end is near, the clock is
  // broken, or the stage is full; append() knows.
  PlainRecord begin_plain(uint16_t context, int64_t time_ms) noexcept;
  void show_plain(const PlainRecord& record) noexcept;

  void count_drop(DropReason reason) noexcept;

  // Says that no later hit is older than this. Called at each tick of the worker.
  void set_clock(int64_t now_ms) noexcept;

 private:
  friend class StageBatch;

  std::optional<DropReason> write(const RawHit& hit, uint16_t context) noexcept;
  int64_t time_of(const RawHit& hit) const noexcept;
  bool has_room(uint32_t bytes) noexcept;
  bool make_room(uint32_t bytes) noexcept;
  void measure_room() noexcept;
  void advance(uint32_t bytes) noexcept;
  void show(uint64_t hits, int64_t time_ms) noexcept;
  bool drop(DropReason reason) noexcept;

  StageHeader* const header_;
  uint8_t* const contexts_;
  uint8_t* const records_;
  const uint64_t record_bytes_;
  uint64_t head_;
  uint8_t* next_ = nullptr;      // the place of head_
  uint8_t* room_end_ = nullptr;  // may be written up to here without a look at `wiped`
};

// Hits that come to lie in the stage together: none of them is there before show(), all of them from then on, whoever dies
// when. While a batch lives, nothing else may be staged. One that is not shown is wiped.
class StageBatch {
 public:
  enum class Outcome : uint8_t {
    added,
    no_room,    // the consumer has to catch up first
    too_large,  // for this stage, however empty: a batch may have half of it
    oversized,  // one record is larger than kRawRecordBytesMax
    clock,      // a time before 1995
  };

  explicit StageBatch(StageWriter& writer) noexcept : writer_(writer), start_(writer.head_) {}
  ~StageBatch();
  StageBatch(const StageBatch&) = delete;

  Outcome add(const RawHit& hit, uint16_t context) noexcept;
  void show() noexcept;

 private:
  StageWriter& writer_;
  uint64_t start_;  // what lies before is shown
  uint64_t hits_ = 0;
  int64_t time_ms_ = 0;  // the lane's, behind them
};

// Knowing a bound, the compiler would make `rep movs`, which takes longer to begin than these few bytes to move.
inline uint8_t* copy_field(uint8_t* to, std::string_view field) noexcept {
  size_t bytes = field.size();
  asm("" : "+r"(bytes));
  if (bytes != 0) [[likely]]
    std::memcpy(to, field.data(), bytes);
  return to + bytes;
}

// Whether `bytes` may be written at next_.
inline bool StageWriter::has_room(uint32_t bytes) noexcept {
  if (static_cast<size_t>(room_end_ - next_) >= bytes) [[likely]]
    return true;
  return make_room(bytes);
}

// The record at next_ is whole.
inline void StageWriter::advance(uint32_t bytes) noexcept {
  next_ += bytes;
  head_ += bytes;
}

// From here on what was written outlives the process.
inline void StageWriter::show(uint64_t hits, int64_t time_ms) noexcept {
  header_->last_time_ms = time_ms;
  header_->staged.store(header_->staged.load(std::memory_order_relaxed) + hits, std::memory_order_relaxed);
  header_->head.store(head_, std::memory_order_release);
}

inline void PlainRecord::add_address(std::string_view address) noexcept {
  if (address.size() == 4) [[likely]] {
    std::memcpy(end, address.data(), 4);
    end += 4;
  } else {
    end = copy_field(end, address.substr(0, kAddressBytesMax));
  }
  fixed->address = static_cast<uint8_t>(end - reinterpret_cast<uint8_t*>(fixed + 1));
}

[[gnu::always_inline]] inline bool PlainRecord::add(uint16_t StageRecord::*length, std::string_view text,
                                                    size_t bytes_max) noexcept {
  if (text.size() > bytes_max) [[unlikely]]
    return false;
  fixed->*length = static_cast<uint16_t>(text.size());
  end = copy_field(end, text);
  return true;
}

[[gnu::always_inline]] inline PlainRecord StageWriter::begin_plain(uint16_t context, int64_t time_ms) noexcept {
  auto* const fixed = reinterpret_cast<StageRecord*>(next_);
  if (room_end_ - next_ < kPlainRecordBytesMax || time_ms < kOldestTimeMs) [[unlikely]]
    return {};
  std::memset(fixed, 0, sizeof *fixed);
  fixed->context = context;
  fixed->time_ms = std::max(time_ms, header_->last_time_ms);  // never runs back in a lane
  return {fixed, reinterpret_cast<uint8_t*>(fixed + 1)};
}

inline void StageWriter::show_plain(const PlainRecord& record) noexcept {
  const uint32_t bytes = round_up_to_8(record.end - next_);
  record.fixed->bytes = bytes;
  advance(bytes);
  show(1, record.fixed->time_ms);
}

}  // namespace footfall
