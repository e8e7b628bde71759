#include "query/health.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "lane/lane.h"
#include "lane/missed.h"
#include "site/config_file.h"

namespace footfall {
namespace {

constexpr int kFoldersDeep = 3;  // PATH/lane.N/ring.G

// --- lanes -----------------------------------------------------------------------------------------------------------

// How many of the running epoch's hits are not counted, told from the numbers.
uint64_t count_lag(unsigned lane, uint64_t epoch, uint64_t staged, const SummaryGlimpse& summary) {
  if (!summary.checkpoint) return staged;
  for (const LanePlace& place : summary.checkpoint->lanes)
    if (place.lane == lane && place.epoch == epoch) return staged - std::min(staged, place.number);
  return staged;
}

void read_stage(LaneHealth& lane, uint64_t epoch, const std::string& path, const SummaryGlimpse& summary,
                StoreHealth& health) {
  const Result<StageFile> stage = StageFile::open(path, false);
  if (!stage) {
    // Gone with the last boot's tmpfs: then nothing is staged.
    if (stage.error().code != Error::Code::not_found) health.faults.push_back({lane.lane, stage.error().text});
    return;
  }
  const StageHeader& header = stage->header();
  if (header.epoch != epoch) return;  // being made anew just now
  const uint64_t staged = header.staged.load(std::memory_order_acquire);
  lane.hits += staged;
  for (size_t i = 0; i < kDropReasons; ++i) lane.dropped[i] += header.dropped[i].load(std::memory_order_relaxed);
  lane.lag_hits = count_lag(lane.lane, epoch, staged, summary);
}

void read_lane(const std::string& lane_path, unsigned number, const SummaryGlimpse& summary, StoreHealth& health) {
  LaneHealth lane;
  lane.lane = number;
  lane.pid = lock_holder(lane_path + "/lock");
  const Result<LaneStateFile> state = LaneStateFile::open(lane_path + "/state", number, false);
  if (!state) {
    if (state.error().code != Error::Code::not_found) health.faults.push_back({number, state.error().text});
    return;
  }
  const LaneState& now = *state->operator->();
  const uint64_t epoch = now.epoch.load();
  lane.hits = now.hits_before.load();
  for (size_t i = 0; i < kDropReasons; ++i) lane.dropped[i] = now.dropped_before[i].load();
  lane.corrupt = now.corrupt.load();
  lane.overwritten = now.overwritten.load();
  lane.malformed_events = now.malformed_events.load();
  lane.ring_bytes = now.ring_bytes.load();
  lane.ring_used = now.ring_used_bytes.load();
  lane.oldest_ms = now.oldest_ms.load();
  lane.newest_ms = now.newest_ms.load();
  // An epoch is named by the microsecond in which it began.
  lane.uncounted_since_ms = std::max(static_cast<int64_t>(epoch / 1000), lane.oldest_ms);
  if (const int64_t since_ms = now.fault_since_ms.load(); since_ms != 0) {
    char text[sizeof now.fault_text + 1] = {};
    std::memcpy(text, now.fault_text, sizeof now.fault_text);
    health.faults.push_back({number, text, since_ms});
  }
  read_stage(lane, epoch, lane_path + "/stage", summary, health);
  health.lanes.push_back(lane);
}

void read_missed_hits(const std::string& store_path, StoreHealth& health, int64_t now_ms) {
  const std::optional<Missed> missed = read_missed(store_path);
  if (!missed) return;
  health.missed = missed->hits;
  if (missed->is_now(now_ms))
    health.faults.push_back({std::nullopt, "a worker has no lane, its hits are missed: " + missed->why, missed->since_ms});
}

// What workers go by: rules and exclusions.
void read_configuration(const std::string& path, StoreHealth& health) {
  const Result<Config> config = read_config_file(path);
  struct stat file;
  if (config && stat(path.c_str(), &file) == 0)
    health.configured_ms = int64_t{file.st_mtim.tv_sec} * 1000 + file.st_mtim.tv_nsec / 1'000'000;
  if (!config && config.error().code != Error::Code::not_found)
    health.faults.push_back({std::nullopt, "workers have no configuration: " + config.error().text});
}

void measure_lag(StoreHealth& health, const SummaryGlimpse& summary, int64_t now_ms) {
  // The checkpoint of a quiet shop is old: that all was counted when last looked at bounds the lag better.
  const int64_t told_ms = summary.checkpoint ? summary.checkpoint->complete_through_ms : 0;
  const int64_t counted_ms = std::max(told_ms, summary.caught_up_ms);
  for (const LaneHealth& lane : health.lanes) {
    if (lane.lag_hits == 0) continue;
    health.lag_hits += lane.lag_hits;
    health.lag_ms = std::max(health.lag_ms, now_ms - std::max(counted_ms, lane.uncounted_since_ms));
  }
}

// --- store -----------------------------------------------------------------------------------------------------------

uint64_t blocks_bytes(const std::string& folder, int deep) {
  uint64_t bytes = 0;
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return 0;
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    struct stat file;
    if (name == "." || name == ".." || lstat((folder + "/" + entry->d_name).c_str(), &file) != 0) continue;
    bytes += static_cast<uint64_t>(file.st_blocks) * 512;
    if (S_ISDIR(file.st_mode) && deep > 1) bytes += blocks_bytes(folder + "/" + entry->d_name, deep - 1);
  }
  closedir(entries);
  return bytes;
}

}  // namespace

StoreHealth read_store_health(const std::string& path, const SummaryGlimpse& summary, int64_t now_ms) {
  StoreHealth health;
  health.checkpoint = summary.checkpoint;
  const Result<Store> store = Store::open(path);
  if (!store) {
    health.faults.push_back({std::nullopt, store.error().code == Error::Code::not_found
                                               ? "there is no store at " + path + " (yet)"
                                               : store.error().text});
    return health;
  }
  if (!summary.fault.empty()) health.faults.push_back({std::nullopt, summary.fault});
  for (unsigned lane : store->lanes()) read_lane(store->lane_path(lane), lane, summary, health);
  read_missed_hits(path, health, now_ms);
  read_configuration(store->config_path(), health);
  health.aggregator_pid = lock_holder(path + "/writer");
  measure_lag(health, summary, now_ms);
  health.store_bytes = blocks_bytes(path, kFoldersDeep);
  struct statvfs system;
  if (statvfs(path.c_str(), &system) == 0) health.free_bytes = static_cast<uint64_t>(system.f_bavail) * system.f_frsize;
  if (summary.checkpoint) {
    health.warnings = summary.checkpoint->warnings;
    for (uint32_t lane : summary.checkpoint->lagging_lanes)
      health.warnings.push_back("lane " + std::to_string(lane) + " is more than 2 s behind the others");
  }
  return health;
}

std::string_view status_of(const StoreHealth& health) {
  if (!health.faults.empty()) return "degraded";
  if (health.aggregator_pid == 0 || health.lag_ms > kStaleMs) return "stale";
  return health.warnings.empty() ? "ok" : "degraded";
}

}  // namespace footfall
