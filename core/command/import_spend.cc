#include "command/import_spend.h"

#include <cstdio>

#include "base/clock.h"
#include "query/service.h"
#include "query/spend_match.h"
#include "query/text.h"

namespace footfall {
namespace {

constexpr size_t kToldMax = 20;

std::string as_told(const Cell& cell) { return cell.kind == Cell::Kind::null ? std::string() : terminal_text(cell.text); }

// What stands in the row's key, without what was not told.
std::string key_of(const Report& report, const Row& row) {
  std::string key;
  for (size_t i = 0; i < report.columns.size() && report.columns[i].type == ColumnType::string; ++i)
    if (report.columns[i].name != "note" && row[i].kind != Cell::Kind::null) key.append(key.empty() ? "" : " / ").append(as_told(row[i]));
  return key;
}

// The rows whose notes begin so.
void tell_rows(const Report& report, std::string_view note, const std::string& heading) {
  size_t rows = 0;
  for (const Row& row : report.rows) {
    if (row[kSpendNoteColumn].kind == Cell::Kind::null || !row[kSpendNoteColumn].text.starts_with(note)) continue;
    if (++rows == 1) std::printf("%s\n", heading.c_str());
    if (rows <= kToldMax) std::printf("  %s: %s\n", key_of(report, row).c_str(), as_told(row[kSpendNoteColumn]).c_str());
  }
  if (rows > kToldMax) std::printf("  and %zu more: footfall query spend\n", rows - kToldMax);
}

}  // namespace

void tell_unmatched_spend(const Config& config, const std::map<std::string, SpendOfSite>& sites) {
  QueryService service(config.store);
  for (const auto& [site, told] : sites) {
    const std::string from = absl::FormatCivilTime(told.first), to = absl::FormatCivilTime(told.last);
    const std::string days = from == to ? "on " + from : "from " + from + " to " + to;
    const auto answer = service.query("site=" + site + "&from=" + from + "&to=" + to + "&limit=10000", now_ms(), "spend");
    if (const QueryError* error = std::get_if<QueryError>(&answer)) {
      std::printf("site %s, %s: whether anybody came by it cannot be told: %s\n", site.c_str(), days.c_str(), error->message.c_str());
      continue;
    }
    const Report& report = std::get<Report>(answer);
    tell_rows(report, kNobodyCame, "site " + site + ", spend that nobody came by " + days + ":");
    tell_rows(report, kNoRate, "site " + site + ", spend without a rate " + days + ":");
    tell_rows(report, kNoSpend, "site " + site + ", paid touches without spend " + days + ":");
  }
}

}  // namespace footfall
