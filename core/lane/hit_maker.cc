#include "lane/hit_maker.h"

#include "base/limits.h"

namespace footfall {

void HitMaker::set_config(std::shared_ptr<const Config> config) {
  sites_.clear();
  config_ = std::move(config);
}

const SiteConfig* HitMaker::site_of(std::string_view name) {
  if (config_ == nullptr) return nullptr;
  if (const auto known = sites_.find(name); known != sites_.end()) return known->second;
  if (sites_.size() >= kSitesMax) sites_.clear();  // a damaged stage may tell any name
  return sites_.try_emplace(name, resolve_site(*config_, name)).first->second;
}

const Hit& HitMaker::make(const RawHit& raw, const HitContext& context) {
  const SiteConfig* const site = site_of(context.site);
  const int64_t visit_gap_s = site != nullptr ? site->visit_gap_s : kDefaultVisitGapS;
  return hits_.build(raw, context, salts_.keys(raw.time_ms, visit_gap_s * 1000), site);
}

}  // namespace footfall
