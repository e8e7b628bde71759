#include "aggregate/sites.h"

#include "base/limits.h"

namespace footfall {
namespace {

constexpr std::string_view kOtherSite = "other";

}  // namespace

Sites::Sites(Config config, const std::vector<std::string>& names, const std::vector<int64_t>& first_live_ms)
    : config_(std::move(config)) {
  for (const std::string& name : names) add(name);
  for (size_t i = 0; i < sites_.size() && i < first_live_ms.size(); ++i) sites_[i]->first_live_ms = first_live_ms[i];
  // A name that has become another site's host since: its figures stay, its next hits go there.
  for (const std::string& name : names)
    if (find_site(config_, name) == nullptr && find_site_of_host(config_, name) != nullptr) by_name_.erase(name);
}

std::vector<int64_t> Sites::first_live_ms() const {
  std::vector<int64_t> times;
  for (const auto& site : sites_) times.push_back(site->first_live_ms);
  return times;
}

Site& Sites::find(std::string_view name) {
  if (last_ != nullptr && name == last_name_) return *last_;
  Site& site = look_up(name);
  last_ = &site;
  last_name_ = name;
  return site;
}

Site& Sites::look_up(std::string_view name) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) return *sites_[known->second];
  std::string_view own_name = name;
  if (const SiteConfig* settings = resolve_site(config_, name)) own_name = settings->name;
  const auto known = by_name_.find(own_name);
  Site& site = known != by_name_.end() ? *sites_[known->second] : add(own_name);
  // Names that a host stands for are few: those of the configuration.
  if (own_name != name) by_name_.try_emplace(name, site.number);
  return site;
}

Site& Sites::add(std::string_view name) {
  if (sites_.size() >= kSitesMax) name = kOtherSite;
  if (const auto known = by_name_.find(name); known != by_name_.end()) return *sites_[known->second];
  SiteConfig config = site_or_default(config_, name);
  Result<Zone> zone = Zone::load(config.timezone);  // checked with the configuration; gone since: UTC
  const uint16_t number = static_cast<uint16_t>(sites_.size());
  sites_.push_back(std::make_unique<Site>(number, std::move(config), zone ? std::move(*zone) : Zone()));
  names_.emplace_back(name);
  by_name_.emplace(name, number);
  return *sites_.back();
}

}  // namespace footfall
