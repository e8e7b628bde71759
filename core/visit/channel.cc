#include "visit/channel.h"

#include <algorithm>
#include <array>
#include <string>

#include "hit/hit.h"
#include "hit/lists.h"
#include "site/match.h"

namespace footfall {
namespace {

// An arrival and what several rows of the table ask of it.
struct Case {
  const Arrival& arrival;
  std::string_view source, medium, campaign;  // lower case
  SourceKind kind = SourceKind::none;
  std::string_view name;  // the known source's; empty: not known
  bool paid = false;
  bool shop = false;

  bool is(SourceKind wanted) const { return kind == wanted; }
  bool medium_is(std::initializer_list<std::string_view> any) const {
    return std::find(any.begin(), any.end(), medium) != any.end();
  }
  bool medium_has(std::string_view part) const { return medium.find(part) != std::string_view::npos; }
  bool source_or_medium_is(std::initializer_list<std::string_view> any) const {
    return medium_is(any) || std::find(any.begin(), any.end(), source) != any.end();
  }
  bool has_click(std::initializer_list<ClickId> any) const {
    return std::any_of(any.begin(), any.end(), [this](ClickId id) { return arrival.click_ids & click_id_bit(id); });
  }
};

// .*cp.*|ppc|retargeting|paid.*|pmax
bool is_paid_medium(std::string_view medium) {
  return medium.find("cp") != std::string_view::npos || medium == "ppc" || medium == "retargeting" ||
         medium.starts_with("paid") || medium == "pmax";
}

// (.*(([^a-df-z]|^)shop|shopping).*): `eshop` and `top-shop` are shops, `bishop` and `workshop` are none.
bool is_shop_campaign(std::string_view campaign) {
  if (campaign.find("shopping") != std::string_view::npos) return true;
  for (size_t at = campaign.find("shop"); at != std::string_view::npos; at = campaign.find("shop", at + 1)) {
    if (at == 0) return true;
    const char before = campaign[at - 1];
    if (before < 'a' || before > 'z' || before == 'e') return true;
  }
  return false;
}

// An engine's own parts, such as `google images`, count as the engine.
bool is_engine(const Case& c, std::string_view engine) {
  return c.name.starts_with(engine) && (c.name.size() == engine.size() || c.name[engine.size()] == ' ');
}

// The engine's click ids say that the click was paid. `fbclid` is on every link out of Facebook and says nothing.
bool is_paid_click(const Case& c) {
  using enum ClickId;
  return (is_engine(c, "google") && c.has_click({gclid, gbraid, wbraid, gad_source})) ||
         (is_engine(c, "bing") && c.has_click({msclkid})) || (is_engine(c, "yandex") && c.has_click({yclid}));
}

bool is_direct_arrival(const Arrival& a) {
  return !a.has_campaign && a.code_channel.empty() && a.referrer_host.empty() && a.source == kDirectSource;
}

bool is_direct(const Case& c) { return is_direct_arrival(c.arrival); }

bool is_referral(const Case& c) {
  return c.medium_is({"referral", "app", "link"}) || (!c.arrival.has_utm && !c.arrival.referrer_host.empty());
}

struct Row {
  std::string_view channel;
  bool (*holds)(const Case&);
};

// A code's own channel stands between the first row and the second; as a direct arrival has no code, it is asked first.
constexpr Row kTable[] = {
    {kDirectChannel, is_direct},
    {"cross_network", [](const Case& c) { return c.campaign.find("cross-network") != std::string_view::npos; }},
    {"paid_shopping", [](const Case& c) { return (c.is(SourceKind::shopping) || c.shop) && c.paid; }},
    {"paid_search", [](const Case& c) { return c.is(SourceKind::search) && (c.paid || is_paid_click(c)); }},
    {"paid_social", [](const Case& c) { return c.is(SourceKind::social) && c.paid; }},
    {"paid_video", [](const Case& c) { return c.is(SourceKind::video) && c.paid; }},
    {"display",
     [](const Case& c) {
       return c.medium_is({"display", "banner", "expandable", "interstitial", "cpm"});
     }},
    {"paid_other", [](const Case& c) { return c.paid; }},
    {"organic_shopping", [](const Case& c) { return c.is(SourceKind::shopping) || c.shop; }},
    {"organic_social",
     [](const Case& c) {
       return c.is(SourceKind::social) ||
              c.medium_is({"social", "social-network", "social-media", "sm", "social network", "social media"});
     }},
    {"organic_video", [](const Case& c) { return c.is(SourceKind::video) || c.medium_has("video"); }},
    {"ai_assistant", [](const Case& c) { return c.is(SourceKind::ai) || c.medium_is({"ai-assistant"}); }},
    {"organic_search", [](const Case& c) { return c.is(SourceKind::search) || c.medium_is({"organic"}); }},
    {"email",
     [](const Case& c) {
       return c.is(SourceKind::email) || c.source_or_medium_is({"email", "e-mail", "e_mail", "e mail", "newsletter"});
     }},
    {"affiliate",
     [](const Case& c) {
       return c.medium_is({"affiliate", "affiliates"});
     }},
    {"audio", [](const Case& c) { return c.medium_is({"audio"}); }},
    {"sms", [](const Case& c) { return c.source_or_medium_is({"sms"}); }},
    {"push",
     [](const Case& c) {
       return c.medium.ends_with("push") || c.medium_has("mobile") || c.medium_has("notification");
     }},
    {"referral", is_referral},
    {"unassigned", [](const Case&) { return true; }},
};

constexpr auto kChannels = [] {
  std::array<std::string_view, std::size(kTable)> names{};
  for (size_t i = 0; i < names.size(); ++i) names[i] = kTable[i].channel;
  return names;
}();

bool any_matches(const std::vector<std::string>& patterns, std::string_view value) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [value](const std::string& pattern) { return matches(pattern, value); });
}

