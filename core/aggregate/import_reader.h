// The import lane as the aggregator reads it: hits in the order that the importer settled, each with its import's number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lane/block.h"
#include "lane/import_lane.h"
#include "lane/ring.h"
#include "rollup/summary.h"

namespace footfall {

class ImportReader {
 public:
  // Goes on from the place of the last checkpoint.
  ImportReader(const Store& store, const std::vector<LanePlace>& places);

  // The next hit; false: nothing is waiting.
  bool next();
  const Hit& hit() const { return hit_; }
  std::string_view site() const { return block_->site_of(hit_); }
  uint16_t import() const { return static_cast<uint16_t>(place_.epoch); }
  // The last hit given is older than one of the same import before it.
  bool is_late() const { return late_; }
  int64_t newest_ms() const { return newest_ms_; }

  const LanePlace& place() const { return place_; }  // behind the last hit given

 private:
  bool load_block();

  const std::string path_;
  LanePlace place_;
  std::optional<RingCursor> cursor_;
  std::string bytes_;
  std::optional<BlockReader> block_;
  Hit hit_;
  bool late_ = false;
  int64_t newest_ms_ = INT64_MIN;
};

}  // namespace footfall
