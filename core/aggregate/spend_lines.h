// Tables of spend as lines, one a day of a row, in the order of days: what the importer takes in with ImportOptions::spend.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "aggregate/table_events.h"
#include "base/error.h"
#include "credit/spend_hit.h"
#include "site/config.h"

namespace footfall {

inline constexpr size_t kSpendLinesMax = 1'000'000;  // of one table

// What a site was told, to be looked at once it is counted.
struct SpendOfSite {
  std::set<SpendKey> keys;
  absl::CivilDay first = absl::CivilDay::max(), last = absl::CivilDay::min();  // both included
};

struct SpendLines {
  TableEvents table;
  std::map<std::string, SpendOfSite> sites;  // by the name that the configuration has
  size_t told_again = 0;                     // days of a key that a row before told: the last one holds
};

// `path` names the file in faults; `site` of rows that name none, or empty. Error::invalid: the header is not right, or the
// rows span more days than kSpendLinesMax.
Result<SpendLines> lines_of_spend(const std::string& path, std::string_view text, const Config& config, const std::string& site);

}  // namespace footfall
