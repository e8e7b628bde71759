// The aggregator: lanes in, checkpoints out. Holds the store's lock `writer` as long as it lives.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aggregate/import_reader.h"
#include "aggregate/migration.h"
#include "base/error.h"
#include "hit/hit.h"
#include "lane/store.h"
#include "rollup/summary.h"
#include "site/config.h"
#include "visit/bots.h"

namespace footfall {

enum class LogLevel : uint8_t { info, warning, error };
using Log = std::function<void(LogLevel, std::string_view text)>;

struct AggregatorOptions {
  std::string begin_anew;           // a site whose figures begin anew; the old ones stay as SITE.N
  AgentClassifier classify = classify_empty_agent;
  Log log;                          // never null
  StoreVersion version{};           // a store of the previous format is migrated to it
  ImportBlocks import_blocks{};     // of an importer that runs without a daemon; null: the store's import lane
};

struct Counting;

class Aggregator {
 public:
  // Error::busy: another process writes the summary; the text names it. Error::invalid: the configuration changes what
  // a site's figures are counted in.
  static Result<std::unique_ptr<Aggregator>> open(Store store, const Config& config, AggregatorOptions options);
  ~Aggregator();

  // Until `stop`: counts what comes, with a checkpoint every 0.5 s in which something changed. May be run again.
  Status run(const std::atomic<bool>& stop);

  // Between two runs: what was counted is folded, then another configuration is in force, for workers too.
  // Error::invalid: it changes what figures are counted in, or where; the one before stays.
  Status reconfigure(const Config& wanted);
  // A configuration was wrong, and why, a line each: said in the log, and in health until one is right.
  Status refuse_configuration(std::string_view why);

  // Counts all there is, stages of running workers too, and folds it.
  Status run_once();

  // For an importer that runs without a daemon. What waits in the import lane first; then its own hits, in order.
  Status drain_imports();
  void expect_import(const Hit& hit, std::string_view site);  // as Engine::expect
  void count_import(uint16_t import, const Hit& hit, std::string_view site);
  bool is_much_counted() const;  // so much since the last store_imports() that it is time for the next
  Status store_imports();        // a checkpoint, and its fold
  LanePlace import_place() const;  // counted and stored so far: a kill does not take it back
  // Takes back what that import brought, all of which is counted. One that is undone already is none of its concern.
  Status undo_import(uint32_t import);
  // Where it is time for it, imports that nobody can undo any more go on as one.
  Status merge_old_imports(const std::vector<ImportRecord>& records);
  // What is kept of a visitor, and of whom it is, goes; figures stay. A request that is done already is not done again.
  // What there was.
  Result<Forgotten> forget_visitor(const ForgetRequest& request);

 private:
  explicit Aggregator(std::unique_ptr<Counting> state);
  std::unique_ptr<Counting> state_;
};

}  // namespace footfall
