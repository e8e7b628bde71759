#include "aggregate/lanes.h"

#include <algorithm>

#include "lane/import_lane.h"

namespace footfall {
namespace {

constexpr int64_t kLagMs = 2'000;        // a lane further behind the clock is not waited for
constexpr int64_t kAheadMs = 3'600'000;  // a hit further ahead of it is refused

// Where none can be made, a ring that kills is not known for one.
ReadingNotes open_notes(const Store& store) {
  Result<ReadingNotes> notes = ReadingNotes::open(store.reading_path());
  return notes ? std::move(*notes) : ReadingNotes();
}

}  // namespace

Lanes::Lanes(const Store& store, const std::vector<LanePlace>& places, int64_t settled_ms)
    : store_(store), hits_(store), notes_(open_notes(store)), newest_ms_(settled_ms) {
  for (const LanePlace& place : places)
    if (place.lane != kImportLane) places_[place.lane] = place;
}

void Lanes::poll(int64_t now_ms, bool with_stage) {
  now_ms_ = now_ms;
  for (unsigned number : store_.lanes()) {
    if (lanes_.contains(number)) continue;
    const auto known = places_.find(number);
    lanes_[number] = std::make_unique<LaneReader>(store_, hits_, notes_,
                                                  known != places_.end() ? known->second : LanePlace{.lane = number});
  }
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    lane->second->poll(now_ms, with_stage);
    if (lane->second->remove_if_idle(now_ms)) {
      places_[lane->first] = lane->second->place();
      lane = lanes_.erase(lane);
    } else {
      ++lane;
    }
  }
}

bool Lanes::is_lagging(const LaneReader& lane) const { return !lane.has_hit() && lane.safe_ms() < now_ms_ - kLagMs; }

// A lane that was claimed since the last poll may bring what its worker stamped since then.
int64_t Lanes::due_before_ms() const {
  int64_t due_before_ms = now_ms_ - kWorkerClockMs;
  for (const auto& [number, lane] : lanes_)
    if (!lane->has_hit() && !is_lagging(*lane)) due_before_ms = std::min(due_before_ms, lane->safe_ms());
  return due_before_ms;
}

// At once, whatever the other lanes hold: waiting for the clock to reach it, it would hold back its lane.
void Lanes::refuse_ahead() {
  for (const auto& [number, lane] : lanes_) {
    for (; lane->has_hit() && lane->hit().time_ms > now_ms_ + kAheadMs; ++refused_) lane->pop();
  }
}

bool Lanes::next(bool all) {
  refuse_ahead();
  chosen_ = nullptr;
  for (const auto& [number, lane] : lanes_)
    if (lane->has_hit() && (chosen_ == nullptr || lane->hit().time_ms < chosen_->hit().time_ms)) chosen_ = lane.get();
  return chosen_ != nullptr && (all || chosen_->hit().time_ms < due_before_ms());
}

void Lanes::pop() {
  newest_ms_ = std::max(newest_ms_, chosen_->hit().time_ms);
  chosen_->pop();
}

bool Lanes::awaits_owners() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane.second->awaits_owner(); });
}

bool Lanes::holds_all() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return lane.second->drained() || !lane.second->fault().empty(); });
}

int64_t Lanes::complete_through_ms() const {
  int64_t through_ms = due_before_ms();
  for (const auto& [number, lane] : lanes_)
    if (lane->has_hit()) through_ms = std::min(through_ms, lane->hit().time_ms);
  return through_ms;
}

std::vector<LanePlace> Lanes::places() const {
  std::map<unsigned, LanePlace> places = places_;
  for (const auto& [number, lane] : lanes_) places[number] = lane->place();
  std::vector<LanePlace> list;
  for (const auto& [number, place] : places)
    if (place.epoch != 0) list.push_back(place);
  return list;
}

uint64_t Lanes::take_lost() {
  uint64_t lost = 0;
  for (const auto& [number, lane] : lanes_) lost += lane->take_lost();
  return lost;
}

std::vector<uint32_t> Lanes::lagging() const {
  std::vector<uint32_t> list;
  for (const auto& [number, lane] : lanes_)
    if (is_lagging(*lane)) list.push_back(number);
  return list;
}

std::vector<std::string> Lanes::faults() const {
  std::vector<std::string> list;
  for (const auto& [number, lane] : lanes_)
    if (!lane->fault().empty()) list.push_back("lane " + std::to_string(number) + ": " + lane->fault());
  return list;
}

}  // namespace footfall
