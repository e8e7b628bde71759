// Spend that nobody came by, and paid channels whose spend nobody told: from the rows of /v1/roi, for its warnings. By all that a key
// of spend tells: spend_match.h.
#pragma once

#include <string>
#include <vector>

#include "query/query.h"
#include "query/roi_rows.h"

namespace footfall {

// Channels of which the table says that they are paid for (visit/channel.cc).
bool is_paid_channel(std::string_view channel);
// A row of such a channel by which visits or orders came, and whose spend nobody told.
bool is_paid_without_spend(const RoiRow& row);

inline constexpr size_t kUnmatchedNamedMax = 5;  // of each kind; the others are counted

// In falling order of cost or of visits, near names with them.
std::vector<std::string> unmatched_warnings(const Query& query, const RoiRows& rows);

}  // namespace footfall
