// Where codes lead, as the configuration says: for whoever answers PREFIX/CODE.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "site/config.h"

namespace footfall {

// Values that do not change: share between threads. Keeps its configuration.
class CodeTable {
 public:
  explicit CodeTable(std::shared_ptr<const Config> config);

  const Config& config() const { return *config_; }

  // A path on the same host or an http(s) URL, fit to stand in a Location header. Empty: the site has no such code. `site`
  // as a hit's site name (resolve_site); the code in any case. The view lives as long as the table.
  std::string_view target(std::string_view site, std::string_view code) const;

 private:
  std::shared_ptr<const Config> config_;
  std::vector<StringMap<std::string_view>> targets_;  // by the site's place in the configuration; codes in lower case
};

}  // namespace footfall
