// A ring's file looked through without LMDB: whole blocks in order, the longest of each, and nothing that a request made up.
#include "lane/ring_scan.h"

#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr unsigned kLane = 3;
constexpr uint64_t kEpoch = 1'795'533'121'927'864;

struct Held {
  TempFolder folder;
  std::string file;
  std::optional<RingScan> scan;
  std::string bytes;
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

std::string block_of(uint64_t first, uint64_t hits, uint64_t epoch = kEpoch, unsigned lane = kLane,
                     const std::string& agent = "Firefox") {
  BlockBuilder block;
  block.begin(static_cast<uint16_t>(lane), epoch, first);
  for (uint64_t i = 0; i < hits; ++i) {
    Hit hit;
    hit.time_ms = static_cast<int64_t>(1'000 + first + i);
    hit.path = "/cup";
    hit.agent = agent;
    assert_true(block.add(hit, "shop"));
  }
  return std::string(block.finish());
}

// Puts something at the file's end, behind so many bytes of rubbish.
void lay(const std::string& bytes, size_t rubbish_bytes = 16) {
  held->file.append(rubbish_bytes, '\xa5');
  held->file += bytes;
}

void scan() {
  const std::string path = held->folder.path() + "/ring.0.aside";
  mkdir(path.c_str(), 0700);
  std::ofstream(path + "/data.mdb", std::ios::binary) << held->file;
  Result<RingScan> opened = RingScan::open(path, kLane, kEpoch);
  if (!opened) fail_msg("%s", opened.error().text.c_str());
  held->scan.emplace(std::move(*opened));
}

// All that is found by who has seen nothing yet: "first-last" of each block.
std::string found() {
  std::string all;
  uint64_t epoch = 0, number = 0;
  for (;;) {
    const Result<RingCursor::Outcome> outcome = held->scan->next(epoch, number, held->bytes);
    if (!outcome) return outcome.error().text;
    if (*outcome != RingCursor::Outcome::block) return all;
    const BlockHeader header = BlockReader::open(held->bytes)->header();
    if (!all.empty()) all += ' ';
    all += std::to_string(header.first_number) + '-' + std::to_string(header.next_number() - 1);
    epoch = header.epoch;
    number = header.next_number();
  }
}

void blocks_are_found_wherever_they_lie(void**) {
  lay(block_of(5, 200), 4096 + 16);
  lay(block_of(0, 5), 777);
  lay(block_of(205, 1), 1);
  scan();
  expect_text(found(), "0-4 5-204 205-205");
}

void of_a_block_that_grew_the_longest_counts(void**) {
  lay(block_of(0, 2));
  lay(block_of(0, 9));
  lay(block_of(0, 4));
  lay(block_of(9, 1));
  scan();
  expect_text(found(), "0-8 9-9");
}

void blocks_lie_across_what_is_read_at_once(void**) {
  for (int i = 0; i < 200; ++i) lay(block_of(static_cast<uint64_t>(i) * 300, 300), 40'000);
  assert_true(held->file.size() > 8u << 20);
  scan();
  assert_int_equal(held->scan->blocks(), 200);
}

void a_broken_block_is_none(void**) {
  lay(block_of(0, 5));
  std::string broken = block_of(5, 5);
  broken[broken.size() - 3] ^= 1;
  lay(broken);
  lay(block_of(10, 5));
  lay(block_of(15, 5).substr(0, 100));
  scan();
  expect_text(found(), "0-4 10-14");
}

// What a visitor sends lies in blocks as it was sent.
void what_lies_in_a_block_is_none(void**) {
  const std::string made_up = block_of(1'000'000, 1);
  lay(block_of(0, 3, kEpoch, kLane, "agent " + made_up));
  scan();
  expect_text(found(), "0-2");
}

void other_lanes_and_epochs_to_come_are_not_believed(void**) {
  lay(block_of(0, 3, kEpoch + 1));
  lay(block_of(0, 4, kEpoch, kLane + 1));
  lay(block_of(0, 5, kEpoch - 1));
  scan();
  expect_text(found(), "0-4");
}

void a_ring_without_a_file_is_not_there(void**) {
  const Result<RingScan> none = RingScan::open(held->folder.path() + "/ring.7.aside", kLane, kEpoch);
  assert_false(bool(none));
  assert_true(none.error().code == Error::Code::not_found);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define T(name) cmocka_unit_test_setup_teardown(name, start_afresh, clear_away)
  const CMUnitTest tests[] = {
      T(blocks_are_found_wherever_they_lie), T(of_a_block_that_grew_the_longest_counts),
      T(blocks_lie_across_what_is_read_at_once), T(a_broken_block_is_none), T(what_lies_in_a_block_is_none),
      T(other_lanes_and_epochs_to_come_are_not_believed), T(a_ring_without_a_file_is_not_there),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
