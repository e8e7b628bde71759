// What is kept of visits, closed and open, adds up to the rollups: in every row of every dimension, at any moment. So a
// question answered from visits gets the same figures as one answered from rollups.
#include "aggregate/kept_figures.h"
#include "aggregate/shop.h"
#include "aggregate/traffic.h"

namespace footfall {
namespace {

std::vector<Request> traffic;

int make_traffic(void**) { return traffic = random_traffic(20261124, 1500), 0; }

void kept_visits_tell_what_rollups_tell_at_any_time(void**) {
  for (size_t done = 0; done < traffic.size(); done += 250) {
    visit_the_shops(traffic, done, done + 250);
    expect_kept_visits_to_tell_the_same("after " + std::to_string(done) + " hits");
  }
  shop().settle_ms(traffic.back().time_ms + kDayS * 1000);
  expect_number(static_cast<int64_t>(shop().open_visits()), 0);
  expect_kept_visits_to_tell_the_same("with all visits closed");
  shop().fold();
  expect_kept_visits_to_tell_the_same("after a fold");
}

// Whatever the aggregator does in between, and whatever of the traffic comes late.
void kept_visits_tell_what_rollups_tell_whatever_the_timing(void**) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    open_shop(nullptr);
    static Random random(0);
    random = Random(seed);
    for (size_t i = 0; i < traffic.size(); ++i) {
      const bool is_late = i > 20 && random.below(15) == 0;
      Request request = traffic[i];
      if (is_late) request.time_ms -= static_cast<int64_t>(random.below(1'200'000));
      shop().site(request.site).late(is_late).count(request.raw());
      if (random.below(30) == 0) shop().checkpoint();
      if (random.below(60) == 0) shop().fold();
      if (random.below(60) == 0) shop().settle_ms(traffic[i].time_ms);
      if (random.below(120) == 0) shop().checkpoint().restart();
      if (random.below(300) == 0) expect_kept_visits_to_tell_the_same("seed " + std::to_string(seed) + ", hit " + std::to_string(i));
    }
    expect_kept_visits_to_tell_the_same("seed " + std::to_string(seed));
  }
}

// Over months, so that lookbacks differ; the site's own is another from one month on. In part late, with refunds and goals.
void every_lookback_is_told_whatever_the_sites_own(void**) {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    open_shop(nullptr);
    static Random random(0);
    random = Random(seed);
    static std::vector<Request> slow;
    slow = random_traffic(seed, 1200, time_of("2026-08-01 10:00"));
    for (Request& request : slow) request.time_ms = slow.front().time_ms + 70 * (request.time_ms - slow.front().time_ms);
    for (size_t i = 0; i < slow.size(); ++i) {
      if (i == slow.size() / 2)
        for (SiteConfig& site : shop().config().sites) site.lookback_days = 7;
      if (i == slow.size() / 2) shop().checkpoint().restart();
      const bool is_late = i > 20 && random.below(15) == 0;
      Request request = slow[i];
      if (is_late) request.time_ms -= static_cast<int64_t>(random.below(kDayS * 1000));
      shop().site(request.site).late(is_late).count(request.raw());
      if (random.below(60) == 0) shop().fold();
      if (random.below(120) == 0) shop().checkpoint().restart();
      if (i == slow.size() / 2 + 100) expect_kept_visits_to_tell_the_same("seed " + std::to_string(seed) + ", on its way");
    }
    expect_kept_visits_to_tell_the_same("seed " + std::to_string(seed));
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(kept_visits_tell_what_rollups_tell_at_any_time),
      shop_test(kept_visits_tell_what_rollups_tell_whatever_the_timing),
      shop_test(every_lookback_is_told_whatever_the_sites_own),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
