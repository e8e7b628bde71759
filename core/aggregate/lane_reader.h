// One lane as the aggregator reads it: blocks of its rings in order, then, where no worker owns the lane (or once, at
// --once), what still lies in its stage. Numbers tell what was counted already and what was lost.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "lane/block.h"
#include "lane/hit_maker.h"
#include "lane/lane.h"
#include "lane/reading_notes.h"
#include "lane/ring.h"
#include "lane/ring_scan.h"
#include "rollup/summary.h"

namespace footfall {

// A worker stamps hits by a clock that it read up to so long ago: a lane claimed now brings none that are older.
inline constexpr int64_t kWorkerClockMs = 200;

class LaneReader {
 public:
  // Goes on from `place`. `hits` makes hits of what is read from stages, `notes` tell which rings kill; both may be shared.
  LaneReader(const Store& store, HitMaker& hits, ReadingNotes& notes, const LanePlace& place);

  // Reads what is new, up to a bound of bytes held. `with_stage`: also the stage of a lane that a worker owns.
  void poll(int64_t now_ms, bool with_stage);

  // The next hit, in the lane's order.
  bool has_hit() const { return current_.has_value(); }
  const Hit& hit() const { return hit_; }
  std::string_view site() const { return current_->site_of(hit_); }
  void pop();  // the hit is counted

  // Every hit that this lane brings from now on is at least that old; INT64_MAX for a lane that nobody writes.
  int64_t safe_ms() const { return safe_ms_; }
  bool drained() const { return drained_; }  // all there was at the last poll is held or counted
  bool owned() const { return owned_; }
  bool awaits_owner() const { return awaits_owner_; }  // which was asked to set aside a ring that kills its readers

  const LanePlace& place() const { return place_; }  // behind the last hit that was popped
  uint64_t take_lost();                              // hits found lost since the last call
  std::string fault() const { return fault_; }       // why the lane cannot be read; empty: it can

  // Removes a drained lane that nobody has owned for an hour. True: it is gone.
  bool remove_if_idle(int64_t now_ms);

 private:
  struct Sample {
    int64_t clock_ms;
    uint64_t epoch;
    uint64_t staged;
  };

  void look_at_files(int64_t now_ms);
  bool look_at_owner(int64_t now_ms);
  void open_stage();
  void take_sample();
  bool read_ring();
  bool open_ring();
  bool is_left_out(uint32_t generation);
  bool put_aside(uint32_t generation);
  bool give_up_ring(const Error& error);
  Result<RingCursor> open_cursor(uint32_t generation);
  bool open_generation(uint32_t generation);
  Result<RingCursor::Outcome> next_block(std::string& block);
  std::optional<RingPosition> end_of_ring();
  bool read_stage();
  void push(std::string block);
  void load_current();
  void begin_epoch(uint64_t epoch);
  bool held_enough() const;

  const Store& store_;
  HitMaker& hits_;
  ReadingNotes& notes_;
  const std::string path_;
  LanePlace place_;           // behind the last popped hit
  LanePlace loaded_;          // behind the last hit held
  uint64_t lost_ = 0;
  std::string fault_;

  LaneStateFile state_;
  StageFile stage_;
  std::optional<RingCursor> ring_;
  std::optional<RingScan> aside_;  // instead of ring_, where that generation was set aside
  std::optional<uint32_t> ring_generation_;
  FileIdentity ring_file_;
  int64_t looked_ms_ = 0;
  FileLock lock_;             // held while an unowned lane's stage is read
  bool owned_ = false;
  bool drained_ = false;
  bool awaits_owner_ = false;
  int64_t unowned_since_ms_ = 0;
  int64_t safe_ms_ = INT64_MIN;
  std::optional<Sample> sample_;

  std::deque<std::string> blocks_;  // the first is `current_`'s
  size_t held_bytes_ = 0;
  std::optional<BlockReader> current_;
  Hit hit_;
  uint64_t number_ = 0;
};

}  // namespace footfall
