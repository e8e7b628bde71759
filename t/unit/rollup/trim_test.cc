// Which values of a bucket are kept: the heaviest once it is settled, whatever came when; and what is not is in `other`.
#include "rollup/trim.h"

#include <map>
#include <memory>

#include "random.h"
#include "rollup/summary.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr uint64_t kMapBytes = 256 << 20;
constexpr int64_t kHourS = 1'790'000'000 / 3600 * 3600;  // UTC
const Zone kUtc;
const ZoneOf kZoneOf = [](uint16_t) -> const Zone& { return kUtc; };

Hash128 value(uint64_t number) { return {number * 0x9e3779b97f4a7c15, number}; }

// A summary, and what is to be added to it.
struct Held {
  TempFolder folder;
  std::unique_ptr<SummaryWriter> writer =
      std::make_unique<SummaryWriter>(SummaryWriter::open(folder / "summary", kMapBytes).value());
  Changes changes;
  CheckpointState state;
  std::map<Hash128, Counters> rows;  // of the hour's pages, as stored
  BucketKeys keys;
};
std::unique_ptr<Held> held;
int begin(void**) { return held = std::make_unique<Held>(), 0; }
int end(void**) { return held.reset(), 0; }

void hits(uint64_t page, int64_t count, Lateness late = {}) {
  held->changes.at(0, Dimension::page, {kHourS, late}, value(page), "/" + std::to_string(page))[Counter::hits] += count;
}

// `clock_s` after the hour's end.
void fold(int64_t clock_s = INT64_MIN) {
  UpkeepTimes times;
  times.sites = 1;
  if (clock_s != INT64_MIN) times.live_clock_s = kHourS + 3600 + clock_s;
  assert_true(held->writer->fold(kZoneOf, held->changes, held->state, times).ok());
}

void read() {
  held->writer.reset();
  held->rows.clear();
  {
    LmdbEnv env = LmdbEnv::open(held->folder / "summary", {.map_bytes = kMapBytes, .read_only = true, .databases = 16}).value();
    LmdbTxn txn = LmdbTxn::read(env).value();
    const std::string prefix = bucket_prefix(0, Dimension::page, Level::hour, kHourS);
    LmdbCursor cursor = LmdbCursor::open(txn, txn.database("rollups").value()).value();
    for (bool there = cursor.seek(prefix); there && cursor.key().starts_with(prefix); there = cursor.next())
      assert_true(merge_encoded_counters(cursor.value(), held->rows[decode_rollup_key(cursor.key())->value]));
    Result<std::string_view> keys = txn.get(txn.database("key_counts").value(), prefix);
    held->keys = keys ? decode_bucket_keys(*keys) : BucketKeys();
  }
  held->writer = std::make_unique<SummaryWriter>(SummaryWriter::open(held->folder / "summary", kMapBytes).value());
}

int64_t hits_of(const Hash128& of) { return held->rows.contains(of) ? held->rows.at(of)[Counter::hits] : 0; }
int64_t all_hits() {
  int64_t sum = 0;
  for (const auto& [of, counters] : held->rows) sum += counters[Counter::hits];
  return sum;
}

void conversions_go_before_hits_and_hits_before_views(void**) {
  static Ranking ranking;
  static Counters order, many, views, visits;
  order[Counter::orders_last] = 1;
  many[Counter::hits] = 1000;
  views[Counter::hits] = 1, views[Counter::pageviews] = 900;
  visits[Counter::hits] = 1, visits[Counter::visits] = 9000;
  ranking.add(value(1), visits);
  ranking.add(value(2), views);
  ranking.add(value(3), many);
  ranking.add(value(4), order);
  ranking.add(kNullValue, Counters());
  static Ranking copy;
  for (const auto& [most, expected] : std::map<size_t, std::vector<Hash128>>{
           {1, {kNullValue}}, {2, {kNullValue, value(4)}}, {3, {kNullValue, value(4), value(3)}},
           {4, {kNullValue, value(4), value(3), value(2)}}, {9, {kNullValue, value(4), value(3), value(2), value(1)}}}) {
    copy = ranking;
    const auto kept = copy.heaviest(most);
    expect_number(kept.size(), expected.size());
    for (const Hash128& of : expected) assert_true(kept.contains(of));
  }
}

