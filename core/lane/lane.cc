#include "lane/lane.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "lane/ring.h"

namespace footfall {
namespace {

constexpr size_t kStateBytes = 4096;
static_assert(sizeof(LaneState) <= kStateBytes);

// lane.N/stage is the stage itself or, where a tmpfs is there for it, a link to it.
Result<std::string> stage_place(const Lane& lane, const LaneOptions& options) {
  const std::string named = lane.path + "/stage";
  if (options.stage_folder.empty()) return named;
  const std::string target = options.stage_folder + "/lane." + std::to_string(lane.number);
  const std::string beside = named + ".new";
  ::unlink(beside.c_str());
  if (symlink(target.c_str(), beside.c_str()) != 0) return Error::io("symlink " + beside, errno);
  if (rename(beside.c_str(), named.c_str()) != 0) return Error::io("rename " + named, errno);
  return target;
}

// Counts of the epoch that ends go to the lane's own, so that they never run back. Done again after a new stage could not
// be made, it adds nothing.
void settle_epoch(LaneState& state, StageHeader& stage) {
  state.hits_before.store(std::max(state.hits_before.load(), stage.hits_before + stage.staged.load()));
  for (size_t i = 0; i < kDropReasons; ++i) state.dropped_before[i].fetch_add(stage.dropped[i].exchange(0));
  state.epoch_hits.store(0);
}

// The same for an epoch whose stage is gone or cannot be read: as far as the last flush saw.
void settle_lost_epoch(LaneState& state) { state.hits_before.fetch_add(state.epoch_hits.exchange(0)); }

// Finishes what a killed process had begun: a release, or the staging of a hit (counting it and showing it are two
// steps, so `staged` may be one too high: what is really there is counted). False: nothing of what is there can be read.
// Where only its rest cannot, the flusher takes what can be and counts the rest as lost.
bool mend_stage(StageFile& stage) {
  finish_release(stage);
  StageHeader& header = stage.header();
  const uint64_t drained = header.drained.load();
  StageReader reader(stage, header.tail.load(), drained);
  StageReader::Outcome outcome;
  while ((outcome = reader.next()) == StageReader::Outcome::hit) {}
  if (outcome != StageReader::Outcome::empty) return reader.number() > drained;
  header.staged.store(reader.number());
  return true;
}

// Keeps the stage of the process before where it can be gone on with; else a new epoch begins.
Status take_stage(Lane& lane, const LaneOptions& options) {
  uint8_t boot_id[16];
  read_boot_id(boot_id);
  const std::string named = lane.path + "/stage";
  Result<StageFile> there = StageFile::open(named, true);
  if (!there && there.error().code == Error::Code::version) return there.error();  // left to who can read it
  if (there) {
    StageHeader& header = there->header();
    const bool same_life = std::memcmp(header.boot_id, boot_id, sizeof boot_id) == 0 &&
                           header.epoch == lane.state->epoch.load() && header.lane == lane.number;
    const bool readable = same_life && mend_stage(*there);
    const bool drained = header.head.load() == header.tail.load();
    const bool as_wanted = header.record_bytes == stage_record_bytes(options.stage_bytes);
    const bool roomy = header.contexts_used.load() < kStageContextsBytes / 2;
    if (readable && (!drained || (as_wanted && roomy))) {
      lane.stage = std::move(*there);
      return {};
    }
    if (same_life && !readable) lane.state->corrupt.fetch_add(header.staged.load() - header.drained.load());
    if (header.epoch == lane.state->epoch.load()) settle_epoch(*lane.state.operator->(), header);
  }
  settle_lost_epoch(*lane.state.operator->());

  const uint64_t epoch = std::max<uint64_t>(now_us(), lane.state->epoch.load() + 1);
  Result<std::string> place = stage_place(lane, options);
  if (!place) return place.error();
  Result<StageFile> made = StageFile::create(*place, lane.number, epoch, boot_id, options.stage_bytes);
  if (!made) return made.error();
  lane.stage = std::move(*made);
  lane.stage.header().hits_before = lane.state->hits_before.load();
  lane.state->epoch.store(epoch);
  return {};
}

// Sizes change by a new generation; the old ring stays until it is drained.
void choose_generation(Lane& lane, const LaneOptions& options) {
  LaneState& state = *lane.state.operator->();
  const uint64_t bytes = std::max(options.ring_bytes, kRingBytesMin);
  if (state.ring_bytes.load() != 0 && state.ring_bytes.load() != bytes)
    state.ring_generation.store(state.ring_generation.load() + 1);
  state.ring_bytes.store(bytes);
  lane.ring_bytes = bytes;
}

// A lane whose user died twice within LMDB has a ring that kills.
void heed_note(const std::string& lane_path, LaneState& state) {
  if (state.note.load() == static_cast<uint32_t>(LaneNote::idle)) {
    state.note_deaths.store(0);
    return;
  }
  const uint32_t deaths = state.note_deaths.load() + 1;
  state.note.store(static_cast<uint32_t>(LaneNote::idle));
  if (deaths < kRingDeathsMax) {
    state.note_deaths.store(deaths);
    return;
  }
  set_ring_aside(lane_path, state);
}

}  // namespace

uint32_t owner_deaths(const LaneState& state, bool owned) {
  const bool left = !owned && state.note.load() != static_cast<uint32_t>(LaneNote::idle);
  return state.note_deaths.load() + (left ? 1 : 0);
}

// The generation first: whoever is killed in between leaves a ring that is opened to be read, but not one that is written.
void set_ring_aside(const std::string& lane_path, LaneState& state) {
  const uint32_t generation = state.ring_generation.fetch_add(1);
  state.note.store(static_cast<uint32_t>(LaneNote::idle));  // the new one has killed nobody
  state.note_deaths.store(0);
  move_ring_aside(lane_path, generation);
}

bool heed_aside_wanted(const std::string& lane_path, LaneState& state) {
  if (state.aside_wanted.exchange(0) != state.ring_generation.load() + 1) return false;
  set_ring_aside(lane_path, state);
  return true;
}

void move_ring_aside(const std::string& lane_path, uint32_t generation) {
  (void)!rename(ring_path(lane_path, generation).c_str(), aside_ring_path(lane_path, generation).c_str());
}

LaneStateFile& LaneStateFile::operator=(LaneStateFile&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) munmap(state_, kStateBytes);
    state_ = std::exchange(other.state_, nullptr);
    file_ = other.file_;
  }
  return *this;
}

