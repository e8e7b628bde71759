#include "query/journey_rows.h"

#include <algorithm>

#include "base/money.h"
#include "credit/shares.h"
#include "query/journeys.h"

namespace footfall {
namespace {

// What there is to split of a part: of a profit what comes before the cost, which each row has already.
__int128 credited_total(const PartTable& table, size_t number, std::span<const __int128> totals) {
  if (table.parts()[number].kind != Part::Kind::profit) return totals[number];
  const Part cost{Part::Kind::amount, static_cast<uint8_t>(Amount::cost)};
  const auto place = std::find(table.parts().begin(), table.parts().end(), cost);  // roi is a ratio to it
  return totals[number] + (place != table.parts().end() ? totals[static_cast<size_t>(place - table.parts().begin())] : 0) * kMicrosPerUnit;
}

}  // namespace

std::optional<QueryError> credit_rows_by_journeys(const Query& query, const TimeRange& range, const PartTable& table,
                                                  SummarySnapshot& snapshot, const StringHasher& hasher,
                                                  const std::function<bool()>& out_of_time, Collected& to) {
  if (query.lacks_credit()) to.has_credit = false;
  if (!query.has_journey_rows() || !query.credits_touches()) return std::nullopt;
  Query of_range = query;
  of_range.range = range;
  auto credit = credit_by_journeys(of_range, snapshot, out_of_time);
  if (auto* fault = std::get_if<QueryError>(&credit)) return std::move(*fault);
  const JourneyCredit& journeys = std::get<JourneyCredit>(credit);
  to.has_all_steps = !journeys.is_approximate;
  const auto& shares = *query.journey_model == JourneyModel::markov ? journeys.markov_shares : journeys.shapley_shares;
  to.has_credit = shares.has_value();
  if (!shares) return std::nullopt;
  for (size_t part = 0; part < table.size(); ++part) {
    if (!table.parts()[part].is_credited() || table.parts()[part].is_squares()) continue;
    const std::vector<__int128> given = split_by_shares(credited_total(table, part, to.totals.sums(0)), shares->billionths);
    for (size_t i = 0; i < given.size(); ++i) {
      const std::optional<std::string>& value = shares->values[i];
      if (!value || given[i] == 0) continue;
      const Hash128 hash = value->empty() ? kNullValue : hasher(*value);
      const std::optional<size_t> group = to.rows.find_or_add({0, hash});
      if (!group) return too_many_rows();
      if (!value->empty()) to.texts.know(hash, *value);
      to.rows.sum(*group, part) += given[i];
    }
  }
  return std::nullopt;
}

}  // namespace footfall
