// What headers ask for, from the friendly to the absurd.
#include "query/negotiation.h"

#include <string>

#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

std::string form(std::string_view accept) {
  return std::string(kFormatNames[static_cast<size_t>(accepted_format(accept))]);
}

void a_type_that_is_named_is_had(void**) {
  expect_text(form("application/json"), "json");
  expect_text(form("text/csv"), "csv");
  expect_text(form("TEXT/CSV; header=present"), "csv");
  expect_text(form("application/x-protobuf"), "pb");
  expect_text(form("application/protobuf"), "pb");
  expect_text(form("application/vnd.google.protobuf"), "pb");
  expect_text(form("text/*"), "csv");
  expect_text(form("application/*"), "json");
}

void nothing_told_or_nothing_there_is_json(void**) {
  for (const char* accept : {"", "*/*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "image/png",
                             "text/csv;q=0", "*/*;q=0", ",,;;", "csv", "*/csv"})
    expect_text(form(accept), "json");
}

void weights_decide_then_how_closely_it_is_named(void**) {
  expect_text(form("application/json;q=0.5, text/csv;q=0.8"), "csv");
  expect_text(form("application/json;q=0.5, text/csv;q=0.49"), "json");
  expect_text(form("text/csv , application/json"), "json");
  expect_text(form("text/csv, */*"), "csv");
  expect_text(form("*/*, application/x-protobuf"), "pb");
  expect_text(form("text/csv;q=0.9, */*"), "json");
  expect_text(form("text/*;q=0.9, text/csv;q=0.1, application/json;q=0.5"), "json");
  expect_text(form("application/json;q=0, */*"), "csv");
  expect_text(form("text/csv ; q=0.001, application/json; Q=0.000"), "csv");
}

void odd_weights_are_as_if_there_were_none(void**) {
  expect_text(form("text/csv;q=2, application/json;q=0.9"), "csv");
  expect_text(form("text/csv;q=-1, application/json;q=0.9"), "csv");
  expect_text(form("text/csv;q=, application/json;q=0.9"), "csv");
  expect_text(form("text/csv;q=0.89999999, application/json;q=0.9"), "json");
}

void commas_within_quotes_part_nothing(void**) {
  expect_text(form("image/png;title=\"a, text/csv\", application/json"), "json");
  expect_text(form("image/png;title=\"never ended, text/csv"), "json");
}

void whatever_comes_there_is_an_answer(void**) {
  static Random random(7);
  constexpr std::string_view kPieces = "text/csv*;q=0.1,\" \\application\xff";
  for (int i = 0; i < 20'000; ++i) {
    static std::string accept;
    accept.clear();
    for (uint64_t n = random.next() % 40; n > 0; --n) accept += kPieces[random.next() % kPieces.size()];
    assert_false(form(accept).empty());
    (void)is_listed(accept, "W/\"1\"");
  }
}

void tags_are_found_in_lists_weak_or_not(void**) {
  const std::string_view tag = "W/\"00ff\"";
  for (const char* listed : {"W/\"00ff\"", "\"00ff\"", "*", " * ", "\"a\", W/\"00ff\"", "\"a,b\",\"00ff\" , \"c\""})
    assert_true(is_listed(listed, tag));
  for (const char* other : {"", "\"00fe\"", "00ff", "W/00ff", "\"a\", *", "\"a, \"00ff\"", "\"00ff", "w/\"00ff\""})
    assert_false(is_listed(other, tag));
  assert_true(is_listed("W/\"1\"", "\"1\""));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_type_that_is_named_is_had),
      cmocka_unit_test(nothing_told_or_nothing_there_is_json),
      cmocka_unit_test(weights_decide_then_how_closely_it_is_named),
      cmocka_unit_test(odd_weights_are_as_if_there_were_none),
      cmocka_unit_test(commas_within_quotes_part_nothing),
      cmocka_unit_test(whatever_comes_there_is_an_answer),
      cmocka_unit_test(tags_are_found_in_lists_weak_or_not),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
