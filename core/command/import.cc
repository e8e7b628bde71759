#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include "aggregate/aggregator.h"
#include "aggregate/importer.h"
#include "base/clock.h"
#include "base/heap.h"
#include "command/command.h"
#include "command/import_common.h"
#include "command/import_spend.h"
#include "command/progress.h"
#include "rollup/summary.h"

namespace footfall {
namespace {

constexpr size_t kTableBytesMax = size_t{128} << 20;
constexpr size_t kHeapBytes = 128 << 20;  // what an import that counts by itself needs is about that

std::atomic<bool> stop_wanted = false;

void want_stop(int) { stop_wanted = true; }

// An import without hits is not: it waits for all that others left, such as the run of it that was cut off.
bool is_counted(const LanePlace& place, uint64_t import, uint64_t hits) {
  return place.epoch > import || (place.epoch == import && place.number >= hits);
}

// Blocks that an importer left to a daemon which has ended since.
Status drain(Aggregator& aggregator, ImportLane& lane) {
  if (Status drained = aggregator.drain_imports(); !drained) return drained;
  const LanePlace place = aggregator.import_place();
  return lane.drop_counted(place.epoch, place.number);
}

// Has them counted by the running daemon; waits while much is waiting.
class DaemonWaits {
 public:
  DaemonWaits(const Store& store, ImportLane& lane, SummaryReader reader)
      : store_(store), lane_(lane), reader_(std::move(reader)) {}
  Status drain(uint64_t import, uint64_t hits) { return wait(import, hits, kImportUndrainedBytesMax); }
  Status finish(uint64_t import, uint64_t hits) { return wait(import, hits, 0); }

