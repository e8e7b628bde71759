#include "aggregate/aggregator.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "aggregate/shop.h"
#include "aggregate/worker.h"
#include "base/clock.h"
#include "child.h"
#include "lane/flusher.h"
#include "lane/stage_writer.h"
#include "site/config_file.h"

namespace footfall {
namespace {

// Of the running test.
struct Fixture {
  TempFolder folder;
  Store store = Store::create(folder / "store", std::nullopt).value();
  Config config = two_shops();
  std::unique_ptr<Aggregator> aggregator;
  std::string log;
  Error error;

  // False: refused, and `error` says why.
  bool open(const std::string& begin_anew = "") {
    aggregator.reset();
    AggregatorOptions options{.begin_anew = begin_anew, .classify = classify_googlebot, .log = {}};
    options.log = [this](LogLevel, std::string_view text) { log.append(text).append("\n"); };
    Result<std::unique_ptr<Aggregator>> opened = Aggregator::open(store, config, std::move(options));
    if (!opened) return error = opened.error(), false;
    aggregator = std::move(*opened);
    return true;
  }
  bool once() {
    const Status done = aggregator->run_once();
    if (!done) error = done.error();
    return done.ok();
  }
  void close() { aggregator.reset(); }

  // Views of a worker that then ends. One that reads its clock later must not find them in the future.
  void view(std::string_view site, int views, std::string_view prefix = "/p") {
    Worker worker(store, 1 << 20);
    for (int i = 0; i < views; ++i) {
      const std::string uri = std::string(prefix) + std::to_string(i);
      RawHit raw;
      raw.time_ms = now_ms();
      raw.status = 200;
      raw.content = ContentKind::html;
      raw.agent = kFirefox;
      raw.visitor_id = "anna";
      raw.uri = uri;
      worker.stage(raw, site);
    }
  }
  void order(std::string_view id) {
    Worker worker(store);
    const std::string header = "purchase;id=\"" + std::string(id) + "\";value=10";
    RawHit raw;
    raw.time_ms = now_ms();
    raw.status = 200;
    raw.agent = kFirefox;
    raw.visitor_id = "anna";
    raw.uri = "/thank-you";
    raw.events_header = header;
    worker.stage(raw);
  }

  // As a reader sees it; -1: no such thing yet. Not while an aggregator is open in this process.
  int64_t total(Counter counter, std::string_view site = "shop") {
    Result<SummaryReader> reader = SummaryReader::open(store.summary_path(), config.map_bytes);
    if (!reader) return -1;
    Result<SummarySnapshot> snapshot = reader->snapshot();
    if (!snapshot) return -1;
    const std::vector<std::string>& sites = snapshot->checkpoint().sites;
    const auto found = std::find(sites.begin(), sites.end(), site);
    if (found == sites.end()) return -1;
    int64_t sum = 0;
    const Status read = snapshot->each_rollup(
        static_cast<uint16_t>(found - sites.begin()), Dimension::total, Level::day, 0, 4'000'000'000, Zone(),
        [&](const RollupKey&, const Counters& counters) { sum += counters[counter]; });
    return read ? sum : -1;
  }
  CheckpointState checkpoint() {
    return SummaryReader::open(store.summary_path(), config.map_bytes).value().snapshot().value().checkpoint();
  }
  Config stored_config() {
    return SummaryReader::open(store.summary_path(), config.map_bytes).value().snapshot().value().config();
  }
};
std::unique_ptr<Fixture> f;
int open_store(void**) { return f = std::make_unique<Fixture>(), 0; }
int close_store(void**) { return f.reset(), 0; }

bool text_has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

void once_counts_all_there_is_and_folds_it(void**) {
  f->view("shop", 5);
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::pageviews), 5);
  expect_number(f->total(Counter::visits), 1);
  expect_number(f->checkpoint().lost_hits, 0);
  expect_number(f->checkpoint().pid, getpid());
  SummaryWriter summary = SummaryWriter::open(f->store.summary_path(), f->config.map_bytes).value();
  expect_number(summary.unfolded_bytes(), 0);
}

void once_takes_running_workers_stages_too(void**) {
  static std::unique_ptr<Worker> worker;
  worker = std::make_unique<Worker>(f->store);
  worker->view("/a", now_ms()).clock(now_ms());
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  worker->view("/b", now_ms()).clock(now_ms()).flush().view("/c", now_ms());
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  worker.reset();
  expect_number(f->total(Counter::pageviews), 3);
}

