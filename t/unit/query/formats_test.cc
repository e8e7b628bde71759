// One report in CSV and protobuf: the same figures as in JSON, and harmless wherever it is opened.
#include <rapidjson/document.h>

#include <memory>
#include <string>
#include <vector>

#include "footfall/v1/report.pb.h"
#include "query/report.h"
#include "query/shop.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

std::unique_ptr<Shop> the_shop;

int open_shop(void**) {
  the_shop = std::make_unique<Shop>();
  return 0;
}
int close_shop(void**) {
  the_shop.reset();
  return 0;
}

const Report& october() {
  Shop& shop = *the_shop;
  shop.visit("2026-10-30T10:00:00Z", "organic_search", "/", 2, 1);
  shop.visit("2026-10-31T10:00:00Z", "email", "/sale", 1, 2);
  shop.visit("2026-10-31T11:00:00Z", "e,\"mail\"", "/", 1, 3);
  shop.order("2026-10-31T10:05:00Z", "email", 12'345'678);
  shop.order("2026-10-31T10:06:00Z", "organic_search", 1'000'000);
  shop.commit(true);
  return shop.ask("by=channel&metrics=visits,visitors,orders,revenue,aov,bounce_rate&order=-revenue&limit=2");
}

// --- CSV -------------------------------------------------------------------------------------------------------------

using Records = std::vector<std::vector<std::string>>;

// A strict reader of RFC 4180; a field that was quoted comes back without its quotes.
Records read_csv(std::string_view csv) {
  Records records(1);
  std::string field;
  for (size_t i = 0; i < csv.size();) {
    if (csv[i] == '"') {
      for (++i;; ++i) {
        if (i >= csv.size()) fail_msg("a quote without an end");
        if (csv[i] != '"')
          field += csv[i];
        else if (i + 1 < csv.size() && csv[i + 1] == '"')
          field += csv[i++];
        else
          break;
      }
      ++i;
      if (i < csv.size() && csv[i] != ',' && csv[i] != '\r') fail_msg("text behind a quote");
    } else {
      while (i < csv.size() && csv[i] != ',' && csv[i] != '\r') {
        if (csv[i] == '"' || csv[i] == '\n') fail_msg("a bare quote or line feed");
        field += csv[i++];
      }
    }
    records.back().push_back(std::move(field));
    field.clear();
    if (i < csv.size() && csv[i] == ',') {
      ++i;
      continue;
    }
    if (csv.substr(i, 2) != "\r\n") fail_msg("a line that does not end in CR LF");
    i += 2;
    if (i < csv.size()) records.emplace_back();
  }
  return records;
}

Report bare(std::vector<Row> rows) {
  Report report;
  report.columns = {{"page", ColumnType::string, ""}, {"revenue", ColumnType::money, "EUR"}};
  report.rows = std::move(rows);
  report.other = {Cell::null(), Cell::of_number("0.00")};
  report.totals = {Cell::null(), Cell::of_number("-12.50")};
  return report;
}

void csv_has_rows_other_and_totals(void**) {
  expect_text(to_csv(october()),
              "channel,visits,visitors,orders,revenue,aov,bounce_rate,row\r\n"
              "email,1,1,1,12.35,12.35,1,row\r\n"
              "organic_search,1,1,1,1.00,1.00,0,row\r\n"
              ",1,,0,0.00,,1,other\r\n"
              ",3,3,2,13.35,6.67,0.666667,totals\r\n");
}

void csv_without_a_dimension_has_no_other(void**) {
  october();
  expect_text(to_csv(the_shop->ask("metrics=visits,revenue")),
              "visits,revenue,row\r\n3,13.35,row\r\n3,13.35,totals\r\n");
}

void csv_quotes_what_needs_it_and_tells_null_from_empty(void**) {
  static Report report;
  report = bare({{Cell::of_text("a,b"), Cell::of_number("1.00")},
                 {Cell::of_text("say \"hi\""), Cell::of_number("1.00")},
                 {Cell::of_text("two\nlines"), Cell::of_number("1.00")},
                 {Cell::of_text(""), Cell::of_number("1.00")},
                 {Cell::null(), Cell::null()}});
  expect_text(to_csv(report),
              "page,revenue,row\r\n\"a,b\",1.00,row\r\n\"say \"\"hi\"\"\",1.00,row\r\n\"two\nlines\",1.00,row\r\n"
              "\"\",1.00,row\r\n,,row\r\n,0.00,other\r\n,-12.50,totals\r\n");
}

void csv_defuses_formulas_in_texts_and_never_in_numbers(void**) {
  static Report report;
  for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\",\"y\")"}) {
    report = bare({{Cell::of_text(formula), Cell::of_number("-1.00")}});
    const std::vector<std::string> row = read_csv(to_csv(report))[1];
    expect_text(row[0], "'" + std::string(formula));
    expect_text(row[1], "-1.00");
  }
  for (const char* harmless : {"(direct)", "'=1", " =1", "a=1", "/=1", "2026-10-31"}) {
    report = bare({{Cell::of_text(harmless), Cell::null()}});
    expect_text(read_csv(to_csv(report))[1][0], harmless);
  }
}

void csv_stays_readable_whatever_a_text_holds(void**) {
  static Random random(3);
  static Report report;
  constexpr std::string_view kBytes = "\",\r\n=+-@\t' a\xff\xc3\xbc\x01";
  for (int i = 0; i < 2'000; ++i) {
    static std::string text;
    text.clear();
    for (uint64_t n = random.next() % 12; n > 0; --n) text += kBytes[random.next() % kBytes.size()];
    report = bare({{Cell::of_text(text), Cell::of_number("1.00")}});
    const Records records = read_csv(to_csv(report));
    expect_number(static_cast<int64_t>(records.size()), 4);
    for (const auto& record : records) expect_number(static_cast<int64_t>(record.size()), 3);
    if (!records[1][0].empty()) assert_null(strchr("=+-@\t\r", records[1][0][0]));
  }
}

