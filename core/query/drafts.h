// The rows of an answer before they are spelt: which there are, their figures, their order, the page that is shown, and
// what is left for `other`.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "query/collect.h"
#include "query/figures.h"
#include "query/interval_figures.h"
#include "query/query.h"
#include "query/sums.h"

namespace footfall {

struct Draft {
  int64_t time_s = 0;                            // of the time dimension
  std::array<const std::string*, 2> texts = {};  // of the others, as in `by`; nullptr: null
  std::optional<size_t> now, before;             // groups of what was collected; none: all zero
  bool is_comparable = true;                     // its time has one before
  std::vector<Figure> figures;                   // a column each, behind those of `by`
};

class Drafts {
 public:
  // All outlive the drafts. `before`: of the range that is compared with; nullptr: nothing is.
  Drafts(const Query& query, const PartTable& table, const Collected& now, const Collected* before);

  size_t size() const { return drafts_.size(); }
  std::span<const Draft> page() const { return {drafts_.data() + page_from_, page_to_ - page_from_}; }
  size_t page_end() const { return page_to_; }
  const std::vector<Figure>& totals() const { return totals_; }
  // What the totals' sums have beyond those of the shown rows. Null: what does not add up over rows.
  std::vector<Figure> other() const;

  // Whether the visitors of the totals or of a shown row are an estimate.
  bool has_estimates(const Collected& of) const;
  bool has_cut_values() const { return has_cut_values_; }
  uint64_t unknown_values() const { return unknown_values_; }
  bool has_incomparable() const;
  const std::vector<FigureColumn>& columns() const { return columns_; }

 private:
  using Sums = std::span<const __int128>;
  void draft(const Collected& of);
  std::optional<std::array<const std::string*, 2>> texts_of(const GroupKey& key);
  std::optional<int64_t> time_before(int64_t time_s);
  std::optional<int64_t> time_now(int64_t before_s);
  std::vector<Figure> figures(const Draft& draft) const;
  std::vector<Figure> figures(Sums now, const Distinct* now_visitors, Sums before, const Distinct* before_visitors,
                              bool is_row) const;
  // As it is before it is rounded.
  Quotient quotient(size_t metric, Sums sums, const Distinct* visitors, const Collected& of, bool is_row) const;
  Figure figure(size_t metric, const Quotient& quotient) const;
  Bounds bounds(size_t metric, Sums sums, const Collected& of, bool is_row) const;
  bool shares_rows() const;  // orders are shared among rows
  bool counts_twice(size_t metric, const Collected& of, bool is_row) const;
  bool lacks_credit(const Metric& metric, const Collected& of, bool is_row) const;
  std::vector<__int128> rest(const Collected& of) const;
  int compare_in_order(const Draft& left, const Draft& right) const;
  void sort();

  const Query& query_;
  const PartTable& table_;
  const Collected& now_;
  const Collected* const before_;
  const std::vector<FigureColumn> columns_;
  const std::vector<const DimensionInfo*> others_;
  const std::vector<__int128> zeros_;
  std::vector<Draft> drafts_;
  absl::flat_hash_map<GroupKey, size_t> places_;
  absl::flat_hash_map<int64_t, std::optional<int64_t>> times_before_, times_now_;
  size_t page_from_ = 0, page_to_ = 0;
  std::vector<Figure> totals_;
  bool has_cut_values_ = false;
  uint64_t unknown_values_ = 0;
};

}  // namespace footfall
