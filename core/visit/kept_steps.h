// What happened in a visit, step by step: its views, events and conversions. Gathered as bytes that are only ever
// appended to, so that an open visit is stored by copying them, and read back when somebody asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "visit/touch.h"

namespace footfall {

// Texts of all of these are views into what they were read from; an empty one is null. Times are whole seconds since the
// second in which the visit began: before it (late hits) they are negative. Both ends are rounded down, so that
// start second + time falls into the minute of the fact.

struct KeptTouch {
  // Before its conversion, rounded up: within a lookback of whole seconds exactly when the touch is. 0 of a visit's first.
  int64_t age_s = 0;
  std::string_view channel{}, source{}, medium{}, campaign{}, content{}, term{}, code{}, referrer_host{};
  std::string_view referrer{};  // host and path

  bool operator==(const KeptTouch&) const = default;
};
inline constexpr std::string_view KeptTouch::*kKeptTouchTexts[] = {  // their order is stored
    &KeptTouch::channel, &KeptTouch::source, &KeptTouch::medium,        &KeptTouch::campaign, &KeptTouch::content,
    &KeptTouch::term,    &KeptTouch::code,   &KeptTouch::referrer_host, &KeptTouch::referrer};
inline constexpr size_t kKeptTouchTextCount = std::size(kKeptTouchTexts);

// Views into the touch.
KeptTouch kept_touch_of(const Touch& touch);

// Flags of a view. The first three are stored.
enum : uint8_t {
  kViewFirstOfPage = 1,  // the page had not been viewed in this visit: by page, it is a visit
  kViewLate = 2,         // a later page of the visit was known when it came: it never was the exit
  kViewUncounted = 4,    // no page view of this record: only tells which was the entry or exit page
  kViewEntry = 8,        // the visit's entry: counts as one
  kViewExit = 16,        // its exit: counts as one
};
inline constexpr uint8_t kViewFlagsStored = kViewFirstOfPage | kViewLate | kViewUncounted;

// In the order in which they came. A page is looked at until the next view that is neither late nor uncounted: from the last
// view before that one that is not late.
struct KeptView {
  int64_t time_s = 0;
  std::string_view page{}, search_term{};
  uint8_t flags = 0;  // kViewFirstOfPage, kViewLate, kViewUncounted
  uint16_t ms = 0;    // of its second: time_s is rounded down

  bool operator==(const KeptView&) const = default;
};

struct KeptEvent {
  int64_t time_s = 0;
  std::string_view name{}, item{};
  uint32_t views_before = 0;  // how many of the record's views came before it

  bool operator==(const KeptEvent&) const = default;
};

struct KeptItem {
  std::string_view id{}, category{};
  int64_t quantity = 0;
  int64_t value_micros = 0;  // in the money of the order's value

  bool operator==(const KeptItem&) const = default;
};

struct KeptConversion {
  bool is_goal = false;        // else an order, or
  bool is_change = false;      // what came to an order later: no order of its own. Its touches and their ages are the order's
  bool has_rate = true;        // false: an order whose value is in its own currency
  int64_t time_s = 0;
  std::string_view event{};      // that it is: an order's `purchase`; null: a goal reached by a page
  std::string_view goal{};       // null: an order
  int64_t value_micros = 0;    // of an order, in the site's currency; 0 without a rate
  int64_t goal_value_micros = 0;
  std::string_view currency{};   // of an order, as told
  int64_t own_value_micros = 0;  // of an order without a rate, in `currency`
  int64_t refund_micros = 0;   // of a change: taken back, in the site's currency; its items' values are what of it is theirs
  std::string_view coupon{};
  int64_t quantity = 0;        // of all its items, pieces
  std::vector<KeptTouch> touches{};  // all that the visitor had by then, in time order, whatever the lookback
  // An order's, one for each id and category; those of one id follow each other. What they leave of the order's value
  // is nobody's. Of a goal: the item of the event that reached it, if it had one; it is the whole conversion's.
  std::vector<KeptItem> items{};

  bool operator==(const KeptConversion&) const = default;
};

struct KeptSteps {
  std::vector<KeptView> views;
  std::vector<KeptEvent> events;
  std::vector<KeptConversion> conversions;

  bool operator==(const KeptSteps&) const = default;
};

// Whole seconds, rounded down, and what that leaves.
inline int64_t whole_s(int64_t time_ms) { return time_ms >= 0 ? time_ms / 1000 : (time_ms - 999) / 1000; }
inline uint16_t ms_of_second(int64_t time_ms) { return static_cast<uint16_t>(time_ms - whole_s(time_ms) * 1000); }

// From one view to a later one of the same visit.
inline int64_t time_between_ms(const KeptView& view, const KeptView& next) {
  return (next.time_s - view.time_s) * 1000 + next.ms - view.ms;
}

// Append to the steps of a visit. Views and events are told apart from each other in the order in which they came.
void append_view(const KeptView& view, std::string& steps);
void append_event(const KeptEvent& event, std::string& steps);
void append_conversion(const KeptConversion& conversion, std::string& steps);
std::string encode_steps(const KeptSteps& steps);

// Replaces what `to` holds. False: these are no steps.
bool decode_steps(std::string_view bytes, KeptSteps& to);

void encode_kept_touch(const KeptTouch& touch, BytesWriter& to);
KeptTouch decode_kept_touch(BytesReader& from);

}  // namespace footfall
