#include "aggregate/counting.h"

#include <unistd.h>

#include <algorithm>

#include "aggregate/undo.h"
#include "credit/order.h"
#include "site/config_file.h"

namespace footfall {

Engine Counting::make_engine(Timeline timeline) {
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

void Counting::set_retention() {
  const Retention& retention = sites.config().retention;
  summary.set_retention(retention);
  imported.set_horizons(horizons_of(retention, now_ms() / 1000));
}

// Folded first, so that everything that was stored can be found by its key.
Status Counting::restore() {
  if (Status folded = fold({}); !folded) return folded;
  engine.set_clocks(checkpoint.complete_through_ms / 1000, {});
  imported.set_clocks(INT64_MIN, checkpoint.import_clocks_s);
  return summary.each(KeyedDatabase::open_visits,
                      [&](std::string_view key, std::string_view value) {
                        engine.restore_open_visit(key, value);
                        imported.restore_open_visit(key, value);
                      });
}

uint64_t Counting::count_due(bool all) {
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

uint64_t Counting::count_imports() {
  uint64_t counted = 0;
  for (; counted < kHitsPerCheckpoint && imports.next(); ++counted) {
    changes.set_import(imports.import());
    imported.count(imports.hit(), imports.site(), imports.is_late());
  }
  changes.set_import(0);
  return counted;
}

// After a fold. Imported visits go by the imported hits' clock.
void Counting::settle() {
  recent_orders.clear();
  set_retention();
  engine.settle(checkpoint.complete_through_ms);
  changes.set_import(imports.import());
  if (imports.newest_ms() != INT64_MIN) imported.settle(imports.newest_ms());
  changes.set_import(0);
}

// Before what was counted is folded: all that is over by the clocks that the fold goes by. Imported visits go by that of
// the imported hits.
void Counting::close_visits() {
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
UpkeepTimes Counting::times() {
  UpkeepTimes times = closed;
  times.now_s = now_ms() / 1000;
  times.retention = sites.config().retention;
  times.orders_max = sites.config().orders_max;
  times.sites = sites.size();
  times.import_clocks_s = checkpoint.import_clocks_s;
  times.visit_gap_s = [this](uint16_t site) { return site < sites.size() ? sites.at(site).config.visit_gap_s : kDefaultVisitGapS; };
  return times;
}

void Counting::note_checkpoint() {
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
void Counting::warn_of_bounds(std::vector<std::string>& warnings) const {
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

Status Counting::save() {
  note_checkpoint();
  const std::string block = changes.empty() ? std::string() : changes.take();
  const Status saved = summary.checkpoint(checkpoint, block);
  if (saved) saved_imports = imports.place();
  return saved;
}

Status Counting::fold(const UpkeepTimes& times) {
  const Status folded = summary.fold(zone_of, times);
  changes.forget_names(summary.take_lost_names());
  folded_ms = now_ms();
  return folded;
}

// For whoever has much to fold: the changes are not stored as a block before.
Status Counting::save_and_fold() {
  close_visits();
  note_checkpoint();
  if (Status folded = summary.fold(zone_of, changes, checkpoint, times()); !folded) return folded;
  changes.forget_names(summary.take_lost_names());
  saved_imports = imports.place();
  folded_ms = now_ms();
  settle();
  return {};
}

Status Counting::undo(uint32_t import) {
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

Status Counting::restore_imported() {
  imported.forget();
  return summary.each(KeyedDatabase::open_visits, [&](std::string_view key, std::string_view value) {
    imported.restore_open_visit(key, value);
  });
}

// Where the merge itself fails, nothing has changed: figures do not need it.
Status Counting::merge_old_imports(const std::vector<ImportRecord>& records) {
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

Result<Forgotten> Counting::forget(const ForgetRequest& request) {
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

Status Counting::do_what_is_asked() {
  for (const uint32_t import : imports.undo_requests())
    if (import > checkpoint.merged_imports)
      if (Status undone = undo(import); !undone) return undone;
  for (const ForgetRequest& request : imports.forget_requests())
    if (Result<Forgotten> forgotten = forget(request); !forgotten) return forgotten.error();
  return {};
}

// The summary's is what figures are shown by, the file's what workers go by.
bool Counting::store_is_replaced() const {
  return identify(store.path() + "/writer") != lock.file() && identify(store.path() + "/format");
}

Status Counting::store_config(const Config& config) {
  if (Status stored = summary.store_config(config); !stored) return stored;
  return write_config_file(store.config_path(), config);
}

}  // namespace footfall
