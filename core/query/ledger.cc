#include "query/ledger.h"

#include <charconv>
#include <string>
#include <utility>

#include "query/figures.h"
#include "rollup/keys.h"

namespace footfall {
namespace {

// `order` knows it by that name.
constexpr DimensionInfo kClassAndReason = {"class", kByBot, Dimension::ledger, {}, "hits"};

int64_t number_of(const Cell& cell) {
  int64_t number = 0;
  std::from_chars(cell.text.data(), cell.text.data() + cell.text.size(), number);
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
      report.rows.push_back({Cell::of_text(std::string(share.section)), Cell::of_text(std::string(share.what)), part,
                             share_of(part, share.whole)});
    }
  }
  report.other = apart(report.other, all);
  report.totals = apart(report.totals, all);
  return report;
}

}  // namespace footfall
