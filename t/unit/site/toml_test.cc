// footfall.toml: what it says, and every way of getting it wrong once.
#include "site/toml.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "site/checks.h"
#include "site/example.h"
#include "site/units.h"
#include "test.h"

using namespace footfall;

namespace {

// Kept outside the tests' stacks: a failed test leaves by longjmp.
Result<Config>& parse(std::string_view text) {
  static Result<Config> parsed = Error::invalid("");
  parsed = parse_config(text, "footfall.toml");
  return parsed;
}

const Config& config_of(std::string_view text) {
  const Result<Config>& parsed = parse(text);
  if (!parsed.ok()) print_error("%s\n", parsed.error().text.c_str());
  assert_true(parsed.ok());
  return *parsed;
}

void expect_fault(std::string_view text, std::string_view fault) {
  const Result<Config>& parsed = parse(text);
  if (parsed.ok()) print_error("taken without a fault:\n%.*s\n", static_cast<int>(text.size()), text.data());
  assert_false(parsed.ok());
  assert_true(parsed.error().code == Error::Code::invalid);
  expect_text(parsed.error().text, fault);
}

// --- what a right file says -----------------------------------------------------------------------------------------

void test_empty_file_is_all_defaults(void**) {
  assert_true(config_of("") == Config{});
  const Config& config = config_of("");
  expect_text(config.store, "/var/lib/footfall");
  expect_number(config.map_bytes, int64_t{32} << 30);
  expect_number(config.open_visits_max, 10'000'000);
  expect_number(config.orders_max, 20'000'000);
  expect_number(config.retention.orders_s, 400 * 86'400);
  expect_number(config.retention.month_s, kForeverS);
}

void test_site_without_keys_is_the_default_site(void**) {
  const Config& config = config_of("[site.shop]\n");
  expect_number(static_cast<int64_t>(config.sites.size()), 1);
  assert_true(config.sites[0] == default_site("shop"));
  assert_true(site_or_default(config, "elsewhere") == default_site("elsewhere"));
  const SiteConfig& site = config.sites[0];
  expect_text(site.timezone, "UTC");
  expect_text(site.currency.text(), "EUR");
  expect_number(site.visit_gap_s, 1800);
  expect_number(site.lookback_days, 30);
  assert_false(site.margin_micros.has_value());
}

void test_example_says_what_it_says(void**) {
  const Config& config = config_of(kExampleToml);
  const SiteConfig* shop = find_site(config, "shop");
  assert_non_null(shop);
  expect_text(shop->timezone, "Europe/Berlin");
  expect_text(shop->hosts.at(0), "shop.example");
  assert_ptr_equal(find_site_of_host(config, "shop.example"), shop);
  assert_ptr_equal(find_site_of_host(config, "www.shop.example"), shop);
  assert_null(find_site_of_host(config, "other.example"));
  expect_number(*shop->margin_micros, 350'000);
  expect_number(shop->visit_gap_s, 1800);
  expect_text(shop->arguments.at(0), "variant");
  expect_text(shop->search_argument, "q");
  expect_text(shop->codes_prefix, "/go/");
  expect_text(format_address_range(shop->exclude.at(0)), "10.0.0.0/8");

  const CodeConfig code{"SPRING24", "direct_mail", "spring-mailing", "", "/sale", {"/s24"}, {"MAIL24"}};
  assert_true(shop->codes.at(0) == code);
  const ChannelRule rule{"marketplace", {"market.example"}, {}, {}, {}};
  assert_true(shop->channels.at(0) == rule);
  const EventRule event{"add_to_cart", "/cart/add*", "sku", "", ""};
  assert_true(shop->events.at(0) == event);
  const OrderPage page{"/thank-you", "order", "total", "cur", "items", "coupon", ""};
  assert_true(shop->order_page == page);
  const GoalConfig goal{"newsletter", "sign_up", "", 2'000'000};
  assert_true(shop->goals.at(0) == goal);
  const FunnelConfig funnel{"checkout", {{false, "/cart"}, {false, "/checkout"}, {true, "purchase"}}};
  assert_true(shop->funnels.at(0) == funnel);
}

void test_example_keeps_and_shows_what_it_says(void**) {
  const Config& config = config_of(kExampleToml);
  const Rate* dollar = find_rate(config, *parse_currency("USD"));
  assert_non_null(dollar);
  expect_number(dollar->trillionths, 920'000'000'000);
  assert_null(find_rate(config, *parse_currency("GBP")));
  assert_true(config.retention == Retention{});
  const DeskConfig desk{
      "marketing", {"channels", "campaigns", "attribution", "roi"}, {"traffic", "revenue", "cost"}, {}};
  assert_true(config.desks.at(0) == desk);
}

void test_hosts_read_as_referrers_do(void**) {
  const Config& config =
      config_of("[site.shop]\nhosts = [\"WWW.Shop.Example.\", \"shop.example\", \"[2001:DB8::1]\"]\n");
  expect_number(static_cast<int64_t>(config.sites.at(0).hosts.size()), 2);
  expect_text(config.sites.at(0).hosts.at(0), "shop.example");
  expect_text(config.sites.at(0).hosts.at(1), "[2001:db8::1]");
}

void test_channel_rules_are_in_lower_case(void**) {
  const Config& config = config_of(
      "[[site.shop.channel]]\nname = \"Market\"\nsource = [\"Idealo\"]\nmedium = [\"CSE*\"]\ncampaign = [\"Q4\"]\n");
  const ChannelRule rule{"Market", {}, {"idealo"}, {"cse*"}, {"q4"}};
  assert_true(config.sites.at(0).channels.at(0) == rule);
}

void test_further_keys_of_a_site(void**) {
  const Config& config = config_of(
      "map = \"1GB\"\nopen_visits_max = 1000\norders_max = 2000\n"
      "[site.\"shop.example\"]\nexclude_agents = [\"UptimeRobot\"]\nexclude_paths = [\"/admin/*\"]\npayment = "
      "[\"pay.example\"]\n"
      "[[site.\"shop.example\".page_group]]\nname = \"products\"\npath = \"/p/*\"\n"
      "[desk.store]\nsites = [\"shop.example\"]\n");
  const SiteConfig& site = config.sites.at(0);
  expect_text(site.name, "shop.example");
  expect_text(site.exclude_agents.at(0), "UptimeRobot");
  expect_text(site.exclude_paths.at(0), "/admin/*");
  expect_text(site.payment_hosts.at(0), "pay.example");
  expect_text(site.page_groups.at(0).path, "/p/*");
  expect_text(config.desks.at(0).sites.at(0), "shop.example");
  expect_number(config.map_bytes, int64_t{954} << 20);  // whole MiB
  expect_number(config.open_visits_max, 1000);
  expect_number(config.orders_max, 2000);
}

void test_rates_keep_their_digits(void**) {
  const Config& config =
      config_of("[rates]\nIDR = 0.0000573\nJPY = 0.00612\nKWD = 3\nBTC = 98765.4321\nVND = 5.5e-05\n");
  const struct {
    const char* currency;
    int64_t trillionths;
  } kRows[] = {{"IDR", 57'300'000},
               {"JPY", 6'120'000'000},
               {"KWD", 3 * kRateOne},
               {"BTC", 98'765'432'100'000'000},
               {"VND", 55'000'000}};
  for (const auto& row : kRows) {
    const Rate* rate = find_rate(config, *parse_currency(row.currency));
    assert_non_null(rate);
    expect_number(rate->trillionths, row.trillionths);
  }
}

void test_amounts_convert_with_one_rounding(void**) {
  const Rate dollar{*parse_currency("USD"), 920'000'000'000};
  expect_number(convert_micros(129'900'000, dollar), 119'508'000);
  expect_number(convert_micros(1, {dollar.currency, kRateOne / 2}), 1);
  expect_number(convert_micros(-1, {dollar.currency, kRateOne / 2}), -1);
  expect_number(convert_micros(1, {dollar.currency, kRateOne / 2 - 1}), 0);
  expect_number(convert_micros(999'999'999'999'999, {dollar.currency, 999'999 * kRateOne}), INT64_MAX);
}

void test_durations_and_sizes(void**) {
  expect_number(*parse_duration_s("90s"), 90);
  expect_number(*parse_duration_s("30m"), 1800);
  expect_number(*parse_duration_s("2h"), 7200);
  expect_number(*parse_duration_s("3w"), 21 * 86'400);
  expect_number(*parse_duration_s("5y"), 5 * 365 * 86'400);
  expect_number(*parse_duration_s("forever"), kForeverS);
  for (const char* text :
       {"", "30", "m", "30 m", "-1d", "+1d", "1.5h", "30M", "1d2h", "99999999999999999999d", "9999999999999y"}) {
    assert_false(parse_duration_s(text).has_value());
  }
  expect_number(*parse_size_bytes("10GiB"), int64_t{10} << 30);
  expect_number(*parse_size_bytes("64KiB"), 65'536);
  expect_number(*parse_size_bytes("2TB"), 2'000'000'000'000);
  expect_number(*parse_size_bytes("4096B"), 4096);
  for (const char* text : {"", "10", "GiB", "10 GiB", "-1GiB", "10gib", "9999999999TiB"}) {
    assert_false(parse_size_bytes(text).has_value());
  }
}

// --- what is wrong, where, and what would be right ------------------------------------------------------------------

struct Wrong {
  const char* text;
  const char* fault;
};

template <size_t N>
void expect_faults(const Wrong (&rows)[N]) {
  for (const Wrong& row : rows) expect_fault(row.text, row.fault);
}

void test_wrong_grammar(void**) {
  assert_false(parse("[site.shop]\nmargin = \n").ok());
  assert_true(parse("").ok());
  const Result<Config>& twice = parse("[site.shop]\nmargin = 0.1\nmargin = 0.2\n");
  assert_false(twice.ok());
  assert_true(twice.error().text.starts_with("footfall.toml:3: off TOML's grammar: "));
}

void test_unknown_keys(void**) {
  const Wrong kRows[] = {
      {"\nstorre = \"/x\"\n", "footfall.toml:2: storre is unknown; did you mean \"store\"?"},
      {"[site.shop]\ntimezon = \"UTC\"\n", "footfall.toml:2: site.shop.timezon is unknown; did you mean \"timezone\"?"},
      {"[sites.shop]\n", "footfall.toml:1: sites is unknown; did you mean \"site\"?"},
      {"[[site.shop.goals]]\nname = \"x\"\n", "footfall.toml:1: site.shop.goals is unknown; did you mean \"goal\"?"},
      {"[site.shop.order_page]\npath = \"/t\"\nid_arg = \"o\"\nvalue_arg = \"v\"\ntax = \"t\"\n",
       "footfall.toml:5: site.shop.order_page.tax is unknown; known here are path, id_arg, value_arg, currency_arg, "
       "items_arg, coupon_arg, customer_arg"},
      {"[retention]\nweek = \"2d\"\n",
       "footfall.toml:2: retention.week is unknown; known here are minute, hour, day, month, visitors, orders, visits, "
       "visits_max"},
  };
  expect_faults(kRows);
}

void test_wrong_types(void**) {
  const Wrong kRows[] = {
      {"store = 7\n", "footfall.toml:1: store is 7; it must be an absolute path, as \"/var/lib/footfall\""},
      {"[site.shop]\nmargin = \"much\"\n",
       "footfall.toml:2: site.shop.margin is \"much\"; it must be a number from 0 to 1, as 0.35"},
      {"[site.shop]\nhosts = \"shop.example\"\n",
       "footfall.toml:2: site.shop.hosts is \"shop.example\"; it must be a list of bare host names, as "
       "[\"shop.example\"]"},
      {"[site.shop]\nhosts = [\n\"shop.example\",\n7]\n",
       "footfall.toml:4: site.shop.hosts has 7; it must be a list of bare host names, as [\"shop.example\"]"},
      {"[site]\nshop = true\n",
       "footfall.toml:2: site.shop is true; it must be a table with a name of its own, as [site.shop]"},
      {"site = 2026-10-25\n", "footfall.toml:1: site is a date or time; it must be a table, as [site]"},
      {"[site.shop.goal]\nname = \"x\"\n",
       "footfall.toml:1: site.shop.goal is a table; it must be a list of tables, each begun by [[site.shop.goal]]"},
      {"[site.shop]\ngoal = [1]\n",
       "footfall.toml:2: site.shop.goal is 1; it must be a list of tables, each begun by [[site.shop.goal]]"},
      {"[[site.shop.order_page]]\npath = \"/t\"\n",
       "footfall.toml:1: site.shop.order_page is a list; it must be one table, as [site.shop.order_page]"},
      {"[rates]\nUSD = \"0.92\"\n", "footfall.toml:2: rates.USD is \"0.92\"; it must be a number"},
      {"orders_max = 1.5\n", "footfall.toml:1: orders_max is 1.5; it must be a whole number from 1 to 1000000000"},
      {"[site.shop]\nmargin = inf\n",
       "footfall.toml:2: site.shop.margin is no finite number; it must be a number from 0 to 1, as 0.35"},
  };
  expect_faults(kRows);
}

void test_wrong_values_of_the_whole(void**) {
  const Wrong kRows[] = {
      {"store = \"footfall\"\n",
       "footfall.toml:1: store is \"footfall\"; it must be an absolute path, as \"/var/lib/footfall\""},
      {"map = \"32\"\n", "footfall.toml:1: map is \"32\"; it must be a size from 16MiB to 16TiB, as \"32GiB\""},
      {"map = \"1MiB\"\n", "footfall.toml:1: map is \"1MiB\"; it must be a size from 16MiB to 16TiB, as \"32GiB\""},
      {"open_visits_max = 0\n",
       "footfall.toml:1: open_visits_max is 0; it must be a whole number from 1 to 1000000000"},
      {"[retention]\nhour = \"90\"\n",
       "footfall.toml:2: retention.hour is \"90\"; it must be a duration of at least 1h or \"forever\", as \"90d\""},
      {"[retention]\nvisits_max = \"10G\"\n",
       "footfall.toml:2: retention.visits_max is \"10G\"; it must be a size of at least 1MiB, as \"10GiB\""},
      {"[rates]\nUSD = 0\n",
       "footfall.toml:2: rates.USD is 0; it must be a number above 0 and below 1000000: what one USD is worth in the "
       "site's currency"},
      {"[rates]\nUSD = -0.92\n",
       "footfall.toml:2: rates.USD is -0.92; it must be a number above 0 and below 1000000: what one USD is worth in "
       "the site's currency"},
      {"[rates]\nusd = 0.92\n",
       "footfall.toml:2: rates.usd is no currency; it must be three capital letters, as USD = 0.92"},
      {"[desk.marketing]\nmetrics = [\"money\"]\n",
       "footfall.toml:2: desk.marketing.metrics has \"money\"; it must be a list of metric classes out of traffic, "
       "orders, revenue, cost, technical"},
      {"[desk.\"a b\"]\n",
       "footfall.toml:1: desk.a b has a name that is none; it must be 1 to 64 letters, digits and . _ - : *, as "
       "[desk.marketing]"},
      {"[desk.x]\nsites = [\"\"]\n",
       "footfall.toml:2: desk.x.sites has \"\"; it must be a list of sites' names, as [\"shop\"]"},
  };
  expect_faults(kRows);
  const Result<Config>& unknown_report = parse("[desk.marketing]\nreports = [\"channels\",\n\"gossip\"]\n");
  assert_false(unknown_report.ok());
  assert_true(
      unknown_report.error().text.starts_with("footfall.toml:3: desk.marketing.reports has \"gossip\"; it must be a "
                                              "list of reports out of overview, health, "));
}

void test_wrong_values_of_a_site(void**) {
  const Wrong kRows[] = {
      {"[site.\"my shop\"]\n",
       "footfall.toml:1: site.my shop has a name that is none; it must be 1 to 64 letters, digits and . _ - : *, as "
       "[site.shop]"},
      {"[site.shop]\ntimezone = \"Berlin\"\n",
       "footfall.toml:2: site.shop.timezone is \"Berlin\"; it must be a name of the time zone database, as "
       "\"Europe/Berlin\""},
      {"[site.shop]\ncurrency = \"eur\"\n",
       "footfall.toml:2: site.shop.currency is \"eur\"; it must be three capital letters, as \"EUR\""},
      {"[site.shop]\ncurrency = \"EURO\"\n",
       "footfall.toml:2: site.shop.currency is \"EURO\"; it must be three capital letters, as \"EUR\""},
      {"[site.shop]\nmargin = 35\n",
       "footfall.toml:2: site.shop.margin is 35; it must be a number from 0 to 1, as 0.35"},
      {"[site.shop]\nmargin = -0.01\n",
       "footfall.toml:2: site.shop.margin is -0.01; it must be a number from 0 to 1, as 0.35"},
      {"[site.shop]\nvisit_gap = \"30min\"\n",
       "footfall.toml:2: site.shop.visit_gap is \"30min\"; it must be a duration from 1s to 1d, as \"30m\""},
      {"[site.shop]\nvisit_gap = \"2d\"\n",
       "footfall.toml:2: site.shop.visit_gap is \"2d\"; it must be a duration from 1s to 1d, as \"30m\""},
      {"[site.shop]\nlookback = \"45d\"\n",
       "footfall.toml:2: site.shop.lookback is \"45d\"; it must be one of 1d, 7d, 30d, 90d"},
      {"[site.shop]\nhosts = [\"https://shop.example/\"]\n",
       "footfall.toml:2: site.shop.hosts has \"https://shop.example/\"; it must be a list of bare host names, as "
       "[\"shop.example\"]"},
      {"[site.shop]\nargs = [\"a&b\"]\n",
       "footfall.toml:2: site.shop.args has \"a&b\"; it must be a list of names of query arguments, as [\"variant\"]"},
      {"[site.shop]\nsearch = \"\"\n",
       "footfall.toml:2: site.shop.search is \"\"; it must be the name of a query argument, as \"variant\""},
      {"[site.shop]\ncodes = \"/go\"\n",
       "footfall.toml:2: site.shop.codes is \"/go\"; it must be a path that begins and ends with /, as \"/go/\""},
      {"[site.shop]\nexclude = [\"10.0.0.0/40\"]\n",
       "footfall.toml:2: site.shop.exclude has \"10.0.0.0/40\"; it must be a list of addresses or ranges of them, as "
       "[\"10.0.0.0/8\", \"2001:db8::/32\"]"},
      {"[site.shop]\nexclude_agents = [\"*\"]\n",
       "footfall.toml:2: site.shop.exclude_agents has \"*\"; it must be a list of parts of user agents that may hold "
       "`*`, as [\"UptimeRobot\"]"},
      {"[site.shop]\nexclude_paths = [\"admin\"]\n",
       "footfall.toml:2: site.shop.exclude_paths has \"admin\"; it must be a list of paths that may hold `*`, as "
       "[\"/admin/*\"]"},
      {"[site.shop]\npayment = [\"pay.example:443\"]\n",
       "footfall.toml:2: site.shop.payment has \"pay.example:443\"; it must be a list of bare host names, as "
       "[\"pay.example\"]"},
  };
  expect_faults(kRows);
}

void test_a_host_belongs_to_one_site(void**) {
  expect_fault(
      "[site.a]\nhosts = [\"shop.example\"]\n[site.b]\nhosts = [\"b.example\", \"www.shop.example\"]\n",
      "footfall.toml:4: site.b.hosts has \"shop.example\", which site.a has already; a host must belong to one site");
}

void test_wrong_codes(void**) {
  const Wrong kRows[] = {
      {"[[site.shop.code]]\ncode = \"A\"\n",
       "footfall.toml:1: site.shop.code has no channel; it must have one, as channel = \"direct_mail\""},
      {"[[site.shop.code]]\nchannel = \"qr\"\n",
       "footfall.toml:1: site.shop.code has no code; it must have one, as code = \"SPRING24\""},
      {"[[site.shop.code]]\ncode = \"A B\"\nchannel = \"qr\"\n",
       "footfall.toml:2: site.shop.code.code is \"A B\"; it must be 1 to 64 letters, digits and . _ ~ -, as "
       "\"SPRING24\""},
      {"[[site.shop.code]]\ncode = \"MAIL\"\nchannel = \"qr\"\n\n[[site.shop.code]]\ncode = \"mail\"\nchannel = "
       "\"qr\"\n",
       "footfall.toml:6: site.shop.code code \"mail\" is there twice; each must be its own"},
      {"[[site.shop.code]]\ncode = \"A\"\nchannel = \"qr\"\ncoupon = [\"X\"]\n[[site.shop.code]]\ncode = "
       "\"B\"\nchannel = "
       "\"qr\"\ncoupon = [\"x\"]\n",
       "footfall.toml:8: site.shop.code coupon \"x\" is there twice; each must be its own"},
      {"[[site.shop.code]]\ncode = \"A\"\nchannel = \"qr\"\nlanding = [\"/a\", \"/a\"]\n",
       "footfall.toml:4: site.shop.code landing \"/a\" is there twice; each must be its own"},
      {"[[site.shop.code]]\ncode = \"A\"\nchannel = \"qr\"\ntarget = \"javascript:x\"\n",
       "footfall.toml:4: site.shop.code.target is \"javascript:x\"; it must be a path or an http(s) URL, as \"/sale\""},
      {"[[site.shop.code]]\ncode = \"A\"\nchannel = \"qr\"\ntarget = \"/a\\r\\nSet-Cookie: x\"\n",
       "footfall.toml:4: site.shop.code.target is \"/a??Set-Cookie: x\"; it must be a path or an http(s) URL, as "
       "\"/sale\""},
      {"[[site.shop.code]]\ncode = \"A\"\nchannel = \"qr\"\nlanding = [\"s24\"]\n",
       "footfall.toml:4: site.shop.code.landing has \"s24\"; it must be a list of paths, as [\"/s24\"]"},
  };
  expect_faults(kRows);
}

void test_wrong_rules(void**) {
  const Wrong kRows[] = {
      {"[[site.shop.channel]]\nname = \"market\"\n",
       "footfall.toml:1: site.shop.channel has no condition; it must have at least one of referrer, source, medium, "
       "campaign"},
      {"[[site.shop.channel]]\nreferrer = [\"market.example\"]\n",
       "footfall.toml:1: site.shop.channel has no name; it must have one, as name = \"marketplace\""},
      {"[[site.shop.event]]\nname = \"add to cart\"\npath = \"/cart\"\n",
       "footfall.toml:2: site.shop.event.name is \"add to cart\"; it must be an event's name of letters, digits and . "
       "_ - "
       ":, as \"add_to_cart\"; orders are told by [site.shop.order_page]"},
      {"[[site.shop.event]]\nname = \"purchase\"\npath = \"/thank-you\"\n",
       "footfall.toml:2: site.shop.event.name is \"purchase\"; it must be an event's name of letters, digits and . _ - "
       ":, "
       "as \"add_to_cart\"; orders are told by [site.shop.order_page]"},
      {"[[site.shop.event]]\nname = \"view\"\npath = \"/cart?x=1\"\n",
       "footfall.toml:3: site.shop.event.path is \"/cart?x=1\"; it must be a path without arguments that may hold `*`, "
       "as "
       "\"/cart/add*\""},
      {"[[site.shop.event]]\nname = \"view\"\n",
       "footfall.toml:1: site.shop.event has no path; it must have one, as path = \"/cart/add*\""},
      {"[site.shop.order_page]\npath = \"/thank-you\"\nid_arg = \"order\"\n",
       "footfall.toml:1: site.shop.order_page has no value_arg; it must have one, as value_arg = \"total\""},
      {"[[site.shop.page_group]]\nname = \"é\"\npath = \"/é\"\n",
       "footfall.toml:3: site.shop.page_group.path is \"/é\"; it must be a path that may hold `*`, percent-encoded as "
       "browsers send it, as \"/cart/add*\""},
  };
  expect_faults(kRows);
}

void test_wrong_goals_and_funnels(void**) {
  const Wrong kRows[] = {
      {"[[site.shop.goal]]\nname = \"n\"\n",
       "footfall.toml:1: site.shop.goal has neither event nor path; it must have one, as event = \"sign_up\" or path = "
       "\"/welcome\""},
      {"[[site.shop.goal]]\nname = \"n\"\nevent = \"sign_up\"\npath = \"/welcome\"\n",
       "footfall.toml:1: site.shop.goal has both event and path; it must have one of them"},
      {"[[site.shop.goal]]\nname = \"n\"\nevent = \"sign_up\"\nvalue = -1\n",
       "footfall.toml:4: site.shop.goal.value is -1; it must be an amount of at least 0 in the site's currency, as "
       "2.00"},
      {"[[site.shop.goal]]\nname = \"n\"\nevent = \"a\"\n[[site.shop.goal]]\nname = \"n\"\nevent = \"b\"\n",
       "footfall.toml:5: site.shop.goal name \"n\" is there twice; each must be its own"},
      {"[[site.shop.funnel]]\nname = \"f\"\nsteps = [\"/cart\"]\n",
       "footfall.toml:1: site.shop.funnel has 1 step; it must have 2 to 12"},
      {"[[site.shop.funnel]]\nname = \"f\"\nsteps = "
       "[\"/1\",\"/2\",\"/3\",\"/4\",\"/5\",\"/6\",\"/7\",\"/8\",\"/9\",\"/10\","
       "\"/11\",\"/12\",\"/13\"]\n",
       "footfall.toml:1: site.shop.funnel has 13 steps; it must have 2 to 12"},
      {"[[site.shop.funnel]]\nname = \"f\"\nsteps = [\"/cart\", \"purchase\"]\n",
       "footfall.toml:3: site.shop.funnel.steps has \"purchase\"; it must be a list of paths and events, as "
       "[\"/cart\", "
       "\"event:purchase\"]"},
      {"[[site.shop.funnel]]\nname = \"f\"\n",
       "footfall.toml:1: site.shop.funnel has no steps; it must have one, as steps = [\"/cart\", \"/checkout\", "
       "\"event:purchase\"]"},
  };
  expect_faults(kRows);
}

void test_faults_come_together_by_line(void**) {
  expect_fault(
      "[site.shop]\nlookback = \"45d\"\ntimezon = \"UTC\"\ncurrency = \"eur\"\n[rates]\nUSD = 0\n",
      "footfall.toml:2: site.shop.lookback is \"45d\"; it must be one of 1d, 7d, 30d, 90d\n"
      "footfall.toml:3: site.shop.timezon is unknown; did you mean \"timezone\"?\n"
      "footfall.toml:4: site.shop.currency is \"eur\"; it must be three capital letters, as \"EUR\"\n"
      "footfall.toml:6: rates.USD is 0; it must be a number above 0 and below 1000000: what one USD is worth in "
      "the site's currency");
}

void test_faults_beyond_twenty_are_counted(void**) {
  static std::string text;
  text = "[rates]\n";
  for (char c = 'a'; c < 'a' + 23; ++c) text += std::string("xx") + c + " = 1\n";
  const std::string& told = parse(text).error().text;
  assert_true(told.ends_with("\nand 3 more"));
  expect_number(std::count(told.begin(), told.end(), '\n'), 20);
}

void test_too_many_sites(void**) {
  static std::string text;
  text.clear();
  for (int i = 0; i < 257; ++i) text += "[site.s" + std::to_string(i) + "]\n";
  expect_fault(text, "footfall.toml:1: site has 257 sites; it must have at most 256");
}

void test_hostile_bytes_are_faults(void**) {
  for (const std::string_view text : {std::string_view("\0", 1), std::string_view("store = \"/\xff\"\n"),
                                      std::string_view("store = \"/a\\u0000b\"\n"), std::string_view("[[[[[[[[[[")}) {
    assert_false(parse(text).ok());
  }
  static std::string deep;
  deep = "x = " + std::string(100'000, '[');
  assert_false(parse(deep).ok());
}

// Cut and changed files are taken or refused, each fault with its place. They come from the administrator, but a daemon
// that reads them again at work must not die of a slip.
void test_mutilated_files_do_no_harm(void**) {
  static const std::string whole = kExampleToml;
  static std::string text;
  uint32_t random = 4711;
  const auto next = [&random] { return (random = random * 1664525 + 1013904223) >> 8; };
  static constexpr std::string_view kLetters = "[]{}=.,\"'#\n\\ 0a-_+e\t:*\xc3\xa9";
  for (int round = 0; round < 1000; ++round) {
    text = whole.substr(0, round % 3 == 0 ? next() % whole.size() : whole.size());
    for (uint32_t change = next() % 4; change-- > 0 && !text.empty();) {
      text[next() % text.size()] = kLetters[next() % kLetters.size()];
    }
    const Result<Config>& parsed = parse(text);
    if (!parsed.ok()) assert_true(parsed.error().text.starts_with("footfall.toml:"));
  }
}

// --- files ----------------------------------------------------------------------------------------------------------

void test_files_load_or_say_why_not(void**) {
  static Result<Config> loaded = load_config("/nonexistent/footfall.toml");
  assert_false(loaded.ok());
  assert_true(loaded.error().code == Error::Code::not_found);
  loaded = load_config("/");
  assert_false(loaded.ok());
  assert_true(loaded.error().code == Error::Code::io);
  loaded = load_config("/dev/zero");
  assert_false(loaded.ok());
  assert_true(loaded.error().code == Error::Code::invalid);

  char path[] = "/tmp/footfall-toml-XXXXXX";
  const int file = mkstemp(path);
  assert_true(file >= 0);
  const std::string_view text = "[site.shop]\nlookback = \"45d\"\n";
  assert_int_equal(write(file, text.data(), text.size()), text.size());
  close(file);
  loaded = load_config(path);
  unlink(path);
  assert_false(loaded.ok());
  expect_text(loaded.error().text,
              std::string(path) + ":2: site.shop.lookback is \"45d\"; it must be one of 1d, 7d, 30d, 90d");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_empty_file_is_all_defaults),
      cmocka_unit_test(test_site_without_keys_is_the_default_site),
      cmocka_unit_test(test_example_says_what_it_says),
      cmocka_unit_test(test_example_keeps_and_shows_what_it_says),
      cmocka_unit_test(test_hosts_read_as_referrers_do),
      cmocka_unit_test(test_channel_rules_are_in_lower_case),
      cmocka_unit_test(test_further_keys_of_a_site),
      cmocka_unit_test(test_rates_keep_their_digits),
      cmocka_unit_test(test_amounts_convert_with_one_rounding),
      cmocka_unit_test(test_durations_and_sizes),
      cmocka_unit_test(test_wrong_grammar),
      cmocka_unit_test(test_unknown_keys),
      cmocka_unit_test(test_wrong_types),
      cmocka_unit_test(test_wrong_values_of_the_whole),
      cmocka_unit_test(test_wrong_values_of_a_site),
      cmocka_unit_test(test_a_host_belongs_to_one_site),
      cmocka_unit_test(test_wrong_codes),
      cmocka_unit_test(test_wrong_rules),
      cmocka_unit_test(test_wrong_goals_and_funnels),
      cmocka_unit_test(test_faults_come_together_by_line),
      cmocka_unit_test(test_faults_beyond_twenty_are_counted),
      cmocka_unit_test(test_too_many_sites),
      cmocka_unit_test(test_hostile_bytes_are_faults),
      cmocka_unit_test(test_mutilated_files_do_no_harm),
      cmocka_unit_test(test_files_load_or_say_why_not),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
