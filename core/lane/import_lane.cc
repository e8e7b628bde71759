#include "lane/import_lane.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/bytes.h"

namespace footfall {
namespace {

constexpr uint64_t kMapBytes = 512ull << 20;  // blocks are dropped once counted; places and records are small
enum : uint8_t { kBlockKey = 1, kFileKey = 2, kRecordKey = 3, kUndoKey = 4, kPreparedKey = 5, kForgetKey = 6 };
constexpr size_t kFileKeyBytes = 1 + 16 + 4;

// file place: head_bytes u32 | read_from u64 | read_to u64 | settled_before_ms i64 | from_import u32
// record:     started_ms i64 | ended_ms i64 | hits u64 | rejected u64 | skipped u64 | first_ms i64 | last_ms i64 |
//             undone u8 | files u16+bytes
// prepared:   import u32 | hits u64 | record u32+bytes | places u32 x (identity 16 | import u32 | place u32+bytes)

std::string block_key(uint64_t seq) {
  std::string key;
  BytesWriter(key).u8(kBlockKey).be64(seq);
  return key;
}

std::string file_key(const Hash128& identity) {
  std::string key;
  BytesWriter(key).u8(kFileKey).hash(identity);
  return key;
}

std::string file_key(const Hash128& identity, uint32_t import) {
  std::string key = file_key(identity);
  BytesWriter(key).be32(import);
  return key;
}

std::string record_key(uint32_t number) {
  std::string key;
  BytesWriter(key).u8(kRecordKey).be32(number);
  return key;
}

std::string undo_key(uint32_t import) {
  std::string key;
  BytesWriter(key).u8(kUndoKey).be32(import);
  return key;
}

std::string forget_key(uint64_t request) {
  std::string key;
  BytesWriter(key).u8(kForgetKey).be64(request);
  return key;
}

std::string prepared_key() { return std::string(1, static_cast<char>(kPreparedKey)); }

bool has_kind(std::string_view key, uint8_t kind) { return !key.empty() && static_cast<uint8_t>(key[0]) == kind; }

std::string encode(const FilePlace& place) {
  std::string bytes;
  BytesWriter(bytes).le32(place.head_bytes).le64(place.read_from).le64(place.read_to).le64(
      place.settled_before_ms).le32(place.from_import);
  return bytes;
}

FilePlace decode_place(std::string_view key, std::string_view bytes) {
  BytesReader reader(bytes);
  FilePlace place;
  if (key.size() == kFileKeyBytes) place.import = load_be32(key.data() + key.size() - 4);
  place.head_bytes = reader.le32();
  place.read_from = reader.le64();
  place.read_to = reader.le64();
  place.settled_before_ms = static_cast<int64_t>(reader.le64());
  place.from_import = reader.le32();
  return place;
}

std::string encode(const ImportRecord& record) {
  std::string bytes;
  BytesWriter(bytes).le64(record.started_ms).le64(record.ended_ms).le64(record.hits).le64(record.rejected).le64(
      record.skipped).le64(record.first_ms).le64(record.last_ms).u8(record.undone).text16(record.files.substr(0, 4096));
  return bytes;
}

ImportRecord decode_record(std::string_view key, std::string_view bytes) {
  ImportRecord record;
  record.number = load_be32(key.data() + 1);
  BytesReader reader(bytes);
  record.started_ms = static_cast<int64_t>(reader.le64());
  record.ended_ms = static_cast<int64_t>(reader.le64());
  record.hits = reader.le64();
  record.rejected = reader.le64();
  record.skipped = reader.le64();
  record.first_ms = static_cast<int64_t>(reader.le64());
  record.last_ms = static_cast<int64_t>(reader.le64());
  record.undone = reader.u8() != 0;
  record.files = reader.text16();
  return record;
}

constexpr int64_t kDayMs = 86'400'000;

int64_t ended_ms(const ImportRecord& record) { return std::max(record.started_ms, record.ended_ms); }

std::string date_text(int64_t time_ms) {
  const time_t seconds = time_ms / 1000;
  std::tm fields;
  gmtime_r(&seconds, &fields);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &fields);
  return text;
}

}  // namespace

