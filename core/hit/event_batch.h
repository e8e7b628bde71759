// Events as the shop's servers send them, several at once: one JSON object, an array of objects, or an object a line; each
// as event_line.h has it. Bodies are hostile: each event is one or the whole is refused, in words that say what would be
// right, and where.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hit/event_line.h"

namespace footfall {

inline constexpr size_t kEventBatchBytesMax = 1024 * 1024;
inline constexpr size_t kEventBatchMax = 1'000;
inline constexpr int64_t kEventAgeMsMax = 7 * 86'400'000;  // older ones are for an import, which can be undone
inline constexpr int64_t kEventAheadMsMax = 5 * 60'000;    // another machine's clock; such an event is of now
// So is one that is told so soon: times of whole seconds, and the clocks of two machines, tell it no better, and it is not late.
inline constexpr int64_t kEventNowMs = 10'000;

enum class EventBatchForm : uint8_t { json, lines };

// Not thread-safe.
class EventBatchReader {
 public:
  enum class Outcome : uint8_t {
    event,
    end,
    rejected,  // fault() and place() say why and where
    too_many,  // over kEventBatchMax or kEventBatchBytesMax; fault() says which
  };

  // The body outlives the reader. An event that does not tell its time is of `now_ms`.
  EventBatchReader(std::string_view body, EventBatchForm form, int64_t now_ms);
  ~EventBatchReader();
  EventBatchReader(const EventBatchReader&) = delete;

  // Nothing follows anything but an event. Events live until the next one.
  Outcome next();
  const EventLine& event() const { return event_; }
  const std::string& fault() const { return fault_; }
  // `value`, `[3].value` or `line 4: value`; without a member where the event as a whole is none; empty: the body is none.
  std::string place() const;

  // Refuses the event that was read last, for its `member`.
  Outcome reject(std::string_view member, std::string fault);

 private:
  struct State;

  Outcome next_of_json();
  Outcome next_line();
  Outcome take(const void* object);
  Outcome reject_time();
  Outcome refuse_count();

  const EventBatchForm form_;
  const int64_t now_ms_;
  std::string_view left_;  // lines that are not read yet
  size_t count_ = 0;       // of events so far
  size_t line_ = 0;        // the last one's number
  bool is_array_ = false;
  bool begun_ = false;
  std::unique_ptr<State> state_;
  EventLine event_;
  std::string fault_;
  std::string member_;
  bool in_event_ = false;  // the fault lies in an event
};

}  // namespace footfall
