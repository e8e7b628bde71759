// Reports and errors as JSON and as a table, with hostile text in every place that takes text.
#include "query/report.h"

#include <rapidjson/document.h>

#include <string>

#include "query/text.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

Report& report() {
  static Report report;
  report = Report();
  report.query = {
      {"site", "\"shop\""}, {"from", "\"2026-10-01T00:00:00+02:00\""}, {"to", "\"2026-11-01T00:00:00+01:00\""}};
  report.columns = {
      {"channel", ColumnType::string, ""}, {"visits", ColumnType::integer, ""}, {"revenue", ColumnType::money, "EUR"}};
  report.rows = {{Cell::of_text("organic_search"), Cell::of_number("1203"), Cell::of_number("5432.10")},
                 {Cell::null(), Cell::of_number("7"), Cell::null()}};
  report.other = {Cell::null(), Cell::of_number("17"), Cell::of_number("0.00")};
  report.totals = {Cell::null(), Cell::of_number("1227"), Cell::of_number("5432.10")};
  report.meta.rows_total = 12;
  report.meta.next_cursor = "2.0123456789abcdef";
  report.meta.time_zone = "Europe/Berlin";
  report.meta.currency = "EUR";
  report.meta.as_of = "2026-10-31T12:00:00.000Z";
  report.meta.complete_through = "2026-10-31T11:59:58.000Z";
  return report;
}

void the_shape_in_json(void**) {
  expect_text(to_json(report()),
              R"({"query":{"site":"shop","from":"2026-10-01T00:00:00+02:00","to":"2026-11-01T00:00:00+01:00"},)"
              R"("columns":[{"name":"channel","type":"string"},{"name":"visits","type":"integer"},)"
              R"({"name":"revenue","type":"money","currency":"EUR"}],)"
              R"("rows":[["organic_search",1203,5432.10],[null,7,null]],"other":[null,17,0.00],)"
              R"("totals":[null,1227,5432.10],"meta":{"rows_total":12,"next_cursor":"2.0123456789abcdef",)"
              R"("time_zone":"Europe/Berlin","currency":"EUR","as_of":"2026-10-31T12:00:00.000Z",)"
              R"("complete_through":"2026-10-31T11:59:58.000Z","lost_hits":0,"approximate":[],"restricted":[],)"
              R"("warnings":[],"unconverted":[]}})");
}

void what_is_not_there_is_null(void**) {
  static Report bare;
  bare = Report();
  const std::string json = to_json(bare);
  for (const char* part : {R"("other":null)", R"("next_cursor":null)", R"("as_of":null)", R"("complete_through":null)"})
    assert_true(json.find(part) != std::string::npos);
}

void amounts_apart_are_numbers(void**) {
  static Report with_apart;
  with_apart = report();
  with_apart.meta.unconverted = {{"CHF", "2", "19.90"}};
  assert_true(to_json(with_apart).find(R"("unconverted":[{"currency":"CHF","orders":2,"revenue":19.90}])") !=
              std::string::npos);
}

void an_error_in_json(void**) {
  expect_text(to_json(QueryError{400, "bad_request", "there is no metric \"x\"", "metrics", {"visits", "hits"}}),
              R"({"error":{"code":"bad_request","message":"there is no metric \"x\"","param":"metrics",)"
              R"("allowed":["visits","hits"]}})");
  expect_text(to_json(QueryError{503, "no_data_yet", "nothing", "", {}}),
              R"({"error":{"code":"no_data_yet","message":"nothing","param":null,"allowed":[]}})");
}

void hostile_text_stays_valid_json(void**) {
  Random random(5);
  static std::string hostile, json;
  static Report spoilt;
  static rapidjson::Document parsed;
  for (int round = 0; round < 400; ++round) {
    hostile.clear();
    for (uint64_t bytes = random.below(60); bytes > 0; --bytes) hostile += static_cast<char>(random.next());
    hostile += round % 3 ? "</script>\"\\" : "\xE2\x80\xA8\xF0\x9F";
    spoilt = report();
    spoilt.rows[0][0] = Cell::of_text(hostile);
    spoilt.meta.warnings = {hostile};
    spoilt.query[0].second = json_string(hostile);
    json = to_json(spoilt);
    parsed.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    if (parsed.HasParseError()) fail_msg("no JSON: %s", json.c_str());
    expect_text(parsed["rows"][0][0].GetString(), valid_utf8(hostile).c_str());
    json = to_json(QueryError{400, hostile, hostile, hostile, {hostile}});
    parsed.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    assert_false(parsed.HasParseError());
  }
}

