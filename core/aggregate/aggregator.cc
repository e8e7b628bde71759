#include "aggregate/aggregator.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "aggregate/config_change.h"
#include "aggregate/engine.h"
#include "aggregate/import_reader.h"
#include "aggregate/lanes.h"
#include "aggregate/undo.h"
#include "base/clock.h"
#include "credit/order.h"
#include "lane/generations.h"
#include "rollup/summary.h"
#include "site/config_file.h"

namespace footfall {
namespace {

constexpr int64_t kCheckpointMs = 500;
constexpr int64_t kFoldMs = 30'000;
constexpr int64_t kHeartbeatMs = 1'000;
constexpr uint64_t kFoldBytes = 32 << 20;
constexpr uint64_t kHitsPerCheckpoint = 100'000;  // at most, when behind
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

struct Aggregator::State {
  State(Store store, AggregatorOptions options, FileLock lock, SummaryWriter summary, Config config,
        CheckpointState checkpoint)
      : store(std::move(store)),
        options(std::move(options)),
        lock(std::move(lock)),
        summary(std::move(summary)),
        checkpoint(std::move(checkpoint)),
        hasher(this->store.secret()),
        sites(std::move(config), this->checkpoint.sites, this->checkpoint.first_live_ms),
        engine(make_engine(Timeline::live)),
        imported(make_engine(Timeline::imported)),
        imports(this->store, this->checkpoint.lanes, this->options.import_blocks),
        saved_imports(imports.place()),
        lanes(this->store, this->checkpoint.lanes, this->checkpoint.complete_through_ms) {
    lanes.set_config(sites.config());
    set_retention();
  }

  const Store store;
  const AggregatorOptions options;
  const FileLock lock;
  SummaryWriter summary;
  CheckpointState checkpoint;
  const StringHasher hasher;
  Sites sites;
  Changes changes;
  RecentOrders recent_orders;
  Engine engine;     // of live hits
  Engine imported;   // of imports: a timeline of its own
  ImportReader imports;
  LanePlace saved_imports;  // as far as the store has them: memory is ahead of it
  Lanes lanes;
  const ZoneOf zone_of = [this](uint16_t site) -> const Zone& { return sites.at(site).zone; };
  std::vector<std::string> refused;  // what was wrong with the configuration that was not taken
  UpkeepTimes closed;  // the clocks that visits were closed by
  int64_t folded_ms = now_ms();
  uint64_t unsaved_imports = 0;