void equal_weights_go_by_key(void**) {
  static Ranking ranking;
  for (uint64_t i = 1; i <= 10; ++i) ranking.add({i, 0}, Counters());
  const auto kept = ranking.heaviest(3);
  for (uint64_t i = 1; i <= 3; ++i) assert_true(kept.contains({i, 0}));
}

void a_bucket_is_trimmed_when_it_is_settled(void**) {
  for (uint64_t page = 1; page <= 3000; ++page) hits(page, static_cast<int64_t>(page));
  fold(kSettlesAfterS - 1);
  read();
  expect_number(held->rows.size(), 3000);
  fold(kSettlesAfterS);
  read();
  expect_number(held->rows.size(), kKeysMax + 1);
  assert_true(held->keys == (BucketKeys{.keys = kKeysMax, .trimmed = true}));
  for (uint64_t page = 1; page <= 3000; ++page)
    expect_number(hits_of(value(page)), page > 2000 ? static_cast<int64_t>(page) : 0);
  expect_number(hits_of(kOtherValue), 2000 * 2001 / 2);
}

void what_has_few_values_stays_whole(void**) {
  for (uint64_t page = 1; page <= kKeysMax; ++page) hits(page, 1);
  fold(kSettlesAfterS);
  read();
  expect_number(held->rows.size(), kKeysMax);
  assert_false(held->keys.trimmed);
}

void late_facts_find_their_row_or_other(void**) {
  for (uint64_t page = 1; page <= 3000; ++page) hits(page, static_cast<int64_t>(page));
  fold(kSettlesAfterS);
  constexpr Lateness kForHours{2, 0};
  hits(2500, 7, kForHours);  // is there
  hits(3, 5, kForHours);     // was trimmed
  hits(9999, 4, kForHours);  // never was
  hits(9998, 2);             // an import's, whose clock is another
  fold();
  read();
  expect_number(hits_of(value(2500)), 2507);
  for (uint64_t page : {3, 9999, 9998}) assert_false(held->rows.contains(value(page)));
  expect_number(hits_of(kOtherValue), 2000 * 2001 / 2 + 5 + 4 + 2);
  expect_number(all_hits(), 3000 * 3001 / 2 + 18);
}

// A bucket that was whole takes what is late, and is trimmed the next day.
void late_facts_are_new_to_a_whole_bucket(void**) {
  constexpr Lateness kLate{2, 0}, kTooLate{2, 2};
  for (uint64_t page = 1; page < kKeysMax; ++page) hits(page, 1);
  for (uint64_t page = 5001; page <= 5010; ++page) hits(page, 3, kLate);
  fold(kSettlesForGoodAfterS - 1);
  read();
  expect_number(held->rows.size(), kKeysMax + 9);
  hits(6000, 1, kTooLate);
  fold();
  read();
  expect_number(held->rows.size(), kKeysMax + 1);
  for (uint64_t page = 5001; page <= 5010; ++page) expect_number(hits_of(value(page)), 3);
  expect_number(all_hits(), kKeysMax + 30);
}

void what_is_too_late_has_room_where_there_is_some(void**) {
  constexpr Lateness kTooLate{2, 2};
  for (uint64_t page = 1; page < kKeysMax; ++page) hits(page, 1);
  hits(5001, 3, kTooLate), hits(5002, 4, kTooLate);
  fold();
  read();
  expect_number(held->rows.size(), kKeysMax + 1);  // one of the two, and `other`
  expect_number(all_hits(), kKeysMax - 1 + 7);
}

// A fold that holds both what came in time and what was late trims in between.
void one_fold_or_many_is_the_same(void**) {
  static std::map<Hash128, std::string> outcome[2];
  static Random random(1);
  for (int run = 0; run < 2; ++run) {
    if (run == 1) begin(nullptr);
    random = Random(7);
    for (int i = 0; i < 4000; ++i) hits(random.below(1500), static_cast<int64_t>(1 + random.below(9)));
    if (run == 1) fold(100), fold(kSettlesAfterS);
    for (int i = 0; i < 300; ++i) {
      hits(random.below(2000), 1, {2, 0});
      if (run == 1 && i % 50 == 0) fold(kSettlesAfterS + i);
    }
    fold(kSettlesAfterS + 1000);
    read();
    for (const auto& [of, counters] : held->rows) outcome[run][of] = encode_counters(counters);
  }
  expect_number(outcome[0].size(), kKeysMax + 1);
  assert_true(outcome[0] == outcome[1]);
}

