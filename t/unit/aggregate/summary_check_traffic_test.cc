// Whatever a shop's traffic does to a summary, and whenever one looks: it is whole.
#include "aggregate/checked.h"
#include "aggregate/traffic.h"

namespace footfall {
namespace {

std::vector<Request> traffic;

int make_traffic(void**) { return traffic = random_traffic(20261125, 1200), 0; }

void visit_the_shops(size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) shop().site(traffic[i].site).count(traffic[i].raw());
}

void a_summary_is_whole_at_any_time(void**) {
  store_config(shop());
  for (size_t done = 0; done < traffic.size(); done += 200) {
    visit_the_shops(done, done + 200);
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
  visit_the_shops(0, 400);
  shop().fold().import(2);
  visit_the_shops(400, 800);
  shop().fold().import(3);
  visit_the_shops(800, 1200);
  shop().fold();
  expect_whole(shop(), "three imports");
  shop().undo(2);
  expect_whole(shop(), "without the second");
  shop().undo(1);
  expect_whole(shop(), "with the last one alone");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      shop_test(a_summary_is_whole_at_any_time),
      shop_test(a_summary_is_whole_whatever_comes_late),
      shop_test(a_summary_is_whole_after_an_import_is_taken_back),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
