#include "base/lmdb.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/lmdb_copy.h"
#include "base/lmdb_file.h"

namespace footfall {
namespace {

Error lmdb_error(const std::string& what, int code) {
  if (code == MDB_NOTFOUND) return Error::not_found(what);
  if (code == MDB_MAP_FULL || code == MDB_TXN_FULL) return Error::full(what + ": " + mdb_strerror(code));
  if (code == MDB_READERS_FULL) return Error::busy(what + ": " + mdb_strerror(code));
  if (code == MDB_VERSION_MISMATCH) return Error::version(what + ": " + mdb_strerror(code));
  if (code > 0) return Error::io(what, code);
  return Error::corrupt(what + ": " + mdb_strerror(code));
}

MDB_val val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view view(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }

// A reader that died keeps what it had read from being written over; LMDB itself does not look whether one has.
constexpr uint64_t kWritesPerReaderCheck = 100;

// LMDB does not write free pages, so the file may end before the last page that its meta page claims. It is made as long
// as it claims to be, so that its size alone tells who opens it that nothing is missing. fallocate never shortens.
void grow_to_claim(MDB_env* env) {
  MDB_envinfo info;
  MDB_stat shape;
  struct stat file;
  int fd = -1;
  if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &shape) != 0 || mdb_env_get_fd(env, &fd) != 0) return;
  const off_t claimed = static_cast<off_t>((info.me_last_pgno + 1) * shape.ms_psize);
  if (fstat(fd, &file) == 0 && file.st_size < claimed) (void)!fallocate(fd, 0, claimed - 1, 1);
}

// A write that a full disk cut short is EIO to LMDB.
bool is_disk_full(const std::string& path, int code) {
  constexpr uint64_t kBytesMin = 1 << 20;
  struct statvfs disk;
  return code == EIO && statvfs(path.c_str(), &disk) == 0 && disk.f_bavail * disk.f_frsize < kBytesMin;
}

// LMDB maps its table of readers and writes to it: on a full disk that kills the process, not just fails. So its room is
// taken first. (Closing the file drops this process's locks on it: it has none, an environment is opened once.)
Status reserve_lock_file(const std::string& path) {
  constexpr off_t kBytes = 64 * (kLmdbReadersMax + 8);  // a line for each reader, and LMDB's own
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
  if (fd < 0) return {};  // LMDB will say why
  const bool no_room = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, kBytes) != 0 && (errno == ENOSPC || errno == EDQUOT);
  const int reserve_errno = errno;
  ::close(fd);
  if (no_room) return Error::io("reserve " + path, reserve_errno);
  return {};
}

// LMDB begins a file with two pages in one write; a kill or a full disk between them would leave what nobody can open. So
// it is made beside, and has its name once it is whole. The caller is the only one to write here.
Status make_data_file(const std::string& data_file, uint64_t map_bytes) {
  const std::string beside = data_file + ".new";
  ::unlink(beside.c_str());
  MDB_env* env = nullptr;
  if (int code = mdb_env_create(&env); code != 0) return lmdb_error("mdb_env_create", code);
  if (map_bytes > 0) mdb_env_set_mapsize(env, map_bytes);
  int code = mdb_env_open(env, beside.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0660);
  if (code == 0) code = mdb_env_sync(env, 1);
  mdb_env_close(env);
  if (code == 0 && rename(beside.c_str(), data_file.c_str()) != 0) code = errno;
  if (code == 0) return {};
  ::unlink(beside.c_str());
  return lmdb_error("make " + data_file, code);
}

void open_to_group(const std::string& path, mode_t mode) {
  struct stat now;
  if (stat(path.c_str(), &now) == 0 && now.st_uid == geteuid() && (now.st_mode & 07777) != mode) chmod(path.c_str(), mode);
}

}  // namespace

LmdbEnv& LmdbEnv::operator=(LmdbEnv&& other) noexcept {
  if (this != &other) {
    if (env_ != nullptr) mdb_env_close(env_);
    env_ = std::exchange(other.env_, nullptr);
    path_ = std::move(other.path_);
    writes_ = other.writes_;
  }
  return *this;
}

LmdbEnv::~LmdbEnv() {
  if (env_ != nullptr) mdb_env_close(env_);
}