Result<std::vector<ImportRecord>> read_import_records(LmdbEnv& env) {
  std::vector<ImportRecord> records;
  Result<LmdbTxn> txn = LmdbTxn::read(env);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->seek(record_key(0)); there && has_kind(cursor->key(), kRecordKey); there = cursor->next())
    records.push_back(decode_record(cursor->key(), cursor->value()));
  return records;
}

bool is_for_good(const ImportRecord& record, int64_t now_ms) { return now_ms - ended_ms(record) > kUndoDays * kDayMs; }

uint32_t imports_to_merge(const std::vector<ImportRecord>& records, uint32_t merged, int64_t now_ms) {
  uint32_t through = merged;
  bool is_due = false;
  for (const ImportRecord& record : records) {
    if (record.number <= merged) continue;
    const int64_t age_ms = now_ms - ended_ms(record);
    if (age_ms <= kMergeDays * kDayMs) break;
    is_due |= age_ms > (kMergeDays + kMergeEveryDays) * kDayMs;
    through = record.number;
  }
  return is_due ? through : merged;
}

Result<ImportLane> ImportLane::open(const Store& store) {
  const std::string path = import_lane_path(store);
  if (mkdir(path.c_str(), 0770) == 0) {
    chmod(path.c_str(), 02770);
  } else if (errno != EEXIST) {
    return Error::io("mkdir " + path, errno);
  }
  Result<FileLock> lock = FileLock::try_lock(path + "/lock");
  if (!lock) return lock.error();
  lock->write_pid();
  Result<LmdbEnv> env = LmdbEnv::open(path, {.map_bytes = kMapBytes});
  if (!env) return env.error();
  ImportLane lane;
  lane.lock_ = std::move(*lock);
  lane.env_ = std::move(*env);
  Result<LmdbTxn> txn = LmdbTxn::write(lane.env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->first(); there && has_kind(cursor->key(), kBlockKey); there = cursor->next()) {
    lane.next_seq_ = load_be64(cursor->key().data() + 1) + 1;
    lane.waiting_bytes_ += cursor->value().size();
  }
  return lane;
}

Result<std::vector<ImportRecord>> ImportLane::list(const Store& store) {
  Result<LmdbEnv> env = LmdbEnv::open(import_lane_path(store), {.map_bytes = kMapBytes, .read_only = true});
  if (!env) return env.error();
  return read_import_records(*env);
}

std::vector<ImportRecord> ImportLane::records() {
  Result<std::vector<ImportRecord>> records = read_import_records(env_);
  return records ? std::move(*records) : std::vector<ImportRecord>();
}

std::optional<FilePlace> ImportLane::find_file(const Hash128& identity) {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return std::nullopt;
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return std::nullopt;
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return std::nullopt;
  std::optional<FilePlace> last;
  const std::string prefix = file_key(identity);
  for (bool there = cursor->seek(prefix); there && cursor->key().starts_with(prefix); there = cursor->next())
    last = decode_place(cursor->key(), cursor->value());
  return last;
}