bool any_is_above(const std::vector<std::string>& hosts, std::string_view host) {
  return !host.empty() && std::any_of(hosts.begin(), hosts.end(),
                                      [host](const std::string& above) { return is_host_or_below(host, above); });
}

// A rule that asks nothing holds for nothing.
bool holds(const ChannelRule& rule, const Case& c) {
  if (rule.referrers.empty() && rule.sources.empty() && rule.mediums.empty() && rule.campaigns.empty()) return false;
  return (rule.referrers.empty() || any_is_above(rule.referrers, c.arrival.referrer_host)) &&
         (rule.sources.empty() || any_matches(rule.sources, c.source)) &&
         (rule.mediums.empty() || any_matches(rule.mediums, c.medium)) &&
         (rule.campaigns.empty() || any_matches(rule.campaigns, c.campaign));
}

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string_view channel_of(const Arrival& arrival, std::span<const ChannelRule> rules) {
  if (rules.empty() && is_direct_arrival(arrival)) return kDirectChannel;  // the table's first row, as most are
  const std::string source = lowered(arrival.source), medium = lowered(arrival.medium),
                    campaign = lowered(arrival.campaign);
  Case c{.arrival = arrival, .source = source, .medium = medium, .campaign = campaign, .name = {}};
  if (const KnownSource* known = find_source(source)) c.kind = known->kind, c.name = known->name;
  c.paid = is_paid_medium(medium) || is_advertising_source(source);
  c.shop = is_shop_campaign(campaign);

  for (const ChannelRule& rule : rules) {
    if (holds(rule, c)) return rule.name;
  }
  if (!arrival.code_channel.empty()) return arrival.code_channel;
  for (const Row& row : kTable) {
    if (row.holds(c)) return row.channel;
  }
  return "unassigned";  // not reached: the last row holds always
}

std::span<const std::string_view> table_channels() { return kChannels; }

}  // namespace footfall
