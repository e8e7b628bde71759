#include "credit/order_change.h"

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

// Two cups at 5, a bowl at 20, 4 of shipping.
OrderMoney order;
std::vector<OrderChange> changes;  // of it, in turn

int begin(void**) {
  order = {34'000'000, {{"cup", "Cups", 2, 10'000'000}, {"bowl", "Bowls", 1, 20'000'000}}};
  changes.clear();
  return 0;
}

OrderChange apply(ChangeKind kind, std::optional<int64_t> value_micros, std::vector<OrderPart> parts = {}) {
  OrderChange change;
  change.kind = kind;
  change.value_micros = value_micros;
  change.number = changes.size() + 1;
  change.parts = parts;
  change.taken = std::move(parts);
  settle(change, value_micros, order, changes);
  return changes.emplace_back(std::move(change));
}

int64_t of_item(const OrderChange& change, std::string_view id) {
  int64_t micros = 0;
  for (const OrderPart& part : change.taken) micros += part.id == id ? part.value_micros : 0;
  return micros;
}

void a_refund_without_a_value_takes_back_all(void**) {
  const OrderChange all = apply(ChangeKind::refund, {});
  expect_number(all.refund_micros, 34'000'000);
  expect_number(of_item(all, "cup"), 10'000'000);
  expect_number(of_item(all, "bowl"), 20'000'000);
  expect_number(apply(ChangeKind::refund, {}).refund_micros, 0);  // nothing is left
}

void parts_add_up_to_no_more_than_the_order(void**) {
  expect_number(apply(ChangeKind::refund, 30'000'000).refund_micros, 30'000'000);
  expect_number(apply(ChangeKind::refund, 30'000'000).refund_micros, 4'000'000);
  assert_true(changes.back().taken.empty());  // the first named none, so nobody knows what is left of whom
  expect_number(apply(ChangeKind::cancelled, {}).refund_micros, 0);
}

void an_item_goes_back_at_the_orders_price(void**) {
  const OrderChange cup = apply(ChangeKind::refund, {}, {{"cup", "", 1, 0}});
  expect_number(cup.refund_micros, 5'000'000);
  expect_text(cup.taken.front().category, "Cups");
  const OrderChange cheaper = apply(ChangeKind::refund, {}, {{"cup", "", 1, 3'000'000}});
  expect_number(cheaper.refund_micros, 3'000'000);
  const OrderChange rest = apply(ChangeKind::refund, {});
  expect_number(rest.refund_micros, 26'000'000);
  expect_number(of_item(rest, "cup"), 2'000'000);
  expect_number(of_item(rest, "bowl"), 20'000'000);
}

void an_item_goes_back_as_often_as_it_was_sold(void**) {
  for (int i = 0; i < 4; ++i) apply(ChangeKind::refund, {}, {{"cup", "", 1, 0}});
  int64_t back = 0;
  for (const OrderChange& change : changes) back += change.refund_micros;
  expect_number(back, 10'000'000);
  expect_number(apply(ChangeKind::refund, {}).refund_micros, 24'000'000);
}

void a_cancelled_order_gives_back_what_is_left_whatever_it_says(void**) {
  apply(ChangeKind::refund, 4'000'000);
  expect_number(apply(ChangeKind::cancelled, 1'000'000).refund_micros, 30'000'000);
}

void a_changed_order_is_worth_something_else(void**) {
  const OrderChange less = apply(ChangeKind::changed, 24'000'000);
  expect_number(less.refund_micros, 10'000'000);
  expect_number(less.revenue_micros, 0);
  const OrderChange more = apply(ChangeKind::changed, 50'000'000);
  expect_number(more.refund_micros, 0);
  expect_number(more.revenue_micros, 26'000'000);
  expect_number(apply(ChangeKind::refund, {}).refund_micros, 50'000'000);
}

// Whatever comes, what is left of an order is never below zero, and never more than was paid.
void nothing_takes_back_more_than_was_paid(void**) {
  static Random random(3);
  for (int round = 0; round < 2'000; ++round) {
    begin(nullptr);
    int64_t paid = order.value_micros, back = 0;
    for (uint64_t left = random.below(8); left > 0; --left) {
      static std::vector<OrderPart> parts;
      parts.clear();
      if (random.below(3) == 0) parts.push_back({random.below(2) ? "cup" : "none", "", 1 + int64_t(random.below(3)), int64_t(random.below(9)) * 1'000'000});
      const auto kind = static_cast<ChangeKind>(random.below(3));
      std::optional<int64_t> value;
      if (random.below(2) == 0) value = static_cast<int64_t>(random.below(60)) * 1'000'000;
      const OrderChange change = apply(kind, value, parts);
      paid += change.revenue_micros;
      back += change.refund_micros;
      assert_true(change.refund_micros >= 0 && change.revenue_micros >= 0);
      assert_true(back <= paid);
    }
  }
}

// As a store of the version before has it: kind, x, and of each change what that version kept.
void what_the_version_before_stored_is_read(void**) {
  static std::string bytes;
  static std::vector<OrderChange> back;
  bytes = encode_changes({});
  bytes.replace(0, 1, 1, 2);
  bytes.back() = 1;
  BytesWriter writer(bytes);
  writer.u8(0).u8(2).le64(5).zigzag(0).bytes(std::string_view("\0\0\0", 3)).zigzag(7).zigzag(0);
  encode_parts({{"cup", "Cups", 1, 7}}, writer);
  assert_true(decode_changes(bytes, back));
  expect_number(back.size(), 1);
  expect_number(back.front().refund_micros, 7);
  expect_number(of_item(back.front(), "cup"), 7);
  expect_text(back.front().parts.front().id, "cup");
}

void what_is_stored_comes_back(void**) {
  apply(ChangeKind::refund, {}, {{"cup", "", 1, 0}});
  apply(ChangeKind::changed, 7'000'000);
  changes.push_back({});
  changes.back().time_ms = -5;
  changes.back().currency = *parse_currency("USD");
  static std::vector<OrderChange> back;
  static std::string bytes, bad;
  bytes = encode_changes(changes);
  assert_true(decode_changes(bytes, back));
  assert_true(back == changes);
  for (size_t length = 0; length < bytes.size(); ++length) assert_false(decode_changes({bytes.data(), length}, back));
  static Random random(7);
  for (int round = 0; round < 3'000; ++round) {
    bad = bytes;
    random.mutate(bad);
    decode_changes(bad, back);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_refund_without_a_value_takes_back_all, begin),
      cmocka_unit_test_setup(parts_add_up_to_no_more_than_the_order, begin),
      cmocka_unit_test_setup(an_item_goes_back_at_the_orders_price, begin),
      cmocka_unit_test_setup(an_item_goes_back_as_often_as_it_was_sold, begin),
      cmocka_unit_test_setup(a_cancelled_order_gives_back_what_is_left_whatever_it_says, begin),
      cmocka_unit_test_setup(a_changed_order_is_worth_something_else, begin),
      cmocka_unit_test_setup(nothing_takes_back_more_than_was_paid, begin),
      cmocka_unit_test_setup(what_the_version_before_stored_is_read, begin),
      cmocka_unit_test_setup(what_is_stored_comes_back, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
