#include "aggregate/import_reader.h"

namespace footfall {

ImportReader::ImportReader(const Store& store, const std::vector<LanePlace>& places, ImportBlocks blocks)
    : path_(import_lane_path(store)), blocks_(std::move(blocks)) {
  place_.lane = kImportLane;
  for (const LanePlace& place : places)
    if (place.lane == kImportLane) place_ = place;
}

// Spend is of days that nobody was there at: no visit is over for it.
void ImportReader::advance(uint64_t import, uint64_t number, const Hit& hit) {
  const int64_t time_ms = hit.flags & kHitSpend ? INT64_MIN : hit.time_ms;
  if (import != place_.epoch) newest_ms_ = INT64_MIN;
  late_ = time_ms < newest_ms_;
  if (!late_) newest_ms_ = time_ms;
  place_.epoch = import;
  place_.number = number + 1;
}

void ImportReader::pass(uint16_t import, const Hit& hit) {
  advance(import, import == place_.epoch ? place_.number : 0, hit);
}

bool ImportReader::next() {
  for (;;) {
    uint64_t number = 0;
    while (block_ && block_->next(hit_, number)) {
      const uint64_t import = block_->header().epoch;
      if (import == place_.epoch && number < place_.number) continue;
      advance(import, number, hit_);
      return true;
    }
    block_.reset();
    if (!load_block()) return false;
  }
}

Result<bool> ImportReader::read_block() {
  if (blocks_) return blocks_(place_.epoch, place_.number, bytes_);
  if (!cursor_) {
    Result<RingCursor> opened = RingCursor::open(path_);
    if (!opened) return opened.error();
    cursor_.emplace(std::move(*opened));
  }
  for (;;) {
    const Result<RingCursor::Outcome> outcome = cursor_->next(place_.epoch, place_.number, bytes_);
    if (!outcome) return outcome.error();
    if (*outcome != RingCursor::Outcome::corrupt) return *outcome == RingCursor::Outcome::block;
  }
}

bool ImportReader::load_block() {
  const Result<bool> read = read_block();
  if (!read || !*read) return false;
  Result<BlockReader> block = BlockReader::open(bytes_);
  if (!block) return false;
  block_.emplace(std::move(*block));
  return true;
}

}  // namespace footfall
