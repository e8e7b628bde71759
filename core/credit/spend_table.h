// Tables of spend as CSV. The header decides which dialect it is; names in any case, with spaces or _ between words:
//
//   footfall's own   date channel source medium campaign content term code cost currency clicks impressions note site
//   GA4's import     utm_source utm_medium utm_campaign utm_id utm_content utm_term date cost clicks impressions
//                    (also as "Campaign source", "Campaign medium", "Campaign name", "Campaign ID"; ga: names of its predecessor)
//   Yandex's         Date UTMSource UTMMedium UTMCampaign UTMTerm UTMContent Expenses Clicks Currency
//   PostHog's        date campaign source cost clicks impressions currency (also campaign_name, source_name, total_cost)
//
// Other columns are passed over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "credit/spend.h"

namespace footfall {

struct SpendFault {
  std::string file;
  uint64_t line = 0;
  std::string reason;
};

struct SpendTable {
  std::vector<SpendRow> rows;  // in the order of the table
  uint64_t records = 0;        // rows and rejected ones
  std::vector<SpendFault> rejected;
};

// `path` names the file in faults. Error::invalid: the header lacks a column that is needed, or has one twice. A broken row
// is rejected, the others are taken in.
Result<SpendTable> read_spend(const std::string& path, std::string_view text);

}  // namespace footfall
