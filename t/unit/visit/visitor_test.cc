#include "visit/visitor.h"

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

Visitor visitor;  // of the running test

int begin_visitor(void**) { return visitor = Visitor(), 0; }

void touch_at(int64_t time_ms, std::string_view source = "news") {
  Touch touch;
  touch.time_ms = time_ms;
  touch.channel = "email";
  touch.source = source;
  visitor.add(std::move(touch));
}

void touches_are_in_time_order(void**) {
  for (int64_t time_ms : {300, 100, 200}) touch_at(time_ms);
  expect_number(visitor.touches[0].time_ms, 100);
  expect_number(visitor.touches[1].time_ms, 200);
  expect_number(visitor.touches[2].time_ms, 300);
}

void touches_of_one_time_keep_their_order(void**) {
  touch_at(100, "first");
  touch_at(100, "second");
  expect_text(visitor.touches[0].source, "first");
  expect_text(visitor.touches[1].source, "second");
}

void the_first_and_the_newest_49_are_kept(void**) {
  for (int64_t time_ms = 1; time_ms <= 60; ++time_ms) touch_at(time_ms);
  expect_number(visitor.touches.size(), 50);
  expect_number(visitor.touches[0].time_ms, 1);
  expect_number(visitor.touches[1].time_ms, 12);
  expect_number(visitor.touches[49].time_ms, 60);
}

void a_late_touch_takes_its_place_among_50(void**) {
  for (int64_t time_ms = 10; time_ms < 60; ++time_ms) touch_at(time_ms);
  touch_at(5);  // the first now; 10 is the oldest of the others and goes
  expect_number(visitor.touches.size(), 50);
  expect_number(visitor.touches[0].time_ms, 5);
  expect_number(visitor.touches[1].time_ms, 11);
  touch_at(6);  // older than the newest 49
  expect_number(visitor.touches.size(), 50);
  expect_number(visitor.touches[0].time_ms, 5);
  expect_number(visitor.touches[1].time_ms, 11);
}

void what_is_stored_comes_back(void**) {
  touch_at(100, "news");
  touch_at(200, "other");
  visitor.behaviour = Behaviour::robots_txt;
  static Visitor back;
  assert_true(decode_visitor(encode_visitor(visitor), back));
  assert_true(back.touches == visitor.touches);
  for (const Behaviour behaviour : {Behaviour::robots_txt, Behaviour::too_many_pages, Behaviour::referrer_spam,
                                    Behaviour::not_told}) {
    visitor.behaviour = behaviour;
    assert_true(decode_visitor(encode_visitor(visitor), back));
    assert_true(back.behaviour == behaviour);
  }
  assert_true(decode_visitor(encode_visitor(Visitor()), back));
  assert_true(back.touches.empty());
  assert_false(back.is_bot());
}

void orders_of_a_visitor_are_the_first_and_the_last(void**) {
  static Visitor back;
  const auto expect_orders = [](int64_t first_ms, int64_t last_ms) {
    assert_true(decode_visitor(encode_visitor(visitor), back));
    expect_number(back.first_order_ms, first_ms);
    expect_number(back.ordered_ms, last_ms);
  };
  expect_orders(0, 0);
  visitor.see_order(100, 3);
  visitor.see_order(50, 4);  // late: the one before stays
  expect_orders(100, 100);
  visitor.see_order(200, 5);
  expect_orders(100, 200);
  assert_false(visitor.forget_import(4));
  Visitor both = visitor;
  assert_true(visitor.forget_import(5));
  expect_orders(100, 100);
  visitor = both;
  assert_true(visitor.forget_import(3));
  expect_orders(200, 200);
  assert_true(visitor.forget_import(5));
  expect_orders(0, 0);
}

void what_an_import_brought_can_be_taken_off(void**) {
  touch_at(100, "first");
  touch_at(200, "second");
  visitor.touches[1].import = 7;
  visitor.behaviour = Behaviour::robots_txt;
  visitor.bot_import = 7;
  static Visitor back;
  assert_true(decode_visitor(encode_visitor(visitor), back));
  expect_number(back.touches[1].import, 7);
  assert_false(back.forget_import(6));
  assert_true(back.forget_import(7));
  assert_false(back.is_bot());
  expect_number(back.touches.size(), 1);
  expect_text(back.touches[0].source, "first");
  assert_true(back.forget_import(0));
  assert_true(back.is_blank());
}

