// The flusher: what was staged comes out of the ring once and in order, whoever is killed and whenever, and whatever
// the disk says.
//
// The threads are waited for by what they do (the stage's tail, the lane's state), never by time; a wait that takes
// absurdly long fails the test.
#include "lane/flusher.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <vector>

#include "child.h"
#include "lane/ring.h"
#include "lane/ring_scan.h"
#include "lane/sample.h"
#include "lane/stage_writer.h"
#include "random.h"
#include "site/config_file.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kWaitMs = 60'000;
constexpr FlusherOptions kFast{.flush_ms = 2, .sync_ms = 5};

struct Seen {
  uint64_t epoch, number;
  std::string path, site, item;
  bool anonymous, malformed, excluded;
};

struct Held {
  TempFolder folder;
  std::string store_path = folder / "store";
  std::optional<Store> store;
  LaneOptions options;
  std::unique_ptr<Lane> lane;
  std::unique_ptr<Flusher> flusher;
  std::optional<StageWriter> writer;
  std::optional<Child> child;
  std::vector<Seen> seen;
  std::string text;
  RawHit hit;
};
std::optional<Held> held;

void make_store() {
  Result<Store> made = Store::create(held->store_path, std::nullopt);
  if (!made) fail_msg("%s", made.error().text.c_str());
  held->store.emplace(std::move(*made));
}

int start_afresh(void**) {
  held.emplace();
  held->options.ring_bytes = kRingBytesMin;
  held->options.stage_bytes = kStageRecordBytesMin;
  make_store();
  return 0;
}
int clear_away(void**) {
  held->flusher.reset();
  held.reset();
  return 0;
}

bool wait_for(const std::function<bool()>& condition) {
  timespec begun, now;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  while (!condition()) {
    sched_yield();
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - begun.tv_sec) * 1000 > kWaitMs) return false;
  }
  return true;
}

bool claim() {
  Result<std::unique_ptr<Lane>> lane = Lane::claim(*held->store, held->options);
  if (!lane) {
    fprintf(stderr, "%s\n", lane.error().text.c_str());
    return false;
  }
  held->lane = std::move(*lane);
  held->writer.emplace(held->lane->stage);
  return held->writer->add_context({"shop", {}, {}}).ok();
}

void start() { held->flusher = Flusher::start(*held->store, *held->lane, kFast); }
void stop() { held->flusher.reset(); }

StageHeader& header() { return held->lane->stage.header(); }
bool drained() {
  return wait_for(
      [] { return header().tail.load() == header().head.load() && header().wiped.load() == header().tail.load(); });
}

// A page view whose path is its number; waits for room.
bool visit(uint64_t number, size_t filler = 0) {
  held->text = "/" + std::to_string(number) + "/" + std::string(filler, 'x');
  return wait_for([] { return held->writer->append(page_view(held->text), 0); });
}

// All that the lane's rings hold, in the order that a reader meets it. No flusher may run.
bool read_ring() {
  held->seen.clear();
  uint64_t epoch = 0, number = 0;
  LaneState& state = *held->lane->state.operator->();
  for (uint32_t generation = 0; generation <= state.ring_generation.load(); ++generation) {
    Result<RingCursor> cursor = RingCursor::open(ring_path(held->lane->path, generation));
    Result<RingScan> aside = RingScan::open(aside_ring_path(held->lane->path, generation), held->lane->number, state.epoch.load());
    if (!cursor && !aside) continue;
    std::string bytes;
    for (;;) {
      const Result<RingCursor::Outcome> outcome = cursor ? cursor->next(epoch, number, bytes) : aside->next(epoch, number, bytes);
      if (!outcome || *outcome == RingCursor::Outcome::corrupt) return false;
      if (*outcome == RingCursor::Outcome::none) break;
      Result<BlockReader> block = BlockReader::open(bytes);
      if (!block) return false;
      Hit hit;
      uint64_t hit_number;
      while (block->next(hit, hit_number)) {
        if (block->header().epoch == epoch && hit_number < number) continue;  // seen
        std::string path(hit.path);
        while (path.ends_with('x')) path.pop_back();
        held->seen.push_back({block->header().epoch, hit_number, path, std::string(block->site_of(hit)),
                              hit.events.empty() ? std::string() : std::string(hit.events[0].item),
                              !hit.anonymous_key.is_zero(), (hit.flags & kHitEventsMalformed) != 0,
                              (hit.flags & kHitExcluded) != 0});
      }
      epoch = block->header().epoch;
      number = block->header().next_number();
    }
  }
  return true;
}

