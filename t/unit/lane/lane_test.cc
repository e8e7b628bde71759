// Lanes: who claims which, what is taken over from a process that died, and when a new epoch begins.
#include "lane/lane.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "child.h"
#include "lane/ring.h"
#include "lane/sample.h"
#include "lane/stage_writer.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

struct Held {
  TempFolder folder;
  std::optional<Store> store;
  LaneOptions options;
  std::unique_ptr<Lane> lane, other;
  std::optional<Child> child;
  std::optional<StageReader> reader;
  std::optional<StageWriter> writer;
  LaneStateFile state;
  StageFile stage;
  std::string text;
};
std::optional<Held> held;

int start_afresh(void**) {
  held.emplace();
  Result<Store> made = Store::create(held->folder / "store", std::nullopt);
  if (!made) return -1;
  held->store.emplace(std::move(*made));
  held->options.ring_bytes = kRingBytesMin;
  held->options.stage_bytes = kStageRecordBytesMin;
  return 0;
}
int clear_away(void**) {
  held.reset();
  return 0;
}

std::unique_ptr<Lane> claimed() {
  Result<std::unique_ptr<Lane>> lane = Lane::claim(*held->store, held->options);
  if (!lane) fail_msg("%s", lane.error().text.c_str());
  return std::move(*lane);
}

// Lets the lane go and claims again.
void claim() {
  held->writer.reset();
  held->reader.reset();
  held->lane.reset();
  held->lane = claimed();
}

void stage(int hits) {
  held->writer.emplace(held->lane->stage);
  const uint16_t shop = *held->writer->add_context({"shop", {}, {}});
  for (int i = 0; i < hits; ++i) {
    held->text = "/" + std::to_string(held->lane->stage.header().staged.load());
    assert_true(held->writer->append(page_view(held->text), shop));
  }
}

// Reads what the stage holds: each hit's path is its number. How many there were.
int read_stage(bool release) {
  const StageHeader& header = held->lane->stage.header();
  held->reader.emplace(held->lane->stage, header.tail.load(), header.drained.load());
  int hits = 0;
  for (; held->reader->next() == StageReader::Outcome::hit; ++hits)
    expect_text(held->reader->hit().uri, "/" + std::to_string(held->reader->number() - 1));
  if (release) held->reader->release();
  return hits;
}

uint64_t epoch() { return held->lane->stage.header().epoch; }
std::string lane_file(const std::string& name, unsigned number = 0) {
  return held->store->lane_path(number) + "/" + name;
}

void open_parts_of_lane_0() {
  held->state = LaneStateFile(std::move(LaneStateFile::open(lane_file("state"), 0, true).value()));
  held->stage = StageFile(std::move(StageFile::open(lane_file("stage"), true).value()));
}

// A process that claims a lane, stages so many hits, and is killed.
void a_process_is_killed_after(int hits) {
  held->child.emplace([hits](Child& self) {
    Result<std::unique_ptr<Lane>> lane = Lane::claim(*held->store, held->options);
    child_check(lane.ok());
    StageWriter writer((*lane)->stage);
    const Result<uint16_t> shop = writer.add_context({"shop", {}, {}});
    child_check(shop.ok());
    for (int i = 0; i < hits; ++i) {
      const std::string uri = "/" + std::to_string((*lane)->stage.header().staged.load());
      child_check(writer.append(page_view(uri), *shop));
    }
    self.step_done();
    return true;
  });
  assert_true(held->child->await_step());
  held->child->kill();
}

// --- who claims which ---

void the_lowest_free_lane_is_claimed(void**) {
  held->lane = claimed();
  held->other = claimed();
  assert_int_equal(held->lane->number, 0);
  assert_int_equal(held->other->number, 1);
  held->lane.reset();
  held->lane = claimed();
  assert_int_equal(held->lane->number, 0);
  assert_true(held->store->lanes() == (std::vector<unsigned>{0, 1}));
}

void processes_have_lanes_of_their_own(void**) {
  held->child.emplace([](Child& self) {
    Result<std::unique_ptr<Lane>> lane = Lane::claim(*held->store, held->options);
    child_check(lane.ok() && (*lane)->number == 0);
    self.step_done();
    return true;
  });
  assert_true(held->child->await_step());
  held->lane = claimed();
  assert_int_equal(held->lane->number, 1);
  open_parts_of_lane_0();
  assert_int_equal(held->state->owner_pid.load(), held->child->pid());
  assert_int_equal(lock_holder(lane_file("lock")), held->child->pid());
  assert_int_equal(held->lane->state->owner_pid.load(), getpid());
  held->child->kill();
  held->other = claimed();
  assert_int_equal(held->other->number, 0);
}

