#include "site/site_toml.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/limits.h"
#include "site/checks.h"
#include "site/units.h"
#include "site/zone.h"

namespace footfall {
namespace {

// --- takers: what a value must be, and where it goes ----------------------------------------------------------------

Take label_to(std::string& to, size_t bytes_max) {
  return [&to, bytes_max](const Given& given) {
    to = given.text;
    return is_label(given.text, bytes_max);
  };
}

Take argument_to(std::string& to) {
  return [&to](const Given& given) {
    to = given.text;
    return is_argument_name(given.text);
  };
}

Take pattern_to(std::string& to) {
  return [&to](const Given& given) {
    to = given.text;
    return is_path_pattern(given.text);
  };
}

// Rules are matched against the path alone.
Take bare_pattern_to(std::string& to) {
  return [&to](const Given& given) {
    to = given.text;
    return is_path_pattern(given.text) && given.text.find('?') == std::string_view::npos;
  };
}

Take each_lower_to(std::vector<std::string>& to) {
  return [&to](const Given& given) {
    to.push_back(lower_ascii(given.text));
    return is_label(given.text, kCampaignFieldBytesMax);
  };
}

Take each_host_to(std::vector<std::string>& to) {
  return [&to](const Given& given) {
    std::optional<std::string> host = normalised_host(given.text);
    if (host) to.push_back(*std::move(host));
    return host.has_value();
  };
}

constexpr std::string_view kArgumentRight = "the name of a query argument, as \"variant\"";
constexpr std::string_view kPatternRight =
    "a path that may hold `*`, percent-encoded as browsers send it, as \"/cart/add*\"";
constexpr std::string_view kBarePatternRight = "a path without arguments that may hold `*`, as \"/cart/add*\"";
constexpr std::string_view kHostsRight = "bare host names, as [\"shop.example\"]";

// Tells a name or the like that is there twice. Returns whether it is new.
bool is_new(std::set<std::string>& seen, const std::string& word, unsigned line, std::string_view what,
            Section& section) {
  if (word.empty() || seen.insert(word).second) return true;
  section.faults().add(
      line, section.path() + ' ' + std::string(what) + ' ' + quoted_word(word) + " is there twice; each must be its own");
  return false;
}

// --- the site's own keys --------------------------------------------------------------------------------------------

void read_hosts(Section& section, SiteConfig& site, HostOwners& owners) {
  section.texts("hosts", kHostsRight, [&](const Given& given) {
    const std::optional<std::string> host = normalised_host(given.text);
    if (!host) return false;
    const auto [owner, is_first] = owners.emplace(*host, site.name);
    if (is_first) {
      site.hosts.push_back(*host);
    } else if (owner->second != site.name) {
      section.faults().add(given.line, section.path() + ".hosts has " + quoted_word(*host) + ", which site." +
                                           owner->second + " has already; a host must belong to one site");
    }
    return true;
  });
}

void read_basics(Section& section, SiteConfig& site) {
  section.text("timezone", "a name of the time zone database, as \"Europe/Berlin\"", [&](const Given& given) {
    site.timezone = given.text;
    return Zone::load(given.text).ok();
  });
  section.text("currency", "three capital letters, as \"EUR\"", [&](const Given& given) {
    const std::optional<Currency> currency = parse_currency(given.text);
    if (currency) site.currency = *currency;
    return currency && currency->text() == given.text;
  });
  section.number("margin", "a number from 0 to 1, as 0.35", [&](const Given& given) {
    site.margin_micros = parse_micros(given.text);
    return site.margin_micros && *site.margin_micros >= 0 && *site.margin_micros <= kMicrosPerUnit;
  });
  section.text("visit_gap", "a duration from 1s to 1d, as \"30m\"", [&](const Given& given) {
    const std::optional<int64_t> gap_s = parse_duration_s(given.text);
    if (gap_s) site.visit_gap_s = *gap_s;
    return gap_s && *gap_s >= 1 && *gap_s <= kDayS;
  });
  section.text("lookback", "one of 1d, 7d, 30d, 90d", [&](const Given& given) {
    static constexpr std::array kDays = {1, 7, 30, 90};
    const auto days =
        std::find_if(kDays.begin(), kDays.end(), [&](int d) { return given.text == std::to_string(d) + 'd'; });
    if (days != kDays.end()) site.lookback_days = *days;
    return days != kDays.end();
  });
}

void read_imports(Section& section, SiteConfig& site) {
  section.texts("args", "names of query arguments, as [\"variant\"]", [&](const Given& given) {
    site.arguments.emplace_back(given.text);
    return is_argument_name(given.text);
  });
  section.text("search", kArgumentRight, argument_to(site.search_argument));
  section.text("codes", "a path that begins and ends with /, as \"/go/\"", [&](const Given& given) {
    site.codes_prefix = given.text;
    return is_path(given.text) && given.text.size() > 2 && given.text.ends_with('/') &&
           given.text.find_first_of("?*") == std::string_view::npos;
  });
  section.texts("payment", "bare host names, as [\"pay.example\"]", each_host_to(site.payment_hosts));
}

void read_exclusions(Section& section, SiteConfig& site) {
  section.texts("exclude", "addresses or ranges of them, as [\"10.0.0.0/8\", \"2001:db8::/32\"]",
                [&](const Given& given) {
                  const std::optional<AddressRange> range = parse_address_range(given.text);
                  if (range) site.exclude.push_back(*range);
                  return range.has_value();
                });
  section.texts(
      "exclude_agents", "parts of user agents that may hold `*`, as [\"UptimeRobot\"]", [&](const Given& given) {
        site.exclude_agents.emplace_back(given.text);
        // "*" would leave nothing to count
        return is_label(given.text, kAgentBytesMax) && given.text.find_first_not_of('*') != std::string_view::npos;
      });
  section.texts("exclude_paths", "paths that may hold `*`, as [\"/admin/*\"]", [&](const Given& given) {
    site.exclude_paths.emplace_back(given.text);
    return is_path_pattern(given.text) && given.text.find('?') == std::string_view::npos;
  });
}

// --- the site's lists -----------------------------------------------------------------------------------------------

// What may stand in one code only.
struct CodeWords {
  std::set<std::string> codes, landings, coupons;
};

void read_code(Section& section, SiteConfig& site, CodeWords& words) {
  CodeConfig code;
  if (!section.text("code", "1 to 64 letters, digits and . _ ~ -, as \"SPRING24\"", [&](const Given& given) {
        code.code = given.text;
        is_new(words.codes, lower_ascii(given.text), given.line, "code", section);
        return is_code(given.text);
      })) {
    section.missing("code", "code = \"SPRING24\"");
  }
  if (!section.text("channel", "a channel's name, as \"direct_mail\"", label_to(code.channel, 64))) {
    section.missing("channel", "channel = \"direct_mail\"");
  }
  section.text("campaign", "a campaign's name, as \"spring-mailing\"", label_to(code.campaign, kCampaignFieldBytesMax));
  section.text("source", "a source's name, as \"mailing\"", label_to(code.source, kCampaignFieldBytesMax));
  section.text("target", "a path or an http(s) URL, as \"/sale\"", [&](const Given& given) {
    code.target = given.text;
    return is_target(given.text);
  });
  section.texts("landing", "paths, as [\"/s24\"]", [&](const Given& given) {
    code.landings.emplace_back(given.text);
    is_new(words.landings, code.landings.back(), given.line, "landing", section);
    return is_path(given.text);
  });
  section.texts("coupon", "coupons, as [\"MAIL24\"]", [&](const Given& given) {
    code.coupons.emplace_back(given.text);
    is_new(words.coupons, lower_ascii(given.text), given.line, "coupon", section);
    return is_label(given.text, kCouponBytesMax);
  });
  site.codes.push_back(std::move(code));
}

void read_channel(Section& section, SiteConfig& site) {
  ChannelRule rule;
  if (!section.text("name", "a channel's name, as \"marketplace\"", label_to(rule.name, 64))) {
    section.missing("name", "name = \"marketplace\"");
  }
  bool any = section.texts("referrer", "bare host names, as [\"market.example\"]", each_host_to(rule.referrers));
  any |= section.texts("source", "sources, as [\"newsletter\"]", each_lower_to(rule.sources));
  any |= section.texts("medium", "mediums, as [\"email\"]", each_lower_to(rule.mediums));
  any |= section.texts("campaign", "campaigns, as [\"spring*\"]", each_lower_to(rule.campaigns));
  if (!any) {
    section.fault("has no condition; it must have at least one of referrer, source, medium, campaign");
  }
  site.channels.push_back(std::move(rule));
}

void read_event(Section& section, SiteConfig& site) {
  EventRule rule;
  const std::string right =
      "an event's name of letters, digits and . _ - :, as \"add_to_cart\"; orders are told by "
      "[" +
      section.path().substr(0, section.path().rfind('.')) + ".order_page]";
  if (!section.text("name", right, [&](const Given& given) {
        rule.name = given.text;
        return is_event_name(given.text) && given.text != "purchase";  // an order needs an id
      })) {
    section.missing("name", "name = \"add_to_cart\"");
  }
  if (!section.text("path", kBarePatternRight, bare_pattern_to(rule.path))) {
    section.missing("path", "path = \"/cart/add*\"");
  }
  section.text("item_arg", kArgumentRight, argument_to(rule.item_argument));
  section.text("value_arg", kArgumentRight, argument_to(rule.value_argument));
  section.text("currency_arg", kArgumentRight, argument_to(rule.currency_argument));
  site.events.push_back(std::move(rule));
}

void read_order_page(Section& section, SiteConfig& site) {
  OrderPage page;
  if (!section.text("path", kBarePatternRight, bare_pattern_to(page.path))) {
    section.missing("path", "path = \"/thank-you\"");
  }
  if (!section.text("id_arg", kArgumentRight, argument_to(page.id_argument))) {
    section.missing("id_arg", "id_arg = \"order\"");
  }
  if (!section.text("value_arg", kArgumentRight, argument_to(page.value_argument))) {
    section.missing("value_arg", "value_arg = \"total\"");
  }
  section.text("currency_arg", kArgumentRight, argument_to(page.currency_argument));
  section.text("items_arg", kArgumentRight, argument_to(page.items_argument));
  section.text("coupon_arg", kArgumentRight, argument_to(page.coupon_argument));
  section.text("customer_arg", kArgumentRight, argument_to(page.customer_argument));
  site.order_page = std::move(page);
}

// A name that no other of its list has. `example` is a line that would be right.
void read_own_name(Section& section, std::string& name, std::string_view example, std::set<std::string>& seen) {
  const bool found =
      section.text("name", "a name of 1 to 64 bytes, without control characters", [&](const Given& given) {
        name = given.text;
        is_new(seen, name, given.line, "name", section);
        return is_label(given.text, 64);
      });
  if (!found) section.missing("name", example);
}

void read_goal(Section& section, SiteConfig& site, std::set<std::string>& names) {
  GoalConfig goal;
  read_own_name(section, goal.name, "name = \"newsletter\"", names);
  const bool has_event = section.text("event", "an event's name, as \"sign_up\"", [&](const Given& given) {
    goal.event = given.text;
    return is_event_name(given.text);
  });
  const bool has_path = section.text("path", kPatternRight, pattern_to(goal.path));
  if (has_event == has_path) {
    section.fault(has_event
                      ? "has both event and path; it must have one of them"
                      : "has neither event nor path; it must have one, as event = \"sign_up\" or path = \"/welcome\"");
  }
  section.number("value", "an amount of at least 0 in the site's currency, as 2.00", [&](const Given& given) {
    const std::optional<int64_t> micros = parse_micros(given.text);
    if (micros) goal.value_micros = *micros;
    return micros && *micros >= 0;
  });
  site.goals.push_back(std::move(goal));
}

void read_funnel(Section& section, SiteConfig& site, std::set<std::string>& names) {
  static constexpr std::string_view kEventPrefix = "event:";
  FunnelConfig funnel;
  read_own_name(section, funnel.name, "name = \"checkout\"", names);
  const bool found =
      section.texts("steps", "paths and events, as [\"/cart\", \"event:purchase\"]", [&](const Given& given) {
        const bool is_event = given.text.starts_with(kEventPrefix);
        const std::string_view pattern = is_event ? given.text.substr(kEventPrefix.size()) : given.text;
        funnel.steps.push_back({is_event, std::string(pattern)});
        return is_event ? is_event_name(pattern) : is_path_pattern(pattern);
      });
  if (!found) {
    section.missing("steps", "steps = [\"/cart\", \"/checkout\", \"event:purchase\"]");
  } else if (funnel.steps.size() < kFunnelStepsMin || funnel.steps.size() > kFunnelStepsMax) {
    section.fault("has " + std::to_string(funnel.steps.size()) + (funnel.steps.size() == 1 ? " step" : " steps") +
                  "; it must have 2 to 12");
  }
  site.funnels.push_back(std::move(funnel));
}

void read_page_group(Section& section, SiteConfig& site) {
  PageGroup group;
  if (!section.text("name", "a name of 1 to 64 bytes, without control characters", label_to(group.name, 64))) {
    section.missing("name", "name = \"products\"");
  }
  if (!section.text("path", kPatternRight, pattern_to(group.path))) section.missing("path", "path = \"/product/*\"");
  site.page_groups.push_back(std::move(group));
}

}  // namespace

SiteConfig read_site(std::string_view name, Section& section, HostOwners& owners) {
  SiteConfig site = default_site(name);
  if (!is_site_name(name)) {
    section.fault("has a name that is none; it must be 1 to 64 letters, digits and . _ - : *, as [site.shop]");
  }
  read_basics(section, site);
  read_hosts(section, site, owners);
  read_imports(section, site);
  read_exclusions(section, site);

  CodeWords words;
  std::set<std::string> goals, funnels;
  section.tables("code", [&](Section& code) { read_code(code, site, words); });
  section.tables("channel", [&](Section& channel) { read_channel(channel, site); });
  section.tables("event", [&](Section& event) { read_event(event, site); });
  section.table("order_page", [&](Section& page) { read_order_page(page, site); });
  section.tables("goal", [&](Section& goal) { read_goal(goal, site, goals); });
  section.tables("funnel", [&](Section& funnel) { read_funnel(funnel, site, funnels); });
  section.tables("page_group", [&](Section& group) { read_page_group(group, site); });
  return site;
}

}  // namespace footfall
