// A version that knows one format more: its stores are migrated when the aggregator opens them, whatever that dies of; readers of
// both formats go on, and this version refuses what it does not know.
#include "aggregate/migration.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include "aggregate/aggregator.h"
#include "base/lmdb.h"
#include "base/lmdb_copy.h"
#include "child.h"
#include "lane/generations.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

constexpr uint64_t kMapBytes = 64 << 20;

struct Held {
  TempFolder folder;
  std::string path = folder / "store";
  std::optional<Store> store;
  std::string fault;
};
std::optional<Held> held;

Config config() {
  Config config;
  config.store = held->path;
  config.map_bytes = kMapBytes;
  return config;
}

// The aggregator of such a version has the store for a moment. False: held->fault says why.
bool aggregate(StoreVersion version = {}) {
  Result<Store> store = Store::open(held->path, version.format);
  const AggregatorOptions options{
      .begin_anew = {}, .log = [](LogLevel, std::string_view) {}, .version = std::move(version)};
  const auto aggregator = store ? Aggregator::open(*store, config(), options) : store.error();
  held->fault = aggregator ? "" : aggregator.error().text;
  return aggregator.ok();
}

int start_afresh(void**) {
  held.emplace();
  held->store = Store::create(held->path, std::nullopt).value();
  return aggregate() ? 0 : -1;
}
int clear_away(void**) { return held.reset(), 0; }

// --- a next format: a word is written into the summary, once ---

void write_word(const std::string& summary) {
  LmdbEnv env = LmdbEnv::open(summary, {.map_bytes = kMapBytes, .databases = 64}).value();
  LmdbTxn txn = LmdbTxn::write(env).value();
  const LmdbDatabase meta = txn.database("meta").value();
  const Result<std::string_view> before = txn.get(meta, "word");
  assert_true(txn.put(meta, "word", (before ? std::string(*before) : "") + "next").ok());
  assert_true(txn.commit().ok());
}

std::string word() {
  Store store = Store::open(held->path, 2).value();
  LmdbEnv env = LmdbEnv::open(store.summary_path(), {.read_only = true, .databases = 64}).value();
  LmdbTxn txn = LmdbTxn::read(env).value();
  const Result<std::string_view> stored = txn.get(txn.database("meta").value(), "word");
  return stored ? std::string(*stored) : "";
}

Status copy_summary(const std::string& from, const std::string& to) {
  Result<LmdbEnv> env = LmdbEnv::open(from, {.read_only = true});
  return env ? copy_compacted(*env, to) : Status(env.error());
}

StoreVersion next_version(std::function<void()> dies_here = [] {}) {
  return {2, {{1, [dies_here](const std::string& summary, const std::string& to) -> Status {
                if (Status copied = copy_summary(summary, to); !copied) return copied;
                dies_here();
                write_word(to);
                return {};
              }}}};
}

// --- ---

void a_store_of_the_previous_format_is_migrated_when_it_is_aggregated(void**) {
  assert_true(aggregate(next_version()));
  expect_text(word(), "next");
  expect_number(Store::open(held->path, 2)->format(), 2);
  assert_true(aggregate(next_version()));
  expect_text(word(), "next");  // once
  expect_number(current_generation(*held->store), 1);
  assert_false(std::filesystem::exists(held->path + "/summary.0"));
}

void readers_take_both_formats(void**) {
  expect_number(Store::open(held->path, 2)->format(), 1);
  assert_true(aggregate(next_version()));
  expect_number(Store::open(held->path, 2)->format(), 2);
}

void who_is_killed_while_migrating_begins_anew(void**) {
  {
    Child child([](Child&) { return aggregate(next_version([] { kill(getpid(), SIGKILL); })); });
    assert_false(child.finish());
  }
  expect_number(Store::open(held->path)->format(), 1);
  expect_number(current_generation(*held->store), 0);
  assert_true(aggregate());  // the previous version still can
  assert_true(aggregate(next_version()));
  expect_text(word(), "next");
}

// The summary is the next one already, the store's file does not say so yet.
void who_is_killed_behind_the_summarys_name_goes_on(void**) {
  assert_true(aggregate(next_version()));
  std::ofstream(held->path + "/format", std::ios::trunc) << "footfall store 1\n";
  assert_true(aggregate(next_version()));
  expect_text(word(), "next");
  expect_number(Store::open(held->path, 2)->format(), 2);
}

void a_newer_store_is_refused_by_name(void**) {
  assert_true(aggregate(next_version()));
  assert_false(aggregate());
  expect_text(held->fault, held->path + ": store of format 2, and this footfall is of format 1: a newer one made it, and is "
                                        "needed to go on with it");
  expect_number(Store::open(held->path, 2)->format(), 2);
}

void a_store_from_long_ago_is_refused_by_name(void**) {
  assert_false(aggregate({3, {}}));
  expect_text(held->fault, held->path + ": store of format 1, and this footfall is of format 3: let one of each format between "
                                        "aggregate it once");
  assert_false(aggregate({2, {}}));
  expect_text(held->fault, held->path + ": this footfall knows no way from format 1");
}

void a_step_that_fails_changes_nothing(void**) {
  assert_false(aggregate({2, {{1, [](const std::string&, const std::string&) { return Error::full("no room"); }}}}));
  expect_text(held->fault, "no room");
  assert_true(aggregate());
}

}  // namespace
}  // namespace footfall

#define in_store(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      in_store(a_store_of_the_previous_format_is_migrated_when_it_is_aggregated),
      in_store(readers_take_both_formats),
      in_store(who_is_killed_while_migrating_begins_anew),
      in_store(who_is_killed_behind_the_summarys_name_goes_on),
      in_store(a_newer_store_is_refused_by_name),
      in_store(a_store_from_long_ago_is_refused_by_name),
      in_store(a_step_that_fails_changes_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
