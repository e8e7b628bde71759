#include "credit/spend.h"

#include "hit/lists.h"
#include "visit/channel.h"
#include "visit/touch.h"

namespace footfall {
namespace {

// Day `at` of `days`: an even part, and on the last day what is left over.
template <class T>
T part_of(T whole, int64_t at, int64_t days) {
  const T even = whole / static_cast<T>(days);
  return at + 1 < days ? even : whole - even * static_cast<T>(days - 1);
}

}  // namespace

std::vector<SpendDay> days_of(const SpendRow& row) {
  const int64_t days = row.last - row.first + 1;
  std::vector<SpendDay> spread;
  for (int64_t at = 0; at < days; ++at) {
    SpendDay& day = spread.emplace_back();
    day.day = row.first + at;
    day.amounts = row.amounts;
    day.amounts.cost_micros = part_of(row.amounts.cost_micros, at, days);
    if (row.amounts.clicks) day.amounts.clicks = part_of(*row.amounts.clicks, at, days);
    if (row.amounts.impressions) day.amounts.impressions = part_of(*row.amounts.impressions, at, days);
  }
  return spread;
}

size_t SpendDays::put(const SpendRow& row) {
  size_t replaced = 0;
  for (SpendDay& day : days_of(row)) {
    const bool is_new = entries_.insert_or_assign({day.day, row.key}, Entry{std::move(day.amounts), row.note}).second;
    replaced += is_new ? 0 : 1;
  }
  return replaced;
}

std::string channel_of_spend(const SpendKey& key, const SiteConfig& site) {
  if (!key.channel.empty()) return key.channel;
  if (!key.code.empty()) {
    for (const CodeConfig& code : site.codes)
      if (is_same_code(code.code, key.code)) return code.channel;
    return {};
  }
  Arrival arrival{.medium = key.medium, .campaign = key.campaign, .has_campaign = true, .has_utm = true};
  if (!key.source.empty()) arrival.source = key.source;
  return std::string(channel_of(arrival, site.channels));
}

std::string_view joined_source(std::string_view source) {
  const KnownSource* known = find_source(source);
  return known != nullptr ? known->name : source;
}

}  // namespace footfall
