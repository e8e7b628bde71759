// What header and directives told, written down for a log: whoever reads it finds the same events.
#include "hit/event_writer.h"

#include <algorithm>

#include "base/limits.h"
#include "hit/builder.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

EventWriter writer;  // statics: a failed assertion leaves by longjmp
RawHit live, imported;
HitBuilder live_builder, import_builder;
VisitorKeys keys;
std::string text;

int begin(void**) {
  live = imported = RawHit();
  live.uri = imported.uri = "/";
  keys.customer = {2};
  return 0;
}

RawEvent order(std::string_view id, std::string_view value) {
  RawEvent event;
  event.is_order = true;
  event.name = "purchase";
  event.id = id;
  event.value = value;
  return event;
}

RawEvent event(std::string_view name, std::string_view item = {}) {
  RawEvent event;
  event.name = name;
  event.item = item;
  return event;
}

std::string_view write() { return writer.write(live.events_header, live.events); }

void expect_same_event(const Event& actual, const Event& expected) {
  for (auto field : {&Event::name, &Event::item, &Event::id, &Event::coupon})
    expect_text(actual.*field, expected.*field);
  assert_true(actual.currency == expected.currency && actual.customer == expected.customer);
  assert_int_equal(actual.has_value, expected.has_value);
  expect_number(actual.value_micros, expected.value_micros);
  assert_int_equal(actual.fault, expected.fault);
  expect_number(actual.items.size(), expected.items.size());
  for (size_t i = 0; i < actual.items.size(); ++i) {
    expect_text(actual.items[i].id, expected.items[i].id);
    expect_number(actual.items[i].quantity, expected.items[i].quantity);
    expect_number(actual.items[i].price_micros, expected.items[i].price_micros);
    expect_text(actual.items[i].category, expected.items[i].category);
  }
}

// Both doors: the request as it was captured, and what its log line tells.
void expect_same_hit() {
  text = write();
  imported.events_header = text;
  const Hit& captured = live_builder.build(live, HitContext(), keys);
  const Hit& read = import_builder.build(imported, HitContext(), keys);
  expect_number(read.events.size(), captured.events.size());
  for (size_t i = 0; i < read.events.size(); ++i) expect_same_event(read.events[i], captured.events[i]);
  expect_number(read.flags, captured.flags);
}

void a_header_stands_as_it_was_sent(void**) {
  expect_text(write(), "");
  live.events_header = "  purchase;id=\"A-1\";value=1.5,sign_up ";
  expect_text(write(), "purchase;id=\"A-1\";value=1.5,sign_up");
  live.events = {event("scroll")};
  expect_text(write(), "purchase;id=\"A-1\";value=1.5,sign_up, scroll");
  expect_same_hit();
}

void directives_become_members(void**) {
  RawEvent sold = order("A-1001", "129.90");
  sold.currency = "EUR";
  sold.items = "SKU1:2:29.95:Home%20goods+a%20b%3A1:1:70.001";
  sold.coupon = "MAIL24";
  sold.customer = "c-9";
  live.events = {sold, event("view_item", "SKU1"), event("sign_up")};
  expect_text(write(),
              "purchase;id=\"A-1001\";value=129.90;currency=\"EUR\";coupon=\"MAIL24\";customer=\"c-9\";"
              "items=\"SKU1:2:29.95:Home%20goods a%20b%3A1:1:70.001000\", view_item;item=\"SKU1\", sign_up");
  expect_same_hit();
}

void values_are_undone_and_written_so_that_they_come_back(void**) {
  live.events = {event("view_item", "a%22b\\c%20d"), event("view_item", "caf%C3%A9"),
                 event("view_item", "a\x01\xFF"),    order("%00", "1"),
                 order("\xE2\x82\xAC", "1e5"),       order("7", "12345678901234.5")};
  expect_text(write().substr(0, 76),
              "view_item;item=\"a\\\"b\\\\c d\", view_item;item=:Y2Fmw6k=:, view_item;item=:YQH/:");
  expect_same_hit();
}

