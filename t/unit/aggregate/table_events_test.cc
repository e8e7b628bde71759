#include "aggregate/table_events.h"

#include "test.h"

namespace footfall {
namespace {

Config shops(int number = 1) {
  Config config;
  for (int i = 0; i < number; ++i) {
    config.sites.push_back(default_site(i == 0 ? "shop" : "other"));
    config.sites.back().timezone = i == 0 ? "Europe/Berlin" : "America/New_York";
  }
  return config;
}

std::string events(TableKind kind, std::string_view text, int sites = 1, const std::string& site = "") {
  const Result<TableEvents> events = events_of_table(kind, "t.csv", text, shops(sites), site);
  if (!events) return "refused: " + events.error().text;
  std::string all = events->lines;
  for (const RejectedLine& row : events->rejected) all += row.file + ":" + std::to_string(row.line) + ": " + row.reason + "\n";
  return all;
}

void rows_become_orders_in_the_order_of_time(void**) {
  expect_text(events(TableKind::orders, "Order ID,Created at,Total,Note,Items,Customer\nA-2,2026-10-02 18:05,20.00,x,,c7\nA-1,2026-10-01,129.90,,SKU1:2:29.95 SKU2:1:70.00,\n"),
              R"({"time":"2026-10-01T10:00:00+00:00","id":"A-1","value":"129.90","event":"purchase","items":["SKU1:2:29.95","SKU2:1:70.00"]})" "\n"
              R"({"time":"2026-10-02T16:05:00+00:00","id":"A-2","value":"20.00","customer":"c7","event":"purchase"})" "\n");
}

void a_status_tells_what_became_of_it(void**) {
  expect_text(events(TableKind::orders, "id,date,value,status\nA-1,2026-10-01T10:00:00Z,5,Cancelled\nA-2,2026-10-01T10:00:00Z,7,changed\nA-3,2026-10-01T10:00:00Z,7,failed\n"),
              R"({"time":"2026-10-01T10:00:00+00:00","id":"A-1","value":"5","event":"purchase"})" "\n"
              R"({"time":"2026-10-01T10:00:00+00:00","id":"A-2","value":"7","event":"purchase"})" "\n"
              R"({"time":"2026-10-01T10:00:00.001+00:00","event":"order_cancelled","id":"A-1"})" "\n"
              R"({"time":"2026-10-01T10:00:00.001+00:00","event":"order_changed","id":"A-2","value":"7"})" "\n"
              R"({"time":"2026-10-01T10:00:00.001+00:00","event":"order_cancelled","id":"A-3"})" "\n");
}

void refunds_and_rates(void**) {
  expect_text(events(TableKind::refunds, "id;date;value\nA-1;2026-10-01T10:00:00Z;5\nA-2;2026-10-01T10:00:00Z;\n"),
              R"({"time":"2026-10-01T10:00:00+00:00","id":"A-1","value":"5","event":"refund"})" "\n"
              R"({"time":"2026-10-01T10:00:00+00:00","id":"A-2","event":"refund"})" "\n");
  expect_text(events(TableKind::rates, "date,currency,rate\n2026-10-01,USD,0.000055123\n"),
              R"({"time":"2026-10-01T10:00:00+00:00","event":"exchange_rate","id":"0.000055123","currency":"USD","item":"2026-10-01"})" "\n");
}

void of_several_columns_the_likelier_is_taken(void**) {
  expect_text(events(TableKind::refunds, "id,order_id,date,amount,refund\nR-1,A-1,1970-01-02,9,5\n"),
              R"({"time":"1970-01-02T11:00:00+00:00","id":"A-1","value":"5","event":"refund"})" "\n");
  expect_text(events(TableKind::orders, "id,created_at,refund,total,user_id\nA-1,2026-10-01 12:00:00 +0200,5,60,u\n"),
              R"({"time":"2026-10-01T10:00:00+00:00","id":"A-1","value":"60","event":"purchase"})" "\n");
}

void a_site_has_its_own_clock(void**) {
  expect_text(events(TableKind::refunds, "id,date,site\nA,2026-10-01,other\nB,2026-10-01,shop\n", 2),
              R"({"time":"2026-10-01T10:00:00+00:00","id":"B","event":"refund","site":"shop"})" "\n"
              R"({"time":"2026-10-01T16:00:00+00:00","id":"A","event":"refund","site":"other"})" "\n");
  expect_text(events(TableKind::refunds, "id,date\nA,2026-10-01\n", 2, "other"),
              R"({"time":"2026-10-01T16:00:00+00:00","id":"A","event":"refund"})" "\n");
}

void what_is_wrong_is_told_with_its_line(void**) {
  const std::string told = events(TableKind::orders, "id,date,value\n,2026-10-01,5\nA,yesterday,5\nB,2026-10-01,-5\nC,2026-10-01\nD,2026-10-01,1e5\nF,2062-10-01,5\n\"E,2026-10-01,5\n");
  for (const char* line : {"t.csv:2: ", "t.csv:3: \"yesterday\" is no date", "t.csv:4: \"value\" of a purchase", "t.csv:5: has 2 fields, the header 3",
                           "t.csv:6: \"value\" is no amount", "t.csv:7: is of a day that is to come", "t.csv:8: a quote is opened"})
    if (told.find(line) == std::string::npos) fail_msg("not told: %s in %s", line, told.c_str());
  expect_text(events(TableKind::orders, ""), "refused: t.csv is empty; its first line names the columns");
  expect_text(events(TableKind::rates, "a,b\n1,2\n"),
              "refused: t.csv:1: the header names no column date, currency, rate; right would be: date,currency,site,rate");
}

// Text that would be something else in JSON.
void hostile_text_stays_text(void**) {
  expect_text(events(TableKind::orders, "id,date,value,coupon\n\"\"\"}{\",2026-10-01T10:00:00Z,5,=1+2\n"),
              R"({"time":"2026-10-01T10:00:00+00:00","id":"\"}{","value":"5","coupon":"=1+2","event":"purchase"})" "\n");
  assert_true(events(TableKind::orders, "id,date,value\n\xff,2026-10-01,5\n").find("t.csv:2: ") == 0);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(rows_become_orders_in_the_order_of_time),
      cmocka_unit_test(a_status_tells_what_became_of_it),
      cmocka_unit_test(refunds_and_rates),
      cmocka_unit_test(of_several_columns_the_likelier_is_taken),
      cmocka_unit_test(a_site_has_its_own_clock),
      cmocka_unit_test(what_is_wrong_is_told_with_its_line),
      cmocka_unit_test(hostile_text_stays_text),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
