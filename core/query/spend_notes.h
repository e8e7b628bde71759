// What is missing to spend and to touches that do not match, and what may have been meant: the notes of spend_match.h. And the parts
// of a key of spend by number, as both work by them.
#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "credit/spend.h"
#include "query/spend_match.h"
#include "site/config.h"

namespace footfall {

inline constexpr size_t kSpendParts = 7;
inline constexpr std::string SpendKey::* kSpendKeyParts[kSpendParts] = {
    &SpendKey::channel, &SpendKey::source, &SpendKey::medium, &SpendKey::campaign, &SpendKey::content, &SpendKey::term, &SpendKey::code};
inline constexpr std::string_view kSpendPartNames[kSpendParts] = {"channel", "source", "medium", "campaign", "content", "term", "code"};
inline constexpr size_t kSpendSource = 1, kSpendCampaign = 3, kSpendContent = 4, kSpendCode = 6;

// Names of each part.
using SpendNames = std::array<std::set<std::string>, kSpendParts>;

// As both sides spell it.
std::string joined_part(size_t part, std::string_view text);

// `names`: those of touches. `told`: the keys of the first entries, without a channel that was not told.
void write_spend_notes(const SpendNames& names, const SiteConfig& site, const std::vector<SpendKey>& told, SpendMatch& to);

}  // namespace footfall