void what_is_wrong_stays_wrong(void**) {
  static std::string long_text;
  long_text = std::string(kOrderIdBytesMax + 1, 'x');
  RawEvent in_pounds = order("A-1", "5");
  in_pounds.currency = "pounds";
  RawEvent broken_items = order("A-2", "5");
  broken_items.items = "SKU1:x:1";
  RawEvent many_items = order("A-3", "5");
  static std::string items;
  items.clear();
  for (size_t i = 0; i <= kOrderItemsMax; ++i) items += "a:1:1 ";
  many_items.items = items;
  live.events = {order("", "5"), order("A-4", ""), order("A-5", "-1"), order(long_text, "5"), order("A-6", "x%20"),
                 in_pounds,      broken_items,     many_items,         event("e", long_text)};
  expect_same_hit();
  live.events = {order("A-7", std::string_view(long_text).substr(0, kValueBytesMax + 1))};
  expect_same_hit();
  live.events = {order("", ""), event("no name"), event("")};  // are none
  expect_text(write(), "");
}

void a_header_off_its_grammar_hides_nothing(void**) {
  live.events_header = "oops oops";
  expect_text(write(), "oops oops");
  expect_same_hit();
  live.events = {event("scroll")};
  expect_text(write(), "scroll");
  static std::string long_header;
  long_header = std::string(kEventHeaderBytesMax + 100, 'x');
  live.events_header = long_header;
  live.events.clear();
  expect_same_hit();
}

void a_list_keeps_to_its_bounds(void**) {
  live.events_header = "a, b, c";
  live.events.assign(kEventsMax, event("d"));
  expect_number(std::count(write().begin(), write().end(), ','), kEventsMax - 1);
  static std::string long_item;
  long_item = std::string(kEventItemBytesMax, 'x');
  static std::string long_header;
  long_header = "h;item=\"" + std::string(kEventHeaderBytesMax - 200, 'x') + "\"";
  live.events_header = long_header;
  live.events = {event("fits", long_item), event("does_not", long_item), event("last")};
  text = write();
  assert_true(text.size() <= kEventHeaderBytesMax);
  assert_true(text.find("fits") != std::string::npos && text.find("does_not") == std::string::npos);
  assert_true(text.ends_with(", last"));
}

void random_events_come_back(void**) {
  static Random random(11);
  static std::vector<std::string> texts;
  const auto some = [&](const char* letters, size_t most) -> std::string_view {
    std::string& text = texts.emplace_back();
    const std::string_view all(letters);
    for (uint64_t left = random.below(most + 1); left > 0; --left)
      text.push_back(random.below(12) == 0 ? static_cast<char>(random.next()) : all[random.below(all.size())]);
    return text;
  };
  for (int round = 0; round < 20'000; ++round) {
    texts.clear();
    texts.reserve(100);
    live.events.clear();
    for (uint64_t left = 1 + random.below(3); left > 0; --left) {
      RawEvent told = random.below(2) == 0 ? order(some("Aa-1%20\"\\", 10), some("0123456789.-", 8))
                                           : event("view_item", some("SKU%:+ 1\"", 12));
      if (!told.is_order) told.value = some("0123456789.", 6);
      told.currency = random.below(3) == 0 ? "usd" : some("EUR ", 3);
      if (told.is_order) told.items = random.below(2) == 0 ? "A%3A:1:2+B%22%5C%2B:3:4.5" : some("A:1 +%20.", 12);
      told.coupon = some("MAIL%41;=,", 8);
      told.customer = some("c9@x", 8);
      live.events.push_back(told);
    }
    expect_same_hit();
  }
}

void hostile_headers_stay_bounded(void**) {
  static Random random(5);
  static std::string header;
  live.events = {event("scroll")};
  for (int round = 0; round < 5'000; ++round) {
    header = "purchase;id=\"A-1\";value=1.5;items=\"a:1:2\", sign_up";
    random.mutate(header);
    live.events_header = header;
    text = write();
    imported.events_header = text;
    assert_int_equal(import_builder.build(imported, HitContext(), keys).flags & kHitEventsMalformed, 0);
    assert_true(text.ends_with("scroll"));
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_header_stands_as_it_was_sent, begin),
      cmocka_unit_test_setup(directives_become_members, begin),
      cmocka_unit_test_setup(values_are_undone_and_written_so_that_they_come_back, begin),
      cmocka_unit_test_setup(what_is_wrong_stays_wrong, begin),
      cmocka_unit_test_setup(a_header_off_its_grammar_hides_nothing, begin),
      cmocka_unit_test_setup(a_list_keeps_to_its_bounds, begin),
      cmocka_unit_test_setup(random_events_come_back, begin),
      cmocka_unit_test_setup(hostile_headers_stay_bounded, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
