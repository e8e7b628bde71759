// A visit as far as it has come, and what it counts for: one record, updated hit by hit, kept while the visit is open.
// Pure: no store, no clock. Rules: core/README.md, "Visits".
#pragma once

#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/box.h"
#include "base/bytes.h"
#include "base/keyed_hash.h"
#include "visit/browser.h"
#include "visit/device.h"
#include "visit/kept_steps.h"
#include "visit/touch.h"

namespace footfall {

// What a visit adds to the counters of its own bucket (that of its first hit).
struct VisitFigures {
  int64_t visits = 0;
  int64_t bounces = 0;       // one page view and no event
  int64_t duration_ms = 0;   // last minus first page or event
  int64_t converted = 0;     // an order or a reached goal
  int64_t with_cart = 0;
  int64_t cart_left = 0;     // a cart and no order

  VisitFigures operator-(const VisitFigures& other) const {
    return {visits - other.visits,       bounces - other.bounces,     duration_ms - other.duration_ms,
            converted - other.converted, with_cart - other.with_cart, cart_left - other.cart_left};
  }
  bool operator==(const VisitFigures&) const = default;
};

// Page views and events of one minute of the visit; their counters go by their own time.
struct VisitMinute {
  int64_t minute_start_s = 0;
  uint32_t pageviews = 0;
  uint32_t events = 0;
  uint32_t pages_left = 0;   // of those viewed in it, for a next one
  int64_t page_time_ms = 0;  // from them to the next one
};

// Whether the visitor had been there before. Numbers are stored.
enum class NewReturning : uint8_t {
  unknown = 0,  // anonymous: who can tell
  first = 1,
  returning = 2,
};
inline constexpr unsigned kNewReturning = 3;
std::string_view new_returning_name(NewReturning visitor);  // `unknown`, `new`, `returning`

struct Visit {
  int64_t start_ms = 0;
  int64_t last_ms = 0;             // of the last page or event
  std::string country;             // of the first hit, as is the device; empty: not known
  Device device = Device::other;
  Browser browser = Browser::other;  // likewise, as is the system
  System system = System::other;
  NewReturning new_returning = NewReturning::unknown;  // when it began, by the key that it began with
  Touch first_touch;               // what the visit's figures go by
  Box<Touch> later_touch;          // the newest of those that came within the visit; absent: none did
  std::string entry_page;          // empty: no page view yet
  std::string exit_page;
  std::string entry_term;          // what was searched for on the entry page; empty: it was no search
  std::string exit_term;
  int64_t entry_ms = 0;
  int64_t exit_ms = 0;
  uint32_t pageviews = 0;
  uint32_t events = 0;
  uint32_t orders = 0;
  bool has_cart = false;
  bool reached_goal = false;
  uint16_t import = 0;             // whose hit was the last; 0: a live one
  uint64_t distinct_visitor = 0;   // what the visit adds to distinct counts: of the key it began with
  absl::InlinedVector<uint64_t, 6> pages;  // hashes of the pages viewed, each once, at most kVisitPagesMax
  std::vector<uint32_t> goals;     // goals reached (hash of the name), each once
  absl::InlinedVector<VisitMinute, 3> minutes;
  std::string steps;               // what it did, as it is kept once it closes: visit/kept_steps.h

  const Touch& last_touch() const { return later_touch ? *later_touch : first_touch; }  // a further arrival is told against it
  bool has_page() const { return pageviews > 0; }
  VisitFigures figures() const;

  // Records a page view; `term` is what was searched for with it. True: the page had not been viewed in this visit.
  bool view(std::string_view path, uint64_t path_hash, int64_t time_ms, std::string_view term = {});
  // Something kept it open that is neither a view nor an event.
  void extend(int64_t time_ms) { last_ms = std::max(last_ms, time_ms); }
  void count_event(int64_t time_ms, std::string_view name, std::string_view item);
  // True: the goal had not been reached in this visit.
  bool reach(std::string_view goal);
  // Notes an order or a goal among the steps.
  void keep(const KeptConversion& conversion);

  // When something happened, as its step tells it.
  int64_t step_s(int64_t time_ms) const { return whole_s(time_ms) - whole_s(start_ms); }
  // The steps go, as they are kept elsewhere by now; what tells the entry and the exit page stays.
  void let_go_of_steps();

 private:
  bool note_page(uint64_t path_hash);
  VisitMinute& minute(int64_t time_ms);
};

inline int64_t minute_start_s(int64_t time_ms) {
  const int64_t time_s = whole_s(time_ms);
  return time_s - ((time_s % 60) + 60) % 60;
}

// More steps are kept before the visit closes, as a record of their own. People's visits stay far below.
inline constexpr size_t kVisitStepsBytesMax = 64 * 1024;
inline constexpr size_t kVisitStepsBytesUsual = 160;  // most have no more

// The stored form of an open visit (with a version byte; the layout stands in visit_record.cc).
std::string encode_visit(const Visit& visit);
// False: no visit, or of a version that is neither this one nor the one before.
bool decode_visit(std::string_view bytes, Visit& to);

}  // namespace footfall
