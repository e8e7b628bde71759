#include "rollup/check_sums.h"

#include <algorithm>

#include "rollup/kept_sums.h"

namespace footfall {
namespace {

constexpr std::array<std::string_view, kSums> kNames = {"hits",
                                                        "bytes",
                                                        "errors_4xx",
                                                        "errors_5xx",
                                                        "bot_hits",
                                                        "late_hits",
                                                        "excluded_hits",
                                                        "pageviews",
                                                        "entries",
                                                        "exits",
                                                        "bounces",
                                                        "visits",
                                                        "duration_ms",
                                                        "visits_converted",
                                                        "visits_with_cart",
                                                        "visits_cart_left",
                                                        "events",
                                                        "duplicate_orders",
                                                        "rejected_orders",
                                                        "malformed_events",
                                                        "conversions_last",
                                                        "conversions_last_non_direct",
                                                        "conversions_first",
                                                        "orders_last",
                                                        "orders_last_non_direct",
                                                        "orders_first",
                                                        "items_last",
                                                        "items_last_non_direct",
                                                        "items_first",
                                                        "pages_left",
                                                        "page_time_ms",
                                                        "conversions_linear",
                                                        "conversions_position",
                                                        "conversions_time_decay",
                                                        "orders_linear",
                                                        "orders_position",
                                                        "orders_time_decay",
                                                        "items_linear",
                                                        "items_position",
                                                        "items_time_decay",
                                                        "clicks",
                                                        "impressions",
                                                        "journeys_converted",
                                                        "journeys_standing",
                                                        "journeys_last_touched",
                                                        "customers",
                                                        "revenue_last",
                                                        "revenue_last_non_direct",
                                                        "revenue_first",
                                                        "goal_value",
                                                        "refunds_last",
                                                        "refunds_last_non_direct",
                                                        "refunds_first",
                                                        "revenue_linear",
                                                        "revenue_position",
                                                        "revenue_time_decay",
                                                        "refunds_linear",
                                                        "refunds_position",
                                                        "refunds_time_decay",
                                                        "cost",
                                                        "revenue_squares_last",
                                                        "revenue_squares_last_non_direct",
                                                        "revenue_squares_first",
                                                        "revenue_squares_linear",
                                                        "revenue_squares_position",
                                                        "revenue_squares_time_decay",
                                                        "order_squares_linear",
                                                        "order_squares_position",
                                                        "order_squares_time_decay"};

enum Group : uint8_t { kHits = 1, kViews = 2, kVisits = 4, kEvents = 8, kCredit = 16, kItems = 32, kGoalValue = 64, kSpend = 128 };

constexpr uint8_t group_of(size_t sum) {
  if (sum >= kCounters) {
    const auto amount = static_cast<Amount>(sum - kCounters);
    if (amount == Amount::goal_value) return kGoalValue;
    if (amount == Amount::cost) return kSpend;
    return amount < Amount::cost ? kItems : 0;  // squares: no sums of those of parts
  }
  switch (static_cast<Counter>(sum)) {
    case Counter::hits:
    case Counter::bytes:
    case Counter::errors_4xx:
    case Counter::errors_5xx:
    case Counter::bot_hits:
      return kHits;
    case Counter::pageviews:
    case Counter::entries:
    case Counter::exits:
    case Counter::bounces:
    case Counter::pages_left:
    case Counter::page_time_ms:
      return kViews;
    case Counter::visits:
    case Counter::duration_ms:
    case Counter::visits_converted:
    case Counter::visits_with_cart:
    case Counter::visits_cart_left:
      return kVisits;
    case Counter::events:
      return kEvents;
    case Counter::conversions_last:
    case Counter::conversions_last_non_direct:
    case Counter::conversions_first:
    case Counter::orders_last:
    case Counter::orders_last_non_direct:
    case Counter::orders_first:
    case Counter::conversions_linear:
    case Counter::conversions_position:
    case Counter::conversions_time_decay:
    case Counter::orders_linear:
    case Counter::orders_position:
    case Counter::orders_time_decay:
      return kCredit;
    case Counter::items_last:
    case Counter::items_last_non_direct:
    case Counter::items_first:
    case Counter::items_linear:
    case Counter::items_position:
    case Counter::items_time_decay:
      return kItems;
    case Counter::clicks:
    case Counter::impressions:
      return kSpend;
    default:
      return 0;  // kept as totals alone
  }
}

constexpr uint8_t kOfVisits = kVisits | kViews | kEvents;
constexpr uint8_t kOfOrders = kCredit | kItems | kGoalValue;

constexpr uint8_t groups_of(Dimension dimension) {
  if (is_by_lookback(dimension)) return kCredit | kItems;
  switch (dimension) {
    case Dimension::total:
    case Dimension::currency:    // only orders whose value has no rate
    case Dimension::page_group:  // only where and since the site has groups
    case Dimension::journey_channel:
    case Dimension::journey_campaign:
    case Dimension::cohort_month:
    case Dimension::cohort_channel:
    case Dimension::cohort_source:
    case Dimension::cohort_medium:
    case Dimension::cohort_campaign:
    case Dimension::cohort_code:
      return 0;
    case Dimension::page:
      return kHits | kViews;
    case Dimension::search_term:
      return kViews;
    case Dimension::status_class:
    case Dimension::http_status:
    case Dimension::bot_class:
    case Dimension::ledger:
      return kHits;
    case Dimension::entry_page:
    case Dimension::exit_page:
      return kOfVisits;
    case Dimension::channel:
    case Dimension::source:
    case Dimension::medium:
    case Dimension::campaign:
    case Dimension::content:
    case Dimension::term:
    case Dimension::code:
      return kOfVisits | kCredit | kItems | kSpend;
    case Dimension::referrer_host:
    case Dimension::referrer:
      return kOfVisits | kCredit | kItems;
    case Dimension::country:
    case Dimension::device:
      return kHits | kOfVisits | kOfOrders;
    case Dimension::browser:
    case Dimension::system:
    case Dimension::new_returning:
      return kOfVisits | kOfOrders;
    case Dimension::event:
      return kEvents | kOfOrders;
    case Dimension::goal:
    case Dimension::coupon:
    case Dimension::order_currency:
    case Dimension::coverage:
      return kOfOrders;
    case Dimension::item:
      return kEvents | kItems | kGoalValue;
    case Dimension::item_category:
      return kItems | kGoalValue;
  }
  return 0;
}

const RowSums& at(const PlaceSums& sums, const Place& place) {
  static const RowSums kNone;
  const auto found = sums.find(place);
  return found == sums.end() ? kNone : found->second;
}

std::vector<Place> places_of(const PlaceSums& first, const PlaceSums& second) {
  std::vector<Place> places;
  for (const PlaceSums* sums : {&first, &second})
    for (const auto& [place, row] : *sums) places.push_back(place);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

void tell(const OnWrongSum& wrong, const Place& place, size_t sum, std::string_view of_is, const RowSums& is,
          std::string_view of_must_be, const RowSums& must_be) {
  wrong(place, std::string(kNames[sum]) + ": " + std::string(of_is) + int128_text(is.sums[sum]) + ", " +
                   std::string(of_must_be) + int128_text(must_be.sums[sum]));
}

// The sums agree, but not those of each value.
void tell_values(const OnWrongSum& wrong, const Place& place, size_t sum, const std::string& finer, const RowSums& is) {
  wrong(place, std::string(kNames[sum]) + ": its rows differ from those of " + finer + ", though both add up to " +
                   int128_text(is.sums[sum]));
}

bool has_same_values(const RowSums& one, const RowSums& other, size_t sum) {
  return one.prints[sum] == other.prints[sum] || one.has_other || other.has_other;
}

int64_t kept_since_s(const KeptSince& kept_since, Level level) { return kept_since[static_cast<size_t>(level)]; }

}  // namespace

SumValues sum_values(const Counters& counters) {
  SumValues values;
  for (size_t i = 0; i < kCounters; ++i) values[i] = counters[static_cast<Counter>(i)];
  for (size_t i = 0; i < kAmounts; ++i) values[kCounters + i] = counters[static_cast<Amount>(i)];
  return values;
}

std::string_view sum_name(size_t sum) { return kNames[sum]; }

std::span<const uint8_t> sums_that_add_up(Dimension dimension) {
  static const auto kLists = [] {
    std::array<std::vector<uint8_t>, kDimensions> lists;
    for (size_t of = 0; of < kDimensions; ++of)
      for (size_t sum = 0; sum < kSums; ++sum)
        if ((groups_of(static_cast<Dimension>(of)) & group_of(sum)) != 0)
          lists[of].push_back(static_cast<uint8_t>(sum));
    return lists;
  }();
  return kLists[static_cast<size_t>(dimension)];
}

void RowSums::add(const Hash128& value, size_t sum, __int128 amount) {
  const uint64_t factor = (value.low ^ (value.high * 0x9e3779b97f4a7c15ull)) | 1;
  sums[sum] += amount;
  prints[sum] += factor * static_cast<uint64_t>(amount);
  has_other |= value == kOtherValue;
}

void RowSums::add(const Hash128& value, const Counters& counters) {
  const SumValues values = sum_values(counters);
  for (size_t i = 0; i < kSums; ++i) add(value, i, values[i]);
}

void RowSums::merge(const RowSums& other) {
  for (size_t i = 0; i < kSums; ++i) sums[i] += other.sums[i], prints[i] += other.prints[i];
  has_other |= other.has_other;
}

void compare_with_totals(const PlaceSums& totals, const PlaceSums& rows, Dimension dimension, const OnWrongSum& wrong) {
  const std::span<const uint8_t> sums = sums_that_add_up(dimension);
  if (sums.empty()) return;
  for (const Place& place : places_of(totals, rows)) {
    const RowSums& is = at(rows, place);
    const RowSums& total = at(totals, place);
    for (const uint8_t sum : sums)
      if (is.sums[sum] != total.sums[sum]) tell(wrong, place, sum, "rows and other ", is, "total ", total);
  }
}

void leave_out_old(const Zone& zone, const KeptSince& kept_since, PlaceSums& sums) {
  std::erase_if(sums, [&](const auto& entry) {
    const Place& place = entry.first;
    return zone.next_bucket_s(place.level, place.start_s) <= kept_since_s(kept_since, place.level);
  });
}

void compare_levels(const PlaceSums& rows, const Zone& zone, const KeptSince& kept_since, const OnWrongSum& wrong) {
  PlaceSums finer;  // what finer rows add up to
  for (const auto& [place, sums] : rows) {
    if (place.level == Level::month) continue;
    const Level above = kLevels[static_cast<size_t>(place.level) + 1];
    finer[{above, zone.bucket_start_s(above, place.start_s), place.import}].merge(sums);
  }
  for (const Place& place : places_of(finer, rows)) {
    if (place.level == Level::minute || (place.level == Level::hour && place.import != 0)) continue;  // nothing finer
    const Level below = kLevels[static_cast<size_t>(place.level) - 1];
    if (place.start_s < kept_since_s(kept_since, below)) continue;
    if (zone.next_bucket_s(place.level, place.start_s) <= kept_since_s(kept_since, place.level)) continue;
    const RowSums& is = at(rows, place);
    const RowSums& parts = at(finer, place);
    const std::string name = "its " + std::string(level_name(below)) + "s";
    for (size_t sum = 0; sum < kSums; ++sum) {
      if (is.sums[sum] != parts.sums[sum])
        tell(wrong, place, sum, "", is, name + " ", parts);
      else if (!has_same_values(is, parts, sum))
        tell_values(wrong, place, sum, name, is);
    }
  }
}

void compare_with_visits(const PlaceSums& visits, const PlaceSums& rows, Dimension dimension, bool has_undone_imports,
                         const OnWrongSum& wrong) {
  for (const Place& place : places_of(visits, rows)) {
    const RowSums& is = at(rows, place);
    const RowSums& kept = at(visits, place);
    for (const uint8_t sum : KeptSums::sums()) {
      const KeptSums::Agrees agrees = KeptSums::agrees(dimension, sum, has_undone_imports);
      if (agrees != KeptSums::Agrees::no && is.sums[sum] != kept.sums[sum])
        tell(wrong, place, sum, "", is, "kept visits ", kept);
      else if (agrees == KeptSums::Agrees::by_value && !has_same_values(is, kept, sum))
        tell_values(wrong, place, sum, "the kept visits", is);
    }
  }
}

void compare_with_spend(const PlaceSums& spend, const PlaceSums& totals, const OnWrongSum& wrong) {
  for (const Place& place : places_of(spend, totals))
    for (const size_t sum : kSpendSums)
      if (at(spend, place).sums[sum] != at(totals, place).sums[sum])
        tell(wrong, place, sum, "", at(totals, place), "remembered spend ", at(spend, place));
}

void compare_with_orders(const PlaceSums& orders, const PlaceSums& totals, const OnWrongSum& wrong) {
  for (const Place& place : places_of(orders, totals))
    for (const Counter counter : {Counter::orders_last, Counter::items_last})
      if (const auto sum = static_cast<size_t>(counter); at(orders, place).sums[sum] != at(totals, place).sums[sum])
        tell(wrong, place, sum, "", at(totals, place), "remembered orders ", at(orders, place));
}

std::string place_text(std::string_view site, const Zone& zone, Dimension dimension, const Place& place) {
  std::string text = "site " + std::string(site) + ", " + std::string(dimension_name(dimension)) + ", " +
                     std::string(level_name(place.level)) + " " + zone.bucket_text(place.level, place.start_s);
  if (place.import != 0) text += ", import " + std::to_string(place.import);
  return text;
}

std::string int128_text(__int128 value) {
  if (value == 0) return "0";
  const bool below = value < 0;
  auto left = below ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string text;
  for (; left != 0; left /= 10) text += static_cast<char>('0' + static_cast<int>(left % 10));
  if (below) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

}  // namespace footfall
