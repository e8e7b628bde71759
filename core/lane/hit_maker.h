// A staged record to a hit: the visitor's keys of its day, and the settings of its site. Used by the flusher and by who
// reads a stage for a worker that is gone.
#pragma once

#include <memory>
#include <string_view>

#include "base/string_map.h"
#include "hit/builder.h"
#include "lane/salts.h"
#include "site/config.h"

namespace footfall {

// Not thread-safe.
class HitMaker {
 public:
  explicit HitMaker(const Store& store) : salts_(store) {}

  // From the next hit on. Until the first one no rule tells an event, nothing is excluded, and a visit's gap is the
  // default.
  void set_config(std::shared_ptr<const Config> config);

  // As HitBuilder::build: the views live until the next hit or configuration.
  const Hit& make(const RawHit& raw, const HitContext& context);

 private:
  const SiteConfig* site_of(std::string_view name);

  SaltKeeper salts_;
  HitBuilder hits_;
  std::shared_ptr<const Config> config_;
  StringMap<const SiteConfig*> sites_;  // by the names that hits came with
  StringMap<const SiteConfig*>::iterator last_site_ = sites_.end();
};

}  // namespace footfall
