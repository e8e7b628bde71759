#include "hit/event_line.h"

#include <utility>

#include "hit/event_object.h"

namespace footfall {

struct EventLineReader::State {
  rapidjson::Document document;
  EventObjectReader object;
};

EventLineReader::EventLineReader() : state_(std::make_unique<State>()) {}
EventLineReader::~EventLineReader() = default;

LineOutcome EventLineReader::read(std::string_view line) {
  event_ = {};
  fault_.clear();
  line = trim(line);
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.empty()) return LineOutcome::blank;
  if (line.size() > kLogLineBytesMax) return reject("is longer than 1 MiB");
  state_->document = rapidjson::Document();  // its memory goes
  state_->document.Parse<kParseEvents>(line.data(), line.size());
  if (state_->document.HasParseError() || !state_->document.IsObject())
    return reject(R"(is no JSON object; one a line is right, such as {"time":"2026-11-24T10:00:00Z","event":"sign_up"})");
  return state_->object.read(state_->document, event_) ? LineOutcome::hit : reject(state_->object.fault());
}

LineOutcome EventLineReader::reject(std::string fault) {
  fault_ = std::move(fault);
  return LineOutcome::rejected;
}

}  // namespace footfall
