// Adds up one block of kept visits by a plan: kind of fact by kind of fact, column by column. A filter is judged once
// for each text of the block; rows are then taken or left by their codes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "credit/attribution.h"
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

  // Of a conversion, what goes to one item, or what its items leave; or all of it.
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Part {
    uint32_t item = kNone;
    bool is_conversion = false;  // counts as one: not what is left beside items
    int64_t pieces = 0;
    int64_t micros = 0;
    int64_t refund_micros = 0;
  };
  // What of it goes to one touch; kNone: nobody knows how the buyer came, or the model gives conversions whole.
  struct Share {
    uint32_t touch = kNone;
    int64_t millionths = 0;
  };
  // Of both, a touch's side by side.
  struct Cell {
    uint32_t conversion = 0;
    uint32_t item = kNone, touch = kNone;
    bool is_conversion = false;
    int64_t pieces = 0;  // of the part, whatever the share
    int64_t millionths = 0;
    int64_t micros = 0;
    int64_t refund_micros = 0;
  };

  bool take(Fact fact);
  // Those whose time lies in the range.
  bool rows_in_range(Fact fact, Rows& rows);
  bool visits_in_range(Rows& rows);
  bool keep_first_of_page(Rows& rows);
  void keep_one_a_visit(Rows& rows);
  bool apply_filter(Fact fact, Rows& rows);
  bool is_told_by_cell(const DimensionInfo& dimension) const;
  bool read_of_cells(const DimensionInfo& dimension, Codes& codes);
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

  // By items, and by touches that share conversions (block_cells.cc).
  bool take_cells(const Rows& rows);
  bool split(const Rows& rows, std::vector<Cell>& cells);
  bool split_by_items(uint32_t row, std::vector<Part>& parts);
  bool split_by_touches(uint32_t row, std::vector<Share>& shares);
  static void cross(uint32_t row, std::span<const Part> parts, std::span<const Share> shares, std::vector<Cell>& cells);
  uint32_t code_of(const DimensionInfo& dimension, const Codes& codes, const Cell& cell) const;
  bool filter_cells(std::vector<Cell>& cells);
  bool group_cells(const std::vector<Cell>& cells, Groups& groups);
  bool add_cells(const Measured& measured, const std::vector<Cell>& cells, const Groups& groups);
  bool add_squares(const Measured& measured, const std::vector<Cell>& cells, const Groups& groups);

  static __int128 square_of(int64_t value) { return static_cast<__int128>(value) * value; }

  ScanPlan& plan_;
  VisitBlock& block_;
  BlockDimensions dimensions_;
  std::vector<JourneyTouch> journey_;
  std::vector<int64_t> times_s_;  // of the kind of fact that is looked at, a row of its table each
  bool is_full_ = false;
};

}  // namespace footfall
