#include "lane/flusher.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "lane/hit_maker.h"
#include "lane/ring.h"
#include "site/config_file.h"

namespace footfall {
namespace {

// An open block is written again, grown, until it fills a page; so a quiet shop burns whole pages, not tiny blocks.
constexpr size_t kSealedBlockBytes = 3'600;
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr auto kShortestWait = std::chrono::milliseconds(2);

void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

struct Flusher::State {
  State(const Store& store, Lane& lane, const FlusherOptions& options)
      : lane(lane), options(options), config(store.config_path()), hits(store) {}

  Lane& lane;
  const FlusherOptions options;
  ConfigWatch config;
  HitMaker hits;
  BlockBuilder block;
  bool block_is_open = false;   // block is in the ring already and may grow
  uint64_t malformed_moved = 0; // hits with malformed events that fill_block() has just moved; counted once they are safe
  std::optional<RingWriter> ring;
  FileIdentity ring_file;
  unsigned corrupt_commits = 0;  // in a row
  bool away = false;
  std::chrono::steady_clock::time_point looked_at{};
  std::optional<StageReader> reader;

  std::mutex mutex;  // of the fields below; never held over a flush or a sync
  std::mutex syncing;  // held over a sync; taken alone, or before `mutex`
  std::condition_variable wake;
  bool stopping = false;
  LmdbEnv* sync_env = nullptr;
  bool sync_wanted = false;
  Error fault;
  bool replaced = false;

  std::thread flusher;
  std::thread syncer;

  void run_flusher();
  void run_syncer();
  Status sync();
  void flush();
  void look_at_files();
  void set_aside_if_wanted();
  Status open_ring();
  bool fill_block(bool& stage_has_more);
  void lose_corrupt_rest();
  void mend_ring(const Error& error);
  void close_ring();
  void report_away();
  void report_fault(const Error* error);
  std::chrono::milliseconds time_to_wait();
  uint64_t staged_seen = 0;
  std::chrono::steady_clock::time_point staged_seen_at = std::chrono::steady_clock::now();
};

// Opens the ring and finds where its content ends in the stage: behind the stage's tail where a process died between
// the ring's commit and the stage's release.
Status Flusher::State::open_ring() {
  LaneState& state = *lane.state.operator->();
  state.note_pid.store(static_cast<uint32_t>(getpid()));
  state.note.store(static_cast<uint32_t>(LaneNote::opening));
  Result<RingWriter> opened = RingWriter::open(ring_path(lane.path, state.ring_generation.load()), lane.ring_bytes);
  state.note.store(static_cast<uint32_t>(LaneNote::idle));
  if (!opened) {
    // The next try makes a new one. Another version's is left where it is.
    if (opened.error().code == Error::Code::corrupt) set_ring_aside(lane.path, state);
    if (opened.error().code == Error::Code::version) state.ring_generation.fetch_add(1);
    return opened.error();
  }
  ring.emplace(std::move(*opened));
  ring_file = identify(ring->env().path() + "/data.mdb");
  const StageHeader& stage = lane.stage.header();
  const RingPosition& at = ring->position();
  const uint64_t tail = stage.tail.load();
  if (at.epoch == stage.epoch && at.position >= tail && at.position <= stage.head.load() && at.position % 8 == 0) {
    reader.emplace(lane.stage, at.position, at.next_number);
    reader->release();
  } else {
    reader.emplace(lane.stage, tail, stage.drained.load());
  }
  block_is_open = false;
  {
    const std::lock_guard lock(mutex);
    sync_env = &ring->env();
  }
  return {};
}

// Moves hits from the stage into the block until it is full or the stage is empty. False: nothing was moved.
bool Flusher::State::fill_block(bool& stage_has_more) {
  stage_has_more = false;
  malformed_moved = 0;
  bool moved = false;
  uint64_t position = reader->position(), number = reader->number();
  for (;;) {
    const StageReader::Outcome outcome = reader->next();
    if (outcome == StageReader::Outcome::empty) return moved;
    if (outcome != StageReader::Outcome::hit) {
      stage_has_more = moved;
      if (!moved) lose_corrupt_rest();
      return moved;
    }
    const Hit& hit = hits.make(reader->hit(), reader->context());
    if (!block.add(hit, reader->context().site)) {
      // Full: this hit begins the next block.
      reader.emplace(lane.stage, position, number);
      stage_has_more = true;
      return moved;
    }
    if (hit.flags & kHitEventsMalformed) ++malformed_moved;
    moved = true;
    position = reader->position();
    number = reader->number();
  }
}

void Flusher::State::lose_corrupt_rest() {
  const uint64_t lost = reader->release_all();
  lane.state->corrupt.fetch_add(std::max<uint64_t>(lost, 1));
  block_is_open = false;
}

void Flusher::State::close_ring() {
  {
    const std::lock_guard lock(mutex);
    sync_env = nullptr;
  }
  const std::lock_guard lock(syncing);
  ring.reset();
  reader.reset();
  block_is_open = false;
}

// Somebody may take the files away from under us, or put others there.
void Flusher::State::look_at_files() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_at < kLookEvery) return;
  looked_at = now;
  const LaneFiles files = lane.look();
  if (files == LaneFiles::there) {
    if (away) report_fault(nullptr);
    if (ring && identify(ring->env().path() + "/data.mdb") != ring_file) close_ring();  // made anew by the next flush
    set_aside_if_wanted();
  }
  away = files == LaneFiles::away;
  const std::lock_guard lock(mutex);
  replaced = files == LaneFiles::replaced;
}