// --- protobuf --------------------------------------------------------------------------------------------------------

const v1::Report& decoded(const Report& report) {
  static v1::Report message;
  const std::string bytes = to_protobuf(report);
  assert_true(message.ParseFromString(bytes));
  return message;
}

// A cell as JSON shows it.
std::string json_of(const v1::Cell& cell) {
  if (cell.has_number()) return cell.number();
  return cell.has_text() ? "\"" + cell.text() + "\"" : "null";
}
std::string json_of(const v1::Row& row) {
  std::string text;
  for (const v1::Cell& cell : row.cells()) text += (text.empty() ? "[" : ",") + json_of(cell);
  return text + "]";
}

void protobuf_tells_what_json_tells(void**) {
  static std::string json;
  const Report& report = october();
  json = to_json(report);
  const v1::Report& message = decoded(report);
  std::string rows;
  for (const v1::Row& row : message.rows()) rows += (rows.empty() ? "[" : ",") + json_of(row);
  assert_non_null(strstr(json.c_str(), ("\"rows\":" + rows + "],\"other\":" + json_of(message.other()) +
                                        ",\"totals\":" + json_of(message.totals()) + ",\"meta\"")
                                           .c_str()));
  expect_number(message.columns_size(), 7);
  expect_text(message.columns(0).name(), "channel");
  assert_int_equal(message.columns(0).type(), v1::COLUMN_TYPE_STRING);
  assert_int_equal(message.columns(1).type(), v1::COLUMN_TYPE_INTEGER);
  assert_int_equal(message.columns(4).type(), v1::COLUMN_TYPE_MONEY);
  expect_text(message.columns(4).currency(), "EUR");
  assert_int_equal(message.columns(6).type(), v1::COLUMN_TYPE_RATIO);

  static rapidjson::Document document;
  document.Parse(json.data(), json.size());
  assert_false(document.HasParseError());
  const rapidjson::Value& meta = document["meta"];
  expect_number(message.meta().rows_total(), meta["rows_total"].GetInt64());
  for (const auto& [name, value] :
       {std::pair("next_cursor", message.meta().next_cursor()), std::pair("time_zone", message.meta().time_zone()),
        std::pair("currency", message.meta().currency()), std::pair("as_of", message.meta().as_of()),
        std::pair("complete_through", message.meta().complete_through())})
    expect_text(value, meta[name].GetString());
  expect_number(message.meta().warnings_size(), static_cast<int64_t>(meta["warnings"].Size()));
  expect_text(message.meta().warnings(0), meta["warnings"][0].GetString());
  expect_number(message.query_size(), static_cast<int64_t>(document["query"].MemberCount()));
  expect_text(message.query(0).name(), "site");
  expect_text(message.query(0).json(), "\"shop\"");
}

void protobuf_without_a_dimension_has_no_other(void**) {
  october();
  const v1::Report& message = decoded(the_shop->ask("metrics=visits"));
  assert_false(message.has_other());
  expect_text(message.totals().cells(0).number(), "3");
}

void protobuf_tells_null_from_empty_and_carries_what_stands_apart(void**) {
  static Report report;
  report = bare({{Cell::of_text(""), Cell::null()}, {Cell::of_text("\xff"), Cell::of_number("9223372036854775.81")}});
  report.meta.unconverted = {{"CHF", "2", "19.90"}};
  report.meta.lost_hits = 3;
  report.meta.approximate = {"visitors"};
  report.meta.restricted = {"revenue"};
  const v1::Report& message = decoded(report);
  assert_true(message.rows(0).cells(0).has_text());
  assert_int_equal(message.rows(0).cells(1).kind_case(), v1::Cell::KIND_NOT_SET);
  expect_text(message.rows(1).cells(0).text(), "\xEF\xBF\xBD");
  expect_text(message.rows(1).cells(1).number(), "9223372036854775.81");
  expect_text(message.meta().unconverted(0).revenue(), "19.90");
  expect_number(message.meta().lost_hits(), 3);
  expect_text(message.meta().approximate(0), "visitors");
  expect_text(message.meta().restricted(0), "revenue");
}

void csv_and_protobuf_agree(void**) {
  const Report& report = october();
  const Records records = read_csv(to_csv(report));
  const v1::Report& message = decoded(report);
  for (int row = 0; row < message.rows_size(); ++row)
    for (int cell = 0; cell < message.columns_size(); ++cell) {
      const v1::Cell& value = message.rows(row).cells(cell);
      expect_text(records[1 + row][cell], value.has_number() ? value.number() : value.text());
    }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(csv_has_rows_other_and_totals, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(csv_without_a_dimension_has_no_other, open_shop, close_shop),
      cmocka_unit_test(csv_quotes_what_needs_it_and_tells_null_from_empty),
      cmocka_unit_test(csv_defuses_formulas_in_texts_and_never_in_numbers),
      cmocka_unit_test(csv_stays_readable_whatever_a_text_holds),
      cmocka_unit_test_setup_teardown(protobuf_tells_what_json_tells, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(protobuf_without_a_dimension_has_no_other, open_shop, close_shop),
      cmocka_unit_test(protobuf_tells_null_from_empty_and_carries_what_stands_apart),
      cmocka_unit_test_setup_teardown(csv_and_protobuf_agree, open_shop, close_shop),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
