// Queries: what is understood, and what is refused with which words.
#include "query/query.h"

#include <algorithm>
#include <string>

#include "query/shop.h"
#include "test.h"

using namespace footfall;

namespace {

struct World {
  Config config;
  std::vector<std::string> sites = {"shop"};
  std::variant<Query, QueryError> answer;
};

World& world() {
  static World world = [] {
    World made;
    made.config.sites.push_back(default_site("shop"));
    made.config.sites.back().timezone = "Europe/Berlin";
    return made;
  }();
  return world;
}

std::variant<Query, QueryError>& parse(std::string_view raw, const std::vector<std::string>& sites,
                                       const Config& config, const char* now = "2026-10-31T12:00:00Z") {
  const QueryContext context{.now_ms = utc_s(now) * 1000,
                             .sites = sites,
                             .config = config,
                             .first_day_s = [](uint16_t, const Zone&) { return utc_s("2026-03-01T23:00:00Z"); }};
  return world().answer = parse_query(raw, context);
}

const Query& understood(std::string_view raw) {
  auto& answer = parse(raw, world().sites, world().config);
  if (const auto* error = std::get_if<QueryError>(&answer)) fail_msg("refused: %s", error->message.c_str());
  return std::get<Query>(answer);
}

// param | message | allowed
std::string refusal(const QueryError& error) {
  return std::to_string(error.http_status) + " " + error.param + " | " + error.message + " | " + joined(error.allowed);
}
std::string refused(std::string_view raw) {
  const auto& answer = parse(raw, world().sites, world().config);
  return std::holds_alternative<Query>(answer) ? "understood" : refusal(std::get<QueryError>(answer));
}

std::string shown(const Query& query) {
  std::string text;
  for (const auto& [name, value] : query.shown()) text += name + "=" + value + "\n";
  return text;
}

std::string shown(const Query& query, std::string_view wanted) {
  for (const auto& [name, value] : query.shown())
    if (name == wanted) return value;
  return "not shown";
}

std::string metric_names(const Query& query) {
  std::string names;
  for (const Metric* metric : query.metrics) names.append(names.empty() ? "" : " ").append(metric->name);
  return names;
}

void the_plain_query(void**) {
  expect_text(shown(understood("")),
              "site=\"shop\"\n"
              "from=\"2026-10-02T00:00:00+02:00\"\n"
              "to=\"2026-11-01T00:00:00+01:00\"\n"
              "by=[]\n"
              "metrics=[\"visits\",\"visitors\",\"pageviews\",\"orders\",\"revenue\"]\n"
              "order=\"-visits\"\n"
              "limit=100\n"
              "model=\"last_non_direct\"\n"
              "lookback=\"30d\"\n");
}

void everything_said(void**) {
  expect_text(shown(understood("site=shop&from=2026-10-25&to=2026%2D10-26&by=channel,day&metrics=revenue%2Cvisits&"
                               "order=-revenue&limit=5&model=first&lookback=30d&format=json&")),
              "site=\"shop\"\n"
              "from=\"2026-10-25T00:00:00+02:00\"\n"
              "to=\"2026-10-27T00:00:00+01:00\"\n"
              "by=[\"channel\",\"day\"]\n"
              "metrics=[\"revenue\",\"visits\"]\n"
              "order=\"-revenue\"\n"
              "limit=5\n"
              "model=\"first\"\n"
              "lookback=\"30d\"\n");
}

void metrics_not_named_are_those_that_go_with_the_dimension(void**) {
  const auto metrics = [](std::string_view raw) { return metric_names(understood(raw)); };
  expect_text(metrics("by=minute&range=today"), "visits pageviews orders revenue");
  expect_text(metrics("by=minute,channel&range=today"), "visits pageviews orders revenue");
  expect_text(metrics("by=day"), "visits visitors pageviews orders revenue");
  expect_text(metrics("by=page"), "pageviews visits entries exits");
  expect_text(metrics("by=day,status_class"), "hits bot_hits bytes");
  for (const DimensionInfo& dimension : dimensions())
    assert_true(!understood("range=today&by=" + std::string(dimension.name)).metrics.empty());
}

void the_order_not_named_is_by_time_or_by_the_first_metric(void**) {
  expect_text(understood("by=channel,day").column_name(understood("by=channel,day").order_column), "day");
  assert_false(understood("by=day").descending);
  assert_true(understood("by=channel").descending);
  expect_text(understood("by=channel").column_name(1), "visits");
}

// --- refusals --------------------------------------------------------------------------------------------------------

void unknown_and_repeated_parameters(void**) {
  expect_text(refused("metric=visits"),
              "400 metric | there is no parameter \"metric\" | site range from to metrics by filter compare order limit "
              "cursor model lookback ci format");
  expect_text(refused("ci=90"), "400 ci | intervals are told of 95 %, not of \"90\" | 95");
  expect_text(refused("by=day&by=channel"), "400 by | `by` is given twice | ");
  assert_true(refused("=1").starts_with("400  | there is no parameter \"\""));
  assert_true(refused(std::string(20'000, '&')).find("longer than 16384 bytes") != std::string::npos);
}

void sites(void**) {
  const std::vector<std::string> two = {"shop", "blog"}, none;
  const auto ask = [&](std::string_view raw, const std::vector<std::string>& seen, const Config& config) {
    const auto& answer = parse(raw, seen, config);
    return std::holds_alternative<Query>(answer) ? "site " + std::get<Query>(answer).site
                                                 : refusal(std::get<QueryError>(answer));
  };
  expect_text(ask("", two, world().config), "400 site | there are several sites: name one | shop blog");
  expect_text(ask("site=blog", two, world().config), "site blog");
  expect_text(ask("site=shed", two, world().config), "400 site | there is no site \"shed\" | shop blog");
  expect_text(ask("", none, world().config), "site shop");  // configured, not seen yet
  assert_true(ask("", none, Config()).starts_with("503  | no hit has been counted"));
  expect_text(ask("", {"blog"}, world().config), "site blog");  // the one with figures
}

void dimensions_of_by(void**) {
  expect_text(
      refused("by=colour"),
      "400 by | there is no dimension \"colour\" | minute hour day week month channel source medium campaign "
      "content term code referrer_host referrer page page_group entry_page exit_page http_status status_class event goal "
      "country device browser os new_returning item item_category coupon currency coverage search_term bot_class");
  expect_text(refused("by=day,day"), "400 by | dimension \"day\" is named twice | ");
  expect_text(refused("by=day,month"), "400 by | `by` takes one dimension of time | ");
  expect_text(refused("by=channel,page,day,device"), "400 by | `by` takes at most two dimensions beside that of time | ");
  assert_true(refused("by=").starts_with("400 by | there is no dimension \"\""));
  assert_true(refused("by=day,").starts_with("400 by | there is no dimension \"\""));
}

void metrics_of_the_query(void**) {
  expect_text(refused("by=status_class&metrics=rejected_lines"),
              "400 metrics | metric \"rejected_lines\" comes with a later version | hits errors_4xx errors_5xx bytes p50_ms p95_ms p99_ms bot_hits");
  expect_text(refused("by=status_class&metrics=hit"),
              "400 metrics | there is no metric \"hit\" | hits errors_4xx errors_5xx bytes p50_ms p95_ms p99_ms bot_hits");
  expect_text(refused("metrics=visits,visits"), "400 metrics | metric \"visits\" is named twice | ");
  assert_true(refused("metrics=").starts_with("400 metrics | there is no metric \"\""));
  expect_text(refused("by=page&metrics=visits,rpv"),
              "400 by | rpv does not go with page; `allowed` names the dimensions that it goes with | minute hour day "
              "week month channel source medium campaign content term code referrer_host referrer country device browser "
              "os new_returning");
  expect_text(refused("by=minute&range=today&metrics=visitors"),
              "400 by | visitors does not go with minute; `allowed` names the dimensions that it goes with | hour day "
              "week month channel source medium campaign content term code referrer_host referrer entry_page exit_page country "
              "device browser os new_returning");
}

void filters_and_what_they_go_with(void**) {
  expect_text(shown(understood("filter=page:starts:%2Fsale;channel:is_not:|direct"), "filter"),
              "\"page:starts:/sale;channel:is_not:|direct\"");
  expect_text(refused("metrics=revenue&filter=page:is:/").substr(0, 42), "400 filter | revenue does not go with page");
  expect_text(refused("metrics=hits&filter=channel:is:email").substr(0, 42), "400 filter | hits does not go with channel");
  assert_true(refused("filter=page:like:x").starts_with("400 filter | there is no filter op \"like\""));
  // What is usual with the filter's dimension, as far as it goes with all of them.
  expect_text(metric_names(understood("filter=page:is:/")), "pageviews visits entries exits");
  expect_text(metric_names(understood("by=day&filter=event:is:x")), "events conversions orders revenue");
  expect_text(metric_names(understood("by=channel&filter=page:is:/")), "visits pageviews");
  assert_true(refused("by=channel&filter=status_class:is:4xx").starts_with("400 metrics | name metrics: "));
}

void rollups_tell_one_dimension_at_a_time(void**) {
  for (const char* one : {"by=channel", "by=day,channel", "filter=channel:is:x", "by=channel&filter=channel:starts:x",
                          "by=hour&range=today&filter=page:is:/;page:contains:x", "by=day&lookback=7d", "by=device&lookback=7d",
                          "by=channel&metrics=orders&lookback=7d", "filter=channel:is:x&metrics=revenue&lookback=1d"})
    assert_false(understood(one).needs_visits());
  for (const char* several : {"by=channel,device", "by=channel&filter=device:is:x", "filter=channel:is:x;device:is:y"})
    assert_true(understood(several).needs_visits());
  expect_text(refused("by=country,device&metrics=hits"),
              "400 by | hits are kept by one dimension at a time: ask for them with a single one in `by` and `filter` | ");
  assert_true(refused("by=country&filter=device:is:tv&metrics=visits,bytes").starts_with("400 filter | bytes are kept by"));
  assert_true(refused("by=country&filter=country:is:DE&metrics=hits") == "understood");
}

void comparisons_add_columns(void**) {
  const Query& query = understood("by=channel&metrics=visits,revenue&compare=previous&order=-revenue_change");
  std::string names;
  for (size_t column = 0; column < query.columns(); ++column) names += query.column_name(column) + " ";
  expect_text(names, "channel visits visits_previous visits_change revenue revenue_previous revenue_change ");
  expect_number(static_cast<int64_t>(query.order_column), 6);
  expect_text(shown(understood("range=yesterday&compare=previous"), "compare"), "\"previous\"");
  expect_text(refused("compare=last_year"), "400 compare | there is no comparison \"last_year\" | previous year");
  assert_true(refused("order=visits_change").starts_with("400 order | "));
  // Where the last 30 days are a month by chance.
  for (const auto& [range, from] : {std::pair{"range=30d&", "2026-10-02T00:00:00+02:00"}, {"", "2026-10-02T00:00:00+02:00"}, {"range=month&", "2026-10-01T00:00:00+02:00"}}) {
    const auto& answer = parse(std::string(range) + "by=channel&compare=previous", world().sites, world().config, "2026-11-30T12:00:00Z");
    expect_text(shown(std::get<Query>(answer), "compare_from"), "\"" + std::string(from) + "\"");
  }
  // Hours of the year before are kept no more.
  assert_true(refused("by=hour&range=today&compare=year").starts_with("400 compare | hour figures are kept since"));
}

void every_pair_is_answered_or_refused_as_the_table_says(void**) {
  for (const Metric& metric : metrics()) {
    for (const DimensionInfo& dimension : dimensions()) {
      const std::string raw = "range=today&by=" + std::string(dimension.name) + "&metrics=" + std::string(metric.name);
      const auto& answer = parse(raw, world().sites, world().config);
      if (goes_with(metric, dimension) != std::holds_alternative<Query>(answer)) fail_msg("%s", raw.c_str());
      if (const auto* error = std::get_if<QueryError>(&answer)) {
        expect_text(error->param, "by");
        assert_true(error->allowed == dimensions_of(metric));
      }
    }
  }
}

void order_limit_model_lookback_format(void**) {
  expect_text(refused("by=channel&metrics=visits,cr&order=-revenue"),
              "400 order | order \"-revenue\" is no column of the answer, with or without a `-` before it | channel "
              "visits cr");
  assert_true(refused("order=").starts_with("400 order | "));
  assert_true(refused("order=--visits").starts_with("400 order | "));
  for (const char* limit : {"0", "10001", "-1", "1e3", "", "10 ", "99999999999999999999"})
    assert_true(refused("limit=" + std::string(limit)).starts_with("400 limit | limit is \"" + std::string(limit)));
  assert_true(refused("limit=10000") == "understood");
  assert_true(understood("model=linear").model == Model::linear);
  const std::string models = "last last_non_direct first linear position time_decay";
  assert_true(understood("model=markov").journey_model == JourneyModel::markov);
  expect_text(shown(understood("model=shapley"), "model"), "\"shapley\"");
  for (const char* told : {"by=channel&model=shapley", "by=campaign&model=markov"}) assert_true(understood(told).has_journey_rows());
  for (const char* untold : {"by=campaign&model=shapley", "by=source&model=markov", "by=day,channel&model=markov",
                             "by=channel,device&model=markov", "by=channel&filter=channel:is:x&model=markov", "by=channel"})
    assert_false(understood(untold).has_journey_rows());
  expect_text(refused("model=best"), "400 model | there is no model \"best\" | " + models + " markov shapley");
  assert_true(understood("model=linear&by=channel,item&metrics=orders").model == Model::linear);
  expect_number(understood("lookback=7d").lookback_days, 7);
  expect_text(refused("lookback=8d"), "400 lookback | there is no lookback \"8d\" | 1d 7d 30d 90d");
  assert_false(understood("by=channel").format.has_value());
  assert_true(understood("format=csv").format == ReportFormat::csv && understood("format=pb").format == ReportFormat::pb);
  expect_text(refused("format=xml"), "400 format | there is no format \"xml\" | json csv pb");
}

void a_cursor_belongs_to_its_query(void**) {
  const std::string cursor = understood("by=channel&limit=2").cursor_at(2);
  expect_number(static_cast<int64_t>(understood("by=channel&limit=2&cursor=" + cursor).offset), 2);
  expect_number(static_cast<int64_t>(understood("by=channel&limit=50&cursor=" + cursor).offset), 2);
  for (const std::string& other :
       {"by=source&cursor=" + cursor, "by=channel&range=7d&cursor=" + cursor,
        "by=channel&order=channel&cursor=" + cursor, "by=channel&model=last&cursor=" + cursor,
        "by=channel&cursor=0" + cursor, std::string("by=channel&cursor=2"), std::string("by=channel&cursor="),
        std::string("by=channel&cursor=x.y")})
    assert_true(refused(other).starts_with("400 cursor | the cursor belongs to another query"));
}

void hostile_bytes_are_repeated_cut_and_valid(void**) {
  const std::string message = refused("by=" + std::string(500, 'x'));
  assert_true(message.find(std::string(64, 'x') + "…\"") != std::string::npos);
  assert_true(message.find(std::string(65, 'x')) == std::string::npos);
  assert_true(refused("model=%ff%00%e2%82").find("\"\xEF\xBF\xBD") != std::string::npos);
  assert_true(refused("model=%zz%").find("\"%zz%\"") != std::string::npos);
  const auto& answer = parse("%22%3C%0a=1", world().sites, world().config);
  assert_true(
      to_json(std::get<QueryError>(answer))
          .starts_with(
              R"({"error":{"code":"bad_request","message":"there is no parameter \"\"<\n\"","param":"\"<\n",)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_plain_query),
      cmocka_unit_test(everything_said),
      cmocka_unit_test(metrics_not_named_are_those_that_go_with_the_dimension),
      cmocka_unit_test(the_order_not_named_is_by_time_or_by_the_first_metric),
      cmocka_unit_test(unknown_and_repeated_parameters),
      cmocka_unit_test(sites),
      cmocka_unit_test(dimensions_of_by),
      cmocka_unit_test(metrics_of_the_query),
      cmocka_unit_test(filters_and_what_they_go_with),
      cmocka_unit_test(rollups_tell_one_dimension_at_a_time),
      cmocka_unit_test(comparisons_add_columns),
      cmocka_unit_test(every_pair_is_answered_or_refused_as_the_table_says),
      cmocka_unit_test(order_limit_model_lookback_format),
      cmocka_unit_test(a_cursor_belongs_to_its_query),
      cmocka_unit_test(hostile_bytes_are_repeated_cut_and_valid),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
