// Events that are staged together: all of them or none, whatever stands in the way and whoever dies; each with its own
// time, without turning the lane's back.
#include <algorithm>
#include <deque>
#include <optional>
#include <string>

#include "base/limits.h"
#include "child.h"
#include "lane/sample.h"
#include "lane/stage_writer.h"
#include "random.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr uint8_t kBoot[16] = {1};
using Outcome = StageBatch::Outcome;

struct Held {
  TempFolder folder;
  std::string path = folder / "stage";
  std::optional<StageFile> file;
  std::optional<StageWriter> writer;
  std::optional<StageReader> reader;
  std::optional<StageBatch> batch;
  std::optional<Child> child;
  std::string text;
  RawHit event;
  uint16_t shop = 0;
};
std::optional<Held> held;

int make_stage(void**) {
  held.emplace();
  Result<StageFile> made = StageFile::create(held->path, 0, 1, kBoot, kStageRecordBytesMin);
  if (!made) return -1;
  held->file.emplace(std::move(*made));
  held->writer.emplace(*held->file);
  held->reader.emplace(*held->file, 0, 0);
  held->shop = *held->writer->add_context({"shop", {}, {}});
  held->event.event_only = true;
  held->event.time_ms = kNoon;
  held->event.visitor_id = "v1";
  held->event.events = {{true, "purchase", "", "12.50", "EUR", "A-1", "SKU1:1:12.50", "MAIL24", "c-9"}};
  return 0;
}
int remove_stage(void**) {
  held.reset();
  return 0;
}

StageHeader& header() { return held->file->header(); }
Outcome add() { return held->batch->add(held->event, held->shop); }
void begin_batch() { held->batch.reset(), held->batch.emplace(*held->writer); }

const RawHit& read() {
  assert_int_equal(held->reader->next(), StageReader::Outcome::hit);
  return held->reader->hit();
}
void expect_empty() { assert_int_equal(held->reader->next(), StageReader::Outcome::empty); }

// Bytes of the records that are not zero.
size_t bytes_left() {
  const uint8_t* const records = held->file->records();
  return header().record_bytes - static_cast<size_t>(std::count(records, records + header().record_bytes, 0));
}

void a_batch_is_there_all_at_once(void**) {
  begin_batch();
  for (int i = 0; i < 3; ++i) assert_true(add() == Outcome::added);
  expect_empty();
  expect_number(header().staged.load(), 0);
  held->batch->show();
  expect_number(header().staged.load(), 3);
  for (int i = 0; i < 3; ++i) {
    const RawHit& out = read();
    assert_true(out.event_only);
    expect_text(out.visitor_id, "v1");
    expect_text(out.events.front().id, "A-1");
    expect_text(out.events.front().customer, "c-9");
    expect_text(held->reader->context().site, "shop");
  }
  expect_empty();
  expect_number(header().dropped[0].load() + header().dropped[1].load(), 0);
}

void one_that_is_given_up_leaves_nothing(void**) {
  held->writer->append(page_view("/before"), held->shop);
  const size_t before = bytes_left();
  begin_batch();
  for (int i = 0; i < 50; ++i) add();
  held->batch.reset();
  expect_number(static_cast<int64_t>(bytes_left()), static_cast<int64_t>(before));
  held->writer->append(page_view("/behind"), held->shop);
  expect_text(read().uri, "/before");
  expect_text(read().uri, "/behind");
  expect_empty();
}

void a_killed_process_leaves_none_of_it(void**) {
  held->child.emplace([](Child& self) {
    StageBatch batch(*held->writer);
    for (int i = 0; i < 50; ++i)
      if (batch.add(held->event, held->shop) != Outcome::added) return false;
    self.step_done();
    return true;
  });
  assert_true(held->child->await_step());
  held->child->kill();
  held->writer.emplace(*held->file);  // the next owner's
  expect_empty();
  held->writer->append(page_view("/next"), held->shop);
  expect_text(read().uri, "/next");
  expect_empty();
}

// Round and round the stage, with batches that are shown and such that are not.
void it_goes_round(void**) {
  Random random(3);
  static std::deque<std::string> expected;
  expected.clear();
  for (int round = 0; round < 400; ++round) {
    begin_batch();
    const bool shown = random.below(2) == 0;
    for (uint64_t i = random.below(30); i > 0; --i) {
      held->text = std::to_string(round) + "-" + std::to_string(i) + std::string(random.below(900), 'x');
      held->text.resize(std::min(held->text.size(), kVisitorIdBytesMax));
      held->event.visitor_id = held->text;
      assert_true(add() == Outcome::added);
      if (shown) expected.push_back(held->text);
    }
    if (shown) held->batch->show();
    held->batch.reset();
    for (; !expected.empty(); expected.pop_front()) expect_text(read().visitor_id, expected.front());
    expect_empty();
    held->reader->release();
    expect_number(static_cast<int64_t>(bytes_left()), 0);
  }
}

void what_finds_no_room_says_why(void**) {
  held->text = std::string(18'000, 'i');
  held->event.events.front().items = held->text;
  begin_batch();
  Outcome outcome = add();
  while (outcome == Outcome::added) outcome = add();
  assert_true(outcome == Outcome::too_large);  // half of the stage, however empty
  begin_batch();
  for (int i = 0; i < 5; ++i) assert_true(add() == Outcome::added);
  held->batch->show();
  begin_batch();
  for (int i = 0; i < 5; ++i) assert_true(add() == Outcome::added);
  held->batch->show();
  begin_batch();
  outcome = add();
  while (outcome == Outcome::added) outcome = add();
  assert_true(outcome == Outcome::no_room);
  held->batch.reset();
  for (int i = 0; i < 10; ++i) expect_number(static_cast<int64_t>(read().events.front().items.size()), 18'000);
  expect_empty();

  held->text = std::string(kRawRecordBytesMax, 'i');
  held->event.events.front().items = held->text;
  begin_batch();
  assert_true(add() == Outcome::oversized);
  held->event.time_ms = 5;
  assert_true(add() == Outcome::clock);
  for (size_t reason = 0; reason < kDropReasons; ++reason) expect_number(header().dropped[reason].load(), 0);
}

void an_event_has_its_own_time_and_the_lane_another(void**) {
  held->writer->append(page_view("/", kNoon), held->shop);
  begin_batch();
  held->event.time_ms = kNoon - 3'600'000;
  add();
  held->event.time_ms = kNoon + 5'000;
  add();
  held->batch->show();
  expect_number(header().last_time_ms, kNoon);
  held->writer->append(page_view("/", kNoon - 1), held->shop);
  read();
  expect_number(read().time_ms, kNoon - 3'600'000);
  expect_number(read().time_ms, kNoon + 5'000);
  expect_number(read().time_ms, kNoon);
}

void one_that_has_no_event_is_none(void**) {
  held->event.events.clear();
  begin_batch();
  add();
  held->batch->show();
  assert_int_equal(held->reader->next(), StageReader::Outcome::corrupt);
}

}  // namespace
}  // namespace footfall

#define with_stage(test) cmocka_unit_test_setup_teardown(test, make_stage, remove_stage)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      with_stage(a_batch_is_there_all_at_once),
      with_stage(one_that_is_given_up_leaves_nothing),
      with_stage(a_killed_process_leaves_none_of_it),
      with_stage(it_goes_round),
      with_stage(what_finds_no_room_says_why),
      with_stage(an_event_has_its_own_time_and_the_lane_another),
      with_stage(one_that_has_no_event_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
