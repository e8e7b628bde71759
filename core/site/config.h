// footfall.toml, checked: what the shop says about itself. Made by toml.h, kept by config_codec.h, read
// by the aggregator, the workers and the queries. Plain values: copy, compare, share between threads while nobody
// writes.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "site/address.h"

namespace footfall {

inline constexpr int64_t kDayS = 86'400;
// Longer than anything is kept; still a number when turned into milliseconds or microseconds.
inline constexpr int64_t kForeverS = std::numeric_limits<int64_t>::max() / 1'000'000;

inline constexpr int64_t kDefaultVisitGapS = 1800;

// A code of marketing that has no link. Codes are compared without case (A-Z).
struct CodeConfig {
  std::string code;
  std::string channel;
  std::string campaign;               // empty: none
  std::string source;                 // empty: the code itself
  std::string target;                 // where PREFIX/CODE leads: a path or an absolute URL; empty: "/"
  std::vector<std::string> landings;  // paths that are the code's own
  std::vector<std::string> coupons;   // coupons that tell the code on an accepted order

  bool operator==(const CodeConfig&) const = default;
};

// The site's own channel: all lists that are not empty must hold, each by any of its values. All in lower case.
struct ChannelRule {
  std::string name;
  std::vector<std::string> referrers;                    // the host or one below it
  std::vector<std::string> sources, mediums, campaigns;  // whole values; `*` matches any run

  bool operator==(const ChannelRule&) const = default;
};

// An event told by the page alone: a path pattern (match.h) and the arguments that carry its parts; empty: none.
struct EventRule {
  std::string name;
  std::string path;
  std::string item_argument, value_argument, currency_argument;

  bool operator==(const EventRule&) const = default;
};

// Orders told by the confirmation page's arguments; empty ones are not read.
struct OrderPage {
  std::string path;  // pattern
  std::string id_argument, value_argument;
  std::string currency_argument, items_argument, coupon_argument, customer_argument;

  bool operator==(const OrderPage&) const = default;
};

// Exactly one of event and path is set.
struct GoalConfig {
  std::string name;
  std::string event;
  std::string path;          // pattern
  int64_t value_micros = 0;  // in the site's currency

  bool operator==(const GoalConfig&) const = default;
};

struct FunnelStep {
  bool is_event = false;
  std::string pattern;  // of the page's path, or the event's name

  bool operator==(const FunnelStep&) const = default;
};

inline constexpr size_t kFunnelStepsMin = 2;
inline constexpr size_t kFunnelStepsMax = 12;

struct FunnelConfig {
  std::string name;
  std::vector<FunnelStep> steps;

  bool operator==(const FunnelConfig&) const = default;
};

struct PageGroup {
  std::string name;
  std::string path;  // pattern; the first group that matches holds the page

  bool operator==(const PageGroup&) const = default;
};

struct SiteConfig {
  std::string name;
  std::string timezone = "UTC";
  Currency currency{{'E', 'U', 'R'}};
  std::vector<std::string> hosts;        // own hosts as referrers are normalised: lower case, no port, no leading www.
  std::optional<int64_t> margin_micros;  // millionths, 0..1,000,000; missing: roi cannot be told
  int64_t visit_gap_s = kDefaultVisitGapS;
  int lookback_days = 30;                  // 1, 7, 30 or 90
  std::vector<std::string> arguments;      // toml `args`: stay part of an imported page's path
  std::string search_argument;             // toml `search`; empty: none
  std::string codes_prefix;                // toml `codes`, such as "/go/"; empty: none
  std::vector<std::string> payment_hosts;  // toml `payment`: further hosts that never make a touch
  std::vector<AddressRange> exclude;
  std::vector<std::string> exclude_agents;  // patterns, found anywhere in the agent, without case
  std::vector<std::string> exclude_paths;   // patterns of the whole path
  std::vector<CodeConfig> codes;
  std::vector<ChannelRule> channels;
  std::vector<EventRule> events;
  std::optional<OrderPage> order_page;
  std::vector<GoalConfig> goals;
  std::vector<FunnelConfig> funnels;
  std::vector<PageGroup> page_groups;

  bool operator==(const SiteConfig&) const = default;
};

// One unit of `currency` in the site's currency, in trillionths: money has six digits, and a rupiah or a dong would
// have two of them left.
struct Rate {
  Currency currency;
  int64_t trillionths = 0;

  bool operator==(const Rate&) const = default;
};
inline constexpr int64_t kRateOne = 1'000'000'000'000;

// How long what is kept; kForeverS: for good.
struct Retention {
  int64_t minute_s = 2 * kDayS;
  int64_t hour_s = 90 * kDayS;
  int64_t day_s = 5 * 365 * kDayS;
  int64_t month_s = kForeverS;
  int64_t visitors_s = 400 * kDayS;  // the horizon of new and returning
  int64_t orders_s = 400 * kDayS;    // order memory: how long a repeated order id is known
  int64_t visits_s = 90 * kDayS;
  int64_t visits_bytes_max = int64_t{10} << 30;

  bool operator==(const Retention&) const = default;
};

// What one desk's readers see. An empty list: everything.
struct DeskConfig {
  std::string name;
  std::vector<std::string> reports;  // of kDeskReports
  std::vector<std::string> metrics;  // of kDeskMetrics
  std::vector<std::string> sites;

  bool operator==(const DeskConfig&) const = default;
};

struct Config {
  std::string store = "/var/lib/footfall";
  int64_t map_bytes = int64_t{32} << 30;  // of the summary; a multiple of 1 MiB
  int64_t open_visits_max = 10'000'000;
  int64_t orders_max = 20'000'000;
  std::vector<SiteConfig> sites;  // by name
  std::vector<Rate> rates;        // by currency
  Retention retention;
  std::vector<DeskConfig> desks;  // by name

  bool operator==(const Config&) const = default;
};

// The settings of a site that the file does not name.
SiteConfig default_site(std::string_view name);

// The site of that name, or nullptr.
const SiteConfig* find_site(const Config& config, std::string_view name);

// The site that has `host` (lower case, no port, with or without a leading www.) among its hosts, or nullptr.
const SiteConfig* find_site_of_host(const Config& config, std::string_view host);

// The settings that a hit's site name stands for: the site of that name, else the one that has it among its hosts, else
// nullptr.
const SiteConfig* resolve_site(const Config& config, std::string_view name);

// The name of the site that something imported is of: as told, else `otherwise`, else the configuration's only one, else `default`.
std::string imported_site(const Config& config, std::string_view told, std::string_view otherwise);

// What is wrong with what names no site, when it is imported: that there are several. Empty: nothing.
std::string no_site_fault(const Config& config);

// The site's settings: those of the file, else the defaults.
SiteConfig site_or_default(const Config& config, std::string_view name);

// The rate of a currency, or nullptr.
const Rate* find_rate(const Config& config, Currency currency);

// An amount at a rate, rounded once, half away from zero; held at the ends of 64 bits.
int64_t convert_micros(int64_t value_micros, const Rate& rate);

// Whether `exclude`, `exclude_agents` or `exclude_paths` cover a request. `address`: 4 or 16 bytes, or empty; `path`:
// normalised, without query.
bool is_excluded(const SiteConfig& site, std::string_view address, std::string_view agent, std::string_view path);

}  // namespace footfall
