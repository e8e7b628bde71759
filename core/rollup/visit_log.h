// The visits that are kept, in two databases: rows as they come, and blocks of them by columns. For SummaryWriter and
// SummarySnapshot.
//
//   visit_rows  site u16 | day u64 | import u16 | number u32 → row (kept_visit.h)      day: start of the day in which the
//   visits      site u16 | day u64 | import u16 | number u32 → block (visit_block.h)   record begins, seconds, sign flipped
//   meta        "visits" → footfall.v1.VisitLog
//
// Rows go into a block once there are enough of them, or their day is over; what comes to a day later joins its last block.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/summary.h"
#include "site/config.h"

namespace footfall {

inline constexpr size_t kVisitsOfBlockMax = 4'096;
inline constexpr std::string_view kVisitLogKey = "visits";  // of meta

struct VisitLogSite {
  int64_t drop_before_s = INT64_MIN;  // records of days that begin before are dropped
  int64_t newest_s = INT64_MIN;       // start of the newest record
  int64_t before_s = 0, after_s = 0;  // how far facts of packed records lie before and behind the start of their day
  uint64_t dropped_days = 0;
  bool is_cut_by_size = false;        // the day dropped last was dropped for want of room
  int64_t whole_from_s = INT64_MIN;   // all facts from then on are kept: visits of a day go on in the next

  // Records of days before that one go.
  void drop_before(int64_t day_s, const Zone& zone) {
    drop_before_s = day_s;
    whole_from_s = zone.next_bucket_s(Level::day, day_s);
  }

  bool operator==(const VisitLogSite&) const = default;
};

struct VisitLogState {
  std::vector<VisitLogSite> sites;    // by number
  int64_t kept_since_s = INT64_MIN;   // when this store began to keep visits

  VisitLogSite& site(uint16_t number);
  bool operator==(const VisitLogState&) const = default;
};
std::string encode_visit_log(const VisitLogState& state);
Result<VisitLogState> decode_visit_log(std::string_view bytes);

struct VisitLogKey {
  uint16_t site = 0;
  int64_t day_s = 0;
  uint16_t import = 0;
  uint32_t number = 0;
};
std::string encode_visit_key(const VisitLogKey& key);
std::optional<VisitLogKey> decode_visit_key(std::string_view bytes);

struct VisitLogDatabases {
  LmdbDatabase rows, blocks;
};

// One fold of new rows into what is kept.
class VisitLogFold {
 public:
  VisitLogFold(LmdbTxn& txn, VisitLogDatabases databases, const ZoneOf& zone_of, VisitLogState& state)
      : txn_(txn), databases_(databases), zone_of_(zone_of), state_(state) {}

  Status add(uint16_t site, uint16_t import, std::string row);
  // Stores and packs. `pack_all`: though their day is not over, for who folds much at once. `now_s`: no record is newer.
  Status write(bool pack_all, const Retention& retention, int64_t now_s);

 private:
  struct Group {
    uint16_t site;
    int64_t day_s;
    uint16_t import;
    auto operator<=>(const Group&) const = default;
  };
  using Rows = std::vector<std::string>;
  struct StoredRows {
    size_t count = 0;
    uint32_t next_number = 0;
  };

  static std::string prefix_of(const Group& group);
  Status find_stored_groups();
  bool is_over(const Group& group, size_t rows);
  Status write_group(const Group& group, Rows rows, bool pack_all);
  Result<StoredRows> count_stored(const Group& group);
  Status take_stored(const Group& group, Rows& to);
  Status take_last_block(const Group& group, Rows& to, uint32_t& number);
  Status pack(const Group& group, Rows rows);
  void note_span(const Group& group, const VisitBlockBuilder& builder);
  void retain(const Retention& retention, int64_t now_s);
  std::optional<int64_t> oldest_day_s(uint16_t site);
  Status drop_old_days();
  Status drop_for_room(const Retention& retention);
  Status drop_day(uint16_t site, int64_t day_s);

  LmdbTxn& txn_;
  const VisitLogDatabases databases_;
  const ZoneOf& zone_of_;
  VisitLogState& state_;
  std::map<Group, Rows> groups_;
};

}  // namespace footfall