Result<LmdbEnv> LmdbEnv::open(const std::string& path, const LmdbOptions& options) {
  struct stat folder;
  if (stat(path.c_str(), &folder) != 0) {
    if (options.read_only) return Error::not_found(path);
    if (mkdir(path.c_str(), 0770) != 0 && errno != EEXIST) return Error::io("mkdir " + path, errno);
    open_to_group(path, 02770);
  }
  const std::string data_file = path + "/data.mdb";
  // An empty file is of a version that made it in place and was killed there: LMDB would go on with it, even to read.
  struct stat data;
  if (stat(data_file.c_str(), &data) != 0 || data.st_size == 0) {
    if (options.read_only) return Error::not_found(data_file);
    if (Status made = make_data_file(data_file, options.map_bytes); !made) return made.error();
  }
  if (Status status = check_lmdb_file(data_file); !status) return status.error();
  if (Status status = reserve_lock_file(path + "/lock.mdb"); !status) return status.error();

  MDB_env* env = nullptr;
  if (int code = mdb_env_create(&env); code != 0) return lmdb_error("mdb_env_create", code);
  LmdbEnv made;
  made.env_ = env;
  made.path_ = path;
  mdb_env_set_maxreaders(env, kLmdbReadersMax);
  if (options.databases > 0) mdb_env_set_maxdbs(env, options.databases);
  if (options.map_bytes > 0) mdb_env_set_mapsize(env, options.map_bytes);
  unsigned flags = MDB_NOTLS;
  if (options.read_only) flags |= MDB_RDONLY;
  if (options.no_sync) flags |= MDB_NOSYNC;
  if (int code = mdb_env_open(env, path.c_str(), flags, 0660); code != 0) return lmdb_error("open " + data_file, code);
  open_to_group(data_file, 0660);
  open_to_group(path + "/lock.mdb", 0660);
  if (!options.read_only) made.clear_dead_readers();
  return made;
}

Status LmdbEnv::sync() {
  if (int code = mdb_env_sync(env_, 1); code != 0) return lmdb_error("sync " + path_, code);
  return {};
}

int LmdbEnv::clear_dead_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
  return dead;
}

LmdbUse LmdbEnv::use() const {
  MDB_envinfo info;
  MDB_stat stat;
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  return {(info.me_last_pgno + 1) * stat.ms_psize, info.me_mapsize};
}

LmdbTxn& LmdbTxn::operator=(LmdbTxn&& other) noexcept {
  if (this != &other) {
    abort();
    txn_ = std::exchange(other.txn_, nullptr);
    env_ = other.env_;
  }
  return *this;
}

namespace {

Result<MDB_txn*> begin(LmdbEnv& env, unsigned flags) {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env.get(), nullptr, flags, &txn);
  if (code == MDB_READERS_FULL && env.clear_dead_readers() > 0) code = mdb_txn_begin(env.get(), nullptr, flags, &txn);
  if (code != 0) return lmdb_error("begin in " + env.path(), code);
  return txn;
}

}  // namespace

Result<LmdbTxn> LmdbTxn::read(LmdbEnv& env) {
  Result<MDB_txn*> begun = begin(env, MDB_RDONLY);
  if (!begun) return begun.error();
  LmdbTxn txn;
  txn.txn_ = *begun;
  txn.env_ = &env;
  return txn;
}

Result<LmdbTxn> LmdbTxn::write(LmdbEnv& env) {
  if (++env.writes_ % kWritesPerReaderCheck == 0) env.clear_dead_readers();
  Result<MDB_txn*> begun = begin(env, 0);
  if (!begun) return begun.error();
  LmdbTxn txn;
  txn.txn_ = *begun;
  txn.env_ = &env;
  return txn;
}

Result<LmdbDatabase> LmdbTxn::database(const char* name) {
  MDB_dbi dbi = 0;
  const bool unnamed = name == nullptr || *name == '\0';
  MDB_envinfo info;
  mdb_env_info(mdb_txn_env(txn_), &info);
  unsigned env_flags = 0;
  mdb_env_get_flags(mdb_txn_env(txn_), &env_flags);
  const bool create = !unnamed && (env_flags & MDB_RDONLY) == 0;
  int code = mdb_dbi_open(txn_, unnamed ? nullptr : name, create ? MDB_CREATE : 0, &dbi);
  if (code == EACCES) code = mdb_dbi_open(txn_, name, 0, &dbi);  // a read transaction of a writing environment
  if (code != 0) return lmdb_error(std::string("database ") + (unnamed ? "" : name), code);
  return LmdbDatabase{dbi};
}

Result<std::string_view> LmdbTxn::get(LmdbDatabase database, std::string_view key) const {
  MDB_val wanted = val(key), found;
  if (int code = mdb_get(txn_, database.handle, &wanted, &found); code != 0) return lmdb_error("get", code);
  return view(found);
}

