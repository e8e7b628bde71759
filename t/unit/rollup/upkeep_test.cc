// What keeps the summary bounded: what is too old goes, whole buckets at a time and in slices; texts without a row are
// swept; visitors and orders are forgotten in their time, the oldest first where there are too many.
#include "rollup/upkeep.h"

#include <map>
#include <memory>
#include <set>

#include "credit/order.h"
#include "rollup/summary.h"
#include "temp_folder.h"
#include "test.h"
#include "visit/visitor.h"

namespace footfall {
namespace {

constexpr uint64_t kMapBytes = 256 << 20;
constexpr int64_t kDay0S = 20'000 * kDayS;  // 2024-10-04, a Friday

Hash128 value(uint64_t number) { return {number * 0x9e3779b97f4a7c15 + 1, number}; }

struct Held {
  TempFolder folder;
  std::unique_ptr<SummaryWriter> writer =
      std::make_unique<SummaryWriter>(SummaryWriter::open(folder / "summary", kMapBytes).value());
  Changes changes;
  CheckpointState state;
  UpkeepTimes times;
  Zone zone;
  ZoneOf zone_of = [this](uint16_t) -> const Zone& { return zone; };
};
std::unique_ptr<Held> held;
int begin(void**) {
  held = std::make_unique<Held>();
  held->times.sites = 2;
  return 0;
}
int end(void**) { return held.reset(), 0; }

void fold() {
  assert_true(held->writer->fold(held->zone_of, held->changes, held->state, held->times).ok());
  held->changes.forget_names(held->writer->take_lost_names());
}

std::map<std::string, std::string> stored(const char* database) {
  held->writer.reset();
  std::map<std::string, std::string> all;
  {
    LmdbEnv env = LmdbEnv::open(held->folder / "summary", {.map_bytes = kMapBytes, .read_only = true, .databases = 16}).value();
    LmdbTxn txn = LmdbTxn::read(env).value();
    LmdbCursor cursor = LmdbCursor::open(txn, txn.database(database).value()).value();
    for (bool there = cursor.first(); there; there = cursor.next()) all.emplace(cursor.key(), cursor.value());
  }
  held->writer = std::make_unique<SummaryWriter>(SummaryWriter::open(held->folder / "summary", kMapBytes).value());
  return all;
}

std::set<int64_t> buckets(Level level, Dimension dimension = Dimension::total) {
  std::set<int64_t> starts;
  for (const auto& [bytes, counters] : stored("rollups")) {
    const RollupKey key = *decode_rollup_key(bytes);
    if (key.level == level && key.dimension == dimension) starts.insert(key.bucket_start_s);
  }
  return starts;
}

void hit(int64_t time_s, uint64_t page = 1) {
  held->changes.at(0, Dimension::total, time_s, kNullValue)[Counter::hits] += 1;
  held->changes.at(0, Dimension::page, time_s, value(page), "/" + std::to_string(page))[Counter::hits] += 1;
}

// --- retention -------------------------------------------------------------------------------------------------------

void levels_go_in_their_time(void**) {
  held->times.retention = {.minute_s = 2 * kDayS, .hour_s = 5 * kDayS, .day_s = 9 * kDayS, .month_s = kForeverS};
  for (int64_t day = 0; day < 12; ++day) hit(kDay0S + day * kDayS + 7200);
  fold();
  expect_number(buckets(Level::minute).size(), 12);
  held->times.now_s = kDay0S + 12 * kDayS;
  fold();
  // Of a time that is two days old and more there are no minutes; a day that ended nine days ago is gone.
  expect_number(buckets(Level::minute).size(), 2);
  expect_number(*buckets(Level::hour).begin(), kDay0S + 7 * kDayS + 7200);
  expect_number(*buckets(Level::day).begin(), kDay0S + 3 * kDayS);
  expect_number(buckets(Level::day, Dimension::page).size(), 9);
  expect_number(buckets(Level::month).size(), 1);
  for (const auto& [prefix, keys] : stored("key_counts"))
    assert_true(decode_bucket_prefix(prefix)->bucket_start_s >= kDay0S + 3 * kDayS ||
                decode_bucket_prefix(prefix)->level == Level::month);
}

void what_would_not_be_kept_is_not_written(void**) {
  held->times.retention.hour_s = 5 * kDayS;
  held->times.now_s = kDay0S + 100 * kDayS;
  hit(kDay0S);
  fold();
  assert_true(buckets(Level::minute).empty());
  assert_true(buckets(Level::hour).empty());
  expect_number(buckets(Level::day).size(), 1);
  expect_number(held->writer->upkeep_counts().expired_buckets, 0);
}

void much_goes_in_slices(void**) {
  held->times.retention = {.minute_s = kDayS, .hour_s = kDayS, .day_s = kForeverS, .month_s = kForeverS};
  for (int64_t hour = 0; hour < 40; ++hour)
    for (uint64_t page = 0; page < 1'000; ++page) hit(kDay0S + hour * 3600, page);
  fold();
  held->times.now_s = kDay0S + 10 * kDayS;
  fold();
  const size_t left = buckets(Level::hour, Dimension::page).size() + buckets(Level::minute, Dimension::page).size();
  assert_true(left > 0 && left < 80);
  fold();
  fold();
  assert_true(buckets(Level::hour).empty() && buckets(Level::minute).empty());
  expect_number(buckets(Level::day).size(), 2);
}

// The day of the clocks' change has 25 hours: it is kept until all of them are old enough.
void days_end_where_the_zone_says(void**) {
  held->zone = Zone::load("Europe/Berlin").value();
  held->times.retention.day_s = kDayS;
  const int64_t change_s = held->zone.parse_date("2026-10-25").value();
  hit(change_s);
  fold();
  held->times.now_s = change_s + 25 * 3600 + kDayS - 1;
  fold();
  expect_number(buckets(Level::day).size(), 1);
  ++held->times.now_s;
  fold();
  assert_true(buckets(Level::day).empty());
}

// --- texts -----------------------------------------------------------------------------------------------------------

size_t texts() { return stored("dictionary").size(); }

void a_refused_value_names_nothing(void**) {
  for (uint64_t page = 1; page <= 6'000; ++page) hit(kDay0S, page);
  held->times.live_clock_s = kDay0S + 40 * kDayS;
  fold();
  fold();  // swept
  const size_t before = texts();
  assert_true(before >= 5'000 && before < 5'100);
  constexpr Lateness kForAll{4, 0};
  for (uint64_t page = 10'001; page <= 10'100; ++page)
    held->changes.at(0, Dimension::page, {kDay0S, kForAll}, value(page), "/late")[Counter::hits] += 1;
  fold();
  expect_number(texts(), before);
}

void texts_without_a_row_are_swept(void**) {
  for (uint64_t page = 1; page <= 20'000; ++page) hit(kDay0S + static_cast<int64_t>(page) / 50 * 60, page);
  fold();
  expect_number(texts(), 20'000);
  held->times.live_clock_s = kDay0S + 40 * kDayS;
  for (int i = 0; i < 8; ++i) fold();
  static std::set<Hash128> needed;
  needed.clear();
  for (const auto& [bytes, counters] : stored("rollups")) needed.insert(decode_rollup_key(bytes)->value);
  const auto left = stored("dictionary");
  size_t of_rows = 0;
  for (const auto& [key, text] : left) {
    BytesReader reader(std::string_view(key).substr(2));
    of_rows += needed.contains(reader.hash());
  }
  expect_number(of_rows, needed.size() - 2);  // each row's is there, but null and `other` have none
  assert_true(left.size() < of_rows * 102 / 100 + 200);
}

void a_swept_text_is_told_again(void**) {
  for (uint64_t page = 1; page <= 7'000; ++page) hit(kDay0S, page), hit(kDay0S, page < 6'000 ? page : 1);
  fold();
  held->times.live_clock_s = kDay0S + 40 * kDayS;
  for (int i = 0; i < 8; ++i) fold();
  assert_true(texts() < 6'900);
  const size_t before = texts();
  // The next day all come again.
  for (uint64_t page = 1; page <= 7'000; ++page) hit(kDay0S + kDayS, page);
  held->times.live_clock_s = INT64_MIN;
  fold();
  assert_true(texts() > before);
  expect_number(texts(), 7'000);
}

// --- visitors and orders ---------------------------------------------------------------------------------------------

std::string visitor(bool is_salted, int64_t day, uint16_t import = 0) {
  Visitor visitor;
  visitor.add(Touch());
  visitor.seen = {is_salted, day, import};
  return encode_visitor(visitor);
}

void anonymous_visitors_go_after_their_day(void**) {
  held->times.visit_gap_s = [](uint16_t) { return int64_t{1800}; };
  held->times.retention.visitors_s = 400 * kDayS;
  for (uint64_t i = 0; i < 10; ++i) {
    held->changes.set(KeyedDatabase::visitors, visitor_key(0, value(i)), visitor(true, 20'000));
    held->changes.set(KeyedDatabase::visitors, visitor_key(0, value(100 + i)), visitor(false, 20'000));
    held->changes.set(KeyedDatabase::visitors, visitor_key(0, value(i), Timeline::imported), visitor(true, 20'000, 3));
  }
  held->times.live_clock_s = kDay0S + kDayS + 1800;
  fold();
  expect_number(stored("visitors").size(), 30);
  held->times.live_clock_s += 1;
  fold();
  expect_number(stored("visitors").size(), 20);  // an import's go by its own clock
  held->times.import = 3;
  held->times.import_clock_s = kDay0S + 2 * kDayS;
  fold();
  expect_number(stored("visitors").size(), 10);
  held->times.live_clock_s = kDay0S + 402 * kDayS;
  fold();
  assert_true(stored("visitors").empty());
}

void order(uint64_t id, int64_t time_s) {
  Conversion conversion;
  conversion.time_ms = time_s * 1000;
  held->changes.set(KeyedDatabase::orders, order_key(0, 0, value(id)), encode_conversion(conversion));
}

void order_ids_are_remembered_for_a_time(void**) {
  held->times.retention.orders_s = 10 * kDayS;
  for (uint64_t i = 0; i < 20; ++i) order(i, kDay0S + static_cast<int64_t>(i) * kDayS);
  held->times.live_clock_s = kDay0S + 20 * kDayS;
  fold();
  expect_number(stored("orders").size(), 10);
  expect_number(held->writer->upkeep_counts().orders_over, 0);  // of another process now
}

void the_oldest_ids_go_where_there_are_too_many(void**) {
  held->times.orders_max = 1'000;
  held->times.live_clock_s = kDay0S + 20 * kDayS;
  for (uint64_t i = 0; i < 3'000; ++i) order(i, kDay0S + static_cast<int64_t>(i) * 60);
  for (int i = 0; i < 4; ++i) fold();
  expect_number(held->writer->upkeep_counts().orders_forgotten, 2'050);  // a little more than must
  static int64_t oldest_ms;
  oldest_ms = INT64_MAX;
  const auto left = stored("orders");
  for (const auto& [key, bytes] : left) oldest_ms = std::min(oldest_ms, *conversion_time_ms(bytes));
  expect_number(left.size(), 950);
  assert_true(oldest_ms >= (kDay0S + 2'040 * 60) * 1000);  // by the hour
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define upkeep_test(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const CMUnitTest tests[] = {
      upkeep_test(levels_go_in_their_time),
      upkeep_test(what_would_not_be_kept_is_not_written),
      upkeep_test(much_goes_in_slices),
      upkeep_test(days_end_where_the_zone_says),
      upkeep_test(a_refused_value_names_nothing),
      upkeep_test(texts_without_a_row_are_swept),
      upkeep_test(a_swept_text_is_told_again),
      upkeep_test(anonymous_visitors_go_after_their_day),
      upkeep_test(order_ids_are_remembered_for_a_time),
      upkeep_test(the_oldest_ids_go_where_there_are_too_many),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
