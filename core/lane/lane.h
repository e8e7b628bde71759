// A lane: one worker's stage and ring, claimed by a lock that dies with its process. Lowest free lane first; never told
// from the worker's number (on reload old and new workers live side by side with equal numbers).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "lane/stage.h"
#include "lane/store.h"

namespace footfall {

inline constexpr uint64_t kLaneStateMagic = 0x31454e414c464646;  // "FFFLANE1"
inline constexpr uint32_t kLaneVersion = 1;
inline constexpr uint64_t kRingBytesDefault = 64ull << 20;
inline constexpr uint64_t kRingBytesMin = 1ull << 20;
inline constexpr uint64_t kStageBytesDefault = 4ull << 20;

struct LaneOptions {
  uint64_t ring_bytes = kRingBytesDefault;    // live bytes; the file may take three times that
  uint64_t stage_bytes = kStageBytesDefault;
  std::string stage_folder;                   // empty: beside the ring
  unsigned lanes_max = kLanesMax;
};

// What a lane's user was doing inside LMDB, kept outside it: a damaged file can kill its process.
enum class LaneNote : uint32_t { idle = 0, opening = 1, committing = 2 };

// Mapped from lane.N/state; written by the lane's owner (flusher) alone but for the last, read by everybody. All counts are since the lane
// was made; those of the running epoch that the stage's header holds come on top.
struct LaneState {
  uint64_t magic;
  uint32_t version;
  uint32_t lane;
  std::atomic<uint64_t> epoch;             // the running one
  std::atomic<uint32_t> note;              // LaneNote
  std::atomic<uint32_t> note_pid;
  std::atomic<uint32_t> note_deaths;       // times in a row that the note was left by a dead process
  std::atomic<uint32_t> ring_generation;
  std::atomic<uint64_t> hits_before;       // staged in epochs before the running one
  std::atomic<uint64_t> dropped_before[kDropReasons];
  std::atomic<uint64_t> overwritten;       // hits that left the ring because it was full, read or not
  std::atomic<uint64_t> corrupt;           // hits lost because their bytes could not be read
  std::atomic<uint64_t> malformed_events;  // event headers off the grammar
  std::atomic<uint64_t> ring_bytes;        // bound
  std::atomic<uint64_t> ring_used_bytes;
  std::atomic<int64_t> oldest_ms;          // first hit in the ring
  std::atomic<int64_t> newest_ms;          // last hit in the ring
  std::atomic<uint32_t> owner_pid;
  std::atomic<uint32_t> fault_errno;       // last failure of a flush, 0: none
  std::atomic<int64_t> fault_since_ms;     // 0: none now
  char fault_text[256];
  std::atomic<uint64_t> epoch_hits;        // staged in the running epoch when it was last flushed
  // Written by the aggregator: a ring that killed those who read it, by its generation + 1. The owner sets it aside.
  std::atomic<uint32_t> aside_wanted;
};

class LaneStateFile {
 public:
  LaneStateFile() = default;
  LaneStateFile(LaneStateFile&& other) noexcept { *this = std::move(other); }
  LaneStateFile& operator=(LaneStateFile&& other) noexcept;
  ~LaneStateFile();
  // Made where it is missing and `writable`. Error::version: another version's.
  static Result<LaneStateFile> open(const std::string& path, unsigned lane, bool writable);
  LaneState* operator->() const { return state_; }
  const FileIdentity& file() const { return file_; }
  explicit operator bool() const { return state_ != nullptr; }

 private:
  LaneState* state_ = nullptr;
  FileIdentity file_;
};

// A ring that kills whoever uses it: so many in a row died in it. One may have been bad luck.
inline constexpr uint32_t kRingDeathsMax = 2;
// Deaths of owners in the running ring. A note that the owner may be about to take back counts only where none is alive.
uint32_t owner_deaths(const LaneState& state, bool owned);

// A ring that cannot be used, or that kills who uses it: a new generation is begun. The old one is moved to where nobody opens
// it by mistake; the aggregator looks through it for whole blocks. By the holder of the lane's lock alone.
void set_ring_aside(const std::string& lane_path, LaneState& state);
// The same where the aggregator has asked for it. False: it has not.
bool heed_aside_wanted(const std::string& lane_path, LaneState& state);
// One that no worker writes any more, as a later generation was begun.
void move_ring_aside(const std::string& lane_path, uint32_t generation);

// How the files of a held lane lie at their paths.
enum class LaneFiles {
  there,
  away,      // with all of the store: moved or unmounted. The open files are gone on with
  replaced,  // others are there, or the lane's alone were removed: nobody will find what is written now
};

// A lane that this process holds. The stage may still hold records of the process before.
struct Lane {
  unsigned number = 0;
  std::string path;
  FileLock lock;
  LaneStateFile state;
  StageFile stage;
  uint64_t ring_bytes = 0;

  // Claims the lowest free lane that this version can use, makes its stage (a new epoch) or takes over what is there.
  // Error::full: all lanes are taken.
  static Result<std::unique_ptr<Lane>> claim(const Store& store, const LaneOptions& options);

  std::string store_path() const { return path.substr(0, path.rfind('/')); }

  LaneFiles look() const;
  // Before a stage whose file was removed is let go: its counts go to the lane's own.
  void settle();
};

}  // namespace footfall
