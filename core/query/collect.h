// Reads from a snapshot's rollups what a query sums up.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/plan.h"
#include "query/query.h"
#include "query/sums.h"
#include "rollup/summary.h"

namespace footfall {

// The texts of the values met, as far as they are kept.
class ValueTexts {
 public:
  void saw(const Hash128& value, int64_t bucket_start_s);
  void know(const Hash128& value, std::string_view text);
  void load(SummarySnapshot& snapshot);
  // The same for one value at once; nullptr: not kept.
  const std::string* load(const Hash128& value, int64_t bucket_start_s, SummarySnapshot& snapshot);
  // nullptr: not kept.
  const std::string* find(const Hash128& value) const;

 private:
  struct Entry {
    int64_t newest_bucket_s = INT64_MIN;
    std::optional<std::string> text;
  };
  absl::flat_hash_map<Hash128, Entry> entries_;
};

// What the figures of one range are made of.
struct Collected {
  Collected(const Query& query, const PartTable& table);

  GroupSums totals;  // one group
  GroupSums rows;    // none where the query has no dimension
  ValueTexts texts;  // of the rows' values
  std::vector<Unconverted> unconverted;
  bool from_visits = false;
  bool adds_values = false;  // of several values of a dimension, each counted by itself
  bool visitors_known = true;
  bool has_cut_values = false;  // some buckets keep a part of their values alone, the rest in a row `other`
  bool has_cut_credit = false;  // likewise of what the lookback gives beyond the site's own
  bool has_credit = true;       // of rows of touches, by a model that looks at all journeys
  bool has_all_steps = true;    // of those journeys
  bool lacks_imports = false;   // by minute, which imports have none of
  bool saw_overrun = false;     // a bucket met more values than it takes as candidates
  std::vector<int64_t> lost_days_s;  // in the range: some visits of them are gone
  uint64_t unknown_values = 0;  // that the filter cannot judge: their text is not kept any more
};

// Every rollup of the site and dimension in the plan's buckets (`only`: of those values alone, which are ascending), until
// `take` says false: there are too many rows then.
std::optional<QueryError> each_rollup_in(const Query& query, std::span<const PlanPart> plan, Dimension dimension,
                                         const std::optional<std::vector<Hash128>>& only, SummarySnapshot& snapshot,
                                         const std::function<bool()>& out_of_time,
                                         const std::function<bool(const RollupKey& key, const Counters& counters)>& take);

// The same of a touch's dimension, credited over the query's lookback: the rows as they were counted, then what that lookback
// gives beyond, mostly little, with `key.dimension` telling which it is. What it gives a value that the bucket's own rows cut
// off is under kOtherValue, as that value itself is.
std::optional<QueryError> each_credited_rollup_in(const Query& query, std::span<const PlanPart> plan, Dimension dimension,
                                                  const std::optional<std::vector<Hash128>>& only, SummarySnapshot& snapshot,
                                                  const std::function<bool()>& out_of_time,
                                                  const std::function<bool(const RollupKey& key, const Counters& counters)>& take);

// That what the lookback gives some values is in `other`.
std::string cut_credit_warning(const Query& query, std::string_view dimension);
// Whether hours hold anything imported.
bool has_imports(SummarySnapshot& snapshot, uint16_t site, int64_t from_s, int64_t to_s, const Zone& zone);

QueryError too_slow();
QueryError too_many_rows();
QueryError store_fault(const Error& error);

// Gives what kept it from being whole. The query needs no visits; `to` is fresh.
std::optional<QueryError> collect_rollups(const Query& query, const TimeRange& range, SummarySnapshot& snapshot,
                                          const StringHasher& hasher, const std::function<bool()>& out_of_time,
                                          Collected& to);

}  // namespace footfall
