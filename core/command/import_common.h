// What the commands about imports share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aggregate/aggregator.h"
#include "base/error.h"
#include "lane/import_lane.h"
#include "lane/store.h"
#include "rollup/summary.h"
#include "site/config.h"

namespace footfall {

int fail_import(const std::string& text);  // gives the exit code
void log_import(LogLevel level, std::string_view text);

// What the summary says before the import: since when sites are live, and by which configuration they are counted.
struct CountedBefore {
  CheckpointState checkpoint;
  std::optional<Config> config;
};
Result<CountedBefore> look(const Store& store, const Config& config);

// How far imports are counted.
LanePlace counted_place(const CheckpointState& checkpoint);

// Finishes what an importer that counted by itself left half done: before places or records are read.
Status settle(ImportLane& lane, const Store& store, const Config& config);

}  // namespace footfall
