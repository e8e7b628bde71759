#include "lane/hit_maker.h"

#include "base/limits.h"

namespace footfall {

void HitMaker::set_config(std::shared_ptr<const Config> config) {
  sites_.clear();
  last_site_ = sites_.end();
  config_ = std::move(config);
}

const SiteConfig* HitMaker::site_of(std::string_view name) {
  if (config_ == nullptr) return nullptr;
  if (last_site_ != sites_.end() && last_site_->first == name) return last_site_->second;  // mostly that of the hit before
  last_site_ = sites_.find(name);
  if (last_site_ == sites_.end()) {
    if (sites_.size() >= kSitesMax) sites_.clear();  // a damaged stage may tell any name
    last_site_ = sites_.try_emplace(name, resolve_site(*config_, name)).first;
  }
  return last_site_->second;
}

const Hit& HitMaker::make(const RawHit& raw, const HitContext& context) {
  if (raw.event_only) return hits_.build_told(raw, salts_.lasting_keys());  // its own day's salt may be gone
  const SiteConfig* const site = site_of(context.site);
  const int64_t visit_gap_s = site != nullptr ? site->visit_gap_s : kDefaultVisitGapS;
  return hits_.build(raw, context, salts_.keys(raw.time_ms, visit_gap_s * 1000), site);
}

}  // namespace footfall
