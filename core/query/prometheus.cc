#include "query/prometheus.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/money.h"
#include "query/text.h"
#include "site/config.h"
#include "visit/bots.h"

namespace footfall {
namespace {

// --- the text --------------------------------------------------------------------------------------------------------

class Exposition {
 public:
  enum class Type { counter, gauge };
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Begins a family; its samples come next.
  void family(std::string_view name, Type type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name);
    text_.append(type == Type::counter ? " counter\n" : " gauge\n");
  }

  void sample(const Labels& labels, std::string_view value) {
    text_.append(name_);
    char before = '{';
    for (const auto& [label, content] : labels) {
      text_.append(1, before).append(label).append("=\"");
      put_escaped(content);
      text_ += '"';
      before = ',';
    }
    if (labels.size() > 0) text_ += '}';
    text_.append(" ").append(value).append("\n");
  }
  void sample(const Labels& labels, int64_t value) { sample(labels, std::to_string(value)); }

  std::string take() { return std::move(text_); }

 private:
  void put_escaped(std::string_view content) {
    for (const char c : valid_utf8(content)) {
      if (c == '\n')
        text_ += "\\n";
      else if (c == '\\' || c == '"')
        text_.append(1, '\\').append(1, c);
      else
        text_ += c;
    }
  }

  std::string text_;
  std::string_view name_;
};

using Type = Exposition::Type;

std::string of_ms(int64_t ms) { return format_micros(static_cast<__int128>(ms) * 1'000, 3); }

// --- sites -----------------------------------------------------------------------------------------------------------

constexpr int64_t kEverS = 253'402'214'400;  // 9999-12-31
constexpr std::array<std::string_view, 5> kStatusClasses = {"1xx", "2xx", "3xx", "4xx", "5xx"};

// All that was ever counted of a site.
struct SiteSums {
  std::string name;
  Currency currency;
  Counters total;
  std::array<int64_t, kStatusClasses.size()> hits_by_class{};
  std::array<int64_t, kBotClasses> bot_hits_by_class{};
  int64_t unconverted_orders = 0;
};

struct SiteFamily {
  std::string_view name;
  std::string_view help;
  Counter counter;
};
constexpr SiteFamily kSiteFamilies[] = {
    {"footfall_excluded_hits_total", "Hits of addresses, agents and paths that the site excludes.",
     Counter::excluded_hits},
    {"footfall_late_hits_total", "Hits that came after their time had been settled.", Counter::late_hits},
    {"footfall_sent_bytes_total", "Bytes sent, headers too.", Counter::bytes},
    {"footfall_pageviews_total", "Pages shown to people.", Counter::pageviews},
    {"footfall_visits_total", "Visits of people.", Counter::visits},
    {"footfall_events_total", "Events that the shop reported, orders too.", Counter::events},
    {"footfall_duplicate_orders_total", "Repeats of an order's id, not counted again.", Counter::duplicate_orders},
    {"footfall_rejected_orders_total", "Orders without an id or a proper value.", Counter::rejected_orders},
};

Status sum_up(SummarySnapshot& snapshot, uint16_t site, const StringHasher& hasher, SiteSums& to) {
  // Months are kept for good and hold all; whose months they are does not matter to the sum of all of them.
  const auto each = [&](Dimension dimension, const SummarySnapshot::Visit& visit) {
    return snapshot.each_rollup(site, dimension, Level::month, -kDayS, kEverS, Zone(), visit);
  };
  const auto add = [&](const RollupKey&, const Counters& part) {  // without the visitors, who add up over nothing
    to.total.merge_sums(part);
  };
  if (Status status = each(Dimension::total, add); !status) return status;
  const auto add_hits = [&](Dimension dimension, std::span<const Hash128> values, std::span<int64_t> hits) {
    return each(dimension, [=](const RollupKey& key, const Counters& part) {
      const auto found = std::find(values.begin(), values.end(), key.value);
      if (found != values.end()) hits[static_cast<size_t>(found - values.begin())] += part[Counter::hits];
    });
  };
  std::array<Hash128, kStatusClasses.size()> classes;
  std::transform(kStatusClasses.begin(), kStatusClasses.end(), classes.begin(), hasher);
  if (Status status = add_hits(Dimension::status_class, classes, to.hits_by_class); !status) return status;
  std::array<Hash128, kBotClasses> bots;
  for (unsigned bot = 0; bot < kBotClasses; ++bot) bots[bot] = hasher(bot_class_name(static_cast<BotClass>(bot)));
  if (Status status = add_hits(Dimension::bot_class, bots, to.bot_hits_by_class); !status) return status;
  return each(Dimension::currency, [&](const RollupKey&, const Counters& part) {
    to.unconverted_orders += part[Counter::orders_last] / kCreditWhole;
  });
}

void put_hits(const std::vector<SiteSums>& sites, Exposition& to) {
  to.family("footfall_hits_total", Type::counter, "Finished requests of everybody, by the class of their status.");
  for (const SiteSums& site : sites) {
    int64_t other = site.total[Counter::hits];
    for (size_t i = 0; i < kStatusClasses.size(); ++i) {
      to.sample({{"site", site.name}, {"class", kStatusClasses[i]}}, site.hits_by_class[i]);
      other -= site.hits_by_class[i];
    }
    to.sample({{"site", site.name}, {"class", "other"}}, other);
  }
}

void put_bots(const std::vector<SiteSums>& sites, Exposition& to) {
  to.family("footfall_bot_hits_total", Type::counter, "Hits that bots made, by their class.");
  for (const SiteSums& site : sites)
    for (unsigned bot = 1; bot < kBotClasses; ++bot)
      to.sample({{"site", site.name}, {"class", bot_class_name(static_cast<BotClass>(bot))}}, site.bot_hits_by_class[bot]);
}

void put_orders(const std::vector<SiteSums>& sites, Exposition& to) {
  to.family("footfall_conversions_total", Type::counter, "Orders and reached goals.");
  for (const SiteSums& site : sites)
    to.sample({{"site", site.name}}, site.total[Counter::conversions_last] / kCreditWhole);
  to.family("footfall_orders_total", Type::counter, "Accepted orders, each once.");
  for (const SiteSums& site : sites) to.sample({{"site", site.name}}, site.total[Counter::orders_last] / kCreditWhole);
  to.family("footfall_unconverted_orders_total", Type::counter,
            "Orders in a currency without a rate: their value is not part of the revenue.");
  for (const SiteSums& site : sites) to.sample({{"site", site.name}}, site.unconverted_orders);
  to.family("footfall_revenue_total", Type::counter, "Value of the orders, in units of the currency.");
  for (const SiteSums& site : sites)
    to.sample({{"site", site.name}, {"currency", site.currency.text()}},
              format_micros(site.total[Amount::revenue_last], currency_digits(site.currency)));
  to.family("footfall_cost_total", Type::counter, "What marketing cost, in units of the currency.");
  for (const SiteSums& site : sites)
    to.sample({{"site", site.name}, {"currency", site.currency.text()}},
              format_micros(site.total[Amount::cost], currency_digits(site.currency)));
}

void put_sites(const std::vector<SiteSums>& sites, Exposition& to) {
  put_hits(sites, to);
  put_bots(sites, to);
  for (const SiteFamily& family : kSiteFamilies) {
    to.family(family.name, Type::counter, family.help);
    for (const SiteSums& site : sites) to.sample({{"site", site.name}}, site.total[family.counter]);
  }
  put_orders(sites, to);
}

// --- store -----------------------------------------------------------------------------------------------------------

void put_lanes(const StoreHealth& health, Exposition& to) {
  uint64_t dropped[kDropReasons] = {}, corrupt = 0, malformed = 0;
  for (const LaneHealth& lane : health.lanes) {
    for (size_t i = 0; i < kDropReasons; ++i) dropped[i] += lane.dropped[i];
    corrupt += lane.corrupt;
    malformed += lane.malformed_events;
  }
  to.family("footfall_hits_dropped_total", Type::counter, "Hits that were not kept, by reason.");
  for (size_t i = 0; i < kDropReasons; ++i)
    to.sample({{"reason", drop_reason_name(static_cast<DropReason>(i))}}, static_cast<int64_t>(dropped[i]));
  to.sample({{"reason", "no_lane"}}, static_cast<int64_t>(health.missed));
  to.sample({{"reason", "corrupt"}}, static_cast<int64_t>(corrupt));
  to.family("footfall_malformed_events_total", Type::counter, "Hits whose event header was off its grammar.");
  to.sample({}, static_cast<int64_t>(malformed));
  to.family("footfall_ring_used_ratio", Type::gauge, "Share of the lane's ring that is in use.");
  for (const LaneHealth& lane : health.lanes) {
    if (lane.ring_bytes == 0) continue;
    const __int128 millionths = divide_rounded(static_cast<__int128>(lane.ring_used) * 1'000'000, lane.ring_bytes);
    to.sample({{"lane", std::to_string(lane.lane)}}, format_micros(millionths, 6));
  }
}

void put_aggregator(const StoreHealth& health, Exposition& to) {
  to.family("footfall_aggregator_up", Type::gauge, "Whether the aggregator is running.");
  to.sample({}, int64_t{health.aggregator_pid != 0});
  to.family("footfall_lag_seconds", Type::gauge, "How far the figures may be behind the requests.");
  to.sample({}, of_ms(std::max<int64_t>(health.lag_ms, 0)));
  to.family("footfall_lag_hits", Type::gauge, "Hits that are staged and not counted yet.");
  to.sample({}, static_cast<int64_t>(health.lag_hits));
  const CheckpointState checkpoint = health.checkpoint.value_or(CheckpointState{});
  to.family("footfall_hits_lost_total", Type::counter, "Hits that were numbered and never counted.");
  to.sample({}, static_cast<int64_t>(checkpoint.lost_hits));
  to.family("footfall_hits_refused_total", Type::counter, "Hits whose time lay in the future.");
  to.sample({}, static_cast<int64_t>(checkpoint.refused_hits));
  if (checkpoint.complete_through_ms == 0) return;
  to.family("footfall_complete_through_timestamp_seconds", Type::gauge, "Up to when every hit is counted.");
  to.sample({}, of_ms(checkpoint.complete_through_ms));
}

void put_store(const StoreHealth& health, Exposition& to) {
  put_lanes(health, to);
  put_aggregator(health, to);
  to.family("footfall_store_bytes", Type::gauge, "Disk that the store takes.");
  to.sample({}, static_cast<int64_t>(health.store_bytes));
  to.family("footfall_store_free_bytes", Type::gauge, "Disk that is left to the store.");
  to.sample({}, static_cast<int64_t>(health.free_bytes));
  to.family("footfall_faults", Type::gauge, "Faults that the health report names now.");
  to.sample({}, static_cast<int64_t>(health.faults.size()));
  to.family("footfall_warnings", Type::gauge, "Warnings of the aggregator now.");
  to.sample({}, static_cast<int64_t>(health.warnings.size()));
  to.family("footfall_build_info", Type::gauge, "Always 1; the version that answers.");
  to.sample({{"version", FOOTFALL_VERSION}}, 1);
}

}  // namespace

std::variant<std::string, QueryError> to_prometheus(const StoreHealth& health, SummarySnapshot* snapshot,
                                                    const StringHasher& hasher,
                                                    const std::function<bool()>& out_of_time) {
  Exposition text;
  put_store(health, text);
  if (snapshot == nullptr) return text.take();
  std::vector<SiteSums> sites;
  for (const std::string& name : snapshot->checkpoint().sites) {
    if (out_of_time()) return QueryError{503, "too_slow", "summing up took longer than 5 seconds", {}, {}};
    SiteSums& site = sites.emplace_back();
    site.name = name;
    site.currency = site_or_default(snapshot->config(), name).currency;
    if (Status status = sum_up(*snapshot, static_cast<uint16_t>(sites.size() - 1), hasher, site); !status)
      return QueryError{503, "store_fault", status.error().text, {}, {}};
  }
  if (!sites.empty()) put_sites(sites, text);
  return text.take();
}

}  // namespace footfall
