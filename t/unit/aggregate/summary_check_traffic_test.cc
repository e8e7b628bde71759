// Whatever a shop's traffic does to a summary, and whenever one looks: it is whole.
#include "aggregate/checked.h"
#include "aggregate/traffic.h"
#include "rollup/retention.h"

namespace footfall {
namespace {

std::vector<Request> traffic;

int make_traffic(void**) { return traffic = random_traffic(20261125, 1200), 0; }

void a_summary_is_whole_at_any_time(void**) {
  store_config(shop());
  for (size_t done = 0; done < traffic.size(); done += 200) {
    visit_the_shops(traffic, done, done + 200);
    shop().checkpoint();
    expect_whole(shop(), "after " + std::to_string(done) + " hits");
    if (done % 400 == 0) shop().fold();
  }
  shop().settle_ms(traffic.back().time_ms + kDayS * 1000).fold();
  expect_number(static_cast<int64_t>(shop().open_visits()), 0);
  expect_whole(shop(), "with all visits closed");
}

void a_summary_is_whole_whatever_comes_late(void**) {
  store_config(shop());
  static Random random(0);
  random = Random(7);
  for (size_t i = 0; i < traffic.size(); ++i) {
    const bool is_late = i > 20 && random.below(15) == 0;
    Request request = traffic[i];
    if (is_late) request.time_ms -= static_cast<int64_t>(random.below(1'200'000));
    shop().site(request.site).late(is_late).count(request.raw());
    if (random.below(30) == 0) shop().checkpoint();
    if (random.below(60) == 0) shop().fold();
    if (random.below(60) == 0) shop().settle_ms(traffic[i].time_ms);
    if (random.below(120) == 0) shop().checkpoint().restart();
    if (random.below(300) == 0) {
      shop().checkpoint();
      expect_whole(shop(), "hit " + std::to_string(i));
    }
  }
  shop().checkpoint();
  expect_whole(shop(), "at the end");
}

void a_summary_is_whole_after_an_import_is_taken_back(void**) {
  the_shop = std::make_unique<Shop>(two_shops(), Timeline::imported);
  store_config(shop());
  shop().import(1);
  visit_the_shops(traffic, 0, 400);
  shop().fold().import(2);
  visit_the_shops(traffic, 400, 800);
  shop().fold().import(3);
  visit_the_shops(traffic, 800, 1200);
  shop().fold();
  expect_whole(shop(), "three imports");
  shop().undo(2);
  expect_whole(shop(), "without the second");
  shop().undo(1);
  expect_whole(shop(), "with the last one alone");
}

// More pages and campaigns than a bucket keeps, over two days.
void visit_many_pages() {
  store_config(shop());
  for (size_t i = 0; i < 7'000; ++i) {
    shop().at_ms(time_of("2026-09-30 17:00") + static_cast<int64_t>(i) * 5'000).visitor("v" + std::to_string(i % 700));
    shop().hit("/p/" + std::to_string(i), i % 3 == 0 ? "utm_source=s" + std::to_string(i) : "");
    if (i % 1'500 == 0) shop().fold_at(time_of("2026-09-30 17:00") + static_cast<int64_t>(i) * 5'000);
  }
  shop().fold();
}

void a_summary_is_whole_whose_lightest_values_were_cut_off(void**) {
  visit_many_pages();
  expect_whole(shop(), "before");
  shop().fold_at(time_of("2026-10-01 05:00"));
  expect_whole(shop(), "hours and minutes are trimmed");
  shop().fold_at(time_of("2026-11-10 00:00"));
  expect_whole(shop(), "all of it is");
}

void let_go(const Horizons& horizons, uint64_t rows_max) {
  shop().keep_since(horizons).checkpoint().aside([&](const std::string& path) {
    LmdbEnv env = LmdbEnv::open(path, {.map_bytes = kCheckMapBytes, .databases = 16}).value();
    LmdbTxn txn = LmdbTxn::write(env).value();
    const RollupDatabases databases{txn.database("rollups").value(), txn.database("key_counts").value(),
                                    txn.database("to_trim").value()};
    Expired expired;
    const ZoneOf zone_of = [](uint16_t site) -> const Zone& { return shop().sites().at(site).zone; };
    assert_true(expire_rollups(txn, databases, zone_of, shop().sites().size(), horizons, rows_max, expired).ok());
    assert_true(expired.rows > 0);
    assert_true(txn.commit().ok());
  });
}

// Minutes and hours go in slices: not of all dimensions at once.
void a_summary_is_whole_of_which_old_buckets_went(void**) {
  visit_many_pages();
  const Horizons horizons{
      {time_of("2026-10-01 00:00") / 1000, time_of("2026-09-30 20:00") / 1000, Horizons::kNever, Horizons::kNever}};
  for (int slice = 0; slice < 4; ++slice) {
    let_go(horizons, 500);
    expect_whole(shop(), "slice " + std::to_string(slice));
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(a_summary_is_whole_at_any_time),
      shop_test(a_summary_is_whole_whatever_comes_late),
      shop_test(a_summary_is_whole_after_an_import_is_taken_back),
      shop_test(a_summary_is_whole_whose_lightest_values_were_cut_off),
      shop_test(a_summary_is_whole_of_which_old_buckets_went),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
