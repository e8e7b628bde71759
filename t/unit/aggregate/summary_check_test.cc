// A summary that a shop's traffic made is whole; one in which something was changed behind the aggregator's back is
// not, and the check says what and where.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aggregate/checked.h"

namespace {

using namespace footfall;

constexpr uint64_t kMapBytes = kCheckMapBytes;

std::unique_ptr<Shop> shop;
std::vector<std::string> faults;

void check() { check(*shop, faults); }

void expect_whole() {
  check();
  for (const std::string& fault : faults) print_error("%s\n", fault.c_str());
  assert_int_equal(faults.size(), 0);
}

void expect_fault(std::string_view text) {
  check();
  for (const std::string& fault : faults)
    if (fault.find(text) != std::string::npos) return;
  for (const std::string& fault : faults) print_error("%s\n", fault.c_str());
  fail_msg("no fault says \"%s\"", std::string(text).c_str());
}

// Two days of people and bots, orders, goals and errors; one visit goes on over midnight, one is open.
void trade(Shop& shop) {
  store_config(shop);
  shop.visitor("anna").at("10:00").hit("/", "utm_source=news&utm_medium=email&utm_campaign=october");
  shop.at("10:01").page_with("add_to_cart;item=\"CUP\"", "/cup");
  shop.at("10:05").order("A-1", "29.95", ";items=\"CUP:1:29.95:Dishes\"");
  shop.visitor("ben").at("10:10").from("https://www.google.com/").hit("/shoes/sale");
  shop.at("10:11").asset("/logo.png").answer(404, "/gone").event("sign_up");
  shop.visitor("").agent(kGooglebot).at("11:00").hit("/cup").agent(kFirefox);
  shop.visitor("carl").at("21:50").hit("/").at("22:05").hit("/cup").at("22:06").hit("/welcome");
  shop.visitor("anna").at("2026-10-02 09:00").hit("/cup");
  shop.settle("2026-10-02 12:00");
  shop.visitor("dora").at("2026-10-02 13:00").hit("/").at("2026-10-02 13:02").order("A-2", "10.00;currency=\"USD\"");
  shop.fold();
}

using Edit = std::function<void(LmdbTxn& txn)>;
void edit(const Edit& change) {
  shop->aside([&](const std::string& path) {
    LmdbEnv env = LmdbEnv::open(path, {.map_bytes = kMapBytes, .databases = 16}).value();
    LmdbTxn txn = LmdbTxn::write(env).value();
    change(txn);
    assert_true(txn.commit().ok());
  });
}

// Rows of one dimension and level; `change` gives what a row's bytes become, empty: it is removed.
void edit_rows(Dimension dimension, Level level, size_t rows_max, const std::function<std::string(Counters)>& change) {
  edit([&](LmdbTxn& txn) {
    const LmdbDatabase rollups = txn.database("rollups").value();
    std::vector<std::pair<std::string, std::string>> changed;
    {
      LmdbCursor cursor = LmdbCursor::open(txn, rollups).value();
      for (bool there = cursor.first(); there && changed.size() < rows_max; there = cursor.next()) {
        const RollupKey key = decode_rollup_key(cursor.key()).value();
        if (key.dimension != dimension || key.level != level) continue;
        Counters counters;
        if (dimension == Dimension::total) counters.visitors.set_precision(Precision::total);
        assert_true(merge_encoded_counters(cursor.value(), counters));
        changed.emplace_back(cursor.key(), change(std::move(counters)));
      }
    }
    assert_int_not_equal(changed.size(), 0);
    for (const auto& [key, value] : changed)
      assert_true((value.empty() ? txn.remove(rollups, key) : txn.put(rollups, key, value)).ok());
  });
}

std::string with_one_more(Counters counters, Counter counter) {
  counters[counter] += 1;
  return encode_counters(counters);
}

void remove_first(const char* database) {
  edit([&](LmdbTxn& txn) {
    const LmdbDatabase from = txn.database(database).value();
    LmdbCursor cursor = LmdbCursor::open(txn, from).value();
    assert_true(cursor.first());
    assert_true(cursor.remove().ok());
  });
}

void spoil_first(const char* database) {
  edit([&](LmdbTxn& txn) {
    const LmdbDatabase in = txn.database(database).value();
    std::string key;
    {
      LmdbCursor cursor = LmdbCursor::open(txn, in).value();
      assert_true(cursor.first());
      key = cursor.key();
    }
    assert_true(txn.put(in, key, "\xff\xff").ok());
  });
}

int set_up(void**) {
  shop = std::make_unique<Shop>();
  trade(*shop);
  return 0;
}
int tear_down(void**) {
  shop.reset();
  faults = {};
  return 0;
}

void test_traffic_is_whole(void**) { expect_whole(); }

void test_imports_are_whole_each_for_itself(void**) {
  shop = std::make_unique<Shop>(two_shops(), Timeline::imported);
  shop->import(1);
  trade(*shop);
  expect_whole();
  shop->import(2).visitor("dora").at("2026-10-02 13:10").hit("/cup").fold();
  expect_whole();
}

void test_an_open_visit_counts_where_it_is_booked_late(void**) {
  remove_first("open_visits");
  expect_fault("site shop, exit_page, day 2026-10-02: visits: rows and other 1, total 2");
}

void test_a_row_too_many(void**) {
  edit_rows(Dimension::channel, Level::day, 1,
            [](Counters counters) { return with_one_more(counters, Counter::visits); });
  expect_fault("site shop, channel, day 2026-10-01: visits: rows and other 4, total 3");
  expect_fault("site shop, channel, day 2026-10-01: visits: 4, its hours 3");
}

void test_money(void**) {
  edit_rows(Dimension::coupon, Level::month, 1, [](Counters counters) {
    counters[Amount::revenue_last] -= 1;
    return encode_counters(counters);
  });
  expect_fault("coupon, month 2026-10: revenue_last: rows and other 39149999, total 39150000");
}

// What another lookback gives a value it takes from others.
void test_credit_by_another_lookback(void**) {
  shop->visitor("anna").at("2026-10-02 20:00").order("A-3", "5.00").fold();
  expect_whole();
  edit_rows(*by_lookback(Dimension::channel, 1), Level::day, 1,
            [](Counters counters) { return with_one_more(counters, Counter::orders_last_non_direct); });
  expect_fault("site shop, channel_1d, day 2026-10-02: orders_last_non_direct: rows and other 1, total 0");
  expect_fault("channel_1d, month 2026-10: orders_last_non_direct: ");
}

// Kept visits are credited over the lookback that holds now, rollups were over the one that held then.
void test_a_lookback_that_was_changed(void**) {
  shop->visitor("anna").at("2026-10-02 20:00").order("A-3", "5.00").fold();
  for (SiteConfig& site : shop->config().sites) site.lookback_days = 1;
  store_config(*shop);
  expect_whole();
}

void test_credit_that_another_value_got(void**) {
  for (const Level level : kLevels) {
    int64_t number = 0;
    edit_rows(Dimension::channel, level, 2, [&](Counters counters) {
      counters[Counter::orders_first] += number++ == 0 ? 1 : -1;
      return encode_counters(counters);
    });
  }
  expect_fault("site shop, channel, day 2026-10-01: orders_first: its rows differ from those of the kept visits");
}

void test_totals_of_a_level(void**) {
  edit_rows(Dimension::total, Level::hour, 1,
            [](Counters counters) { return with_one_more(counters, Counter::late_hits); });
  expect_fault("total, hour 2026-10-01T12:00:00+02:00: late_hits: 1, its minutes 0");
  expect_fault("total, day 2026-10-01: late_hits: 0, its hours 1");
}

void test_a_value_that_another_one_got(void**) {
  int64_t number = 0;  // one more for the first page, one less for the second: sums stay
  edit_rows(Dimension::page, Level::day, 2, [&](Counters counters) {
    counters[Counter::hits] += number++ == 0 ? 1 : -1;
    return encode_counters(counters);
  });
  expect_fault(
      "site shop, page, day 2026-10-01: hits: its rows differ from those of its hours, though both add up to 9");
}

void test_a_visit_that_another_value_got(void**) {
  int64_t number = 0;
  edit_rows(Dimension::channel, Level::day, 2, [&](Counters counters) {
    counters[Counter::visits] += number++ == 0 ? 1 : -1;
    return encode_counters(counters);
  });
  expect_fault("site shop, channel, day 2026-10-01: visits: its rows differ from those of the kept visits, though");
}

void test_a_dimension_that_is_gone(void**) {
  edit_rows(Dimension::order_currency, Level::hour, 100, [](Counters) { return std::string(); });
  expect_fault("order_currency, hour 2026-10-01T12:00:00+02:00: orders_last: rows and other 0, total 1000000");
}

void test_bytes_that_are_no_row(void**) {
  edit_rows(Dimension::page, Level::day, 1, [](Counters) { return std::string("\xff"); });
  expect_fault("site shop, page, day 2026-10-01: row ");
  expect_fault("cannot be read");
}

void test_key_counts(void**) {
  remove_first("key_counts");
  expect_fault("says 0, 1 rows are there");
}

void test_a_text_that_is_gone(void**) {
  remove_first("dictionary");
  expect_fault(" is gone");
}

void test_a_kept_visit_that_is_gone(void**) {
  remove_first("visit_rows");
  expect_fault("site shop, total, day 2026-10-01: visits: 3, kept visits 2");
  expect_fault("site shop, total, day 2026-10-01: revenue_first: 29950000, kept visits 0");
}

void test_a_kept_visit_that_cannot_be_read(void**) {
  spoil_first("visit_rows");
  expect_fault("site shop, kept visits, day 2026-10-01: broken row 0");
  assert_int_equal(faults.size(), 1);
}

void test_a_row_of_which_kept_visits_know_nothing(void**) {
  for (const Level level : kLevels)
    edit_rows(Dimension::total, level, 1,
              [](Counters counters) { return with_one_more(counters, Counter::pageviews); });
  expect_fault("site shop, total, day 2026-10-01: pageviews: 5, kept visits 4");
}

void test_orders_are_remembered(void**) {
  edit([](LmdbTxn& txn) {
    const LmdbDatabase orders = txn.database("orders").value();
    LmdbCursor cursor = LmdbCursor::open(txn, orders).value();
    for (bool there = cursor.first(); there; there = cursor.next()) {
      Conversion order;
      assert_true(decode_conversion(cursor.value(), order));
      if (order.kind != ConversionKind::order || order.time_ms < time_of("2026-10-02 00:00")) continue;
      order.time_ms += kDayS * 1000;
      const std::string key(cursor.key());
      assert_true(txn.put(orders, key, encode_conversion(order)).ok());
      return;
    }
    fail();
  });
  expect_fault("site shop, total, day 2026-10-02: orders_last: 1000000, remembered orders 0");
  expect_fault("site shop, total, day 2026-10-03: orders_last: 0, remembered orders 1000000");
}

void test_visitors_open_visits_and_orders_that_cannot_be_read(void**) {
  for (const char* database : {"visitors", "open_visits", "orders"}) {
    spoil_first(database);
    expect_fault(std::string(database) + ": ");
  }
}

}  // namespace

int main() {
#define whole(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const CMUnitTest tests[] = {
      whole(test_traffic_is_whole),
      whole(test_imports_are_whole_each_for_itself),
      whole(test_an_open_visit_counts_where_it_is_booked_late),
      whole(test_a_row_too_many),
      whole(test_money),
      whole(test_credit_by_another_lookback),
      whole(test_a_lookback_that_was_changed),
      whole(test_credit_that_another_value_got),
      whole(test_totals_of_a_level),
      whole(test_a_value_that_another_one_got),
      whole(test_a_visit_that_another_value_got),
      whole(test_a_dimension_that_is_gone),
      whole(test_bytes_that_are_no_row),
      whole(test_key_counts),
      whole(test_a_text_that_is_gone),
      whole(test_a_kept_visit_that_is_gone),
      whole(test_a_kept_visit_that_cannot_be_read),
      whole(test_a_row_of_which_kept_visits_know_nothing),
      whole(test_orders_are_remembered),
      whole(test_visitors_open_visits_and_orders_that_cannot_be_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
