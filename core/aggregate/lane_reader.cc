#include "aggregate/lane_reader.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/clock.h"

namespace footfall {
namespace {

constexpr size_t kHeldBytesMax = 4 << 20;
constexpr int64_t kIdleMs = 3'600'000;
constexpr int64_t kLookEveryMs = 1'000;
constexpr int64_t kSilentMs = 2'000;  // an owner that has not moved its clock for so long may be gone
constexpr int kStageTries = 100;  // the flusher may release while a stage is copied

bool process_is_alive(pid_t pid) { return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM); }

bool is_behind(const LanePlace& place, uint64_t epoch, uint64_t number) {
  return place.epoch < epoch || (place.epoch == epoch && place.number < number);
}

}  // namespace

LaneReader::LaneReader(const Store& store, HitMaker& hits, ReadingNotes& notes, const LanePlace& place)
    : store_(store), hits_(hits), notes_(notes), path_(store.lane_path(place.lane)), place_(place), loaded_(place) {}

bool LaneReader::held_enough() const { return held_bytes_ >= kHeldBytesMax; }

void LaneReader::poll(int64_t now_ms, bool with_stage) {
  fault_.clear();
  awaits_owner_ = false;
  look_at_files(now_ms);
  if (!state_) {
    Result<LaneStateFile> state = LaneStateFile::open(path_ + "/state", place_.lane, false);
    if (!state) {
      if (state.error().code != Error::Code::not_found) fault_ = state.error().text;
      drained_ = true;
      safe_ms_ = INT64_MAX;
      return;
    }
    state_ = std::move(*state);
  }
  open_stage();
  owned_ = look_at_owner(now_ms);
  if (!owned_) open_stage();  // for good now: the lock is held
  if (owned_ && !sample_) take_sample();

  drained_ = read_ring();
  if (drained_ && (!owned_ || with_stage)) drained_ = read_stage();
  lock_.release();

  if (!owned_) {
    sample_.reset();
    safe_ms_ = drained_ ? INT64_MAX : safe_ms_;
  } else if (sample_ && (sample_->staged == 0 || !is_behind(loaded_, sample_->epoch, sample_->staged))) {
    safe_ms_ = sample_->clock_ms;
    sample_.reset();
  } else if (safe_ms_ == INT64_MAX || safe_ms_ == INT64_MIN) {
    safe_ms_ = now_ms - kWorkerClockMs;  // claimed since the last poll; what it staged is not flushed yet
  }
}

// Files that others have taken the place of are let go; what is there now is opened instead.
void LaneReader::look_at_files(int64_t now_ms) {
  if (!state_ || now_ms - looked_ms_ < kLookEveryMs) return;
  looked_ms_ = now_ms;
  const FileIdentity state = identify(path_ + "/state");
  if (state && state != state_.file()) {
    state_ = LaneStateFile();
    stage_ = StageFile();
  }
  const bool same_ring = !ring_ || identify(ring_->env().path() + "/data.mdb") == ring_file_;
  if (same_ring && state_) return;
  ring_.reset();
  aside_.reset();
  ring_generation_.reset();
}

// Whether a worker owns the lane. The lock is tried only where the owner seems gone, so that a lane is not kept from a
// worker that is just claiming one; it is then held until this poll ends.
bool LaneReader::look_at_owner(int64_t now_ms) {
  const bool alive = process_is_alive(static_cast<pid_t>(state_->owner_pid.load()));
  const bool ticking = stage_ && now_ms - stage_.header().clock_ms.load() < kSilentMs;
  if (alive && (ticking || !stage_)) return true;
  Result<FileLock> lock = FileLock::try_lock(path_ + "/lock");
  if (!lock) return true;
  lock_ = std::move(*lock);
  if (owned_ || unowned_since_ms_ == 0) unowned_since_ms_ = now_ms;
  return false;
}

void LaneReader::open_stage() {
  const uint64_t epoch = state_->epoch.load();
  if (stage_ && stage_.header().epoch == epoch) return;
  stage_ = StageFile();
  sample_.reset();
  if (Result<StageFile> opened = StageFile::open(path_ + "/stage", false))
    if (opened->header().epoch == epoch) stage_ = std::move(*opened);
}

// What was staged before the clock was set is older than the clock: once all of it is read, the clock is a bound.
void LaneReader::take_sample() {
  if (!stage_) return;
  const StageHeader& header = stage_.header();
  const int64_t clock_ms = header.clock_ms.load(std::memory_order_acquire);
  const uint64_t staged = header.staged.load(std::memory_order_acquire);
  sample_ = Sample{clock_ms, header.epoch, staged};
}