void lanes_are_bounded(void**) {
  held->options.lanes_max = 2;
  held->lane = claimed();
  held->other = claimed();
  const Result<std::unique_ptr<Lane>> third = Lane::claim(*held->store, held->options);
  assert_false(third.ok());
  assert_int_equal(third.error().code, Error::Code::full);
  assert_false(std::filesystem::exists(held->store->lane_path(2)));
}

void a_lane_is_open_to_the_group(void**) {
  const mode_t before = umask(077);
  held->lane = claimed();
  umask(before);
  struct stat file;
  assert_int_equal(stat(held->lane->path.c_str(), &file), 0);
  assert_int_equal(file.st_mode & 07777, 02770);
  for (const char* name : {"lock", "state", "stage"}) {
    assert_int_equal(stat(lane_file(name).c_str(), &file), 0);
    assert_int_equal(file.st_mode & 07777, 0660);
  }
}

void without_a_store_there_is_no_lane(void**) {
  std::filesystem::remove_all(held->store->path());
  assert_int_equal(Lane::claim(*held->store, held->options).error().code, Error::Code::io);
}

// --- what is taken over ---

void hits_of_a_killed_process_are_taken_over(void**) {
  a_process_is_killed_after(5);
  claim();
  assert_int_equal(held->lane->number, 0);
  assert_int_equal(held->lane->stage.header().staged.load(), 5);
  stage(3);
  assert_int_equal(read_stage(true), 8);
  assert_int_equal(held->lane->stage.header().drained.load(), 8);
}

void what_was_drained_is_not_taken_over(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  stage(4);
  read_stage(true);
  stage(2);
  claim();
  assert_int_equal(epoch(), first_epoch);
  assert_int_equal(read_stage(true), 2);
  claim();
  assert_int_equal(epoch(), first_epoch);  // empty, and as wanted: it goes on
  stage(1);
  assert_int_equal(read_stage(true), 1);
  assert_int_equal(held->lane->stage.header().staged.load(), 7);
}

// Counting a hit and showing it are two steps.
void a_hit_that_was_counted_and_not_shown_never_was(void**) {
  held->lane = claimed();
  stage(4);
  const uint64_t head = held->lane->stage.header().head.load();
  stage(1);
  held->lane->stage.header().head.store(head);
  claim();
  assert_int_equal(held->lane->stage.header().staged.load(), 4);
  stage(2);
  assert_int_equal(read_stage(true), 6);
}

// Killed while it was wiping what the ring has: what comes behind is not lost with it.
void a_release_that_was_cut_off_loses_nothing(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  stage(3);
  StageHeader& header = held->lane->stage.header();
  const uint64_t released = header.head.load();
  stage(2);
  header.drained_next.store(3);
  header.tail.store(released);
  memset(held->lane->stage.records(), 0, 64);
  claim();
  assert_int_equal(epoch(), first_epoch);
  assert_int_equal(held->lane->stage.header().staged.load(), 5);
  assert_int_equal(read_stage(true), 2);
  assert_int_equal(held->lane->state->corrupt.load(), 0);
}

void what_can_be_read_of_a_damaged_stage_is_kept(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  stage(2);
  const uint64_t damaged = held->lane->stage.header().head.load();
  stage(2);
  memset(held->lane->stage.records() + damaged, 0xff, 8);
  claim();
  assert_int_equal(epoch(), first_epoch);
  assert_int_equal(read_stage(false), 2);
}

void a_stage_that_cannot_be_read_is_counted_and_made_anew(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  stage(4);
  memset(held->lane->stage.records(), 0xff, 8);
  claim();
  assert_true(epoch() > first_epoch);
  assert_int_equal(held->lane->state->corrupt.load(), 4);
  assert_int_equal(held->lane->state->hits_before.load(), 4);
  stage(1);
  assert_int_equal(read_stage(true), 1);
}

// --- when an epoch begins ---

void another_boot_begins_a_new_epoch(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  stage(3);
  held->writer->count_drop(DropReason::stage_full);
  held->writer->count_drop(DropReason::signal);
  held->lane->stage.header().boot_id[0] ^= 1;
  claim();
  assert_true(epoch() > first_epoch);
  assert_int_equal(held->lane->state->epoch.load(), epoch());
  assert_int_equal(held->lane->stage.header().staged.load(), 0);
  assert_int_equal(held->lane->state->hits_before.load(), 3);  // counts of a lane never run back
  assert_int_equal(held->lane->state->dropped_before[static_cast<size_t>(DropReason::stage_full)].load(), 1);
  assert_int_equal(held->lane->state->dropped_before[static_cast<size_t>(DropReason::signal)].load(), 1);
}

