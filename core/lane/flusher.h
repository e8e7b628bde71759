// Moves hits from a claimed lane's stage into its ring, on two threads of its own: the flusher reads raw records, makes
// hits and commits blocks; the syncer makes the ring durable. The event loop is never touched. Hits are made by the
// configuration that lies in the store when they are flushed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "lane/lane.h"

namespace footfall {

struct FlusherOptions {
  int64_t flush_ms = 100;      // a hit is in the ring at most this long after it was staged, sooner when the stage fills
  int64_t sync_ms = 1000;      // 0: never synced by us
};

// What the worker's tick reads to log faults, at most once a second.
struct FlusherReport {
  uint64_t malformed_events;  // since the lane was made
  uint64_t corrupt;
  int64_t fault_since_ms;     // 0: all is well
  std::string fault;
  bool replaced;              // LaneFiles::replaced: the lane is to be let go, another one claimed
};

class Flusher {
 public:
  // Starts the threads (all signals blocked in them). The lane outlives the flusher.
  static std::unique_ptr<Flusher> start(const Store& store, Lane& lane, const FlusherOptions& options);
  // Stops the threads; what is not flushed yet stays in the stage.
  ~Flusher();

  FlusherReport report() const;

 private:
  struct State;
  explicit Flusher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace footfall
