// The import lane as the aggregator reads it: hits in the order that the importer settled, each with its import's number.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lane/block.h"
#include "lane/import_lane.h"
#include "lane/ring.h"
#include "rollup/summary.h"

namespace footfall {

// The first block of the import lane that is not counted up to there; false: none. An environment is opened once a
// process, so an importer that aggregates by itself gives its own lane's.
using ImportBlocks = std::function<Result<bool>(uint64_t import, uint64_t hits, std::string& block)>;

class ImportReader {
 public:
  // Goes on from the place of the last checkpoint. `blocks` null: read from the store's import lane, if there is one.
  ImportReader(const Store& store, const std::vector<LanePlace>& places, ImportBlocks blocks);

  // The next hit; false: nothing is waiting.
  bool next();
  const Hit& hit() const { return hit_; }
  std::string_view site() const { return block_->site_of(hit_); }
  uint16_t import() const { return static_cast<uint16_t>(place_.epoch); }
  // The last hit given is older than one of the same import before it.
  bool is_late() const { return late_; }
  int64_t newest_ms() const { return newest_ms_; }

  // Imports that somebody waits to have undone.
  std::vector<uint32_t> undo_requests() { return cursor_ ? read_undo_requests(cursor_->env()) : std::vector<uint32_t>(); }

  // None: not known.
  std::vector<ImportRecord> records() {
    Result<std::vector<ImportRecord>> records = cursor_ ? read_import_records(cursor_->env()) : std::vector<ImportRecord>();
    return records ? std::move(*records) : std::vector<ImportRecord>();
  }

  // Visitors who are to be forgotten.
  std::vector<ForgetRequest> forget_requests() {
    return cursor_ ? read_forget_requests(cursor_->env()) : std::vector<ForgetRequest>();
  }

  const LanePlace& place() const { return place_; }  // behind the last hit given

  // Hits that an importer counts by itself: the next one of that import, in its order.
  void pass(uint16_t import, const Hit& hit);

 private:
  void advance(uint64_t import, uint64_t number, const Hit& hit);
  bool load_block();
  Result<bool> read_block();

  const std::string path_;
  const ImportBlocks blocks_;
  LanePlace place_;
  std::optional<RingCursor> cursor_;
  std::string bytes_;
  std::optional<BlockReader> block_;
  Hit hit_;
  bool late_ = false;
  int64_t newest_ms_ = INT64_MIN;
};

}  // namespace footfall
