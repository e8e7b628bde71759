// Adds up one block of kept visits by a plan: kind of fact by kind of fact, column by column. A filter is judged once
// for each text of the block; rows are then taken or left by their codes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "query/visit_dimensions.h"
#include "query/visit_groups.h"
#include "query/visit_measures.h"
#include "rollup/visit_block.h"

namespace footfall {

class BlockScan {
 public:
  // Both outlive it.
  BlockScan(ScanPlan& plan, VisitBlock& block)
      : plan_(plan), block_(block), dimensions_(plan.query, plan.page_groups, block) {}

  // False: is_full(), else the block is broken. What was added until then stays.
  bool take();
  bool is_full() const { return is_full_; }  // there are too many groups

 private:
  using Rows = std::vector<uint32_t>;    // of the table of a kind of fact, ascending
  using Groups = std::vector<uint32_t>;  // of the answer's rows, one for each of Rows; empty without `by`

  // Of a conversion, what goes to one item, or what its items leave.
  struct PartRow {
    uint32_t conversion;
    uint32_t item;       // kNobodys: what is left
    bool is_conversion;  // counts as one: not what is left beside items
    int64_t pieces;
    int64_t micros;
    int64_t refund_micros;
  };

  // Of a conversion, what goes to one touch.
  static constexpr uint32_t kNoTouch = UINT32_MAX;  // nobody knows how the buyer came: all of it
  struct ShareRow {
    uint32_t conversion;
    uint32_t touch;
    int64_t millionths;
    int64_t micros;
    int64_t refund_micros;
  };

  bool take(Fact fact);
  // Those whose time lies in the range.
  bool rows_in_range(Fact fact, Rows& rows);
  bool visits_in_range(Rows& rows);
  bool keep_first_of_page(Rows& rows);
  void keep_one_a_visit(Rows& rows);
  bool apply_filter(Fact fact, Rows& rows);
  bool is_told_by_part(const DimensionInfo& dimension) const;
  // What the filter says of each code of a dimension.
  std::vector<uint8_t> verdicts(const DimensionInfo& dimension, const Codes& codes) const;

  std::optional<VisitGroups> groups_by(Fact fact);
  bool find_groups(Fact fact, const Rows& rows, Groups& groups);

  bool count(Fact fact, const Rows& rows);
  bool add(const Measured& measured, const Rows& rows, const Groups& groups);
  template <class Value>
  void add_each(const Measured& measured, const Rows& rows, const Groups& groups, Value value);
  // How long the page of each view was looked at (visit/kept_steps.h), in ms; -1: until nobody knows.
  bool page_times(std::vector<int64_t>& to);
  bool add_visitors(const Rows& rows, const Groups& groups);
  bool add_unconverted(const Rows& rows);

  // By item (block_items.cc).
  bool take_parts(Rows& rows);
  bool split(const Rows& rows, std::vector<PartRow>& parts);
  bool filter_parts(std::vector<PartRow>& parts);
  bool group_parts(const std::vector<PartRow>& parts, Groups& groups);
  bool add_parts(const Measured& measured, const std::vector<PartRow>& parts, const Groups& groups);

  // By touches that share conversions (block_touches.cc).
  bool take_shares(const Rows& rows);
  bool share(const Rows& rows, std::vector<ShareRow>& shares);
  bool filter_shares(std::vector<ShareRow>& shares);
  bool group_shares(const std::vector<ShareRow>& shares, Groups& groups);
  bool add_share_squares(const Measured& measured, const std::vector<ShareRow>& shares, const Groups& groups);
  bool add_shares(const Measured& measured, const std::vector<ShareRow>& shares, const Groups& groups);
  static uint32_t shared_code(const DimensionInfo& dimension, const Codes& codes, const ShareRow& share);

  static __int128 square_of(int64_t value) { return static_cast<__int128>(value) * value; }

  ScanPlan& plan_;
  VisitBlock& block_;
  BlockDimensions dimensions_;
  std::vector<int64_t> times_s_;  // of the kind of fact that is looked at, a row of its table each
  bool is_full_ = false;
};

}  // namespace footfall
