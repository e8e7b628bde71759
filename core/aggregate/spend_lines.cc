#include "aggregate/spend_lines.h"

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "credit/spend_table.h"
#include "site/checks.h"

namespace footfall {
namespace {

constexpr int64_t kDaysAheadMax = 366;  // a budget may be told before its year; further on a year is mistyped

// Empty: there is none.
std::string fault_of(const SpendRow& row, absl::CivilDay today) {
  if (!row.site.empty() && (!is_site_name(row.site) || row.site.size() > kSiteNameBytesMax))
    return "\"" + row.site + "\" is no site's name";
  if (row.key.channel.size() > kSpendChannelBytesMax)
    return "has a channel longer than " + std::to_string(kSpendChannelBytesMax) + " bytes";
  if (row.key.code.size() > kSpendCodeBytesMax) return "has a code longer than " + std::to_string(kSpendCodeBytesMax) + " bytes";
  if (row.last - today > kDaysAheadMax) return "is of a day more than a year to come";
  return {};
}

using DayLine = std::pair<absl::CivilDay, std::string>;

std::string joined(const std::vector<DayLine>& lines) {
  std::string rows;
  for (const auto& [day, line] : lines) rows.append(line).append("\n");
  const XXH128_hash_t hash = XXH3_128bits(rows.data(), rows.size());
  return spend_head_line({hash.high64, hash.low64}) + "\n" + rows;
}

}  // namespace

Result<SpendLines> lines_of_spend(const std::string& path, std::string_view text, const Config& config, const std::string& site) {
  Result<SpendTable> table = read_spend(path, text);
  if (!table) return table.error();
  const absl::CivilDay today = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  SpendLines made;
  std::vector<DayLine> lines;
  std::map<std::string, std::set<std::pair<absl::CivilDay, SpendKey>>> told;  // by site
  for (SpendFault& fault : table->rejected) made.table.rejected.push_back({fault.file, fault.line, std::move(fault.reason)});
  for (const SpendRow& row : table->rows) {
    std::string fault = fault_of(row, today);
    if (fault.empty() && row.site.empty() && site.empty()) fault = no_site_fault(config);
    if (!fault.empty()) {
      made.table.rejected.push_back({path, row.line, std::move(fault)});
      continue;
    }
    if (lines.size() + static_cast<size_t>(row.last - row.first) >= kSpendLinesMax)
      return Error::invalid(path + ": its rows span more than " + std::to_string(kSpendLinesMax) + " days in all; import it in parts");
    const std::string name = imported_site(config, row.site, site);
    SpendOfSite& of_site = made.sites[name];
    of_site.keys.insert(row.key);
    of_site.first = std::min(of_site.first, row.first), of_site.last = std::max(of_site.last, row.last);
    for (const SpendDay& day : days_of(row)) made.told_again += !told[name].emplace(day.day, row.key).second;
    for (const SpendDay& day : days_of(row)) lines.emplace_back(day.day, spend_line({day.day, row.key, day.amounts}, name));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const DayLine& a, const DayLine& b) { return a.first < b.first; });
  std::sort(made.table.rejected.begin(), made.table.rejected.end(),
            [](const RejectedLine& a, const RejectedLine& b) { return a.line < b.line; });
  made.table.rows = table->records;
  if (!lines.empty()) made.table.lines = joined(lines);
  return made;
}

}  // namespace footfall
