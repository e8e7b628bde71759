// Salts: one for a day whoever comes first, yesterday's within the visit gap alone, and after 48 hours none at all.
#include "lane/salts.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/clock.h"
#include "child.h"
#include "lane/sample.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kGapMs = 30 * 60 * 1000;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kMidnight = kNoon - 12 * kHourMs;
const int64_t kToday = utc_day(kNoon);

struct Held {
  TempFolder folder;
  std::optional<Store> store;
  std::optional<SaltKeeper> keeper, other;
  std::optional<Child> children[2];
  std::string text;
};
std::optional<Held> held;

int start_afresh(void**) {
  held.emplace();
  Result<Store> made = Store::create(held->folder / "store", std::nullopt);
  if (!made) return -1;
  held->store.emplace(std::move(*made));
  held->keeper.emplace(*held->store);
  held->other.emplace(*held->store);
  return 0;
}
int clear_away(void**) {
  held.reset();
  return 0;
}

std::string salt_file(int64_t day) { return held->store->path() + "/salt." + std::to_string(day); }
bool is_there(int64_t day) { return std::filesystem::exists(salt_file(day)); }
std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
const VisitorKeys& keys(int64_t time_ms) { return held->keeper->keys(time_ms, kGapMs); }

void a_day_has_one_salt(void**) {
  const Key128 noon = keys(kNoon).anonymous;
  assert_true(keys(kNoon).has_anonymous);
  assert_true(keys(kMidnight).anonymous == noon);
  assert_true(keys(kMidnight + 24 * kHourMs - 1).anonymous == noon);
  assert_true(held->other->keys(kNoon, kGapMs).anonymous == noon);  // whoever asks
  assert_int_equal(content(salt_file(kToday)).size(), 32);
}

