// One event a line, as the shop's own systems tell it: a JSON object, not of any request. Lines are hostile: whatever
// they hold, they are an event or refused, in words that say what would be right.
//
//   {"id":"A-1001","time":"2026-11-24T10:00:00Z","site":"shop","visitor":"v1","event":"purchase","value":129.90,
//    "currency":"EUR","items":["SKU1:2:29.95",{"id":"SKU2","quantity":1,"price":70.00}],"coupon":"MAIL24","customer":"c7"}
//
// `event` and `time` are needed; of a purchase `id` and `value` too. Other members are passed over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hit/event_fields.h"
#include "hit/log_line.h"

namespace footfall {

struct EventLine {
  int64_t time_ms = 0;
  std::string_view site;     // empty: not told
  std::string_view visitor;  // as footfall_visitor gives it; empty: not known
  EventFields fields;
};

// Not thread-safe; keep one per thread.
class EventLineReader {
 public:
  EventLineReader();
  ~EventLineReader();

  // hit (an event), blank or rejected. What it gives lives until the next read.
  LineOutcome read(std::string_view line);
  const EventLine& event() const { return event_; }
  const std::string& fault() const { return fault_; }

 private:
  struct State;

  LineOutcome reject(std::string fault);

  std::unique_ptr<State> state_;
  EventLine event_;
  std::string fault_;
};

}  // namespace footfall
