// The short way into the stage gives the same bytes as the long one, and steps aside where it cannot.
#include "lane/stage_writer.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <string>

#include "lane/sample.h"
#include "random.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr uint8_t kBoot[16] = {1};

// One worker's stage.
struct Stage {
  explicit Stage(const std::string& path) : made(StageFile::create(path, 0, 1, kBoot, kStageRecordBytesMin)) {
    shop = *writer.add_context({"shop", {}, {}});
  }
  Result<StageFile> made;
  StageFile& file = *made;
  StageWriter writer{file};
  StageReader reader{file, 0, 0};
  uint16_t shop = 0;
};

struct Held {
  TempFolder folder;
  Stage by_short{folder / "short"};
  Stage by_long{folder / "long"};
  Random random{7};
  std::deque<std::string> texts;
  std::deque<std::string> waiting;
  RawHit hit;
};
std::optional<Held> held;

int make_stages(void**) {
  held.emplace();
  return 0;
}
int remove_stages(void**) {
  held.reset();
  return 0;
}

// As the log phase does. False: no record was begun, or a text was too long; nothing is staged.
bool stage_shortly(StageWriter& writer, const RawHit& hit, uint16_t context) {
  PlainRecord record = writer.begin_plain(context, hit.time_ms);
  if (record.fixed == nullptr) return false;
  record.add_address(hit.address);
  if (!record.add(&StageRecord::uri, hit.uri, kRawUriBytesMax)) return false;
  if (!record.add(&StageRecord::referrer, hit.referrer, kRawReferrerBytesMax)) return false;
  if (!record.add(&StageRecord::agent, hit.agent, kAgentBytesMax)) return false;
  if (!record.add(&StageRecord::host, hit.host, kRawHostBytesMax)) return false;
  record.fixed->request_time_ms = hit.request_time_ms;
  record.fixed->bytes_sent = hit.bytes_sent;
  record.fixed->status = hit.status;
  record.fixed->method = hit.method;
  record.fixed->content = hit.content;
  if (hit.prefetch) record.fixed->flags = kRecordPrefetch;
  writer.show_plain(record);
  return true;
}

std::string_view text(size_t bytes_max) {
  std::string& made = held->texts.emplace_back(held->random.below(bytes_max + 1), '\0');
  for (char& c : made) c = static_cast<char>(held->random.below(256));
  return made;
}

// Nothing but what a plain record has, within its bounds.
RawHit any_plain_hit() {
  held->texts.clear();
  const size_t addresses[] = {0, 4, 16};
  RawHit hit = page_view(text(held->random.below(20) == 0 ? kRawUriBytesMax : 90));
  hit.address = std::string_view("0123456789abcdef", addresses[held->random.below(3)]);
  hit.time_ms = kNoon + static_cast<int64_t>(held->random.below(1000));
  hit.referrer = text(held->random.below(20) == 0 ? kRawReferrerBytesMax : 60);
  hit.agent = text(kAgentBytesMax);
  hit.host = text(kRawHostBytesMax);
  hit.request_time_ms = static_cast<uint32_t>(held->random.below(UINT32_MAX));
  hit.bytes_sent = held->random.below(1ull << 40);
  hit.status = static_cast<uint16_t>(held->random.below(600));
  hit.method = static_cast<Method>(held->random.below(static_cast<uint64_t>(Method::other) + 1));
  hit.content = static_cast<ContentKind>(held->random.below(3));
  hit.prefetch = held->random.below(2) == 0;
  return hit;
}

void both_ways_give_the_same_bytes(void**) {
  Stage& a = held->by_short;
  Stage& b = held->by_long;
  for (int i = 0; i < 200; ++i) {
    const RawHit hit = any_plain_hit();
    assert_true(stage_shortly(a.writer, hit, a.shop));
    assert_true(b.writer.append(hit, b.shop));
  }
  const uint64_t head = a.file.header().head.load();
  expect_number(head, b.file.header().head.load());
  expect_number(a.file.header().staged.load(), 200);
  // The long way leaves what lay there between a record and its rounded end; here that is zero, as the file was made.
  assert_memory_equal(a.file.records(), b.file.records(), head);
}