// Version 2 did not know when a visitor was seen.
void a_visitor_of_the_version_before_is_read(void**) {
  static std::string bytes;
  static Visitor back;
  bytes = encode_visitor(visitor);  // nothing but its head
  bytes.erase(2, 4);
  bytes[0] = 2;
  bytes[1] = 1;
  assert_true(decode_visitor(bytes, back));
  assert_true(back.behaviour == Behaviour::not_told);
  assert_false(visitor_seen(bytes).has_value());
}

void it_is_told_when_a_visitor_was_seen(void**) {
  touch_at(100);
  visitor.seen = {.is_salted = true, .day = 20'000, .import = 7};
  static Visitor back;
  assert_true(decode_visitor(encode_visitor(visitor), back));
  assert_true(back.seen == visitor.seen);
  assert_true(visitor_seen(encode_visitor(visitor)) == visitor.seen);
}

// An anonymous key lasts its UTC day, and a visit that ran over midnight; an id as long as visitors are kept.
void visitors_are_over_in_their_time(void**) {
  constexpr int64_t kDay = 86'400, kNever = INT64_MAX / 1'000'000;
  const VisitorSeen salted{.is_salted = true, .day = 10}, known{.is_salted = false, .day = 10};
  assert_false(is_over(salted, 1'800, 400 * kDay, 11 * kDay + 1'800));
  assert_true(is_over(salted, 1'800, 400 * kDay, 11 * kDay + 1'801));
  assert_false(is_over(known, 1'800, 400 * kDay, 411 * kDay));
  assert_true(is_over(known, 1'800, 400 * kDay, 411 * kDay + 1));
  assert_false(is_over(known, 1'800, kNever, INT64_MAX / 2));
  assert_false(is_over(salted, 1'800, 400 * kDay, INT64_MIN));
}

void as_many_touches_as_are_kept_can_be_stored(void**) {
  for (int64_t time_ms = 0; time_ms < 100; ++time_ms) touch_at(time_ms);
  static Visitor back;
  assert_true(decode_visitor(encode_visitor(visitor), back));
  assert_true(back.touches == visitor.touches);
}

void bytes_that_are_no_visitor_are_refused(void**) {
  touch_at(100);
  touch_at(200);
  static std::string bytes, bad;
  static Visitor back;
  bytes = encode_visitor(visitor);
  for (size_t length = 0; length < bytes.size(); ++length) assert_false(decode_visitor({bytes.data(), length}, back));
  bad = bytes + "x";
  assert_false(decode_visitor(bad, back));
  bad = bytes;
  bad[0] = 4;
  assert_false(decode_visitor(bad, back));
  static Random random(3);
  for (int round = 0; round < 5000; ++round) {
    bad = bytes;
    random.mutate(bad);
    if (decode_visitor(bad, back)) assert_true(back.touches.size() <= UINT8_MAX);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(touches_are_in_time_order, begin_visitor),
      cmocka_unit_test_setup(touches_of_one_time_keep_their_order, begin_visitor),
      cmocka_unit_test_setup(the_first_and_the_newest_49_are_kept, begin_visitor),
      cmocka_unit_test_setup(a_late_touch_takes_its_place_among_50, begin_visitor),
      cmocka_unit_test_setup(what_is_stored_comes_back, begin_visitor),
      cmocka_unit_test_setup(orders_of_a_visitor_are_the_first_and_the_last, begin_visitor),
      cmocka_unit_test_setup(what_an_import_brought_can_be_taken_off, begin_visitor),
      cmocka_unit_test_setup(a_visitor_of_the_version_before_is_read, begin_visitor),
      cmocka_unit_test_setup(it_is_told_when_a_visitor_was_seen, begin_visitor),
      cmocka_unit_test_setup(visitors_are_over_in_their_time, begin_visitor),
      cmocka_unit_test_setup(as_many_touches_as_are_kept_can_be_stored, begin_visitor),
      cmocka_unit_test_setup(bytes_that_are_no_visitor_are_refused, begin_visitor),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
