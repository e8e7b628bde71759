#include "query/roi_unmatched.h"

#include <algorithm>
#include <map>

#include "base/money.h"
#include "credit/near_miss.h"
#include "query/advice.h"

namespace footfall {
namespace {

using Rows = std::vector<const RoiRow*>;

template <class Wanted, class Weight>
Rows rows_of(const RoiRows& rows, Wanted wanted, Weight weight) {
  Rows found;
  for (const RoiRow& row : rows.rows)
    if (!row.text.empty() && wanted(row)) found.push_back(&row);
  std::sort(found.begin(), found.end(), [&](const RoiRow* a, const RoiRow* b) {
    return weight(*a) != weight(*b) ? weight(*a) > weight(*b) : a->text < b->text;
  });
  return found;
}

std::map<std::string, NearMiss> near(const Rows& unmatched, const RoiRows& rows) {
  std::vector<std::string> names, known;
  for (const RoiRow* row : unmatched) names.push_back(row->text);
  for (const RoiRow& row : rows.rows)
    if (!row.text.empty() && row.now.visits > 0) known.push_back(row.text);
  std::map<std::string, NearMiss> misses;
  for (NearMiss& miss : near_misses(std::move(names), std::move(known))) misses.emplace(miss.name, miss);
  return misses;
}

std::string how_near(Nearness how) {
  return how == Nearness::letter_case ? "letter case" : how == Nearness::alias ? "another name of it" : "spelling";
}

}  // namespace

bool is_paid_channel(std::string_view channel) {
  return channel.starts_with("paid_") || channel == "display" || channel == "cross_network";
}

bool is_paid_without_spend(const RoiRow& row) {
  return is_paid_channel(row.text) && row.now.cost_micros <= 0 && (row.now.visits > 0 || row.now.asked.credit_millionths > 0);
}

std::vector<std::string> unmatched_warnings(const Query& query, const RoiRows& rows) {
  std::vector<std::string> warnings;
  const std::string dimension(query.by.front()->name);
  const Rows spent = rows_of(
      rows, [](const RoiRow& row) { return row.now.cost_micros > 0 && row.now.visits <= 0 && row.now.asked.credit_millionths <= 0; },
      [](const RoiRow& row) { return row.now.cost_micros; });
  const std::map<std::string, NearMiss> misses = near(spent, rows);
  for (size_t i = 0; i < std::min(spent.size(), kUnmatchedNamedMax); ++i) {
    std::string text = "nobody came by " + dimension + " " + named_in_words(spent[i]->text) + ", which cost " +
                       format_micros(spent[i]->now.cost_micros, currency_digits(query.currency)) + " " + std::string(query.currency.text());
    if (const auto miss = misses.find(spent[i]->text); miss != misses.end())
      text += ": " + named_in_words(miss->second.known) + " may be meant (" + how_near(miss->second.how) + ")";
    warnings.push_back(std::move(text));
  }
  if (spent.size() > kUnmatchedNamedMax)
    warnings.push_back("nor by " + std::to_string(spent.size() - kUnmatchedNamedMax) + " more with cost: /v1/spend (footfall query spend) lists them");
  if (query.by.front()->rollup != Dimension::channel || rows.totals.cost_micros <= 0) return warnings;
  for (const RoiRow* row : rows_of(rows, is_paid_without_spend, [](const RoiRow& row) { return row.now.visits; }))
    warnings.push_back(row->text + " has " +
                       (row->now.visits > 0 ? std::to_string(static_cast<int64_t>(row->now.visits)) + " visits" : std::string("orders, by touches within visits,")) +
                       " and no spend: nobody told what they cost");
  return warnings;
}

}  // namespace footfall
