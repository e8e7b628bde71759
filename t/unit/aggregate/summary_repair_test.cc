// Whatever is broken in a summary, a repair makes it one that checks clean; what is right it does not touch.
#include <functional>
#include <map>

#include "aggregate/checked.h"
#include "aggregate/traffic.h"
#include "base/lmdb.h"
#include "rollup/repair.h"

namespace footfall {
namespace {

constexpr const char* kDatabases[] = {"meta",     "changes",     "rollups", "key_counts", "dictionary",
                                      "visitors", "open_visits", "orders",  "visit_rows", "visits"};

using Edit = std::function<void(LmdbTxn& txn)>;

std::vector<Request> traffic;
std::vector<std::string> done;

int make_traffic(void**) { return traffic = random_traffic(20261126, 600), 0; }

void visit_the_shops() {
  store_config(shop());
  for (size_t i = 0; i < traffic.size(); ++i) {
    shop().site(traffic[i].site).count(traffic[i].raw());
    if (i % 97 == 0) shop().settle_ms(traffic[i].time_ms);
  }
  shop().fold();
}

void edit(const Edit& change) {
  shop().aside([&](const std::string& path) {
    LmdbEnv env = LmdbEnv::open(path, {.map_bytes = kCheckMapBytes, .databases = 16}).value();
    LmdbTxn txn = LmdbTxn::write(env).value();
    change(txn);
    assert_true(txn.commit().ok());
  });
}

std::map<std::string, std::string> all_of(LmdbTxn& txn, const char* name) {
  std::map<std::string, std::string> all;
  const LmdbDatabase database = txn.database(name).value();
  LmdbCursor cursor = LmdbCursor::open(txn, database).value();
  for (bool there = cursor.first(); there; there = cursor.next()) all.emplace(cursor.key(), cursor.value());
  return all;
}

std::map<std::string, std::map<std::string, std::string>> everything() {
  std::map<std::string, std::map<std::string, std::string>> all;
  edit([&](LmdbTxn& txn) {
    for (const char* name : kDatabases) all[name] = all_of(txn, name);
  });
  return all;
}

// As the command does it, but for the days that it notes as not whole.
uint64_t repair() {
  uint64_t set_aside = 0;
  done.clear();
  shop().aside([&](const std::string& path) {
    LmdbEnv env = LmdbEnv::open(path, {.map_bytes = kCheckMapBytes, .databases = 16}).value();
    SummaryRepair repair(env, path + "/../aside", [](std::string text) { done.push_back(std::move(text)); });
    assert_true(repair.run().ok());
    set_aside = repair.set_aside();
  });
  return set_aside;
}

void note_what_is_not_whole() {
  static CareNotes incomplete;
  for (int round = 0; round < 8; ++round) {
    shop().aside([&](const std::string& path) {
      SummaryReader reader = SummaryReader::open(path, kCheckMapBytes).value();
      SummarySnapshot snapshot = reader.snapshot().value();
      SummaryCheck check(
          snapshot, shop().hasher(), [](std::string) {}, [](uint64_t, uint64_t) {});
      assert_true(check.run().ok());
      incomplete = check.incomplete();
    });
    if (incomplete.empty()) return;
    shop().aside([&](const std::string& path) {
      LmdbEnv env = LmdbEnv::open(path, {.map_bytes = kCheckMapBytes, .databases = 16}).value();
      assert_true(add_care(env, incomplete).ok());
    });
  }
}

void expect_done(std::string_view text) {
  for (const std::string& one : done)
    if (one.find(text) != std::string::npos) return;
  for (const std::string& one : done) print_error("%s\n", one.c_str());
  fail_msg("nothing done says \"%s\"", std::string(text).c_str());
}

// The n-th row of a dimension and level; `change` gives its new bytes, empty: it is gone.
std::string change_row(Dimension dimension, Level level, size_t number,
                       const std::function<std::string(Counters)>& change) {
  std::string changed;
  edit([&](LmdbTxn& txn) {
    for (const auto& [bytes, value] : all_of(txn, "rollups")) {
      const RollupKey key = decode_rollup_key(bytes).value();
      if (key.site != 0 || key.dimension != dimension || key.level != level || number-- > 0) continue;
      Counters counters;
      if (dimension == Dimension::total) counters.visitors.set_precision(Precision::total);
      assert_true(merge_encoded_counters(value, counters));
      const LmdbDatabase rollups = txn.database("rollups").value();
      const std::string now = change(std::move(counters));
      assert_true((now.empty() ? txn.remove(rollups, bytes) : txn.put(rollups, bytes, now)).ok());
      changed = bytes;
      return;
    }
    fail();
  });
  return changed;
}

std::string one_more(Counters counters) {
  counters[Counter::pageviews] += 1;
  return encode_counters(counters);
}
std::string gone(Counters) { return {}; }

void nothing_is_done_where_all_is_right(void**) {
  visit_the_shops();
  static std::map<std::string, std::map<std::string, std::string>> before;
  before = everything();
  assert_int_equal(repair(), 0);
  for (const std::string& text : done) print_error("%s\n", text.c_str());
  assert_int_equal(done.size(), 0);
  assert_true(everything() == before);
}

void coarser_buckets_come_back_from_finer_ones(void**) {
  visit_the_shops();
  static std::map<std::string, std::map<std::string, std::string>> before;
  before = everything();
  change_row(Dimension::total, Level::day, 0, gone);
  change_row(Dimension::total, Level::month, 0, one_more);
  change_row(Dimension::page, Level::day, 3, gone);
  change_row(Dimension::channel, Level::month, 0, one_more);
  assert_int_equal(repair(), 0);
  expect_done("total, day 2026-09-30: counted anew from what is finer");
  expect_whole(shop(), "repaired");
  assert_true(everything() == before);
}

void a_total_of_the_finest_level_comes_back_from_devices(void**) {
  visit_the_shops();
  static std::map<std::string, std::map<std::string, std::string>> before;
  before = everything();
  change_row(Dimension::total, Level::minute, 2, one_more);
  repair();
  expect_done("counted anew from its devices");
  assert_true(everything() == before);
}

void what_is_lost_of_the_finest_level_is_under_other(void**) {
  visit_the_shops();
  change_row(Dimension::page, Level::minute, 2, gone);
  change_row(Dimension::source, Level::minute, 2, one_more);
  shop().site(traffic.front().site).visitor("zoe").at("2026-10-05 09:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("2026-10-07 09:00").hit("/").order("Z-1", "10.00").fold();
  change_row(*by_lookback(Dimension::channel, 1), Level::minute, 1, gone);
  repair();
  expect_done("what its rows lack of the total is counted under `other`");
  expect_whole(shop(), "repaired");
}

void rows_that_cannot_be_read_are_set_aside(void**) {
  visit_the_shops();
  change_row(Dimension::page, Level::hour, 2, [](Counters) { return std::string("\xff"); });
  assert_int_equal(repair(), 1);
  expect_done("rollups: 1 entries that cannot be read are set aside");
  expect_whole(shop(), "repaired");
}

void key_counts_and_texts(void**) {
  visit_the_shops();
  edit([](LmdbTxn& txn) {
    for (const char* name : {"key_counts", "dictionary"}) {
      const auto first = *all_of(txn, name).begin();
      assert_true(txn.remove(txn.database(name).value(), first.first).ok());
    }
    const std::string orphan = bucket_prefix(0, Dimension::page, Level::hour, 3600);
    assert_true(txn.put(txn.database("key_counts").value(), orphan, std::string("\1\0\0\0", 4)).ok());
  });
  repair();
  expect_done("its keys counted anew");
  expect_done("rows whose text is gone are counted under `other`");
  expect_done("key_counts: 1 of buckets that are not there");
  expect_whole(shop(), "repaired");
}

// Anything, anywhere but in the checkpoint and the configuration.
void whatever_is_broken(void**) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    open_shop(nullptr);
    visit_the_shops();
    static Random random(0);
    random = Random(seed);
    edit([&](LmdbTxn& txn) {
      for (size_t name = 2; name < std::size(kDatabases); ++name) {
        const LmdbDatabase database = txn.database(kDatabases[name]).value();
        for (const auto& [key, value] : all_of(txn, kDatabases[name])) {
          if (random.below(seed % 3 == 0 ? 400 : 40) != 0) continue;
          std::string bytes = value;
          if (!bytes.empty()) bytes[random.below(bytes.size())] ^= static_cast<char>(1 + random.below(255));
          const Status status = random.below(2) == 0 ? txn.remove(database, key) : txn.put(database, key, bytes);
          assert_true(status.ok());
        }
      }
    });
    repair();
    note_what_is_not_whole();
    expect_whole(shop(), "seed " + std::to_string(seed));
    const uint64_t first = done.size();
    repair();
    for (const std::string& text : done) print_error("again: %s\n", text.c_str());
    assert_int_equal(done.size(), 0);
    assert_true(first > 0);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(nothing_is_done_where_all_is_right),
      shop_test(coarser_buckets_come_back_from_finer_ones),
      shop_test(a_total_of_the_finest_level_comes_back_from_devices),
      shop_test(what_is_lost_of_the_finest_level_is_under_other),
      shop_test(rows_that_cannot_be_read_are_set_aside),
      shop_test(key_counts_and_texts),
      shop_test(whatever_is_broken),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
