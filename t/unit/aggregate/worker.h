// A worker of nginx as its lane sees it: claims a lane, stages hits, flushes when it is told to. Its end leaves what is
// staged where it is, as a kill does.
//
// One process opens an environment once: a worker that flushes while a reader of its ring lives runs in a Child.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hit/builder.h"
#include "lane/lane.h"
#include "lane/ring.h"
#include "lane/salts.h"
#include "lane/stage_writer.h"
#include "test.h"

namespace footfall {

class Worker {
 public:
  explicit Worker(const Store& store, uint64_t stage_bytes = kStageRecordBytesMin, uint64_t ring_bytes = kRingBytesMin)
      : salts_(store) {
    Result<std::unique_ptr<Lane>> claimed =
        Lane::claim(store, {.ring_bytes = ring_bytes, .stage_bytes = stage_bytes, .stage_folder = ""});
    if (!claimed) fail_msg("%s", claimed.error().text.c_str());
    lane_ = std::move(*claimed);
    stage_ = std::make_unique<StageWriter>(lane_->stage);
  }

  Lane& lane() { return *lane_; }

  Worker& clock(int64_t time_ms) { return stage_->set_clock(time_ms), *this; }
  Worker& stage(const RawHit& raw, std::string_view site = "shop") {
    HitContext context;
    context.site = site;
    context.search_argument = "q";  // as in Shop
    const Result<uint16_t> number = stage_->add_context(context);
    if (!number || !stage_->append(raw, *number)) fail_msg("not staged");
    return *this;
  }
  Worker& view(std::string_view uri, int64_t time_ms) { return stage(view_of(uri, time_ms)); }
  // False: the stage is full just now.
  bool try_view(std::string_view uri, int64_t time_ms) {
    HitContext context;
    context.site = "shop";
    return stage_->append(view_of(uri, time_ms), stage_->add_context(context).value());
  }
  static RawHit view_of(std::string_view uri, int64_t time_ms) {
    RawHit raw;
    raw.time_ms = time_ms;
    raw.status = 200;
    raw.content = ContentKind::html;
    raw.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    raw.visitor_id = "anna";
    raw.uri = uri;
    return raw;
  }

  // Moves what is staged into the ring, at most `hits_max` hits to a block.
  Worker& flush(size_t hits_max = SIZE_MAX) {
    Result<RingWriter> ring = open_ring();
    const RingPosition at = ring->position().epoch == epoch()
                                ? ring->position()
                                : RingPosition{epoch(), lane_->stage.header().tail, lane_->stage.header().drained};
    auto reader = std::make_unique<StageReader>(lane_->stage, at.position, at.next_number);
    uint64_t position = at.position, number = at.next_number;
    BlockBuilder block;
    block.begin(static_cast<uint16_t>(lane_->number), epoch(), number);
    while (reader->next() == StageReader::Outcome::hit) {
      const Hit& hit = hits_.build(reader->hit(), reader->context(), salts_.keys(reader->hit().time_ms, 1'800'000));
      if (block.header().hits == hits_max || !block.add(hit, reader->context().site)) {
        put(*ring, block, {epoch(), position, number});
        block.begin(static_cast<uint16_t>(lane_->number), epoch(), number);
        reader = std::make_unique<StageReader>(lane_->stage, position, number);
        continue;
      }
      position = reader->position();
      number = reader->number();
    }
    if (!block.empty()) put(*ring, block, {epoch(), position, number});
    reader->release();
    return *this;
  }

  // Puts bytes that are no block into the ring, in the place of what is staged.
  Worker& flush_garbage() {
    Result<RingWriter> ring = open_ring();
    StageReader reader(lane_->stage, lane_->stage.header().tail, lane_->stage.header().drained);
    while (reader.next() == StageReader::Outcome::hit) {
    }
    uint64_t overwritten = 0;
    if (!ring->put("garbage", BlockHeader(), false, {epoch(), reader.position(), reader.number()}, overwritten)) fail();
    reader.release();
    return *this;
  }

 private:
  uint64_t epoch() const { return lane_->stage.header().epoch; }
  Result<RingWriter> open_ring() {
    Result<RingWriter> ring =
        RingWriter::open(ring_path(lane_->path, lane_->state->ring_generation), lane_->ring_bytes);
    if (!ring) fail_msg("%s", ring.error().text.c_str());
    return ring;
  }
  void put(RingWriter& ring, BlockBuilder& block, const RingPosition& position) {
    uint64_t overwritten = 0;
    if (!ring.put(block.finish(), block.header(), false, position, overwritten)) fail();
    lane_->state->overwritten.fetch_add(overwritten);
  }

  std::unique_ptr<Lane> lane_;
  std::unique_ptr<StageWriter> stage_;
  SaltKeeper salts_;
  HitBuilder hits_;
};

}  // namespace footfall
