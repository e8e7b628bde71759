// Whether a summary is whole: everything in it can be read, and its figures add up. Reads one snapshot; the aggregator
// may run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "rollup/care.h"
#include "rollup/check_sums.h"
#include "rollup/summary.h"

namespace footfall {

class SummaryCheck {
 public:
  // `fault` is told each fault, in words: texts from the store are in it as they are. `progress`: entries looked at so
  // far, of all.
  using OnFault = std::function<void(std::string)>;
  using OnProgress = std::function<void(uint64_t done, uint64_t total)>;
  SummaryCheck(SummarySnapshot& snapshot, const StringHasher& hasher, OnFault fault, OnProgress progress);

  // An error: no more could be looked at.
  Status run();

  struct Found {
    uint64_t rollups = 0, buckets = 0, texts = 0, visitors = 0, open_visits = 0, orders = 0, kept_visits = 0;
    uint64_t faults = 0;
  };
  const Found& found() const { return found_; }
  // Days whose kept visits, or remembered orders, do not give the rollups' figures; but for those that a repair noted.
  const CareNotes& incomplete() const { return incomplete_; }

 private:
  // Rows of the site and dimension that is being read.
  struct Running {
    uint16_t site = 0;
    Dimension dimension = Dimension::total;
    bool operator==(const Running&) const = default;
  };

  Status begin();
  Status read_rollups();
  Status read_key_counts();
  Status read_dictionary();
  // What stands for itself (check_keyed.cc).
  Status read_open_visits();
  Status read_visitors();
  Status read_keyed(KeyedDatabase database, uint64_t& found,
                    const std::function<bool(std::string_view, std::string_view)>& is_whole);
  Status read_orders();
  Status read_kept_visits();
  // What the rollups must have of it (check_kept.cc).
  Status compare_site(uint16_t site);
  Status compare_kept_visits(uint16_t site, int64_t from_s);
  Status compare_orders(uint16_t site, int64_t from_s);
  Status compare_spend(uint16_t site, int64_t from_s);
  Status read_days(uint16_t site, Dimension dimension, int64_t from_s, PlaceSums& rows);

  void begin_bucket(std::string_view prefix);
  void settle_bucket();
  void add_row(const RollupKey& key, const Counters& counters);
  void settle_dimension();
  void settle_rows(uint16_t site, Dimension dimension);
  void settle_site();
  void add_open_visits(uint16_t site, Dimension dimension);
  void check_text(const RollupKey& key);

  Status each(LmdbDatabase database, const std::function<void(std::string_view key, std::string_view value)>& visit);
  const Zone& zone_of(uint16_t site) const;
  std::string site_name(uint16_t site) const;
  std::string bucket_text(std::string_view prefix) const;
  std::string place_text(uint16_t site, Dimension dimension, const Place& place) const;
  void fault(std::string text);
  OnWrongSum tell_of(uint16_t site, Dimension dimension);
  OnWrongSum tell_of(uint16_t site, Dimension dimension, CareNote::Kind kept);
  // Takes out the days of which a repair noted that something is gone.
  void leave_out_known(uint16_t site, CareNote::Kind kept, PlaceSums& days) const;

  SummarySnapshot& snapshot_;
  const StringHasher& hasher_;
  const OnFault on_fault_;
  const OnProgress on_progress_;
  std::vector<Zone> zones_;
  KeptSince kept_since_;
  Found found_;
  uint64_t done_ = 0, total_ = 0;

  std::multimap<uint16_t, Visit> open_visits_;  // stored ones, by site: not all dimensions have them yet
  std::optional<Running> running_;
  PlaceSums rows_, totals_;               // of the running site and dimension; of the running site
  std::array<bool, kDimensions> seen_{};  // of the running site
  LmdbDatabase key_counts_;
  std::optional<LmdbDatabase> to_trim_;
  std::string bucket_;        // the prefix of the running one
  uint32_t bucket_keys_ = 0;  // its rows, `other` not counted
  CareNotes incomplete_;
  std::set<uint16_t> broken_visits_;  // sites some of whose kept visits cannot be read
};

// Some bytes for eyes.
std::string hex_text(std::string_view bytes);

}  // namespace footfall
