#include "site/config.h"

#include <algorithm>

#include "site/match.h"

namespace footfall {

SiteConfig default_site(std::string_view name) {
  SiteConfig site;
  site.name = name;
  return site;
}

const SiteConfig* find_site(const Config& config, std::string_view name) {
  for (const SiteConfig& site : config.sites) {
    if (site.name == name) return &site;
  }
  return nullptr;
}

const SiteConfig* find_site_of_host(const Config& config, std::string_view host) {
  if (host.starts_with("www.")) host.remove_prefix(4);  // as `hosts` are told
  for (const SiteConfig& site : config.sites) {
    if (std::find(site.hosts.begin(), site.hosts.end(), host) != site.hosts.end()) return &site;
  }
  return nullptr;
}

const SiteConfig* resolve_site(const Config& config, std::string_view name) {
  const SiteConfig* site = find_site(config, name);
  return site != nullptr ? site : find_site_of_host(config, name);
}

std::string imported_site(const Config& config, std::string_view told, std::string_view otherwise) {
  constexpr std::string_view kDefault = "default";
  std::string_view name = told.empty() ? otherwise : told;
  if (name.empty()) name = config.sites.size() == 1 ? std::string_view(config.sites.front().name) : kDefault;
  const SiteConfig* known = resolve_site(config, name);
  return known != nullptr ? known->name : std::string(name);
}

std::string no_site_fault(const Config& config) {
  if (config.sites.size() < 2) return {};
  std::string names;
  for (const SiteConfig& site : config.sites) names.append(names.empty() ? "" : ", ").append(site.name);
  return "names no site, and there are several: --site tells which of " + names;
}

SiteConfig site_or_default(const Config& config, std::string_view name) {
  const SiteConfig* site = find_site(config, name);
  return site != nullptr ? *site : default_site(name);
}

const Rate* find_rate(const Config& config, Currency currency) {
  for (const Rate& rate : config.rates) {
    if (rate.currency == currency) return &rate;
  }
  return nullptr;
}

int64_t convert_micros(int64_t value_micros, const Rate& rate) {
  constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
  const __int128 product = static_cast<__int128>(value_micros) * rate.trillionths;
  return static_cast<int64_t>(std::clamp(divide_rounded(product, kRateOne), -kMax, kMax));
}

bool is_excluded(const SiteConfig& site, std::string_view address, std::string_view agent, std::string_view path) {
  const auto any = [](const auto& list, const auto& holds) { return std::any_of(list.begin(), list.end(), holds); };
  return any(site.exclude, [&](const AddressRange& range) { return covers(range, address); }) ||
         any(site.exclude_agents, [&](const std::string& pattern) { return matches_inside(pattern, agent); }) ||
         any(site.exclude_paths, [&](const std::string& pattern) { return matches(pattern, path); });
}

}  // namespace footfall
