#include "command/import_common.h"

#include <cstdio>

#include "command/command.h"

namespace footfall {

int fail_import(const std::string& text) {
  std::fprintf(stderr, "footfall import: %s\n", text.c_str());
  return kExitFailed;
}

void log_import(LogLevel level, std::string_view text) {
  if (level != LogLevel::info) std::fprintf(stderr, "footfall import: %.*s\n", static_cast<int>(text.size()), text.data());
}

Result<CountedBefore> look(const Store& store, const Config& config) {
  CountedBefore before;
  Result<SummaryReader> reader = SummaryReader::open(store.summary_path(), static_cast<uint64_t>(config.map_bytes));
  if (!reader) {
    if (reader.error().code == Error::Code::not_found) return before;
    return reader.error();
  }
  Result<SummarySnapshot> snapshot = reader->snapshot();
  if (!snapshot) {
    if (snapshot.error().code == Error::Code::not_found) return before;
    return snapshot.error();
  }
  before.checkpoint = snapshot->checkpoint();
  if (before.checkpoint.number > 0) before.config = snapshot->config();
  return before;
}

LanePlace counted_place(const CheckpointState& checkpoint) {
  LanePlace last{.lane = kImportLane};
  for (const LanePlace& place : checkpoint.lanes)
    if (place.lane == kImportLane && place.epoch >= last.epoch) last = place;  // older versions stored the one before it too
  return last;
}

Status settle(ImportLane& lane, const Store& store, const Config& config) {
  const Result<CountedBefore> now = look(store, config);
  if (!now) return now.error();
  const LanePlace place = counted_place(now->checkpoint);
  return lane.settle(place.epoch, place.number);
}

}  // namespace footfall