void what_comes_to_nothing_leaves_no_row(void**) {
  hits(1, 5);
  fold();
  hits(1, -5);
  fold();
  read();
  assert_true(held->rows.empty());
  assert_true(held->keys == BucketKeys());
}

void beyond_the_candidates_totals_stay(void**) {
  constexpr uint64_t kMinutes = kMinuteCandidatesMax + 500;
  for (uint64_t page = 1; page <= kMinutes; ++page)
    held->changes.at(0, Dimension::page, kHourS, value(page), "/")[Counter::hits] += 1;
  fold();
  expect_number(held->writer->upkeep_counts().overrun_rows, 500);
  held->writer.reset();
  {
    SummaryReader reader = SummaryReader::open(held->folder / "summary", kMapBytes).value();
    SummarySnapshot snapshot = reader.snapshot().value();
    static int64_t sum, rows;
    sum = rows = 0;
    assert_true(snapshot
                    .each_rollup(0, Dimension::page, Level::minute, kHourS, kHourS + 60, kUtc,
                                 [](const RollupKey& key, const Counters& counters) {
                                   sum += counters[Counter::hits];
                                   rows += key.value != kOtherValue;
                                 })
                    .ok());
    expect_number(sum, kMinutes);
    expect_number(rows, kKeysMax);  // as it will be once it is trimmed
    assert_true(snapshot.saw_overrun());
  }
}

// Readers see the same rows before a bucket is trimmed, with what is not folded yet, as afterwards.
void readers_see_a_bucket_as_it_will_be(void**) {
  static std::map<Hash128, int64_t> seen[3];
  for (auto& rows : seen) rows.clear();
  const auto look = [](int at) {
    held->writer.reset();
    {
      SummaryReader reader = SummaryReader::open(held->folder / "summary", kMapBytes).value();
      SummarySnapshot snapshot = reader.snapshot().value();
      assert_true(snapshot
                      .each_rollup(0, Dimension::page, Level::hour, kHourS, kHourS + 3600, kUtc,
                                   [at](const RollupKey& key, const Counters& counters) {
                                     seen[at][key.value] += counters[Counter::hits];
                                   })
                      .ok());
    }
    held->writer = std::make_unique<SummaryWriter>(SummaryWriter::open(held->folder / "summary", kMapBytes).value());
  };
  for (uint64_t page = 1; page <= 2000; ++page) hits(page, static_cast<int64_t>(page % 700));
  fold();
  for (uint64_t page = 1500; page <= 2600; ++page) hits(page, static_cast<int64_t>(page % 900));
  assert_true(held->writer->checkpoint(held->state, held->changes.take()).ok());
  look(0);
  fold();
  look(1);
  fold(kSettlesAfterS);
  look(2);
  expect_number(seen[0].size(), kKeysMax + 1);
  assert_true(seen[0] == seen[1]);
  assert_true(seen[1] == seen[2]);
}

void old_counts_are_read(void**) {
  std::string old;
  BytesWriter(old).le32(17);
  assert_true(decode_bucket_keys(old) == BucketKeys{.keys = 17});
  assert_true(decode_bucket_keys("x") == BucketKeys());
  const BucketKeys all{9, true, true, true};
  assert_true(decode_bucket_keys(encode_bucket_keys(all)) == all);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define trim_test(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const CMUnitTest tests[] = {
      trim_test(conversions_go_before_hits_and_hits_before_views),
      trim_test(equal_weights_go_by_key),
      trim_test(a_bucket_is_trimmed_when_it_is_settled),
      trim_test(what_has_few_values_stays_whole),
      trim_test(late_facts_find_their_row_or_other),
      trim_test(late_facts_are_new_to_a_whole_bucket),
      trim_test(what_is_too_late_has_room_where_there_is_some),
      trim_test(one_fold_or_many_is_the_same),
      trim_test(what_comes_to_nothing_leaves_no_row),
      trim_test(beyond_the_candidates_totals_stay),
      trim_test(readers_see_a_bucket_as_it_will_be),
      trim_test(old_counts_are_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