Status LmdbTxn::put(LmdbDatabase database, std::string_view key, std::string_view value) {
  MDB_val wanted = val(key), given = val(value);
  if (int code = mdb_put(txn_, database.handle, &wanted, &given, 0); code != 0)
    return lmdb_error("put in " + env_->path(), code);
  return {};
}

Status LmdbTxn::append(LmdbDatabase database, std::string_view key, std::string_view value) {
  MDB_val wanted = val(key), given = val(value);
  if (int code = mdb_put(txn_, database.handle, &wanted, &given, MDB_APPEND); code != 0)
    return lmdb_error("append in " + env_->path(), code);
  return {};
}

Status LmdbTxn::remove(LmdbDatabase database, std::string_view key) {
  MDB_val wanted = val(key);
  const int code = mdb_del(txn_, database.handle, &wanted, nullptr);
  if (code != 0 && code != MDB_NOTFOUND) return lmdb_error("delete in " + env_->path(), code);
  return {};
}

uint64_t LmdbTxn::entries(LmdbDatabase database) const {
  MDB_stat stat;
  return mdb_stat(txn_, database.handle, &stat) == 0 ? stat.ms_entries : 0;
}

uint64_t LmdbTxn::bytes(LmdbDatabase database) const {
  MDB_stat stat;
  if (mdb_stat(txn_, database.handle, &stat) != 0) return 0;
  return uint64_t{stat.ms_psize} * (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
}

uint64_t LmdbTxn::id() const { return mdb_txn_id(txn_); }

Status LmdbTxn::commit() {
  MDB_env* const env = mdb_txn_env(txn_);
  const int code = mdb_txn_commit(std::exchange(txn_, nullptr));
  if (code != 0 && is_disk_full(env_->path(), code))
    return Error::full("commit in " + env_->path() + ": no space left on the disk");
  if (code != 0) return lmdb_error("commit in " + env_->path(), code);
  grow_to_claim(env);
  return {};
}

void LmdbTxn::abort() {
  if (txn_ != nullptr) mdb_txn_abort(std::exchange(txn_, nullptr));
}

LmdbCursor::~LmdbCursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

Result<LmdbCursor> LmdbCursor::open(const LmdbTxn& txn, LmdbDatabase database) {
  LmdbCursor made;
  if (int code = mdb_cursor_open(txn.get_txn(), database.handle, &made.cursor_); code != 0)
    return lmdb_error("cursor", code);
  return made;
}

bool LmdbCursor::move(int operation, std::string_view key) {
  MDB_val at = val(key), found;
  valid_ = mdb_cursor_get(cursor_, &at, &found, static_cast<MDB_cursor_op>(operation)) == 0;
  key_ = valid_ ? view(at) : std::string_view{};
  value_ = valid_ ? view(found) : std::string_view{};
  return valid_;
}

bool LmdbCursor::seek(std::string_view key) { return move(MDB_SET_RANGE, key); }
bool LmdbCursor::first() { return move(MDB_FIRST); }
bool LmdbCursor::last() { return move(MDB_LAST); }
bool LmdbCursor::next() { return move(MDB_NEXT); }
bool LmdbCursor::previous() { return move(MDB_PREV); }

Status LmdbCursor::put(std::string_view key, std::string_view value) {
  MDB_val wanted = val(key), given = val(value);
  valid_ = false;
  if (int code = mdb_cursor_put(cursor_, &wanted, &given, 0); code != 0) return lmdb_error("put", code);
  return {};
}

Status LmdbCursor::remove() {
  if (int code = mdb_cursor_del(cursor_, 0); code != 0) return lmdb_error("delete", code);
  return {};
}

// --- copies ----------------------------------------------------------------------------------------------------------

namespace {

Status sync_path(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error::io("open " + path, errno);
  const int code = fsync(fd);
  const int sync_errno = errno;
  ::close(fd);
  return code == 0 ? Status() : Error::io("sync " + path, sync_errno);
}

}  // namespace

Status copy_compacted(LmdbEnv& env, const std::string& folder) {
  if (mkdir(folder.c_str(), 0770) != 0) return Error::io("mkdir " + folder, errno);
  open_to_group(folder, 02770);
  const int code = mdb_env_copy2(env.get(), folder.c_str(), MDB_CP_COMPACT);
  if (code != 0 && (code == ENOSPC || is_disk_full(folder, code)))
    return Error::full("copy to " + folder + ": no space left on the disk");
  if (code != 0) return lmdb_error("copy to " + folder, code);
  open_to_group(folder + "/data.mdb", 0660);
  if (Status status = sync_path(folder + "/data.mdb"); !status) return status;
  return sync_path(folder);
}

}  // namespace footfall
