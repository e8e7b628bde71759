#include "credit/spend_table.h"

#include <string>

#include "base/limits.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

SpendTable table;  // of the running test
std::string fault;

void read(std::string_view text) {
  table = {}, fault = {};
  Result<SpendTable> result = read_spend("spend.csv", text);
  if (result.ok()) table = std::move(result.value());
  else fault = result.error().text;
}

std::string day(absl::CivilDay day) { return absl::FormatCivilTime(day); }

// first/last channel|source|medium|campaign|content|term|code cost currency clicks impressions
std::string shown(const SpendRow& row) {
  const SpendKey& key = row.key;
  std::string text = day(row.first) + (row.last == row.first ? "" : "/" + day(row.last)) + " ";
  for (const std::string* part : {&key.channel, &key.source, &key.medium, &key.campaign, &key.content, &key.term, &key.code})
    text.append(part == &key.channel ? "" : "|").append(*part);
  text += " " + format_micros(row.amounts.cost_micros, 2);
  text += " " + (row.amounts.currency ? std::string(row.amounts.currency->text()) : "-");
  for (const auto& count : {row.amounts.clicks, row.amounts.impressions}) text += " " + (count ? std::to_string(*count) : "-");
  return text;
}
std::string first_row() { return table.rows.empty() ? fault + "no row" : shown(table.rows.front()); }
std::string reason(std::string_view rows, std::string_view header = "date,channel,cost,currency,clicks,impressions") {
  read(std::string(header) + "\n" + std::string(rows) + "\n");
  if (table.rejected.size() != 1) return fault + first_row();
  expect_text(table.rejected[0].file, "spend.csv");
  expect_number(static_cast<int64_t>(table.rejected[0].line), 2);
  return table.rejected[0].reason;
}

void footfalls_own(void**) {
  read("date,channel,source,medium,campaign,content,term,code,cost,currency,clicks,impressions,note,site\n"
       "2026-10-01/2026-10-31,Email,News,Mail,Spring Sale,Top,shoes,,1234.50,usd,17,9000,\"printed, twice\",shop\n"
       "2026-10-05,,,,,,,SPRING24,300,,,,,\n");
  expect_number(static_cast<int64_t>(table.rows.size()), 2);
  expect_text(first_row(), "2026-10-01/2026-10-31 email|news|mail|Spring Sale|Top|shoes| 1234.50 USD 17 9000");
  expect_text(table.rows[0].note, "printed, twice");
  expect_text(table.rows[0].site, "shop");
  expect_number(static_cast<int64_t>(table.rows[0].line), 2);
  expect_text(shown(table.rows[1]), "2026-10-05 ||||||spring24 300.00 - - -");
}

void googles_import(void**) {
  read("utm_id,utm_source,utm_medium,utm_campaign,date,cost,clicks,impressions\n"
       "c17,google,CPC,summer,2026-10-01,12.30,4,100\n"
       "c18,google,cpc,(not set),20261002,1,,\n");
  expect_text(first_row(), "2026-10-01 |google|cpc|summer||| 12.30 - 4 100");
  expect_text(shown(table.rows[1]), "2026-10-02 |google|cpc|c18||| 1.00 - - -");
  read("Campaign ID,Campaign source,Campaign medium,Campaign name,Date,Impressions,Clicks,Cost\nc,bing,cpc,autumn,2026-10-01,5,1,2\n");
  expect_text(first_row(), "2026-10-01 |bing|cpc|autumn||| 2.00 - 1 5");
  read("ga:date,ga:source,ga:medium,ga:campaign,ga:keyword,ga:adContent,ga:adCost,ga:adClicks,ga:impressions\n20261001,bing,cpc,a,k,top,2,1,5\n");
  expect_text(first_row(), "2026-10-01 |bing|cpc|a|top|k| 2.00 - 1 5");
}

void yandexes(void**) {
  read("Date,UTMSource,UTMMedium,UTMCampaign,UTMTerm,UTMContent,Expenses,Clicks,Currency\n"
       "2020-01-18/2020-02-18,instagram,cpc,new,shirt-blue,shirt,50000,100,RUB\n");
  expect_text(first_row(), "2020-01-18/2020-02-18 |instagram|cpc|new|shirt|shirt-blue| 50000.00 RUB 100 -");
}

void posthogs(void**) {
  read("id,campaign,source,cost,date,clicks,impressions,currency,reported_conversion\n7,spring,meta,9.5,2026-10-01 00:00:00,3,40,EUR,2\n");
  expect_text(first_row(), "2026-10-01 |meta||spring||| 9.50 EUR 3 40");
  read("campaign_name,total_cost,clicks,impressions,date,source_name\nspring,9.5,3,40,2026-10-01T10:00:00Z,meta\n");
  expect_text(first_row(), "2026-10-01 |meta||spring||| 9.50 - 3 40");
}

void semicolons_tabs_and_a_byte_order_mark(void**) {
  read("\xEF\xBB\xBF" "date;channel;cost\r\n2026-10-01;email;5\r\n");
  expect_text(first_row(), "2026-10-01 email|||||| 5.00 - - -");
  read("date\tchannel\tcost\n2026-10-01\temail\t5");
  expect_text(first_row(), "2026-10-01 email|||||| 5.00 - - -");
}

