// The only door to LMDB. Environments are opened after fork only, once per process and path, with the same bounds
// everywhere. A damaged file can kill its process: open() compares the file's size with what its newest meta page claims.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

typedef struct MDB_env MDB_env;
typedef struct MDB_txn MDB_txn;
typedef struct MDB_cursor MDB_cursor;

namespace footfall {

inline constexpr unsigned kLmdbReadersMax = 512;

struct LmdbOptions {
  uint64_t map_bytes = 0;
  bool read_only = false;
  bool no_sync = false;     // commits are not made durable: sync() does that
  unsigned databases = 0;   // named ones; 0: only the unnamed
};

struct LmdbUse {
  uint64_t used_bytes;      // pages up to the last one in use
  uint64_t map_bytes;
};

// A database within an environment, valid as long as the environment.
struct LmdbDatabase {
  unsigned handle = 0;
};

class LmdbEnv {
 public:
  LmdbEnv() = default;
  LmdbEnv(LmdbEnv&& other) noexcept : env_(std::exchange(other.env_, nullptr)), path_(std::move(other.path_)), writes_(other.writes_) {}
  LmdbEnv& operator=(LmdbEnv&& other) noexcept;
  ~LmdbEnv();

  // Opens the folder `path`; made (2770, files 0660) unless read_only. What dead readers pin is set free here, and now and then
  // by a write transaction: who gives up on a full map opens anew. Error::not_found: read_only and not there.
  // Error::corrupt: no LMDB file of ours, or shorter than it claims.
  static Result<LmdbEnv> open(const std::string& path, const LmdbOptions& options);

  Status sync();                // makes commits durable; any thread
  int clear_dead_readers();     // how many were cleared
  LmdbUse use() const;
  const std::string& path() const { return path_; }
  explicit operator bool() const { return env_ != nullptr; }
  MDB_env* get() const { return env_; }

 private:
  friend class LmdbTxn;

  MDB_env* env_ = nullptr;
  std::string path_;
  uint64_t writes_ = 0;
};

// A transaction; aborts unless committed. Values read point into the map until it ends.
class LmdbTxn {
 public:
  LmdbTxn() = default;
  LmdbTxn(LmdbTxn&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)), env_(other.env_) {}
  LmdbTxn& operator=(LmdbTxn&& other) noexcept;
  ~LmdbTxn() { abort(); }

  static Result<LmdbTxn> read(LmdbEnv& env);
  static Result<LmdbTxn> write(LmdbEnv& env);

  // `name` empty: the unnamed one. Made where missing in a write transaction.
  Result<LmdbDatabase> database(const char* name);

  // Error::not_found where the key is not there.
  Result<std::string_view> get(LmdbDatabase database, std::string_view key) const;
  // Error::full: the map is full; the transaction can only be aborted.
  Status put(LmdbDatabase database, std::string_view key, std::string_view value);
  // Appends a key that sorts behind all others.
  Status append(LmdbDatabase database, std::string_view key, std::string_view value);
  Status remove(LmdbDatabase database, std::string_view key);  // a missing key is no error
  uint64_t entries(LmdbDatabase database) const;
  uint64_t bytes(LmdbDatabase database) const;  // of the pages that hold it
  uint64_t id() const;

  // Error::full: no room on the disk or in the map. Whatever comes back, the transaction is over.
  Status commit();
  void abort();
  explicit operator bool() const { return txn_ != nullptr; }
  MDB_txn* get_txn() const { return txn_; }

 private:
  MDB_txn* txn_ = nullptr;
  const LmdbEnv* env_ = nullptr;
};

// Walks a database in key order within a transaction.
class LmdbCursor {
 public:
  LmdbCursor() = default;
  LmdbCursor(LmdbCursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)), valid_(other.valid_),
                                            key_(other.key_), value_(other.value_) {}
  LmdbCursor& operator=(LmdbCursor&&) = delete;
  ~LmdbCursor();

  static Result<LmdbCursor> open(const LmdbTxn& txn, LmdbDatabase database);

  bool seek(std::string_view key);  // first entry at or behind key
  bool first();
  bool last();
  bool next();
  bool previous();
  bool valid() const { return valid_; }
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  Status remove();  // the entry it stands on; next() then goes on behind it
  // As LmdbTxn::put; many keys in order are cheaper this way. The cursor stands nowhere afterwards.
  Status put(std::string_view key, std::string_view value);

 private:
  bool move(int operation, std::string_view key = {});

  MDB_cursor* cursor_ = nullptr;
  bool valid_ = false;
  std::string_view key_, value_;
};

}  // namespace footfall
