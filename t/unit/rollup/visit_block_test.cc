#include "rollup/visit_block.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"
#include "rollup/kept_visits.h"
#include "rollup/visit_columns.h"
#include "test.h"

using namespace footfall;

namespace {

std::string block_of(const std::vector<KeptVisit>& visits,
                     VisitBlockBuilder::Packing packing = VisitBlockBuilder::Packing::stored) {
  VisitBlockBuilder builder;
  for (const KeptVisit& visit : visits) builder.add(visit);
  expect_number(static_cast<int64_t>(builder.visits()), static_cast<int64_t>(visits.size()));
  return builder.finish(packing);
}

void expect_visits(VisitBlock& block, const std::vector<KeptVisit>& visits) {
  expect_number(static_cast<int64_t>(block.rows(VisitTable::visits)), static_cast<int64_t>(visits.size()));
  for (size_t row = 0; row < visits.size(); ++row) {
    static KeptVisit read;
    assert_true(block.read(row, read));
    assert_true(is_same(read, visits[row]));
  }
}

void a_block_gives_back_what_it_was_given(void**) {
  for (uint64_t round = 0; round < 30; ++round) {
    static KeptVisits random(0);
    random = KeptVisits(round);
    static std::vector<KeptVisit> visits;
    visits.clear();
    for (uint64_t left = round * round; left > 0; --left) visits.push_back(random.next());
    for (const auto packing : {VisitBlockBuilder::Packing::stored, VisitBlockBuilder::Packing::none}) {
      static std::optional<VisitBlock> block;
      block = VisitBlock::own(block_of(visits, packing));
      assert_true(block.has_value());
      expect_visits(*block, visits);
    }
  }
}

void a_row_gives_back_what_it_was_given(void**) {
  static KeptVisits random(7);
  static KeptVisit read;
  for (int round = 0; round < 500; ++round) {
    const KeptVisit visit = random.next();
    const std::string row = encode_kept_visit(visit);
    assert_true(decode_kept_visit(row, read));
    assert_true(is_same(read, visit));
    KeptSpan span;
    assert_true(read_kept_span(row, span));
    expect_number(span.start_ms, visit.start_ms);
    expect_number(span.last_ms, visit.start_ms + visit.duration_ms);
    for (size_t bytes = 0; bytes < row.size(); bytes += 13) decode_kept_visit(std::string_view(row).substr(0, bytes), read);
  }
}

void a_block_tells_its_bounds(void**) {
  static std::vector<KeptVisit> visits;
  visits.assign(2, KeptVisit());
  visits[0].start_ms = 10'500;
  visits[0].views = {{.time_s = -3, .page = "/late"}, {.time_s = 7, .page = "/"}};
  visits[1].start_ms = 12'000;
  visits[1].duration_ms = 8'000;
  visits[1].events = {{.time_s = 8, .name = "sign_up"}};
  static std::optional<VisitBlock> block;
  block = VisitBlock::own(block_of(visits));
  assert_true(block.has_value());
  expect_number(block->start_ms_min(), 10'500);
  expect_number(block->start_ms_max(), 12'000);
  expect_number(block->first_ms(), 7'000);
  expect_number(block->last_ms(), 20'999);
}

// The entry is the first page; the exit the last that was not late. Records that are no visit have neither.
void entries_and_exits_are_marked(void**) {
  static std::vector<KeptVisit> visits;
  visits.assign(3, KeptVisit());
  visits[0].flags = visits[2].flags = kKeptIsVisit;
  visits[0].views = {{.page = "/a"}, {.time_s = 9, .page = "/b"}, {.time_s = 4, .page = "/c", .flags = kViewLate}};
  visits[1].views = {{.page = "/d"}};
  visits[2].views = {{.page = "/e", .flags = kViewUncounted}};
  static std::optional<VisitBlock> block;
  block = VisitBlock::own(block_of(visits));
  assert_true(block.has_value());
  const std::vector<int64_t>* flags = block->ints(VisitColumn::view_flags);
  assert_non_null(flags);
  assert_true(*flags == (std::vector<int64_t>{kViewEntry, kViewExit, kViewLate, 0,
                                              kViewUncounted | kViewEntry | kViewExit}));
}

void columns_are_told_by_text_and_code(void**) {
  static std::vector<KeptVisit> visits;
  visits.assign(4, KeptVisit());
  visits[1].country = "DE";
  visits[3].country = "FR";
  visits[2].country = "DE";
  static std::optional<VisitBlock> block;
  block = VisitBlock::own(block_of(visits));
  const TextColumn* countries = block->texts(VisitColumn::country);
  assert_non_null(countries);
  expect_number(static_cast<int64_t>(countries->texts.size()), 3);
  for (size_t row = 0; row < visits.size(); ++row)
    expect_text(countries->texts[countries->codes[row]], visits[row].country);
  assert_null(block->ints(VisitColumn::country));
  assert_null(block->texts(VisitColumn::start_ms));
  assert_null(block->offsets(VisitTable::visits));
  const TextColumn* items = block->texts(VisitColumn::item_id);  // nobody had one
  assert_non_null(items);
  assert_true(items->codes.empty());
}

// The block's parts, put together again with the checksum right.
std::string with_checksum(std::string block) {
  block.resize(block.size() - sizeof(uint64_t));
  BytesWriter(block).le64(XXH3_64bits(block.data(), block.size()));
  return block;
}

// A column that this version does not know is passed over.
void unknown_columns_are_passed_over(void**) {
  static KeptVisits random(11);
  static std::vector<KeptVisit> visits;
  for (int i = 0; i < 50; ++i) visits.push_back(random.next());
  const std::string block = block_of(visits);
  BytesReader reader(block);
  std::string with_more;
  BytesWriter to(with_more);
  to.le32(reader.le32());
  for (size_t i = 0; i < kVisitTables; ++i) to.varint(reader.varint());
  for (size_t i = 0; i < 4; ++i) to.zigzag(reader.zigzag());
  const uint64_t columns = reader.varint();
  to.varint(columns + 1).varint(4711).varint(5);
  for (uint64_t i = 0; i < 2 * columns; ++i) to.varint(reader.varint());
  to.bytes("hello").bytes(reader.bytes(reader.left()));
  static std::optional<VisitBlock> read;
  read = VisitBlock::own(with_checksum(with_more));
  assert_true(read.has_value());
  expect_visits(*read, visits);
}

void broken_blocks_are_refused(void**) {
  static KeptVisits kept(3);
  static Random random(5);
  static std::vector<KeptVisit> visits;
  visits.clear();
  for (int i = 0; i < 40; ++i) visits.push_back(kept.next());
  const std::string block = block_of(visits);
  for (size_t bytes = 0; bytes < block.size(); bytes += 7)
    assert_false(VisitBlock::open(std::string_view(block).substr(0, bytes)).has_value());
  for (int round = 0; round < 2'000; ++round) {
    std::string broken = block;
    random.mutate(broken);
    if (broken != block) assert_false(VisitBlock::open(broken).has_value());
    // And with a checksum that holds: nothing bad happens, whatever is read.
    if (broken.size() < 16) continue;
    broken = with_checksum(broken);
    std::optional<VisitBlock> read = VisitBlock::open(broken);
    if (!read) continue;
    KeptVisit visit;
    for (size_t row = 0; row < std::min<size_t>(read->rows(VisitTable::visits), 50); ++row) (void)read->read(row, visit);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_block_gives_back_what_it_was_given), cmocka_unit_test(a_row_gives_back_what_it_was_given),
      cmocka_unit_test(a_block_tells_its_bounds),             cmocka_unit_test(entries_and_exits_are_marked),
      cmocka_unit_test(columns_are_told_by_text_and_code),    cmocka_unit_test(unknown_columns_are_passed_over),
      cmocka_unit_test(broken_blocks_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