// A ring that kills those who read it may kill who writes it next: nobody goes on in it.
void Flusher::State::set_aside_if_wanted() {
  LaneState& state = *lane.state.operator->();
  if (state.aside_wanted.load(std::memory_order_relaxed) == 0) return;
  close_ring();
  (void)heed_aside_wanted(lane.path, state);
}

void Flusher::State::report_away() {
  const Error error = Error::not_found("the store is gone from " + lane.store_path() + "; hits still go into its files");
  report_fault(&error);
}

void Flusher::State::flush() {
  look_at_files();
  if (!ring) {
    const Status opened = open_ring();
    if (!opened) return report_fault(&opened.error());
    report_fault(nullptr);
  }
  if (config.look()) hits.set_config(config.config());
  LaneState& state = *lane.state.operator->();
  const uint64_t epoch = lane.stage.header().epoch;
  state.epoch_hits.store(lane.stage.header().staged.load(std::memory_order_relaxed), std::memory_order_relaxed);
  for (bool more = true; more;) {
    const bool replace = block_is_open;
    if (!replace) block.begin(static_cast<uint16_t>(lane.number), epoch, reader->number());
    const uint64_t position = reader->position(), number = reader->number();
    if (!fill_block(more)) {
      if (!replace || !more) break;
      block_is_open = false;  // the open block has no room for the next hit
      continue;
    }
    state.note_pid.store(static_cast<uint32_t>(getpid()));
    state.note.store(static_cast<uint32_t>(LaneNote::committing));
    uint64_t overwritten = 0;
    const Status put = ring->put(block.finish(), block.header(), replace,
                                 {epoch, reader->position(), reader->number()}, overwritten);
    state.note.store(static_cast<uint32_t>(LaneNote::idle));
    if (!put) report_fault(&put.error());
    else if (!away) report_fault(nullptr);
    if (!put) {
      // Nothing is lost: the hits stay staged, the next try begins a block of its own.
      reader.emplace(lane.stage, position, number);
      block_is_open = false;
      mend_ring(put.error());
      return;
    }
    corrupt_commits = 0;
    reader->release();
    block_is_open = block.bytes() < kSealedBlockBytes;
    state.overwritten.fetch_add(overwritten, std::memory_order_relaxed);
    state.malformed_events.fetch_add(malformed_moved, std::memory_order_relaxed);
    state.ring_used_bytes.store(ring->use().used_bytes, std::memory_order_relaxed);
    state.oldest_ms.store(ring->use().oldest_ms, std::memory_order_relaxed);
    state.newest_ms.store(ring->use().newest_ms, std::memory_order_relaxed);
    const std::lock_guard lock(mutex);
    sync_wanted = true;
  }
}

