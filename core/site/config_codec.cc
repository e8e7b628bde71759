#include "site/config_codec.h"

#include <cstring>

#include "footfall/v1/config.pb.h"

namespace footfall {
namespace {

using Texts = google::protobuf::RepeatedPtrField<std::string>;

void put(const std::vector<std::string>& from, Texts* to) {
  for (const std::string& text : from) to->Add()->assign(text);
}

std::vector<std::string> taken(const Texts& from) { return {from.begin(), from.end()}; }

// --- encode ---------------------------------------------------------------------------------------------------------

void put_rules(const SiteConfig& from, v1::Site& to) {
  for (const EventRule& rule : from.events) {
    v1::EventRule& event = *to.add_events();
    event.set_name(rule.name);
    event.set_path(rule.path);
    event.set_item_argument(rule.item_argument);
    event.set_value_argument(rule.value_argument);
    event.set_currency_argument(rule.currency_argument);
  }
  if (from.order_page) {
    v1::OrderPage& page = *to.mutable_order_page();
    page.set_path(from.order_page->path);
    page.set_id_argument(from.order_page->id_argument);
    page.set_value_argument(from.order_page->value_argument);
    page.set_currency_argument(from.order_page->currency_argument);
    page.set_items_argument(from.order_page->items_argument);
    page.set_coupon_argument(from.order_page->coupon_argument);
    page.set_customer_argument(from.order_page->customer_argument);
  }
  for (const GoalConfig& goal : from.goals) {
    v1::Goal& added = *to.add_goals();
    added.set_name(goal.name);
    added.set_event(goal.event);
    added.set_path(goal.path);
    added.set_value_micros(goal.value_micros);
  }
  for (const FunnelConfig& funnel : from.funnels) {
    v1::Funnel& added = *to.add_funnels();
    added.set_name(funnel.name);
    for (const FunnelStep& step : funnel.steps) {
      v1::FunnelStep& added_step = *added.add_steps();
      added_step.set_is_event(step.is_event);
      added_step.set_pattern(step.pattern);
    }
  }
  for (const PageGroup& group : from.page_groups) {
    v1::PageGroup& added = *to.add_page_groups();
    added.set_name(group.name);
    added.set_path(group.path);
  }
}

void put_arrivals(const SiteConfig& from, v1::Site& to) {
  for (const CodeConfig& code : from.codes) {
    v1::Code& added = *to.add_codes();
    added.set_code(code.code);
    added.set_channel(code.channel);
    added.set_campaign(code.campaign);
    added.set_source(code.source);
    added.set_target(code.target);
    put(code.landings, added.mutable_landings());
    put(code.coupons, added.mutable_coupons());
  }
  for (const ChannelRule& rule : from.channels) {
    v1::ChannelRule& added = *to.add_channels();
    added.set_name(rule.name);
    put(rule.referrers, added.mutable_referrers());
    put(rule.sources, added.mutable_sources());
    put(rule.mediums, added.mutable_mediums());
    put(rule.campaigns, added.mutable_campaigns());
  }
}

void put_site(const SiteConfig& from, v1::Site& to) {
  to.set_name(from.name);
  to.set_timezone(from.timezone);
  to.set_currency(std::string(from.currency.text()));
  put(from.hosts, to.mutable_hosts());
  if (from.margin_micros) to.set_margin_micros(*from.margin_micros);
  to.set_visit_gap_s(from.visit_gap_s);
  to.set_lookback_days(from.lookback_days);
  put(from.arguments, to.mutable_arguments());
  to.set_search_argument(from.search_argument);
  to.set_codes_prefix(from.codes_prefix);
  put(from.payment_hosts, to.mutable_payment_hosts());
  for (const AddressRange& range : from.exclude) {
    v1::AddressRange& added = *to.add_exclude();
    added.set_address(range.address.data(), range.address.size());
    added.set_prefix_bits(range.prefix_bits);
  }
  put(from.exclude_agents, to.mutable_exclude_agents());
  put(from.exclude_paths, to.mutable_exclude_paths());
  put_arrivals(from, to);
  put_rules(from, to);
}

void put_retention(const Retention& from, v1::Retention& to) {
  to.set_minute_s(from.minute_s);
  to.set_hour_s(from.hour_s);
  to.set_day_s(from.day_s);
  to.set_month_s(from.month_s);
  to.set_visitors_s(from.visitors_s);
  to.set_orders_s(from.orders_s);
  to.set_visits_s(from.visits_s);
  to.set_visits_bytes_max(from.visits_bytes_max);
}

// --- decode: what others rely on is checked again; the rest is only text
// ----------------------------------------------

bool take_currency(const std::string& from, Currency& to) {
  const std::optional<Currency> currency = parse_currency(from);
  if (!currency || currency->text() != from) return false;
  to = *currency;
  return true;
}

bool take_range(const v1::AddressRange& from, AddressRange& to) {
  if (from.address().size() != to.address.size() || from.prefix_bits() > 128) return false;
  std::memcpy(to.address.data(), from.address().data(), to.address.size());
  to.prefix_bits = static_cast<uint8_t>(from.prefix_bits());
  return true;
}

void take_rules(const v1::Site& from, SiteConfig& to) {
  for (const v1::EventRule& rule : from.events()) {
    to.events.push_back(
        {rule.name(), rule.path(), rule.item_argument(), rule.value_argument(), rule.currency_argument()});
  }
  if (from.has_order_page()) {
    const v1::OrderPage& page = from.order_page();
    to.order_page =
        OrderPage{page.path(),           page.id_argument(),     page.value_argument(),   page.currency_argument(),
                  page.items_argument(), page.coupon_argument(), page.customer_argument()};
  }
  for (const v1::Goal& goal : from.goals()) {
    to.goals.push_back({goal.name(), goal.event(), goal.path(), goal.value_micros()});
  }
  for (const v1::Funnel& funnel : from.funnels()) {
    to.funnels.push_back({funnel.name(), {}});
    for (const v1::FunnelStep& step : funnel.steps())
      to.funnels.back().steps.push_back({step.is_event(), step.pattern()});
  }
  for (const v1::PageGroup& group : from.page_groups()) to.page_groups.push_back({group.name(), group.path()});
}

void take_arrivals(const v1::Site& from, SiteConfig& to) {
  for (const v1::Code& code : from.codes()) {
    to.codes.push_back({code.code(), code.channel(), code.campaign(), code.source(), code.target(),
                        taken(code.landings()), taken(code.coupons())});
  }
  for (const v1::ChannelRule& rule : from.channels()) {
    to.channels.push_back(
        {rule.name(), taken(rule.referrers()), taken(rule.sources()), taken(rule.mediums()), taken(rule.campaigns())});
  }
}

// Empty, or what is wrong.
std::string take_site(const v1::Site& from, SiteConfig& to) {
  to.name = from.name();
  to.timezone = from.timezone();
  if (to.name.empty()) return "name";
  if (!take_currency(from.currency(), to.currency)) return "currency";
  to.hosts = taken(from.hosts());
  if (from.has_margin_micros()) to.margin_micros = from.margin_micros();
  to.visit_gap_s = from.visit_gap_s();
  to.lookback_days = from.lookback_days();
  if (to.visit_gap_s <= 0) return "visit_gap_s";
  if (to.lookback_days <= 0) return "lookback_days";
  to.arguments = taken(from.arguments());
  to.search_argument = from.search_argument();
  to.codes_prefix = from.codes_prefix();
  to.payment_hosts = taken(from.payment_hosts());
  for (const v1::AddressRange& range : from.exclude()) {
    if (!take_range(range, to.exclude.emplace_back())) return "exclude";
  }
  to.exclude_agents = taken(from.exclude_agents());
  to.exclude_paths = taken(from.exclude_paths());
  take_arrivals(from, to);
  take_rules(from, to);
  return {};
}

Retention taken(const v1::Retention& from) {
  return {from.minute_s(),   from.hour_s(),   from.day_s(),    from.month_s(),
          from.visitors_s(), from.orders_s(), from.visits_s(), from.visits_bytes_max()};
}

}  // namespace

std::string encode_config(const Config& config) {
  v1::Config message;
  message.set_store(config.store);
  message.set_map_bytes(config.map_bytes);
  message.set_open_visits_max(config.open_visits_max);
  message.set_orders_max(config.orders_max);
  for (const SiteConfig& site : config.sites) put_site(site, *message.add_sites());
  for (const Rate& rate : config.rates) {
    v1::Rate& added = *message.add_rates();
    added.set_currency(std::string(rate.currency.text()));
    added.set_trillionths(rate.trillionths);
  }
  put_retention(config.retention, *message.mutable_retention());
  for (const DeskConfig& desk : config.desks) {
    v1::Desk& added = *message.add_desks();
    added.set_name(desk.name);
    put(desk.reports, added.mutable_reports());
    put(desk.metrics, added.mutable_metrics());
    put(desk.sites, added.mutable_sites());
  }
  return message.SerializeAsString();
}

Result<Config> decode_config(std::string_view bytes) {
  v1::Config message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !message.has_retention()) {
    return Error::corrupt("stored configuration: no message of ours in " + std::to_string(bytes.size()) + " bytes");
  }
  Config config;
  config.store = message.store();
  config.map_bytes = message.map_bytes();
  config.open_visits_max = message.open_visits_max();
  config.orders_max = message.orders_max();
  for (const v1::Site& site : message.sites()) {
    const std::string wrong = take_site(site, config.sites.emplace_back());
    if (!wrong.empty()) return Error::corrupt("stored configuration: site \"" + site.name() + "\": " + wrong);
  }
  for (const v1::Rate& rate : message.rates()) {
    Rate& added = config.rates.emplace_back();
    added.trillionths = rate.trillionths();
    if (!take_currency(rate.currency(), added.currency) || added.trillionths <= 0) {
      return Error::corrupt("stored configuration: rate \"" + rate.currency() + '"');
    }
  }
  config.retention = taken(message.retention());
  for (const v1::Desk& desk : message.desks()) {
    config.desks.push_back({desk.name(), taken(desk.reports()), taken(desk.metrics()), taken(desk.sites())});
  }
  return config;
}

}  // namespace footfall