void epochs_rise_whatever_the_clock_says(void**) {
  held->lane = claimed();
  held->lane->state->epoch.store(UINT64_MAX / 2);  // begun by a clock that was ahead
  held->lane->stage.header().epoch = UINT64_MAX / 2;
  held->lane->stage.header().boot_id[0] ^= 1;
  claim();
  assert_int_equal(epoch(), UINT64_MAX / 2 + 1);
  held->lane->stage.header().boot_id[0] ^= 1;
  claim();
  assert_int_equal(epoch(), UINT64_MAX / 2 + 2);
}

void a_lane_made_again_has_a_later_epoch(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  held->lane.reset();
  std::filesystem::remove_all(held->store->lane_path(0));
  claim();
  assert_true(epoch() > first_epoch);
}

void a_missing_stage_is_made_anew(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  held->lane.reset();
  std::filesystem::remove(lane_file("stage"));
  claim();
  assert_true(epoch() > first_epoch);
  held->lane.reset();
  std::ofstream(lane_file("stage"), std::ios::trunc) << "a note";
  claim();
  stage(1);
  assert_int_equal(read_stage(true), 1);
}

void another_size_waits_until_the_stage_is_drained(void**) {
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  stage(3);
  held->options.stage_bytes = 1 << 20;
  claim();
  assert_int_equal(epoch(), first_epoch);
  assert_int_equal(held->lane->stage.header().record_bytes, kStageRecordBytesMin);
  assert_int_equal(read_stage(true), 3);
  claim();
  assert_true(epoch() > first_epoch);
  assert_int_equal(held->lane->stage.header().record_bytes, 1 << 20);
  assert_int_equal(held->lane->state->hits_before.load(), 3);
  const uint64_t second_epoch = epoch();
  claim();
  assert_int_equal(epoch(), second_epoch);
}

void a_size_below_the_least_is_the_least(void**) {
  held->options.stage_bytes = 1;
  held->lane = claimed();
  const uint64_t first_epoch = epoch();
  assert_int_equal(held->lane->stage.header().record_bytes, kStageRecordBytesMin);
  claim();
  assert_int_equal(epoch(), first_epoch);
}

// --- other versions, damage ---

void another_version_is_left_alone(void**) {
  held->lane = claimed();
  stage(2);
  held->lane.reset();
  open_parts_of_lane_0();
  held->state->version = kLaneVersion + 1;
  held->lane = claimed();
  assert_int_equal(held->lane->number, 1);
  assert_int_equal(held->stage.header().staged.load(), 2);
  held->state->version = kLaneVersion;
  held->stage.header().version = kStageVersion + 1;
  held->other = claimed();
  assert_int_equal(held->other->number, 2);
  held->stage.header().version = kStageVersion;
  claim();
  assert_int_equal(held->lane->number, 0);
  assert_int_equal(read_stage(true), 2);
}

void a_damaged_state_is_left_alone(void**) {
  std::filesystem::create_directory(held->store->lane_path(0));
  std::ofstream(lane_file("state")) << "a note";
  held->lane = claimed();
  assert_int_equal(held->lane->number, 1);
  std::ofstream(lane_file("state"), std::ios::trunc) << std::string(4096, 'x');
  held->other = claimed();
  assert_int_equal(held->other->number, 2);
  assert_int_equal(LaneStateFile::open(lane_file("state"), 0, false).error().code, Error::Code::corrupt);
}

// Killed before the state was written: it is all zero, and made now.
void a_half_made_state_is_made(void**) {
  std::filesystem::create_directory(held->store->lane_path(0));
  std::ofstream(lane_file("state")) << std::string(4096, '\0');
  held->lane = claimed();
  assert_int_equal(held->lane->number, 0);
  assert_int_equal(held->lane->state->version, kLaneVersion);
}

void a_state_is_read_by_anybody_and_made_by_its_owner_alone(void**) {
  assert_int_equal(LaneStateFile::open(lane_file("state"), 0, false).error().code, Error::Code::not_found);
  held->lane = claimed();
  held->state = LaneStateFile(std::move(LaneStateFile::open(lane_file("state"), 0, false).value()));
  assert_int_equal(held->state->epoch.load(), epoch());
  assert_int_equal(held->state->lane, 0);
}

