// Events as the shop tells them, from its `Footfall-Event` header and from nginx's directives, read into the same
// Event. Meaning: numbers.md §6 and the header's form, as told in core/README.md and ngx_module/README.md.
//
// An order (`purchase`, or footfall_order) needs an id and a value >= 0. One without stays in the hit with its fault,
// so that it is counted as rejected: id empty, longer than kOrderIdBytesMax or not clean text → no_id (never cut or
// mended: that could make two orders one); value missing, no plain decimal, negative or absurd → bad_value; currency
// given but not three letters → bad_currency. Of other events a broken value or currency is left out. Items off their
// form are left out, the order stays. What is left out or cut sets kHitFieldCut.
#pragma once

#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "hit/hit.h"
#include "hit/raw_hit.h"
#include "hit/text.h"

namespace footfall {

// A hit's events while they are read. Keeps the item lists of events that went, so that a warm list allocates nothing.
class EventList {
 public:
  explicit EventList(std::vector<Event>& events) : events_(events) {}

  void clear();
  bool full() const;
  size_t size() const { return events_.size(); }
  Event& add();
  void shrink(size_t count);  // drops events from the end

 private:
  std::vector<Event>& events_;
  std::vector<std::vector<OrderItem>> spare_items_;
};

// Where the text of events goes, and what is said of them.
struct EventRoom {
  EventList& events;
  TextArena& arena;
  const Key128& customer_key;
  uint32_t& flags;  // of the hit: kHitEventsMalformed, kHitFieldCut
};

// Reads the header's events. A header off its grammar or over a limit (4 KiB, 16 events, names of 64 and ids of 128
// bytes, 100 items of an order) tells no event at all and sets kHitEventsMalformed: false.
bool read_events_header(std::string_view header, EventRoom& room);

// Reads what one directive told. Its values may come from a query ($arg_…), so escapes are undone. An order with
// neither id nor value is no event (a confirmation page with neither is just a page); so is an event whose name is no
// token of at most 64 bytes, and one past the hit's 16th (both set kHitEventsMalformed).
void read_raw_event(const RawEvent& raw, EventRoom& room);

}  // namespace footfall
