// The ledger: who of the hits was a bot, and why. A query of its own over the rollups' dimension `ledger`, whose values are
// class and reason together; as a report these are two columns.
//
//   class reason hits share     rows: bots by class and reason, and people, who have neither; rows + other = totals
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "query/query.h"
#include "query/report.h"

namespace footfall {

// What /v1/ledger is asked for whoever asks.
const FixedReport& ledger_report();

// What else a ledger tells: a row whose class is the section's name and whose reason says what is counted.
struct LedgerShare {
  std::string_view section;  // coverage
  std::string_view what;     // orders with a known touch
  int64_t part = 0, whole = 0;
  bool is_count = true;  // else only the share is shown
};

// What is asked beside the ledger: orders and revenue by what is known of how their buyers first came.
Query coverage_query(const Query& ledger);
// The answer to that as shares: `coverage`, `orders: first touch known`, …; of no orders none.
std::vector<LedgerShare> coverage_shares(const Report& by_coverage);

// The answer to that query as the ledger shows it: class and reason apart, and each row's share of all hits. `more` comes
// behind the last row, on the last page: those rows are no hits, so they are no part of `other`, totals and rows_total.
Report to_ledger(Report by_class_and_reason, std::span<const LedgerShare> more = {});

}  // namespace footfall