std::vector<uint32_t> ImportLane::head_sizes() {
  std::vector<uint32_t> sizes;
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return sizes;
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return sizes;
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return sizes;
  for (bool there = cursor->seek(file_key({})); there && has_kind(cursor->key(), kFileKey); there = cursor->next())
    sizes.push_back(decode_place(cursor->key(), cursor->value()).head_bytes);
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

Status ImportLane::prepare(const std::map<Hash128, FilePlace>& places, const ImportRecord& record, uint64_t hits) {
  std::string bytes;
  BytesWriter writer(bytes);
  const std::string record_bytes = encode(record);
  writer.le32(record.number).le64(hits).text32(record_bytes).le32(static_cast<uint32_t>(places.size()));
  for (const auto& [identity, place] : places) writer.hash(identity).le32(place.import).text32(encode(place));
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  if (Status status = txn->put(*database, prepared_key(), bytes); !status) return status;
  return txn->commit();
}

Status ImportLane::settle(uint64_t import, uint64_t hits) {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  const Result<std::string_view> stored = txn->get(*database, prepared_key());
  if (!stored) return stored.error().code == Error::Code::not_found ? Status() : stored.error();
  const std::string bytes(*stored);  // the transaction writes on
  BytesReader reader(bytes);
  const uint32_t of_import = reader.le32();
  const uint64_t up_to = reader.le64();
  const std::string_view record = reader.text32();
  if (of_import < import || (of_import == import && up_to <= hits)) {
    if (up_to > 0)
      if (Status status = txn->put(*database, record_key(of_import), record); !status) return status;
    for (uint32_t left = reader.le32(); left > 0 && reader.ok(); --left) {
      const Hash128 identity = reader.hash();
      const uint32_t by_import = reader.le32();
      const std::string_view place = reader.text32();
      if (!reader.ok()) break;
      if (Status status = txn->put(*database, file_key(identity, by_import), place); !status) return status;
    }
  }
  if (Status status = txn->remove(*database, prepared_key()); !status) return status;
  return txn->commit();
}

Status ImportLane::put(const std::vector<std::string>& blocks, const std::map<Hash128, FilePlace>& places,
                       const ImportRecord& record) {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  // Above those of every import before, whose blocks may be gone by now: a daemon's cursor stands behind them.
  uint64_t seq = std::max(next_seq_, uint64_t{record.number} << 32), bytes = 0;
  for (const std::string& block : blocks) {
    if (Status status = txn->put(*database, block_key(seq++), block); !status) return status;
    bytes += block.size();
  }
  for (const auto& [identity, place] : places)
    if (Status status = txn->put(*database, file_key(identity, place.import), encode(place)); !status) return status;
  if (record.hits > 0)
    if (Status status = txn->put(*database, record_key(record.number), encode(record)); !status) return status;
  if (Status status = txn->commit(); !status) return status;
  next_seq_ = seq;
  waiting_bytes_ += bytes;
  return {};
}

Result<bool> ImportLane::next_block(uint64_t import, uint64_t hits, std::string& bytes) {
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->seek(block_key(read_seq_)); there && has_kind(cursor->key(), kBlockKey);
       there = cursor->next()) {
    read_seq_ = load_be64(cursor->key().data() + 1) + 1;
    const Result<BlockReader> block = BlockReader::open(cursor->value());
    if (!block || block->header().epoch < import ||
        (block->header().epoch == import && block->header().next_number() <= hits))
      continue;
    bytes.assign(cursor->value());
    return true;
  }
  return false;
}

Status ImportLane::drop_counted(uint64_t import, uint64_t hits) {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  uint64_t dropped = 0;
  for (;;) {
    Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
    if (!cursor) return cursor.error();
    if (!cursor->first() || !has_kind(cursor->key(), kBlockKey)) break;
    const Result<BlockReader> block = BlockReader::open(cursor->value());
    if (block && (block->header().epoch > import ||
                  (block->header().epoch == import && block->header().next_number() > hits)))
      break;
    dropped += cursor->value().size();
    if (Status status = cursor->remove(); !status) return status;
  }
  if (Status status = txn->commit(); !status) return status;
  waiting_bytes_ -= std::min(dropped, waiting_bytes_);
  return {};
}

std::vector<uint32_t> read_undo_requests(LmdbEnv& env) {
  std::vector<uint32_t> imports;
  Result<LmdbTxn> txn = LmdbTxn::read(env);
  if (!txn) return imports;
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return imports;
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return imports;
  for (bool there = cursor->seek(undo_key(0)); there && has_kind(cursor->key(), kUndoKey); there = cursor->next())
    imports.push_back(load_be32(cursor->key().data() + 1));
  return imports;
}

