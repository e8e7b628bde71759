// Everything that a request's header and directives told, as one Footfall-Event list: what a log keeps of it, so that
// whoever reads the log finds the events that live capture found.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hit/event_list.h"
#include "hit/raw_hit.h"
#include "hit/text.h"

namespace footfall {

// Not thread-safe. Does not allocate once warm.
class EventWriter {
 public:
  // `header` as the upstream sent it, then the directives' events. read_events_header() of the result gives the same
  // events as the header and read_raw_event() do, faults too; it keeps to its bounds (kEventHeaderBytesMax,
  // kEventsMax): what does not fit is left out. A header off its grammar is left out, but stays where nothing else was
  // told, so that it is counted. The view lives until the next call.
  std::string_view write(std::string_view header, std::span<const RawEvent> events);

 private:
  bool is_well_formed(std::string_view header);
  void add(const RawEvent& raw);
  void write_items(std::string_view items);

  TextArena arena_;
  std::vector<Event> parsed_;
  EventList list_{parsed_};
  std::vector<OrderItem> items_;
  std::string text_, member_;
  size_t events_ = 0;
};

}  // namespace footfall
