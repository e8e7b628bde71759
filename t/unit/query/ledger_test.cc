// The ledger: bots by class and reason, people, and what all of them add up to.
#include "query/ledger.h"

#include <memory>

#include "query/shop.h"
#include "test.h"

using namespace footfall;

namespace {

std::unique_ptr<Shop> the_shop;
std::variant<Report, QueryError> answer;

int open_shop(void**) {
  the_shop = std::make_unique<Shop>();
  return 0;
}
int close_shop(void**) {
  the_shop.reset();
  return 0;
}

constexpr std::string_view kTime = "2026-10-31T10:00:00Z";

// As an aggregator books them.
void count(int64_t hits, std::optional<std::string_view> class_and_reason) {
  the_shop->at(Dimension::total, kTime, {})[Counter::hits] += hits;
  the_shop->at(Dimension::ledger, kTime, class_and_reason)[Counter::hits] += hits;
}

const Report& ledger(std::string_view arguments = "") {
  answer = the_shop->service().query(arguments, utc_s("2026-10-31T12:00:00Z") * 1000, "ledger");
  if (const auto* error = std::get_if<QueryError>(&answer)) fail_msg("refused: %s", error->message.c_str());
  return std::get<Report>(answer);
}
const QueryError& refused(std::string_view arguments) {
  answer = the_shop->service().query(arguments, utc_s("2026-10-31T12:00:00Z") * 1000, "ledger");
  assert_true(std::holds_alternative<QueryError>(answer));
  return std::get<QueryError>(answer);
}

void an_hour() {
  count(70, std::nullopt);
  count(20, "search_crawler\tGooglebot");
  count(6, "search_crawler\tbingbot");
  count(3, "behaviour\treferrer spam");
  count(1, "own_flag\town flag");
  the_shop->commit(true);
}

void class_and_reason_are_two_columns(void**) {
  an_hour();
  const Report& report = ledger();
  std::string columns;
  for (const Column& column : report.columns) columns.append(column.name).append(" ").append(column_type_name(column.type)).append(" ");
  expect_text(columns, "class string reason string hits integer share ratio ");
  expect_text(lines(report),
              "- - 70 0.7\n"
              "search_crawler Googlebot 20 0.2\n"
              "search_crawler bingbot 6 0.06\n"
              "behaviour referrer spam 3 0.03\n"
              "own_flag own flag 1 0.01\n");
  expect_text(line(report.other), "- - 0 0");
  expect_text(line(report.totals), "- - 100 1");
  expect_number(static_cast<int64_t>(report.meta.rows_total), 5);
  expect_text(shown(report, "report"), "\"ledger\"");
  expect_text(shown(report, "by"), "");
}

void what_is_not_shown_is_other(void**) {
  an_hour();
  const Report first = ledger("limit=2");
  expect_text(lines(first), "- - 70 0.7\nsearch_crawler Googlebot 20 0.2\n");
  expect_text(line(first.other), "- - 10 0.1");
  const Report& rest = ledger("limit=2&cursor=" + first.meta.next_cursor);
  expect_text(lines(rest), "search_crawler bingbot 6 0.06\nbehaviour referrer spam 3 0.03\n");
  // A cursor of the same question to v1/query is none of the ledger's, and the other way round.
  expect_text(the_shop->refused("by=bot_class&metrics=hits&cursor=" + first.meta.next_cursor).param, "cursor");
}

void the_order_is_by_class_or_hits(void**) {
  an_hour();
  expect_text(lines(ledger("order=class&limit=2")), "behaviour referrer spam 3 0.03\nown_flag own flag 1 0.01\n");
  expect_text(lines(ledger("order=hits&limit=1")), "own_flag own flag 1 0.01\n");
  expect_text(refused("order=revenue").param, "order");
}

void only_what_makes_sense_can_be_asked(void**) {
  an_hour();
  for (const char* name : {"by", "metrics", "filter", "compare", "model", "lookback", "ci"}) {
    const QueryError& error = refused(std::string(name) + "=x");
    expect_text(error.param, name);
    expect_text(joined(error.allowed), "site range from to order limit cursor format");
  }
  expect_text(refused("range=never").param, "range");
  expect_text(the_shop->refused("by=ledger").param, "by");  // no dimension of a query
}

// Hits of a version that kept no reasons.
void what_has_no_reason_is_other(void**) {
  an_hour();
  the_shop->at(Dimension::total, kTime, {})[Counter::hits] += 100;
  the_shop->commit(true);
  const Report& report = ledger();
  expect_text(line(report.other), "- - 100 0.5");
  expect_text(line(report.totals), "- - 200 1");
}

Report two_rows(std::string next_cursor) {
  Report report;
  report.columns = {{"class", ColumnType::string, {}}, {"hits", ColumnType::integer, {}}};
  report.rows = {{Cell::null(), Cell::of_number("3")}, {Cell::of_text("own_flag\town flag"), Cell::of_number("1")}};
  report.other = {Cell::null(), Cell::of_number("0")};
  report.totals = {Cell::null(), Cell::of_number("4")};
  report.meta.next_cursor = std::move(next_cursor);
  return report;
}

void sections_of_other_shares_come_behind_the_last_row(void**) {
  constexpr LedgerShare kMore[] = {{"coverage", "orders with a known touch", 9, 12}, {"coverage", "nothing", 0, 0}};
  const Report last = to_ledger(two_rows(""), kMore);
  expect_text(lines(last), "- - 3 0.75\nown_flag own flag 1 0.25\ncoverage orders with a known touch 9 0.75\ncoverage nothing 0 -\n");
  expect_text(line(last.totals), "- - 4 1");
  expect_text(lines(to_ledger(two_rows("2.x"), kMore)), "- - 3 0.75\nown_flag own flag 1 0.25\n");
}

void without_hits_there_is_no_share(void**) {
  the_shop->visit("2026-10-30T10:00:00Z", "email", "/", 1, 1);
  the_shop->commit(true);
  const Report& report = ledger();
  expect_text(lines(report), "");
  expect_text(line(report.totals), "- - 0 -");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(class_and_reason_are_two_columns, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(what_is_not_shown_is_other, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(the_order_is_by_class_or_hits, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(only_what_makes_sense_can_be_asked, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(what_has_no_reason_is_other, open_shop, close_shop),
      cmocka_unit_test(sections_of_other_shares_come_behind_the_last_row),
      cmocka_unit_test_setup_teardown(without_hits_there_is_no_share, open_shop, close_shop),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