// Numbers 0 … hits-1, each once and in order, and each path is its number.
bool all_there(uint64_t hits) {
  if (!read_ring()) return false;
  for (uint64_t i = 0; i < held->seen.size(); ++i) {
    const Seen& seen = held->seen[i];
    if (seen.number == i && seen.path == "/" + std::to_string(i) + "/" && seen.epoch == held->seen[0].epoch) continue;
    fprintf(stderr, "hit %lu: number %lu, path %s, epoch %lu\n", i, seen.number, seen.path.c_str(), seen.epoch);
    return false;
  }
  if (held->seen.size() != hits) fprintf(stderr, "%zu hits of %lu\n", held->seen.size(), hits);
  return held->seen.size() == hits;
}

// --- the way of a hit ---

void hits_come_out_once_and_in_order(void**) {
  static Random random(1);
  assert_true(claim());
  start();
  for (uint64_t i = 0; i < 3000; ++i) assert_true(visit(i, random.below(200)));
  assert_true(drained());
  stop();
  assert_true(all_there(3000));
  assert_int_equal(held->lane->state->overwritten.load(), 0);
  assert_int_equal(held->lane->state->fault_since_ms.load(), 0);
  assert_int_equal(header().drained.load(), 3000);
}

void a_hit_is_what_the_request_was(void**) {
  assert_true(claim());
  held->hit = page_view("/cart/?utm_source=mail");
  held->hit.events_header = "add_to_cart;item=\"SKU1\"";
  assert_true(held->writer->append(held->hit, 0));
  held->hit = page_view("/");
  held->hit.address = {};
  held->hit.events_header = "=broken=";
  assert_true(held->writer->append(held->hit, 0));
  start();
  assert_true(drained());
  stop();
  assert_true(read_ring());
  assert_int_equal(held->seen.size(), 2);
  expect_text(held->seen[0].path, "/cart/");
  expect_text(held->seen[0].site, "shop");
  expect_text(held->seen[0].item, "SKU1");
  assert_true(held->seen[0].anonymous);
  assert_false(held->seen[1].anonymous);
  assert_true(held->seen[1].malformed);
  for (uint64_t i = 0; i < header().record_bytes; ++i) assert_int_equal(held->lane->stage.records()[i], 0);  // wiped
}

// By the configuration of the moment: the next one is in force from the next hit on.
void rules_and_exclusions_are_those_of_the_store(void**) {
  static Config config;
  config = Config();
  config.sites = {default_site("elsewhere")};
  config.sites[0].hosts = {"shop"};  // the hits' site goes by its host
  config.sites[0].events = {{"add_to_cart", "/cart/add", "sku", "", ""}};
  assert_true(claim());
  start();
  const auto add_to_cart = [] {
    held->hit = page_view("/cart/add?sku=CUP");
    return held->writer->append(held->hit, 0) && drained();
  };
  assert_true(add_to_cart());
  assert_true(write_config_file(held->store->config_path(), config).ok());
  assert_true(add_to_cart());
  config.sites[0].exclude = {*parse_address_range("203.0.113.0/24")};
  assert_true(write_config_file(held->store->config_path(), config).ok());
  assert_true(add_to_cart());
  stop();
  assert_true(read_ring());
  assert_int_equal(held->seen.size(), 3);
  expect_text(held->seen[0].item, "");
  expect_text(held->seen[1].item, "CUP");
  assert_true(held->seen[1].anonymous && !held->seen[1].excluded);
  expect_text(held->seen[2].item, "");
  assert_true(held->seen[2].excluded && !held->seen[2].anonymous);
}

