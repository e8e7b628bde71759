// The ledger: who of the hits was a bot, and why. A query of its own over the rollups' dimension `ledger`, whose values are
// class and reason together; as a report these are two columns.
//
//   class reason hits share     rows: bots by class and reason, and people, who have neither; rows + other = totals
#pragma once

#include <string_view>

#include "query/query.h"
#include "query/report.h"

namespace footfall {

// What /v1/ledger is asked for whoever asks.
const FixedReport& ledger_report();

// The answer to that query as the ledger shows it: class and reason apart, and each row's share of all hits. Rows of another
// kind (of a section of their own, named in `class`) may be put behind it: they are no part of other and totals.
Report to_ledger(Report by_class_and_reason);

}  // namespace footfall