void no_two_days_share_one(void**) {
  static std::vector<Key128> seen;
  seen.clear();
  for (int day = 0; day < 30; ++day) seen.push_back(keys(kNoon + day * kMsPerDay).anonymous);
  std::sort(seen.begin(), seen.end());
  assert_true(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

void stores_share_none(void**) {
  const Key128 here = keys(kNoon).anonymous, id = keys(kNoon).id, customer = keys(kNoon).customer;
  held->store.emplace(std::move(Store::create(held->folder / "another", std::nullopt).value()));
  held->keeper.emplace(*held->store);
  assert_false(keys(kNoon).anonymous == here);
  assert_false(keys(kNoon).id == id);
  assert_false(keys(kNoon).customer == customer);
  assert_false(id == customer);
}

void ids_do_not_change_with_the_day(void**) {
  const Key128 id = keys(kNoon).id, customer = keys(kNoon).customer;
  assert_true(keys(kNoon + kMsPerDay).id == id);
  assert_true(keys(kNoon + 100 * kMsPerDay).customer == customer);
}

void yesterdays_key_serves_one_visit_gap(void**) {
  const Key128 yesterday = keys(kMidnight - 1).anonymous;
  assert_true(keys(kMidnight).has_previous);
  assert_true(keys(kMidnight).previous == yesterday);
  assert_false(keys(kMidnight).anonymous == yesterday);
  assert_true(keys(kMidnight + kGapMs - 1).has_previous);
  assert_false(keys(kMidnight + kGapMs).has_previous);
  assert_false(keys(kNoon).has_previous);
  assert_true(held->other->keys(kMidnight + 1, kGapMs).previous == yesterday);  // who was not there yesterday as well
  assert_false(held->other->keys(kMidnight + 1, 0).has_previous);
}

void on_the_first_day_there_is_no_yesterday(void**) {
  assert_false(keys(kMidnight + 1).has_previous);
  assert_false(is_there(kToday - 1));
}

// The next day's is there before anybody needs it.
void tomorrows_is_made_today(void**) {
  keys(kNoon);
  assert_true(is_there(kToday + 1));
  held->text = content(salt_file(kToday + 1));
  keys(kNoon + kMsPerDay);
  assert_true(content(salt_file(kToday + 1)) == held->text);
}

void after_48_hours_it_is_gone(void**) {
  keys(kNoon);
  const int64_t end_ms = (kToday + 2) * kMsPerDay;
  assert_int_equal(held->keeper->destroy_old(end_ms - 1), 0);
  assert_true(is_there(kToday));
  assert_int_equal(held->keeper->destroy_old(end_ms), 1);
  assert_false(is_there(kToday));
  assert_true(is_there(kToday + 1));
  assert_int_equal(held->keeper->destroy_old(end_ms), 0);
}

// What is unlinked may still lie on the disk, or have another name: the bytes go first.
void it_is_overwritten_before_it_is_unlinked(void**) {
  keys(kNoon);
  std::filesystem::create_hard_link(salt_file(kToday), held->folder / "copy");
  held->text = content(held->folder / "copy");
  assert_int_equal(held->keeper->destroy_old((kToday + 3) * kMsPerDay), 2);
  assert_int_equal(content(held->folder / "copy").size(), 32);
  assert_true(content(held->folder / "copy") != held->text);
}

void days_that_pass_take_old_salts_along(void**) {
  for (int day = 0; day < 10; ++day) {
    keys(kNoon + day * kMsPerDay);
    int salts = 0;
    for (const auto& entry : std::filesystem::directory_iterator(held->store->path()))
      salts += entry.path().filename().string().starts_with("salt.");
    assert_true(salts <= 3);  // yesterday's, today's, tomorrow's
    assert_false(is_there(kToday + day - 2));
  }
}

void nothing_else_is_destroyed(void**) {
  for (const char* name : {"salt.x", "salt.1x", "salted", "secret2"})
    std::ofstream(held->store->path() + "/" + name) << "keep";
  held->keeper->destroy_old(kNoon);
  for (const char* name : {"salt.x", "salt.1x", "salted", "secret2"})
    expect_text(content(held->store->path() + "/" + name), "keep");
  assert_true(Store::open(held->store->path()).ok());
}

// A process killed between making a salt and linking it leaves a file beside: it goes with its day.
void what_a_killed_process_left_goes_too(void**) {
  held->text = salt_file(kToday) + ".new.4711";
  std::ofstream(held->text) << std::string(32, 's');
  held->keeper->destroy_old((kToday + 2) * kMsPerDay - 1);
  assert_true(std::filesystem::exists(held->text));
  held->keeper->destroy_old((kToday + 2) * kMsPerDay);
  assert_false(std::filesystem::exists(held->text));
}

void the_group_may_read_it_whatever_the_umask(void**) {
  const mode_t before = umask(077);
  keys(kNoon);
  umask(before);
  struct stat file;
  assert_int_equal(stat(salt_file(kToday).c_str(), &file), 0);
  assert_int_equal(file.st_mode & 07777, 0660);
}

// Two processes, day after day at the same moment: the same key, or visitors would be two.
void two_processes_make_one(void**) {
  constexpr int kDays = 40;
  for (int i = 0; i < 2; ++i) {
    held->children[i].emplace([i](Child& self) {
      SaltKeeper keeper(*held->store);
      std::ofstream out(held->folder / std::to_string(i), std::ios::binary);
      for (int day = 0; day < kDays; ++day) {
        self.step_done();
        const VisitorKeys& keys = keeper.keys(kNoon + day * 3 * kMsPerDay, kGapMs);
        child_check(keys.has_anonymous);
        out.write(reinterpret_cast<const char*>(keys.anonymous.data()), keys.anonymous.size());
      }
      return true;
    });
  }
  for (int day = 0; day < kDays; ++day) {
    for (auto& child : held->children) assert_true(child->await_step());
    for (auto& child : held->children) child->go();
  }
  for (auto& child : held->children) assert_true(child->finish());
  assert_int_equal(content(held->folder / "0").size(), kDays * 16);
  assert_true(content(held->folder / "0") == content(held->folder / "1"));
}

// Where no salt can be had, hits have no anonymous visitor rather than a guessable one; later they have again.
void without_a_salt_there_is_no_key(void**) {
  std::filesystem::create_directory(salt_file(kToday));
  assert_false(keys(kNoon).has_anonymous);
  assert_false(keys(kNoon).id == Key128{});
  std::filesystem::remove(salt_file(kToday));
  assert_true(keys(kNoon).has_anonymous);
}

}  // namespace
}  // namespace footfall

#define in_store(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      in_store(a_day_has_one_salt),
      in_store(no_two_days_share_one),
      in_store(stores_share_none),
      in_store(ids_do_not_change_with_the_day),
      in_store(yesterdays_key_serves_one_visit_gap),
      in_store(on_the_first_day_there_is_no_yesterday),
      in_store(tomorrows_is_made_today),
      in_store(after_48_hours_it_is_gone),
      in_store(it_is_overwritten_before_it_is_unlinked),
      in_store(days_that_pass_take_old_salts_along),
      in_store(nothing_else_is_destroyed),
      in_store(what_a_killed_process_left_goes_too),
      in_store(the_group_may_read_it_whatever_the_umask),
      in_store(two_processes_make_one),
      in_store(without_a_salt_there_is_no_key),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
