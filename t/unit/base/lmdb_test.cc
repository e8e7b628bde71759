// LMDB behind its door: what is kept, what is refused before it can kill, and what a dead reader may hold up.
#include "base/lmdb.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/lmdb_file.h"
#include "child.h"
#include "random.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr uint64_t kMapBytes = 8 << 20;

struct Held {
  TempFolder folder;
  std::string path = folder / "env";
  std::string file = path + "/data.mdb";
  std::optional<LmdbEnv> env;
  std::optional<LmdbTxn> txn;
  std::optional<LmdbCursor> cursor;
  std::optional<LmdbTxn> snapshot;
  LmdbDatabase database;

  ~Held() {  // in the order that LMDB wants
    cursor.reset();
    txn.reset();
    snapshot.reset();
    env.reset();
  }
};
std::optional<Held> held;

int start_afresh(void**) {
  held.emplace();
  return 0;
}
int clear_away(void**) {
  held.reset();
  return 0;
}

Error::Code open_fault(const std::string& path, const LmdbOptions& options) {
  const Result<LmdbEnv> opened = LmdbEnv::open(path, options);
  if (opened) fail_msg("%s was opened", path.c_str());
  return opened.error().code;
}

void open(const LmdbOptions& options = {.map_bytes = kMapBytes, .no_sync = true}) {
  Result<LmdbEnv> opened = LmdbEnv::open(held->path, options);
  if (!opened) fail_msg("%s", opened.error().text.c_str());
  held->env.emplace(std::move(*opened));
}

void begin_write(const char* name = "") {
  Result<LmdbTxn> begun = LmdbTxn::write(*held->env);
  if (!begun) fail_msg("%s", begun.error().text.c_str());
  held->txn.emplace(std::move(*begun));
  held->database = *held->txn->database(name);
}

void begin_read(const char* name = "") {
  Result<LmdbTxn> begun = LmdbTxn::read(*held->env);
  if (!begun) fail_msg("%s", begun.error().text.c_str());
  held->txn.emplace(std::move(*begun));
  held->database = *held->txn->database(name);
}

void put(std::string_view key, std::string_view value) {
  const Status status = held->txn->put(held->database, key, value);
  if (!status) fail_msg("%s", status.error().text.c_str());
}

void commit() {
  const Status status = held->txn->commit();
  if (!status) fail_msg("%s", status.error().text.c_str());
}

std::string get(std::string_view key) {
  const Result<std::string_view> found = held->txn->get(held->database, key);
  return found ? std::string(*found) : "(none)";
}

std::string numbered(uint64_t number) {
  std::string key;
  BytesWriter(key).be64(number);
  return key;
}

void fill(int entries, size_t bytes) {
  begin_write();
  for (int i = 0; i < entries; ++i)
    put(numbered(static_cast<uint64_t>(i)), std::string(bytes, static_cast<char>('a' + i % 26)));
  commit();
}

// --- what is kept ---

void what_is_committed_comes_back(void**) {
  open();
  begin_write();
  put("cart", "1");
  put("home", "2");
  put("cart", "3");
  assert_true(held->txn->remove(held->database, "home").ok());
  assert_true(held->txn->remove(held->database, "home").ok());  // a missing key is no error
  commit();
  held->env.reset();
  open({.read_only = true});
  begin_read();
  expect_text(get("cart"), "3");
  expect_text(get("home"), "(none)");
  assert_int_equal(held->txn->get(held->database, "home").error().code, Error::Code::not_found);
  assert_int_equal(held->txn->entries(held->database), 1);
}

void what_is_not_committed_never_was(void**) {
  open();
  fill(3, 10);
  begin_write();
  put(numbered(1), "changed");
  held->txn.reset();
  begin_write();
  put(numbered(2), "changed too");
  held->txn->abort();
  assert_false(static_cast<bool>(*held->txn));
  begin_read();
  expect_text(get(numbered(1)), "bbbbbbbbbb");
  expect_text(get(numbered(2)), "cccccccccc");
}

void a_snapshot_stays_what_it_was(void**) {
  open();
  fill(1, 4);
  begin_read();
  held->snapshot.emplace(std::move(*held->txn));
  begin_write();
  put(numbered(0), "later");
  commit();
  expect_text(*held->snapshot->get(held->database, numbered(0)), "aaaa");
  begin_read();
  expect_text(get(numbered(0)), "later");
  assert_true(held->txn->id() > held->snapshot->id());
}

