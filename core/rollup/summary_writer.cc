#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "footfall/v1/summary.pb.h"
#include "rollup/counters_codec.h"
#include "rollup/fold.h"
#include "rollup/summary.h"
#include "rollup/summary_codec.h"
#include "rollup/visit_log.h"
#include "site/config_codec.h"

namespace footfall {
namespace {

constexpr const char* kKeyedNames[kKeyedDatabases] = {"visitors", "open_visits", "orders"};
constexpr std::string_view kCheckpointKey = "checkpoint";
constexpr std::string_view kConfigKey = "config";

// As many rows are held in memory at once, with those of the coarser levels.
constexpr size_t kFoldRowsMax = 100'000;

Horizons horizons_of(const UpkeepTimes& times) {
  return times.now_s > 0 ? footfall::horizons_of(times.retention, times.now_s) : Horizons();
}

std::string block_key(uint64_t number) {
  std::string key;
  BytesWriter(key).be64(number);
  return key;
}

}  // namespace

Result<SummaryWriter> SummaryWriter::open(const std::string& path, uint64_t map_bytes) {
  Result<LmdbEnv> env = LmdbEnv::open(path, {.map_bytes = map_bytes, .databases = 16});
  if (!env) return env.error();
  SummaryWriter writer;
  writer.env_ = std::move(*env);
  if (Status loaded = writer.load_databases(); !loaded) return loaded.error();
  return writer;
}

Status SummaryWriter::load_databases() {
  Result<LmdbTxn> txn = begin_writing();
  if (!txn) return txn.error();
  const auto load = [&](const char* name, LmdbDatabase& to) -> Status {
    Result<LmdbDatabase> database = txn->database(name);
    if (!database) return database.error();
    to = *database;
    return {};
  };
  if (Status status = load("meta", meta_); !status) return status;
  if (Status status = load("changes", changes_); !status) return status;
  if (Status status = load("rollups", rollups_.rollups); !status) return status;
  if (Status status = load("key_counts", rollups_.key_counts); !status) return status;
  if (Status status = load("to_trim", rollups_.to_trim); !status) return status;
  if (Status status = load("dictionary", dictionary_); !status) return status;
  for (size_t i = 0; i < kKeyedDatabases; ++i)
    if (Status status = load(kKeyedNames[i], keyed_[i]); !status) return status;
  if (Status status = load("visit_rows", visit_rows_); !status) return status;
  if (Status status = load("visits", visits_); !status) return status;
  // A summary that is new keeps visits from its start.
  if (!txn->get(meta_, kVisitLogKey) && !txn->get(meta_, kCheckpointKey))
    if (Status status = txn->put(meta_, kVisitLogKey, encode_visit_log({})); !status) return status;
  unfolded_bytes_ = 0;
  {
    Result<LmdbCursor> cursor = LmdbCursor::open(*txn, changes_);
    if (!cursor) return cursor.error();
    for (bool there = cursor->first(); there; there = cursor->next()) unfolded_bytes_ += cursor->value().size();
  }
  return txn->commit();
}

Result<CheckpointState> SummaryWriter::load_checkpoint() {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  const Result<std::string_view> stored = txn->get(meta_, kCheckpointKey);
  if (!stored) return stored.error().code == Error::Code::not_found ? Result<CheckpointState>(CheckpointState{}) : stored.error();
  return decode_checkpoint(*stored);
}

Result<std::optional<Config>> SummaryWriter::load_config() {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  const Result<std::string_view> stored = txn->get(meta_, kConfigKey);
  if (!stored) {
    if (stored.error().code != Error::Code::not_found) return stored.error();
    return std::optional<Config>();
  }
  Result<Config> config = decode_config(*stored);
  if (!config) return config.error();
  return std::optional<Config>(std::move(*config));
}

Status SummaryWriter::store_config(const Config& config) {
  Result<LmdbTxn> txn = begin_writing();
  if (!txn) return txn.error();
  if (Status status = txn->put(meta_, kConfigKey, encode_config(config)); !status) return status;
  return txn->commit();
}

Status SummaryWriter::checkpoint(CheckpointState& state, std::string_view change_block) {
  Result<LmdbTxn> txn = begin_writing();
  if (!txn) return txn.error();
  CheckpointState next = state;
  return commit_checkpoint(*txn, std::move(next), change_block, state);
}

Status SummaryWriter::commit_checkpoint(LmdbTxn& txn, CheckpointState next, std::string_view change_block,
                                        CheckpointState& state) {
  if (Status status = put_checkpoint(txn, changes_, meta_, next, change_block); !status) return status;
  if (Status status = txn.commit(); !status) return status;
  unfolded_bytes_ += change_block.size();
  state = std::move(next);
  return {};
}

Status SummaryWriter::put_keyed(LmdbTxn& txn, size_t database, std::string_view key, std::string_view value) {
  if (database >= kKeyedDatabases) return Error::corrupt("database in a block of changes");
  ++keyed_written_;
  return value.empty() ? txn.remove(keyed_[database], key) : txn.put(keyed_[database], key, value);
}

// In the order of keys, so that one lies near the other.
Status SummaryWriter::put_all_keyed(LmdbTxn& txn, size_t database, const StringMap<std::string>& changes) {
  Result<LmdbCursor> to = LmdbCursor::open(txn, keyed_[database]);
  if (!to) return to.error();
  for (const auto* change : in_order(changes)) {
    const auto& [key, value] = *change;
    ++keyed_written_;
    if (Status status = value.empty() ? txn.remove(keyed_[database], key) : to->put(key, value); !status) return status;
  }
  return {};
}

Status SummaryWriter::add_block(LmdbTxn& txn, Fold& fold, VisitLogFold& visits, std::string_view bytes) {
  v1::ChangeBlock block;
  if (!block.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Error::corrupt("block of changes");
  for (const v1::Delta& delta : block.delta()) {
    std::optional<RollupKey> key = decode_rollup_key(delta.key());
    Counters counters;
    if (key && key->dimension == Dimension::total) counters.visitors.set_precision(Precision::total);
    if (!key || !merge_rollup(delta.rollup(), counters)) return Error::corrupt("delta in a block of changes");
    key->late = Lateness::of_code(delta.late());
    fold.add(*key, counters);
  }
  for (v1::DictionaryEntry& entry : *block.mutable_entry()) {
    BytesReader hash(entry.hash());
    fold.name({static_cast<uint16_t>(entry.month()), hash.hash()}, std::move(*entry.mutable_text()));
  }
  for (const v1::KeyedChange& change : block.change())
    if (Status status = put_keyed(txn, change.database(), change.key(), change.value()); !status) return status;
  for (v1::KeptRow& kept : *block.mutable_kept()) {
    const uint16_t site = static_cast<uint16_t>(kept.site()), import = static_cast<uint16_t>(kept.import());
    if (Status status = visits.add(site, import, std::move(*kept.mutable_row())); !status) return status;
  }
  return {};
}

// Blocks in their order: what a block says of a key is older than what later ones say. Those that were added are gone;
// `all`: none is left.
Status SummaryWriter::fold_blocks(LmdbTxn& txn, Fold& fold, VisitLogFold& visits, bool& all) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, changes_);
  if (!cursor) return cursor.error();
  bool there = cursor->first();
  for (; there && fold.rows() < kFoldRowsMax; there = cursor->next()) {
    const std::string bytes(cursor->value());  // what is written meanwhile may move it
    if (Status status = add_block(txn, fold, visits, bytes); !status) return status;
    unfolded_bytes_ -= std::min<uint64_t>(unfolded_bytes_, bytes.size());
    if (Status status = cursor->remove(); !status) return status;
  }
  all = !there;
  return {};
}

