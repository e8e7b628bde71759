// The service: what is behind /v1/, and a health report that is true whoever is missing.
#include "query/service.h"

#include <rapidjson/document.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "child.h"
#include "lane/lane.h"
#include "lane/stage_writer.h"
#include "query/health.h"
#include "query/shop.h"
#include "site/config_file.h"
#include "temp_folder.h"
#include "test.h"

using namespace footfall;

namespace {

constexpr int64_t kNowMs = 1'793'448'000'000;  // 2026-10-31T12:00:00Z

std::unique_ptr<Shop> the_shop;
std::unique_ptr<TempFolder> the_folder;

int open_all(void**) {
  the_shop = std::make_unique<Shop>();
  the_folder = std::make_unique<TempFolder>();
  return 0;
}
int close_all(void**) {
  the_shop.reset();
  the_folder.reset();
  return 0;
}

const rapidjson::Document& parsed(const std::string& json) {
  static rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError()) fail_msg("no JSON: %s", json.c_str());
  return document;
}

std::string answer(QueryService& service, std::string_view report, std::string_view arguments) {
  const ServiceAnswer answer = service.answer(report, arguments, kNowMs);
  const rapidjson::Document& body = parsed(answer.body);
  return std::to_string(answer.http_status) + " " +
         (body.HasMember("error") ? body["error"]["code"].GetString() : "answered");
}

void reports_there_are_and_those_to_come(void**) {
  Shop& shop = *the_shop;
  shop.visit("2026-10-31T10:00:00Z", "email", "/", 2, 1);
  shop.commit(true);
  expect_text(answer(shop.service(), "query", "by=channel"), "200 answered");
  expect_text(answer(shop.service(), "query", "by=colour"), "400 bad_request");
  expect_text(answer(shop.service(), "health", ""), "200 answered");
  expect_text(answer(shop.service(), "funnel", ""), "404 not_found");
  const rapidjson::Document& error = parsed(shop.service().answer("funnel", "", kNowMs).body);
  expect_text(error["error"]["message"].GetString(), "this report comes with a later version");
  expect_text(error["error"]["allowed"][0].GetString(), "query");
  expect_text(parsed(shop.service().answer("../etc", "", kNowMs).body)["error"]["message"].GetString(),
              "there is no such report");
  expect_text(joined(shop.service().sites()), "shop");
}

void no_store_and_no_summary_say_what_to_do(void**) {
  static std::unique_ptr<QueryService> service;
  const std::string path = *the_folder / "store";
  service = std::make_unique<QueryService>(path);
  expect_text(answer(*service, "query", ""), "503 no_data_yet");
  const rapidjson::Document& error = parsed(service->answer("query", "", kNowMs).body);
  assert_non_null(strstr(error["error"]["message"].GetString(), "footfall aggregate --store "));
  assert_true(service->sites().empty());
  assert_true(Store::create(path, std::nullopt).ok());
  expect_text(answer(*service, "query", ""), "503 no_data_yet");
  service.reset();
}

void a_store_that_appears_or_is_replaced_is_seen(void**) {
  Shop& shop = *the_shop;
  static std::unique_ptr<QueryService> service;
  service = std::make_unique<QueryService>(shop.store_path());
  expect_text(answer(*service, "query", ""), "503 no_data_yet");
  shop.visit("2026-10-31T10:00:00Z", "email", "/", 2, 1);
  shop.commit(true);
  const auto visits = [] {
    const auto made = service->query("metrics=visits", kNowMs);
    return std::holds_alternative<Report>(made) ? line(std::get<Report>(made).totals) : std::string("refused");
  };
  expect_text(visits(), "1");
  // A summary of another generation, made by another process: this one has an environment open.
  const std::string path = shop.store_path();
  assert_true(in_child([&] {
    Result<SummaryWriter> writer = SummaryWriter::open(path + "/summary.1", 64 << 20);
    child_check(writer.ok());
    CheckpointState state;
    state.sites = {"shop"};
    Changes changes;
    changes.at(0, Dimension::total, utc_s("2026-10-31T10:00:00Z"), kNullValue)[Counter::visits] = 7;
    child_check(writer->checkpoint(state, changes.take()).ok());
    FILE* current = fopen((path + "/current").c_str(), "w");
    child_check(current != nullptr && fputs("1\n", current) >= 0 && fclose(current) == 0);
    return true;
  }));
  expect_text(visits(), "7");
  service.reset();
}

