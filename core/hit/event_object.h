// One event as a JSON object: for the readers of lines and of batches, which have parsed it. Used in this folder alone.
#pragma once

#include <rapidjson/document.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hit/event_line.h"
#include "hit/log_time.h"
#include "hit/text.h"

namespace footfall {

// Numbers stay as they are spelt: money is no floating point. Nesting costs no stack.
inline constexpr unsigned kParseEvents =
    rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

// Not thread-safe; keep one per thread.
class EventObjectReader {
 public:
  // Reads an object that was parsed as kParseEvents says. False: fault() and member() tell why. What it gives lives until
  // the next read, and no longer than the object. Without `absent_time_ms` an event must tell its time.
  bool read(const rapidjson::Value& object, EventLine& to, std::optional<int64_t> absent_time_ms = std::nullopt);

  const std::string& fault() const { return fault_; }
  std::string_view member() const { return member_; }  // where the fault lies

 private:
  bool read_texts();
  bool read_time(std::optional<int64_t> absent_time_ms);
  bool read_money();
  bool read_items();
  bool add_item(const rapidjson::Value& item);
  bool fail(std::string_view member, std::string text);

  const rapidjson::Value* object_ = nullptr;
  EventLine* event_ = nullptr;
  std::string items_;
  TextArena arena_;
  std::vector<OrderItem> parsed_items_;
  LogTime time_;
  std::string fault_;
  std::string_view member_;
};

}  // namespace footfall