Status SummaryWriter::put_checkpoint(LmdbTxn& txn, LmdbDatabase changes, LmdbDatabase meta, CheckpointState& next,
                                     std::string_view change_block) {
  ++next.number;
  if (!change_block.empty()) {
    if (Status status = txn.append(changes, block_key(next.next_change_block), change_block); !status) return status;
    ++next.next_change_block;
  }
  return txn.put(meta, kCheckpointKey, encode_checkpoint(next));
}

Status SummaryWriter::fold(const ZoneOf& zone_of, const UpkeepTimes& times) {
  for (bool all = false; !all;) {
    Result<LmdbTxn> txn = begin_writing();
    if (!txn) return txn.error();
    Fold fold(zone_of, horizons_of(times), times.now_s);
    const Status folded =
        fold_visits(*txn, zone_of, false, [&](VisitLogFold& visits) { return fold_blocks(*txn, fold, visits, all); });
    if (!folded) return folded;
    if (Status status = finish_fold(*txn, fold, zone_of, times, all); !status) return status;
  }
  return {};
}

// A store that counted before it kept visits has none of them.
Result<VisitLogState> SummaryWriter::load_visit_log(const LmdbTxn& txn, const ZoneOf& zone_of) {
  VisitLogState log;
  if (const Result<std::string_view> stored = txn.get(meta_, kVisitLogKey)) return decode_visit_log(*stored);
  const Result<std::string_view> stored = txn.get(meta_, kCheckpointKey);
  if (!stored) return log;
  const Result<CheckpointState> before = decode_checkpoint(*stored);
  if (!before) return before.error();
  log.kept_since_s = before->committed_ms / 1000;
  for (size_t site = 0; site < before->sites.size(); ++site) {
    const Zone& zone = zone_of(static_cast<uint16_t>(site));
    log.site(static_cast<uint16_t>(site)).drop_before(zone.bucket_start_s(Level::day, log.kept_since_s), zone);
  }
  return log;
}

