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

const CodeConfig* find_code(std::string_view text, const SiteConfig& site) {
  for (const CodeConfig& code : site.codes)
    if (is_same_code(code.code, text)) return &code;
  return nullptr;
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

std::string channel_of_spend(const SpendKey& key, const SiteConfig& site) {
  if (!key.channel.empty()) return key.channel;
  if (!key.code.empty()) {
    const CodeConfig* code = find_code(key.code, site);
    return code != nullptr ? code->channel : std::string();
  }
  Arrival arrival{.medium = key.medium, .campaign = key.campaign, .has_campaign = true, .has_utm = true};
  if (!key.source.empty()) arrival.source = key.source;
  return std::string(channel_of(arrival, site.channels));
}

SpendKey rows_of_spend(const SpendKey& key, const SiteConfig& site) {
  SpendKey rows = key;
  rows.channel = channel_of_spend(key, site);
  if (const CodeConfig* code = key.code.empty() ? nullptr : find_code(key.code, site)) {
    rows.code = code->code;
    rows.source = code->source.empty() ? code->code : code->source;
    rows.campaign = code->campaign;
  }
  rows.source = joined_source(rows.source);
  return rows;
}

std::string_view joined_source(std::string_view source) {
  const KnownSource* known = find_source(source);
  return known != nullptr ? known->name : source;
}

}  // namespace footfall
