// The health report as JSON.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "query/health.h"
#include "query/range.h"
#include "query/text.h"

namespace footfall {
namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

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

void put_fault(Json& json, const HealthFault& fault) {
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

void put_aggregator(Json& json, const StoreHealth& health, const CheckpointState& checkpoint) {
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

std::string to_json(const StoreHealth& health) {
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
  put_number(json, "missed", health.missed);
  put_time(json, "configured", health.configured_ms);
  if (health.configured_ms == 0)
    put(json, "note", "no `footfall aggregate` has given a configuration: no rule tells events or orders, nothing is excluded");
  json.EndObject();
  json.Key("aggregator");
  put_aggregator(json, health, health.checkpoint.value_or(CheckpointState{}));
  json.Key("store");
  json.StartObject();
  put_number(json, "bytes", health.store_bytes);
  put_number(json, "free_bytes", health.free_bytes);
  json.EndObject();
  json.Key("faults");
  json.StartArray();
  for (const HealthFault& fault : health.faults) put_fault(json, fault);
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
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace footfall