void several_threads_ask_at_once(void**) {
  Shop& shop = *the_shop;
  for (int i = 0; i < 50; ++i) shop.visit("2026-10-31T10:00:00Z", i % 2 ? "email" : "direct", "/", 2, i + 1);
  shop.commit(true);
  shop.visit("2026-10-31T10:00:00Z", "email", "/", 2, 1);
  shop.commit(false);
  QueryService& service = shop.service();
  std::atomic<int> right{0};
  {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          const auto made = service.query("by=channel&metrics=visits", kNowMs);
          right += std::holds_alternative<Report>(made) && lines(std::get<Report>(made)) == "email 26\ndirect 25\n";
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
  expect_number(right.load(), 200);
}

// --- health ----------------------------------------------------------------------------------------------------------

const rapidjson::Document& health_of(const std::string& path) {
  static std::unique_ptr<QueryService> service;
  service = std::make_unique<QueryService>(path);
  const rapidjson::Document& document = parsed(health_json(*service, kNowMs));
  service.reset();
  return document;
}

void without_a_store_health_is_degraded(void**) {
  const rapidjson::Document& health = health_of(*the_folder / "nowhere");
  expect_text(health["status"].GetString(), "degraded");
  assert_non_null(strstr(health["faults"][0]["text"].GetString(), "there is no store at "));
  assert_true(health["capture"]["lanes"].Empty());
  assert_true(health["aggregator"]["pid"].IsNull());
  assert_true(health["aggregator"]["as_of"].IsNull());
  expect_text(health["version"].GetString(), FOOTFALL_VERSION);
}

void without_an_aggregator_health_is_stale(void**) {
  const rapidjson::Document& health = health_of(the_shop->store_path());
  expect_text(health["status"].GetString(), "stale");
  assert_true(health["faults"].Empty());
  assert_true(health["capture"]["configured"].IsNull());
  assert_non_null(strstr(health["capture"]["note"].GetString(), "no rule tells events"));
  assert_true(health["store"]["bytes"].GetUint64() > 0);
  assert_true(health["store"]["free_bytes"].GetUint64() > 0);
}

void the_configuration_of_workers_is_looked_at(void**) {
  static std::string path;
  path = the_shop->store_path() + "/config";
  assert_true(write_config_file(path, Config()).ok());
  {
    const rapidjson::Document& health = health_of(the_shop->store_path());
    assert_true(health["capture"]["configured"].IsString());
    assert_false(health["capture"].HasMember("note"));
    assert_true(health["faults"].Empty());
  }
  std::filesystem::resize_file(path, 20);
  const rapidjson::Document& health = health_of(the_shop->store_path());
  expect_text(health["status"].GetString(), "degraded");
  assert_non_null(strstr(health["faults"][0]["text"].GetString(), "workers have no configuration: "));
}

void with_an_aggregator_health_is_ok(void**) {
  Shop& shop = *the_shop;
  shop.state().lost_hits = 3;
  shop.state().late_hits = 4;
  shop.commit(true);
  Child aggregator([&](Child& child) {
    Result<FileLock> lock = FileLock::try_lock(shop.store_path() + "/writer");
    child_check(lock.ok());
    lock->write_pid();
    child.step_done();
    return true;
  });
  assert_true(aggregator.await_step());
  {
    const rapidjson::Document& health = health_of(shop.store_path());
    expect_text(health["status"].GetString(), "ok");
    expect_number(health["aggregator"]["pid"].GetInt64(), aggregator.pid());
    expect_text(health["aggregator"]["as_of"].GetString(), "2026-10-31T12:00:00.000Z");
    expect_number(health["aggregator"]["lost_hits"].GetInt64(), 3);
    expect_number(health["aggregator"]["late_hits"].GetInt64(), 4);
    expect_number(health["aggregator"]["checkpoint"].GetInt64(), 1);
    expect_number(health["aggregator"]["lag_hits"].GetInt64(), 0);
  }
  shop.state().warnings = {"a site without a time zone"};
  shop.state().lagging_lanes = {7};
  shop.commit(true);
  const rapidjson::Document& health = health_of(shop.store_path());
  expect_text(health["status"].GetString(), "degraded");
  expect_text(health["warnings"][0].GetString(), "a site without a time zone");
  expect_text(health["warnings"][1].GetString(), "lane 7 is more than 2 s behind the others");
  aggregator.go();
  assert_true(aggregator.finish());
}

LaneOptions small_stage() {
  LaneOptions options;
  options.stage_bytes = kStageRecordBytesMin;
  return options;
}

// A worker's lane with some hits staged, and one dropped; nobody holds it afterwards.
bool stage_hits(const std::string& path, int hits) {
  Result<Store> store = Store::open(path);
  child_check(store.ok());
  Result<std::unique_ptr<Lane>> lane = Lane::claim(*store, small_stage());
  child_check(lane.ok());
  StageWriter writer((*lane)->stage);
  HitContext context;
  context.site = "shop";
  const Result<uint16_t> index = writer.add_context(context);
  child_check(index.ok());
  RawHit hit;
  hit.time_ms = kNowMs - 5000;
  hit.uri = "/";
  for (int i = 0; i < hits; ++i) child_check(writer.append(hit, *index));
  writer.count_drop(DropReason::oversized);
  return true;
}

void lanes_tell_hits_drops_and_what_is_not_counted_yet(void**) {
  Shop& shop = *the_shop;
  const std::string path = shop.store_path();
  assert_true(in_child([&] { return stage_hits(path, 5); }));
  {
    const rapidjson::Document& health = health_of(path);
    const rapidjson::Value& lane = health["capture"]["lanes"][0];
    expect_number(lane["lane"].GetInt64(), 0);
    assert_true(lane["pid"].IsNull());
    expect_number(lane["hits"].GetInt64(), 5);
    expect_number(lane["dropped"]["oversized"].GetInt64(), 1);
    expect_number(lane["dropped"]["stage_full"].GetInt64(), 0);
    expect_number(health["aggregator"]["lag_hits"].GetInt64(), 5);
  }
  Result<LaneStateFile> state = LaneStateFile::open(path + "/lane.0/state", 0, false);
  assert_true(state.ok());
  const uint64_t epoch = (*state)->epoch.load();
  shop.state().lanes = {{0, epoch, 3}};
  shop.commit(true);
  expect_number(health_of(path)["aggregator"]["lag_hits"].GetInt64(), 2);
  shop.state().lanes = {{0, epoch - 1, 1000}};  // of the epoch before: nothing of this one is counted
  shop.commit(true);
  expect_number(health_of(path)["aggregator"]["lag_hits"].GetInt64(), 5);
  shop.state().lanes = {{0, epoch, 5}};
  shop.commit(true);
  expect_number(health_of(path)["aggregator"]["lag_hits"].GetInt64(), 0);
  expect_number(health_of(path)["aggregator"]["lag_ms"].GetInt64(), 0);
}

// A quiet shop's last checkpoint is old. Its next hit is not as late as that.
void what_was_caught_up_before_does_not_lag(void**) {
  Shop& shop = *the_shop;
  const std::string path = shop.store_path();
  static SummaryGlimpse glimpse;
  glimpse = SummaryGlimpse();
  glimpse.checkpoint = shop.state();
  glimpse.checkpoint->complete_through_ms = 1;
  assert_true(read_store_health(path, glimpse, kNowMs).is_caught_up());
  assert_true(in_child([&] { return stage_hits(path, 1); }));
  {
    Result<LaneStateFile> state = LaneStateFile::open(path + "/lane.0/state", 0, true);
    assert_true(state.ok());
    Result<StageFile> stage = StageFile::open(path + "/lane.0/stage", true);
    assert_true(stage.ok());
    const uint64_t epoch = (kNowMs - 7'200'000) * 1000;  // begun two hours ago
    (*state)->epoch.store(epoch);
    stage->header().epoch = epoch;
  }
  const auto lag_ms = [&](int64_t caught_up_ms) {
    glimpse.caught_up_ms = caught_up_ms;
    const StoreHealth made = read_store_health(path, glimpse, kNowMs);
    assert_false(made.is_caught_up());
    return parsed(to_json(made))["aggregator"]["lag_ms"].GetInt64();
  };
  expect_number(lag_ms(0), 7'200'000);
  expect_number(lag_ms(kNowMs - 900), 900);
  glimpse.checkpoint->complete_through_ms = kNowMs - 400;
  expect_number(lag_ms(kNowMs - 900), 400);
}

void a_held_lane_names_its_process_and_its_fault(void**) {
  const std::string path = the_shop->store_path();
  Child worker([&](Child& child) {
    Result<Store> store = Store::open(path);
    child_check(store.ok());
    Result<std::unique_ptr<Lane>> lane = Lane::claim(*store, small_stage());
    child_check(lane.ok());
    LaneState& state = *(*lane)->state.operator->();
    std::memset(state.fault_text, 'x', sizeof state.fault_text);  // no end, and no valid text
    std::memcpy(state.fault_text, "No space \xff", 10);
    state.fault_since_ms.store(kNowMs - 1000);
    child.step_done();
    return true;
  });
  assert_true(worker.await_step());
  const rapidjson::Document& health = health_of(path);
  expect_text(health["status"].GetString(), "degraded");
  expect_number(health["capture"]["lanes"][0]["pid"].GetInt64(), worker.pid());
  expect_number(health["faults"][0]["lane"].GetInt64(), 0);
  assert_true(std::string_view(health["faults"][0]["text"].GetString()).starts_with("No space \xEF\xBF\xBD"));
  expect_text(health["faults"][0]["since"].GetString(), "2026-10-31T11:59:59.000Z");
  worker.go();
  assert_true(worker.finish());
}

void damaged_files_are_faults_not_the_end(void**) {
  const std::string path = the_shop->store_path();
  assert_true(in_child([&] { return stage_hits(path, 1); }));
  std::error_code failed;
  std::filesystem::resize_file(std::filesystem::canonical(path + "/lane.0/stage"), 100, failed);
  assert_false(failed.operator bool());
  expect_text(health_of(path)["status"].GetString(), "degraded");
  std::filesystem::resize_file(path + "/lane.0/state", 10, failed);
  assert_false(failed.operator bool());
  const rapidjson::Document& health = health_of(path);
  expect_text(health["status"].GetString(), "degraded");
  assert_non_null(strstr(health["faults"][0]["text"].GetString(), "state"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(reports_there_are_and_those_to_come, open_all, close_all),
      cmocka_unit_test_setup_teardown(no_store_and_no_summary_say_what_to_do, open_all, close_all),
      cmocka_unit_test_setup_teardown(a_store_that_appears_or_is_replaced_is_seen, open_all, close_all),
      cmocka_unit_test_setup_teardown(several_threads_ask_at_once, open_all, close_all),
      cmocka_unit_test_setup_teardown(without_a_store_health_is_degraded, open_all, close_all),
      cmocka_unit_test_setup_teardown(without_an_aggregator_health_is_stale, open_all, close_all),
      cmocka_unit_test_setup_teardown(the_configuration_of_workers_is_looked_at, open_all, close_all),
      cmocka_unit_test_setup_teardown(with_an_aggregator_health_is_ok, open_all, close_all),
      cmocka_unit_test_setup_teardown(lanes_tell_hits_drops_and_what_is_not_counted_yet, open_all, close_all),
      cmocka_unit_test_setup_teardown(what_was_caught_up_before_does_not_lag, open_all, close_all),
      cmocka_unit_test_setup_teardown(a_held_lane_names_its_process_and_its_fault, open_all, close_all),
      cmocka_unit_test_setup_teardown(damaged_files_are_faults_not_the_end, open_all, close_all),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