void what_is_not_flushed_at_the_end_stays_staged(void**) {
  assert_true(claim());
  for (uint64_t i = 0; i < 10; ++i) assert_true(visit(i));
  held->flusher = Flusher::start(*held->store, *held->lane, kFast);
  stop();  // maybe before it did anything
  for (uint64_t i = 10; i < 20; ++i) assert_true(visit(i));
  assert_true(claim());  // another lane: the first is still ours
  assert_int_equal(held->lane->number, 1);
  held->writer.reset();
  held->lane.reset();
  assert_true(claim());
  assert_int_equal(held->lane->number, 0);
  start();
  assert_true(drained());
  stop();
  assert_true(all_there(20));
}

void many_flushers_in_turn_lose_nothing(void**) {
  assert_true(claim());
  for (uint64_t i = 0; i < 60; ++i) {
    start();
    for (uint64_t hit = 0; hit < 10; ++hit) assert_true(visit(10 * i + hit));
    stop();
  }
  start();
  assert_true(drained());
  stop();
  assert_true(all_there(600));
}

// A hit now and then: the open block grows, instead of a page for each.
void a_quiet_shop_does_not_burn_the_ring(void**) {
  assert_true(claim());
  start();
  for (uint64_t i = 0; i < 40; ++i) {
    assert_true(visit(i));
    assert_true(drained());
  }
  stop();
  assert_true(held->lane->state->ring_used_bytes.load() <= 6 * 4096);
  expect_number(held->lane->state->oldest_ms.load(), kNoon);
  assert_true(all_there(40));
}

void a_full_ring_overwrites_and_counts(void**) {
  assert_true(claim());
  start();
  for (uint64_t i = 0; i < 9000; ++i) assert_true(visit(i, 900));
  assert_true(drained());
  stop();
  const uint64_t overwritten = held->lane->state->overwritten.load();
  assert_true(overwritten > 1000);
  assert_true(read_ring());
  assert_int_equal(held->seen.size() + overwritten, 9000);
  assert_int_equal(held->seen.front().number, overwritten);
  assert_int_equal(held->seen.back().number, 8999);
}

// More than one block of them: the one that does not fit is read twice and counted once.
void malformed_headers_are_counted_once(void**) {
  assert_true(claim());
  held->hit = page_view("/");
  held->hit.events_header = "=broken=";
  held->text = std::string(500, 'x');
  held->hit.referrer = held->text;
  int hits = 0;
  for (; hits < 5000 && held->writer->append(held->hit, 0); ++hits) {
  }
  start();
  assert_true(drained());
  assert_int_equal(held->flusher->report().malformed_events, hits);
  stop();
  assert_int_equal(held->lane->state->malformed_events.load(), hits);
  assert_true(read_ring());
  assert_int_equal(held->seen.size(), hits);
}

// --- kills ---

std::string file_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As if killed between the ring's commit and the stage's release: the ring is ahead of the tail.
void what_the_ring_has_is_not_written_twice(void**) {
  assert_true(claim());
  for (uint64_t i = 0; i < 100; ++i) assert_true(visit(i));
  held->text = file_content(held->lane->path + "/stage");
  const std::string before = held->text;
  start();
  assert_true(drained());
  stop();
  memcpy(static_cast<void*>(&header()), before.data(), before.size());
  assert_int_equal(header().tail.load(), 0);
  held->writer.reset();
  held->lane.reset();
  assert_true(claim());
  assert_int_equal(header().staged.load(), 100);
  for (uint64_t i = 100; i < 130; ++i) assert_true(visit(i));
  start();
  assert_true(drained());
  assert_int_equal(header().drained.load(), 130);
  stop();
  assert_true(all_there(130));
}