bool LaneReader::open_ring() {
  if (ring_generation_ == state_->ring_generation.load()) return true;
  // Generations are read in turn; the one that was current stays open until a later one is.
  const uint32_t from = ring_generation_ ? *ring_generation_ + 1 : 0;
  for (uint32_t generation = from; generation <= state_->ring_generation.load(); ++generation) {
    if (is_left_out(generation)) return false;  // what comes later would pass its hits by
    if (!open_generation(generation)) continue;
    ring_generation_ = generation;
    return true;
  }
  return ring_generation_.has_value();
}

// A ring that killed those who were in it is not opened again: it is set aside, by its owner where there is one.
bool LaneReader::is_left_out(uint32_t generation) {
  uint32_t deaths = notes_.deaths(place_.lane, generation);
  if (generation == state_->ring_generation.load()) deaths += owner_deaths(*state_.operator->(), owned_);
  if (deaths < kRingDeathsMax || put_aside(generation)) return false;
  awaits_owner_ = owned_;
  fault_ = "ring." + std::to_string(generation) + " killed those who read it, and is left out until its worker sets it aside";
  return true;
}

// True: it does not lie there any more. Without an owner the lane's lock is held by this poll.
bool LaneReader::put_aside(uint32_t generation) {
  const std::string ring = ring_path(path_, generation);
  if (!identify(ring)) return true;
  if (generation < state_->ring_generation.load()) {
    move_ring_aside(path_, generation);
  } else if (!owned_ || state_->aside_wanted.load() != generation + 1) {
    const Result<LaneStateFile> state = LaneStateFile::open(path_ + "/state", place_.lane, true);
    if (!state) return false;
    if (owned_) (*state)->aside_wanted.store(generation + 1);
    else set_ring_aside(path_, *state->operator->());
  }
  return !identify(ring);
}

Result<RingCursor> LaneReader::open_cursor(uint32_t generation) {
  const ReadingNotes::Inside inside(notes_, place_.lane, generation);
  return RingCursor::open(ring_path(path_, generation));
}

// One that was set aside is not at its place any more. One that is no ring, and that nobody writes, is set aside.
bool LaneReader::open_generation(uint32_t generation) {
  Result<RingCursor> opened = open_cursor(generation);
  if (opened) {
    aside_.reset();
    ring_.reset();
    ring_.emplace(std::move(*opened));
    ring_file_ = identify(ring_->env().path() + "/data.mdb");
    return true;
  }
  const bool unwritten = !owned_ || generation < state_->ring_generation.load();
  const bool gone = opened.error().code == Error::Code::corrupt && unwritten && put_aside(generation);
  if (!gone && opened.error().code != Error::Code::not_found) fault_ = opened.error().text;
  Result<RingScan> scan = RingScan::open(aside_ring_path(path_, generation), place_.lane, state_->epoch.load());
  if (!scan) {
    if (scan.error().code != Error::Code::not_found) fault_ = scan.error().text;
    return false;
  }
  ring_.reset();
  aside_.emplace(std::move(*scan));
  return true;
}

Result<RingCursor::Outcome> LaneReader::next_block(std::string& block) {
  if (aside_) return aside_->next(loaded_.epoch, loaded_.number, block);
  const ReadingNotes::Inside inside(notes_, place_.lane, *ring_generation_);
  return ring_->next(loaded_.epoch, loaded_.number, block);
}

// What cannot be read to its end is looked through for blocks, once its owner, if there is one, has set it aside. True: it is
// being looked through.
bool LaneReader::give_up_ring(const Error& error) {
  if (error.code != Error::Code::corrupt || !ring_) return false;
  const uint32_t generation = *ring_generation_;
  ring_.reset();
  ring_generation_.reset();
  return put_aside(generation) && open_ring();
}

// True: nothing more is in the lane's rings.
bool LaneReader::read_ring() {
  if (!ring_generation_ && !open_ring()) return fault_.empty();
  std::string block;
  for (;;) {
    if (held_enough()) return false;
    Result<RingCursor::Outcome> outcome = next_block(block);
    if (!outcome) {
      if (give_up_ring(outcome.error())) continue;
      fault_ = outcome.error().text;
      return false;
    }
    if (*outcome == RingCursor::Outcome::corrupt) continue;  // its hits are a gap in the numbers
    if (*outcome == RingCursor::Outcome::block) {
      push(std::move(block));
      continue;
    }
    if (ring_) notes_.survived(place_.lane, *ring_generation_);
    if (ring_generation_ >= state_->ring_generation.load()) return true;
    const std::optional<uint32_t> generation = ring_generation_;
    if (!open_ring() || ring_generation_ == generation) return fault_.empty();
  }
}