// After a fault that is not for want of room, LMDB may refuse all that follows: the ring is opened anew, and set aside if
// that does not mend it.
void Flusher::State::mend_ring(const Error& error) {
  if (error.code == Error::Code::full || error.code == Error::Code::busy) return;
  close_ring();
  if (error.code != Error::Code::corrupt || ++corrupt_commits < 2) return;
  corrupt_commits = 0;
  set_ring_aside(lane.path, *lane.state.operator->());
}

void Flusher::State::report_fault(const Error* error) {
  LaneState& state = *lane.state.operator->();
  const std::lock_guard lock(mutex);
  if (error == nullptr) {
    if (state.fault_since_ms.load() != 0) state.fault_since_ms.store(0);
    return;
  }
  fault = *error;
  const size_t bytes = std::min(error->text.size(), sizeof state.fault_text - 1);
  std::copy_n(error->text.data(), bytes, state.fault_text);
  state.fault_text[bytes] = '\0';
  if (state.fault_since_ms.load() == 0) state.fault_since_ms.store(now_ms());
}

// The producer wakes nobody (that would be a system call in a request): the flusher waits as long as half the stage
// takes to fill at the rate just seen, at most flush_ms.
std::chrono::milliseconds Flusher::State::time_to_wait() {
  const StageHeader& stage = lane.stage.header();
  const auto now = std::chrono::steady_clock::now();
  const uint64_t head = stage.head.load(std::memory_order_relaxed);
  const double seconds = std::max(std::chrono::duration<double>(now - staged_seen_at).count(), 1e-3);
  const double bytes_per_second = static_cast<double>(head - std::min(head, staged_seen)) / seconds;
  staged_seen = head;
  staged_seen_at = now;
  const double half_full_s = static_cast<double>(stage.record_bytes) / 2 / std::max(bytes_per_second * 2, 1.0);
  const double wait_ms = std::min(static_cast<double>(options.flush_ms), half_full_s * 1000);
  return std::max(std::chrono::milliseconds(static_cast<int64_t>(wait_ms)), kShortestWait);
}

void Flusher::State::run_flusher() {
  block_signals();
  std::unique_lock lock(mutex);
  while (!stopping) {
    lock.unlock();
    try {
      flush();
      if (away) report_away();
    } catch (const std::exception& fault_of_memory) {
      const Error error = Error::full(std::string("flush: ") + fault_of_memory.what());
      report_fault(&error);
      block_is_open = false;
      if (reader) reader.emplace(lane.stage, lane.stage.header().tail.load(), lane.stage.header().drained.load());
    }
    const auto wait = time_to_wait();
    lock.lock();
    wake.wait_for(lock, wait, [&] { return stopping; });
  }
}

Status Flusher::State::sync() {
  const std::lock_guard held(syncing);  // the ring is not closed meanwhile
  LmdbEnv* env;
  {
    const std::lock_guard lock(mutex);
    env = sync_env;
  }
  return env != nullptr ? env->sync() : Status();
}

void Flusher::State::run_syncer() {
  block_signals();
  std::unique_lock lock(mutex);
  while (!stopping) {
    wake.wait_for(lock, std::chrono::milliseconds(options.sync_ms), [&] { return stopping; });
    if (!sync_wanted || sync_env == nullptr) continue;
    sync_wanted = false;
    lock.unlock();
    const Status synced = sync();
    if (!synced) report_fault(&synced.error());
    lock.lock();
    if (!synced) sync_wanted = true;  // tried again, also where no further hit comes
  }
}

Flusher::Flusher(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<Flusher> Flusher::start(const Store& store, Lane& lane, const FlusherOptions& options) {
  auto state = std::make_unique<State>(store, lane, options);
  State* const running = state.get();
  std::unique_ptr<Flusher> flusher(new Flusher(std::move(state)));
  running->flusher = std::thread([running] { running->run_flusher(); });
  if (options.sync_ms > 0) running->syncer = std::thread([running] { running->run_syncer(); });
  return flusher;
}

Flusher::~Flusher() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  if (state_->flusher.joinable()) state_->flusher.join();
  if (state_->syncer.joinable()) state_->syncer.join();
}

FlusherReport Flusher::report() const {
  const LaneState& state = *state_->lane.state.operator->();
  const std::lock_guard lock(state_->mutex);
  return {state.malformed_events.load(), state.corrupt.load(), state.fault_since_ms.load(), state_->fault.text,
          state_->replaced};
}

}  // namespace footfall
