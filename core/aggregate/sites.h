// The sites that hits belong to, by name: [site.NAME] of the configuration, else the site whose `hosts` has the name,
// else a new one with defaults; past kSitesMax the site `other`. A site's number is its place in the checkpoint.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "site/config.h"
#include "site/zone.h"
#include "visit/code_finder.h"
#include "visit/touch.h"

namespace footfall {

struct Site {
  uint16_t number = 0;
  SiteConfig config;
  Zone zone;
  TouchReader touches;
  CodeFinder codes;
  int64_t first_live_ms = 0;  // of the first live hit; 0: none yet

  int64_t lookback_ms() const { return config.lookback_days * kDayS * 1000; }

  Site(uint16_t number, SiteConfig config, Zone zone)
      : number(number), config(std::move(config)), zone(std::move(zone)), touches(this->config), codes(this->config) {}
};

class Sites {
 public:
  // `names` as the last checkpoint had them.
  Sites(Config config, const std::vector<std::string>& names, const std::vector<int64_t>& first_live_ms = {});

  // Never fails. A new site is added to names().
  Site& find(std::string_view name);
  Site& at(uint16_t number) { return *sites_[number]; }
  size_t size() const { return sites_.size(); }

  const std::vector<std::string>& names() const { return names_; }
  std::vector<int64_t> first_live_ms() const;  // by site's number
  const Config& config() const { return config_; }

 private:
  Site& add(std::string_view name);
  Site& look_up(std::string_view name);

  Config config_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<std::string> names_;
  Site* last_ = nullptr;  // that was found, by last_name_; most hits are of one site
  std::string last_name_;
  StringMap<uint16_t> by_name_;  // also the names that hosts stand for
};

}  // namespace footfall