// Workers killed at any moment, again and again: what was staged is counted once, whatever they were doing.
void kills_at_random_lose_nothing(void**) {
  static Random random(7);
  held->options.ring_bytes = 16 << 20;  // nothing is overwritten, so all must be there
  for (int round = 0; round < 25; ++round) {
    const uint64_t steps = 1 + random.below(6);
    held->child.emplace([](Child& self) {
      child_check(claim());
      start();
      for (;;) {
        for (int i = 0; i < 150; ++i) child_check(visit(header().staged.load(), header().staged.load() % 200));
        self.step_done();
      }
      return true;
    });
    for (uint64_t step = 0; step < steps; ++step) {
      assert_true(held->child->await_step());
      held->child->go();
    }
    held->child->kill();
  }
  assert_true(claim());
  assert_int_equal(held->lane->number, 0);
  const uint64_t staged = header().staged.load();
  assert_true(staged > 25 * 150);
  start();
  assert_true(drained());
  stop();
  assert_int_equal(held->lane->state->overwritten.load(), 0);
  assert_true(all_there(staged));
}

// --- damage ---

void damage_in_the_stage_costs_its_rest_and_is_counted(void**) {
  assert_true(claim());
  for (uint64_t i = 0; i < 5; ++i) assert_true(visit(i));
  const uint64_t damaged = header().head.load();
  for (uint64_t i = 5; i < 9; ++i) assert_true(visit(i));
  memset(held->lane->stage.records() + damaged, 0xff, 16);
  start();
  assert_true(drained());
  assert_true(wait_for([] { return held->flusher->report().corrupt == 4; }));
  for (uint64_t i = 9; i < 12; ++i) assert_true(visit(i));
  assert_true(drained());
  stop();
  assert_true(read_ring());
  assert_int_equal(held->seen.size(), 8);
  assert_int_equal(held->seen[4].number, 4);
  assert_int_equal(held->seen[5].number, 9);  // the numbers tell the gap
  expect_text(held->seen[5].path, "/9/");
}

void a_position_beyond_the_stage_is_not_believed(void**) {
  assert_true(claim());
  for (uint64_t i = 0; i < 5; ++i) assert_true(visit(i));
  {
    Result<RingWriter> ring = RingWriter::open(ring_path(held->lane->path, 0), kRingBytesMin);
    BlockBuilder block;
    block.begin(0, header().epoch - 1, 0);
    uint64_t overwritten = 0;
    assert_true(ring.ok() &&
                ring->put(block.finish(), block.header(), false, {header().epoch, 1ull << 40, 0}, overwritten).ok());
  }
  start();
  assert_true(drained());
  stop();
  assert_true(all_there(5));
}

