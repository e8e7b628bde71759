// Which group of the answer a row of a block belongs to: by the codes of its values first, by their texts across
// blocks.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/keyed_hash.h"
#include "query/collect.h"
#include "query/query.h"
#include "query/visit_dimensions.h"

namespace footfall {

// Of one kind of fact of one block.
class VisitGroups {
 public:
  // All outlive it. `codes`: of each dimension of the query that is not of time, in their order.
  VisitGroups(const Query& query, const StringHasher& hasher, std::vector<Codes> codes, Collected& to);

  const std::vector<Codes>& codes() const { return codes_; }
  // The place in the answer's rows; nullopt: there are too many. `first`, `second`: codes of the dimensions there are.
  std::optional<uint32_t> find(int64_t time_s, uint32_t first, uint32_t second);

 private:
  // Buckets of time, for many times that lie close to each other.
  uint32_t bucket(int64_t time_s);
  const Hash128& hash_of(size_t dimension, uint32_t code);
  uint32_t& place(uint64_t combination);

  const Query& query_;
  const StringHasher& hasher_;
  std::vector<Codes> codes_;
  Collected& to_;
  const DimensionInfo* const time_;
  int64_t bucket_start_s_ = 0, bucket_end_s_ = 0;  // of the time asked for last
  uint32_t bucket_ = 0;
  absl::flat_hash_map<int64_t, uint32_t> buckets_;
  std::vector<int64_t> bucket_starts_;
  std::vector<std::vector<std::optional<Hash128>>> hashes_;  // by dimension and code, from the first row on
  uint64_t combinations_ = 1;
  std::vector<uint32_t> dense_;  // by combination of bucket and codes
  absl::flat_hash_map<uint64_t, uint32_t> sparse_;
};

}  // namespace footfall