template <class Fill>
Status SummaryWriter::fold_visits(LmdbTxn& txn, const ZoneOf& zone_of, bool pack_all, Fill fill) {
  Result<VisitLogState> log = load_visit_log(txn, zone_of);
  if (!log) return log.error();
  VisitLogFold visits(txn, {visit_rows_, visits_}, zone_of, *log);
  if (Status status = fill(visits); !status) return status;
  if (Status status = visits.write(pack_all, retention_, now_ms() / 1000); !status) return status;
  cut_sites_.clear();
  for (size_t site = 0; site < log->sites.size(); ++site)
    if (log->sites[site].is_cut_by_size) cut_sites_.emplace_back(static_cast<uint16_t>(site), log->sites[site].whole_from_s);
  return txn.put(meta_, kVisitLogKey, encode_visit_log(*log));
}

// Older blocks, which are few if any, go with it.
Status SummaryWriter::fold(const ZoneOf& zone_of, Changes& changes, CheckpointState& state, const UpkeepTimes& times) {
  if (unfolded_bytes_ > 0)
    if (Status status = fold(zone_of); !status) return status;
  Result<LmdbTxn> txn = begin_writing();
  if (!txn) return txn.error();
  Fold fold(zone_of, horizons_of(times), times.now_s);
  const Status kept = fold_visits(*txn, zone_of, true, [&](VisitLogFold& visits) -> Status {
    for (KeptRow& row : changes.take_kept())
      if (Status status = visits.add(row.site, row.import, std::move(row.row)); !status) return status;
    return {};
  });
  if (!kept) return kept;
  fold.add(changes.take_deltas());
  for (auto& [name, text] : changes.take_names()) fold.name(name, std::move(text));
  for (size_t database = 0; database < kKeyedDatabases; ++database)
    if (Status status = put_all_keyed(*txn, database, changes.take_keyed(static_cast<KeyedDatabase>(database))); !status)
      return status;
  CheckpointState next = state;
  ++next.number;
  if (Status status = txn->put(meta_, kCheckpointKey, encode_checkpoint(next)); !status) return status;
  if (Status status = finish_fold(*txn, fold, zone_of, times, true); !status) return status;
  state = std::move(next);
  return {};
}

Status SummaryWriter::finish_fold(LmdbTxn& txn, Fold& fold, const ZoneOf& zone_of, const UpkeepTimes& times, bool all) {
  if (Status status = fold.write(txn, rollups_, dictionary_, upkeep_); !status) return status;
  const uint64_t written = fold.written() + std::exchange(keyed_written_, 0);
  if (all) {
    const UpkeepDatabases databases{rollups_, dictionary_, keyed_[static_cast<size_t>(KeyedDatabase::visitors)],
                                    keyed_[static_cast<size_t>(KeyedDatabase::orders)], meta_};
    if (Status status = upkeep_.step(txn, databases, zone_of, times, written); !status) return status;
  }
  return txn.commit();
}

// Asked for each visitor that comes: one transaction serves until the next write.
Status SummaryWriter::begin_reading() {
  if (reading_) return {};
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  reading_ = std::move(*txn);
  return {};
}

Result<LmdbTxn> SummaryWriter::begin_writing() {
  reading_.abort();  // it would pin pages, and know nothing of what is written
  return LmdbTxn::write(env_);
}

Result<std::string> SummaryWriter::find(KeyedDatabase database, std::string_view key) {
  if (Status status = begin_reading(); !status) return status.error();
  Result<std::string_view> found = reading_.get(keyed_[static_cast<size_t>(database)], key);
  if (!found) return found.error();
  return std::string(*found);
}

void SummaryWriter::each_of_prefix(KeyedDatabase database, std::string_view prefix,
                                   const std::function<void(std::string_view key, std::string_view value)>& see) {
  if (!begin_reading()) return;
  Result<LmdbCursor> cursor = LmdbCursor::open(reading_, keyed_[static_cast<size_t>(database)]);
  if (!cursor) return;
  for (bool there = cursor->seek(prefix); there && cursor->key().starts_with(prefix); there = cursor->next())
    see(cursor->key(), cursor->value());
}

Status SummaryWriter::each(KeyedDatabase database,
                           const std::function<void(std::string_view key, std::string_view value)>& visit) {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, keyed_[static_cast<size_t>(database)]);
  if (!cursor) return cursor.error();
  for (bool there = cursor->first(); there; there = cursor->next()) visit(cursor->key(), cursor->value());
  return {};
}

}  // namespace footfall
