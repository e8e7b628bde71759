// [site.NAME] of footfall.toml. Used by toml.cc alone.
#pragma once

#include <map>
#include <string>

#include "site/config.h"
#include "site/toml_section.h"

namespace footfall {

// Which site has a host, over all of the file.
using HostOwners = std::map<std::string, std::string, std::less<>>;

// Takes the site's settings from its table; what is wrong goes to the section's faults.
SiteConfig read_site(std::string_view name, Section& section, HostOwners& owners);

}  // namespace footfall
