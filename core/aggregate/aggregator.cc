#include "aggregate/aggregator.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "aggregate/config_change.h"
#include "aggregate/counting.h"
#include "lane/generations.h"
#include "site/config_file.h"

namespace footfall {
namespace {

constexpr int64_t kCheckpointMs = 500;
constexpr int64_t kFoldMs = 30'000;
constexpr int64_t kHeartbeatMs = 1'000;
constexpr uint64_t kFoldBytes = 32 << 20;
// Of imports without a daemon. Each is a fold, so they are as far between as memory allows: visits and visitors wait in it.
constexpr uint64_t kImportsPerCheckpoint = 350'000;
constexpr size_t kRowsPerCheckpoint = 75'000;
// Hits that have nothing in common bring rows that lie all over the store, a page in memory for each and level.
constexpr size_t kScatteredRowsPerCheckpoint = 24'000;
constexpr uint64_t kRowsOfScatteredHit = 6;
constexpr int64_t kMergeLookMs = 24 * 3600 * 1000;  // for imports that nobody can undo any more
constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr int64_t kOwnersWaitMs = 5'000;  // --once: workers look once a second what is asked of them

}  // namespace

Aggregator::Aggregator(std::unique_ptr<Counting> state) : state_(std::move(state)) {}
Aggregator::~Aggregator() = default;

Result<std::unique_ptr<Aggregator>> Aggregator::open(Store store, const Config& wanted, AggregatorOptions options) {
  Result<FileLock> lock = FileLock::try_lock(store.path() + "/writer");
  if (!lock) return lock.error();
  lock->write_pid();
  (void)remove_other_generations(store);  // that a compaction left behind
  if (Status migrated = migrate(store, options.version); !migrated) return migrated.error();
  Result<SummaryWriter> summary = SummaryWriter::open(store.summary_path(), wanted.map_bytes);
  if (!summary) return summary.error();
  Result<CheckpointState> checkpoint = summary->load_checkpoint();
  if (!checkpoint) return checkpoint.error();
  Result<std::optional<Config>> stored = summary->load_config();
  if (!stored) return stored.error();

  Config config = wanted;
  Config before = *stored ? std::move(**stored) : Config();
  if (!options.begin_anew.empty())
    if (Status status = begin_anew(options.begin_anew, before, config, checkpoint->sites); !status)
      return status.error();
  if (*stored) {
    keep_set_aside(before, config, checkpoint->sites);
    if (Status status = check_change(before, config, checkpoint->sites); !status) return status.error();
  }
  // Blocks of changes are folded in the zones that they were counted in: before the configuration changes.
  auto state = std::make_unique<Counting>(std::move(store), std::move(options), std::move(*lock), std::move(*summary),
                                       config, std::move(*checkpoint));
  if (Status status = state->restore(); !status) return status.error();
  // Whatever this is cut off by: a site's old settings are stored before its new name, its new settings after it.
  if (!state->options.begin_anew.empty())
    if (Status status = state->store_config(before); !status) return status.error();
  if (Status status = state->save(); !status) return status.error();
  if (Status status = state->store_config(config); !status) return status.error();
  return std::unique_ptr<Aggregator>(new Aggregator(std::move(state)));
}

Status Aggregator::run(const std::atomic<bool>& stop) {
  Counting& state = *state_;
  int64_t saved_ms = now_ms();
  int64_t told_ms = 0, looked_ms = 0, merged_ms = 0;
  uint64_t unsaved = 0;
  std::vector<std::string> faults;
  while (!stop) {
    state.lanes.poll(now_ms(), false);
    const uint64_t imported = state.count_imports();
    const uint64_t counted = state.count_due(false) + imported;
    if (imported == 0) {
      if (Status done = state.do_what_is_asked(); !done) return done;
      if (now_ms() - merged_ms >= kMergeLookMs) {
        merged_ms = now_ms();
        if (Status merged = state.merge_old_imports(state.imports.records()); !merged) return merged;
      }
    }
    unsaved += counted;
    if (std::vector<std::string> found = state.lanes.faults(); found != faults) {
      faults = std::move(found);
      for (const std::string& fault : faults) state.options.log(LogLevel::warning, fault);
      ++unsaved;  // health tells it too
    }
    const int64_t now = now_ms();
    const bool behind = counted >= kHitsPerCheckpoint;
    if (unsaved > 0 && (behind || now - saved_ms >= kCheckpointMs || now < saved_ms)) {
      const bool folds = state.summary.unfolded_bytes() >= kFoldBytes || now - state.folded_ms >= kFoldMs;
      if (folds) state.close_visits();
      if (Status saved = state.save(); !saved) return saved;  // memory is ahead of the store now: begin again from it
      saved_ms = now;
      unsaved = 0;
      if (folds) {
        if (Status folded = state.fold(state.times()); !folded) return folded;
        state.settle();
      }
    }
    if (now - looked_ms >= kHeartbeatMs) {
      looked_ms = now;
      if (state.store_is_replaced()) return Error::not_found(state.store.path() + " was replaced by another store");
    }
    if (unsaved == 0 && now - told_ms >= kHeartbeatMs) {
      // Nothing is waiting: what is stored tells all up to now, and storing that would be a write for nothing.
      write_heartbeat(state.lock, {state.checkpoint.number, now, state.lanes.complete_through_ms()});
      told_ms = now;
    }
    if (!behind) std::this_thread::sleep_for(kPoll);
  }
  if (unsaved > 0) return state.save();
  return {};
}

Status Aggregator::reconfigure(const Config& wanted) {
  Counting& state = *state_;
  const Config& before = state.sites.config();
  const std::vector<std::string> names = state.sites.names();
  Config config = wanted;
  if (config.store != before.store)
    return Error::invalid("store was \"" + before.store + "\" and is now \"" + config.store +
                          "\": that takes a restart of the aggregator");
  keep_set_aside(before, config, names);
  if (Status status = check_change(before, config, names); !status) return status;

  if (Status saved = state.save(); !saved) return saved;
  if (Status folded = state.fold(state.times()); !folded) return folded;
  state.settle();
  state.sites = Sites(config, names, state.sites.first_live_ms());
  state.lanes.set_config(config);
  state.set_retention();
  state.refused.clear();
  if (Status saved = state.save(); !saved) return saved;
  if (Status stored = state.store_config(config); !stored) return stored;
  state.options.log(LogLevel::info, "the configuration is taken");
  return {};
}

Status Aggregator::refuse_configuration(std::string_view why) {
  Counting& state = *state_;
  state.refused.clear();
  while (!why.empty()) {
    const size_t end = std::min(why.find('\n'), why.size());
    if (end > 0) state.refused.push_back("configuration not taken, the one before stays: " + std::string(why.substr(0, end)));
    why.remove_prefix(std::min(end + 1, why.size()));
  }
  const Status saved = state.save();  // first: who reads the log and then asks for health finds it there
  for (const std::string& fault : state.refused) state.options.log(LogLevel::warning, fault);
  return saved;
}

Status Aggregator::drain_imports() {
  Counting& state = *state_;
  for (uint64_t counted; (counted = state.count_imports()) > 0;) {
    state.unsaved_imports += counted;
    if (!is_much_counted()) continue;
    if (Status saved = store_imports(); !saved) return saved;
  }
  return state.unsaved_imports > 0 ? store_imports() : Status();
}

void Aggregator::expect_import(const Hit& hit, std::string_view site) {
  state_->imported.expect(hit, site);
}

void Aggregator::count_import(uint16_t import, const Hit& hit, std::string_view site) {
  Counting& state = *state_;
  state.imports.pass(import, hit);
  state.changes.set_import(import);
  state.imported.count(hit, site, state.imports.is_late());
  ++state.unsaved_imports;
}

bool Aggregator::is_much_counted() const {
  const uint64_t hits = state_->unsaved_imports, rows = state_->changes.rows();
  const bool is_scattered = rows >= kRowsOfScatteredHit * hits;
  return hits >= kImportsPerCheckpoint || rows >= (is_scattered ? kScatteredRowsPerCheckpoint : kRowsPerCheckpoint);
}

Status Aggregator::store_imports() {
  state_->changes.set_import(0);
  state_->unsaved_imports = 0;
  return state_->save_and_fold();
}

Status Aggregator::undo_import(uint32_t import) { return state_->undo(import); }

Status Aggregator::merge_old_imports(const std::vector<ImportRecord>& records) { return state_->merge_old_imports(records); }

Result<Forgotten> Aggregator::forget_visitor(const ForgetRequest& request) { return state_->forget(request); }

LanePlace Aggregator::import_place() const { return state_->saved_imports; }

Status Aggregator::run_once() {
  Counting& state = *state_;
  const int64_t began_ms = now_ms();
  for (;;) {
    state.lanes.poll(now_ms(), true);
    uint64_t counted = 0;
    for (uint64_t more; (more = state.count_due(false)) > 0; counted += more)
      if (Status saved = state.save(); !saved) return saved;
    const bool waits = state.lanes.awaits_owners() && now_ms() - began_ms < kOwnersWaitMs;
    if (state.lanes.holds_all() && !waits) break;
    if (counted == 0) std::this_thread::sleep_for(kPoll);  // a running worker's clock goes on, or is left behind
  }
  // What the lanes still hold is all there is.
  while (state.count_due(true) > 0)
    if (Status saved = state.save(); !saved) return saved;
  if (Status counted = drain_imports(); !counted) return counted;
  if (Status merged = merge_old_imports(state.imports.records()); !merged) return merged;
  if (Status saved = state.save(); !saved) return saved;
  if (Status folded = state.fold(state.times()); !folded) return folded;
  for (const std::string& fault : state.lanes.faults()) state.options.log(LogLevel::warning, fault);
  return {};
}

}  // namespace footfall