void the_table(void**) {
  expect_text(to_table(report()),
              "shop: 2026-10-01T00:00:00+02:00 to 2026-11-01T00:00:00+01:00, Europe/Berlin\n"
              "\n"
              "channel         visits  revenue EUR\n"
              "--------------  ------  -----------\n"
              "organic_search    1203      5432.10\n"
              "-                    7            -\n"
              "--------------  ------  -----------\n"
              "(other)             17         0.00\n"
              "(total)           1227      5432.10\n"
              "\n"
              "2 of 12 rows; on with --cursor 2.0123456789abcdef\n"
              "as of 2026-10-31T12:00:00.000Z\n");
}

void a_table_without_dimension_is_its_one_row(void**) {
  static Report bare;
  bare = report();
  bare.columns.erase(bare.columns.begin());
  bare.rows = {{Cell::of_number("3"), Cell::of_number("1.00")}};
  bare.totals = bare.rows[0];
  bare.other.clear();
  bare.meta.rows_total = 1;
  bare.meta.approximate = {"visitors"};
  bare.meta.warnings = {"so and so"};
  bare.meta.lost_hits = 4;
  const std::string table = to_table(bare);
  assert_true(table.find("visits  revenue EUR\n------  -----------\n     3         1.00\n\nestimated: visitors\n"
                         "note: so and so\nhits lost so far: 4\n") != std::string::npos);
  assert_true(table.find("total") == std::string::npos);
}

void columns_stay_aligned_under_wide_and_combining_characters(void**) {
  static Report wide;
  wide = report();
  wide.rows = {{Cell::of_text("/陶器"), Cell::of_number("1"), Cell::null()},
               {Cell::of_text("/cafe\xCC\x81"), Cell::of_number("2"), Cell::null()},
               {Cell::of_text("/ü"), Cell::of_number("3"), Cell::null()}};
  const std::string table = to_table(wide);
  assert_true(table.find("\n/陶器         1") != std::string::npos);
  assert_true(table.find("\n/cafe\xCC\x81         2") != std::string::npos);
  assert_true(table.find("\n/ü            3") != std::string::npos);
}

void a_terminal_gets_no_control_characters(void**) {
  expect_text(terminal_text("a\x1b[31m\n\x7f\xC2\x9B"), "a\\x1b[31m\\x0a\\x7f\\x9b");
  expect_text(terminal_text("\xE2\x80\xAEgnp"), "\\u{202e}gnp");
  expect_text(terminal_text("\xFF\xFE"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  static Report spoilt;
  spoilt = report();
  spoilt.rows[0][0] = Cell::of_text("\x1b]0;owned\x07");
  spoilt.meta.warnings = {"\x1b[2J"};
  spoilt.query[0].second = json_string("\x1b[2J");
  for (const char c : to_table(spoilt)) assert_true(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

void quotes_are_cut_on_a_characters_border(void**) {
  expect_text(quoted("short"), "\"short\"");
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "ü";
  expect_text(quoted("x" + umlauts), "\"x" + umlauts.substr(0, 62) + "…\"");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_shape_in_json),
      cmocka_unit_test(what_is_not_there_is_null),
      cmocka_unit_test(amounts_apart_are_numbers),
      cmocka_unit_test(an_error_in_json),
      cmocka_unit_test(hostile_text_stays_valid_json),
      cmocka_unit_test(the_table),
      cmocka_unit_test(a_table_without_dimension_is_its_one_row),
      cmocka_unit_test(columns_stay_aligned_under_wide_and_combining_characters),
      cmocka_unit_test(a_terminal_gets_no_control_characters),
      cmocka_unit_test(quotes_are_cut_on_a_characters_border),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