void every_hit_comes_out_once_whichever_way_it_went_in(void**) {
  Stage& stage = held->by_short;
  uint64_t short_ways = 0;
  for (int i = 0; i < 4000; ++i) {
    const RawHit hit = any_plain_hit();
    if (stage_shortly(stage.writer, hit, stage.shop)) {
      ++short_ways;
    } else {
      assert_true(stage.writer.append(hit, stage.shop));  // the stage is never full here
    }
    held->waiting.emplace_back(hit.uri);
    if (i % 50 != 49) continue;
    while (stage.reader.next() == StageReader::Outcome::hit) {
      expect_text(stage.reader.hit().uri, held->waiting.front());
      held->waiting.pop_front();
    }
    assert_true(held->waiting.empty());
    stage.reader.release();
  }
  assert_true(short_ways > 3500);
  assert_true(stage.file.header().head.load() > 8 * stage.file.header().record_bytes);  // round and round
  assert_int_equal(stage.file.header().staged.load(), 4000);
}

void a_text_beyond_its_bound_takes_the_long_way(void**) {
  Stage& stage = held->by_short;
  const struct {
    std::string_view RawHit::*field;
    size_t bytes_max;
  } bounds[] = {{&RawHit::uri, kRawUriBytesMax},
                {&RawHit::referrer, kRawReferrerBytesMax},
                {&RawHit::agent, kAgentBytesMax},
                {&RawHit::host, kRawHostBytesMax}};
  for (const auto& [field, bytes_max] : bounds) {
    held->hit = page_view("/");
    const std::string& longest = held->texts.emplace_back(bytes_max, 'x');
    held->hit.*field = longest;
    assert_true(stage_shortly(stage.writer, held->hit, stage.shop));
    assert_int_equal(stage.reader.next(), StageReader::Outcome::hit);
    expect_text(stage.reader.hit().*field, longest);

    held->hit.*field = held->texts.emplace_back(bytes_max + 1, 'x');
    assert_false(stage_shortly(stage.writer, held->hit, stage.shop));
    assert_int_equal(stage.reader.next(), StageReader::Outcome::empty);
  }
}

void a_full_stage_begins_no_record(void**) {
  Stage& stage = held->by_short;
  held->hit = page_view("/");
  while (stage_shortly(stage.writer, held->hit, stage.shop)) {
  }
  const uint64_t free = stage.file.header().record_bytes - stage.file.header().head.load();
  assert_true(free < kPlainRecordBytesMax);
  while (stage.writer.append(held->hit, stage.shop)) {
  }  // to the last byte
  assert_int_equal(stage.file.header().dropped[static_cast<size_t>(DropReason::stage_full)].load(), 1);
  assert_false(stage_shortly(stage.writer, held->hit, stage.shop));
  assert_int_equal(stage.file.header().dropped[static_cast<size_t>(DropReason::stage_full)].load(), 1);
}

void a_broken_clock_begins_no_record(void**) {
  Stage& stage = held->by_short;
  assert_false(stage_shortly(stage.writer, page_view("/", kOldestTimeMs - 1), stage.shop));
  assert_true(stage_shortly(stage.writer, page_view("/", kOldestTimeMs), stage.shop));
}

void time_never_runs_back(void**) {
  Stage& stage = held->by_short;
  assert_true(stage_shortly(stage.writer, page_view("/", kNoon + 5), stage.shop));
  assert_true(stage_shortly(stage.writer, page_view("/", kNoon), stage.shop));
  stage.writer.set_clock(kNoon + 9);
  assert_true(stage_shortly(stage.writer, page_view("/", kNoon), stage.shop));
  for (const int64_t expected : {kNoon + 5, kNoon + 5, kNoon + 9}) {
    assert_int_equal(stage.reader.next(), StageReader::Outcome::hit);
    expect_number(stage.reader.hit().time_ms, expected);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(both_ways_give_the_same_bytes, make_stages, remove_stages),
      cmocka_unit_test_setup_teardown(every_hit_comes_out_once_whichever_way_it_went_in, make_stages, remove_stages),
      cmocka_unit_test_setup_teardown(a_text_beyond_its_bound_takes_the_long_way, make_stages, remove_stages),
      cmocka_unit_test_setup_teardown(a_full_stage_begins_no_record, make_stages, remove_stages),
      cmocka_unit_test_setup_teardown(a_broken_clock_begins_no_record, make_stages, remove_stages),
      cmocka_unit_test_setup_teardown(time_never_runs_back, make_stages, remove_stages),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
