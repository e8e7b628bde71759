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

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(kept_visits_tell_what_rollups_tell_at_any_time),
      shop_test(kept_visits_tell_what_rollups_tell_whatever_the_timing),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
