#include "aggregate/lane_reader.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "aggregate/worker.h"
#include "child.h"
#include "lane/flusher.h"
#include "lane/wipe_tree.h"
#include "temp_folder.h"

namespace footfall {
namespace {

constexpr int64_t kTen = 1'790'848'800'000;  // 2026-10-01 10:00 UTC
constexpr int64_t kLater = kTen + 60'000;    // every worker has been silent for long
constexpr int64_t kHour = 3'600'000;

// Of the running test.
struct Fixture {
  TempFolder folder;
  Store store = Store::create(folder / "store", std::nullopt).value();
  HitMaker hits{store};
  std::optional<ReadingNotes> notes;
  std::unique_ptr<LaneReader> reader;
  std::unique_ptr<Worker> worker;
  LanePlace place;  // of the last checkpoint
  uint64_t lost = 0;

  // A new reader, as after a restart of the aggregator: from the last checkpoint on.
  LaneReader& restart() {
    reader.reset();
    notes.reset();
    notes.emplace(std::move(ReadingNotes::open(store.reading_path()).value()));
    reader = std::make_unique<LaneReader>(store, hits, *notes, place);
    return *reader;
  }
  void checkpoint() {
    place = reader->place();
    lost += reader->take_lost();
  }
  Worker& start_worker(uint64_t stage_bytes = kStageRecordBytesMin, uint64_t ring_bytes = kRingBytesMin) {
    worker.reset();
    worker = std::make_unique<Worker>(store, stage_bytes, ring_bytes);
    return *worker;
  }
  // The paths of up to `most` hits, each counted.
  std::string take(size_t most = SIZE_MAX) {
    std::string paths;
    for (size_t taken = 0; taken < most && reader->has_hit(); ++taken, reader->pop())
      paths.append(paths.empty() ? "" : " ").append(reader->hit().path);
    return paths;
  }
  // What there is, by a reader that polls as often as it needs.
  std::string take_all(int64_t now_ms = kLater, bool with_stage = false) {
    std::string paths;
    do {
      reader->poll(now_ms, with_stage);
      paths.append(paths.empty() ? "" : " ").append(take());
    } while (!reader->drained());
    return paths;
  }
};
std::unique_ptr<Fixture> f;
int open_store(void**) { return f = std::make_unique<Fixture>(), 0; }
int close_store(void**) { return f.reset(), 0; }

void the_rings_hits_come_in_their_order(void**) {
  f->start_worker().view("/a", kTen).view("/b", kTen + 1).flush().view("/c", kTen + 2).flush();
  f->worker.reset();
  f->restart().poll(kLater, false);
  assert_true(f->reader->has_hit());
  expect_text(f->reader->site(), "shop");
  expect_number(f->reader->hit().time_ms, kTen);
  expect_text(f->take(), "/a /b /c");
  assert_true(f->reader->drained());
  expect_number(f->reader->place().number, 3);
  expect_number(f->reader->take_lost(), 0);
  expect_text(f->reader->fault(), "");
}

void a_restart_at_any_hit_counts_each_once(void**) {
  static const std::string kAll = "/0 /1 /2 /3 /4 /5 /6 /7 /8 /9 /10 /11";
  Worker& worker = f->start_worker();
  for (int i = 0; i < 12; ++i) {
    const std::string uri = "/" + std::to_string(i);
    worker.view(uri, kTen + i);
    if (i == 8) worker.flush(4);  // three blocks; the last three hits stay staged
  }
  f->worker.reset();
  for (size_t first = 0; first <= 12; ++first) {
    for (size_t second = first; second <= 12; ++second) {
      f->place = LanePlace();
      f->restart().poll(kLater, false);
      static std::string paths;
      paths = f->take(first);
      f->checkpoint();
      f->restart().poll(kLater, false);
      for (const std::string& more : {f->take(second - first)})
        paths.append(paths.empty() || more.empty() ? "" : " ").append(more);
      f->checkpoint();
      f->restart().poll(kLater, false);
      for (const std::string& more : {f->take()}) paths.append(paths.empty() || more.empty() ? "" : " ").append(more);
      f->checkpoint();
      expect_text(paths, kAll);
      expect_number(f->lost, 0);
    }
  }
}

void what_was_popped_after_the_checkpoint_comes_again(void**) {
  f->start_worker().view("/a", kTen).view("/b", kTen).flush();
  f->worker.reset();
  f->restart().poll(kLater, false);
  f->take(1);
  f->checkpoint();
  f->take(1);
  f->restart().poll(kLater, false);
  expect_text(f->take(), "/b");
}

// --- the stage -------------------------------------------------------------------------------------------------------

void a_dead_workers_stage_is_counted_and_not_again_from_the_ring(void**) {
  f->start_worker().view("/a", kTen).flush().view("/b", kTen + 1).view("/c", kTen + 2);
  f->worker.reset();
  f->restart();
  expect_text(f->take_all(), "/a /b /c");
  f->checkpoint();
  f->reader.reset();
  f->start_worker().view("/d", kTen + 3).flush();  // takes the stage over, with all that was in it
  f->worker.reset();
  f->restart();
  expect_text(f->take_all(), "/d");
  expect_number(f->reader->take_lost(), 0);
}

void a_dead_workers_stage_is_read_by_the_readers_rules(void**) {
  static std::shared_ptr<Config> config;
  config = std::make_shared<Config>();
  config->sites = {default_site("shop")};
  config->sites[0].events = {{"add_to_cart", "/cart/add", "sku", "", ""}};
  config->sites[0].exclude_paths = {"/admin"};
  f->hits.set_config(config);
  f->start_worker().view("/cart/add?sku=CUP", kTen).view("/admin", kTen);
  f->worker.reset();
  f->restart().poll(kLater, false);
  expect_text(f->reader->hit().events.at(0).item, "CUP");
  f->reader->pop();
  expect_number(f->reader->hit().flags, kHitExcluded);
}

void a_running_workers_stage_is_its_own(void**) {
  f->start_worker().view("/a", kTen).clock(kTen);
  f->restart().poll(kTen + 1, false);
  assert_true(f->reader->owned());
  assert_false(f->reader->has_hit());
}

void once_reads_a_running_workers_stage_too(void**) {
  f->start_worker().view("/a", kTen).view("/b", kTen).clock(kTen);
  f->restart().poll(kTen + 1, true);
  expect_text(f->take(), "/a /b");
  f->worker->view("/c", kTen + 2);
  f->reader->poll(kTen + 2, true);
  expect_text(f->take(), "/c");
  f->checkpoint();
  f->reader.reset();
  f->worker->flush().view("/d", kTen + 3);
  f->restart().poll(kTen + 4, true);
  expect_text(f->take(), "/d");
  expect_number(f->reader->take_lost(), 0);
}

void a_running_worker_is_read_while_it_flushes(void**) {
  Child child([](Child& self) {
    Worker worker(f->store);
    worker.view("/a", kTen).view("/b", kTen + 1).clock(kTen + 1).flush();
    self.step_done();
    worker.view("/c", kTen + 2).clock(kTen + 5);
    self.step_done();
    worker.flush().view("/d", kTen + 6);
    self.step_done();
    return true;
  });
  assert_true(child.await_step());
  f->restart().poll(kTen + 1, false);
  expect_text(f->take(), "/a /b");
  expect_number(f->reader->safe_ms(), kTen + 1);
  child.go();
  assert_true(child.await_step());
  f->reader->poll(kTen + 5, false);
  assert_false(f->reader->has_hit());
  expect_number(f->reader->safe_ms(), kTen + 1);  // /c is staged, and older than the clock
  child.go();
  assert_true(child.await_step());
  f->reader->poll(kTen + 6, false);
  expect_text(f->take(), "/c");
  expect_number(f->reader->safe_ms(), kTen + 5);
  child.kill();
  f->reader->poll(kLater, false);
  assert_false(f->reader->owned());
  expect_text(f->take(), "/d");
  expect_number(f->reader->take_lost(), 0);
}

// The copy of a stage may be torn by its owner's flusher; what comes out is whole, in order, and each hit once.
void a_stage_copied_while_it_is_flushed_is_whole(void**) {
  constexpr int kHits = 20'000;
  Child child([](Child& self) {
    Worker worker(f->store, kStageRecordBytesMin, kRingBytesDefault);  // room for a slow reader
    const auto flusher = Flusher::start(f->store, worker.lane(), {.flush_ms = 1, .sync_ms = 0});
    self.step_done();
    for (int i = 0; i < kHits;) i += worker.try_view("/" + std::to_string(i), kTen + i);
    worker.clock(kTen + kHits);
    self.step_done();
    return true;
  });
  assert_true(child.await_step());
  child.go();
  f->restart();
  static std::string expected;
  for (int next = 0; next < kHits;) {
    f->reader->poll(kTen + kHits, true);
    for (; f->reader->has_hit(); f->reader->pop()) {
      expected = "/" + std::to_string(next++);
      expect_text(f->reader->hit().path, expected);
    }
  }
  assert_true(child.await_step());
  child.go();
  assert_true(child.finish());
  f->reader->poll(kLater, true);
  assert_false(f->reader->has_hit());
  expect_number(f->reader->take_lost(), 0);
}

void a_worker_killed_while_it_released_its_stage_loses_nothing(void**) {
  f->start_worker().view("/a", kTen).view("/b", kTen + 1).flush().view("/c", kTen + 2);
  StageHeader& stage = f->worker->lane().stage.header();
  stage.wiped = 0;  // the wiping of /a and /b never ended
  stage.drained = 0;
  f->worker.reset();
  std::filesystem::remove_all(ring_path(f->store.lane_path(0), 0));  // nor can the ring tell
  f->restart();
  expect_text(f->take_all(), "/c");
  expect_number(f->reader->take_lost(), 2);
}

// --- losses ----------------------------------------------------------------------------------------------------------

void a_ring_that_was_overrun_tells_what_is_lost(void**) {
  static std::string uri;
  uri = "/" + std::string(1000, 'x');
  Worker& worker = f->start_worker();
  constexpr int kHits = 3000;
  for (int i = 0; i < kHits; ++i) {
    worker.view(uri, kTen + i);
    if (i % 100 == 99) worker.flush();
  }
  const uint64_t overwritten = worker.lane().state->overwritten;
  assert_true(overwritten > kHits / 2);
  f->worker.reset();
  f->restart().poll(kLater, false);
  uint64_t read = 0;
  for (; f->reader->has_hit(); ++read) {
    f->reader->pop();
    if (read % 100 == 7) {
      f->checkpoint();  // what is lost is counted once, whenever the reader begins again
      f->restart().poll(kLater, false);
    }
  }
  f->checkpoint();
  expect_number(f->lost, static_cast<int64_t>(overwritten));
  expect_number(static_cast<int64_t>(read + f->lost), kHits);
}

void hits_that_were_read_before_are_not_lost(void**) {
  static std::string uri;
  uri = "/" + std::string(1000, 'x');
  Worker& worker = f->start_worker();
  for (int i = 0; i < 100; ++i) worker.view(uri, kTen + i);
  worker.flush();
  f->restart();
  f->take_all();
  f->checkpoint();
  f->reader.reset();
  for (int i = 0; i < 3000; ++i) {
    worker.view(uri, kTen + 100 + i);
    if (i % 100 == 99) worker.flush();
  }
  const uint64_t overwritten = worker.lane().state->overwritten;
  f->worker.reset();
  f->restart();
  f->take_all();
  f->checkpoint();
  expect_number(f->lost, static_cast<int64_t>(overwritten) - 100);
}

void a_corrupt_block_is_a_gap(void**) {
  f->start_worker().view("/a", kTen).flush().view("/b", kTen + 1).view("/c", kTen + 2).flush_garbage();
  f->worker->view("/d", kTen + 3).flush();
  f->worker.reset();
  f->restart();
  expect_text(f->take_all(), "/a /d");
  f->checkpoint();
  expect_number(f->lost, 2);
  f->restart();
  expect_text(f->take_all(), "");
  f->checkpoint();
  expect_number(f->lost, 2);
}

void a_corrupt_last_block_does_not_hold_back_the_stage(void**) {
  f->start_worker().view("/a", kTen).flush().view("/b", kTen + 1).flush_garbage().view("/c", kTen + 2);
  f->worker.reset();
  f->restart().poll(kLater, false);
  assert_true(f->reader->drained());
  expect_text(f->take(), "/a /c");
  expect_number(f->reader->take_lost(), 1);
}

// --- rings that kill -------------------------------------------------------------------------------------------------

// The reader dies in that ring of lane 0; another one comes.
LaneReader& die_in_ring(uint32_t generation = 0) {
  alignas(ReadingNotes::Inside) static char left[sizeof(ReadingNotes::Inside)];
  new (left) ReadingNotes::Inside(*f->notes, 0, generation);
  return f->restart();
}

bool is_aside(uint32_t generation = 0) { return std::filesystem::exists(aside_ring_path(f->store.lane_path(0), generation)); }

void a_ring_of_nobody_that_killed_twice_is_set_aside(void**) {
  f->start_worker().view("/a", kTen).flush().view("/b", kTen + 1);
  f->worker.reset();
  f->restart();
  die_in_ring();
  die_in_ring();
  expect_text(f->take_all(), "/a /b");
  assert_true(is_aside());
  expect_text(f->reader->fault(), "");
  expect_number(f->reader->take_lost(), 0);
  f->checkpoint();
  f->start_worker().view("/c", kTen + 2).flush();
  f->worker.reset();
  f->restart();
  expect_text(f->take_all(), "/c");
  expect_number(f->reader->take_lost(), 0);
}

void who_reads_it_to_its_end_clears_it(void**) {
  f->start_worker().view("/a", kTen).flush();
  f->worker.reset();
  f->restart();
  die_in_ring();
  expect_text(f->take_all(), "/a");
  die_in_ring();
  f->take_all();
  assert_false(is_aside());
}

// Of its worker it is known that it died in there as well.
void its_owner_and_a_reader_make_two(void**) {
  f->start_worker().view("/a", kTen).flush();
  f->worker->lane().state->note.store(static_cast<uint32_t>(LaneNote::committing));
  f->worker.reset();
  f->restart();
  die_in_ring();
  expect_text(f->take_all(), "/a");
  assert_true(is_aside());
}

void of_a_living_workers_ring_that_kills_nothing_is_read(void**) {
  f->start_worker().view("/a", kTen).flush().view("/b", kTen + 1);
  f->restart();
  die_in_ring();
  die_in_ring().poll(kLater, true);
  assert_false(f->reader->has_hit());
  assert_false(f->reader->drained());
  assert_false(is_aside());
  assert_true(f->reader->fault().starts_with("ring.0 killed those who read it"));
  f->restart().poll(kLater, true);  // nor by whoever comes next
  assert_false(f->reader->has_hit());
  assert_true(heed_aside_wanted(f->worker->lane().path, *f->worker->lane().state.operator->()));
  assert_false(heed_aside_wanted(f->worker->lane().path, *f->worker->lane().state.operator->()));
  assert_true(is_aside());
  f->reader->poll(kLater, false);
  expect_text(f->take(), "/a");
  expect_text(f->reader->fault(), "");
}

// Its worker is at a later one: that one is waited with, and nobody needs to be asked.
void an_old_ring_that_kills_is_set_aside_under_its_owner(void**) {
  f->start_worker().view("/a", kTen).flush();
  f->start_worker(kStageRecordBytesMin, 2 * kRingBytesMin).view("/b", kTen + 1).flush();
  f->restart();
  die_in_ring();
  die_in_ring().poll(kLater, false);
  assert_true(is_aside());
  expect_text(f->take(), "/a /b");
  expect_number(f->reader->take_lost(), 0);
}

void a_claim_heeds_what_was_asked_of_the_worker_before(void**) {
  f->start_worker().view("/a", kTen).flush();
  f->restart();
  die_in_ring();
  die_in_ring().poll(kLater, false);
  f->start_worker();
  assert_true(is_aside());
  f->reader->poll(kLater, false);
  expect_text(f->take(), "/a");
}

// What is staged must not pass by what is in the ring: its numbers are lower.
void a_file_of_nobody_that_is_no_ring_is_set_aside(void**) {
  f->start_worker().view("/a", kTen).flush().view("/b", kTen + 1);
  f->worker.reset();
  const std::string file = ring_path(f->store.lane_path(0), 0) + "/data.mdb";
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).write(std::string(8'192, '\xa5').data(), 8'192);
  f->restart();
  expect_text(f->take_all(), "/a /b");
  assert_true(is_aside());
  expect_number(f->reader->take_lost(), 0);
}

// A block of ten hits, too long to lie in the tree itself; one more is staged.
void flush_a_long_block() {
  static const std::string kPath = "/" + std::string(900, 'x');
  f->start_worker();
  for (int i = 0; i < 10; ++i) f->worker->view(kPath, kTen + i);
  f->worker->flush().view("/b", kTen + 20);
}

int64_t count_paths(std::string_view paths) { return std::count(paths.begin(), paths.end(), '/'); }

void a_tree_of_nobody_that_cannot_be_read_is_set_aside(void**) {
  flush_a_long_block();
  f->worker.reset();
  wipe_tree(ring_path(f->store.lane_path(0), 0));
  f->restart();
  expect_number(count_paths(f->take_all()), 11);
  assert_true(is_aside());
  expect_number(f->reader->take_lost(), 0);
}

void of_a_tree_that_cannot_be_read_its_worker_is_told(void**) {
  flush_a_long_block();
  wipe_tree(ring_path(f->store.lane_path(0), 0));
  f->restart().poll(kLater, true);
  assert_false(f->reader->has_hit());
  assert_true(f->reader->fault().find("not all of it can be read") != std::string::npos);
  assert_true(heed_aside_wanted(f->worker->lane().path, *f->worker->lane().state.operator->()));
  f->reader->poll(kLater, false);
  expect_number(count_paths(f->take()), 10);
  expect_text(f->reader->fault(), "");
}

// --- lanes that change -----------------------------------------------------------------------------------------------

void a_new_epoch_counts_from_its_own_zero(void**) {
  f->start_worker().view("/a", kTen).view("/b", kTen + 1).flush();
  f->restart();
  f->take_all();
  f->checkpoint();
  const uint64_t epoch = f->place.epoch;
  f->reader.reset();
  f->worker.reset();
  std::filesystem::remove(f->store.lane_path(0) + "/stage");  // as a reboot does to a tmpfs
  f->start_worker().view("/c", kTen + 2).flush().view("/d", kTen + 3);
  f->worker.reset();
  f->restart();
  expect_text(f->take_all(), "/c /d");
  expect_number(f->reader->take_lost(), 0);
  assert_true(f->reader->place().epoch > epoch);
  expect_number(f->reader->place().number, 2);
}

void rings_of_all_sizes_are_read_in_turn(void**) {
  f->start_worker().view("/a", kTen).flush();
  f->start_worker(kStageRecordBytesMin, 2 * kRingBytesMin).view("/b", kTen + 1).flush();
  f->worker.reset();
  f->restart();
  expect_text(f->take_all(), "/a /b");
}

void more_than_can_be_held_comes_in_turns(void**) {
  static std::string uri;
  uri = "/" + std::string(1000, 'x');
  Worker& worker = f->start_worker(kStageRecordBytesMin, 16 << 20);
  for (int i = 0; i < 8000; ++i) {
    worker.view(uri, kTen + i);
    if (i % 100 == 99) worker.flush();
  }
  f->worker.reset();
  f->restart().poll(kLater, false);
  assert_false(f->reader->drained());
  size_t read = 0, polls = 0;
  for (; f->reader->has_hit(); f->reader->poll(kLater, false), ++polls)
    for (; f->reader->has_hit(); ++read) f->reader->pop();
  expect_number(read, 8000);
  assert_true(polls >= 2);
  expect_number(f->reader->take_lost(), 0);
}

// --- how far it is safe to go ----------------------------------------------------------------------------------------

void an_idle_workers_clock_is_the_bound(void**) {
  f->start_worker().clock(kTen + 5);
  f->restart().poll(kTen + 6, false);
  expect_number(f->reader->safe_ms(), kTen + 5);
  f->worker->clock(kTen + 9);
  f->reader->poll(kTen + 10, false);
  expect_number(f->reader->safe_ms(), kTen + 9);
}

void a_lane_that_nobody_writes_bounds_nothing(void**) {
  f->start_worker().view("/a", kTen).clock(kTen);
  f->worker.reset();
  f->restart().poll(kLater, false);
  assert_true(f->reader->safe_ms() == INT64_MAX);
  f->reader->poll(kLater + 1, false);
  f->start_worker().clock(kLater + 2);
  f->reader->poll(kLater + 3, false);
  assert_true(f->reader->owned());
  expect_number(f->reader->safe_ms(), kLater + 2);
}

void a_lane_just_claimed_is_safe_up_to_its_claim(void**) {
  f->start_worker().clock(kTen);
  f->worker.reset();
  f->restart().poll(kLater, false);
  assert_true(f->reader->safe_ms() == INT64_MAX);
  f->start_worker().view("/a", kLater + 1).clock(kLater + 50);
  f->reader->poll(kLater + 50, false);
  expect_number(f->reader->safe_ms(), kLater + 50 - kWorkerClockMs);
  f->worker->clock(kLater + 100);
  f->reader->poll(kLater + 100, false);
  expect_number(f->reader->safe_ms(), kLater + 50 - kWorkerClockMs);  // until /a is flushed
}

void a_silent_worker_that_lives_still_owns_its_lane(void**) {
  f->start_worker().view("/a", kTen).clock(kTen);
  f->restart().poll(kLater, false);
  f->reader->poll(kLater + 10'000, false);
  assert_true(f->reader->owned());
  assert_false(f->reader->has_hit());
}

void a_lane_idle_for_an_hour_is_removed(void**) {
  f->start_worker().view("/a", kTen).flush().clock(kTen);
  f->restart().poll(kTen, false);
  assert_false(f->reader->remove_if_idle(kTen + 2 * kHour));  // owned
  f->worker.reset();
  f->reader->poll(kLater, false);
  assert_false(f->reader->remove_if_idle(kLater + kHour));  // not counted yet
  expect_text(f->take(), "/a");
  f->reader->poll(kLater + kHour - 1, false);
  assert_false(f->reader->remove_if_idle(kLater + kHour - 1));
  assert_true(f->reader->remove_if_idle(kLater + kHour));
  assert_false(std::filesystem::exists(f->store.lane_path(0)));
  f->checkpoint();
  f->reader.reset();
  f->start_worker().view("/b", kTen + 1).flush();  // the lane made again never repeats an epoch
  f->worker.reset();
  f->restart();
  expect_text(f->take_all(), "/b");
}

void a_worker_that_just_claimed_keeps_its_lane(void**) {
  f->start_worker().clock(kTen);
  f->worker.reset();
  f->restart().poll(kLater, false);
  f->reader->poll(kLater + kHour, false);
  f->start_worker();
  assert_false(f->reader->remove_if_idle(kLater + kHour));
  assert_true(std::filesystem::exists(f->store.lane_path(0)));
}

void a_lane_of_another_version_is_a_fault(void**) {
  f->start_worker().view("/a", kTen);
  f->worker->lane().state->version = 99;
  f->worker.reset();
  f->restart().poll(kLater, false);
  assert_false(f->reader->has_hit());
  assert_true(f->reader->drained());
  assert_true(f->reader->fault().find("version 99") != std::string::npos);
}

void a_lane_without_a_state_is_empty(void**) {
  std::filesystem::create_directory(f->store.lane_path(0));
  f->restart().poll(kLater, true);
  assert_false(f->reader->has_hit());
  assert_true(f->reader->drained());
  expect_text(f->reader->fault(), "");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define store_test(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)
  const CMUnitTest tests[] = {
      store_test(the_rings_hits_come_in_their_order),
      store_test(a_restart_at_any_hit_counts_each_once),
      store_test(what_was_popped_after_the_checkpoint_comes_again),
      store_test(a_dead_workers_stage_is_counted_and_not_again_from_the_ring),
      store_test(a_dead_workers_stage_is_read_by_the_readers_rules),
      store_test(a_running_workers_stage_is_its_own),
      store_test(once_reads_a_running_workers_stage_too),
      store_test(a_running_worker_is_read_while_it_flushes),
      store_test(a_stage_copied_while_it_is_flushed_is_whole),
      store_test(a_worker_killed_while_it_released_its_stage_loses_nothing),
      store_test(a_ring_that_was_overrun_tells_what_is_lost),
      store_test(hits_that_were_read_before_are_not_lost),
      store_test(a_corrupt_block_is_a_gap),
      store_test(a_corrupt_last_block_does_not_hold_back_the_stage),
      store_test(a_ring_of_nobody_that_killed_twice_is_set_aside),
      store_test(who_reads_it_to_its_end_clears_it),
      store_test(its_owner_and_a_reader_make_two),
      store_test(of_a_living_workers_ring_that_kills_nothing_is_read),
      store_test(an_old_ring_that_kills_is_set_aside_under_its_owner),
      store_test(a_claim_heeds_what_was_asked_of_the_worker_before),
      store_test(a_file_of_nobody_that_is_no_ring_is_set_aside),
      store_test(a_tree_of_nobody_that_cannot_be_read_is_set_aside),
      store_test(of_a_tree_that_cannot_be_read_its_worker_is_told),
      store_test(a_new_epoch_counts_from_its_own_zero),
      store_test(rings_of_all_sizes_are_read_in_turn),
      store_test(more_than_can_be_held_comes_in_turns),
      store_test(an_idle_workers_clock_is_the_bound),
      store_test(a_lane_that_nobody_writes_bounds_nothing),
      store_test(a_lane_just_claimed_is_safe_up_to_its_claim),
      store_test(a_silent_worker_that_lives_still_owns_its_lane),
      store_test(a_lane_idle_for_an_hour_is_removed),
      store_test(a_worker_that_just_claimed_keeps_its_lane),
      store_test(a_lane_of_another_version_is_a_fault),
      store_test(a_lane_without_a_state_is_empty),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
