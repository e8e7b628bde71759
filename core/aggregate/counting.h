// What the aggregator holds: lanes and imports on one side, the summary on the other, and what is counted in between. The loop that
// moves it is `aggregator`'s.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/aggregator.h"
#include "aggregate/engine.h"
#include "aggregate/import_reader.h"
#include "aggregate/lanes.h"
#include "base/clock.h"
#include "rollup/summary.h"

namespace footfall {

inline constexpr uint64_t kHitsPerCheckpoint = 100'000;  // at most, when behind

struct Counting {
  Counting(Store store, AggregatorOptions options, FileLock lock, SummaryWriter summary, Config config,
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

}  // namespace footfall