void databases_have_their_own_keys(void**) {
  open({.map_bytes = kMapBytes, .databases = 2});
  begin_write("visits");
  put("key", "of a visit");
  const LmdbDatabase visits = held->database;
  held->database = *held->txn->database("orders");
  expect_text(get("key"), "(none)");
  put("key", "of an order");
  commit();
  begin_read("visits");
  assert_int_equal(held->database.handle, visits.handle);
  expect_text(get("key"), "of a visit");
  held->txn.reset();
  held->env.reset();
  open({.read_only = true, .databases = 2});
  begin_read("orders");
  expect_text(get("key"), "of an order");
  assert_int_equal(held->txn->database("goals").error().code, Error::Code::not_found);
}

void appending_wants_rising_keys(void**) {
  open();
  begin_write();
  assert_true(held->txn->append(held->database, numbered(1), "one").ok());
  assert_true(held->txn->append(held->database, numbered(2), "two").ok());
  assert_false(held->txn->append(held->database, numbered(1), "again").ok());
}

void keys_out_of_bounds_are_refused(void**) {
  open();
  begin_write();
  assert_true(held->txn->put(held->database, std::string(511, 'k'), "v").ok());
  assert_false(held->txn->put(held->database, std::string(512, 'k'), "v").ok());
  assert_false(held->txn->put(held->database, "", "v").ok());
}

// --- the cursor ---

void a_cursor_walks_in_key_order(void**) {
  open();
  begin_write();
  for (uint64_t i : {30u, 10u, 20u}) put(numbered(i), std::to_string(i));
  held->cursor.emplace(std::move(LmdbCursor::open(*held->txn, held->database).value()));
  LmdbCursor& cursor = *held->cursor;
  assert_false(cursor.valid());
  assert_true(cursor.first());
  expect_text(cursor.value(), "10");
  assert_true(cursor.next());
  expect_text(cursor.value(), "20");
  assert_true(cursor.next() && cursor.valid());
  assert_false(cursor.next());
  assert_false(cursor.valid());
  expect_text(cursor.key(), "");
  assert_true(cursor.seek(numbered(11)));
  expect_text(cursor.key(), numbered(20));
  assert_true(cursor.previous());
  expect_text(cursor.value(), "10");
  assert_false(cursor.seek(numbered(31)));
  assert_true(cursor.last());
  expect_text(cursor.value(), "30");
}

void a_cursor_goes_on_behind_what_it_removed(void**) {
  open();
  fill(10, 4);
  begin_write();
  held->cursor.emplace(std::move(LmdbCursor::open(*held->txn, held->database).value()));
  for (bool there = held->cursor->first(); there; there = held->cursor->next())
    if (load_be64(held->cursor->key().data()) % 2 == 0) assert_true(held->cursor->remove().ok());
  std::string left;
  for (bool there = held->cursor->first(); there; there = held->cursor->next())
    left += std::to_string(load_be64(held->cursor->key().data())) + " ";
  expect_text(left, "1 3 5 7 9 ");
}

// --- what is refused ---

void reading_what_is_not_there_makes_nothing(void**) {
  assert_int_equal(open_fault(held->path, {.read_only = true}), Error::Code::not_found);
  assert_false(std::filesystem::exists(held->path));
  std::filesystem::create_directory(held->path);
  assert_int_equal(open_fault(held->path, {.read_only = true}), Error::Code::not_found);
  assert_true(std::filesystem::is_empty(held->path));
  assert_int_equal(open_fault(held->folder / "missing/env", {.map_bytes = kMapBytes}), Error::Code::io);
}

void a_file_whose_maker_was_killed_is_not_there_yet(void**) {
  std::filesystem::create_directory(held->path);
  std::ofstream(held->file).close();
  assert_int_equal(open_fault(held->path, {.read_only = true}), Error::Code::not_found);
  open();
  begin_write();
  put("home", "1");
  commit();
  held->env.reset();
  open({.read_only = true});
  begin_read();
  expect_text(get("home"), "1");
}

// LMDB begins a file with two pages, of which a full disk may take one.
void a_file_that_got_no_room_when_it_was_made_is_made_later(void**) {
  open({.map_bytes = kMapBytes});
  held->env.reset();
  std::filesystem::remove(held->file);  // the lock file stays, which is longer
  const bool refused = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit one_page{4096, 4096};
    if (setrlimit(RLIMIT_FSIZE, &one_page) != 0) return false;
    return !LmdbEnv::open(held->path, {.map_bytes = kMapBytes});
  });
  assert_true(refused);
  assert_int_equal(open_fault(held->path, {.read_only = true}), Error::Code::not_found);
  open({.map_bytes = kMapBytes});
  begin_write();
  put("home", "1");
  commit();
}

