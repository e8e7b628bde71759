// Undoing an import: whatever imports there are and whichever of them go, what is left holds by itself.
#include "aggregate/undo.h"

#include <algorithm>

#include "aggregate/additive.h"
#include "aggregate/kept_figures.h"
#include "aggregate/shop.h"
#include "aggregate/traffic.h"

namespace footfall {
namespace {

constexpr uint16_t kImports = 5;

std::vector<Request> traffic;

int make_traffic(void**) { return traffic = random_traffic(20261101, 1200), 0; }

int open_import_shop(void**) {
  the_shop = std::make_unique<Shop>(two_shops(), Timeline::imported);
  return 0;
}

// Import by import, each a part of the traffic in its order; visits go over from one into the next.
void import_traffic(Random& random) {
  for (size_t i = 0; i < traffic.size(); ++i) {
    shop().import(static_cast<uint16_t>(1 + i * kImports / traffic.size()));
    shop().site(traffic[i].site).count(traffic[i].raw());
    if (random.below(60) == 0) shop().settle_ms(traffic[i].time_ms);
  }
}

int64_t all_of(Counter counter) {
  int64_t sum = 0;
  for (uint16_t site = 0; site < shop().sites().size(); ++site)
    sum += static_cast<int64_t>(shop().sum(Dimension::total, "", Level::day, site)[counter]);
  return sum;
}

// By page and exit page, views of a visit that went over may stand against each other.
void expect_no_figure_below_zero() {
  for (const auto& [name, counters] : shop().figures())
    for (Counter counter : {Counter::hits, Counter::visits, Counter::pageviews, Counter::bounces, Counter::exits,
                            Counter::entries, Counter::events, Counter::visits_with_cart, Counter::visits_cart_left})
      if (name.dimension != Dimension::page && name.dimension != Dimension::exit_page && counters[counter] < 0)
        fail_msg("%s \"%s\": counter %d is %lld", std::string(dimension_name(name.dimension)).c_str(), name.text.c_str(),
                 int(counter), static_cast<long long>(counters[counter]));
}

void rows_add_up_whichever_imports_go(void**) {
  static Random random(5);
  for (int round = 0; round < 4; ++round) {
    open_import_shop(nullptr);
    import_traffic(random);
    static std::vector<uint16_t> order;
    order.clear();
    for (uint16_t import = 1; import <= kImports; ++import) order.push_back(import);
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    for (const uint16_t import : order) {
      expect_all_rows_to_add_up(shop().figures());
      expect_no_figure_below_zero();
      shop().undo(import);
    }
    for (const auto& [name, counters] : shop().figures()) fail_msg("something is left: %s", name.text.c_str());
    expect_number(shop().open_visits(), 0);
  }
}

// As if the import had never been, for visits that are its own.
void the_last_import_leaves_no_trace(void**) {
  static Random random(6);
  static std::string before, after;
  shop().import(1);
  for (size_t i = 0; i < traffic.size() / 2; ++i) shop().site(traffic[i].site).count(traffic[i].raw());
  before = told(shop().figures());
  shop().import(2);
  for (size_t i = traffic.size() / 2; i < traffic.size(); ++i) {
    shop().site(traffic[i].site).count(traffic[i].raw());
    if (random.below(100) == 0) shop().checkpoint();
  }
  shop().undo(2);
  after = told(shop().figures());
  expect_same(after, before, "after the undo");
}

void an_order_that_went_may_come_again(void**) {
  shop().import(1).at("10:00").order("A-1", "20");
  shop().undo(1);
  shop().import(2).at("11:00").order("A-1", "20");
  expect_number(all_of(Counter::orders_last), 1'000'000);
  expect_number(all_of(Counter::duplicate_orders), 0);
}

void the_room_of_its_keys_is_free_again(void**) {
  const auto many_pages = [](const std::string& prefix, int pages) {
    for (int i = 0; i < pages; ++i) {
      shop().at_ms(time_of("10:00") + i).visitor(std::to_string(i % 200)).hit("/" + prefix + std::to_string(i));
    }
  };
  shop().import(1);
  many_pages("old", kKeysMax);
  shop().fold();
  shop().undo(1);
  shop().import(2);
  many_pages("new", kKeysMax);
  for (int i = 0; i < 10; ++i)
    expect_number(shop().sum(Dimension::page, "/new" + std::to_string(100 * i), Level::hour)[Counter::hits], 1);
}

void a_visit_that_went_over_stays_with_the_later_import(void**) {
  shop().import(1).at("10:00").from("https://www.google.com/").hit("/a");
  shop().import(2).at("10:05").hit("/b");
  shop().undo(1);
  expect_number(all_of(Counter::visits), 1);
  expect_number(all_of(Counter::pageviews), 1);
  expect_number(all_of(Counter::bounces), 0);
  expect_number(shop().sum(Dimension::channel, "organic_search", Level::day)[Counter::visits], 1);
  expect_number(shop().sum(Dimension::exit_page, "/b", Level::day)[Counter::visits], 1);
  expect_number(shop().sum(Dimension::exit_page, "/a", Level::day)[Counter::visits], 0);
}

// What is kept of visits goes and comes back with the figures.
void kept_visits_go_with_the_last_import(void**) {
  static Random random(8);
  import_traffic(random);
  for (uint16_t import = kImports; import >= 1; --import) {
    expect_kept_visits_to_tell_the_same("import " + std::to_string(import), false);
    if (random.below(2) == 0) shop().settle_ms(traffic.back().time_ms + kDayS * 1000);
    expect_kept_visits_to_tell_the_same("import " + std::to_string(import) + ", settled", false);
    shop().undo(import);
  }
  expect_kept_visits_to_tell_the_same("with all imports gone", false);
}

void kept_visits_lose_what_an_earlier_import_brought(void**) {
  for (const bool is_closed : {false, true}) {
    open_import_shop(nullptr);
    shop().import(1).at("10:00").from("https://www.google.com/").page_with("sign_up", "/a");
    shop().import(2).at("10:05").hit("/b").at("10:06").hit("/b");
    shop().import(3).at("10:07").hit("/c");
    if (is_closed) shop().settle("12:00");
    shop().undo(1);
    static Figures kept;
    kept = kept_figures();
    const auto sum = [](Dimension dimension, std::string_view text, Counter counter) {
      int64_t sum = 0;
      for (const auto& [name, counters] : kept)
        if (name.dimension == dimension && name.text == text) sum += counters[counter];
      return sum;
    };
    expect_number(sum(Dimension::total, "", Counter::visits), 1);
    expect_number(sum(Dimension::total, "", Counter::pageviews), 3);
    expect_number(sum(Dimension::total, "", Counter::events), 0);
    expect_number(sum(Dimension::page, "/a", Counter::entries), 1);
    expect_number(sum(Dimension::page, "/a", Counter::pageviews), 0);
    expect_number(sum(Dimension::page, "/b", Counter::pageviews), 2);
    expect_number(sum(Dimension::channel, "organic_search", Counter::visits), 1);
    expect_number(sum(Dimension::exit_page, "/c", Counter::visits), 1);
    shop().undo(3);
    kept = kept_figures();
    expect_number(sum(Dimension::total, "", Counter::pageviews), 2);
    expect_number(sum(Dimension::exit_page, "/b", Counter::visits), 1);
    expect_number(sum(Dimension::page, "/a", Counter::pageviews), 0);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const auto import_test = [](const char* name, CMUnitTestFunction test) {
    return CMUnitTest{name, test, open_import_shop, [](void**) { return the_shop.reset(), 0; }, nullptr};
  };
  const CMUnitTest tests[] = {
      import_test("rows_add_up_whichever_imports_go", rows_add_up_whichever_imports_go),
      import_test("the_last_import_leaves_no_trace", the_last_import_leaves_no_trace),
      import_test("an_order_that_went_may_come_again", an_order_that_went_may_come_again),
      import_test("the_room_of_its_keys_is_free_again", the_room_of_its_keys_is_free_again),
      import_test("a_visit_that_went_over_stays_with_the_later_import", a_visit_that_went_over_stays_with_the_later_import),
      import_test("kept_visits_go_with_the_last_import", kept_visits_go_with_the_last_import),
      import_test("kept_visits_lose_what_an_earlier_import_brought", kept_visits_lose_what_an_earlier_import_brought),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
