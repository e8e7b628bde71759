// The store's folder: made whole by whoever comes first, open to its group, refused where it is not ours; and its
// locks.
#include "lane/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "child.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

struct Held {
  TempFolder folder;
  std::string path = folder / "store";
  std::optional<Store> store, other;
  std::optional<FileLock> lock;
  std::optional<Child> child;
  std::string text;
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

void create() {
  Result<Store> made = Store::create(held->path, std::nullopt);
  if (!made) fail_msg("%s", made.error().text.c_str());
  held->store.emplace(std::move(*made));
}

Error::Code open_fault() {
  const Result<Store> opened = Store::open(held->path);
  if (opened) fail_msg("opened");
  return opened.error().code;
}

mode_t mode_of(const std::string& path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 ? file.st_mode & 07777 : 0;
}

void write_file(const std::string& name, std::string_view content) {
  std::ofstream(held->path + "/" + name, std::ios::trunc | std::ios::binary) << content;
}

// --- made and opened ---

void a_store_keeps_its_secret(void**) {
  create();
  const Secret256 secret = held->store->secret();
  assert_false(secret == Secret256{});
  held->other.emplace(std::move(Store::open(held->path).value()));
  assert_true(held->other->secret() == secret);
  create();  // once more: checked, not changed
  assert_true(held->store->secret() == secret);
  expect_text(held->store->path(), held->path);
}

void stores_have_secrets_and_names_of_their_own(void**) {
  create();
  held->other.emplace(std::move(Store::create(held->folder / "another", std::nullopt).value()));
  assert_false(held->other->secret() == held->store->secret());
  assert_false(held->other->id() == held->store->id());
  assert_int_equal(held->store->id().size(), 16);
  assert_true(held->store->id().find_first_not_of("0123456789abcdef") == std::string::npos);
  expect_text(Store::open(held->path)->id(), held->store->id());
}

void the_group_may_in_whatever_the_umask(void**) {
  const mode_t before = umask(077);
  create();
  umask(before);
  assert_int_equal(mode_of(held->path), 02770);
  assert_int_equal(mode_of(held->path + "/format"), 0660);
  assert_int_equal(mode_of(held->path + "/secret"), 0660);
}

void whoever_makes_it_as_root_gives_it_to_its_owner(void**) {
  if (geteuid() != 0) skip();
  held->store.emplace(std::move(Store::create(held->path, StoreOwner{1234, 2345}).value()));
  const StoreOwner owner = *held->store->owner();
  assert_int_equal(owner.user, 1234);
  assert_int_equal(owner.group, 2345);
  assert_int_equal(mode_of(held->path), 02770);  // a change of owner clears the group's bit
  for (const char* name : {"/format", "/secret"}) {
    struct stat file;
    assert_int_equal(stat((held->path + name).c_str(), &file), 0);
    assert_int_equal(file.st_uid, 1234);
    assert_int_equal(file.st_gid, 2345);
    assert_int_equal(file.st_mode & 07777, 0660);
  }
}

// Several processes at once: all of them get the same store, and no half-made file stays behind.
void all_who_come_at_once_get_the_same_store(void**) {
  static std::optional<Child> children[4];
  for (auto& child : children) {
    child.emplace([](Child& self) {
      self.step_done();
      const Result<Store> store = Store::create(held->path, std::nullopt);
      child_check(store.ok());
      std::ofstream(held->folder / std::to_string(getpid())) << store->id();
      return true;
    });
  }
  static std::string ids;
  ids.clear();
  for (auto& child : children) assert_true(child->await_step());
  for (auto& child : children) child->go();
  for (auto& child : children) {
    const std::string name = std::to_string(child->pid());
    assert_true(child->finish());
    std::ifstream file(held->folder / name);
    ids.assign(std::istreambuf_iterator<char>(file), {});
    expect_text(ids, Store::open(held->path)->id());
    child.reset();
  }
  for (const auto& entry : std::filesystem::directory_iterator(held->path))
    assert_true(entry.path().filename() == "format" || entry.path().filename() == "secret");
}

// --- refused ---

void what_is_not_there_is_told(void**) {
  assert_int_equal(open_fault(), Error::Code::not_found);
  assert_false(std::filesystem::exists(held->path));
  assert_int_equal(Store::create(held->folder / "missing/store", std::nullopt).error().code, Error::Code::io);
}

void another_format_is_refused_and_kept(void**) {
  create();
  write_file("format", "footfall store 2\n");
  assert_int_equal(open_fault(), Error::Code::version);
  assert_int_equal(Store::create(held->path, std::nullopt).error().code, Error::Code::version);
  write_file("format", "a shopping list\n");
  assert_int_equal(open_fault(), Error::Code::corrupt);
  write_file("format", "");
  assert_int_equal(open_fault(), Error::Code::corrupt);
  write_file("format", "footfall store 1\n");
  assert_true(Store::open(held->path).ok());
}

void a_damaged_secret_is_refused(void**) {
  create();
  for (const std::string& secret : {std::string(), std::string(31, 's'), std::string(33, 's')}) {
    write_file("secret", secret);
    assert_int_equal(open_fault(), Error::Code::corrupt);
    assert_int_equal(Store::create(held->path, std::nullopt).error().code, Error::Code::corrupt);  // and not made anew
  }
  std::filesystem::remove(held->path + "/secret");
  assert_int_equal(open_fault(), Error::Code::not_found);
}

void a_file_in_its_place_is_refused(void**) {
  std::ofstream(held->path) << "a note";
  assert_int_equal(Store::create(held->path, std::nullopt).error().code, Error::Code::invalid);
  assert_int_equal(open_fault(), Error::Code::io);
}

void local_file_systems_are_well(void**) {
  assert_true(check_file_system(held->folder.path()).ok());
  assert_true(check_file_system("/dev/shm").ok());
  assert_int_equal(check_file_system(held->path).error().code, Error::Code::io);
}

// --- its parts ---

void lanes_are_listed_by_number(void**) {
  create();
  for (const char* name :
       {"lane.10", "lane.2", "lane.0", "lane.255", "lane.256", "lane.x", "lane.", "lane.1x", "lanes"})
    std::filesystem::create_directory(held->path + "/" + name);
  assert_true(held->store->lanes() == (std::vector<unsigned>{0, 2, 10, 255}));
  expect_text(held->store->lane_path(7), held->path + "/lane.7");
}

void the_summary_is_the_current_generation(void**) {
  create();
  expect_text(held->store->summary_path(), held->path + "/summary.0");
  write_file("current", "3\n");
  expect_text(held->store->summary_path(), held->path + "/summary.3");
}

void stages_go_where_it_is_wanted(void**) {
  create();
  expect_text(held->store->stage_folder(held->folder / "stages", std::nullopt), held->folder / "stages");
  assert_int_equal(mode_of(held->folder / "stages"), 02770);
  expect_text(held->store->stage_folder(held->folder / "missing/stages", std::nullopt), "");  // beside the ring then
  held->text = held->store->stage_folder("", std::nullopt);
  if (!held->text.empty()) {  // on a tmpfs, by the store's name
    assert_true(held->text.ends_with(held->store->id()));
    assert_true(std::filesystem::is_empty(held->text));
    std::filesystem::remove(held->text);
  }
}

void a_boot_has_one_id(void**) {
  uint8_t one[16], other[16];
  read_boot_id(one);
  read_boot_id(other);
  assert_memory_equal(one, other, sizeof one);
  constexpr uint8_t kNone[16] = {};
  assert_memory_not_equal(one, kNone, sizeof one);
}

// --- locks ---

void a_lock_is_held_by_one(void**) {
  const std::string path = held->folder / "lock";
  assert_int_equal(lock_holder(path), 0);
  held->lock.emplace(std::move(FileLock::try_lock(path).value()));
  held->lock->write_pid();
  Result<FileLock> second = FileLock::try_lock(path);  // in the same process as well
  assert_false(second.ok());
  assert_int_equal(second.error().code, Error::Code::busy);
  assert_true(second.error().text.find("process " + std::to_string(getpid())) != std::string::npos);
  assert_int_equal(lock_holder(path), getpid());
  assert_int_equal(mode_of(path), 0660);
  held->lock->release();
  assert_false(static_cast<bool>(*held->lock));
  assert_int_equal(lock_holder(path), 0);
  assert_true(FileLock::try_lock(path).ok());
}

// A POSIX lock would go with any descriptor of the file that closes.
void reading_a_locked_file_does_not_unlock_it(void**) {
  const std::string path = held->folder / "lock";
  held->lock.emplace(std::move(FileLock::try_lock(path).value()));
  close(open(path.c_str(), O_RDWR | O_CLOEXEC));
  assert_false(in_child([&] { return FileLock::try_lock(path).ok(); }));
}

void a_lock_dies_with_its_process(void**) {
  const std::string path = held->folder / "lock";
  held->child.emplace([&](Child& self) {
    Result<FileLock> lock = FileLock::try_lock(path);
    child_check(lock.ok());
    lock->write_pid();
    self.step_done();
    return true;
  });
  assert_true(held->child->await_step());
  assert_int_equal(lock_holder(path), held->child->pid());
  assert_false(FileLock::try_lock(path).ok());
  held->child->kill();
  assert_int_equal(lock_holder(path), 0);
  assert_true(FileLock::try_lock(path).ok());
}

void the_writer_says_up_to_when_its_checkpoint_tells_all(void**) {
  assert_false(read_heartbeat(held->folder / "").has_value());
  held->lock.emplace(std::move(FileLock::try_lock(held->folder / "writer").value()));
  held->lock->write_pid();
  assert_false(read_heartbeat(held->folder / "").has_value());  // nothing said yet
  write_heartbeat(*held->lock, {123456, 1'800'000'000'123, 1'800'000'000'000});
  write_heartbeat(*held->lock, {7, 1'800'000'001'123, 1'800'000'001'000});  // a shorter line leaves no rest of the longer
  const std::optional<Heartbeat> told = read_heartbeat(held->folder / "");
  assert_true(told.has_value());
  expect_number(told->checkpoint, 7);
  expect_number(told->as_of_ms, 1'800'000'001'123);
  expect_number(told->complete_through_ms, 1'800'000'001'000);
  assert_int_equal(lock_holder(held->folder / "writer"), getpid());
}

void a_link_is_no_lock(void**) {
  const std::string path = held->folder / "lock";
  assert_int_equal(symlink("/etc/passwd", path.c_str()), 0);
  assert_int_equal(FileLock::try_lock(path).error().code, Error::Code::io);
}

}  // namespace
}  // namespace footfall

#define in_folder(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      in_folder(a_store_keeps_its_secret),
      in_folder(stores_have_secrets_and_names_of_their_own),
      in_folder(the_group_may_in_whatever_the_umask),
      in_folder(whoever_makes_it_as_root_gives_it_to_its_owner),
      in_folder(all_who_come_at_once_get_the_same_store),
      in_folder(what_is_not_there_is_told),
      in_folder(another_format_is_refused_and_kept),
      in_folder(a_damaged_secret_is_refused),
      in_folder(a_file_in_its_place_is_refused),
      in_folder(local_file_systems_are_well),
      in_folder(lanes_are_listed_by_number),
      in_folder(the_summary_is_the_current_generation),
      in_folder(stages_go_where_it_is_wanted),
      in_folder(a_boot_has_one_id),
      in_folder(a_lock_is_held_by_one),
      in_folder(reading_a_locked_file_does_not_unlock_it),
      in_folder(a_lock_dies_with_its_process),
      in_folder(the_writer_says_up_to_when_its_checkpoint_tells_all),
      in_folder(a_link_is_no_lock),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