LaneStateFile::~LaneStateFile() {
  if (state_ != nullptr) munmap(state_, kStateBytes);
}

Result<LaneStateFile> LaneStateFile::open(const std::string& path, unsigned lane, bool writable) {
  const int fd = ::open(path.c_str(), (writable ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return errno == ENOENT ? Error::not_found(path) : Error::io("open " + path, errno);
  struct stat file;
  bool sized = fstat(fd, &file) == 0;
  const bool fresh = sized && file.st_size == 0 && writable;
  if (fresh) {
    fchmod(fd, 0660);
    sized = posix_fallocate(fd, 0, kStateBytes) == 0;
  } else if (sized && file.st_size < static_cast<off_t>(kStateBytes)) {
    ::close(fd);
    return Error::corrupt(path + ": too short");
  }
  if (!sized) {
    const int size_errno = errno;
    ::close(fd);
    return Error::io("allocate " + path, size_errno);
  }
  void* map = mmap(nullptr, kStateBytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  const int map_errno = errno;
  LaneStateFile made;
  made.file_ = identify(fd);
  ::close(fd);
  if (map == MAP_FAILED) return Error::io("map " + path, map_errno);
  made.state_ = static_cast<LaneState*>(map);
  if (made.state_->magic == 0 && writable) {
    made.state_->version = kLaneVersion;
    made.state_->lane = lane;
    std::atomic_thread_fence(std::memory_order_release);
    made.state_->magic = kLaneStateMagic;
  }
  if (made.state_->magic != kLaneStateMagic) return Error::corrupt(path + ": no lane state");
  if (made.state_->version != kLaneVersion)
    return Error::version(path + ": lane version " + std::to_string(made.state_->version));
  return made;
}

Result<std::unique_ptr<Lane>> Lane::claim(const Store& store, const LaneOptions& options) {
  // Without a place for stages no lane can be had: not one folder is made on the way to find that out.
  if (!options.stage_folder.empty() && access(options.stage_folder.c_str(), W_OK | X_OK) != 0)
    return Error::io("stages in " + options.stage_folder, errno);
  const unsigned lanes_max = std::clamp(options.lanes_max, 1u, kLanesMax);
  Error last_fault = Error::full("all " + std::to_string(lanes_max) + " lanes of " + store.path() + " are taken");
  for (unsigned number = 0; number < lanes_max; ++number) {
    auto lane = std::make_unique<Lane>();
    lane->number = number;
    lane->path = store.lane_path(number);
    if (mkdir(lane->path.c_str(), 0770) == 0) {
      chmod(lane->path.c_str(), 02770);
    } else if (errno != EEXIST) {
      return Error::io("mkdir " + lane->path, errno);
    }
    Result<FileLock> lock = FileLock::try_lock(lane->path + "/lock");
    if (!lock) {
      if (lock.error().code != Error::Code::busy) last_fault = lock.error();
      continue;
    }
    lane->lock = std::move(*lock);
    lane->lock.write_pid();
    Result<LaneStateFile> state = LaneStateFile::open(lane->path + "/state", number, true);
    if (!state) {
      last_fault = state.error();  // another version's or damaged: left to the aggregator
      continue;
    }
    lane->state = std::move(*state);
    heed_note(lane->path, *lane->state.operator->());
    (void)heed_aside_wanted(lane->path, *lane->state.operator->());
    choose_generation(*lane, options);
    if (Status taken = take_stage(*lane, options); !taken) {
      last_fault = taken.error();
      if (last_fault.code == Error::Code::full) return last_fault;  // no room: the next lane has none either
      continue;
    }
    lane->state->owner_pid.store(static_cast<uint32_t>(getpid()));
    return lane;
  }
  return last_fault;
}

LaneFiles Lane::look() const {
  const bool ours = identify(path + "/lock") == lock.file() && identify(path + "/state") == state.file() &&
                    identify(path + "/stage") == stage.file();
  if (ours) return LaneFiles::there;
  return identify(store_path() + "/format") ? LaneFiles::replaced : LaneFiles::away;
}

void Lane::settle() { settle_epoch(*state.operator->(), stage.header()); }

}  // namespace footfall
