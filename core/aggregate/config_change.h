// What may change in the configuration under figures that were counted already. For the aggregator.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "site/config.h"

namespace footfall {

// Error::invalid names the site whose zone or currency would change, and the way out. `sites`: those that have figures.
Status check_change(const Config& before, const Config& after, const std::vector<std::string>& sites);

// Renames the site's figures to SITE.N in `sites`, and gives both configurations the settings that they were counted in.
// Error::not_found: it has no figures.
Status begin_anew(const std::string& name, Config& before, Config& after, std::vector<std::string>& sites);

// Takes over the settings of sites that were set aside, which no file has.
void keep_set_aside(const Config& before, Config& after, const std::vector<std::string>& sites);

}  // namespace footfall