// Where in the stage the ring's content ends. nullopt: not to be told just now.
std::optional<RingPosition> LaneReader::end_of_ring() {
  const StageHeader& live = stage_.header();
  const uint64_t tail = live.tail.load();
  if (ring_) {
    const ReadingNotes::Inside inside(notes_, place_.lane, *ring_generation_);
    Result<RingPosition> position = ring_->position();
    if (!position) fault_ = position.error().text;
    if (!position) return std::nullopt;
    if (position->epoch == live.epoch && position->position >= tail) return *position;
  }
  // No ring that can be read goes as far as the stage was drained: what was not drained is all there is.
  const bool released = live.wiped.load() == tail;
  if (!released && !owned_) return RingPosition{live.epoch, tail, live.drained_next.load()};
  const RingPosition end{live.epoch, tail, live.drained.load()};
  if (!released || live.tail.load() != tail) return std::nullopt;  // the owner is about to move both
  return end;
}

// What is staged and in no ring yet. True: all of it is held.
bool LaneReader::read_stage() {
  if (!stage_) return true;
  if (stage_.header().head.load() == stage_.header().tail.load() && !is_behind(loaded_, stage_.header().epoch, 1))
    return true;
  for (int tries = 0; tries < kStageTries && fault_.empty(); ++tries) {
    const std::optional<RingPosition> at = end_of_ring();
    if (!at) continue;
    if (!read_ring()) return false;                        // the lane may have moved hits into it since it was read
    Result<StageFile> copy = stage_.snapshot();
    if (!copy) {
      fault_ = copy.error().text;
      return false;
    }
    const StageHeader& live = stage_.header();
    if (live.tail.load(std::memory_order_acquire) > at->position) continue;

    StageReader reader(*copy, at->position, at->next_number);
    BlockBuilder block;
    block.begin(static_cast<uint16_t>(place_.lane), live.epoch, at->next_number);
    bool full = false;
    for (StageReader::Outcome outcome = reader.next(); outcome == StageReader::Outcome::hit; outcome = reader.next()) {
      const uint64_t number = reader.number() - 1;
      const Hit& hit = hits_.make(reader.hit(), reader.context());
      if (!block.add(hit, reader.context().site)) {
        push(std::string(block.finish()));
        block.begin(static_cast<uint16_t>(place_.lane), live.epoch, number);
        full = held_enough();
        block.add(hit, reader.context().site);
      }
      if (full) break;
    }
    if (!full && !block.empty()) push(std::string(block.finish()));
    return !full;
  }
  return false;
}

void LaneReader::push(std::string bytes) {
  const Result<BlockReader> block = BlockReader::open(bytes);
  if (!block) return;
  const BlockHeader& header = block->header();
  if (!is_behind(loaded_, header.epoch, header.next_number())) return;
  loaded_.epoch = header.epoch;
  loaded_.number = header.next_number();
  held_bytes_ += bytes.size();
  blocks_.push_back(std::move(bytes));
  if (!current_) load_current();
}

// Sets the next hit that is not counted yet, if one is held.
void LaneReader::load_current() {
  for (;;) {
    while (current_ && current_->next(hit_, number_))
      if (is_behind(place_, current_->header().epoch, number_ + 1)) return;
    if (current_) {
      held_bytes_ -= blocks_.front().size();
      blocks_.pop_front();
      current_.reset();
    }
    if (blocks_.empty()) return;
    current_.emplace(*BlockReader::open(blocks_.front()));
  }
}

void LaneReader::pop() {
  if (const uint64_t epoch = current_->header().epoch; epoch != place_.epoch) begin_epoch(epoch);
  const uint64_t passed = number_ + 1 - place_.number;
  lost_ += passed - 1;  // a gap in the numbers
  if (place_.hits != kHitsNotKnown) place_.hits += passed;
  place_.number = number_ + 1;
  load_current();
}

// What is missing at the end of the epoch before, and epochs of which nothing is left, have no later number that tells
// them: they are told by how many hits the lane had before its running epoch.
void LaneReader::begin_epoch(uint64_t epoch) {
  if (stage_ && stage_.header().epoch == epoch) {
    const uint64_t hits = stage_.header().hits_before;
    if (place_.hits != kHitsNotKnown && hits > place_.hits) lost_ += hits - place_.hits;
    place_.hits = hits;
  }
  place_.epoch = epoch;
  place_.number = 0;
}

uint64_t LaneReader::take_lost() { return std::exchange(lost_, 0); }

bool LaneReader::remove_if_idle(int64_t now_ms) {
  if (owned_ || !drained_ || has_hit() || unowned_since_ms_ == 0 || now_ms - unowned_since_ms_ < kIdleMs) return false;
  Result<FileLock> lock = FileLock::try_lock(path_ + "/lock");
  if (!lock) return false;
  ring_.reset();
  aside_.reset();
  std::error_code ignored;
  const std::filesystem::path stage = std::filesystem::read_symlink(path_ + "/stage", ignored);
  if (!stage.empty()) ::unlink(stage.c_str());
  std::filesystem::remove_all(path_, ignored);
  return true;
}

}  // namespace footfall