  Engine make_engine(Timeline timeline);
  void set_retention();
  bool store_is_replaced() const;  // not only moved away
  Status restore();
  uint64_t count_due(bool all);
  uint64_t count_imports();
  void note_checkpoint();
  void warn_of_bounds(std::vector<std::string>& warnings) const;
  Status save();
  UpkeepTimes times();
  Status fold(const UpkeepTimes& times);
  void close_visits();
  Status save_and_fold();
  void settle();
  Status undo(uint32_t import);
  Status merge_old_imports(const std::vector<ImportRecord>& records);
  Status restore_imported();
  Result<Forgotten> forget(const ForgetRequest& request);
  Status do_what_is_asked();
  Status store_config(const Config& config);
};

Engine Aggregator::State::make_engine(Timeline timeline) {
  return Engine(
      timeline, sites, hasher, options.classify, changes, recent_orders,
      [this](KeyedDatabase database, std::string_view key) -> std::optional<std::string> {
        Result<std::string> found = summary.find(database, key);
        if (!found) return std::nullopt;
        return std::move(*found);
      },
      [this](std::string_view prefix, const SeeStoredOrder& see) {
        summary.each_of_prefix(KeyedDatabase::orders, prefix, see);
      });
}

void Aggregator::State::set_retention() {
  const Retention& retention = sites.config().retention;
  summary.set_retention(retention);
  imported.set_horizons(horizons_of(retention, now_ms() / 1000));
}

// Folded first, so that everything that was stored can be found by its key.
Status Aggregator::State::restore() {
  if (Status folded = fold({}); !folded) return folded;
  engine.set_clocks(checkpoint.complete_through_ms / 1000, {});
  imported.set_clocks(INT64_MIN, checkpoint.import_clocks_s);
  return summary.each(KeyedDatabase::open_visits,
                      [&](std::string_view key, std::string_view value) {
                        engine.restore_open_visit(key, value);
                        imported.restore_open_visit(key, value);
                      });
}

uint64_t Aggregator::State::count_due(bool all) {
  uint64_t counted = 0;
  for (; counted < kHitsPerCheckpoint && lanes.next(all); ++counted) {
    checkpoint.late_hits += lanes.is_late();
    engine.count(lanes.hit(), lanes.site(), lanes.is_late());
    lanes.pop();
  }
  const uint64_t refused = lanes.take_refused();
  checkpoint.refused_hits += refused;
  checkpoint.lost_hits += lanes.take_lost();
  return counted + refused;
}

uint64_t Aggregator::State::count_imports() {
  uint64_t counted = 0;
  for (; counted < kHitsPerCheckpoint && imports.next(); ++counted) {
    changes.set_import(imports.import());
    imported.count(imports.hit(), imports.site(), imports.is_late());
  }
  changes.set_import(0);
  return counted;
}

// After a fold. Imported visits go by the imported hits' clock.
void Aggregator::State::settle() {
  recent_orders.clear();
  set_retention();
  engine.settle(checkpoint.complete_through_ms);
  changes.set_import(imports.import());
  if (imports.newest_ms() != INT64_MIN) imported.settle(imports.newest_ms());
  changes.set_import(0);
}

// Before what was counted is folded: all that is over by the clocks that the fold goes by. Imported visits go by that of
// the imported hits.
void Aggregator::State::close_visits() {
  const int64_t live_ms = lanes.complete_through_ms();
  engine.close_visits(live_ms);
  closed.live_clock_s = live_ms / 1000;
  if (imports.newest_ms() == INT64_MIN) return;
  changes.set_import(imports.import());
  imported.close_visits(imports.newest_ms());
  changes.set_import(0);
  closed.import = imports.import();
  closed.import_clock_s = imports.newest_ms() / 1000;
}

// Buckets settle by the clocks that visits were closed by.
UpkeepTimes Aggregator::State::times() {
  UpkeepTimes times = closed;
  times.now_s = now_ms() / 1000;
  times.retention = sites.config().retention;
  times.orders_max = sites.config().orders_max;
  times.sites = sites.size();
  times.import_clocks_s = checkpoint.import_clocks_s;
  times.visit_gap_s = [this](uint16_t site) { return site < sites.size() ? sites.at(site).config.visit_gap_s : kDefaultVisitGapS; };
  return times;
}

void Aggregator::State::note_checkpoint() {
  engine.flush();
  imported.flush();
  checkpoint.committed_ms = now_ms();
  checkpoint.complete_through_ms = lanes.complete_through_ms();
  checkpoint.lanes = lanes.places();
  if (imports.place().epoch != 0) checkpoint.lanes.push_back(imports.place());
  checkpoint.sites = sites.names();
  checkpoint.first_live_ms = sites.first_live_ms();
  checkpoint.import_clocks_s = imported.import_clocks_s();
  const Horizons horizons = horizons_of(sites.config().retention, checkpoint.committed_ms / 1000);
  for (size_t level = 0; level < kLevels.size(); ++level)
    checkpoint.kept_since_s[level] = std::max(checkpoint.kept_since_s[level], horizons.ends_by_s[level]);
  checkpoint.pid = static_cast<uint32_t>(getpid());
  checkpoint.warnings = refused;
  warn_of_bounds(checkpoint.warnings);
  for (std::string& fault : lanes.faults()) checkpoint.warnings.push_back(std::move(fault));
  for (const auto& [site, from_s] : summary.cut_sites())
    checkpoint.warnings.push_back("site " + sites.names()[site] + ": visits are kept from " +
                                  sites.at(site).zone.date_text(from_s) + " on, for [retention] visits_max is reached");
  checkpoint.lagging_lanes = lanes.lagging();
}

// What met its bound since this process began.
void Aggregator::State::warn_of_bounds(std::vector<std::string>& warnings) const {
  const UpkeepCounts& counts = summary.upkeep_counts();
  const auto warn = [&](uint64_t count, std::string_view what) {
    if (count > 0) warnings.push_back(std::to_string(count) + std::string(what));
  };
  warn(counts.overrun_rows, " values came beyond the most that a bucket tells apart at once, and are in `other`");
  warn(counts.orders_forgotten, " order ids were forgotten before their time, as there are more than orders_max");
  warn(engine.closed_early() + imported.closed_early(),
       " visits were closed before their time, as more than open_visits_max were open");
  warn(counts.visitors_forgotten, " visitors were forgotten before their time, as there are too many");
}

Status Aggregator::State::save() {
  note_checkpoint();
  const std::string block = changes.empty() ? std::string() : changes.take();
  const Status saved = summary.checkpoint(checkpoint, block);
  if (saved) saved_imports = imports.place();
  return saved;
}

Status Aggregator::State::fold(const UpkeepTimes& times) {
  const Status folded = summary.fold(zone_of, times);
  changes.forget_names(summary.take_lost_names());
  folded_ms = now_ms();
  return folded;
}

// For whoever has much to fold: the changes are not stored as a block before.
Status Aggregator::State::save_and_fold() {
  close_visits();
  note_checkpoint();
  if (Status folded = summary.fold(zone_of, changes, checkpoint, times()); !folded) return folded;
  changes.forget_names(summary.take_lost_names());
  saved_imports = imports.place();
  folded_ms = now_ms();
  settle();
  return {};
}

Status Aggregator::State::undo(uint32_t import) {
  const std::vector<uint32_t>& undone = checkpoint.undone_imports;
  if (std::find(undone.begin(), undone.end(), import) != undone.end()) return {};
  if (import <= checkpoint.merged_imports) return Error::invalid("the figures of import " + std::to_string(import) + " are for good");
  if (Status saved = save(); !saved) return saved;
  if (Status folded = fold(times()); !folded) return folded;
  recent_orders.clear();
  if (Status done = footfall::undo_import(summary, checkpoint, sites, hasher, static_cast<uint16_t>(import)); !done) return done;
  if (Status folded = fold(times()); !folded) return folded;
  return restore_imported();
}

Status Aggregator::State::restore_imported() {
  imported.forget();
  return summary.each(KeyedDatabase::open_visits, [&](std::string_view key, std::string_view value) {
    imported.restore_open_visit(key, value);
  });
}

// Where the merge itself fails, nothing has changed: figures do not need it.
Status Aggregator::State::merge_old_imports(const std::vector<ImportRecord>& records) {
  const uint32_t through = imports_to_merge(records, checkpoint.merged_imports, now_ms());
  if (through <= checkpoint.merged_imports) return {};
  if (Status saved = save(); !saved) return saved;
  if (Status folded = fold(times()); !folded) return folded;
  recent_orders.clear();
  if (Status merged = summary.merge_imports(static_cast<uint16_t>(through), zone_of, checkpoint); !merged) {
    options.log(LogLevel::warning, "imports up to " + std::to_string(through) + " are not made one: " + merged.error().text);
    return {};
  }
  imported.merge_import_clocks(static_cast<uint16_t>(through));
  return restore_imported();
}

Result<Forgotten> Aggregator::State::forget(const ForgetRequest& request) {
  for (const Forgotten& done : checkpoint.forgotten)
    if (done.request == request.number) return done;
  if (Status saved = save(); !saved) return saved.error();
  if (Status folded = fold(times()); !folded) return folded.error();
  recent_orders.clear();
  // Nobody's: what is left of a person is still one visitor in all that counts visitors.
  Hash128 instead;
  random_bytes(&instead, sizeof instead);
  Forgotten found{.request = request.number};
  engine.forget_visitor(request.visitor, instead, found);
  imported.forget_visitor(request.visitor, instead, found);
  note_checkpoint();
  const Status done = summary.forget_visitor(request.visitor, instead, checkpoint, changes.take(), found);
  if (!done) return done.error();
  if (Status folded = fold(times()); !folded) return folded.error();
  options.log(LogLevel::info, "a visitor was forgotten, as was asked");
  return checkpoint.forgotten.back();
}

Status Aggregator::State::do_what_is_asked() {
  for (const uint32_t import : imports.undo_requests())
    if (import > checkpoint.merged_imports)
      if (Status undone = undo(import); !undone) return undone;
  for (const ForgetRequest& request : imports.forget_requests())
    if (Result<Forgotten> forgotten = forget(request); !forgotten) return forgotten.error();
  return {};
}

// The summary's is what figures are shown by, the file's what workers go by.
bool Aggregator::State::store_is_replaced() const {
  return identify(store.path() + "/writer") != lock.file() && identify(store.path() + "/format");
}

Status Aggregator::State::store_config(const Config& config) {
  if (Status stored = summary.store_config(config); !stored) return stored;
  return write_config_file(store.config_path(), config);
}

Aggregator::Aggregator(std::unique_ptr<State> state) : state_(std::move(state)) {}
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
  auto state = std::make_unique<State>(std::move(store), std::move(options), std::move(*lock), std::move(*summary),
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
  State& state = *state_;
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
  State& state = *state_;
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
  State& state = *state_;
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
  State& state = *state_;
  for (uint64_t counted; (counted = state.count_imports()) > 0;) {
    state.unsaved_imports += counted;
    if (!is_much_counted()) continue;
    if (Status saved = store_imports(); !saved) return saved;
  }
  return state.unsaved_imports > 0 ? store_imports() : Status();
}

void Aggregator::expect_import(const Hit& hit, std::string_view site, Expected when) {
  state_->imported.expect(hit, site, when);
}

void Aggregator::count_import(uint16_t import, const Hit& hit, std::string_view site) {
  State& state = *state_;
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
  State& state = *state_;
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
