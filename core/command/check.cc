// Whether the store is whole. Lanes: every block's checksum and hits, numbers without gaps but those that the lane counted as
// lost, stages that can be read to their end. The summary: rollup/check.h. Reads only; workers and the aggregator may run.
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command/command.h"
#include "command/progress.h"
#include "command/repair.h"
#include "lane/block.h"
#include "lane/lane.h"
#include "lane/ring.h"
#include "lane/ring_scan.h"
#include "query/text.h"
#include "rollup/check.h"

namespace footfall {
namespace {

constexpr int kStageTries = 100;  // the flusher may release while a stage is copied

// What is found of a lane.
struct LaneCheck {
  unsigned lane = 0;
  uint64_t blocks = 0, hits = 0;
  uint64_t gaps = 0;    // numbers missing between blocks
  std::vector<std::string> set_aside;  // rings that nobody opens any more, and what is found of them
  uint64_t staged = 0;  // hits that lie in the stage
  std::vector<std::string> faults;

  void fault(std::string text) { faults.push_back(std::move(text)); }
};

// Behind the last block read.
struct Place {
  uint64_t epoch = 0;
  uint64_t number = 0;
};

void check_block(const std::string& bytes, const std::string& name, Place& place, LaneCheck& found) {
  const Result<BlockReader> opened = BlockReader::open(bytes);
  if (!opened) return found.fault(name + ": " + opened.error().text);
  BlockReader block = *opened;
  const BlockHeader& header = block.header();
  Hit hit;
  uint64_t number = 0, hits = 0;
  while (block.next(hit, number)) ++hits;
  if (header.lane != found.lane) found.fault(name + ": of lane " + std::to_string(header.lane));
  if (hits != header.hits) found.fault(name + ": " + std::to_string(header.hits) + " hits, only " + std::to_string(hits) + " can be read");
  const bool same_epoch = header.epoch == place.epoch;
  const bool backwards = header.epoch < place.epoch || (same_epoch && header.first_number < place.number);
  if (backwards) found.fault(name + ": begins before the end of the block before it");
  if (same_epoch && !backwards) found.gaps += header.first_number - place.number;
  place = {header.epoch, header.next_number()};
  ++found.blocks;
  found.hits += hits;
}

Status check_ring(RingCursor& ring, const std::string& name, Place& place, LaneCheck& found) {
  std::string bytes;
  for (uint64_t seq = 0;; ++seq) {
    const Result<std::optional<uint64_t>> next = ring.at_or_behind(seq, bytes);
    if (!next) return next.error();
    if (!*next) return {};
    seq = **next;
    check_block(bytes, name + ", block " + std::to_string(seq), place, found);
  }
}

// One that was set aside: what can be found in it without LMDB. What is missing was told as lost when it was read, or had left
// the ring before: that is no fault of the store as it is now.
Status check_aside(RingScan& scan, const std::string& name, Place& place, LaneCheck& found) {
  std::string bytes;
  const LaneCheck before = found;
  for (;;) {
    const uint64_t number = found.blocks - before.blocks;
    const Result<RingCursor::Outcome> next = scan.next(place.epoch, place.number, bytes);
    if (!next) return next.error();
    if (*next == RingCursor::Outcome::none) break;
    check_block(bytes, name + ", set aside, block " + std::to_string(number), place, found);
  }
  const uint64_t missing = std::exchange(found.gaps, before.gaps) - before.gaps;
  found.set_aside.push_back(name + " was set aside: " + std::to_string(found.hits - before.hits) + " hits found in " +
                            std::to_string(found.blocks - before.blocks) + " blocks, " + std::to_string(missing) +
                            " missing between them");
  return {};
}

Status check_generation(const std::string& path, uint32_t generation, uint64_t epoch, LaneCheck& found) {
  const std::string name = "ring." + std::to_string(generation);
  Place place;  // a new generation may begin with what the one before had last
  Result<RingCursor> ring = RingCursor::open(ring_path(path, generation));
  if (ring) return check_ring(*ring, name, place, found);
  if (ring.error().code != Error::Code::not_found) return ring.error();
  Result<RingScan> scan = RingScan::open(aside_ring_path(path, generation), found.lane, epoch);
  if (scan) return check_aside(*scan, name, place, found);
  return scan.error().code == Error::Code::not_found ? Status() : Status(scan.error());
}

void check_rings(const std::string& path, const LaneState& state, LaneCheck& found) {
  for (uint32_t generation = 0; generation <= state.ring_generation.load(); ++generation) {
    const Status checked = check_generation(path, generation, state.epoch.load(), found);
    if (!checked) found.fault("ring." + std::to_string(generation) + ": " + checked.error().text);
  }
}

void check_stage(const std::string& path, uint64_t epoch, LaneCheck& found) {
  Result<StageFile> stage = StageFile::open(path, false);
  if (!stage && stage.error().code == Error::Code::not_found) return;  // gone with the last boot
  if (!stage) return found.fault(stage.error().text);
  const StageHeader& header = stage->header();
  if (header.epoch != epoch) return found.fault("stage: of another epoch than its lane");
  for (int tries = 0; tries < kStageTries; ++tries) {
    const uint64_t tail = header.tail.load(), drained = header.drained.load();
    Result<StageFile> copy = stage->snapshot();
    if (!copy) return found.fault(copy.error().text);
    StageReader reader(*copy, tail, drained);
    StageReader::Outcome outcome;
    while ((outcome = reader.next()) == StageReader::Outcome::hit) {}
    if (header.tail.load(std::memory_order_acquire) != tail || header.drained.load() != drained) continue;
    found.staged = reader.number() - drained;
    if (outcome != StageReader::Outcome::empty)
      found.fault("stage: what lies behind its hit " + std::to_string(reader.number()) + " cannot be read");
    return;
  }
}

LaneCheck check_lane(const Store& store, unsigned lane) {
  LaneCheck found;
  found.lane = lane;
  const std::string path = store.lane_path(lane);
  const Result<LaneStateFile> state = LaneStateFile::open(path + "/state", lane, false);
  if (!state) {
    if (state.error().code != Error::Code::not_found) found.fault(state.error().text);
    return found;
  }
  const LaneState& now = *state->operator->();
  check_rings(path, now, found);
  check_stage(path + "/stage", now.epoch.load(), found);
  if (const uint64_t corrupt = now.corrupt.load(); found.gaps > corrupt)
    found.fault(std::to_string(found.gaps) + " numbers are missing between blocks, " + std::to_string(corrupt) +
                " are known to be lost");
  return found;
}

using ull = unsigned long long;

constexpr uint64_t kFaultsShown = 1'000;

// True: whole.
bool check_summary(const Store& store, const Config& config) {
  const auto fails = [](const Error& error) {
    std::printf("summary: faults:\n  %s\n", terminal_text(error.text).c_str());
    return false;
  };
  Result<SummaryReader> reader = SummaryReader::open(store.summary_path(), static_cast<uint64_t>(config.map_bytes));
  if (!reader && reader.error().code == Error::Code::not_found) return std::printf("summary: none yet\n"), true;
  if (!reader) return fails(reader.error());
  Result<SummarySnapshot> snapshot = reader->snapshot();
  if (!snapshot) return fails(snapshot.error());
  std::vector<std::string> faults;
  ProgressBar bar;
  const StringHasher hasher(store.secret());
  SummaryCheck check(
      *snapshot, hasher,
      [&](std::string fault) {
        if (faults.size() < kFaultsShown) faults.push_back(std::move(fault));
      },
      [&](uint64_t done, uint64_t total) { bar.show(done, total, 0); });
  const Status checked = check.run();
  bar.clear();
  const SummaryCheck::Found& found = check.found();
  std::printf("summary: %llu rollups in %llu buckets, %llu texts, %llu visitors, %llu open visits, %llu orders and goals, %llu "
              "kept visits; %s\n",
              ull(found.rollups), ull(found.buckets), ull(found.texts), ull(found.visitors), ull(found.open_visits),
              ull(found.orders), ull(found.kept_visits), found.faults == 0 && checked ? "whole" : "faults:");
  for (const std::string& fault : faults) std::printf("  %s\n", terminal_text(fault).c_str());
  if (found.faults > faults.size()) std::printf("  and %llu more\n", ull(found.faults - faults.size()));
  if (!checked) std::printf("  %s\n", terminal_text(checked.error().text).c_str());
  return found.faults == 0 && checked;
}

}  // namespace

int check(const Common& common, bool repair) {
  const std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  const Result<Store> store = open_existing_store(*config);
  if (!store) {
    std::fprintf(stderr, "footfall check: %s\n", terminal_text(store.error().text).c_str());
    return kExitFailed;
  }
  if (repair)
    if (Status repaired = repair_summary(*store, *config); !repaired) {
      std::fprintf(stderr, "footfall check: %s\n", terminal_text(repaired.error().text).c_str());
      return kExitFailed;
    }
  size_t faults = 0;
  for (unsigned lane : store->lanes()) {
    const LaneCheck found = check_lane(*store, lane);
    std::printf("lane %u: %llu hits in %llu blocks, %llu in the stage, %llu numbers lost between blocks; %s\n", lane,
                static_cast<unsigned long long>(found.hits), static_cast<unsigned long long>(found.blocks),
                static_cast<unsigned long long>(found.staged), static_cast<unsigned long long>(found.gaps),
                found.faults.empty() ? "whole" : "faults:");
    for (const std::string& fault : found.faults) std::printf("  %s\n", terminal_text(fault).c_str());
    for (const std::string& ring : found.set_aside) std::printf("  %s\n", ring.c_str());
    faults += found.faults.size();
  }
  const bool is_whole = check_summary(*store, *config);
  return faults == 0 && is_whole ? kExitWell : kExitFailed;
}

}  // namespace footfall