void again_counts_nothing_twice(void**) {
  f->view("shop", 5);
  for (int run = 0; run < 3; ++run) {
    assert_true(f->open());
    assert_true(f->once());
    assert_true(f->once());
    f->close();
  }
  expect_number(f->total(Counter::pageviews), 5);
  f->view("shop", 2);
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::pageviews), 7);
  expect_number(f->total(Counter::visits), 1);  // the open visit goes on
}

void an_order_is_known_by_the_next_process(void**) {
  for (int run = 0; run < 3; ++run) {
    f->order("A-1");
    assert_true(f->open());
    assert_true(f->once());
    f->close();
  }
  expect_number(f->total(Counter::orders_last), kCreditWhole);
  expect_number(f->total(Counter::duplicate_orders), 2);
}

void hits_of_the_future_are_refused_and_counted(void**) {
  {
    Worker worker(f->store);
    worker.view("/now", now_ms()).view("/ahead", now_ms() + 2 * 3'600'000);
  }
  f->view("shop", 1);  // the lane is that of the worker before: its time never runs back
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::pageviews), 1);
  expect_number(f->checkpoint().refused_hits, 2);
  expect_number(f->total(Counter::late_hits), 0);
}

void lost_hits_are_in_the_checkpoint_once(void**) {
  {
    Worker worker(f->store);
    worker.view("/gone", now_ms()).view("/gone", now_ms()).flush_garbage().view("/a", now_ms()).flush();
  }
  for (int run = 0; run < 2; ++run) {
    assert_true(f->open());
    assert_true(f->once());
    f->close();
    expect_number(f->checkpoint().lost_hits, 2);
    expect_number(f->total(Counter::pageviews), 1);
  }
}

void a_lane_that_cannot_be_read_is_told(void**) {
  f->view("shop", 1);
  {
    Worker worker(f->store);
    worker.lane().state->version = 99;
  }
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  assert_true(text_has(f->log, "lane 0: "));
  expect_number(f->checkpoint().warnings.size(), 1);
  assert_true(text_has(f->checkpoint().warnings[0], "version 99"));
}

// --- who may open ----------------------------------------------------------------------------------------------------

void a_second_writer_is_refused_and_told_who_writes(void**) {
  assert_true(f->open());
  const Result<std::unique_ptr<Aggregator>> second =
      Aggregator::open(f->store, f->config, {.begin_anew = "", .classify = classify_googlebot, .log = {}});
  assert_false(second.ok());
  assert_true(second.error().code == Error::Code::busy);
  assert_true(text_has(second.error().text, std::to_string(getpid())));
  f->close();
  assert_true(f->open());
}

void a_writer_in_another_process_is_named_too(void**) {
  Child child([](Child& self) {
    child_check(f->open());
    self.step_done();
    return true;
  });
  assert_true(child.await_step());
  assert_false(f->open());
  assert_true(f->error.code == Error::Code::busy);
  assert_true(text_has(f->error.text, std::to_string(child.pid())));
  child.kill();
  assert_true(f->open());  // the lock died with its process
}

void a_change_of_zone_or_currency_is_refused(void**) {
  f->view("shop", 1);
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  f->config.sites[0].timezone = "Europe/Lisbon";
  assert_false(f->open());
  assert_true(f->error.code == Error::Code::invalid);
  for (std::string_view part : {"site.shop.timezone", "Europe/Berlin", "Europe/Lisbon", "--begin-anew shop"})
    assert_true(text_has(f->error.text, part));
  f->config = two_shops();
  f->config.sites[0].currency = *parse_currency("USD");
  assert_false(f->open());
  for (std::string_view part : {"site.shop.currency", "EUR", "USD", "--begin-anew shop"})
    assert_true(text_has(f->error.text, part));
  f->config = two_shops();
  f->config.sites[0].goals.clear();  // anything else may change
  f->config.sites[0].visit_gap_s = 60;
  assert_true(f->open());
  f->close();
  assert_true(find_site(f->stored_config(), "shop")->visit_gap_s == 60);
}

void a_site_without_figures_may_change(void**) {
  f->view("blog.example", 1);
  assert_true(f->open());
  assert_true(f->once());
  f->config.sites[0].timezone = "Europe/Lisbon";
  assert_true(f->open());
}