 private:
  Status wait(uint64_t import, uint64_t hits, uint64_t waiting_bytes_max) {
    while (lane_.waiting_bytes() > waiting_bytes_max) {
      Result<SummarySnapshot> snapshot = reader_.snapshot();
      // A daemon that has just begun makes its summary first.
      if (!snapshot && snapshot.error().code != Error::Code::not_found) return snapshot.error();
      if (snapshot) {
        const LanePlace place = counted_place(snapshot->checkpoint());
        if (Status dropped = lane_.drop_counted(place.epoch, place.number); !dropped) return dropped;
        if (is_counted(place, import, hits) || lane_.waiting_bytes() <= waiting_bytes_max) break;
      }
      if (lock_holder(store_.path() + "/writer") == 0)
        return Error::busy("the aggregator has ended; nothing is lost: start it and run the import again");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return {};
  }

  const Store& store_;
  ImportLane& lane_;
  SummaryReader reader_;
};

std::string date_of(int64_t time_ms) {
  char text[32];
  const time_t seconds = time_ms / 1000;
  std::tm fields;
  gmtime_r(&seconds, &fields);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &fields);
  return text;
}

std::string told_of(const ImportRecord& record) {
  if (record.undone) return " (undone)";
  return std::string(record.ended_ms == 0 ? " (cut off)" : "") + (is_for_good(record, now_ms()) ? " (for good)" : "");
}

// A table is read whole: its rows may stand in any order.
Result<std::string> read_all(LogFile& file) {
  std::string text;
  std::string_view line;
  uint64_t position = 0;
  while (file.next(line, position)) {
    if (text.size() > kTableBytesMax) return Error::invalid(file.path() + " is longer than 128 MiB; import it in parts");
    text.append(line).append("\n");
  }
  if (!file.fault().empty()) return Error::invalid(file.path() + ": " + file.fault());
  return text;
}

// Rows that were made into lines.
struct TableRows {
  uint64_t rows = 0;
  std::vector<RejectedLine> rejected;
  std::map<std::string, SpendOfSite> spend;  // of tables of spend, by site
};

void add(SpendOfSite& to, const SpendOfSite& other) {
  to.keys.insert(other.keys.begin(), other.keys.end());
  to.first = std::min(to.first, other.first), to.last = std::max(to.last, other.last);
}

// A file's rows as lines of events, or of spend.
Result<TableEvents> make_lines(const ImportLogArguments& arguments, const std::string& path, std::string_view text, const Config& config,
                               TableRows& told) {
  if (!arguments.spend) return events_of_table(*arguments.table, path, text, config, arguments.site);
  Result<SpendLines> lines = lines_of_spend(path, text, config, arguments.site);
  if (!lines) return lines.error();
  if (lines->told_again > 0)
    std::fprintf(stderr, "%s: %zu days are told more than once under the same channel, source, medium, campaign, content, term or code: the last row holds\n",
                 path.c_str(), lines->told_again);
  for (const auto& [site, of_site] : lines->sites) add(told.spend[site], of_site);
  return std::move(lines->table);
}

// Each file's rows in its place, as lines.
Status make_events(const ImportLogArguments& arguments, const Config& config, std::vector<std::string> texts,
                   std::vector<std::unique_ptr<LogFile>>& files, TableRows& told) {
  for (size_t i = 0; i < files.size(); ++i) {
    Result<TableEvents> events = make_lines(arguments, files[i]->path(), texts[i], config, told);
    if (!events) return events.error();
    told.rows += events->rows;
    told.rejected.insert(told.rejected.end(), events->rejected.begin(), events->rejected.end());
    Result<std::unique_ptr<LogFile>> lines = LogFile::of_text(files[i]->path(), events->lines);
    if (!lines) return lines.error();
    files[i] = std::move(*lines);
    texts[i] = {};
  }
  return {};
}

int tell(const ImportTotals& totals, const char* what) {
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  if (totals.hits == 0) {
    if (totals.lines <= totals.rejected) std::printf("nothing new: %s\n", totals.lines == 0 ? "there is no line that was not read before" : "no line is right");
    else std::printf("nothing new: %llu lines read, what is right in them was imported before\n", number(totals.lines));
  } else {
    std::printf("import %u: %llu lines, %llu %s", totals.number, number(totals.lines), number(totals.hits), what);
    if (totals.known > 0) std::printf(", %llu imported before", number(totals.known));
    std::printf("\n");
  }
  if (totals.skipped > 0)
    std::printf("%llu lines at or after the site's first live hit were skipped (--overlap takes them too)\n", number(totals.skipped));
  if (totals.agents_not_logged > 0)
    std::printf("%llu requests without a user agent in the log: who is a bot cannot be told, they count as people\n", number(totals.agents_not_logged));
  if (totals.nobodys > 0)
    std::printf("%llu requests with neither address nor visitor id: they count as hits and page views, and are in no visit\n", number(totals.nobodys));
  if (totals.dropped > 0) std::printf("%llu lines of visitors who asked not to be counted\n", number(totals.dropped));
  if (totals.rejected == 0) return kExitWell;
  for (const RejectedLine& line : totals.examples)
    std::fprintf(stderr, "%s:%llu: %s\n", line.file.c_str(), number(line.line), line.reason.c_str());
  if (totals.rejected > totals.examples.size())
    std::fprintf(stderr, "and %llu more\n", number(totals.rejected - totals.examples.size()));
  std::fprintf(stderr, "%llu lines rejected:", number(totals.rejected));
  for (const auto& [reason, count] : totals.rejected_reasons) std::fprintf(stderr, " %llu %s;", number(count), reason.c_str());
  std::fprintf(stderr, "\n");
  return kExitRejected;
}

}  // namespace

int import_log(const Common& common, const ImportLogArguments& arguments) {
  std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  std::vector<std::unique_ptr<LogFile>> files;  // before root becomes the store's owner, who may not read them
  for (const std::string& path : arguments.files) {
    Result<std::unique_ptr<LogFile>> file = LogFile::open(path);
    if (!file) return fail_import(file.error().text);
    files.push_back(std::move(*file));
  }
  std::vector<std::string> tables;
  const bool is_table = arguments.table || arguments.spend;
  for (size_t i = 0; is_table && i < files.size(); ++i) {
    Result<std::string> text = read_all(*files[i]);
    if (!text) return fail_import(text.error().text);
    tables.push_back(std::move(*text));
  }
  Result<Store> store = open_store(*config);
  if (!store) return fail_import(store.error().text);
  Result<CountedBefore> before = look(*store, *config);
  if (!before) return fail_import(before.error().text);
  if (!has_config_file(common) && before->config) {  // a store alone: as it was counted so far
    before->config->store = config->store;
    config = before->config;
  }
  TableRows table;
  if (is_table)
    if (Status made = make_events(arguments, *config, std::move(tables), files, table); !made)
      return fail_import(made.error().text);
  Result<ImportLane> lane = ImportLane::open(*store);
  if (!lane) return fail_import(lane.error().text);
  if (Status settled = settle(*lane, *store, *config); !settled) return fail_import(settled.error().text);
  if (const std::optional<uint32_t> undoing = lane->undo_asked())
    return fail_import("import " + std::to_string(*undoing) + " is half undone: run `footfall import --undo " +
                       std::to_string(*undoing) + "` again first");
  struct sigaction action = {};
  action.sa_handler = want_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);

