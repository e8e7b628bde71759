#include "query/health.h"

#include <dirent.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "lane/lane.h"
#include "query/range.h"
#include "query/text.h"

namespace footfall {
namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

constexpr int kFoldersDeep = 3;  // PATH/lane.N/ring.G

struct Fault {
  std::optional<unsigned> lane;
  std::string text;
  int64_t since_ms = 0;  // 0: not told
};

struct LaneHealth {
  unsigned lane = 0;
  pid_t pid = 0;
  uint64_t hits = 0;
  uint64_t dropped[kDropReasons] = {};
  uint64_t corrupt = 0, overwritten = 0, malformed_events = 0;
  uint64_t ring_bytes = 0, ring_used = 0;
  int64_t oldest_ms = 0, newest_ms = 0;
  uint64_t lag_hits = 0;
  int64_t uncounted_since_ms = 0;  // no hit that is not counted yet is older
};

struct Health {
  std::vector<LaneHealth> lanes;
  std::vector<Fault> faults;
  std::vector<std::string> warnings;
  pid_t aggregator_pid = 0;
  uint64_t lag_hits = 0;
  int64_t lag_ms = 0;
  uint64_t store_bytes = 0, free_bytes = 0;
};

// --- lanes -----------------------------------------------------------------------------------------------------------

// How many of the running epoch's hits are not counted, told from the numbers.
uint64_t count_lag(unsigned lane, uint64_t epoch, uint64_t staged, const SummaryGlimpse& summary) {
  if (!summary.checkpoint) return staged;
  for (const LanePlace& place : summary.checkpoint->lanes)
    if (place.lane == lane && place.epoch == epoch) return staged - std::min(staged, place.number);
  return staged;
}

void read_stage(LaneHealth& lane, uint64_t epoch, const std::string& path, const SummaryGlimpse& summary,
                Health& health) {
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

void read_lane(const std::string& lane_path, unsigned number, const SummaryGlimpse& summary, Health& health) {
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

void measure_lag(Health& health, const SummaryGlimpse& summary, int64_t now_ms) {
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

Health read_health(const std::string& path, const SummaryGlimpse& summary, int64_t now_ms) {
  Health health;
  const Result<Store> store = Store::open(path);
  if (!store) {
    health.faults.push_back({std::nullopt, store.error().code == Error::Code::not_found
                                               ? "there is no store at " + path + " (yet)"
                                               : store.error().text});
    return health;
  }
  if (!summary.fault.empty()) health.faults.push_back({std::nullopt, summary.fault});
  for (unsigned lane : store->lanes()) read_lane(store->lane_path(lane), lane, summary, health);
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

std::string_view status_of(const Health& health) {
  if (!health.faults.empty()) return "degraded";
  if (health.aggregator_pid == 0 || health.lag_ms > kStaleMs) return "stale";
  return health.warnings.empty() ? "ok" : "degraded";
}

// --- JSON ------------------------------------------------------------------------------------------------------------

void put(Json& json, const char* key, std::string_view text) {
  const std::string valid = valid_utf8(text);
  json.Key(key);
  json.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
}

void put_number(Json& json, const char* key, uint64_t number) {
  json.Key(key);
  json.Uint64(number);
}

void put_pid(Json& json, pid_t pid) {
  json.Key("pid");
  if (pid > 0)
    json.Int64(pid);
  else
    json.Null();
}

void put_time(Json& json, const char* key, int64_t time_ms) {
  if (time_ms > 0) return put(json, key, utc_text_of_ms(time_ms));
  json.Key(key);
  json.Null();
}

void put_lane(Json& json, const LaneHealth& lane) {
  json.StartObject();
  put_number(json, "lane", lane.lane);
  put_pid(json, lane.pid);
  put_number(json, "hits", lane.hits);
  json.Key("dropped");
  json.StartObject();
  for (size_t i = 0; i < kDropReasons; ++i)
    put_number(json, std::string(drop_reason_name(static_cast<DropReason>(i))).c_str(), lane.dropped[i]);
  put_number(json, "corrupt", lane.corrupt);
  json.EndObject();
  put_number(json, "overwritten", lane.overwritten);
  put_number(json, "malformed_events", lane.malformed_events);
  put_number(json, "ring_bytes", lane.ring_bytes);
  put_number(json, "ring_used", lane.ring_used);
  put_time(json, "oldest", lane.oldest_ms);
  put_time(json, "newest", lane.newest_ms);
  put_number(json, "lag_hits", lane.lag_hits);
  json.EndObject();
}

void put_fault(Json& json, const Fault& fault) {
  json.StartObject();
  json.Key("lane");
  if (fault.lane)
    json.Uint(*fault.lane);
  else
    json.Null();
  put(json, "text", fault.text);
  put_time(json, "since", fault.since_ms);
  json.EndObject();
}

void put_aggregator(Json& json, const Health& health, const CheckpointState& checkpoint) {
  json.StartObject();
  put_pid(json, health.aggregator_pid);
  put_time(json, "as_of", checkpoint.committed_ms);
  put_time(json, "complete_through", checkpoint.complete_through_ms);
  put_number(json, "lag_hits", health.lag_hits);
  put_number(json, "lag_ms", static_cast<uint64_t>(std::max<int64_t>(health.lag_ms, 0)));
  put_number(json, "lost_hits", checkpoint.lost_hits);
  put_number(json, "late_hits", checkpoint.late_hits);
  put_number(json, "refused_hits", checkpoint.refused_hits);
  put_number(json, "checkpoint", checkpoint.number);
  json.EndObject();
}

}  // namespace

HealthReport make_health(const std::string& store_path, const SummaryGlimpse& summary, int64_t now_ms) {
  const Health health = read_health(store_path, summary, now_ms);
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.StartObject();
  put(json, "status", status_of(health));
  json.Key("capture");
  json.StartObject();
  json.Key("lanes");
  json.StartArray();
  for (const LaneHealth& lane : health.lanes) put_lane(json, lane);
  json.EndArray();
  json.EndObject();
  json.Key("aggregator");
  put_aggregator(json, health, summary.checkpoint.value_or(CheckpointState{}));
  json.Key("store");
  json.StartObject();
  put_number(json, "bytes", health.store_bytes);
  put_number(json, "free_bytes", health.free_bytes);
  json.EndObject();
  json.Key("faults");
  json.StartArray();
  for (const Fault& fault : health.faults) put_fault(json, fault);
  json.EndArray();
  json.Key("warnings");
  json.StartArray();
  for (const std::string& warning : health.warnings) {
    const std::string valid = valid_utf8(warning);
    json.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
  }
  json.EndArray();
  put(json, "version", FOOTFALL_VERSION);
  json.EndObject();
  const bool is_caught_up = summary.checkpoint && health.lag_hits == 0 && health.faults.empty();
  return {{buffer.GetString(), buffer.GetSize()}, is_caught_up};
}

}  // namespace footfall