void beginning_anew_keeps_the_old_figures_apart(void**) {
  f->view("shop", 3);
  assert_true(f->open());
  assert_true(f->once());
  f->config.sites[0].timezone = "Europe/Lisbon";
  assert_true(f->open("shop"));
  f->close();
  f->view("shop", 2);
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::pageviews, "shop.1"), 3);
  expect_number(f->total(Counter::pageviews, "shop"), 2);
  expect_number(f->total(Counter::visits, "shop"), 1);
  expect_text(find_site(f->stored_config(), "shop.1")->timezone, "Europe/Berlin");
  expect_text(find_site(f->stored_config(), "shop")->timezone, "Europe/Lisbon");

  f->config.sites[0].currency = *parse_currency("USD");
  assert_true(f->open("shop"));
  f->close();
  f->view("shop", 1);
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::pageviews, "shop.1"), 3);
  expect_number(f->total(Counter::pageviews, "shop.2"), 2);
  expect_number(f->total(Counter::pageviews, "shop"), 1);
  expect_text(find_site(f->stored_config(), "shop.2")->currency.text(), "EUR");
}

void an_unknown_site_cannot_begin_anew(void**) {
  assert_false(f->open("shop"));
  assert_true(f->error.code == Error::Code::not_found);
  f->view("shop", 1);
  assert_true(f->open());
  assert_true(f->once());
  assert_false(f->open("shoop"));
  assert_true(text_has(f->error.text, "shoop"));
  f->close();
  expect_number(f->total(Counter::pageviews), 1);
}

// --- another configuration in between --------------------------------------------------------------------------------

void the_configuration_is_there_for_workers(void**) {
  assert_true(f->open());
  assert_true(*read_config_file(f->store.config_path()) == f->config);
}

void another_configuration_holds_from_the_next_hit_on(void**) {
  f->view("shop", 1, "/welcome/");  // reaches a goal
  assert_true(f->open());
  assert_true(f->once());
  f->config.sites[0].goals = {{.name = "read", .event = "", .path = "/news*", .value_micros = 3'000'000}};
  f->config.sites[0].exclude_paths = {"/intern*"};
  f->config.sites[0].hosts = {"blog"};
  assert_true(f->aggregator->reconfigure(f->config).ok());
  assert_true(text_has(f->log, "the configuration is taken"));
  f->view("blog", 1, "/news/");  // the same visit, by the site's new host
  f->view("shop", 1, "/intern/");
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::visits), 1);
  expect_number(f->total(Counter::pageviews), 2);
  expect_number(f->total(Counter::excluded_hits), 1);
  expect_number(f->total(Counter::conversions_last), 2 * kCreditWhole);
  expect_number(f->total(Counter::visits, "blog"), -1);
  assert_true(f->stored_config() == f->config);
  assert_true(*read_config_file(f->store.config_path()) == f->config);
}

void a_configuration_that_cannot_be_taken_changes_nothing(void**) {
  f->view("shop", 1);
  assert_true(f->open());
  assert_true(f->once());
  static Config wanted;
  wanted = f->config;
  wanted.sites[0].goals.clear();
  wanted.sites[0].timezone = "Europe/Lisbon";
  const Status refused = f->aggregator->reconfigure(wanted);
  assert_true(!refused && refused.error().code == Error::Code::invalid);
  assert_true(text_has(refused.error().text, "--begin-anew shop"));
  wanted = f->config;
  wanted.store = "/elsewhere";
  assert_false(f->aggregator->reconfigure(wanted).ok());
  f->view("shop", 1, "/welcome");
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::conversions_last), kCreditWhole);
  assert_true(f->stored_config() == f->config);
  assert_true(*read_config_file(f->store.config_path()) == f->config);
}

void a_refusal_is_told_until_one_is_right(void**) {
  assert_true(f->open());
  assert_true(f->aggregator->refuse_configuration("a.toml:3: no\na.toml:4: neither").ok());
  assert_true(text_has(f->log, "configuration not taken, the one before stays: a.toml:4: neither"));
  f->close();
  expect_number(f->checkpoint().warnings.size(), 2);
  assert_true(text_has(f->checkpoint().warnings[0], "a.toml:3: no"));
  assert_true(f->open());
  assert_true(f->aggregator->refuse_configuration("a.toml:3: no").ok());
  assert_true(f->aggregator->reconfigure(f->config).ok());
  f->close();
  expect_number(f->checkpoint().warnings.size(), 0);
}

void sites_set_aside_outlive_another_configuration(void**) {
  f->view("shop", 3);
  assert_true(f->open());
  assert_true(f->once());
  f->config.sites[0].timezone = "Europe/Lisbon";
  assert_true(f->open("shop"));
  assert_true(f->aggregator->reconfigure(f->config).ok());
  f->close();
  expect_text(find_site(f->stored_config(), "shop.1")->timezone, "Europe/Berlin");
  expect_number(f->total(Counter::pageviews, "shop.1"), 3);
}

