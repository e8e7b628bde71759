#include "lane/ring.h"

#include "base/bytes.h"

namespace footfall {
namespace {

constexpr uint8_t kBlockKey = 0x01;
constexpr std::string_view kPositionKey = "\xff";
constexpr uint64_t kPageBytes = 4096;

std::string block_key(uint64_t seq) {
  std::string key;
  BytesWriter(key).u8(kBlockKey).be64(seq);
  return key;
}

bool is_block_key(std::string_view key) { return key.size() == 9 && static_cast<uint8_t>(key[0]) == kBlockKey; }

// Live bytes are counted in whole pages (a value on overflow pages carries a page header of 16 bytes).
uint64_t pages_bytes(size_t value_bytes) { return (value_bytes + 16 + kPageBytes - 1) / kPageBytes * kPageBytes; }

Error not_whole(const std::string& path) { return Error::corrupt(path + ": not all of it can be read"); }

}  // namespace

Result<RingWriter> RingWriter::open(const std::string& path, uint64_t live_bytes_max) {
  Result<LmdbEnv> env = LmdbEnv::open(path, {.map_bytes = 3 * live_bytes_max, .no_sync = true});
  if (!env) return env.error();
  RingWriter ring;
  ring.env_ = std::move(*env);
  ring.live_bytes_max_ = live_bytes_max;

  Result<LmdbTxn> txn = LmdbTxn::write(ring.env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  const uint64_t entries = txn->entries(*database);  // behind an error LMDB tells none
  uint64_t seen = 0;
  if (Result<std::string_view> stored = txn->get(*database, kPositionKey)) {
    BytesReader reader(*stored);
    ring.position_ = {reader.le64(), reader.le64(), reader.le64()};
    if (!reader.ok()) return Error::corrupt(path + ": position");
    ++seen;
  }
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->first(); there && is_block_key(cursor->key()); there = cursor->next(), ++seen) {
    ring.use_.used_bytes += pages_bytes(cursor->value().size());
    ring.next_seq_ = load_be64(cursor->key().data() + 1) + 1;
    if (Result<BlockReader> block = BlockReader::open(cursor->value())) {
      if (ring.use_.oldest_ms == 0) ring.use_.oldest_ms = block->header().first_time_ms;
      ring.use_.newest_ms = block->header().last_time_ms;
    }
  }
  if (seen != entries) return not_whole(path);
  return ring;
}

Status RingWriter::put(std::string_view block, const BlockHeader& header, bool replace, const RingPosition& position,
                       uint64_t& overwritten) {
  const uint64_t seq = replace ? next_seq_ - 1 : next_seq_;
  const uint64_t replaced_bytes = replace ? last_pages_bytes_ : 0;
  RingUse use = use_;
  uint64_t lost = 0;
  Status status = put_once(block, header, seq, replaced_bytes, position, use, lost);
  if (!status && status.error().code == Error::Code::full && env_.clear_dead_readers() > 0) {
    use = use_;  // a dead reader had pinned pages: once more without it
    lost = 0;
    status = put_once(block, header, seq, replaced_bytes, position, use, lost);
  }
  if (!status) return status;
  use_ = use;
  position_ = position;
  next_seq_ = seq + 1;
  last_pages_bytes_ = pages_bytes(block.size());
  overwritten += lost;
  return {};
}

Status RingWriter::put_once(std::string_view block, const BlockHeader& header, uint64_t seq, uint64_t replaced_bytes,
                            const RingPosition& position, RingUse& use, uint64_t& overwritten) {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();

  use.used_bytes += pages_bytes(block.size()) - replaced_bytes;
  while (use.used_bytes > live_bytes_max_) {
    Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
    if (!cursor) return cursor.error();
    if (!cursor->first() || !is_block_key(cursor->key()) || load_be64(cursor->key().data() + 1) == seq) break;
    if (Result<BlockReader> oldest = BlockReader::open(cursor->value())) overwritten += oldest->header().hits;
    use.used_bytes -= pages_bytes(cursor->value().size());
    if (Status removed = cursor->remove(); !removed) return removed;
    use.oldest_ms = 0;
    if (cursor->first() && is_block_key(cursor->key()))
      if (Result<BlockReader> next = BlockReader::open(cursor->value())) use.oldest_ms = next->header().first_time_ms;
  }
  if (use.oldest_ms == 0) use.oldest_ms = header.first_time_ms;
  use.newest_ms = header.last_time_ms;

  if (Status status = txn->put(*database, block_key(seq), block); !status) return status;
  std::string stored;
  BytesWriter(stored).le64(position.epoch).le64(position.position).le64(position.next_number);
  if (Status status = txn->put(*database, kPositionKey, stored); !status) return status;
  return txn->commit();
}

Result<RingCursor> RingCursor::open(const std::string& path) {
  Result<LmdbEnv> env = LmdbEnv::open(path, {.read_only = true});
  if (!env) return env.error();
  RingCursor cursor;
  cursor.env_ = std::move(*env);
  return cursor;
}

Result<RingCursor::Outcome> RingCursor::next(uint64_t epoch, uint64_t number, std::string& bytes) {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return cursor.error();
  const uint64_t entries = txn->entries(*database);  // behind an error LMDB tells none
  bool there = cursor->seek(block_key(seq_));
  for (; there && is_block_key(cursor->key()); there = cursor->next()) {
    const uint64_t seq = load_be64(cursor->key().data() + 1);
    const Result<BlockReader> block = BlockReader::open(cursor->value());
    if (!block) {
      seq_ = seq + 1;
      return Outcome::corrupt;
    }
    const BlockHeader& header = block->header();
    if (header.epoch < epoch || (header.epoch == epoch && header.next_number() <= number)) {
      seq_ = seq;  // its last hit was seen, but it may still grow
      continue;
    }
    seq_ = seq;
    bytes.assign(cursor->value());
    return Outcome::block;
  }
  // Behind the blocks lies the position, unless nothing was ever put.
  if (!there && entries > 0) return not_whole(env_.path());
  return Outcome::none;
}

Result<std::optional<uint64_t>> RingCursor::at_or_behind(uint64_t seq, std::string& bytes) {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return cursor.error();
  const uint64_t entries = txn->entries(*database);
  const bool there = cursor->seek(block_key(seq));
  if (!there && entries > 0) return not_whole(env_.path());
  if (!there || !is_block_key(cursor->key())) return std::optional<uint64_t>();
  bytes.assign(cursor->value());
  return std::optional<uint64_t>(load_be64(cursor->key().data() + 1));
}

Result<RingPosition> RingCursor::position() {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  const Result<std::string_view> stored = txn->get(*database, kPositionKey);
  if (!stored) return stored.error().code == Error::Code::not_found ? Result<RingPosition>(RingPosition{}) : stored.error();
  BytesReader reader(*stored);
  const RingPosition position{reader.le64(), reader.le64(), reader.le64()};
  if (!reader.ok()) return Error::corrupt(env_.path() + ": position");
  return position;
}

}  // namespace footfall