// --- rings ---

void another_ring_size_begins_a_new_generation(void**) {
  held->lane = claimed();
  assert_int_equal(held->lane->state->ring_generation.load(), 0);
  assert_int_equal(held->lane->ring_bytes, kRingBytesMin);
  held->options.ring_bytes = 2 * kRingBytesMin;
  claim();
  assert_int_equal(held->lane->state->ring_generation.load(), 1);
  assert_int_equal(held->lane->ring_bytes, 2 * kRingBytesMin);
  claim();
  assert_int_equal(held->lane->state->ring_generation.load(), 1);
  held->options.ring_bytes = 1;  // less than the least is the least
  claim();
  assert_int_equal(held->lane->ring_bytes, kRingBytesMin);
}

void leave_note(LaneNote note) { held->lane->state->note.store(static_cast<uint32_t>(note)); }

// One death within LMDB may be bad luck; two in a row are the ring's fault.
void a_ring_that_killed_twice_is_set_aside(void**) {
  held->lane = claimed();
  leave_note(LaneNote::committing);
  claim();
  assert_int_equal(held->lane->state->ring_generation.load(), 0);
  assert_int_equal(held->lane->state->note.load(), static_cast<uint32_t>(LaneNote::idle));
  claim();  // lived on
  leave_note(LaneNote::opening);
  claim();
  assert_int_equal(held->lane->state->ring_generation.load(), 0);
  leave_note(LaneNote::opening);
  claim();
  assert_int_equal(held->lane->state->ring_generation.load(), 1);
  leave_note(LaneNote::opening);
  claim();
  assert_int_equal(held->lane->state->ring_generation.load(), 1);  // the count began anew
}

// --- a stage elsewhere ---

void a_stage_may_lie_elsewhere(void**) {
  std::filesystem::create_directory(held->folder / "tmpfs");
  held->options.stage_folder = held->folder / "tmpfs";
  held->lane = claimed();
  stage(2);
  assert_true(std::filesystem::is_symlink(lane_file("stage")));
  assert_true(std::filesystem::exists(held->folder / "tmpfs/lane.0"));
  claim();
  assert_int_equal(read_stage(true), 2);
  held->lane.reset();
  std::filesystem::remove(held->folder / "tmpfs/lane.0");  // as after a boot
  claim();
  stage(1);
  assert_int_equal(read_stage(true), 1);
  assert_true(std::filesystem::exists(held->folder / "tmpfs/lane.0"));
}

void a_missing_folder_for_stages_is_told(void**) {
  held->options.stage_folder = held->folder / "missing";
  const Result<std::unique_ptr<Lane>> lane = Lane::claim(*held->store, held->options);
  assert_false(lane.ok());
  assert_int_equal(lane.error().code, Error::Code::io);
  assert_true(held->store->lanes().empty());
}

}  // namespace
}  // namespace footfall

#define in_store(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      in_store(the_lowest_free_lane_is_claimed),
      in_store(processes_have_lanes_of_their_own),
      in_store(lanes_are_bounded),
      in_store(a_lane_is_open_to_the_group),
      in_store(without_a_store_there_is_no_lane),
      in_store(hits_of_a_killed_process_are_taken_over),
      in_store(what_was_drained_is_not_taken_over),
      in_store(a_hit_that_was_counted_and_not_shown_never_was),
      in_store(a_release_that_was_cut_off_loses_nothing),
      in_store(what_can_be_read_of_a_damaged_stage_is_kept),
      in_store(a_stage_that_cannot_be_read_is_counted_and_made_anew),
      in_store(another_boot_begins_a_new_epoch),
      in_store(epochs_rise_whatever_the_clock_says),
      in_store(a_lane_made_again_has_a_later_epoch),
      in_store(a_missing_stage_is_made_anew),
      in_store(another_size_waits_until_the_stage_is_drained),
      in_store(a_size_below_the_least_is_the_least),
      in_store(another_version_is_left_alone),
      in_store(a_damaged_state_is_left_alone),
      in_store(a_half_made_state_is_made),
      in_store(a_state_is_read_by_anybody_and_made_by_its_owner_alone),
      in_store(another_ring_size_begins_a_new_generation),
      in_store(a_ring_that_killed_twice_is_set_aside),
      in_store(a_stage_may_lie_elsewhere),
      in_store(a_missing_folder_for_stages_is_told),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