  const auto blocks = [&](uint64_t import, uint64_t hits, std::string& block) {
    return lane->next_block(import, hits, block);
  };
  std::optional<DaemonWaits> daemon;
  Result<std::unique_ptr<Aggregator>> aggregator =
      Aggregator::open(*store, *config, {.begin_anew = {}, .classify = classify_agent, .log = log_import, .import_blocks = blocks});
  if (aggregator) {
    if (Status drained = drain(**aggregator, *lane); !drained) return fail_import(drained.error().text);
    if (Status merged = (*aggregator)->merge_old_imports(lane->records()); !merged) return fail_import(merged.error().text);
  } else if (aggregator.error().code == Error::Code::busy) {
    Result<SummaryReader> reader = SummaryReader::open(store->summary_path(), static_cast<uint64_t>(config->map_bytes));
    if (!reader) return fail_import(reader.error().text);
    daemon.emplace(*store, *lane, std::move(*reader));
  } else {
    return fail_import(aggregator.error().text);
  }

  ProgressBar bar;
  Importer::Hooks hooks;
  hooks.first_live_ms = [&](const std::string& site) -> int64_t {
    const CheckpointState& checkpoint = before->checkpoint;
    for (size_t i = 0; i < checkpoint.sites.size() && i < checkpoint.first_live_ms.size(); ++i)
      if (checkpoint.sites[i] == site) return checkpoint.first_live_ms[i];
    return 0;
  };
  if (daemon) {
    hooks.drain = [&](uint64_t import, uint64_t hits) { return daemon->drain(import, hits); };
  } else {
    use_large_pages(kHeapBytes);
    Aggregator& own = **aggregator;
    hooks.expect = [&](const Hit& hit, std::string_view site) { own.expect_import(hit, site); };
    hooks.count = [&](uint16_t import, const Hit& hit, std::string_view site) { own.count_import(import, hit, site); };
    hooks.is_much_counted = [&] { return own.is_much_counted(); };
    hooks.store = [&](uint64_t, uint64_t) { return own.store_imports(); };
  }
  hooks.progress = [&](const ImportProgress& now) { bar.show(now.bytes, now.bytes_total, now.lines); };
  hooks.stop_wanted = [] { return stop_wanted.load(); };
  Importer importer(*store, *config, *lane, std::move(files),
                    {.site = arguments.site, .told_site_first = is_table, .format = arguments.format, .one_salt = arguments.visitors == "all",
                     .events = arguments.events, .spend = arguments.spend, .overlap = arguments.overlap},
                    std::move(hooks));
  for (RejectedLine& row : table.rejected) importer.note_rejected(std::move(row));
  Status done = importer.run();
  ImportTotals totals = importer.totals();
  if (is_table) totals.lines = table.rows;
  if (done && daemon) done = daemon->finish(totals.number, totals.hits);
  bar.clear();
  if (!done) return fail_import(done.error().text);
  const int code = tell(totals, arguments.spend ? "days of spend" : arguments.events ? "events" : "hits");
  if (arguments.table == TableKind::rates && totals.hits > 0)
    std::printf("orders, refunds and spend that were counted before keep the rate that they were counted at\n");
  if (!stop_wanted && !table.spend.empty()) {
    daemon.reset();  // the store is opened once more
    if (aggregator) aggregator->reset();
    tell_unmatched_spend(*config, table.spend);
  }
  if (!stop_wanted) return code;
  std::fprintf(stderr, "stopped; the same command goes on from here\n");
  return kExitFailed;
}

int import_list(const Common& common) {
  const std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  Result<Store> store = Store::open(config->store);
  if (!store) return fail_import("no store at " + config->store);
  const Result<std::vector<ImportRecord>> records = ImportLane::list(*store);
  if (!records && records.error().code != Error::Code::not_found) return fail_import(records.error().text);
  std::printf("%6s  %-16s  %12s  %10s  %-16s  %-16s  %s\n", "import", "at (UTC)", "hits", "rejected", "first hit", "last hit", "files");
  if (!records) return kExitWell;
  for (const ImportRecord& record : *records)
    std::printf("%6u  %-16s  %12llu  %10llu  %-16s  %-16s  %s%s\n", record.number, date_of(record.started_ms).c_str(),
                static_cast<unsigned long long>(record.hits), static_cast<unsigned long long>(record.rejected),
                date_of(record.first_ms).c_str(), date_of(record.last_ms).c_str(), record.files.c_str(),
                told_of(record).c_str());
  return kExitWell;
}

}  // namespace footfall
