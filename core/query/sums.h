// Sums of just those counters that a query's figures are made of, group by group.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/keyed_hash.h"
#include "credit/intervals.h"
#include "query/metrics.h"
#include "query/query.h"
#include "rollup/counters.h"

namespace footfall {

// The parts that the metrics need, each once, and where each metric finds its own.
class PartTable {
 public:
  explicit PartTable(const Query& query);

  size_t size() const { return parts_.size(); }
  const std::vector<Part>& parts() const { return parts_; }
  Model model() const { return model_; }
  // Rows of touches are collected without credit: a model that looks at all journeys gives it afterwards.
  bool leaves_credit_out() const { return leaves_credit_out_; }
  int64_t margin_micros() const { return margin_micros_; }
  bool has_visitors() const { return has_visitors_; }
  bool has_quantiles() const;
  // Those that figures are made of come first; of the others bounds are.
  size_t figure_parts() const { return figure_parts_; }
  __int128 top(size_t metric, std::span<const __int128> sums) const { return sums[places_[metric].top]; }
  // Zero where the metric has none.
  __int128 bottom(size_t metric, std::span<const __int128> sums) const {
    return places_[metric].has_bottom ? sums[places_[metric].bottom] : 0;
  }

  // How many: an estimate is never above the visits that they made.
  __int128 visitors(const Distinct& distinct, std::span<const __int128> sums) const;

  // What the bounds of rpv and roas are made of, where one of them has some. `largest_micros` is not told.
  ReturnSums return_sums(std::span<const __int128> sums) const;

 private:
  struct Places {
    size_t top = 0;
    size_t bottom = 0;
    bool has_bottom = false;
  };
  struct ReturnPlaces {
    size_t visits = 0, orders = 0, order_squares = 0, revenue = 0, revenue_squares = 0;
  };
  size_t place(const Part& part);

  std::vector<Part> parts_;
  std::vector<Places> places_;
  std::optional<ReturnPlaces> returns_;
  std::optional<size_t> visits_;  // where visitors are asked for
  size_t figure_parts_ = 0;
  Model model_;
  int64_t margin_micros_;
  bool has_visitors_ = false;
  bool leaves_credit_out_;
};

struct GroupKey {
  int64_t time_s = 0;   // start of the time dimension's bucket; 0 without one
  Hash128 value = {};   // of the first dimension that is not of time
  Hash128 second = {};  // of the second

  bool operator==(const GroupKey&) const = default;

  template <class H>
  friend H AbslHashValue(H state, const GroupKey& key) {
    return H::combine(std::move(state), key.time_s, key.value.low, key.value.high, key.second.low);
  }
};

// Groups held at once; a query with more is refused, so that a worker's memory stays bounded.
inline constexpr size_t kGroupsMax = 200'000;
inline constexpr size_t kHeavyGroupsMax = 50'000;  // with visitors or times

class GroupSums {
 public:
  // The table outlives the sums. `of_touches`: what is added are rows of a touch's dimension, or parts of such.
  GroupSums(const PartTable& table, Precision precision, bool of_touches);

  // False: there are too many groups; nothing was added.
  bool add(const GroupKey& key, const Counters& counters);
  // The place of a group, made where there is none; nullopt: there are too many groups.
  std::optional<size_t> find_or_add(const GroupKey& key);
  std::optional<size_t> find(const GroupKey& key) const;

  size_t size() const { return keys_.size(); }
  const GroupKey& key(size_t group) const { return keys_[group]; }
  std::span<const __int128> sums(size_t group) const { return {&sums_[group * stride_], stride_}; }
  __int128& sum(size_t group, size_t part) { return sums_[group * stride_ + part]; }
  const Distinct& visitors(size_t group) const { return visitors_[group]; }
  Distinct& visitors(size_t group) { return visitors_[group]; }
  bool is_zero(size_t group) const;
  // Once all is added: parts that are quantiles get their values, each and one: 0 is that there is none.
  void settle_quantiles();

 private:
  const PartTable& table_;
  const size_t stride_;  // at least one, so that a group has a place
  const Precision precision_;
  const bool has_quantiles_;
  const bool of_touches_;
  absl::flat_hash_map<GroupKey, uint32_t> places_;
  std::vector<GroupKey> keys_;
  std::vector<__int128> sums_;
  std::vector<Distinct> visitors_;  // empty where no metric asks for them
  std::vector<Quantiles> took_ms_;  // likewise
};

}  // namespace footfall
