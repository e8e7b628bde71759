// What lies in a store, line by line: for eyes, so without promises on its form.
#include <string.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>

#include "command/command.h"
#include "lane/block.h"
#include "lane/lane.h"
#include "lane/missed.h"
#include "lane/ring.h"
#include "lane/ring_scan.h"
#include "query/range.h"
#include "query/text.h"
#include "rollup/summary.h"

namespace footfall {
namespace {

using ull = unsigned long long;

std::string time_text(int64_t ms) { return ms > 0 ? utc_text_of_ms(ms) : "-"; }
std::string epoch_text(uint64_t epoch) { return time_text(static_cast<int64_t>(epoch / 1000)); }

std::string_view note_text(uint32_t note) {
  switch (static_cast<LaneNote>(note)) {
    case LaneNote::idle: return "idle";
    case LaneNote::opening: return "opening";
    case LaneNote::committing: return "committing";
  }
  return "unknown";
}

void dump_stage(const std::string& path) {
  const Result<StageFile> stage = StageFile::open(path, false);
  if (!stage) return void(std::printf("  stage  %s\n", terminal_text(stage.error().text).c_str()));
  const StageHeader& header = stage->header();
  std::printf("  stage  epoch %llu, %llu bytes, %llu used; hits %llu staged, %llu drained; clock %s; contexts %u bytes\n",
              ull(header.epoch), ull(header.record_bytes), ull(header.head.load() - header.tail.load()),
              ull(header.staged.load()), ull(header.drained.load()), time_text(header.clock_ms.load()).c_str(),
              header.contexts_used.load());
  std::printf("         dropped");
  for (size_t i = 0; i < kDropReasons; ++i)
    std::printf(" %s %llu", std::string(drop_reason_name(static_cast<DropReason>(i))).c_str(), ull(header.dropped[i].load()));
  std::printf("\n");
}

void dump_lane(const Store& store, unsigned number) {
  const std::string path = store.lane_path(number);
  const Result<LaneStateFile> state = LaneStateFile::open(path + "/state", number, false);
  if (!state) return void(std::printf("lane %u  %s\n", number, terminal_text(state.error().text).c_str()));
  const LaneState& now = *state->operator->();
  const pid_t holder = lock_holder(path + "/lock");
  std::printf("lane %u  %s; epoch %llu, begun %s; hits before it %llu; overwritten %llu, corrupt %llu, malformed events %llu\n",
              number, holder > 0 ? ("held by process " + std::to_string(holder)).c_str() : "free", ull(now.epoch.load()),
              epoch_text(now.epoch.load()).c_str(), ull(now.hits_before.load()), ull(now.overwritten.load()),
              ull(now.corrupt.load()), ull(now.malformed_events.load()));
  dump_stage(path + "/stage");
  std::printf("  ring   generation %u, %llu of %llu bytes; %s to %s; note: %s\n", now.ring_generation.load(),
              ull(now.ring_used_bytes.load()), ull(now.ring_bytes.load()), time_text(now.oldest_ms.load()).c_str(),
              time_text(now.newest_ms.load()).c_str(), std::string(note_text(now.note.load())).c_str());
  if (const int64_t since_ms = now.fault_since_ms.load(); since_ms != 0) {
    const std::string text(now.fault_text, strnlen(now.fault_text, sizeof now.fault_text));
    std::printf("  fault  since %s: %s\n", time_text(since_ms).c_str(), terminal_text(text).c_str());
  }
}

int dump_lanes(const Store& store) {
  for (unsigned number : store.lanes()) dump_lane(store, number);
  if (const std::optional<Missed> missed = read_missed(store.path()))
    std::printf("missed %llu hits at workers without a lane; last said %s: %s\n", ull(missed->hits),
                time_text(missed->seen_ms).c_str(), terminal_text(missed->why).c_str());
  return kExitWell;
}

// Which codes were asked for. Of hits nothing else is shown: there are millions.
void dump_codes(BlockReader block) {
  Hit hit;
  uint64_t number = 0;
  while (block.next(hit, number))
    if (!hit.code.empty())
      std::printf("  hit %llu  %s, site %s: code %s%s, answered %u\n", ull(number), time_text(hit.time_ms).c_str(),
                  terminal_text(block.site_of(hit)).c_str(), terminal_text(hit.code).c_str(),
                  (hit.flags & kHitCodeQr) != 0 ? " by qr" : "", unsigned{hit.status});
}

void dump_block(unsigned lane, uint32_t generation, uint64_t seq, const std::string& bytes) {
  std::printf("lane %u ring.%u %llu  %zu bytes", lane, generation, ull(seq), bytes.size());
  const Result<BlockReader> block = BlockReader::open(bytes);
  if (!block) return void(std::printf("  %s\n", terminal_text(block.error().text).c_str()));
  const BlockHeader& header = block->header();
  std::printf("  epoch %llu, numbers %llu to %llu, %s to %s, sites", ull(header.epoch), ull(header.first_number),
              ull(header.next_number() - 1), time_text(header.first_time_ms).c_str(), time_text(header.last_time_ms).c_str());
  for (std::string_view site : block->sites()) std::printf(" %s", terminal_text(site).c_str());
  std::printf("\n");
  dump_codes(*block);
}

// One that was set aside: what can be found in it without LMDB. Numbers that are missing at its end tell the ring behind it.
Status dump_aside(const Store& store, unsigned lane, uint32_t generation, uint64_t running_epoch) {
  Result<RingScan> scan = RingScan::open(aside_ring_path(store.lane_path(lane), generation), lane, running_epoch);
  if (!scan) return scan.error().code == Error::Code::not_found ? Status() : Status(scan.error());
  std::string bytes;
  uint64_t blocks = 0, hits = 0, missing = 0, epoch = 0, number = 0;
  for (;; ++blocks) {
    const Result<RingCursor::Outcome> found = scan->next(epoch, number, bytes);
    if (!found) return found.error();
    if (*found == RingCursor::Outcome::none) break;
    dump_block(lane, generation, blocks, bytes);
    const BlockHeader header = BlockReader::open(bytes)->header();  // whole, or it were not found
    const uint64_t from = header.epoch == epoch ? number : header.first_number;
    missing += header.first_number - std::min(from, header.first_number);
    hits += header.next_number() - std::max(from, header.first_number);
    epoch = header.epoch;
    number = header.next_number();
  }
  std::printf("lane %u ring.%u  set aside: %llu hits found in %llu blocks, %llu missing between them\n", lane, generation, ull(hits),
              ull(blocks), ull(missing));
  return {};
}

Status dump_ring(const Store& store, unsigned lane, uint32_t generation, uint64_t running_epoch) {
  Result<RingCursor> ring = RingCursor::open(ring_path(store.lane_path(lane), generation));
  if (!ring && ring.error().code == Error::Code::not_found) return dump_aside(store, lane, generation, running_epoch);
  if (!ring) return ring.error();
  std::string bytes;
  for (uint64_t seq = 0;; ++seq) {
    const Result<std::optional<uint64_t>> found = ring->at_or_behind(seq, bytes);
    if (!found) return found.error();
    if (!*found) return {};
    seq = **found;
    dump_block(lane, generation, seq, bytes);
  }
}

int dump_rings(const Store& store) {
  int code = kExitWell;
  for (unsigned lane : store.lanes()) {
    const Result<LaneStateFile> state = LaneStateFile::open(store.lane_path(lane) + "/state", lane, false);
    const uint32_t newest = state ? state->operator->()->ring_generation.load() : 0;
    const uint64_t epoch = state ? state->operator->()->epoch.load() : 0;
    for (uint32_t generation = 0; generation <= newest; ++generation) {
      if (const Status dumped = dump_ring(store, lane, generation, epoch); !dumped) {
        std::fprintf(stderr, "footfall dump: lane %u: %s\n", lane, terminal_text(dumped.error().text).c_str());
        code = kExitFailed;
      }
    }
  }
  return code;
}

int dump_checkpoint(const Store& store, const Config& config) {
  Result<SummaryReader> summary = SummaryReader::open(store.summary_path(), config.map_bytes);
  Result<SummarySnapshot> snapshot = summary ? summary->snapshot() : Result<SummarySnapshot>(summary.error());
  if (!snapshot) {
    std::fprintf(stderr, "footfall dump: %s\n", terminal_text(snapshot.error().text).c_str());
    return kExitFailed;
  }
  const CheckpointState& state = snapshot->checkpoint();
  std::printf("checkpoint %llu  committed %s by process %u, complete through %s; next block of changes %llu\n",
              ull(state.number), time_text(state.committed_ms).c_str(), state.pid,
              time_text(state.complete_through_ms).c_str(), ull(state.next_change_block));
  std::printf("  hits lost %llu, late %llu, refused %llu\n", ull(state.lost_hits), ull(state.late_hits), ull(state.refused_hits));
  if (state.merged_imports > 0) std::printf("  imports up to %u are one\n", unsigned{state.merged_imports});
  for (const LanePlace& place : state.lanes) {
    const std::string hits = place.hits == kHitsNotKnown ? "not known" : std::to_string(place.hits);
    std::printf("  lane %u  epoch %llu, next number %llu; hits of the lane so far: %s\n", place.lane, ull(place.epoch),
                ull(place.number), hits.c_str());
  }
  for (size_t i = 0; i < state.sites.size(); ++i) {
    const int64_t first_ms = i < state.first_live_ms.size() ? state.first_live_ms[i] : 0;
    std::printf("  site %zu  %s, first live hit %s\n", i, terminal_text(state.sites[i]).c_str(), time_text(first_ms).c_str());
  }
  for (const std::string& warning : state.warnings) std::printf("  warning  %s\n", terminal_text(warning).c_str());
  return kExitWell;
}

}  // namespace

int dump(const Common& common, const std::string& what) {
  const std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  const Result<Store> store = open_existing_store(*config);
  if (!store) {
    std::fprintf(stderr, "footfall dump: %s\n", terminal_text(store.error().text).c_str());
    return kExitFailed;
  }
  if (what == "lanes") return dump_lanes(*store);
  return what == "ring" ? dump_rings(*store) : dump_checkpoint(*store, *config);
}

}  // namespace footfall
