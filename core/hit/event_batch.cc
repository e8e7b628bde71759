#include "hit/event_batch.h"

#include <algorithm>
#include <utility>

#include "hit/event_object.h"
#include "hit/text.h"

namespace footfall {
namespace {

constexpr std::string_view kRight = R"( {"time":"2026-11-24T10:00:00Z","event":"sign_up"})";

std::string right_is(std::string_view what) { return std::string(what) + "; right is" + std::string(kRight); }

}  // namespace

struct EventBatchReader::State {
  rapidjson::Document document;
  EventObjectReader object;
};

EventBatchReader::EventBatchReader(std::string_view body, EventBatchForm form, int64_t now_ms)
    : form_(form), now_ms_(now_ms), left_(body), state_(std::make_unique<State>()) {
  if (left_.data() == nullptr) left_ = "";  // the parser wants an address
  if (left_.starts_with("\xEF\xBB\xBF")) left_.remove_prefix(3);
}

EventBatchReader::~EventBatchReader() = default;

EventBatchReader::Outcome EventBatchReader::next() {
  in_event_ = false;
  if (left_.size() > kEventBatchBytesMax) {
    fault_ = "is longer than 1 MiB; right are several batches";
    return Outcome::too_many;
  }
  return form_ == EventBatchForm::json ? next_of_json() : next_line();
}

EventBatchReader::Outcome EventBatchReader::refuse_count() {
  in_event_ = false;
  fault_ = "has more than " + std::to_string(kEventBatchMax) + " events; right are several batches";
  return Outcome::too_many;
}

EventBatchReader::Outcome EventBatchReader::next_of_json() {
  rapidjson::Document& document = state_->document;
  if (!begun_) {
    begun_ = true;
    document.Parse<kParseEvents>(left_.data(), left_.size());
    is_array_ = !document.HasParseError() && document.IsArray();
    if (document.HasParseError() || (!is_array_ && !document.IsObject())) {
      fault_ = right_is("is neither a JSON object nor an array of them");
      return Outcome::rejected;
    }
    if (is_array_ && document.Size() > kEventBatchMax) return refuse_count();
  }
  if (count_ == (is_array_ ? document.Size() : 1)) return Outcome::end;
  const rapidjson::Value& object = is_array_ ? document[static_cast<rapidjson::SizeType>(count_)] : document;
  ++count_;
  return take(&object);
}

EventBatchReader::Outcome EventBatchReader::next_line() {
  std::string_view line;
  while (line.empty()) {
    if (left_.empty()) return Outcome::end;
    const size_t end = std::min(left_.find('\n'), left_.size());
    line = trim(left_.substr(0, end));
    left_.remove_prefix(std::min(end + 1, left_.size()));
    ++line_;
  }
  if (count_ == kEventBatchMax) return refuse_count();
  ++count_;
  state_->document = rapidjson::Document();  // its memory goes
  state_->document.Parse<kParseEvents>(line.data(), line.size());
  if (state_->document.HasParseError()) return reject({}, right_is("is no JSON object, one a line"));
  return take(&state_->document);
}

// A rapidjson::Value; its header is not everybody's.
EventBatchReader::Outcome EventBatchReader::take(const void* object) {
  const auto& value = *static_cast<const rapidjson::Value*>(object);
  if (!value.IsObject()) return reject({}, right_is("is no JSON object"));
  if (!state_->object.read(value, event_, now_ms_)) return reject(state_->object.member(), state_->object.fault());
  if (event_.time_ms < now_ms_ - kEventAgeMsMax || event_.time_ms > now_ms_ + kEventAheadMsMax) return reject_time();
  if (event_.time_ms >= now_ms_ - kEventNowMs) event_.time_ms = now_ms_;
  return Outcome::event;
}

EventBatchReader::Outcome EventBatchReader::reject_time() {
  if (event_.time_ms > now_ms_) return reject("time", R"("time" is more than 5 minutes ahead of this machine's clock)");
  return reject("time", R"("time" is more than 7 days ago; right is "footfall import events" for such)");
}

EventBatchReader::Outcome EventBatchReader::reject(std::string_view member, std::string fault) {
  in_event_ = true;
  member_ = member;
  fault_ = std::move(fault);
  return Outcome::rejected;
}

std::string EventBatchReader::place() const {
  if (!in_event_) return {};
  if (form_ == EventBatchForm::lines) return "line " + std::to_string(line_) + (member_.empty() ? "" : ": " + member_);
  if (!is_array_) return member_;
  return "[" + std::to_string(count_ - 1) + "]" + (member_.empty() ? "" : "." + member_);
}

}  // namespace footfall
