#include "site/code_table.h"

#include <string>
#include <utility>

#include "site/checks.h"

namespace footfall {
namespace {

constexpr std::string_view kDefaultTarget = "/";

// Checked when it was written, and here again: a target that is none would lead shoppers wherever its bytes say.
std::string_view checked_target(const CodeConfig& code) {
  if (code.target.empty()) return kDefaultTarget;
  return is_target(code.target) ? std::string_view(code.target) : std::string_view();
}

}  // namespace

CodeTable::CodeTable(std::shared_ptr<const Config> config) : config_(std::move(config)), targets_(config_->sites.size()) {
  for (size_t at = 0; at < targets_.size(); ++at)
    for (const CodeConfig& code : config_->sites[at].codes)
      if (const std::string_view target = checked_target(code); !target.empty())
        targets_[at].try_emplace(lower_ascii(code.code), target);
}

std::string_view CodeTable::target(std::string_view site, std::string_view code) const {
  const SiteConfig* const settings = resolve_site(*config_, site);
  if (settings == nullptr) return {};
  const StringMap<std::string_view>& targets = targets_[static_cast<size_t>(settings - config_->sites.data())];
  const auto found = targets.find(lower_ascii(code));
  return found != targets.end() ? found->second : std::string_view();
}

}  // namespace footfall
