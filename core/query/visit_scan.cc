#include "query/visit_scan.h"

#include <string>

#include "base/money.h"
#include "query/block_scan.h"

namespace footfall {
namespace {

QueryError visits_not_kept(const Query& query, const TimeRange& range, int64_t since_s) {
  const bool is_before = query.comparison && range == query.comparison->before();
  const std::string param = is_before ? "compare" : !query.filter.empty() ? "filter" : "by";
  return {400,
          "bad_request",
          "visits, which alone tell several dimensions together, are kept since " + query.zone.date_text(since_s) +
              "; ask from then on, or for a single dimension in `by` and `filter`",
          param,
          {}};
}

}  // namespace

VisitScan::VisitScan(const Query& query, const TimeRange& range, const PartTable& table, const StringHasher& hasher,
                     std::vector<PageGroup> page_groups, Collected& to)
    : plan_(query, range, table, hasher, std::move(page_groups), to) {
  to.from_visits = true;
}

std::optional<QueryError> VisitScan::take(VisitBlock& block) {
  BlockScan scan(plan_, block);
  if (scan.take()) return std::nullopt;
  return scan.is_full() ? too_many_rows() : store_fault(Error::corrupt("block of visits"));
}

void VisitScan::finish() {
  for (const auto& [text, sum] : plan_.unconverted) {
    const Currency currency = parse_currency(text).value_or(Currency{{'X', 'X', 'X'}});
    plan_.to.unconverted.push_back({std::string(currency.text()),
                                    format_micros(static_cast<__int128>(sum.orders) * kCreditWhole, 0),
                                    format_micros(sum.micros, currency_digits(currency))});
  }
}

// --- from a snapshot -------------------------------------------------------------------------------------------------

int64_t visits_tell_from_s(const Query& query, SummarySnapshot& snapshot) {
  if (!query.site_number) return INT64_MIN;
  // A visit that began before what is kept may have gone on after midnight.
  const int64_t kept_from_s = snapshot.visits_kept_from_s(*query.site_number);
  return kept_from_s == INT64_MIN ? kept_from_s : query.zone.next_bucket_s(Level::day, kept_from_s);
}

std::optional<QueryError> refuse_unkept_visits(const Query& query, const TimeRange& range, SummarySnapshot& snapshot) {
  const int64_t since_s = visits_tell_from_s(query, snapshot);
  return since_s > range.from_s ? std::optional(visits_not_kept(query, range, since_s)) : std::nullopt;
}

std::optional<QueryError> collect_visits(const Query& query, const TimeRange& range, const PartTable& table,
                                         SummarySnapshot& snapshot, const StringHasher& hasher,
                                         const std::function<bool()>& out_of_time, Collected& to) {
  if (!query.site_number) return std::nullopt;
  if (auto fault = refuse_unkept_visits(query, range, snapshot)) return fault;
  for (const CareNote& note : snapshot.care())
    if (note.kind == CareNote::Kind::visits && note.site == *query.site_number && note.day_s < range.to_s &&
        query.zone.next_bucket_s(Level::day, note.day_s) > range.from_s)
      to.lost_days_s.push_back(note.day_s);
  VisitScan scan(query, range, table, hasher, site_or_default(snapshot.config(), query.site).page_groups, to);
  std::optional<QueryError> fault;
  const Status status =
      snapshot.each_visit_block(*query.site_number, range.from_s, range.to_s, [&](VisitBlock& block) -> Status {
        if (out_of_time()) fault = too_slow();
        if (!fault) fault = scan.take(block);
        return fault ? Status(Error::corrupt("query")) : Status();  // no further block is wanted
      });
  if (fault) return fault;
  if (!status) return store_fault(status.error());
  scan.finish();
  return std::nullopt;
}

}  // namespace footfall
