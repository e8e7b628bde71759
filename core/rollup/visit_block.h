// Kept visits by columns: a block of some thousand. A column is decoded at its first use; others cost nothing.
//
//   block: magic u32 | rows of each table varint | bounds 4 x zigzag | columns varint x (number varint, bytes varint) |
//          the columns (column.h) | xxh3 u64 of all before
//
// There are six tables. A row of `visits` is a record (kept_visit.h), and owns rows of views, events and conversions; a row of
// conversions owns rows of touches and items. Times in the nested tables are whole seconds since the second in which the
// record began: whole_s(start_ms) + time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rollup/column.h"
#include "rollup/kept_visit.h"

namespace footfall {

enum class VisitTable : uint8_t { visits = 0, views = 1, events = 2, conversions = 3, touches = 4, items = 5 };
inline constexpr size_t kVisitTables = 6;

// Numbers are stored: append, never reorder. Those marked T hold texts, the others numbers.
enum class VisitColumn : uint8_t {
  // visits
  start_ms = 0,
  duration_ms = 1,
  visitor = 2,  // u64 as it lies in memory
  visitor_after = 3,
  import = 4,
  flags = 5,             // kKeptIsVisit, …
  views = 6,             // how many of each it owns
  events = 7,
  conversions = 8,
  channel = 9,           // T, of the first touch, to `referrer`
  source = 10,           // T
  medium = 11,           // T
  campaign = 12,         // T
  content = 13,          // T
  term = 14,             // T
  code = 15,             // T
  referrer_host = 16,    // T
  referrer = 17,         // T
  country = 18,          // T
  device = 19,           // T
  browser = 20,          // T
  os = 21,               // T
  new_returning = 22,    // T
  // views
  view_time_s = 32,
  view_page = 33,        // T
  view_search_term = 34, // T
  view_flags = 35,       // kViewFirstOfPage, … kViewEntry, kViewExit
  view_ms = 36,          // of its second
  // events
  event_time_s = 48,
  event_name = 49,       // T
  event_item = 50,       // T
  event_views_before = 51,
  // conversions
  conversion_time_s = 64,
  conversion_flags = 65,              // kConversionGoal, …
  conversion_event = 66,              // T
  conversion_goal = 67,               // T
  conversion_value_micros = 68,       // of orders, in the site's currency
  conversion_goal_value_micros = 69,
  conversion_currency = 70,           // T, of orders, as told
  conversion_own_value_micros = 71,   // of orders without a rate, in that currency
  conversion_coupon = 72,             // T
  conversion_quantity = 73,           // of all its items
  conversion_touches = 74,            // how many of each it owns
  conversion_items = 75,
  conversion_refund_micros = 76,      // of what came to an order later
  // touches of conversions, in time order
  touch_age_s = 96,                   // before the conversion, rounded up
  touch_channel = 97,                 // T, to touch_referrer
  touch_source = 98,                  // T
  touch_medium = 99,                  // T
  touch_campaign = 100,               // T
  touch_content = 101,                // T
  touch_term = 102,                   // T
  touch_code = 103,                   // T
  touch_referrer_host = 104,          // T
  touch_referrer = 105,               // T
  // items of conversions
  item_id = 112,                      // T
  item_category = 113,                // T
  item_quantity = 114,
  item_value_micros = 115,
};
inline constexpr size_t kVisitColumns = 116;

enum : uint8_t { kConversionGoal = 1, kConversionNoRate = 2, kConversionChange = 4 };

VisitTable table_of(VisitColumn column);
bool is_text(VisitColumn column);

class VisitBlock {
 public:
  // nullopt: no block, or not whole. `bytes` outlive it.
  static std::optional<VisitBlock> open(std::string_view bytes);
  static std::optional<VisitBlock> own(std::string bytes);

  size_t rows(VisitTable table) const { return rows_[static_cast<size_t>(table)]; }
  // The records begin in [start_ms_min, start_ms_max]; all their facts lie in [first_ms, last_ms].
  int64_t start_ms_min() const { return bounds_.start_min; }
  int64_t start_ms_max() const { return bounds_.start_max; }
  int64_t first_ms() const { return bounds_.first; }
  int64_t last_ms() const { return bounds_.last; }

  // A column's values, a row each; they live as long as the block. nullptr: it is broken, or not of that kind. A column
  // that the block lacks is zero or null in each row.
  const std::vector<int64_t>* ints(VisitColumn column);
  const TextColumn* texts(VisitColumn column);
  // Row i of the table that owns `nested` owns its rows offsets[i] to offsets[i + 1]. nullptr: broken, or not nested.
  const std::vector<uint32_t>* offsets(VisitTable nested);

  // One record whole, for whoever wants few; views into the block. False: broken.
  bool read(size_t row, KeptVisit& to);

 private:
  struct Bounds {
    int64_t start_min = 0, start_max = 0, first = 0, last = 0;
  };
  struct Texts {
    TextColumn column;
    std::string unpacked;
  };

  VisitBlock() = default;
  bool load(std::string_view bytes);
  bool mark_entries_and_exits(std::vector<int64_t>& view_flags);
  template <class Record>
  bool read_row(size_t row, Record& to);
  template <class Record, class ReadMore>
  bool read_nested(VisitTable table, size_t owner, std::vector<Record>& to, ReadMore read_more);

  std::shared_ptr<const std::string> owned_;
  std::array<uint32_t, kVisitTables> rows_{};
  Bounds bounds_;
  std::array<std::string_view, kVisitColumns> stored_{};
  std::array<std::unique_ptr<std::vector<int64_t>>, kVisitColumns> ints_;
  std::array<std::unique_ptr<Texts>, kVisitColumns> texts_;
  std::array<std::unique_ptr<std::vector<uint32_t>>, kVisitTables> offsets_;
};

// Records into a block. They compress best in the order of their starts.
class VisitBlockBuilder {
 public:
  VisitBlockBuilder();
  ~VisitBlockBuilder();
  VisitBlockBuilder(VisitBlockBuilder&&) noexcept;
  VisitBlockBuilder& operator=(VisitBlockBuilder&&) noexcept;

  // Copies what it needs.
  void add(const KeptVisit& visit);
  size_t visits() const;
  int64_t first_ms() const;  // as VisitBlock's
  int64_t last_ms() const;

  enum class Packing { stored, none };  // none: of a block that is read at once
  // The block's bytes; the builder is empty afterwards.
  std::string finish(Packing packing = Packing::stored);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace footfall
