// Tables of orders, refunds and rates as events, one JSON object a line, in the order of time: what import_log() takes in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/importer.h"
#include "base/error.h"
#include "site/config.h"

namespace footfall {

enum class TableKind : uint8_t { orders, refunds, rates };

struct TableEvents {
  std::string lines;
  uint64_t rows = 0;
  std::vector<RejectedLine> rejected;
};

// `path` names the file in faults; `site` of all rows, or empty. Error::invalid: the header lacks a column that is needed.
Result<TableEvents> events_of_table(TableKind kind, const std::string& path, std::string_view text, const Config& config,
                                    const std::string& site);

}  // namespace footfall
