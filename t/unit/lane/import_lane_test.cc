#include "lane/import_lane.h"

#include <memory>
#include <optional>

#include "lane/ring.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kNow = 1'795'000'000'000;
const Hash128 kLog{1, 2}, kOtherLog{3, 4};

// Of the running test.
struct Fixture {
  TempFolder folder;
  Store store = Store::create(folder / "store", std::nullopt).value();
  std::optional<ImportLane> lane = ImportLane::open(store).value();
  std::string fault;

  void import(uint32_t number, int64_t ended_ms, const Hash128& file, uint64_t read_from, uint32_t from_import = 0) {
    FilePlace place;
    place.head_bytes = 100;
    place.read_from = read_from;
    place.import = number;
    place.from_import = from_import;
    ImportRecord record;
    record.number = number;
    record.started_ms = ended_ms - 1000;
    record.ended_ms = ended_ms;
    record.hits = 10;
    record.files = "access.log";
    assert_true(lane->put({}, {{file, place}}, record).ok());
  }
  bool can_undo(uint32_t number, int64_t now_ms = kNow) {
    const Status status = lane->check_undo(number, now_ms);
    fault = status.ok() ? "" : status.error().text;
    return status.ok();
  }
};
std::unique_ptr<Fixture> the;

int begin(void**) { return the = std::make_unique<Fixture>(), 0; }
int end(void**) { return the.reset(), 0; }

void the_last_import_says_how_far_a_file_is_read(void**) {
  the->import(1, kNow, kLog, 500);
  the->import(2, kNow, kOtherLog, 70);
  the->import(3, kNow, kLog, 900, 1);
  expect_number(the->lane->find_file(kLog)->read_from, 900);
  expect_number(the->lane->find_file(kLog)->import, 3);
  expect_number(the->lane->find_file(kOtherLog)->read_from, 70);
  assert_false(the->lane->find_file({5, 6}).has_value());
}

void an_undone_import_leaves_a_file_as_it_found_it(void**) {
  the->import(1, kNow, kLog, 500);
  the->import(3, kNow, kLog, 900, 1);
  assert_true(the->lane->ask_undo(3).ok());
  expect_number(*the->lane->undo_asked(), 3);
  assert_true(the->lane->finish_undo(3).ok());
  assert_false(the->lane->undo_asked().has_value());
  expect_number(the->lane->find_file(kLog)->read_from, 500);
  assert_true(the->lane->records()[1].undone);
  assert_true(the->can_undo(1));
  assert_true(the->lane->finish_undo(1).ok());
  assert_false(the->lane->find_file(kLog).has_value());
}

void what_is_asked_outlives_who_asked(void**) {
  the->import(1, kNow, kLog, 500);
  assert_true(the->lane->ask_undo(1).ok());
  the->lane.reset();
  the->lane = ImportLane::open(the->store).value();
  expect_number(*the->lane->undo_asked(), 1);
}

void an_import_that_another_goes_on_from_waits(void**) {
  the->import(1, kNow, kLog, 500);
  the->import(2, kNow, kLog, 900, 1);
  assert_false(the->can_undo(1));
  expect_text(the->fault, "import 2 goes on in a file where import 1 ended: undo that one first");
  assert_true(the->can_undo(2));
}

void after_30_days_it_is_too_late(void**) {
  the->import(1, kNow - kUndoDays * kDayMs, kLog, 500);
  the->import(2, kNow - kUndoDays * kDayMs - 1, kOtherLog, 500);
  assert_true(the->can_undo(1));
  assert_false(the->can_undo(2));
  expect_text(the->fault, "import 2 ended on 2026-10-19: an import can be undone for 30 days, then its figures are for good");
  assert_false(is_for_good(the->lane->records()[0], kNow));
  assert_true(is_for_good(the->lane->records()[1], kNow));
}

// All at once, some weeks later: the store is gone through for it.
void numbers_of_old_imports_are_not_needed(void**) {
  const auto to_merge = [](uint32_t merged, int64_t days_later) {
    return imports_to_merge(the->lane->records(), merged, kNow + days_later * kDayMs);
  };
  expect_number(to_merge(0, 100), 0);
  the->import(1, kNow, kLog, 500);
  the->import(2, kNow + 5 * kDayMs, kOtherLog, 500);
  the->import(4, kNow + 9 * kDayMs, kLog, 900);
  expect_number(to_merge(0, 38), 0);
  expect_number(to_merge(0, 39), 2);
  expect_number(to_merge(0, 41), 4);
  expect_number(to_merge(2, 47), 2);
  expect_number(to_merge(2, 48), 4);
  expect_number(to_merge(4, 1000), 4);
}

void unknown_ones_are_refused_by_the_known(void**) {
  assert_false(the->can_undo(1));
  expect_text(the->fault, "no import 1; there is none to undo");
  the->import(1, kNow, kLog, 500);
  the->import(2, kNow, kOtherLog, 500);
  assert_false(the->can_undo(3));
  expect_text(the->fault, "no import 3; there are 1, 2");
  assert_true(the->lane->finish_undo(2).ok());
  assert_false(the->can_undo(2));
  expect_text(the->fault, "import 2 is undone already; there are 1");
}

// A daemon's cursor stands at the last block that it read; by then the importer has taken it out.
void a_later_import_puts_its_blocks_behind_where_a_daemon_stands(void**) {
  const auto put_blocks = [](uint32_t number, int blocks) {
    ImportRecord record;
    record.number = number;
    record.hits = 1;
    assert_true(the->lane->put(std::vector<std::string>(blocks, "block"), {}, record).ok());
  };
  const auto last_block = [] {
    the->lane.reset();
    RingCursor daemon = RingCursor::open(import_lane_path(the->store)).value();
    std::string bytes;
    uint64_t last = 0;
    for (std::optional<uint64_t> seq = 0; (seq = daemon.at_or_behind(*seq, bytes).value()); ++*seq) last = *seq;
    return last;
  };
  put_blocks(1, 3);
  static uint64_t stands_at;
  stands_at = last_block();
  the->lane = ImportLane::open(the->store).value();
  assert_true(the->lane->drop_counted(2, 0).ok());
  the->lane.reset();
  the->lane = ImportLane::open(the->store).value();
  put_blocks(2, 1);
  assert_true(last_block() > stands_at);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_last_import_says_how_far_a_file_is_read, begin, end),
      cmocka_unit_test_setup_teardown(an_undone_import_leaves_a_file_as_it_found_it, begin, end),
      cmocka_unit_test_setup_teardown(what_is_asked_outlives_who_asked, begin, end),
      cmocka_unit_test_setup_teardown(an_import_that_another_goes_on_from_waits, begin, end),
      cmocka_unit_test_setup_teardown(after_30_days_it_is_too_late, begin, end),
      cmocka_unit_test_setup_teardown(numbers_of_old_imports_are_not_needed, begin, end),
      cmocka_unit_test_setup_teardown(unknown_ones_are_refused_by_the_known, begin, end),
      cmocka_unit_test_setup_teardown(a_later_import_puts_its_blocks_behind_where_a_daemon_stands, begin, end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
