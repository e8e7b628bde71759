// What is kept does not depend on when it was stored: the same hits folded at any moments, by any number of processes, give
// the same rows to the last byte, also where there are more values than a bucket keeps; and rows with `other` add up to
// the totals, finer buckets to coarser ones.
#include <algorithm>
#include <map>
#include <vector>

#include "aggregate/additive.h"
#include "aggregate/shop.h"
#include "aggregate/traffic.h"
#include "random.h"
#include "rollup/settled.h"

namespace footfall {
namespace {

// A busy afternoon and night: few pages that many see and many that hardly anybody does, campaigns and referrers likewise.
std::vector<Request> busy_traffic(uint64_t seed, size_t number) {
  Random random(seed);
  std::vector<Request> traffic;
  int64_t time_ms = time_of("2026-09-30 17:00");
  const auto some = [&](uint64_t most) { return std::to_string(random.below(1 + random.below(most))); };
  for (size_t i = 0; i < number; ++i) {
    time_ms += static_cast<int64_t>(random.below(1500));
    Request request;
    request.time_ms = time_ms;
    request.site = "shop";
    request.visitor = "v" + std::to_string(random.below(number / 8));
    request.uri = "/p/" + some(6000);
    if (random.below(3) == 0) request.uri += "?utm_source=s" + some(3000) + "&utm_campaign=c" + some(6000);
    if (random.below(4) == 0) request.referrer = "https://r" + some(4000) + ".example/";
    if (random.below(40) == 0) request.header = "purchase;id=\"o" + std::to_string(i) + "\";value=3.50;items=\"i" + some(2000) + ":1:3\"";
    if (random.below(50) == 0) request.header = "seen;item=\"i" + some(2000) + "\"";
    traffic.push_back(std::move(request));
  }
  return traffic;
}

constexpr size_t kHits = 16'000;
std::vector<Request> traffic;

// What was stored in the end, of all rows and of how many there are.
using Stored = std::map<std::string, std::string>;
Stored settled() {
  shop().fold_at(traffic.back().time_ms + 40 * kDayS * 1000);
  Stored all = shop().stored("rollups");
  for (auto& [prefix, keys] : shop().stored("key_counts")) all.emplace(prefix, keys);
  return all;
}

void count(const Request& request) {
  shop().at_ms(request.time_ms);
  shop().count(request.raw());
}

void expect_equal(const Stored& actual, const Stored& expected, const char* run) {
  const auto show = [](const std::string& key, const std::string& bytes) {
    const RollupKey of = key.size() == kBucketPrefixBytes ? *decode_bucket_prefix(key) : *decode_rollup_key(key);
    std::string text = std::string(dimension_name(of.dimension)) + " " + std::string(level_name(of.level)) + " " +
                       std::to_string(of.bucket_start_s) + ": ";
    if (key.size() != kBucketPrefixBytes) {
      Counters counters;
      merge_encoded_counters(bytes, counters);
      text += "value " + std::to_string(of.value.high);
      for (size_t i = 0; i < kCounters; ++i) text += " " + std::to_string(counters[static_cast<Counter>(i)]);
      return text;
    }
    const BucketKeys keys = decode_bucket_keys(bytes);
    return text + std::to_string(keys.keys) + (keys.trimmed ? " trimmed" : "") + (keys.overrun ? " overrun" : "") +
           (keys.whole ? " whole" : "");
  };
  for (const auto& [key, bytes] : expected) {
    const auto found = actual.find(key);
    if (found == actual.end()) fail_msg("%s: no row %s", run, show(key, bytes).c_str());
    if (found->second != bytes && key.size() != kBucketPrefixBytes)
      fail_msg("%s: another row %s, not %s", run, show(key, found->second).c_str(), show(key, bytes).c_str());
  }
  expect_number(actual.size(), expected.size());
}

Stored expected;

void folds_at_any_moment_keep_the_same(void**) {
  traffic = busy_traffic(3, kHits);
  for (const Request& request : traffic) count(request);
  expected = settled();
  for (uint64_t seed : {1, 2}) {
    open_shop(nullptr);
    static Random random(0);
    random = Random(seed);
    for (const Request& request : traffic) {
      // As it is live: checkpoints, and a fold now and then, by the clock of what came so far.
      if (random.below(400) == 0) shop().checkpoint();
      if (random.below(seed == 1 ? 400 : 5'000) == 0) shop().fold_at(request.time_ms);
      count(request);
    }
    expect_equal(settled(), expected, seed == 1 ? "folded often" : "folded seldom");
  }
}

void restarts_change_nothing(void**) {
  static Random random(0);
  random = Random(5);
  size_t stored = 0;
  for (size_t i = 0; i < traffic.size(); ++i) {
    if (random.below(800) == 0) shop().checkpoint(), stored = i;
    if (random.below(2'000) == 0) shop().fold_at(traffic[i].time_ms), stored = i;
    if (random.below(2'500) == 0) {
      shop().restart();
      i = stored;
    }
    count(traffic[i]);
  }
  expect_equal(settled(), expected, "restarted");
}

// Visits that went out of memory come back with their visitor, or when they are over.
void visits_in_the_store_count_the_same(void**) {
  static Random random(0);
  random = Random(7);
  shop().engine().set_visits_in_memory(20, 30);
  for (const Request& request : traffic) {
    if (random.below(300) == 0) shop().fold_at(request.time_ms);
    count(request);
    if (random.below(6'000) != 0) continue;
    shop().checkpoint().restart();
    shop().engine().set_visits_in_memory(20, 30);
  }
  assert_true(shop().open_visits() > 100);
  expect_equal(settled(), expected, "spilled");
  expect_number(shop().open_visits(), 0);
}

void too_many_open_visits_are_closed(void**) {
  Config config = two_shops();
  config.open_visits_max = 50;
  the_shop = std::make_unique<Shop>(config);
  shop().engine().set_visits_in_memory(10, 20);
  for (int i = 0; i < 200; ++i) {
    shop().at_ms(time_of("10:00") + i * 1000).visitor("v" + std::to_string(i)).hit("/");
    if (i % 40 == 39) shop().fold_at(time_of("10:00") + i * 1000);
  }
  expect_number(shop().open_visits(), 50);
  expect_number(static_cast<int64_t>(shop().engine().closed_early()), 150);
  shop().at("10:10").visitor("v199").hit("/more");  // still open
  shop().at("10:10").visitor("v3").hit("/more");    // closed: a visit of its own
  expect_figure(Dimension::total, "", Counter::visits, 201);
}

void rows_with_other_add_up_and_levels_too(void**) {
  for (const Request& request : traffic) {
    if (request.time_ms % 97 == 0) shop().fold_at(request.time_ms);
    count(request);
  }
  shop().fold_at(traffic.back().time_ms + 40 * kDayS * 1000);
  assert_true(shop().upkeep_counts().trimmed_buckets > 5);
  static Figures figures;
  figures = shop().figures();
  expect_all_rows_to_add_up(figures);
  // Each level's totals and each level's rows, `other` among them, sum up to the same.
  std::map<std::pair<Dimension, Level>, int64_t> pageviews;
  std::map<Level, size_t> pages;
  for (const auto& [name, counters] : figures) {
    pageviews[{name.dimension, name.level}] += counters[Counter::pageviews];
    pages[name.level] += name.dimension == Dimension::page;
  }
  for (const auto& [of, sum] : pageviews) {
    const int64_t of_months = pageviews.at({of.first, Level::month});
    expect_number(sum, of_months);
  }
}

// A visit of the hour before goes on: what it changes lies in a bucket that was trimmed.
void a_long_visit_finds_its_closed_bucket(void**) {
  shop().at("10:00").visitor("anna").hit("/start", "utm_source=news");
  for (int i = 0; i < 1'500; ++i)
    shop().at_ms(time_of("10:01") + i * 1000).visitor("v" + std::to_string(i)).hit("/p/" + std::to_string(i), "utm_source=s" + std::to_string(i));
  for (const char* time : {"10:20", "10:45", "11:10", "11:35", "12:00", "12:25", "12:50", "13:10"})
    shop().at(time).visitor("anna").hit("/start");
  shop().fold_at(time_of("13:12"));
  assert_true(shop().upkeep_counts().trimmed_buckets > 0);
  shop().at("13:20").visitor("anna").hit("/start").fold_at(time_of("15:00"));
  static Figures figures;
  figures = shop().figures();
  const int64_t hour_s = time_of("10:00") / 1000;
  Counters& source = figures.at({0, Dimension::source, Level::hour, hour_s, "news"});
  expect_in(source, Counter::duration_ms, (time_of("13:20") - time_of("10:00")));
  Counters& exit = figures.at({0, Dimension::exit_page, Level::hour, hour_s, ""});  // null and `other` in one
  expect_in(exit, Counter::visits, 1'501 - 1'000);
  expect_all_rows_to_add_up(figures);
}

// --- imports ---------------------------------------------------------------------------------------------------------

// Hours of an old log would go at once. They are not booked, and its days and months are the same to the byte.
void what_would_not_be_kept_is_not_booked(void**) {
  static std::map<bool, Stored> runs;
  for (const bool is_old : {false, true}) {
    the_shop = std::make_unique<Shop>(two_shops(), Timeline::imported);
    shop().import(1);
    if (is_old) {
      Horizons horizons;
      horizons.ends_by_s[static_cast<size_t>(Level::hour)] = time_of("2027-01-01 00:00") / 1000;
      shop().engine().set_horizons(horizons);
    }
    for (size_t i = 0; i < traffic.size(); ++i) {
      count(traffic[i]);
      if (i % 3'000 == 2'999) shop().fold_at(traffic[i].time_ms);
    }
    runs[is_old] = settled();
    const size_t hours = std::erase_if(runs[is_old], [](const auto& row) { return static_cast<Level>(row.first[3]) < Level::day; });
    assert_true(is_old == (hours == 0));
  }
  expect_equal(runs[true], runs[false], "by the day");
}

// --- visitors --------------------------------------------------------------------------------------------------------

// Somebody without an id is nobody known tomorrow, whatever is still stored of them.
void who_is_forgotten_is_not_known_again(void**) {
  Config config = two_shops();
  config.retention.visitors_s = 20 * kDayS;
  config.sites[0].lookback_days = 90;
  the_shop = std::make_unique<Shop>(config);
  shop().at("2026-06-01 10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("2026-06-19 10:00").order("A", "1.00");  // still known
  shop().at("2026-07-19 10:00").order("B", "1.00");  // not any more
  expect_figure(Dimension::source, "news", Counter::orders_first, kCreditWhole);
  expect_figure(Dimension::source, "(direct)", Counter::orders_first, kCreditWhole);
}

// Of an anonymous visitor nothing is known once the day is over, so nothing is stored that a sweep would have to find.
void who_is_over_by_a_fold_is_not_stored(void**) {
  shop().visitor("");
  const auto comes = [](const char* address, std::string_view time) {
    shop().at(time).address(address).hit("/", "utm_source=" + std::string(time.substr(11, 2)));
  };
  const auto expect_stored = [](size_t visitors) { assert_int_equal(shop().fold().stored("visitors").size(), visitors); };
  comes("AAAA", "2026-10-01 23:00");
  expect_stored(1);
  comes("BBBB", "2026-10-01 23:40");
  comes("CCCC", "2026-10-02 00:20");  // no visit gap after B's day
  expect_stored(3);
  comes("DDDD", "2026-10-02 12:00");
  comes("EEEE", "2026-10-03 12:00");
  expect_stored(4);  // never D
  comes("EEEE", "2026-10-03 22:00");
  comes("FFFF", "2026-10-04 12:00");
  expect_stored(4);  // not E any more
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(folds_at_any_moment_keep_the_same),
      shop_test(restarts_change_nothing),
      shop_test(visits_in_the_store_count_the_same),
      shop_test(too_many_open_visits_are_closed),
      shop_test(rows_with_other_add_up_and_levels_too),
      shop_test(a_long_visit_finds_its_closed_bucket),
      shop_test(what_would_not_be_kept_is_not_booked),
      shop_test(who_is_forgotten_is_not_known_again),
      shop_test(who_is_over_by_a_fold_is_not_stored),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
