// Where a dimension's value stands in a block of kept visits, for each kind of fact: numbers.md's "by a touch's
// dimension, visits go by their first touch, orders by the credited one", as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "query/query.h"
#include "rollup/visit_block.h"

namespace footfall {

// Kinds of facts that metrics count. `page_visits` are visits where they go by page: one for each page viewed.
enum class Fact : uint8_t { visit, page_visit, view, event, conversion };
inline constexpr size_t kFacts = 5;
VisitTable table_of(Fact fact);

// Whether kept visits tell a dimension.
bool is_kept_with_visits(const DimensionInfo& dimension);

// A dimension's value for each row of a kind of fact, as a place in `texts`.
struct Codes {
  Codes() = default;
  Codes(Codes&&) = default;  // `codes` stays right; a copy's would not
  Codes& operator=(Codes&&) = default;

  const std::vector<std::string_view>* texts = nullptr;  // [0] is null
  const uint32_t* codes = nullptr;                       // a row each
  std::vector<uint32_t> own;                             // what `codes` points to, unless to a column
  std::string_view extra;                                // the text of the code behind the last of texts; empty: null

  size_t size() const { return texts->size() + 1; }
  std::string_view text(uint32_t code) const { return code < texts->size() ? (*texts)[code] : extra; }
};

// Reads the dimensions of one block. What several kinds of facts need is made once.
class BlockDimensions {
 public:
  BlockDimensions(const Query& query, std::span<const PageGroup> page_groups, VisitBlock& block)
      : query_(query), page_groups_(page_groups), block_(block) {}

  // The values of a dimension, a row of the fact's table each; for items' dimensions of conversions, see ofItems().
  // False: the block is broken.
  bool read(Fact fact, const DimensionInfo& dimension, Codes& to);

  // Whether the dimension splits conversions into parts: by item, by category.
  static bool is_of_items(const DimensionInfo& dimension);
  // Likewise, a row of the items' table each.
  bool read_of_items(const DimensionInfo& dimension, Codes& to);

  // Whether a touch tells the dimension; and its values, a row of the touches' table each, null's place being behind them
  // for whom no touch is known of.
  static bool is_of_touches(const DimensionInfo& dimension);
  bool read_of_touches(const DimensionInfo& dimension, Codes& to);

  // The row of `visits` that owns each row of a nested table; nullptr: broken.
  const std::vector<uint32_t>* owners(VisitTable nested);

 private:
  bool own(const TextColumn* column, Codes& to);
  bool of_visit(Fact fact, VisitColumn column, Codes& to);
  bool at_end(Fact fact, bool entry, Codes& to);
  bool of_view(Fact fact, const DimensionInfo& dimension, VisitColumn column, Codes& to);
  bool of_credited_touch(VisitColumn column, Codes& to);
  std::vector<uint32_t> group_pages(const TextColumn& pages);
  const std::vector<uint32_t>* ends(bool entry);
  const std::vector<uint32_t>* credited_touches();

  const Query& query_;
  std::span<const PageGroup> page_groups_;
  VisitBlock& block_;
  std::optional<std::vector<uint32_t>> owners_[kVisitTables];
  std::optional<std::vector<uint32_t>> ends_[2];  // the view that is a visit's exit, its entry; kNone
  std::optional<std::vector<uint32_t>> credited_;
  std::vector<std::string_view> group_names_;
};

}  // namespace footfall
