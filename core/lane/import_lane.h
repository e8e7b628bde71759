// The lane that imports come by: blocks of hits in the order of time, and how far each file was read, in one transaction.
// Unlike a worker's ring nothing is ever overwritten: the importer waits for whoever aggregates. One importer at a time.
//
//   PATH/import.0/{lock, data.mdb}
//   keys:  0x01 seq u64 → block (lane kImportLane, its epoch is the import's number); seq: import << 32, counting up
//          0x02 file identity 16 | import u32 → FilePlace, as that import left it; the last one holds
//          0x03 import u32 → ImportRecord
//          0x04 import u32 → `?`: whoever aggregates is asked to undo that import
//          0x05 → what settles once the summary has counted the import up to there
//          0x06 request u64 → visitor 16: whoever aggregates is asked to forget that one
//
// An importer that counts by itself writes no blocks. Its hits lie in the summary, its places here, and no transaction
// holds both: so it says here first what will hold (prepare), then stores its checkpoint there. Whichever of the two
// was done when it died, settle() finds out from the summary.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/keyed_hash.h"
#include "base/lmdb.h"
#include "lane/block.h"
#include "lane/store.h"

namespace footfall {

inline constexpr uint16_t kImportLane = 0xffff;
inline constexpr int64_t kUndoDays = 30;
// Then its number is not needed any more; a day later, so that no undo that was asked in time comes too late.
inline constexpr int64_t kMergeDays = kUndoDays + 1;
inline constexpr int64_t kMergeEveryDays = 7;
inline constexpr uint64_t kImportUndrainedBytesMax = 64ull << 20;
inline std::string import_lane_path(const Store& store) { return store.path() + "/import.0"; }

// What is known of a file: by the hash of its first bytes (at most 64 KiB, unpacked), so that it is the same one after
// rotation and packing.
struct FilePlace {
  uint32_t head_bytes = 0;       // that the identity was made of; less than 64 KiB: the file was that short
  uint64_t read_from = 0;        // lines before this byte are settled
  uint64_t read_to = 0;          // lines behind it were never read; between the two, older ones than settled_before_ms are settled
  int64_t settled_before_ms = INT64_MIN;
  uint32_t import = 0;           // the last that took a line of it; 0: none has
  uint32_t from_import = 0;      // the one whose place that import went on from; 0: it was the first

  // Whether a line at `position` and `time_ms` has been counted.
  bool is_settled(uint64_t position, int64_t time_ms) const {
    if (position < read_from) return true;
    if (position >= read_to) return false;
    return time_ms < settled_before_ms;
  }
};

struct ImportRecord {
  uint32_t number = 0;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;      // 0: running or cut off
  uint64_t hits = 0;
  uint64_t rejected = 0;     // lines off the format
  uint64_t skipped = 0;      // lines at or after the site's first live hit
  int64_t first_ms = 0, last_ms = 0;
  bool undone = false;
  std::string files;         // names, for people
};

// It ended too long ago to be undone.
bool is_for_good(const ImportRecord& record, int64_t now_ms);
// The newest import of which, and of all before it, the number is not needed any more, where it is time to see to that
// again: `merged` is what came of it last; 0: nothing yet. Else `merged`.
uint32_t imports_to_merge(const std::vector<ImportRecord>& records, uint32_t merged, int64_t now_ms);

struct ForgetRequest {
  uint64_t number = 0;
  Hash128 visitor;
};

class ImportLane {
 public:
  // Error::busy names the process that imports.
  static Result<ImportLane> open(const Store& store);
  // For those who only list; Error::not_found: nothing was ever imported.
  static Result<std::vector<ImportRecord>> list(const Store& store);

  std::vector<ImportRecord> records();
  std::optional<FilePlace> find_file(const Hash128& identity);
  std::vector<uint32_t> head_sizes();  // lengths of heads that identities were made of, each once

  // One transaction, durable. A record of an import without any hit is not kept.
  Status put(const std::vector<std::string>& blocks, const std::map<Hash128, FilePlace>& places,
             const ImportRecord& record);
  // What put() would store, to hold once the import is counted up to `hits`. Durable.
  Status prepare(const std::map<Hash128, FilePlace>& places, const ImportRecord& record, uint64_t hits);
  // The summary has counted `import` up to `hits` and all before it: what was prepared for that holds, else it never
  // will. For every importer before it reads a place, and after its checkpoint.
  Status settle(uint64_t import, uint64_t hits);
  // Removes blocks that are counted: of imports before `number`, and of it up to `hits`.
  Status drop_counted(uint64_t import, uint64_t hits);

  // Undoing. What is asked for and not finished yet; nullopt: nothing.
  std::optional<uint32_t> undo_asked();
  // Error::not_found, invalid or busy: why that import cannot be undone, in words.
  Status check_undo(uint32_t import, int64_t now_ms);
  Status ask_undo(uint32_t import);
  // Its figures are gone: forgets how far it read files, marks its record and takes back what was asked.
  Status finish_undo(uint32_t import);

  // Somebody is to be forgotten; what is asked is taken back once it is done, as nothing may tell of whom.
  Status ask_forget(const ForgetRequest& request);
  Status finish_forget(uint64_t request);
  std::vector<ForgetRequest> forget_requests();

  uint64_t waiting_bytes() const { return waiting_bytes_; }
  // The first block that is not counted up to there, for an importer that aggregates by itself. False: none.
  Result<bool> next_block(uint64_t import, uint64_t hits, std::string& block);

 private:
  FileLock lock_;
  LmdbEnv env_;
  uint64_t next_seq_ = 0;
  uint64_t read_seq_ = 0;  // next_block() gave what lies before it
  uint64_t waiting_bytes_ = 0;
};

// What is asked of whoever aggregates, which reads the lane's environment.
std::vector<uint32_t> read_undo_requests(LmdbEnv& env);
Result<std::vector<ImportRecord>> read_import_records(LmdbEnv& env);
std::vector<ForgetRequest> read_forget_requests(LmdbEnv& env);

}  // namespace footfall
