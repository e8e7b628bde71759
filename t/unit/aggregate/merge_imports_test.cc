// Imports that nobody can undo any more go on as one: no figure changes by it, and later ones can still be undone.
#include <algorithm>
#include <set>

#include "aggregate/additive.h"
#include "aggregate/checked.h"
#include "aggregate/kept_figures.h"
#include "aggregate/shop.h"
#include "aggregate/traffic.h"
#include "rollup/visit_log.h"

namespace footfall {
namespace {

constexpr uint16_t kImports = 5;
constexpr uint16_t kOld = 3;

std::vector<Request> traffic;

int make_traffic(void**) { return traffic = random_traffic(20261129, 1500), 0; }

int open_import_shop(void**) {
  the_shop = std::make_unique<Shop>(two_shops(), Timeline::imported);
  store_config(shop());
  return 0;
}

// One visitor's visit goes over from one import into the next, and so may others'.
void go_over(uint16_t from, uint16_t to, uint16_t import, int64_t time_ms) {
  shop().site("shop").visitor("goes over");
  if (import - 1 >= from && import - 1 <= to) shop().import(import - 1).at_ms(time_ms - 2).hit("/shoes");
  if (import >= from && import <= to) shop().import(import).at_ms(time_ms - 1).hit("/cart");
}

void import_traffic(uint16_t from, uint16_t to, uint64_t seed) {
  Random random(seed);
  for (size_t i = 0; i < traffic.size(); ++i) {
    const auto import = static_cast<uint16_t>(1 + i * kImports / traffic.size());
    if (i > 0 && i * kImports / traffic.size() != (i - 1) * kImports / traffic.size())
      go_over(from, to, import, traffic[i].time_ms);
    if (import < from || import > to) continue;
    shop().import(import);
    shop().site(traffic[i].site).count(traffic[i].raw());
    if (random.below(60) == 0) shop().settle_ms(traffic[i].time_ms);
  }
}

std::string figures() { return told(shop().figures()); }
std::string kept() { return told(kept_figures()); }

std::set<uint16_t> imports_of_rows() {
  std::set<uint16_t> imports;
  for (const auto& [key, value] : shop().stored("rollups")) imports.insert(decode_rollup_key(key)->import);
  return imports;
}

std::set<uint16_t> imports_of_visits() {
  std::set<uint16_t> imports;
  for (const char* database : {"visit_rows", "visits"})
    for (const auto& [key, value] : shop().stored(database)) imports.insert(decode_visit_key(key)->import);
  shop().read_snapshot([&](SummarySnapshot& snapshot) {
    for (uint16_t site = 0; site < shop().sites().size(); ++site) {
      const Status read = snapshot.each_visit_block(site, 0, 4'000'000'000, [&](VisitBlock& block) -> Status {
        KeptVisit visit;
        for (size_t row = 0; row < block.rows(VisitTable::visits); ++row)
          if (block.read(row, visit) && visit.is_visit()) imports.insert(visit.import);
        return {};
      });
      assert_true(read.ok());
    }
  });
  return imports;
}

std::set<uint16_t> imports_of_visitors() {
  std::set<uint16_t> imports;
  for (const auto& [key, value] : shop().stored("visitors")) {
    Visitor visitor;
    assert_true(decode_visitor(value, visitor));
    imports.insert(visitor.seen.import);
    for (const Touch& touch : visitor.touches) imports.insert(touch.import);
  }
  return imports;
}

void expect_imports(const std::set<uint16_t>& found, const std::set<uint16_t>& wanted) {
  if (found == wanted) return;
  static std::string text;
  text.clear();
  for (const uint16_t import : found) text += " " + std::to_string(import);
  fail_msg("imports are%s", text.c_str());
}

void no_figure_changes(void**) {
  static std::string before, kept_before;
  for (const bool is_settled : {false, true}) {
    open_import_shop(nullptr);
    import_traffic(1, kImports, 3);
    if (is_settled) {
      shop().at_ms(traffic.back().time_ms + 3 * kDayS * 1000).hit("/");  // days before it are packed
      shop().settle_ms(traffic.back().time_ms + 4 * kDayS * 1000).fold();
      assert_false(shop().stored("visits").empty());
    }
    before = figures();
    kept_before = kept();
    expect_whole(shop(), "before");
    const size_t rows_before = shop().stored("rollups").size();
    shop().merge_imports(kOld);
    expect_same(figures(), before, "figures");
    expect_same(kept(), kept_before, "kept visits");
    expect_whole(shop(), "after");
    expect_imports(imports_of_rows(), {1, 4, 5});
    expect_imports(imports_of_visits(), {1, 4, 5});
    assert_true(shop().stored("rollups").size() < rows_before);
    shop().merge_imports(kImports);
    expect_same(figures(), before, "figures of all in one");
    expect_same(kept(), kept_before, "kept visits of all in one");
    expect_whole(shop(), "all in one");
    expect_imports(imports_of_rows(), {1});
    expect_imports(imports_of_visits(), {1});
    expect_imports(imports_of_visitors(), {1});
  }
}

// Live figures stay what they are: of an aggregator's two timelines.
void live_figures_stay_live(void**) {
  static std::string before;
  static std::map<std::string, std::string> rows_before;
  shop().import(0);
  for (size_t i = 0; i < traffic.size(); i += 2) shop().site(traffic[i].site).count(traffic[i].raw());
  shop().settle_ms(traffic.back().time_ms + 3 * kDayS * 1000);
  const auto live_rows = [] {
    std::map<std::string, std::string> rows = shop().stored("rollups");
    std::erase_if(rows, [](const auto& row) { return decode_rollup_key(row.first)->import != 0; });
    return rows;
  };
  import_traffic(1, kImports, 4);
  before = figures();
  rows_before = live_rows();
  assert_false(rows_before.empty());
  shop().merge_imports(kOld);
  assert_true(live_rows() == rows_before);
  expect_same(figures(), before, "figures");
  expect_imports(imports_of_rows(), {0, 1, 4, 5});
}

// What can still be undone goes as it would have gone.
void younger_imports_can_be_undone(void**) {
  static std::string wanted[2], wanted_kept[2];
  for (const uint16_t order : {0, 1, 2, 3}) {
    const bool merges = order >= 2, last_first = order % 2 == 0;
    open_import_shop(nullptr);
    import_traffic(1, kImports, 5);
    if (merges) shop().merge_imports(kOld);
    shop().undo(last_first ? 5 : 4);
    shop().undo(last_first ? 4 : 5);
    if (merges) {
      expect_same(figures(), wanted[order % 2], "figures");
      expect_same(kept(), wanted_kept[order % 2], "kept visits");
      expect_imports(imports_of_rows(), {1});
      expect_imports(imports_of_visits(), {1});
    }
    wanted[order % 2] = figures();
    wanted_kept[order % 2] = kept();
  }
}

// In the midst of visits, whose visitors, orders and touches are known as before.
void counting_goes_on_as_before(void**) {
  static std::string wanted, wanted_kept, wanted_undone;
  for (const bool merges : {false, true}) {
    open_import_shop(nullptr);
    import_traffic(1, kOld, 6);
    if (merges) shop().merge_imports(kOld);
    import_traffic(kOld + 1, kImports, 7);
    if (merges) {
      expect_same(figures(), wanted, "figures");
      expect_same(kept(), wanted_kept, "kept visits");
    }
    wanted = figures();
    wanted_kept = kept();
    shop().undo(4);
    if (merges) expect_same(figures(), wanted_undone, "figures after an undo");
    wanted_undone = figures();
  }
}

int64_t all_of(Counter counter) { return static_cast<int64_t>(shop().sum(Dimension::total, "", Level::day)[counter]); }
int64_t all_of(Amount amount) { return static_cast<int64_t>(shop().sum(Dimension::total, "", Level::day)[amount]); }

void orders_and_their_refunds_stay_known(void**) {
  for (const bool merges : {false, true}) {
    open_import_shop(nullptr);
    shop().import(1).at("10:00").order("A-1", "20").event("refund;id=\"A-1\";value=3");
    shop().import(2).at("11:00").event("refund;id=\"A-1\";value=5").order("A-2", "7");
    shop().import(3).at("12:00").event("refund;id=\"A-1\";value=5").event("refund;id=\"A-3\";value=1");
    if (merges) shop().merge_imports(3);
    expect_number(all_of(Amount::refunds_last), 13'000'000);
    shop().import(4).at("13:00").order("A-1", "20").order("A-2", "7");
    expect_number(all_of(Counter::duplicate_orders), 2);
    shop().event("refund;id=\"A-1\"");
    expect_number(all_of(Amount::refunds_last), 20'000'000);
    shop().order("A-3", "9");  // what was told of it before holds, and stays with who told it
    expect_number(all_of(Amount::refunds_last), 21'000'000);
    shop().undo(4);
    expect_number(all_of(Amount::refunds_last), 13'000'000);  // it waits for the order again
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
      import_test("no_figure_changes", no_figure_changes),
      import_test("live_figures_stay_live", live_figures_stay_live),
      import_test("younger_imports_can_be_undone", younger_imports_can_be_undone),
      import_test("counting_goes_on_as_before", counting_goes_on_as_before),
      import_test("orders_and_their_refunds_stay_known", orders_and_their_refunds_stay_known),
  };
  return cmocka_run_group_tests(tests, make_traffic, nullptr);
}
