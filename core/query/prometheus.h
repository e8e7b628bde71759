// Figures for monitoring, in the text format of Prometheus (version 0.0.4).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/keyed_hash.h"
#include "query/health.h"
#include "query/report.h"
#include "rollup/summary.h"

namespace footfall {

inline constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

// Counters are sums over all time, so that they go on where they were after a restart. Labels are sites (at most 256),
// lanes, reasons, status classes and currencies of sites: nothing that strangers make up. `snapshot` null: no summary,
// then what the store's health tells alone. An error once `out_of_time` says so, or where the summary is corrupt.
std::variant<std::string, QueryError> to_prometheus(const StoreHealth& health, SummarySnapshot* snapshot,
                                                    const StringHasher& hasher,
                                                    const std::function<bool()>& out_of_time);

}  // namespace footfall
