// The ring: blocks in order up to a bound of bytes, the position with them, and a reader that stands where it likes.
//
// An environment may be open once in a process: where a test needs a writer and a reader at a time, the reader is
// another process that goes step by step.
#include "lane/ring.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "child.h"
#include "lane/wipe_tree.h"
#include "random.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr uint64_t kLiveBytes = 1 << 20;
constexpr uint64_t kEpoch = 77;

struct Held {
  TempFolder folder;
  std::string path = ring_path(folder.path(), 4);
  std::optional<RingWriter> writer;
  std::optional<RingCursor> cursor;
  std::optional<Child> child;
  BlockBuilder block;
  std::string bytes;
  uint64_t number = 0;  // of the next hit
  uint64_t overwritten = 0;
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

void open_writer() {
  held->cursor.reset();
  held->writer.reset();
  Result<RingWriter> opened = RingWriter::open(held->path, kLiveBytes);
  if (!opened) fail_msg("%s", opened.error().text.c_str());
  held->writer.emplace(std::move(*opened));
}

void open_cursor() {
  held->writer.reset();
  held->cursor.reset();
  Result<RingCursor> opened = RingCursor::open(held->path);
  if (!opened) fail_msg("%s", opened.error().text.c_str());
  held->cursor.emplace(std::move(*opened));
}

Hit hit_of(uint64_t number, size_t path_bytes) {
  static std::string path;
  path = "/" + std::to_string(number) + "/";
  path.resize(std::max(path.size(), path_bytes), 'x');
  Hit hit;
  hit.time_ms = static_cast<int64_t>(1'000'000 + number);
  hit.path = path;
  return hit;
}

// A new block's worth of hits into the builder; `grow` adds to the last block instead.
void fill(uint64_t hits, size_t path_bytes = 10, bool grow = false, uint64_t epoch = kEpoch) {
  if (!grow) held->block.begin(2, epoch, held->number);
  for (; hits > 0; --hits) assert_true(held->block.add(hit_of(held->number++, path_bytes), "shop"));
}

Status put(bool replace = false, uint64_t epoch = kEpoch) {
  return held->writer->put(held->block.finish(), held->block.header(), replace,
                           {epoch, held->number * 100, held->number}, held->overwritten);
}

void write(uint64_t hits, size_t path_bytes = 10, bool grow = false) {
  fill(hits, path_bytes, grow);
  const Status status = put(grow);
  if (!status) fail_msg("%s", status.error().text.c_str());
}

// What the cursor finds behind `number`: "first–last" numbers of the block, "none" or "corrupt".
std::string find(RingCursor& cursor, uint64_t number, uint64_t epoch = kEpoch) {
  std::string bytes;
  const Result<RingCursor::Outcome> outcome = cursor.next(epoch, number, bytes);
  if (!outcome) return outcome.error().text;
  if (*outcome == RingCursor::Outcome::none) return "none";
  if (*outcome == RingCursor::Outcome::corrupt) return "corrupt";
  const Result<BlockReader> block = BlockReader::open(bytes);
  if (!block) return block.error().text;
  return std::to_string(block->header().first_number) + "-" + std::to_string(block->header().next_number() - 1);
}
std::string find(uint64_t number, uint64_t epoch = kEpoch) { return find(*held->cursor, number, epoch); }

// --- blocks and position ---

void blocks_come_in_order(void**) {
  open_writer();
  write(3);
  write(5, 500);
  write(1);
  open_cursor();
  expect_text(find(0), "0-2");
  expect_text(find(0), "0-2");  // until the caller says that it has seen it
  expect_text(find(3), "3-7");
  expect_text(find(5), "3-7");  // seen in part
  expect_text(find(8), "8-8");
  expect_text(find(9), "none");
}

void an_empty_ring_has_nothing(void**) {
  open_writer();
  assert_int_equal(held->writer->position().next_number, 0);
  assert_int_equal(held->writer->use().used_bytes, 0);
  open_cursor();
  expect_text(find(0), "none");
  assert_int_equal(held->cursor->position()->epoch, 0);
}

void a_ring_that_is_not_there_is_not_made_by_reading(void**) {
  assert_int_equal(RingCursor::open(held->path).error().code, Error::Code::not_found);
  assert_false(std::filesystem::exists(held->path));
}

void the_position_lies_with_the_block(void**) {
  open_writer();
  write(3);
  assert_int_equal(held->writer->position().next_number, 3);
  open_cursor();
  const RingPosition position = *held->cursor->position();
  assert_int_equal(position.epoch, kEpoch);
  assert_int_equal(position.position, 300);
  assert_int_equal(position.next_number, 3);
  open_writer();
  assert_int_equal(held->writer->position().position, 300);
  assert_int_equal(held->writer->position().epoch, kEpoch);
}

void another_writer_goes_on(void**) {
  open_writer();
  write(3);
  write(2, 600);
  const RingUse before = held->writer->use();
  open_writer();
  assert_int_equal(held->writer->use().used_bytes, before.used_bytes);
  expect_number(held->writer->use().oldest_ms, 1'000'000);
  expect_number(held->writer->use().newest_ms, 1'000'004);
  write(4);
  open_cursor();
  expect_text(find(0), "0-2");
  expect_text(find(3), "3-4");
  expect_text(find(5), "5-8");
}

void a_grown_block_takes_the_place_of_the_last(void**) {
  open_writer();
  write(3);
  const uint64_t used = held->writer->use().used_bytes;
  for (int i = 0; i < 20; ++i) write(1, 10, true);
  assert_int_equal(held->writer->use().used_bytes, used);  // still one page
  write(1);
  open_cursor();
  expect_text(find(0), "0-22");
  expect_text(find(7), "0-22");
  expect_text(find(23), "23-23");
}

// --- bounds ---

void the_oldest_go_and_are_counted_to_the_hit(void**) {
  static Random random(1);
  open_writer();
  while (held->overwritten < 20'000) {
    write(1 + random.below(60), 10 + random.below(900));
    assert_true(held->writer->use().used_bytes <= kLiveBytes);
  }
  const int64_t oldest_ms = held->writer->use().oldest_ms;
  expect_number(oldest_ms, static_cast<int64_t>(1'000'000 + held->overwritten));
  open_cursor();
  std::string bytes;
  uint64_t seen = 0, next = held->overwritten;  // nothing is missing behind what was overwritten
  while (*held->cursor->next(kEpoch, next, bytes) == RingCursor::Outcome::block) {
    const BlockHeader header = BlockReader::open(bytes)->header();
    assert_int_equal(header.first_number, next);
    next = header.next_number();
    seen += header.hits;
  }
  assert_int_equal(seen + held->overwritten, held->number);
  open_writer();
  expect_number(held->writer->use().oldest_ms, oldest_ms);
}

// Ten revolutions of blocks of every size, grown ones among them, never meet a full map.
void bytes_are_bounded_over_many_revolutions(void**) {
  static Random random(2);
  open_writer();
  uint64_t written_bytes = 0;
  while (written_bytes < 10 * kLiveBytes) {
    fill(1 + random.below(50), 10 + random.below(1000));
    assert_true(put().ok());
    for (uint64_t grown = random.below(4); grown > 0 && held->block.bytes() < 30'000; --grown) {
      fill(1, 100, true);
      assert_true(put(true).ok());
    }
    written_bytes += held->block.bytes();
    assert_true(held->writer->use().used_bytes <= kLiveBytes);
  }
  assert_true(held->writer->use().used_bytes > kLiveBytes - 2 * kBlockBytesMax);  // and it is used
  assert_true(std::filesystem::file_size(held->path + "/data.mdb") <= 3 * kLiveBytes);
}

void a_grown_block_that_is_the_only_one_stays(void**) {
  open_writer();
  fill(1, 1000);
  while (held->block.bytes() < kBlockBytesMax - 1200) fill(1, 1000, true);
  assert_true(put().ok());
  for (int i = 0; i < 200; ++i) assert_true(put(true).ok());
  assert_int_equal(held->overwritten, 0);
  open_cursor();
  expect_text(find(0), "0-" + std::to_string(held->number - 1));
}

// --- a reader beside a writer ---

void run_beside(const std::function<bool(Child&)>& work) { held->child.emplace(work); }
void step() { assert_true(held->child->await_step()); }
void go() { held->child->go(); }

#define child_text(actual, expected)                                                           \
  do {                                                                                         \
    const std::string found = (actual);                                                        \
    if (found != (expected)) {                                                                 \
      fprintf(stderr, "%s:%d: %s is not %s\n", __FILE__, __LINE__, found.c_str(), (expected)); \
      return false;                                                                            \
    }                                                                                          \
  } while (false)

void a_reader_sees_what_comes_and_what_grows(void**) {
  run_beside([](Child& self) {
    self.step_done();
    Result<RingCursor> cursor = RingCursor::open(held->path);
    child_check(cursor.ok());
    child_text(find(*cursor, 0), "none");
    self.step_done();
    child_text(find(*cursor, 0), "0-1");
    child_text(find(*cursor, 2), "none");
    self.step_done();
    child_text(find(*cursor, 2), "0-4");  // grown: three hits not seen yet
    child_text(find(*cursor, 5), "none");
    self.step_done();
    child_text(find(*cursor, 5), "0-5");  // and again, then another
    child_text(find(*cursor, 6), "6-6");
    child_text(find(*cursor, 7), "none");
    return true;
  });
  step();
  open_writer();
  go();
  step();
  write(2);
  go();
  step();
  write(3, 10, true);
  go();
  step();
  write(1, 10, true);
  write(1);
  go();
  assert_true(held->child->finish());
}

void a_reader_that_was_overrun_goes_on_with_the_oldest(void**) {
  run_beside([](Child& self) {
    self.step_done();
    Result<RingCursor> cursor = RingCursor::open(held->path);
    child_check(cursor.ok());
    child_text(find(*cursor, 0), "0-1");
    self.step_done();
    std::string bytes;
    child_check(*cursor->next(kEpoch, 2, bytes) == RingCursor::Outcome::block);
    const uint64_t first = BlockReader::open(bytes)->header().first_number;
    child_check(first > 2);  // the gap tells what was lost
    child_check(find(*cursor, first).starts_with(std::to_string(first) + "-"));
    return true;
  });
  step();
  open_writer();
  write(2);
  go();
  step();
  while (held->overwritten < 100) write(20, 900);
  go();
  assert_true(held->child->finish());
}

// Who is behind by an epoch finds the new one; what belongs to older ones counts as seen.
void epochs_rise(void**) {
  open_writer();
  write(3);
  held->number = 0;
  fill(2, 10, false, kEpoch + 1);
  assert_true(put(false, kEpoch + 1).ok());
  open_cursor();
  expect_text(find(0, kEpoch - 5), "0-2");
  expect_text(find(3, kEpoch), "0-1");
  open_cursor();
  expect_text(find(0, kEpoch + 1), "0-1");
  expect_text(find(2, kEpoch + 1), "none");
}

// --- a reader that dies ---

void pin_pages(Child& self) {
  Result<LmdbEnv> env = LmdbEnv::open(held->path, {.read_only = true});
  Result<LmdbTxn> txn = LmdbTxn::read(*env);
  if (txn) self.step_done();
}

void a_living_reader_may_fill_the_map_and_nothing_is_lost(void**) {
  open_writer();
  write(3);
  run_beside([](Child& self) {
    pin_pages(self);
    return true;
  });
  step();
  Status status;
  for (int i = 0; status && i < 1000; ++i) {
    fill(30, 900);
    status = put();
  }
  assert_false(status.ok());
  assert_int_equal(status.error().code, Error::Code::full);
  const uint64_t failed = held->block.header().first_number, overwritten = held->overwritten;
  assert_int_equal(held->writer->position().next_number, failed);  // as before
  assert_true(held->writer->use().used_bytes <= kLiveBytes);
  go();
  assert_true(held->child->finish());
  assert_true(put().ok());  // the same block, once the reader is gone
  assert_true(held->overwritten >= overwritten);
  open_cursor();
  const uint64_t first = held->overwritten;
  uint64_t next = first;
  while (*held->cursor->next(kEpoch, next, held->bytes) == RingCursor::Outcome::block) {
    const BlockHeader header = BlockReader::open(held->bytes)->header();
    assert_int_equal(header.first_number, next);
    next = header.next_number();
  }
  assert_int_equal(next, held->number);
}

void a_killed_reader_does_not_stop_the_writer(void**) {
  open_writer();
  write(3);
  run_beside([](Child& self) {
    pin_pages(self);
    return true;
  });
  step();
  held->child->kill();
  for (int i = 0; i < 1000; ++i) write(30, 900);
}

// --- damage ---

void a_damaged_block_is_passed_over(void**) {
  open_writer();
  write(2);
  fill(3);
  held->bytes = held->block.finish();
  held->bytes.back() = static_cast<char>(held->bytes.back() ^ 1);
  assert_true(held->writer->put(held->bytes, held->block.header(), false, {kEpoch, 1, 5}, held->overwritten).ok());
  write(4);
  open_cursor();
  expect_text(find(0), "0-1");
  expect_text(find(2), "corrupt");
  expect_text(find(2), "5-8");
  expect_text(find(9), "none");
  open_writer();  // who writes is not disturbed either
  while (held->overwritten < 100) write(30, 900);
}

void a_damaged_position_is_told(void**) {
  open_writer();
  write(2);
  held->writer.reset();
  {
    Result<LmdbEnv> env = LmdbEnv::open(held->path, {.map_bytes = 3 * kLiveBytes});
    Result<LmdbTxn> txn = LmdbTxn::write(*env);
    assert_true(txn->put(*txn->database(""), "\xff", "short").ok() && txn->commit().ok());
  }
  assert_int_equal(RingWriter::open(held->path, kLiveBytes).error().code, Error::Code::corrupt);
  open_cursor();
  assert_int_equal(held->cursor->position().error().code, Error::Code::corrupt);
  expect_text(find(0), "0-1");  // the blocks are still read
}

void a_file_that_is_no_ring_is_told(void**) {
  std::filesystem::create_directory(held->path);
  std::ofstream(held->path + "/data.mdb") << std::string(20'000, 'x');
  assert_int_equal(RingWriter::open(held->path, kLiveBytes).error().code, Error::Code::corrupt);
  assert_int_equal(RingCursor::open(held->path).error().code, Error::Code::corrupt);
}

void a_tree_that_cannot_be_read_is_no_empty_ring(void**) {
  open_writer();
  fill(3, 3'000);
  assert_true(put().ok());
  held->writer.reset();
  wipe_tree(held->path);
  const Result<RingWriter> writer = RingWriter::open(held->path, kLiveBytes);
  assert_true(!writer && writer.error().code == Error::Code::corrupt);
  open_cursor();
  const Result<RingCursor::Outcome> outcome = held->cursor->next(0, 0, held->bytes);
  assert_true(!outcome && outcome.error().code == Error::Code::corrupt);
  assert_true(!held->cursor->at_or_behind(0, held->bytes));
}

}  // namespace
}  // namespace footfall

#define in_folder(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      in_folder(blocks_come_in_order),
      in_folder(an_empty_ring_has_nothing),
      in_folder(a_ring_that_is_not_there_is_not_made_by_reading),
      in_folder(the_position_lies_with_the_block),
      in_folder(another_writer_goes_on),
      in_folder(a_grown_block_takes_the_place_of_the_last),
      in_folder(the_oldest_go_and_are_counted_to_the_hit),
      in_folder(bytes_are_bounded_over_many_revolutions),
      in_folder(a_grown_block_that_is_the_only_one_stays),
      in_folder(a_reader_sees_what_comes_and_what_grows),
      in_folder(a_reader_that_was_overrun_goes_on_with_the_oldest),
      in_folder(epochs_rise),
      in_folder(a_living_reader_may_fill_the_map_and_nothing_is_lost),
      in_folder(a_killed_reader_does_not_stop_the_writer),
      in_folder(a_damaged_block_is_passed_over),
      in_folder(a_damaged_position_is_told),
      in_folder(a_file_that_is_no_ring_is_told),
      in_folder(a_tree_that_cannot_be_read_is_no_empty_ring),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
