#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "aggregate/aggregator.h"
#include "base/clock.h"
#include "command/command.h"
#include "command/import_common.h"
#include "lane/import_lane.h"

namespace footfall {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr int64_t kDaemonMsMax = 5 * 60 * 1000;

// This process is the one that writes the summary.
Status undo_here(Aggregator& aggregator, ImportLane& lane, uint32_t import) {
  if (Status counted = aggregator.drain_imports(); !counted) return counted;  // what a cut-off import left waiting
  const LanePlace place = aggregator.import_place();
  if (Status dropped = lane.drop_counted(place.epoch, place.number); !dropped) return dropped;
  return aggregator.undo_import(import);
}

// The daemon has been asked; it does so once all that waits in the lane is counted.
Status wait_for_daemon(const Store& store, const Config& config, uint32_t import) {
  Result<SummaryReader> reader = SummaryReader::open(store.summary_path(), static_cast<uint64_t>(config.map_bytes));
  if (!reader) return reader.error();
  for (const int64_t began_ms = now_ms(); now_ms() - began_ms < kDaemonMsMax;) {
    Result<SummarySnapshot> snapshot = reader->snapshot();
    if (!snapshot) return snapshot.error();
    const std::vector<uint32_t>& undone = snapshot->checkpoint().undone_imports;
    if (std::find(undone.begin(), undone.end(), import) != undone.end()) return {};
    if (lock_holder(store.path() + "/writer") == 0)
      return Error::busy("the aggregator has ended; run the command again");
    std::this_thread::sleep_for(kPoll);
  }
  return Error::busy("the aggregator has not done it within 5 minutes; it will: run the command again to see");
}

}  // namespace

int import_undo(const Common& common, uint32_t import) {
  std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  if (Result<Store> there = Store::open(config->store); !there) return fail_import("no store at " + config->store);
  Result<Store> store = open_store(*config);
  if (!store) return fail_import(store.error().text);
  Result<CountedBefore> before = look(*store, *config);
  if (!before) return fail_import(before.error().text);
  if (!has_config_file(common) && before->config) {
    before->config->store = config->store;
    config = before->config;
  }
  Result<ImportLane> lane = ImportLane::open(*store);
  if (!lane) return fail_import(lane.error().text);
  if (Status settled = settle(*lane, *store, *config); !settled) return fail_import(settled.error().text);
  const std::optional<uint32_t> asked = lane->undo_asked();
  if (asked && *asked != import)
    return fail_import("import " + std::to_string(*asked) + " is half undone: run `footfall import --undo " +
                       std::to_string(*asked) + "` again first");
  if (import <= before->checkpoint.merged_imports)  // whatever the clock says by now
    return fail_import("the figures of import " + std::to_string(import) + " are for good: they are summed up with those of other imports");
  // What was asked in time is finished, however late.
  if (!asked)
    if (Status status = lane->check_undo(import, now_ms()); !status) return fail_import(status.error().text);
  if (Status status = lane->ask_undo(import); !status) return fail_import(status.error().text);

  const auto blocks = [&](uint64_t last, uint64_t hits, std::string& block) { return lane->next_block(last, hits, block); };
  Result<std::unique_ptr<Aggregator>> aggregator = Aggregator::open(
      *store, *config, {.begin_anew = {}, .classify = classify_agent, .log = log_import, .import_blocks = blocks});
  if (!aggregator && aggregator.error().code != Error::Code::busy) return fail_import(aggregator.error().text);
  const Status undone = aggregator ? undo_here(**aggregator, *lane, import) : wait_for_daemon(*store, *config, import);
  if (!undone) return fail_import(undone.error().text);
  if (Status status = lane->finish_undo(import); !status) return fail_import(status.error().text);
  std::printf("import %u is undone; its files can be imported again\n", import);
  return kExitWell;
}

}  // namespace footfall