std::vector<ForgetRequest> read_forget_requests(LmdbEnv& env) {
  std::vector<ForgetRequest> requests;
  Result<LmdbTxn> txn = LmdbTxn::read(env);
  if (!txn) return requests;
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return requests;
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return requests;
  for (bool there = cursor->seek(forget_key(0)); there && has_kind(cursor->key(), kForgetKey); there = cursor->next()) {
    BytesReader reader(cursor->value());
    const ForgetRequest request{load_be64(cursor->key().data() + 1), reader.hash()};
    if (reader.ok()) requests.push_back(request);
  }
  return requests;
}

std::vector<ForgetRequest> ImportLane::forget_requests() { return read_forget_requests(env_); }

Status ImportLane::ask_forget(const ForgetRequest& request) {
  std::string visitor;
  BytesWriter(visitor).hash(request.visitor);
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  if (Status status = txn->put(*database, forget_key(request.number), visitor); !status) return status;
  return txn->commit();
}

Status ImportLane::finish_forget(uint64_t request) {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  if (Status status = txn->remove(*database, forget_key(request)); !status) return status;
  return txn->commit();
}

std::optional<uint32_t> ImportLane::undo_asked() {
  const std::vector<uint32_t> asked = read_undo_requests(env_);
  return asked.empty() ? std::nullopt : std::optional(asked.front());
}

Status ImportLane::check_undo(uint32_t import, int64_t now_ms) {
  const ImportRecord* wanted = nullptr;
  std::string others;
  const std::vector<ImportRecord> all = records();
  for (const ImportRecord& record : all) {
    if (record.number == import) wanted = &record;
    if (!record.undone) others += (others.empty() ? "" : ", ") + std::to_string(record.number);
  }
  const std::string name = "import " + std::to_string(import);
  const std::string known = others.empty() ? "; there is none to undo" : "; there are " + others;
  if (wanted == nullptr) return Error::not_found("no " + name + known);
  if (wanted->undone) return Error::not_found(name + " is undone already" + known);
  if (is_for_good(*wanted, now_ms))
    return Error::invalid(name + " ended on " + date_text(ended_ms(*wanted)) + ": an import can be undone for " +
                          std::to_string(kUndoDays) + " days, then its figures are for good");
  Result<LmdbTxn> txn = LmdbTxn::read(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->seek(file_key({})); there && has_kind(cursor->key(), kFileKey); there = cursor->next()) {
    const FilePlace place = decode_place(cursor->key(), cursor->value());
    if (place.from_import != import || place.import == import) continue;
    return Error::invalid("import " + std::to_string(place.import) + " goes on in a file where " + name +
                          " ended: undo that one first");
  }
  return {};
}

Status ImportLane::ask_undo(uint32_t import) {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  if (Status status = txn->put(*database, undo_key(import), "?"); !status) return status;
  return txn->commit();
}

Status ImportLane::finish_undo(uint32_t import) {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  Result<LmdbDatabase> database = txn->database("");
  if (!database) return database.error();
  {
    Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *database);
    if (!cursor) return cursor.error();
    for (bool there = cursor->seek(file_key({})); there && has_kind(cursor->key(), kFileKey); there = cursor->next())
      if (decode_place(cursor->key(), cursor->value()).import == import)
        if (Status status = cursor->remove(); !status) return status;
  }
  const std::string key = record_key(import);
  const Result<std::string_view> stored = txn->get(*database, key);
  if (!stored) return stored.error();
  ImportRecord record = decode_record(key, *stored);
  record.undone = true;
  if (Status status = txn->put(*database, key, encode(record)); !status) return status;
  if (Status status = txn->remove(*database, undo_key(import)); !status) return status;
  return txn->commit();
}

}  // namespace footfall
