// Forgetting a visitor: nothing names that one any more, and no figure changes.
#include <algorithm>

#include "aggregate/additive.h"
#include "aggregate/kept_figures.h"
#include "aggregate/shop.h"
#include "aggregate/traffic.h"
#include "credit/order.h"

namespace footfall {
namespace {

std::vector<Request> traffic;
int make_traffic(void**) { return traffic = random_traffic(20261124, 1'000), 0; }

int open_import_shop(void**) { return the_shop = std::make_unique<Shop>(two_shops(), Timeline::imported), 0; }

void count_traffic(bool packs) {
  for (size_t i = 0; i < traffic.size(); ++i) {
    shop().site(traffic[i].site).count(traffic[i].raw());
    if (packs && i % 100 == 99) shop().settle_ms(traffic[i].time_ms);
  }
}

bool holds(std::string_view bytes, const void* what, size_t size) {
  return bytes.find(std::string_view(static_cast<const char*>(what), size)) != std::string_view::npos;
}

// In any kept visit, conversion, open visit or visitor's key.
size_t names_of(std::string_view id) {
  static size_t found;
  found = 0;
  const Hash128 visitor = shop().visitor_key_of(id);
  std::string hash;
  BytesWriter(hash).hash(visitor);
  shop().checkpoint().aside([&](const std::string& path) {
    SummaryReader reader = SummaryReader::open(path, 64 << 20).value();
    SummarySnapshot snapshot = reader.snapshot().value();
    for (const KeyedDatabase database : {KeyedDatabase::visitors, KeyedDatabase::open_visits, KeyedDatabase::orders})
      assert_true(snapshot
                      .each_keyed(database,
                                  [&](std::string_view key, std::string_view value) {
                                    found += holds(key, hash.data(), hash.size()) || holds(value, hash.data(), hash.size()) ||
                                             holds(value, &visitor.low, sizeof visitor.low);
                                  })
                      .ok());
    for (uint16_t site = 0; site < snapshot.checkpoint().sites.size(); ++site)
      assert_true(snapshot
                      .each_visit_block(site, INT64_MIN / 2, INT64_MAX / 2,
                                        [&](VisitBlock& block) -> Status {
                                          for (const VisitColumn column : {VisitColumn::visitor, VisitColumn::visitor_after})
                                            for (const int64_t who : *block.ints(column))
                                              found += who == static_cast<int64_t>(visitor.low);
                                          return {};
                                        })
                      .ok());
  });
  return found;
}

void nothing_names_whoever_is_forgotten(void**) {
  for (const bool packs : {false, true}) {
    open_shop(nullptr);
    count_traffic(packs);
    assert_true(names_of("v7") > 3);
    static size_t others;
    others = names_of("v8");
    assert_true(others > 3);
    const Forgotten found = shop().forget("v7");
    expect_number(found.visitors, 1);
    assert_true(found.visits + found.open_visits > 3);
    expect_number(names_of("v7"), 0);
    expect_number(names_of("v8"), others);
  }
}

void figures_stay(void**) {
  static std::string before;
  count_traffic(true);
  before = told(shop().figures());
  for (const char* id : {"v1", "v7", "v20"}) shop().forget(id);
  expect_same(told(shop().figures()), before, "forgotten");
  expect_all_rows_to_add_up(shop().figures());
  shop().restart();
  expect_same(told(shop().figures()), before, "after a restart");
}

// What belongs to the open visit is counted; what comes next is somebody new.
void whoever_comes_again_begins_anew(void**) {
  shop().at("10:00").visitor("anna").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:05").order("A1", "20.00");
  const Forgotten found = shop().forget("anna");
  expect_number(found.visitors, 1);
  expect_number(found.open_visits, 1);
  expect_number(found.visits, 0);  // it was open still
  expect_number(found.conversions, 1);
  shop().at("10:10").hit("/cup");
  shop().at("10:11").order("A2", "30.00");
  shop().at("10:12").order("A1", "20.00");
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::visits], 2);
  expect_number(shop().sum(Dimension::new_returning, "returning", Level::day)[Counter::visits], 0);
  expect_number(shop().sum(Dimension::total, "", Level::day)[Counter::duplicate_orders], 1);
  assert_false(shop().forget("nobody").anything());
}

// An import can be undone still, though a visit that went over into it is nobody's by then.
void imports_can_be_undone_as_before(void**) {
  static std::string wanted;
  for (const bool forgets : {false, true}) {
    open_import_shop(nullptr);
    shop().import(1).at("10:00").visitor("anna").hit("/", "utm_source=news").hit("/cup");
    shop().import(2).at("10:05").hit("/bowl").order("A1", "20.00");
    shop().settle("12:00");
    if (forgets) assert_true(shop().forget("anna").anything());
    shop().undo(2);
    expect_all_rows_to_add_up(shop().figures());
    if (!forgets) wanted = told(shop().figures());
  }
  expect_same(told(shop().figures()), wanted, "forgotten before the undo");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nothing_names_whoever_is_forgotten, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(figures_stay, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(whoever_comes_again_begins_anew, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(imports_can_be_undone_as_before, open_shop, close_shop),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
