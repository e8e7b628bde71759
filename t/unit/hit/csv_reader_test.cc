#include "hit/csv_reader.h"

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

// Records as line|field|field, a line each; `!` and what is off its form.
std::string read(std::string_view text) {
  CsvReader reader(text);
  CsvRecord record;
  std::string all;
  while (reader.next(record)) {
    all += std::to_string(record.line);
    for (const std::string& field : record.fields) all += "|" + field;
    if (!record.fault.empty()) all += "!" + record.fault.substr(0, 10);
    all += "\n";
  }
  return all;
}

void fields_lie_between_separators(void**) {
  expect_text(read("a,b\n1,2\n"), "1|a|b\n2|1|2\n");
  expect_text(read("a,b\r\n1,\r\n,2"), "1|a|b\n2|1|\n3||2\n");
  expect_text(read("\xEF\xBB\xBF" "a;b,c\n1;2\n"), "1|a;b|c\n2|1;2\n");
  expect_text(read("a;b;c,d\n1;2,5;3\n"), "1|a|b|c,d\n2|1|2,5|3\n");
  expect_text(read("a\tb\n1\t2\n"), "1|a|b\n2|1|2\n");
  expect_text(read("a,b\n\n \n1,2\n\n"), "1|a|b\n4|1|2\n");
  expect_text(read(""), "");
}

void quotes_hold_separators_lines_and_quotes(void**) {
  expect_text(read("a,b\n\"x,y\",\"he said \"\"hm\"\"\"\n\"two\nlines\",z\n3,4\n"),
              "1|a|b\n2|x,y|he said \"hm\"\n3|two\nlines|z\n5|3|4\n");
  expect_text(read("a,b\n\"\",\"\"\r\n"), "1|a|b\n2||\n");
  expect_text(read("5\" screen,b\n"), "1|5\" screen|b\n");
}

void what_is_off_its_form_is_told_and_the_rest_goes_on(void**) {
  expect_text(read("a,b\n\"x\"y,2\n3,4\n"), "1|a|b\n2|x|2!text follo\n3|3|4\n");
  expect_text(read("a,b\n1,\"open\n2,3\n"), "1|a|b\n2|1|open\n2,3\n!a quote is\n");
}

void any_bytes_come_to_an_end(void**) {
  static Random random(11);
  static std::string text;
  for (int round = 0; round < 3'000; ++round) {
    text = "a,b\n";
    for (uint64_t left = random.below(60); left > 0; --left) text += "\",;\n\r\tx\0\xff"[random.below(9)];
    read(text);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(fields_lie_between_separators),
      cmocka_unit_test(quotes_hold_separators_lines_and_quotes),
      cmocka_unit_test(what_is_off_its_form_is_told_and_the_rest_goes_on),
      cmocka_unit_test(any_bytes_come_to_an_end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