// --- faults and deaths -----------------------------------------------------------------------------------------------

void a_full_map_loses_and_doubles_nothing(void**) {
  f->config.map_bytes = 1 << 20;
  int views = 0;
  for (int run = 0;; ++run) {
    assert_true(run < 50);
    const std::string prefix = "/run" + std::to_string(run) + "/";
    f->view("shop", 200, prefix);
    views += 200;
    if (f->open() && f->once()) continue;
    assert_true(f->error.code == Error::Code::full);
    break;
  }
  f->close();
  f->config.map_bytes = 64 << 20;
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::hits), views);
  expect_number(f->total(Counter::visits), 1);
  expect_number(f->checkpoint().lost_hits, 0);
}

void a_full_disk_loses_and_doubles_nothing(void**) {
  f->view("shop", 100);
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  f->view("shop", 2000, "/more");
  assert_true(in_child([] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{64 << 10, 64 << 10};
    child_check(f->open());
    child_check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    child_check(!f->once());
    child_check(f->total(Counter::hits) == 100);
    return true;
  }));
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::hits), 2100);
  expect_number(f->total(Counter::visits), 1);
}

// A daemon that is killed over and over, beside a worker that never rests.
void a_killed_daemon_counts_every_hit_once(void**) {
  static std::unique_ptr<Lane> lane;
  lane = Lane::claim(f->store, {.ring_bytes = kRingBytesDefault, .stage_bytes = 1 << 20, .stage_folder = ""}).value();
  static std::unique_ptr<Flusher> flusher;
  flusher = Flusher::start(f->store, *lane, {.flush_ms = 5, .sync_ms = 0});
  StageWriter stage(lane->stage);
  HitContext context;
  context.site = "shop";
  const uint16_t number = stage.add_context(context).value();
  RawHit raw;
  raw.status = 200;
  raw.content = ContentKind::html;
  raw.agent = kFirefox;
  raw.visitor_id = "anna";
  raw.uri = "/";
  int64_t staged = 0;
  for (int round = 0; round < 6; ++round) {
    Child daemon([](Child& self) {
      std::atomic<bool> stop = false;
      child_check(f->open());
      self.step_done();
      return f->aggregator->run(stop).ok();
    });
    assert_true(daemon.await_step());
    daemon.go();
    // Until it has counted something; its death then comes wherever it stands.
    for (const int64_t wanted = staged + 40 + 7 * round; f->total(Counter::hits) < wanted;) {
      raw.time_ms = now_ms();
      raw.own_bot = staged % 2 == 0;  // 301 views a second would be a bot's
      staged += stage.append(raw, number);
      stage.set_clock(now_ms());
      usleep(500);
    }
    daemon.kill();
  }
  flusher.reset();
  lane.reset();
  assert_true(f->open());
  assert_true(f->once());
  f->close();
  expect_number(f->total(Counter::hits), staged);
  expect_number(f->total(Counter::visits), 1);
  expect_number(f->total(Counter::late_hits), 0);
  expect_number(f->checkpoint().lost_hits, 0);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define store_test(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)
  const CMUnitTest tests[] = {
      store_test(once_counts_all_there_is_and_folds_it),
      store_test(once_takes_running_workers_stages_too),
      store_test(again_counts_nothing_twice),
      store_test(an_order_is_known_by_the_next_process),
      store_test(hits_of_the_future_are_refused_and_counted),
      store_test(lost_hits_are_in_the_checkpoint_once),
      store_test(a_lane_that_cannot_be_read_is_told),
      store_test(a_second_writer_is_refused_and_told_who_writes),
      store_test(a_writer_in_another_process_is_named_too),
      store_test(a_change_of_zone_or_currency_is_refused),
      store_test(a_site_without_figures_may_change),
      store_test(beginning_anew_keeps_the_old_figures_apart),
      store_test(an_unknown_site_cannot_begin_anew),
      store_test(the_configuration_is_there_for_workers),
      store_test(another_configuration_holds_from_the_next_hit_on),
      store_test(a_configuration_that_cannot_be_taken_changes_nothing),
      store_test(a_refusal_is_told_until_one_is_right),
      store_test(sites_set_aside_outlive_another_configuration),
      store_test(a_full_map_loses_and_doubles_nothing),
      store_test(a_full_disk_loses_and_doubles_nothing),
      store_test(a_killed_daemon_counts_every_hit_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
