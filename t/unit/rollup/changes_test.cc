// Changes between two checkpoints: what a block of them holds, and that it does not depend on the order they came in.
#include "rollup/changes.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "footfall/v1/summary.pb.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

struct Held {
  Changes changes;
  v1::ChangeBlock block;
  std::string bytes;
};
std::optional<Held> held;

int start_afresh(void**) {
  held.emplace();
  return 0;
}

void take() {
  held->bytes = held->changes.take();
  assert_true(held->block.ParseFromString(held->bytes));
}

constexpr Hash128 kHome{1, 10}, kCart{2, 20};

void nothing_gives_an_empty_block(void**) {
  assert_true(held->changes.empty());
  take();
  assert_int_equal(held->bytes.size(), 0);
}

void counters_of_a_key_add_up(void**) {
  held->changes.at(1, Dimension::page, 600, kHome)[Counter::pageviews] += 1;
  held->changes.at(1, Dimension::page, 600, kCart)[Counter::pageviews] += 5;
  held->changes.at(1, Dimension::page, 600, kHome)[Counter::pageviews] += 2;
  assert_false(held->changes.empty());
  take();
  assert_int_equal(held->block.delta_size(), 2);
  const std::optional<RollupKey> key = decode_rollup_key(held->block.delta(0).key());
  assert_true(key.has_value() && *key == (RollupKey{1, Dimension::page, Level::minute, 600, kHome, 0}));
  static Counters counters;
  assert_true(merge_encoded_counters(held->block.delta(0).rollup().SerializeAsString(), counters));
  expect_number(counters[Counter::pageviews], 3);
  assert_true(held->changes.empty());
  take();
  assert_int_equal(held->bytes.size(), 0);
}

void what_came_to_nothing_is_not_told(void**) {
  held->changes.at(1, Dimension::page, 600, kHome)[Counter::bounces] += 1;
  held->changes.at(1, Dimension::page, 600, kHome)[Counter::bounces] -= 1;
  take();
  assert_int_equal(held->block.delta_size(), 0);
}

// A total's visitors are counted finer than a row's.
void a_total_is_exact_up_to_a_thousand(void**) {
  for (uint64_t visitor = 0; visitor < 900; ++visitor) {
    held->changes.at(1, Dimension::total, 600, kNullValue).visitors.add(Random(visitor).next());
    held->changes.at(1, Dimension::page, 600, kHome).visitors.add(Random(visitor).next());
  }
  assert_true(held->changes.at(1, Dimension::total, 600, kNullValue).visitors.is_exact());
  assert_false(held->changes.at(1, Dimension::page, 600, kHome).visitors.is_exact());
}

void a_text_is_named_once_a_month(void**) {
  held->changes.name(681, kHome, "/");
  held->changes.name(681, kHome, "/");
  held->changes.name(682, kHome, "/");
  take();
  assert_int_equal(held->block.entry_size(), 2);
  assert_int_equal(held->block.entry(0).month(), 681);
  assert_int_equal(held->block.entry(0).hash().size(), 16);
  expect_text(held->block.entry(1).text(), "/");
  held->changes.name(681, kHome, "/");
  assert_true(held->changes.empty());  // told already
  held->changes.forget_names({{682, kHome}});
  held->changes.name(681, kHome, "/");
  held->changes.name(682, kHome, "/");
  take();
  assert_int_equal(held->block.entry_size(), 1);
  assert_int_equal(held->block.entry(0).month(), 682);
}

void null_and_other_have_no_text(void**) {
  held->changes.name(681, kNullValue, "x");
  held->changes.name(681, kOtherValue, "x");
  assert_true(held->changes.empty());
}

void the_last_value_of_a_key_counts(void**) {
  Changes& changes = held->changes;
  assert_null(changes.find(KeyedDatabase::orders, "A-1"));
  changes.set(KeyedDatabase::orders, "A-1", "first");
  changes.set(KeyedDatabase::orders, "A-1", "second");
  changes.set(KeyedDatabase::open_visits, "A-1", "");
  assert_int_equal(changes.keyed_changes(), 2);
  expect_text(*changes.find(KeyedDatabase::orders, "A-1"), "second");
  expect_text(*changes.find(KeyedDatabase::open_visits, "A-1"), "");  // removed
  assert_null(changes.find(KeyedDatabase::visitors, "A-1"));
  take();
  assert_int_equal(held->block.change_size(), 2);
  assert_int_equal(held->block.change(0).database(), static_cast<int>(KeyedDatabase::open_visits));
  expect_text(held->block.change(0).value(), "");
  expect_text(held->block.change(1).value(), "second");
  assert_null(changes.find(KeyedDatabase::orders, "A-1"));
}

