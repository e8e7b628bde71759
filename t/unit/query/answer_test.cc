// Answers as HTTP has them: form, tag, 304; figures for monitoring; the API told to machines.
#include <rapidjson/document.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "query/metrics.h"
#include "query/openapi.h"
#include "query/query.h"
#include "query/range.h"
#include "query/service.h"
#include "query/shop.h"
#include "temp_folder.h"
#include "test.h"

using namespace footfall;

namespace {

constexpr int64_t kNowMs = 1'793'448'000'000;  // 2026-10-31T12:00:00Z
constexpr int64_t kDayMs = 86'400'000;

std::unique_ptr<Shop> the_shop;

int open_shop(void**) {
  the_shop = std::make_unique<Shop>();
  return 0;
}
int close_shop(void**) {
  the_shop.reset();
  return 0;
}

void fill_shop() {
  the_shop->visit("2026-10-31T10:00:00Z", "email", "/", 2, 1);
  the_shop->commit(true);
}

const ServiceAnswer& ask(std::string_view path, std::string_view arguments = {}, std::string_view accept = {},
                         std::string_view if_none_match = {}, int64_t now_ms = kNowMs) {
  static ServiceAnswer answer;
  answer = the_shop->service().answer(
      {std::string(path), std::string(arguments), std::string(accept), std::string(if_none_match), now_ms});
  return answer;
}

const rapidjson::Document& parsed(const std::string& json) {
  static rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError()) fail_msg("no JSON: %s", json.c_str());
  return document;
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// --- forms -----------------------------------------------------------------------------------------------------------

void the_parameter_goes_before_the_header(void**) {
  fill_shop();
  const auto type = [](std::string_view arguments, std::string_view accept) {
    const ServiceAnswer& answer = ask("v1/query", arguments, accept);
    expect_number(answer.http_status, 200);
    return answer.content_type;
  };
  expect_text(type("", ""), "application/json; charset=utf-8");
  expect_text(type("", "text/csv"), "text/csv; charset=utf-8; header=present");
  expect_text(type("", "application/x-protobuf"), "application/x-protobuf");
  expect_text(type("format=json", "text/csv"), "application/json; charset=utf-8");
  expect_text(type("format=csv", "application/json"), "text/csv; charset=utf-8; header=present");
  expect_text(type("format=pb", "*/*"), "application/x-protobuf");
}

void errors_are_json_whatever_is_asked_for(void**) {
  fill_shop();
  const ServiceAnswer& answer = ask("v1/query", "by=colour&format=csv", "text/csv");
  expect_number(answer.http_status, 400);
  expect_text(answer.content_type, "application/json; charset=utf-8");
  expect_text(answer.etag, "");
  expect_text(parsed(answer.body)["error"]["param"].GetString(), "by");
  expect_text(parsed(ask("v1/query", "format=xml").body)["error"]["allowed"][1].GetString(), "csv");
}

void the_service_renders_what_it_is_asked_for(void**) {
  fill_shop();
  expect_text(ask("v1/query", "by=channel&metrics=visits&format=csv").body,
              "channel,visits,row\r\nemail,1,row\r\n,0,other\r\n,1,totals\r\n");
  expect_text(ask("v1/query", "by=channel&metrics=visits&format=pb").body,
              to_protobuf(the_shop->ask("by=channel&metrics=visits")));
}

void a_cursor_serves_any_form(void**) {
  the_shop->visit("2026-10-31T10:00:00Z", "direct", "/", 2, 2);
  fill_shop();
  static std::string cursor;
  cursor = parsed(ask("v1/query", "by=channel&metrics=visits&limit=1").body)["meta"]["next_cursor"].GetString();
  const ServiceAnswer& answer = ask("v1/query", "by=channel&metrics=visits&limit=1&format=csv&cursor=" + cursor);
  assert_true(holds(answer.body, "email,1,row\r\n"));
}

// --- tags ------------------------------------------------------------------------------------------------------------

std::string tag(std::string_view arguments, std::string_view accept = {}, int64_t now_ms = kNowMs) {
  return ask("v1/query", arguments, accept, {}, now_ms).etag;
}

void a_known_answer_is_304_without_a_body(void**) {
  fill_shop();
  static std::string known;
  known = tag("by=channel");
  assert_true(known.starts_with("W/\"") && known.ends_with('"') && known.size() == 20);
  for (const std::string& listed : {known, known.substr(2), "\"x\", " + known, std::string("*")}) {
    const ServiceAnswer& answer = ask("v1/query", "by=channel", {}, listed);
    expect_number(answer.http_status, 304);
    expect_text(answer.etag, known);
    expect_text(answer.body, "");
  }
  expect_number(ask("v1/query", "by=channel", {}, "W/\"0000000000000000\"").http_status, 200);
  expect_number(ask("v1/query", "by=colour", {}, "*").http_status, 400);
}

void a_tag_is_of_one_question_in_one_form(void**) {
  the_shop->visit("2026-10-31T10:00:00Z", "direct", "/", 2, 2);
  fill_shop();
  static std::set<std::string> tags;
  tags.clear();
  static std::string cursor;
  cursor = parsed(ask("v1/query", "by=channel&limit=1").body)["meta"]["next_cursor"].GetString();
  for (const std::string& arguments :
       {std::string("by=channel"), std::string("by=channel&metrics=visits"), std::string("by=channel&range=7d"),
        std::string("by=channel&model=first"), std::string("by=channel&limit=1"), "by=channel&limit=1&cursor=" + cursor,
        std::string("by=page"), std::string("by=channel&order=visits"), std::string("by=channel&format=csv"),
        std::string("by=channel&format=pb")})
    if (!tags.insert(tag(arguments)).second) fail_msg("the tag of %s is another's", arguments.c_str());
  expect_text(tag("by=channel"), tag("range=30d&by=channel&format=json"));
  expect_text(tag("by=channel&format=csv"), tag("by=channel", "text/csv"));
}

void a_relative_range_moves_the_tag_with_its_day(void**) {
  fill_shop();
  static std::string noon;
  noon = tag("by=channel&range=7d");
  expect_text(tag("by=channel&range=7d", {}, kNowMs + 3'600'000), noon);
  assert_true(tag("by=channel&range=7d", {}, kNowMs + kDayMs) != noon);
  const std::string_view fixed = "by=channel&from=2026-10-01&to=2026-10-31";
  static std::string october;
  october = tag(fixed);
  expect_text(tag(fixed, {}, kNowMs + kDayMs), october);
}

void whatever_is_stored_changes_the_tag(void**) {
  fill_shop();
  static std::string before;
  before = tag("by=channel");
  expect_text(tag("by=channel"), before);
  the_shop->visit("2026-10-31T10:30:00Z", "email", "/", 1, 3);
  the_shop->commit(false);
  expect_number(ask("v1/query", "by=channel", {}, before).http_status, 200);
  before = tag("by=channel");
  the_shop->config().sites[0].currency = {{'U', 'S', 'D'}};
  the_shop->commit(false);
  assert_true(tag("by=channel") != before);
}

void another_store_has_other_tags(void**) {
  fill_shop();
  static std::string first;
  first = tag("by=channel");
  the_shop.reset();
  the_shop = std::make_unique<Shop>();
  fill_shop();
  assert_true(tag("by=channel") != first);
}

void a_heartbeat_moves_as_of_and_not_the_tag(void**) {
  Shop& shop = *the_shop;
  shop.state().committed_ms = kNowMs - 60'000;
  fill_shop();
  static std::string before;
  before = tag("by=channel");
  {
    Result<FileLock> lock = FileLock::try_lock(shop.store_path() + "/writer");
    assert_true(lock.ok());
    write_heartbeat(*lock, {shop.state().number, kNowMs, kNowMs});
    const ServiceAnswer& answer = ask("v1/query", "by=channel");
    expect_text(answer.etag, before);
    expect_text(parsed(answer.body)["meta"]["as_of"].GetString(), "2026-10-31T12:00:00.000Z");
  }
}

// --- monitoring ------------------------------------------------------------------------------------------------------

void metrics_without_a_store_tell_so(void**) {
  static std::unique_ptr<QueryService> service;
  static std::unique_ptr<TempFolder> folder;
  folder = std::make_unique<TempFolder>();
  service = std::make_unique<QueryService>(*folder / "nowhere");
  static ServiceAnswer answer;
  answer = service->answer({"metrics", {}, {}, {}, kNowMs});
  expect_number(answer.http_status, 200);
  expect_text(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  assert_true(holds(answer.body, "\nfootfall_aggregator_up 0\n"));
  assert_true(holds(answer.body, "\nfootfall_faults 1\n"));
  assert_true(holds(answer.body, "\nfootfall_hits_dropped_total{reason=\"stage_full\"} 0\n"));
  assert_false(holds(answer.body, "site="));
  service.reset();
  folder.reset();
}

// The sample's value, or nothing.
std::string sample(std::string_view name) {
  const std::string body = ask("metrics").body;
  const std::string line = "\n" + std::string(name) + " ";
  const size_t from = body.find(line);
  if (from == std::string::npos) return "nothing";
  return body.substr(from + line.size(), body.find('\n', from + 1) - from - line.size());
}

void metrics_are_sums_over_all_time(void**) {
  Shop& shop = *the_shop;
  const auto hits = [&](std::string_view time, std::string_view status, int64_t count, int64_t bots) {
    for (const bool by_status : {false, true}) {
      Counters& to = by_status ? shop.at(Dimension::status_class, time, status) : shop.at(Dimension::total, time, {});
      to[Counter::hits] += count;
      to[Counter::bot_hits] += bots;
    }
    shop.at(Dimension::bot_class, time, "ai_crawler")[Counter::hits] += bots;
  };
  hits("2019-02-03T10:00:00Z", "2xx", 5, 2);
  hits("2026-09-30T10:00:00Z", "4xx", 2, 0);
  hits("2026-10-30T10:00:00Z", "other", 1, 0);
  shop.visit("2019-02-03T10:00:00Z", "email", "/", 2, 1);
  shop.order("2019-02-03T10:05:00Z", "email", 10'005'000);
  shop.commit(true);
  hits("2026-10-31T10:00:00Z", "2xx", 1, 1);  // not folded yet
  shop.visit("2026-10-31T10:00:00Z", "email", "/", 1, 1);
  shop.order("2026-10-31T10:05:00Z", "email", 20'000'000);
  Counters& apart = shop.at(Dimension::currency, "2026-10-31T10:05:00Z", "CHF");
  apart[Counter::orders_last] += 3'000'000;
  shop.state().lost_hits = 7;
  shop.commit(false);
  expect_text(sample("footfall_hits_total{site=\"shop\",class=\"2xx\"}"), "6");
  expect_text(sample("footfall_hits_total{site=\"shop\",class=\"4xx\"}"), "2");
  expect_text(sample("footfall_hits_total{site=\"shop\",class=\"5xx\"}"), "0");
  expect_text(sample("footfall_hits_total{site=\"shop\",class=\"other\"}"), "1");
  expect_text(sample("footfall_bot_hits_total{site=\"shop\",class=\"ai_crawler\"}"), "3");
  expect_text(sample("footfall_bot_hits_total{site=\"shop\",class=\"own_flag\"}"), "0");
  expect_text(sample("footfall_visits_total{site=\"shop\"}"), "2");
  expect_text(sample("footfall_pageviews_total{site=\"shop\"}"), "3");
  expect_text(sample("footfall_orders_total{site=\"shop\"}"), "2");
  expect_text(sample("footfall_unconverted_orders_total{site=\"shop\"}"), "3");
  expect_text(sample("footfall_revenue_total{site=\"shop\",currency=\"EUR\"}"), "30.01");
  expect_text(sample("footfall_hits_lost_total"), "7");
  expect_text(sample("footfall_lag_seconds"), "0.000");
  expect_text(sample("footfall_complete_through_timestamp_seconds"), "1793447998.000");
  expect_text(sample("footfall_build_info{version=\"" FOOTFALL_VERSION "\"}"), "1");
}

void labels_are_escaped_and_none_is_open_ended(void**) {
  the_shop.reset();
  the_shop = std::make_unique<Shop>(std::vector<std::string>{"a\"b\\c\nd"});
  Shop& shop = *the_shop;
  shop.visit("2026-10-31T10:00:00Z", "secret-channel", "/secret-page", 2, 1);
  shop.commit(true);
  expect_text(sample("footfall_visits_total{site=\"a\\\"b\\\\c\\nd\"}"), "1");
  assert_false(holds(ask("metrics").body, "secret"));
}

// Each family says what it is, once, before its samples.
void families_are_well_formed(void**) {
  fill_shop();
  static std::string body;
  body = ask("metrics").body;
  assert_true(body.ends_with('\n'));
  std::set<std::string> families;
  std::string family;
  for (size_t from = 0; from < body.size();) {
    const size_t to = body.find('\n', from);
    const std::string line = body.substr(from, to - from);
    from = to + 1;
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      assert_true(families.insert(family).second);
      assert_true(family.starts_with("footfall_"));
    } else if (line.starts_with("# TYPE ")) {
      const bool counter = line == "# TYPE " + family + " counter";
      assert_true(counter || line == "# TYPE " + family + " gauge");
      assert_int_equal(counter, family.ends_with("_total"));
    } else {
      assert_true(line.starts_with(family) && (line[family.size()] == '{' || line[family.size()] == ' '));
    }
  }
}

// --- the API told to machines ----------------------------------------------------------------------------------------

std::set<std::string> texts(const rapidjson::Value& list) {
  std::set<std::string> texts;
  for (const rapidjson::Value& text : list.GetArray()) texts.insert(text.GetString());
  return texts;
}

void openapi_names_every_metric_dimension_and_parameter(void**) {
  fill_shop();
  const ServiceAnswer& answer = ask("openapi.json");
  expect_number(answer.http_status, 200);
  assert_false(holds(answer.body, "@"));
  const rapidjson::Document& document = parsed(answer.body);
  expect_text(document["openapi"].GetString(), "3.0.3");
  const rapidjson::Value& schemas = document["components"]["schemas"];
  const std::set<std::string> named_metrics = texts(schemas["Metric"]["enum"]);
  const std::set<std::string> named_dimensions = texts(schemas["Dimension"]["enum"]);
  for (const Metric& metric : metrics()) assert_true(named_metrics.contains(std::string(metric.name)));
  for (const DimensionInfo& dimension : dimensions())
    assert_true(named_dimensions.contains(std::string(dimension.name)));
  expect_number(static_cast<int64_t>(named_metrics.size()), static_cast<int64_t>(metrics().size()));
  expect_number(static_cast<int64_t>(named_dimensions.size()), static_cast<int64_t>(dimensions().size()));

  std::set<std::string> parameters;
  std::set<std::string> ranges;
  for (const rapidjson::Value& parameter : document["paths"]["/v1/query"]["get"]["parameters"].GetArray()) {
    if (!parameter.HasMember("name")) continue;
    parameters.insert(parameter["name"].GetString());
    if (parameter["name"] == "range") ranges = texts(parameter["schema"]["enum"]);
  }
  for (std::string_view name : query_parameters()) assert_true(parameters.contains(std::string(name)));
  expect_number(static_cast<int64_t>(parameters.size()), static_cast<int64_t>(query_parameters().size()));
  expect_number(static_cast<int64_t>(ranges.size()), static_cast<int64_t>(range_names().size()));
}

void every_reference_of_openapi_leads_somewhere(void**) {
  static std::string body;
  body = openapi_json();
  const rapidjson::Document& document = parsed(body);
  constexpr std::string_view kReference = "\"$ref\": \"#/components/";
  int references = 0;
  for (size_t at = body.find(kReference); at != std::string::npos; at = body.find(kReference, at + 1), ++references) {
    const size_t from = at + kReference.size();
    const std::string path = body.substr(from, body.find('"', from) - from);
    const size_t slash = path.find('/');
    if (!document["components"][path.substr(0, slash).c_str()].HasMember(path.substr(slash + 1).c_str()))
      fail_msg("nothing at %s", path.c_str());
  }
  assert_true(references > 20);
}

void openapi_describes_answers_as_they_are(void**) {
  fill_shop();
  static rapidjson::Document document;
  const std::string body = openapi_json();
  document.Parse(body.data(), body.size());
  const rapidjson::Value& schemas = document["components"]["schemas"];
  const auto check = [](const rapidjson::Value& schema, const rapidjson::Value& answer) {
    for (const auto& member : answer.GetObject())
      if (!schema["properties"].HasMember(member.name)) fail_msg("no word of %s", member.name.GetString());
    for (const rapidjson::Value& name : schema["required"].GetArray()) assert_true(answer.HasMember(name));
  };
  const rapidjson::Document& report = parsed(ask("v1/query", "by=channel").body);
  check(schemas["Report"], report);
  check(schemas["Report"]["properties"]["meta"], report["meta"]);
  check(schemas["Report"]["properties"]["columns"]["items"], report["columns"][0]);
  const rapidjson::Document& error = parsed(ask("v1/query", "by=colour").body);
  check(schemas["Error"]["properties"]["error"], error["error"]);
  const rapidjson::Document& health = parsed(ask("v1/health").body);
  check(schemas["Health"], health);
  for (const auto& member : health["aggregator"].GetObject())
    assert_true(schemas["Health"]["properties"]["aggregator"]["properties"].HasMember(member.name));
}

void openapi_has_a_tag_of_its_own(void**) {
  static std::string known;
  known = ask("openapi.json").etag;
  assert_true(known.starts_with('"'));
  const ServiceAnswer& answer = ask("openapi.json", {}, {}, "W/\"x\", " + known);
  expect_number(answer.http_status, 304);
  expect_text(answer.body, "");
}

void other_paths_are_not_found(void**) {
  for (const char* path : {"", "v1/", "v1/metrics", "query", "v1/query/", "openapi", "metrics/", "v1"})
    expect_number(ask(path).http_status, 404);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_parameter_goes_before_the_header, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(errors_are_json_whatever_is_asked_for, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(the_service_renders_what_it_is_asked_for, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(a_cursor_serves_any_form, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(a_known_answer_is_304_without_a_body, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(a_tag_is_of_one_question_in_one_form, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(a_relative_range_moves_the_tag_with_its_day, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(whatever_is_stored_changes_the_tag, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(another_store_has_other_tags, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(a_heartbeat_moves_as_of_and_not_the_tag, open_shop, close_shop),
      cmocka_unit_test(metrics_without_a_store_tell_so),
      cmocka_unit_test_setup_teardown(metrics_are_sums_over_all_time, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(labels_are_escaped_and_none_is_open_ended, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(families_are_well_formed, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(openapi_names_every_metric_dimension_and_parameter, open_shop, close_shop),
      cmocka_unit_test(every_reference_of_openapi_leads_somewhere),
      cmocka_unit_test_setup_teardown(openapi_describes_answers_as_they_are, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(openapi_has_a_tag_of_its_own, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(other_paths_are_not_found, open_shop, close_shop),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
