#include "aggregate/lanes.h"

#include <filesystem>
#include <memory>
#include <vector>

#include "aggregate/traffic.h"
#include "aggregate/worker.h"
#include "child.h"
#include "lane/import_lane.h"

namespace footfall {
namespace {

constexpr int64_t kTen = 1'790'848'800'000;  // 2026-10-01 10:00 UTC
constexpr int64_t kLater = kTen + 60'000;    // every worker has been silent for long
constexpr int64_t kHour = 3'600'000;

// Of the running test.
struct Fixture {
  TempFolder folder;
  Store store = Store::create(folder / "store", std::nullopt).value();
  std::unique_ptr<Lanes> lanes;
  std::vector<std::unique_ptr<Worker>> workers;

  Worker& start_worker(uint64_t stage_bytes = kStageRecordBytesMin) {
    workers.push_back(std::make_unique<Worker>(store, stage_bytes));
    return *workers.back();
  }
  void start_workers(int number) {
    for (int i = 0; i < number; ++i) start_worker();
  }
  Lanes& open(const std::vector<LanePlace>& places = {}, int64_t settled_ms = INT64_MIN) {
    lanes.reset();
    lanes = std::make_unique<Lanes>(store, places, settled_ms);
    return *lanes;
  }
  // The paths of all hits that are due; late ones with a `!`.
  std::string take(bool all = false) {
    std::string paths;
    for (; lanes->next(all); lanes->pop())
      paths.append(paths.empty() ? "" : " ").append(lanes->hit().path).append(lanes->is_late() ? "!" : "");
    return paths;
  }
  std::string poll_and_take(int64_t now_ms, bool with_stage = false) {
    lanes->poll(now_ms, with_stage);
    return take();
  }
};
std::unique_ptr<Fixture> f;
int open_store(void**) { return f = std::make_unique<Fixture>(), 0; }
int close_store(void**) { return f.reset(), 0; }

void lanes_are_merged_by_time(void**) {
  f->start_workers(3);
  f->workers[0]->view("/1", kTen + 1).view("/5", kTen + 5).flush();
  f->workers[1]->view("/2", kTen + 2).view("/6", kTen + 6);  // not flushed
  f->workers[2]->view("/3", kTen + 3).flush().view("/4", kTen + 4);
  f->workers.clear();
  f->open();
  expect_text(f->poll_and_take(kLater), "/1 /2 /3 /4 /5 /6");
  assert_true(f->lanes->holds_all());
  assert_false(f->lanes->next(true));
}

void equal_times_go_by_lane_then_by_number(void**) {
  f->start_workers(2);
  f->workers[1]->view("/b1", kTen).view("/b2", kTen);
  f->workers[0]->view("/a1", kTen).view("/a2", kTen);
  f->workers.clear();
  f->open();
  expect_text(f->poll_and_take(kLater), "/a1 /a2 /b1 /b2");
}

void no_hit_comes_out_before_an_older_one_of_another_lane(void**) {
  f->start_workers(2);
  f->workers[0]->view("/100", kTen + 100).clock(kTen + 120).flush();
  f->workers[1]->clock(kTen + 100);  // may bring one of that very ms
  f->open();
  expect_text(f->poll_and_take(kTen + 1000), "");
  assert_true(f->lanes->lagging().empty());
  expect_number(f->lanes->complete_through_ms(), kTen + 100);
  f->workers[1]->view("/101", kTen + 101).clock(kTen + 150);  // not flushed, so the bound stands
  expect_text(f->poll_and_take(kTen + 1050), "");
  f->workers[1]->flush();
  expect_text(f->poll_and_take(kTen + 1100), "/100 /101");
}

void all_takes_what_could_still_be_preceded(void**) {
  f->start_workers(2);
  f->workers[0]->view("/a", kTen + 100).clock(kTen + 120).flush();
  f->workers[1]->clock(kTen + 50);
  f->open().poll(kTen + 1000, false);
  expect_text(f->take(true), "/a");
}

void a_lane_that_stands_still_for_2s_is_left_out(void**) {
  f->start_workers(2);
  f->workers[0]->view("/a", kTen + 100).clock(kTen + 2500).flush();
  f->workers[1]->clock(kTen + 50);
  f->open();
  expect_text(f->poll_and_take(kTen + 2050), "");
  assert_true(f->lanes->lagging().empty());
  expect_text(f->poll_and_take(kTen + 2051), "/a");
  expect_number(f->lanes->lagging().size(), 1);
  expect_number(f->lanes->lagging()[0], 1);
  f->workers[1]->view("/late", kTen + 60).view("/in-time", kTen + 2500).clock(kTen + 2600).flush();
  f->workers[0]->clock(kTen + 2600);
  expect_text(f->poll_and_take(kTen + 3000), "/late! /in-time");
  assert_true(f->lanes->lagging().empty());
}

void a_lane_that_cannot_be_read_holds_nobody_back(void**) {
  f->start_workers(2);
  f->workers[0]->view("/a", kTen).flush();
  f->workers[1]->lane().state->version = 99;
  f->workers.clear();
  f->open();
  expect_text(f->poll_and_take(kLater), "/a");
  assert_true(f->lanes->holds_all());
  expect_number(f->lanes->faults().size(), 1);
  assert_true(f->lanes->faults()[0].starts_with("lane 1: "));
}

void a_lane_that_is_just_claimed_is_waited_for(void**) {
  f->start_worker().view("/a", kLater + 10).clock(kLater + 400).flush();
  f->open();
  expect_text(f->poll_and_take(kLater + 50), "");  // another worker may have staged something at that time
  f->start_worker().view("/b", kLater + 60).clock(kLater + 220);
  expect_text(f->poll_and_take(kLater + 220), "/a");
  f->workers[0]->view("/c", kLater + 400);
  f->workers[0].reset();
  expect_text(f->poll_and_take(kLater + 2100), "");  // /c waits for what the new lane has staged
  f->workers[1]->flush().clock(kLater + 2200);
  expect_text(f->poll_and_take(kLater + 2500), "/b /c");
}

void hits_of_the_future_are_refused_at_once(void**) {
  f->start_workers(2);
  f->workers[0]->view("/ahead", kTen + 1000 + kHour + 1).flush();
  f->workers[1]->view("/a", kTen + 100).clock(kTen + 150).flush();
  f->open();
  expect_text(f->poll_and_take(kTen + 1000), "/a");
  expect_number(f->lanes->take_refused(), 1);
  expect_number(f->lanes->take_refused(), 0);
  expect_number(f->lanes->places()[0].number, 1);
  expect_number(f->lanes->take_lost(), 0);
}

void an_hour_ahead_is_not_refused(void**) {
  f->start_worker().view("/ahead", kTen + kHour).flush();
  f->open().poll(kTen, false);
  expect_text(f->take(true), "/ahead");
  expect_number(f->lanes->take_refused(), 0);
}

void what_was_settled_before_a_restart_is_late(void**) {
  f->start_worker().view("/late", kTen).view("/in-time", kTen + 100);
  f->workers.clear();
  f->open({}, kTen + 100);
  expect_text(f->poll_and_take(kLater), "/late! /in-time");
}

void losses_of_all_lanes_are_told_once(void**) {
  f->start_workers(2);
  for (auto& worker : f->workers) worker->view("/gone", kTen).flush_garbage().view("/a", kTen + 1).flush();
  f->workers.clear();
  f->open();
  expect_text(f->poll_and_take(kLater), "/a /a");
  expect_number(f->lanes->take_lost(), 2);
  f->open(f->lanes->places());
  expect_text(f->poll_and_take(kLater), "");
  expect_number(f->lanes->take_lost(), 0);
}

void the_place_of_a_removed_lane_is_kept(void**) {
  f->start_worker().view("/a", kTen);
  f->workers.clear();
  f->open();
  expect_text(f->poll_and_take(kLater), "/a");
  static std::vector<LanePlace> places;
  places = f->lanes->places();
  f->lanes->poll(kLater + 1, false);
  f->lanes->poll(kLater + kHour + 1, false);
  assert_false(std::filesystem::exists(f->store.lane_path(0)));
  expect_number(f->lanes->places().size(), 1);
  assert_true(f->lanes->places()[0].epoch == places[0].epoch);
  expect_number(f->lanes->places()[0].number, 1);
  f->start_worker().view("/b", kLater + kHour);
  f->workers.clear();
  expect_text(f->poll_and_take(kLater + 2 * kHour), "/b");
  expect_number(f->lanes->take_lost(), 0);
}

// --- the same figures by any number of lanes -------------------------------------------------------------------------

std::vector<Request> traffic;

std::string figures_by_one_hand() {
  open_shop(nullptr);
  for (const Request& request : traffic) shop().site(request.site).count(request.raw());
  return told(shop().figures());
}
void count_due(bool all = false) {
  for (; f->lanes->next(all); f->lanes->pop()) {
    assert_false(f->lanes->is_late());
    shop().count(f->lanes->hit(), f->lanes->site(), false);
  }
}

// It has a reader of its own, which tells its place.
void the_import_lane_is_none_of_them(void**) {
  f->start_worker().view("/a", kTen);
  f->workers.clear();
  f->open({{.lane = kImportLane, .epoch = 1, .number = 1'750}});
  expect_text(f->poll_and_take(kLater), "/a");
  expect_number(f->lanes->places().size(), 1);
  expect_number(f->lanes->places()[0].lane, 0);
}

void any_number_of_lanes_gives_the_same_figures(void**) {
  traffic = random_traffic(20261002, 2000);
  static std::string expected;
  expected = figures_by_one_hand();
  for (int number = 1; number <= 4; ++number) {
    open_store(nullptr);
    open_shop(nullptr);
    static Random random(9);
    for (int i = 0; i < number; ++i) f->start_worker(1 << 20);
    for (const Request& request : traffic) {
      Worker& worker = *f->workers[random.below(f->workers.size())];
      worker.stage(request.raw(), request.site);
      if (random.below(50) == 0) worker.flush();
    }
    f->workers.clear();
    f->open().poll(traffic.back().time_ms + 60'000, false);
    count_due();
    assert_true(f->lanes->holds_all());
    expect_number(f->lanes->take_lost(), 0);
    expect_same(told(shop().figures()), expected, std::to_string(number) + " lanes");
  }
}

void running_workers_give_the_same_figures_whenever_they_are_read(void**) {
  traffic = random_traffic(20261003, 1000);
  static std::string expected;
  expected = figures_by_one_hand();
  open_shop(nullptr);
  static Random random(10);
  for (int i = 0; i < 4; ++i) f->start_worker(1 << 20);
  f->open();
  for (const Request& request : traffic) {
    f->workers[random.below(4)]->stage(request.raw(), request.site);
    const bool look = random.below(7) == 0;
    if (look)
      for (auto& worker : f->workers) worker->clock(request.time_ms);
    if (look) f->lanes->poll(request.time_ms, true);
    if (look) count_due();
    if (random.below(40) == 0) f->open(f->lanes->places(), f->lanes->complete_through_ms());
  }
  f->lanes->poll(traffic.back().time_ms + 60'000, true);
  count_due(true);
  expect_number(f->lanes->take_lost(), 0);
  expect_same(told(shop().figures()), expected, "running workers");
}

int close_shop_and_store(void**) { return close_shop(nullptr), close_store(nullptr); }

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define store_test(name) cmocka_unit_test_setup_teardown(name, open_store, close_shop_and_store)
  const CMUnitTest tests[] = {
      store_test(lanes_are_merged_by_time),
      store_test(equal_times_go_by_lane_then_by_number),
      store_test(no_hit_comes_out_before_an_older_one_of_another_lane),
      store_test(all_takes_what_could_still_be_preceded),
      store_test(a_lane_that_stands_still_for_2s_is_left_out),
      store_test(a_lane_that_cannot_be_read_holds_nobody_back),
      store_test(a_lane_that_is_just_claimed_is_waited_for),
      store_test(hits_of_the_future_are_refused_at_once),
      store_test(an_hour_ahead_is_not_refused),
      store_test(what_was_settled_before_a_restart_is_late),
      store_test(losses_of_all_lanes_are_told_once),
      store_test(the_place_of_a_removed_lane_is_kept),
      store_test(the_import_lane_is_none_of_them),
      store_test(any_number_of_lanes_gives_the_same_figures),
      store_test(running_workers_give_the_same_figures_whenever_they_are_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
