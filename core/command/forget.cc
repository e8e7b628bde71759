#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "aggregate/aggregator.h"
#include "base/clock.h"
#include "base/limits.h"
#include "command/command.h"
#include "command/import_common.h"
#include "lane/import_lane.h"

namespace footfall {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr int64_t kDaemonMsMax = 5 * 60 * 1000;

int fail(const std::string& text) {
  std::fprintf(stderr, "footfall forget: %s\n", text.c_str());
  return kExitFailed;
}

// Of whom the id is: as workers and imports make it.
Hash128 name_of(const Store& store, std::string_view id, bool is_customer) {
  return keyed_hash(derive_key(store.secret(), is_customer ? "customer" : "visitor id"), id.substr(0, kVisitorIdBytesMax));
}

// The daemon has been asked; it does so once all that waits in the lane is counted.
Result<Forgotten> wait_for_daemon(const Store& store, const Config& config, uint64_t request) {
  Result<SummaryReader> reader = SummaryReader::open(store.summary_path(), static_cast<uint64_t>(config.map_bytes));
  if (!reader) return reader.error();
  for (const int64_t began_ms = now_ms(); now_ms() - began_ms < kDaemonMsMax;) {
    Result<SummarySnapshot> snapshot = reader->snapshot();
    if (!snapshot) return snapshot.error();
    for (const Forgotten& done : snapshot->checkpoint().forgotten)
      if (done.request == request) return done;
    if (lock_holder(store.path() + "/writer") == 0) return Error::busy("the aggregator has ended; run the command again");
    std::this_thread::sleep_for(kPoll);
  }
  return Error::busy("the aggregator has not done it within 5 minutes; it will: run the command again to see");
}

// This process is the one that writes the summary. Whom else a command that was cut off asked for goes as well.
Result<Forgotten> forget_here(Aggregator& aggregator, ImportLane& lane, const ForgetRequest& wanted) {
  if (Status counted = aggregator.drain_imports(); !counted) return counted.error();  // what a cut-off import left waiting
  const LanePlace place = aggregator.import_place();
  if (Status dropped = lane.drop_counted(place.epoch, place.number); !dropped) return dropped.error();
  for (const ForgetRequest& other : lane.forget_requests()) {
    if (other.number == wanted.number) continue;
    if (const Result<Forgotten> done = aggregator.forget_visitor(other); !done) return done.error();
    if (Status status = lane.finish_forget(other.number); !status) return status.error();
  }
  return aggregator.forget_visitor(wanted);
}

int tell(const Forgotten& found) {
  if (!found.anything()) {
    std::printf("nothing is kept of that one\n");
    return kExitFailed;
  }
  std::printf("forgotten: %u visitor records, %u open visits; %u kept visits and %u conversions are nobody's now\n",
              found.visitors, found.open_visits, found.visits, found.conversions);
  return kExitWell;
}

}  // namespace

int forget(const Common& common, const std::string& id, bool is_customer) {
  std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  if (Result<Store> there = Store::open(config->store); !there) return fail("no store at " + config->store);
  Result<Store> store = open_store(*config);
  if (!store) return fail(store.error().text);
  Result<CountedBefore> before = look(*store, *config);
  if (!before) return fail(before.error().text);
  if (!has_config_file(common) && before->config) {
    before->config->store = config->store;
    config = before->config;
  }
  Result<ImportLane> lane = ImportLane::open(*store);
  if (!lane) return fail(lane.error().text);
  if (Status settled = settle(*lane, *store, *config); !settled) return fail(settled.error().text);
  ForgetRequest request{.number = 0, .visitor = name_of(*store, id, is_customer)};
  random_bytes(&request.number, sizeof request.number);
  // One that was cut off may be done by now: then this tells what it found.
  for (const ForgetRequest& other : lane->forget_requests())
    if (other.visitor == request.visitor) request.number = other.number;
  if (Status status = lane->ask_forget(request); !status) return fail(status.error().text);

  const auto blocks = [&](uint64_t last, uint64_t hits, std::string& block) { return lane->next_block(last, hits, block); };
  Result<std::unique_ptr<Aggregator>> aggregator = Aggregator::open(
      *store, *config, {.begin_anew = {}, .classify = classify_agent, .log = log_import, .import_blocks = blocks});
  if (!aggregator && aggregator.error().code != Error::Code::busy) return fail(aggregator.error().text);
  const Result<Forgotten> found =
      aggregator ? forget_here(**aggregator, *lane, request) : wait_for_daemon(*store, *config, request.number);
  if (!found) return fail(found.error().text);
  if (Status status = lane->finish_forget(request.number); !status) return fail(status.error().text);
  return tell(*found);
}

}  // namespace footfall
