#include "query/spend_notes.h"

#include <algorithm>
#include <map>

#include "base/money.h"
#include "credit/near_miss.h"
#include "query/text.h"
#include "site/checks.h"
#include "visit/touch.h"

namespace footfall {
namespace {

std::string_view how_near(Nearness how) {
  return how == Nearness::letter_case ? "letter case" : how == Nearness::alias ? "another name" : "spelling";
}

using Misses = std::array<std::map<std::string, NearMiss>, kSpendParts>;

std::string meant(size_t part, const NearMiss& miss, std::string_view of) {
  return std::string(kSpendPartNames[part]) + " " + quoted(miss.name) + " may be " + quoted(miss.known) + std::string(of) + " (" +
         std::string(how_near(miss.how)) + ")";
}

Misses misses_of(const std::array<std::vector<std::string>, kSpendParts>& names, const std::array<std::vector<std::string>, kSpendParts>& known) {
  Misses misses;
  for (size_t part = 0; part < kSpendParts; ++part)
    for (NearMiss& miss : near_misses(names[part], known[part])) misses[part].emplace(miss.name, miss);
  return misses;
}

class Notes {
 public:
  Notes(const SpendNames& names, const SiteConfig& site, const std::vector<SpendKey>& told, SpendMatch& to)
      : names_(names), site_(site), told_(told), to_(to) {
    for (size_t part = 0; part < kSpendParts; ++part)
      for (const std::string& name : names[part]) joined_names_[part].insert(joined_part(part, name));
  }

  void write() {
    of_spend();
    of_rates();
    of_touches();
  }

 private:
  bool is_known(size_t part, const std::string& text) const { return joined_names_[part].contains(joined_part(part, text)); }

  void of_spend() {
    std::array<std::vector<std::string>, kSpendParts> names, known;
    each_unmatched([&](SpendMatch::Entry&, const SpendKey& told) {
      for (size_t part = 0; part < kSpendParts; ++part)
        if (const std::string& text = told.*kSpendKeyParts[part]; !text.empty() && !is_known(part, text)) names[part].push_back(text);
    });
    for (size_t part = 0; part < kSpendParts; ++part) known[part].assign(names_[part].begin(), names_[part].end());
    for (const CodeConfig& code : site_.codes) known[kSpendCode].push_back(code.code);
    const Misses misses = misses_of(names, known);
    each_unmatched([&](SpendMatch::Entry& entry, const SpendKey& told) {
      entry.note = kNobodyCame;
      const size_t bare = entry.note.size();
      for (size_t part = 0; part < kSpendParts; ++part) {
        const std::string& text = told.*kSpendKeyParts[part];
        if (text.empty() || is_known(part, text)) continue;
        const auto miss = misses[part].find(text);
        const bool is_code = part == kSpendCode && has_code(text);
        entry.note.append(entry.note.size() > bare ? ", " : "");
        if (miss != misses[part].end() && !is_code) entry.note += meant(part, miss->second, "");
        else entry.note += (part == kSpendCode && !is_code ? "the site has no code " : "no visit had " + std::string(kSpendPartNames[part]) + " ") + quoted(text);
      }
      if (entry.note.size() == bare) entry.note += "no visit had all of it together";
    });
  }

  void of_rates() {
    for (SpendMatch::Entry& entry : to_.entries)
      for (const auto& [currency, micros] : entry.unconverted_micros) {
        entry.note += entry.note.empty() ? kNoRate : "; ";
        entry.note += "its cost of " + format_micros(micros, digits_of_currency(currency)) + " " + currency + " could not be converted";
      }
  }

  void of_touches() {
    std::array<std::vector<std::string>, kSpendParts> names, known;
    each_unmatched([&](SpendMatch::Entry&, const SpendKey& told) {
      for (const size_t part : {kSpendSource, kSpendCampaign})
        if (!(told.*kSpendKeyParts[part]).empty()) known[part].push_back(told.*kSpendKeyParts[part]);
    });
    for (const SpendMatch::Entry& entry : to_.entries)
      for (const size_t part : {kSpendSource, kSpendCampaign})
        if (!entry.is_spend && !(entry.key.*kSpendKeyParts[part]).empty()) names[part].push_back(entry.key.*kSpendKeyParts[part]);
    const Misses misses = misses_of(names, known);
    for (SpendMatch::Entry& entry : to_.entries) {
      if (entry.is_spend) continue;
      entry.note = kNoSpend;
      if (entry.brought.visits == 0) entry.note += ", and no visit began by it";
      for (const size_t part : {kSpendSource, kSpendCampaign})
        if (const auto miss = misses[part].find(entry.key.*kSpendKeyParts[part]);
            miss != misses[part].end() && miss->second.how != Nearness::alias)  // which is no other source
          entry.note += ": " + meant(part, miss->second, " of the spend");
    }
  }

  bool has_code(const std::string& text) const {
    return std::any_of(site_.codes.begin(), site_.codes.end(), [&](const CodeConfig& code) { return is_same_code(code.code, text); });
  }

  template <class See>
  void each_unmatched(See see) {
    for (size_t at = 0; at < told_.size(); ++at)
      if (!to_.entries[at].is_matched) see(to_.entries[at], told_[at]);
  }

  const SpendNames& names_;
  const SiteConfig& site_;
  const std::vector<SpendKey>& told_;
  SpendMatch& to_;
  SpendNames joined_names_;
};

}  // namespace

std::string joined_part(size_t part, std::string_view text) {
  if (part == kSpendSource) return std::string(joined_source(text));
  return part == kSpendCode ? lower_ascii(text) : std::string(text);
}

void write_spend_notes(const SpendNames& names, const SiteConfig& site, const std::vector<SpendKey>& told, SpendMatch& to) {
  Notes(names, site, told, to).write();
}

}  // namespace footfall