void a_file_that_is_not_ours_is_refused_and_kept(void**) {
  std::filesystem::create_directory(held->path);
  for (const std::string& content :
       {std::string("a note"), std::string(4096, '\0'), std::string(8192, '\0'), std::string(100'000, 'x')}) {
    std::ofstream(held->file, std::ios::trunc) << content;
    for (bool read_only : {false, true})
      assert_int_equal(open_fault(held->path, {.map_bytes = kMapBytes, .read_only = read_only}), Error::Code::corrupt);
    std::ifstream back(held->file);
    assert_true(std::string(std::istreambuf_iterator<char>(back), {}) == content);
  }
}

// A file cut off anywhere ends in SIGBUS as soon as a lost page is read. All of them must be told by their size.
void a_truncated_file_is_refused_before_it_can_kill(void**) {
  open({.map_bytes = kMapBytes});
  fill(100, 5000);
  held->txn.reset();
  held->env.reset();
  const uintmax_t whole = std::filesystem::file_size(held->file);
  assert_true(whole > 500'000);
  static Random random(1);
  for (int round = 0; round < 60; ++round) {
    const uintmax_t left = round == 0 ? whole - 1 : round == 1 ? whole - 4096 : 1 + random.below(whole - 4096);
    std::filesystem::copy_file(held->file, held->folder / "whole", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(held->file, left);
    const bool refused = in_child([&] {
      const LmdbOptions options{.map_bytes = kMapBytes, .read_only = round % 2 == 0};
      const Result<LmdbEnv> opened = LmdbEnv::open(held->path, options);
      return !opened && opened.error().code == Error::Code::corrupt;
    });
    if (!refused) fail_msg("cut to %ju of %ju bytes", left, whole);
    std::filesystem::rename(held->folder / "whole", held->file);
  }
  open();
  begin_read();
  assert_int_equal(held->txn->entries(held->database), 100);
}

// Opens and reads all there is, in a process that may die of it.
enum class Fate { refused, read, died };
Fate open_and_read() {
  constexpr int kRefused = 3;
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    Result<LmdbEnv> env = LmdbEnv::open(held->path, {.map_bytes = kMapBytes, .read_only = true});
    if (!env) _exit(env.error().code == Error::Code::corrupt ? kRefused : 1);
    Result<LmdbTxn> txn = LmdbTxn::read(*env);
    if (!txn) _exit(1);
    Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *txn->database(""));
    size_t bytes = 0;
    for (bool there = cursor->first(); there; there = cursor->next())
      for (char c : cursor->value()) bytes += c != '\0';
    _exit(bytes > 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Fate::read;
  return WIFEXITED(status) && WEXITSTATUS(status) == kRefused ? Fate::refused : Fate::died;
}

// Free pages at the file's end need not be there. A file without them is whole; one page less, and it is not.
void a_file_that_lacks_free_pages_alone_is_whole(void**) {
  open();
  fill(100, 5000);
  begin_write();
  for (uint64_t i = 40; i < 100; ++i) assert_true(held->txn->remove(held->database, numbered(i)).ok());
  commit();
  for (int i = 0; i < 10; ++i) {  // until the tree itself has moved to the front
    begin_write();
    put(numbered(0), std::to_string(i));
    commit();
  }
  held->txn.reset();
  held->env.reset();
  uintmax_t bytes = std::filesystem::file_size(held->file);
  int whole = 0;
  Fate fate = Fate::read;
  for (; fate == Fate::read; ++whole) {
    bytes -= 4096;
    std::filesystem::resize_file(held->file, bytes);
    fate = open_and_read();
  }
  assert_true(fate == Fate::refused);
  assert_true(whole > 50);
}

// The walk itself meets whatever lies in the file.
void a_damaged_short_file_does_no_harm(void**) {
  open({.map_bytes = kMapBytes, .databases = 2});
  begin_write("visits");
  for (uint64_t i = 0; i < 2000; ++i) put(numbered(i), std::string(i % 50 == 0 ? 9000 : 60, 'v'));
  commit();
  held->txn.reset();
  held->env.reset();
  std::filesystem::resize_file(held->file, std::filesystem::file_size(held->file) - 4096);
  std::ifstream file(held->file);
  const std::string good(std::istreambuf_iterator<char>(file), {});
  const std::string other = held->folder / "other";
  static Random random(4);
  for (int round = 0; round < 1500; ++round) {
    static std::string bytes;
    bytes = good;
    for (int changes = 0; changes < 30; ++changes) {
      const size_t at = random.below(bytes.size() / 4096) * 4096 + random.below(8) * random.below(512);
      bytes[at] = static_cast<char>(random.below(3) == 0 ? random.next() : bytes[at] ^ 1 << random.below(8));
    }
    std::ofstream(other, std::ios::trunc) << bytes;
    (void)check_lmdb_file(other).ok();
  }
}

// The other side of the same check: whatever was committed in good order opens again, and holds what was put.
void what_was_committed_is_never_refused(void**) {
  static Random random(2);
  static std::map<std::string, std::string> expected;
  expected.clear();
  for (int round = 0; round < 150; ++round) {
    open({.map_bytes = 32 << 20, .no_sync = round % 3 != 0});
    for (uint64_t commits = random.below(4); commits > 0; --commits) {
      begin_write();
      for (uint64_t changes = random.below(120); changes > 0; --changes) {
        const std::string key = numbered(random.below(300));
        if (random.below(5) < 2) {
          assert_true(held->txn->remove(held->database, key).ok());
          expected.erase(key);
        } else {
          expected[key] = std::string(random.below(random.below(8) == 0 ? 40'000 : 1500), 'v');
          put(key, expected[key]);
        }
      }
      if (random.below(6) == 0) {  // and now and then everything goes
        for (const auto& [key, value] : expected) assert_true(held->txn->remove(held->database, key).ok());
        expected.clear();
      }
      commit();
    }
    begin_read();
    assert_int_equal(held->txn->entries(held->database), expected.size());
    for (const auto& [key, value] : expected) assert_true(get(key) == value);
    held->txn.reset();
    held->env.reset();
  }
}

// --- no room ---

void a_full_map_is_an_error_and_costs_nothing_that_was_there(void**) {
  open({.map_bytes = 1 << 20, .no_sync = true});
  fill(20, 10'000);
  begin_write();
  Status status;
  for (uint64_t i = 1000; status && i < 2000; ++i)
    status = held->txn->put(held->database, numbered(i), std::string(10'000, 'z'));
  assert_false(status.ok());
  assert_int_equal(status.error().code, Error::Code::full);
  held->txn->abort();
  begin_read();
  assert_int_equal(held->txn->entries(held->database), 20);
  expect_text(get(numbered(19)), std::string(10'000, 't'));
  held->txn.reset();
  begin_write();  // and it goes on
  for (uint64_t i = 0; i < 20; ++i) assert_true(held->txn->remove(held->database, numbered(i)).ok());
  commit();
  fill(20, 10'000);
}

void use_is_told_in_bytes(void**) {
  open({.map_bytes = 1 << 20});
  assert_int_equal(held->env->use().map_bytes, 1 << 20);
  fill(20, 10'000);
  const uint64_t used = held->env->use().used_bytes;
  assert_true(used > 200'000 && used < 400'000);
  assert_true(held->env->sync().ok());
}

// --- who else is there ---

void group_may_in_whatever_the_umask(void**) {
  assert_true(in_child([] {
    umask(077);
    child_check(LmdbEnv::open(held->path, {.map_bytes = kMapBytes}).ok());
    return true;
  }));
  struct stat now;
  assert_int_equal(stat(held->path.c_str(), &now), 0);
  assert_int_equal(now.st_mode & 07777, 02770);
  for (const char* name : {"/data.mdb", "/lock.mdb"}) {
    assert_int_equal(stat((held->path + name).c_str(), &now), 0);
    assert_int_equal(now.st_mode & 07777, 0660);
  }
}

// Commits until the map is full, at most 2,000 times; how many went.
int rewrite(LmdbEnv& env) {
  for (int i = 0; i < 2000; ++i) {
    Result<LmdbTxn> txn = LmdbTxn::write(env);
    if (!txn || !txn->put(*txn->database(""), "key", std::string(20'000, static_cast<char>('a' + i % 26))).ok())
      return i;
    if (!txn->commit().ok()) return i;
  }
  return 2000;
}

void a_readers_death_gives_back_what_it_pinned(void**) {
  static std::optional<Child> reader;
  reader.emplace([](Child& self) {
    Result<LmdbEnv> env = LmdbEnv::open(held->path, {.map_bytes = 1 << 20, .no_sync = true});
    child_check(env.ok());
    child_check(rewrite(*env) == 2000);  // nobody reads: pages go round
    Result<LmdbTxn> snapshot = LmdbTxn::read(*env);
    child_check(snapshot.ok());
    self.step_done();
    return true;
  });
  assert_true(reader->await_step());
  open({.map_bytes = 1 << 20, .no_sync = true});
  assert_true(rewrite(*held->env) < 100);  // pinned
  assert_int_equal(held->env->clear_dead_readers(), 0);
  reader->kill();
  reader.reset();
  assert_true(rewrite(*held->env) < 100);  // LMDB itself does not look
  assert_int_equal(held->env->clear_dead_readers(), 1);
  assert_int_equal(rewrite(*held->env), 2000);
}

// Who writes on finds the room again without asking for it; so does who opens anew after a full map.
void dead_readers_are_looked_for(void**) {
  static std::optional<Child> reader;
  for (const bool opened_anew : {false, true}) {
    reader.emplace([](Child& self) {
      Result<LmdbEnv> env = LmdbEnv::open(held->path, {.map_bytes = 1 << 20, .no_sync = true});
      child_check(env.ok());
      Result<LmdbTxn> snapshot = LmdbTxn::read(*env);
      child_check(snapshot.ok());
      self.step_done();
      return true;
    });
    assert_true(reader->await_step());
    open({.map_bytes = 1 << 20, .no_sync = true});
    assert_true(rewrite(*held->env) < 100);
    reader->kill();
    reader.reset();
    if (opened_anew) {
      held->env.reset();  // once a process
      open({.map_bytes = 1 << 20, .no_sync = true});
    } else {
      for (int i = 0; i < 200; ++i) rewrite(*held->env);
    }
    assert_int_equal(rewrite(*held->env), 2000);
    held->env.reset();
  }
}

// A writer killed within a transaction leaves the lock to the next, and nothing of what it had begun.
void a_killed_writer_stops_nobody(void**) {
  static std::optional<Child> writer;
  writer.emplace([](Child& self) {
    Result<LmdbEnv> env = LmdbEnv::open(held->path, {.map_bytes = kMapBytes, .no_sync = true});
    child_check(env.ok());
    Result<LmdbTxn> txn = LmdbTxn::write(*env);
    child_check(txn.ok() && txn->put(*txn->database(""), "kept", "1").ok() && txn->commit().ok());
    txn = LmdbTxn::write(*env);
    child_check(txn.ok() && txn->put(*txn->database(""), "lost", "1").ok());
    self.step_done();
    return true;
  });
  assert_true(writer->await_step());
  writer->kill();
  writer.reset();
  open();
  begin_write();
  expect_text(get("kept"), "1");
  expect_text(get("lost"), "(none)");
  put("next", "1");
  commit();
}

}  // namespace
}  // namespace footfall

#define in_folder(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      in_folder(what_is_committed_comes_back),
      in_folder(what_is_not_committed_never_was),
      in_folder(a_snapshot_stays_what_it_was),
      in_folder(databases_have_their_own_keys),
      in_folder(appending_wants_rising_keys),
      in_folder(keys_out_of_bounds_are_refused),
      in_folder(a_cursor_walks_in_key_order),
      in_folder(a_cursor_goes_on_behind_what_it_removed),
      in_folder(reading_what_is_not_there_makes_nothing),
      in_folder(a_file_whose_maker_was_killed_is_not_there_yet),
      in_folder(a_file_that_got_no_room_when_it_was_made_is_made_later),
      in_folder(a_file_that_is_not_ours_is_refused_and_kept),
      in_folder(a_truncated_file_is_refused_before_it_can_kill),
      in_folder(a_file_that_lacks_free_pages_alone_is_whole),
      in_folder(a_damaged_short_file_does_no_harm),
      in_folder(what_was_committed_is_never_refused),
      in_folder(a_full_map_is_an_error_and_costs_nothing_that_was_there),
      in_folder(use_is_told_in_bytes),
      in_folder(group_may_in_whatever_the_umask),
      in_folder(a_readers_death_gives_back_what_it_pinned),
      in_folder(dead_readers_are_looked_for),
      in_folder(a_killed_writer_stops_nobody),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