void what_the_header_lacks_is_told(void**) {
  const std::string right = "; right would be: date,channel,source,medium,campaign,content,term,code,cost,currency,clicks,impressions,note";
  read("");
  expect_text(fault, "spend.csv is empty; its first line names the columns");
  read("date,channel\n");
  expect_text(fault, "spend.csv:1: the header names no column cost" + right);
  read("\nday of month,channel,cost\n");
  expect_text(fault, "spend.csv:2: the header names no column date" + right);
  read("date,cost\n");
  expect_text(fault, "spend.csv:1: the header names nothing that was paid for, such as channel, source or code" + right);
  read("date,channel,cost,Cost\n");
  expect_text(fault, "spend.csv:1: the header has two columns cost" + right);
  read("date,\"channel,cost\n");
  expect_text(fault, "spend.csv:1: a quote is opened and never closed");
}

void a_broken_row_is_told_and_the_others_taken(void**) {
  read("date,channel,cost\n2026-10-01,email,1\n2026-10-02,\"e\nmail\",x\n\n2026-10-03,email,3\n");
  expect_number(static_cast<int64_t>(table.records), 3);
  expect_number(static_cast<int64_t>(table.rows.size()), 2);
  expect_number(static_cast<int64_t>(table.rejected[0].line), 3);
  expect_text(table.rejected[0].reason, "\"x\" is no cost; right would be 1234.50");
  expect_number(static_cast<int64_t>(table.rows[1].line), 6);
}

void dates_off_the_calendar(void**) {
  const std::string right = " is no date; right would be 2026-10-31 or 2026-10-01/2026-10-31";
  for (const std::string date : {"2026-02-30", "2026-13-01", "31.10.2026", "10/31/2026", "2026-10", "", "/", "2026-10-01/", "1994-12-31", "2200-01-01",
                                 "2026-10-01x", "-026-10-01", "2026-1--01", "202610011", "2026-10-01/2026-10-02/2026-10-03"})
    expect_text(reason(date + ",email,1,,,"), "\"" + date + "\"" + right);
  expect_text(reason("2026-10-02/2026-10-01,email,1,,,"), "\"2026-10-02/2026-10-01\" ends before it begins");
  expect_text(reason("2000-01-01/2026-10-01,email,1,,,"), "\"2000-01-01/2026-10-01\" spans more than 3660 days");
  expect_text(reason("2024-02-29,email,1,,,"), "2024-02-29 email|||||| 1.00 - - -");
}

void amounts_off_their_form(void**) {
  for (const std::string cost : {"", "-1", "1e3", "1000000000", "12 EUR", "nan"})
    expect_text(reason("2026-10-01,email," + cost + ",,,"), "\"" + cost + "\" is no cost; right would be 1234.50");
  expect_text(reason("2026-10-01,email,\"1,50\",,,"), "\"1,50\" is no cost; right would be 1234.50");
  expect_text(reason("2026-10-01,email,1,euro,,"), "\"euro\" is no currency; right would be EUR");
  expect_text(reason("2026-10-01,email,1,,1.5,"), "\"1.5\" is no number of clicks");
  expect_text(reason("2026-10-01,email,1,,-1,"), "\"-1\" is no number of clicks");
  expect_text(reason("2026-10-01,email,1,,,99999999999999999999"), "\"99999999999999999999\" is no number of impressions");
  expect_text(reason("2026-10-01,email,1,,"), "has 5 fields, the header 6");
}

void spend_is_for_something(void**) {
  expect_text(reason("2026-10-01,(not set),1,,,"), "names nothing that was paid for: no channel, source, medium, campaign, content, term or code");
  expect_text(reason("2026-10-01,email,C1,1", "date,channel,code,cost"), "has a code and more; a code stands by itself");
}

void names_are_as_touches_have_them(void**) {
  read("date,source,campaign,cost\n2026-10-01, Google ,\"a\x01" "b\",1\n2026-10-01," + std::string(300, 'x') + ",,1\n");
  expect_text(table.rows[0].key.source, "google");
  expect_text(table.rows[0].key.campaign, "a\xEF\xBF\xBD" "b");
  expect_number(static_cast<int64_t>(table.rows[1].key.source.size()), kCampaignFieldBytesMax);
}

// Whatever comes: rows are whole, and every record is taken or told.
void hostile_tables_are_read(void**) {
  Random random(8);
  const std::string good =
      "date,channel,source,campaign,code,cost,currency,clicks\n2026-10-01/2026-10-09,email,\"a \"\"b\"\"\",x,,12.5,EUR,3\n"
      "20261002,,,,C1,7,,\n2026-10-03;x\n2026-10-05,,s,,,1,USD,9\n";
  for (int run = 0; run < 30'000; ++run) {
    std::string text = good;
    random.mutate(text);
    read(text);
    expect_number(static_cast<int64_t>(table.rows.size() + table.rejected.size()), static_cast<int64_t>(table.records));
    for (const SpendRow& row : table.rows) {
      assert_true(!row.key.empty() && row.amounts.cost_micros >= 0 && row.last >= row.first && row.last - row.first < kSpendDaysMax);
      int64_t cost = 0;
      for (const SpendDay& day : days_of(row)) cost += day.amounts.cost_micros;
      expect_number(cost, row.amounts.cost_micros);
    }
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(footfalls_own),
      cmocka_unit_test(googles_import),
      cmocka_unit_test(yandexes),
      cmocka_unit_test(posthogs),
      cmocka_unit_test(semicolons_tabs_and_a_byte_order_mark),
      cmocka_unit_test(what_the_header_lacks_is_told),
      cmocka_unit_test(a_broken_row_is_told_and_the_others_taken),
      cmocka_unit_test(dates_off_the_calendar),
      cmocka_unit_test(amounts_off_their_form),
      cmocka_unit_test(spend_is_for_something),
      cmocka_unit_test(names_are_as_touches_have_them),
      cmocka_unit_test(hostile_tables_are_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
