// What kept visits add up to, day by day and dimension by dimension: the same figures that the rollups have of them,
// by the rules of aggregate/bookings told a second time. For SummaryCheck.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/keyed_hash.h"
#include "credit/attribution.h"
#include "rollup/check_sums.h"
#include "rollup/kept_visit.h"
#include "site/zone.h"

namespace footfall {

class KeptSums {
 public:
  // Both outlive it.
  KeptSums(const Zone& zone, const StringHasher& hasher, int64_t lookback_s)
      : zone_(zone), hasher_(hasher), lookback_s_(lookback_s) {}

  // Of the records of one block: texts that lie at the same place are the same until the next one begins.
  void begin_block() { hashes_.clear(); }
  void add(const KeptVisit& visit);

  // The dimensions that are added up, and which sums.
  static std::span<const Dimension> dimensions();
  static std::span<const uint8_t> sums();
  // How far a sum agrees with the rollups': by value, too; in all; not at all. Credit is that of the lookback given above. A visit
  // of which an import was taken back keeps its entry and exit page, and the time between the pages that are left.
  enum class Agrees : uint8_t { by_value, in_all, no };
  static Agrees agrees(Dimension dimension, size_t sum, bool has_undone_imports);

  struct Day {
    std::array<RowSums, kFirstByLookback> by{};
  };
  const std::map<int64_t, Day>& days() const { return days_; }

 private:
  using Row = std::pair<Dimension, Hash128>;
  struct Credit {
    int64_t conversions, orders, items, revenue_micros, refund_micros;
  };

  Hash128 hash_of(std::string_view text);
  Day& day_of(int64_t time_s);
  static void add(Day& day, const Row& row, Counter counter, __int128 amount);
  void add_to_visit(int64_t time_s, Counter counter, __int128 amount);
  void add_to_page(const KeptView& view, int64_t time_s, Counter counter, __int128 amount);
  void add_to_view(const KeptView& view, Counter counter, __int128 amount);
  void add_visit(const KeptVisit& visit);
  void add_views(const KeptVisit& visit);
  void add_conversion(const KeptVisit& visit, const KeptConversion& told);
  void add_parts(Day& day, const KeptConversion& told, const Credit& whole, Dimension dimension,
                 std::string_view KeptItem::*name);
  void give_touches(Day& day, const KeptConversion& told, const Credit& whole);
  static void give(Day& day, const Row& row, const Credit& credit, Model model);
  static void give_all(Day& day, const Row& row, const Credit& credit, int64_t goal_value_micros);

  const Zone& zone_;
  const StringHasher& hasher_;
  const int64_t lookback_s_;
  std::map<int64_t, Day> days_;
  Day* day_ = nullptr;  // the one asked for last
  int64_t day_start_s_ = 0, day_end_s_ = 0;
  absl::flat_hash_map<const char*, Hash128> hashes_;
  std::vector<Row> rows_;  // of the running visit
  std::vector<KeptTouch> touches_;     // of a conversion
  std::vector<JourneyTouch> journey_;  // the same
  int64_t start_s_ = 0;    // likewise
};

}  // namespace footfall
