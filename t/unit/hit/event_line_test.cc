#include "hit/event_line.h"

#include <memory>

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kTen = 1'795'510'800'000;  // 2026-11-24 09:00 UTC
constexpr std::string_view kOrder =
    R"({"id":"A-1","time":"2026-11-24T10:00:00+01:00","visitor":"v1","event":"purchase","value":129.90,"currency":"eur",)"
    R"("items":["S 1:2:29.95",{"id":"a:b","quantity":1,"price":70}],"coupon":"MAIL24","customer":7,"more":{"x":[1]}})";

std::unique_ptr<EventLineReader> reader;  // of the running test

int begin(void**) { return reader = std::make_unique<EventLineReader>(), 0; }
int end(void**) { return reader.reset(), 0; }

const EventLine& read(std::string_view line) {
  const LineOutcome outcome = reader->read(line);
  if (outcome != LineOutcome::hit) fail_msg("%s", reader->fault().c_str());
  return reader->event();
}

void an_order_is_read(void**) {
  const EventLine& event = read(kOrder);
  expect_number(event.time_ms, kTen);
  expect_text(event.visitor, "v1");
  expect_text(event.fields.name, "purchase");
  expect_text(event.fields.id, "A-1");
  expect_text(event.fields.value, "129.90");  // as spelt
  expect_text(event.fields.items, "S%201:2:29.95 a%3Ab:1:70");
  expect_text(event.fields.coupon, "MAIL24");
  expect_text(event.fields.customer, "7");
}

void a_time_is_a_text_or_seconds_or_milliseconds(void**) {
  expect_number(read(R"({"event":"x","time":1795510800})").time_ms, kTen);
  expect_number(read(R"({"event":"x","time":1795510800.25})").time_ms, kTen + 250);
  expect_number(read(R"({"event":"x","time":"1795510800250"})").time_ms, kTen + 250);
  expect_number(read(R"({"event":"x","time":"2026-11-24T09:00:00.250Z"})").time_ms, kTen + 250);
  for (const char* wrong : {"-1", "1e9", "\"\"", "99999999999999999999", "253402300800000", "null", "{}"})
    assert_true(reader->read(std::string(R"({"event":"x","time":)") + wrong + "}") == LineOutcome::rejected);
}

void a_blank_line_is_nothing(void**) {
  assert_true(reader->read("") == LineOutcome::blank);
  assert_true(reader->read(" \t\r") == LineOutcome::blank);
}

void one_item_is_what_its_event_is_about(void**) {
  expect_text(read(R"({"event":"add_to_cart","time":1,"items":[{"item_id":"S1"}]})").fields.item, "S1");
  expect_text(read(R"({"event":"add_to_cart","time":1,"items":["S1:1:2","S2:1:2"]})").fields.item, "");
  expect_text(read(R"({"event":"e","time":1,"items":[{"id":"S1","item_category":"Home goods"},"S2:1:2:T",{"id":"S3","category":""}]})").fields.items,
              "S1:1:0:Home%20goods S2:1:2:T S3:1:0:");
  expect_text(read(R"({"event":"add_to_cart","time":1,"item":"S9","items":["S1:1:2"]})").fields.item, "S9");
}

void whatever_comes_is_an_event_or_refused_with_a_reason(void**) {
  static Random random(9);
  static std::string bad;
  for (int round = 0; round < 20'000; ++round) {
    bad = kOrder;
    random.mutate(bad);
    const LineOutcome outcome = reader->read(bad);
    if (outcome == LineOutcome::rejected) assert_false(reader->fault().empty());
    if (outcome == LineOutcome::hit) assert_false(reader->event().fields.name.empty());
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_order_is_read, begin, end),
      cmocka_unit_test_setup_teardown(a_time_is_a_text_or_seconds_or_milliseconds, begin, end),
      cmocka_unit_test_setup_teardown(a_blank_line_is_nothing, begin, end),
      cmocka_unit_test_setup_teardown(one_item_is_what_its_event_is_about, begin, end),
      cmocka_unit_test_setup_teardown(whatever_comes_is_an_event_or_refused_with_a_reason, begin, end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