int64_t views_of_the_only_row() {
  take();
  assert_int_equal(held->block.delta_size(), 1);
  static Counters counters;
  counters = Counters();
  assert_true(merge_encoded_counters(held->block.delta(0).rollup().SerializeAsString(), counters));
  return counters[Counter::pageviews];
}

// What was asked for last is remembered: never longer than it is there.
void what_was_taken_is_remembered_no_more(void**) {
  for (int64_t views = 1; views < 4; ++views) {
    held->changes.at(1, Dimension::page, 600, kHome)[Counter::pageviews] += views;
    expect_number(views_of_the_only_row(), views);
  }
}

void groups_are_made_anew_where_there_were_many(void**) {
  constexpr uint64_t kMany = 50'001;
  const auto view = [](uint64_t group, bool& is_made) {
    const RowGroup& rows = held->changes.group({1, group}, [&] {
      is_made = true;
      return RowGroup{{Dimension::page, kHome, "/"}};
    });
    held->changes.at(1, 600, rows)[Counter::pageviews] += 1;
  };
  for (const bool are_many : {false, true}) {
    bool is_made = false;
    const uint64_t groups = are_many ? kMany : 10, number = held->changes.groups_number();
    for (uint64_t group = 0; group < groups; ++group) view(group, is_made);
    expect_number(views_of_the_only_row(), static_cast<int64_t>(groups));
    assert_true(are_many == (held->changes.groups_number() != number));
    is_made = false;
    view(groups - 1, is_made);
    assert_true(is_made == are_many);
    expect_number(views_of_the_only_row(), 1);
  }
}

std::string block_in_order(uint64_t seed) {
  std::vector<int> order(200);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  Random random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  Changes changes;
  for (int i : order) {
    const Hash128 value{Random(static_cast<uint64_t>(i)).next(), 7};
    changes.set_import(i % 7 == 0 ? 5 : 0);
    const Dimension dimension = i % 4 == 0 ? Dimension::entry_page : Dimension::page;
    changes.at(static_cast<uint16_t>(i % 3), dimension, 60 * (i % 5 - 2), value)[Counter::pageviews] += i + 1;
    changes.name(static_cast<uint16_t>(680 + i % 2), value, "/page/" + std::to_string(i));
    changes.set(static_cast<KeyedDatabase>(i % 3), "key " + std::to_string(i), std::to_string(i));
  }
  return changes.take();
}

// The same changes give the same bytes, in key order.
void a_block_does_not_depend_on_the_order(void**) {
  held->bytes = block_in_order(1);
  for (uint64_t seed = 2; seed < 10; ++seed) assert_true(block_in_order(seed) == held->bytes);
  assert_true(held->block.ParseFromString(held->bytes));
  for (int i = 1; i < held->block.delta_size(); ++i)
    assert_true(held->block.delta(i - 1).key() < held->block.delta(i).key());
  for (int i = 1; i < held->block.entry_size(); ++i) {
    const v1::DictionaryEntry &before = held->block.entry(i - 1), &after = held->block.entry(i);
    assert_true(before.month() < after.month() || (before.month() == after.month() && before.hash() < after.hash()));
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(nothing_gives_an_empty_block, start_afresh),
      cmocka_unit_test_setup(counters_of_a_key_add_up, start_afresh),
      cmocka_unit_test_setup(what_came_to_nothing_is_not_told, start_afresh),
      cmocka_unit_test_setup(a_total_is_exact_up_to_a_thousand, start_afresh),
      cmocka_unit_test_setup(a_text_is_named_once_a_month, start_afresh),
      cmocka_unit_test_setup(null_and_other_have_no_text, start_afresh),
      cmocka_unit_test_setup(the_last_value_of_a_key_counts, start_afresh),
      cmocka_unit_test_setup(what_was_taken_is_remembered_no_more, start_afresh),
      cmocka_unit_test_setup(groups_are_made_anew_where_there_were_many, start_afresh),
      cmocka_unit_test_setup(a_block_does_not_depend_on_the_order, start_afresh),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
