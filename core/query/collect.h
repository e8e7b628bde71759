// Reads from a snapshot what a query sums up.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <functional>
#include <optional>
#include <string>
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
  // nullptr: not kept.
  const std::string* find(const Hash128& value) const;

 private:
  struct Entry {
    int64_t newest_bucket_s = INT64_MIN;
    std::optional<std::string> text;
  };
  absl::flat_hash_map<Hash128, Entry> entries_;
};

class Collector {
 public:
  Collector(const Query& query, SummarySnapshot& snapshot, const StringHasher& hasher,
            const std::function<bool()>& out_of_time);

  bool has_minutes() const;  // whether buckets of minutes are read, which know no visitors
  const std::vector<PlanPart>& plan() const { return plan_; }

  // Each gives what kept it from being whole.
  std::optional<QueryError> totals(GroupSums& to);
  std::optional<QueryError> rows(GroupSums& to, ValueTexts& texts);
  std::optional<QueryError> unconverted(std::vector<Unconverted>& to);

 private:
  using Take = std::function<bool(const RollupKey& key, const Counters& counters)>;
  std::optional<QueryError> each(Dimension dimension, const Take& take);
  std::optional<QueryError> open_visits(Dimension dimension, GroupSums& to, ValueTexts& texts);
  int64_t group_time_s(int64_t time_s) const;

  const Query& query_;
  SummarySnapshot& snapshot_;
  const StringHasher& hasher_;
  const std::function<bool()>& out_of_time_;
  std::vector<PlanPart> plan_;
};

}  // namespace footfall