void a_ring_that_is_none_is_set_aside(void**) {
  assert_true(claim());
  std::filesystem::create_directory(ring_path(held->lane->path, 0));
  std::ofstream(ring_path(held->lane->path, 0) + "/data.mdb") << std::string(50'000, 'x');
  for (uint64_t i = 0; i < 5; ++i) assert_true(visit(i));
  start();
  assert_true(drained());
  assert_true(wait_for([] { return held->flusher->report().fault_since_ms == 0; }));
  stop();
  assert_int_equal(held->lane->state->ring_generation.load(), 1);
  assert_true(all_there(5));
  assert_int_equal(std::filesystem::file_size(aside_ring_path(held->lane->path, 0) + "/data.mdb"), 50'000);  // kept
}

// --- no room ---

// The ring cannot grow: hits stay staged, the fault is told; with room again all of them come out.
bool survives_no_room(const std::function<bool()>& take_room, const std::function<bool()>& give_room) {
  child_check(claim());
  for (uint64_t i = 0; i < 50; ++i) child_check(visit(i, 800));
  child_check(take_room());
  start();
  child_check(wait_for([] { return held->flusher->report().fault_since_ms != 0; }));
  child_check(!held->flusher->report().fault.empty());
  uint64_t hits = 50;
  for (; hits < 150; ++hits) child_check(visit(hits, 800));  // requests go on meanwhile
  child_check(header().tail.load() < header().head.load());
  child_check(give_room());
  child_check(drained());
  child_check(wait_for([] { return held->flusher->report().fault_since_ms == 0; }));
  stop();
  child_check(all_there(hits));
  return true;
}

// The same in the middle of its work.
bool survives_filling_up(const std::function<bool()>& take_room, const std::function<bool()>& give_room) {
  child_check(claim());
  start();
  uint64_t hits = 0;
  for (; hits < 20; ++hits) child_check(visit(hits, 800));
  child_check(drained());
  child_check(take_room());
  for (; hits < 150; ++hits) child_check(visit(hits, 800));
  child_check(wait_for([] { return held->flusher->report().fault_since_ms != 0; }));
  child_check(give_room());
  child_check(drained());
  child_check(wait_for([] { return held->flusher->report().fault_since_ms == 0; }));
  stop();
  child_check(all_there(hits));
  return true;
}

void a_file_that_may_not_grow_loses_nothing(void**) {
  assert_true(in_child([] {
    signal(SIGXFSZ, SIG_IGN);
    rlimit whole;
    child_check(getrlimit(RLIMIT_FSIZE, &whole) == 0);
    const rlimit bound{12'000, whole.rlim_max};
    return survives_no_room([&] { return setrlimit(RLIMIT_FSIZE, &bound) == 0; },
                            [&] { return setrlimit(RLIMIT_FSIZE, &whole) == 0; });
  }));
}

// A disk of a few MiB of the test's own, full to the last byte: before the ring is even made, or later.
bool fill_disk(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  child_check(fd >= 0);
  const std::string zeros(4096, 'z');
  while (write(fd, zeros.data(), zeros.size()) > 0) {
  }
  return close(fd) == 0;
}

constexpr int kNotAllowed = 77;

void a_full_disk_loses_nothing(void**) {
  for (bool ring_is_there : {false, true}) {
    fflush(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
      if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          mount("none", held->folder.path().c_str(), "tmpfs", 0, "size=4m") != 0)
        _exit(kNotAllowed);
      make_store();
      const std::string ballast = held->folder / "ballast";
      const auto take_room = [&] { return fill_disk(ballast); };
      const auto give_room = [&] { return unlink(ballast.c_str()) == 0; };
      const bool well =
          ring_is_there ? survives_filling_up(take_room, give_room) : survives_no_room(take_room, give_room);
      held.reset();
      _exit(well ? 0 : 1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kNotAllowed) skip();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      fail_msg("%s: status %x", ring_is_there ? "in the middle" : "from the start", status);
  }
}

}  // namespace
}  // namespace footfall

#define in_store(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      in_store(hits_come_out_once_and_in_order),
      in_store(a_hit_is_what_the_request_was),
      in_store(rules_and_exclusions_are_those_of_the_store),
      in_store(what_is_not_flushed_at_the_end_stays_staged),
      in_store(many_flushers_in_turn_lose_nothing),
      in_store(a_quiet_shop_does_not_burn_the_ring),
      in_store(a_full_ring_overwrites_and_counts),
      in_store(malformed_headers_are_counted_once),
      in_store(what_the_ring_has_is_not_written_twice),
      in_store(kills_at_random_lose_nothing),
      in_store(damage_in_the_stage_costs_its_rest_and_is_counted),
      in_store(a_position_beyond_the_stage_is_not_believed),
      in_store(a_ring_that_is_none_is_set_aside),
      in_store(a_file_that_may_not_grow_loses_nothing),
      in_store(a_full_disk_loses_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
