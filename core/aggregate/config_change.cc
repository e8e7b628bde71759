#include "aggregate/config_change.h"

#include <algorithm>

namespace footfall {

Status check_change(const Config& before, const Config& after, const std::vector<std::string>& sites) {
  for (const std::string& name : sites) {
    const SiteConfig old_site = site_or_default(before, name), new_site = site_or_default(after, name);
    const char* what = old_site.timezone != new_site.timezone   ? "timezone"
                       : old_site.currency != new_site.currency ? "currency"
                                                                : nullptr;
    if (what == nullptr) continue;
    const bool zone = old_site.timezone != new_site.timezone;
    return Error::invalid(
        "site." + name + "." + what + " was \"" + (zone ? old_site.timezone : std::string(old_site.currency.text())) +
        "\" and is now \"" + (zone ? new_site.timezone : std::string(new_site.currency.text())) +
        "\": figures counted so far would change their meaning; to keep them apart and begin anew, run "
        "`footfall aggregate --begin-anew " +
        name + "` once");
  }
  return {};
}

Status begin_anew(const std::string& name, Config& before, Config& after, std::vector<std::string>& sites) {
  const auto found = std::find(sites.begin(), sites.end(), name);
  if (found == sites.end()) return Error::not_found("--begin-anew " + name + ": no figures of such a site");
  std::string kept;
  for (int n = 1; kept.empty() || std::find(sites.begin(), sites.end(), kept) != sites.end(); ++n)
    kept = name + "." + std::to_string(n);
  *found = kept;
  SiteConfig old_site = site_or_default(before, name);
  old_site.name = kept;
  old_site.hosts.clear();
  before.sites.push_back(old_site);
  after.sites.push_back(std::move(old_site));
  return {};
}

void keep_set_aside(const Config& before, Config& after, const std::vector<std::string>& sites) {
  for (const SiteConfig& site : before.sites) {
    const size_t dot = site.name.rfind('.');
    const bool set_aside = dot != std::string::npos && dot + 1 < site.name.size() && site.hosts.empty() &&
                           site.name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
    const bool has_figures = std::find(sites.begin(), sites.end(), site.name) != sites.end();
    if (set_aside && has_figures && find_site(after, site.name) == nullptr) after.sites.push_back(site);
  }
}

}  // namespace footfall
