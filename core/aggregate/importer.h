// Reads access logs into the import lane: lines of all files in the order of time (up to 10 s out of order), each made the
// hit that live capture would have made. How far each file was read lies in the transaction of the hits, so an import can
// be cut off anywhere and run again.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aggregate/log_file.h"
#include "base/clock.h"
#include "credit/spend_hit.h"
#include "hit/builder.h"
#include "hit/log_line.h"
#include "lane/import_lane.h"
#include "site/config.h"

namespace footfall {

struct ImportOptions {
  std::string site;             // empty: as the lines tell, else the configuration's only site, else `default`
  bool told_site_first = false; // `site` is of lines that name none
  std::string format;           // a name or a log_format string; empty: told from each file's first lines
  bool one_salt = false;        // visitors are recognised over all days
  bool events = false;          // lines are events (hit/event_line.h), not requests
  bool spend = false;           // lines are days of spend (credit/spend_hit.h)
  bool overlap = false;         // also lines at or after a site's first live hit
};

struct RejectedLine {
  std::string file;
  uint64_t line = 0;
  std::string reason;
};

struct ImportTotals {
  uint32_t number = 0;
  uint64_t lines = 0;       // read in this run
  uint64_t hits = 0;
  uint64_t known = 0;       // counted by an earlier run
  uint64_t skipped = 0;     // at or after the site's first live hit
  uint64_t dropped = 0;     // their visitor asked not to be counted
  uint64_t agents_not_logged = 0;
  uint64_t nobodys = 0;     // of requests with neither address nor id: they are in no visit
  uint64_t rejected = 0;
  std::vector<RejectedLine> examples;               // the first of them, at most kRejectedExamplesMax
  std::map<std::string, uint64_t> rejected_reasons;
};
inline constexpr size_t kRejectedExamplesMax = 20;

struct ImportProgress {
  uint64_t bytes = 0, bytes_total = 0;  // packed; total 0: not known
  uint64_t lines = 0;
};

class Importer {
 public:
  struct Hooks {
    std::function<int64_t(const std::string& site)> first_live_ms;  // 0: none
    // Where a daemon counts: blocks are waiting, have them counted; may wait.
    std::function<Status(uint64_t import, uint64_t hits)> drain;
    // Where this process counts: a hit that comes soon, the next hit, whether what was counted should be stored, and
    // the storing of it. All null where a daemon does.
    std::function<void(const Hit& hit, std::string_view site)> expect;
    std::function<void(uint16_t import, const Hit& hit, std::string_view site)> count;
    std::function<bool()> is_much_counted;
    std::function<Status(uint64_t import, uint64_t hits)> store;
    std::function<void(const ImportProgress&)> progress;
    std::function<bool()> stop_wanted;
  };

  // Files are opened by the caller, who may give up rights before the store is opened.
  Importer(const Store& store, const Config& config, ImportLane& lane, std::vector<std::unique_ptr<LogFile>> files,
           ImportOptions options, Hooks hooks);
  ~Importer();

  // Everything of the files is in the import lane afterwards, or the error that kept it from it. Error::invalid: a file
  // whose format cannot be told; nothing was imported then.
  Status run();
  // What was rejected before it was a line: a row of a table. Before run().
  void note_rejected(RejectedLine line);
  const ImportTotals& totals() const { return totals_; }

 private:
  struct Input;
  struct Line;
  struct Second;
  struct SiteContext;
  struct Released {
    std::string_view hit;  // encoded, in its second's
    int64_t time_ms;
    const SiteContext* site;
  };

  Status add_file(std::unique_ptr<LogFile> file);
  SiteContext& context_of(std::string_view site);
  const VisitorKeys& keys_of(int64_t time_ms, int64_t visit_gap_ms);
  void read_some(Input& input);
  void take(Input& input, std::string_view line, uint64_t position);
  void take_event(Input& input, std::string_view line, uint64_t position);
  void take_spend(Input& input, std::string_view line, uint64_t position);
  void keep(Input& input, const Hit& hit, uint64_t position, const SiteContext& site);
  void reject(const Input& input, std::string reason);
  bool names_site(const Input& input, uint64_t position, std::string_view told);
  bool has_right_time(const Input& input, uint64_t position, int64_t time_ms, int64_t ahead_ms);
  void put_in_block(std::string_view hit, int64_t time_ms, const SiteContext& site);
  void emit(std::string_view hit, int64_t time_ms, const SiteContext& site);
  void note_emitted(int64_t time_ms);
  void emit_released();
  Second& second_at(int64_t second);
  void release_before(int64_t time_ms);
  std::map<Hash128, FilePlace> places();
  Status put_blocks();
  Status store_counted();
  Status finish();

  const Store& store_;
  const Config& config_;
  ImportLane& lane_;
  const ImportOptions options_;
  const Hooks hooks_;
  std::vector<std::unique_ptr<LogFile>> files_;
  const StringHasher hasher_;
  ImportTotals totals_;
  ImportRecord record_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::map<std::string, std::unique_ptr<SiteContext>, std::less<>> sites_;
  std::map<int64_t, Second> waiting_;
  std::map<int64_t, Second>::iterator last_second_ = waiting_.end();  // of the line before: mostly the next one's
  std::vector<std::map<int64_t, Second>::node_type> spare_seconds_;  // empty ones, for their memory
  int64_t released_ms_ = INT64_MIN;  // everything older went out
  HitBuilder hits_;
  EventLineReader events_;
  SpendLineReader spend_;
  std::array<Hit, 16> decoded_;  // those that go out next, in turn
  std::vector<Released> released_;
  VisitorKeys keys_;
  int64_t keys_day_ = INT64_MIN;
  const int64_t now_ms_ = now_ms();
  BlockBuilder block_;
  std::vector<std::string> blocks_;
  size_t blocks_bytes_ = 0;
  uint64_t next_number_ = 0;
};

}  // namespace footfall
