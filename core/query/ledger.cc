#include "query/ledger.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "query/figures.h"
#include "rollup/keys.h"

namespace footfall {
namespace {

// `order` knows it by that name.
constexpr DimensionInfo kClassAndReason = {"class", kByBot, Dimension::ledger, {}, "hits"};

struct Coverage {
  std::string_view value, of_orders, of_revenue;
};
constexpr std::array<Coverage, 4> kCoverages = {{
    {"known", "orders: first touch known", "revenue: first touch known"},
    {"direct", "orders: first touch direct", "revenue: first touch direct"},
    {"cookieless", "orders: lost to cookieless", "revenue: lost to cookieless"},
    {"no_visitor", "orders: no visitor", "revenue: no visitor"},
}};

// Of money in its smallest digits.
int64_t number_of(const Cell& cell) {
  std::string digits = cell.text;
  std::erase(digits, '.');
  int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

Cell share_of(const Cell& hits, int64_t all) {
  if (hits.kind == Cell::Kind::null || all <= 0) return Cell::null();
  return cell_of(figure_of_share(number_of(hits), all), kRatioDigits, ColumnType::ratio);
}

// class and reason | hits  becomes  class | reason | hits | share
Row apart(const Row& row, int64_t all) {
  const Cell& both = row[0];
  Cell bot_class = Cell::null(), reason = Cell::null();
  if (both.kind == Cell::Kind::text) {
    const size_t gap = both.text.find(kLedgerGap);
    bot_class = Cell::of_text(both.text.substr(0, gap));
    if (gap != std::string::npos) reason = Cell::of_text(both.text.substr(gap + 1));
  }
  return {std::move(bot_class), std::move(reason), row[1], share_of(row[1], all)};
}

}  // namespace

const FixedReport& ledger_report() {
  static const FixedReport report{"ledger", &kClassAndReason, find_metric("hits")};
  return report;
}

Query coverage_query(const Query& ledger) {
  Query query = ledger;
  query.report = nullptr;
  query.by = {find_dimension("coverage")};
  query.metrics = {find_metric("orders"), find_metric("revenue")};
  query.order_column = 1;
  query.descending = true;
  query.comparison.reset();
  query.compare = Compare::none;
  query.offset = 0;
  query.limit = kCoverages.size() + 1;
  return query;
}

std::vector<LedgerShare> coverage_shares(const Report& by_coverage) {
  std::vector<LedgerShare> shares;
  for (const size_t figure : {1, 2}) {  // orders, revenue
    const int64_t all = number_of(by_coverage.totals[figure]);
    for (const Coverage& known : kCoverages) {
      int64_t part = 0;
      for (const Row& row : by_coverage.rows)
        if (row[0].kind == Cell::Kind::text && row[0].text == known.value) part = number_of(row[figure]);
      if (all > 0) shares.push_back({"coverage", figure == 1 ? known.of_orders : known.of_revenue, part, all, figure == 1});
    }
  }
  return shares;
}

Report to_ledger(Report report, std::span<const LedgerShare> more) {
  const int64_t all = number_of(report.totals[1]);
  report.columns = {{"class", ColumnType::string, {}},
                    {"reason", ColumnType::string, {}},
                    {"hits", ColumnType::integer, {}},
                    {"share", ColumnType::ratio, {}}};
  for (Row& row : report.rows) row = apart(row, all);
  if (report.meta.next_cursor.empty()) {
    for (const LedgerShare& share : more) {
      const Cell part = Cell::of_number(std::to_string(share.part));
      report.rows.push_back({Cell::of_text(std::string(share.section)), Cell::of_text(std::string(share.what)),
                             share.is_count ? part : Cell::null(), share_of(part, share.whole)});
    }
  }
  report.other = apart(report.other, all);
  report.totals = apart(report.totals, all);
  return report;
}

}  // namespace footfall
