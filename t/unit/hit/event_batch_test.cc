// A body of events: each in turn, or what is wrong and where; its bounds; and whatever else comes.
#include "hit/event_batch.h"

#include <optional>
#include <string>

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

constexpr int64_t kNow = 1'795'514'400'000;  // 2026-11-24 10:00 UTC
using Outcome = EventBatchReader::Outcome;

std::optional<EventBatchReader> reader;  // statics: a failed assertion leaves by longjmp
std::string text, got;

int begin(void**) { return text.clear(), got.clear(), 0; }
int end(void**) { return reader.reset(), 0; }

// The names of the events, and what came behind them: `.`, or `place: fault`.
const std::string& read(std::string_view body, EventBatchForm form = EventBatchForm::json) {
  reader.emplace(body, form, kNow);
  got.clear();
  Outcome outcome;
  while ((outcome = reader->next()) == Outcome::event) got += std::string(reader->event().fields.name) + " ";
  if (outcome == Outcome::end) return got += ".";
  if (outcome == Outcome::too_many) got += "too many: ";
  return got += reader->place() + " | " + reader->fault();
}
const std::string& lines(std::string_view body) { return read(body, EventBatchForm::lines); }

void one_or_many_are_read(void**) {
  expect_text(read(R"({"event":"a"})"), "a .");
  expect_text(read(R"([{"event":"a"},{"event":"b"}])"), "a b .");
  expect_text(read("\xEF\xBB\xBF [\n{\"event\":\"a\"} ]\n"), "a .");
  expect_text(read("[]"), ".");
  expect_text(lines("{\"event\":\"a\"}\n\r\n  {\"event\":\"b\"}\r\n{\"event\":\"c\"}"), "a b c .");
  expect_text(lines(""), ".");
  expect_text(lines({}), ".");
  expect_text(read({}).substr(0, 23), " | is neither a JSON ob");
}

void the_place_of_a_fault_is_told(void**) {
  const std::string amount = " | \"value\" is no amount: a decimal below a billion is right, such as 129.90";
  expect_text(read(R"({"event":"a","value":"x"})"), "value" + amount);
  expect_text(read(R"([{"event":"a"},{"event":"b","value":"x"},{"event":"c"}])"), "a [1].value" + amount);
  expect_text(lines("{\"event\":\"a\"}\n\n{\"event\":\"b\",\"value\":\"x\"}\n"), "a line 3: value" + amount);
  expect_text(read(R"([{"event":"a"},[]])").substr(0, 28), "a [1] | is no JSON object; r");
  expect_text(lines("{\"event\":\"a\"}\nno\n").substr(0, 28), "a line 2 | is no JSON object");
  expect_text(read("no").substr(0, 23), " | is neither a JSON ob");
  expect_text(read(R"({"event":"a"} {"event":"b"})").substr(0, 23), " | is neither a JSON ob");
  expect_text(read("\"text\"").substr(0, 23), " | is neither a JSON ob");
  expect_text(read(R"([{"event":"purchase","value":1}])"), "[0].id | is a purchase without \"id\": the order's number");
  reader.emplace(R"([{"event":"a"}])", EventBatchForm::json, kNow);
  reader->next();
  assert_true(reader->reject("site", "is unknown") == Outcome::rejected);
  expect_text(reader->place(), "[0].site");
}

void time_is_now_unless_it_is_told(void**) {
  const auto time_of = [](std::string_view body) {
    reader.emplace(body, EventBatchForm::json, kNow);
    return reader->next() == Outcome::event ? reader->event().time_ms : -1;
  };
  expect_number(time_of(R"({"event":"a"})"), kNow);
  expect_number(time_of(R"({"event":"a","time":"2026-11-24T09:59:49Z"})"), kNow - 11'000);
  expect_number(time_of(R"({"event":"a","time":"2026-11-24T09:59:50Z"})"), kNow);
  expect_number(time_of(R"({"event":"a","time":"2026-11-17T10:00:00Z"})"), kNow - kEventAgeMsMax);
  expect_number(time_of(R"({"event":"a","time":"2026-11-24T10:04:59Z"})"), kNow);  // a clock that is ahead
  expect_text(read(R"({"event":"a","time":"2026-11-17T09:59:59Z"})").substr(0, 39), "time | \"time\" is more than 7 days ago; ");
  expect_text(read(R"({"event":"a","time":"2026-11-24T10:05:01Z"})").substr(0, 40), "time | \"time\" is more than 5 minutes ahe");
  expect_text(read(R"({"event":"a","time":"soon"})").substr(0, 22), "time | \"time\" is none:");
}

void there_are_bounds(void**) {
  const auto body_of = [](size_t events, std::string_view between) {
    text.clear();
    for (size_t i = 0; i < events; ++i) text.append(i == 0 ? "" : between).append(R"({"event":"a"})");
  };
  body_of(kEventBatchMax, ",");
  expect_number(static_cast<int64_t>(read("[" + text + "]").size()), 2 * kEventBatchMax + 1);
  body_of(kEventBatchMax + 1, ",");
  text = "[" + text + "]";
  expect_text(read(text), "too many:  | has more than 1000 events; right are several batches");
  body_of(kEventBatchMax, "\n");
  text += "\n";
  expect_number(static_cast<int64_t>(lines(text).size()), 2 * kEventBatchMax + 1);
  text += R"({"event":"a"})";
  assert_true(lines(text).ends_with("too many:  | has more than 1000 events; right are several batches"));
  text = R"({"event":"a","x":")" + std::string(kEventBatchBytesMax, 'x') + "\"}";
  expect_text(read(text), "too many:  | is longer than 1 MiB; right are several batches");
  text = std::string(kEventBatchBytesMax, '[');
  expect_text(read(text).substr(0, 23), " | is neither a JSON ob");
}

void whatever_comes_is_read_or_refused(void**) {
  Random random(9);
  static std::string body;
  for (int round = 0; round < 20'000; ++round) {
    const bool as_lines = random.below(2) == 0;
    body = as_lines ? "{\"event\":\"purchase\",\"id\":\"A\",\"value\":1.5,\"items\":[\"S:1:2\"]}\n{\"event\":\"b\"}\n"
                    : R"([{"event":"purchase","id":"A","value":1.5,"items":[{"id":"S"}]},{"event":"b","time":1795514000}])";
    random.mutate(body);
    body.shrink_to_fit();  // so that a sanitizer sees a read past the end
    read(body, as_lines ? EventBatchForm::lines : EventBatchForm::json);
    assert_false(got.empty());
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(one_or_many_are_read, begin, end),
      cmocka_unit_test_setup_teardown(the_place_of_a_fault_is_told, begin, end),
      cmocka_unit_test_setup_teardown(time_is_now_unless_it_is_told, begin, end),
      cmocka_unit_test_setup_teardown(there_are_bounds, begin, end),
      cmocka_unit_test_setup_teardown(whatever_comes_is_read_or_refused, begin, end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
