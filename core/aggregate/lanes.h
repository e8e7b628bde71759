// All lanes of a store, merged by time. A hit comes out once no lane can bring an older one; equal times go by lane,
// then by number. A lane more than 2 s behind the clock is not waited for; what it brings then is late. A hit more than
// an hour ahead of the clock is refused.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aggregate/lane_reader.h"

namespace footfall {

class Lanes {
 public:
  // Goes on from the places of the last checkpoint; hits older than `settled_ms` are late.
  Lanes(const Store& store, const std::vector<LanePlace>& places, int64_t settled_ms);

  // For hits that are read from stages, from now on.
  void set_config(const Config& config) { hits_.set_config(std::make_shared<const Config>(config)); }

  // Looks for lanes that came or went, and reads what is new. `with_stage`: also stages that workers own.
  void poll(int64_t now_ms, bool with_stage);

  // The next hit that is due; false: none. `all`: also those that an older one could still precede.
  bool next(bool all);
  const Hit& hit() const { return chosen_->hit(); }
  std::string_view site() const { return chosen_->site(); }
  bool is_late() const { return chosen_->hit().time_ms < newest_ms_; }
  void pop();

  bool holds_all() const;               // the last poll read all there was, in every lane that can be read
  bool awaits_owners() const;           // a worker is about to set aside a ring, whose hits can be read then
  int64_t complete_through_ms() const;  // every hit before it came out
  std::vector<LanePlace> places() const;
  uint64_t take_lost();
  uint64_t take_refused() { return std::exchange(refused_, 0); }
  std::vector<uint32_t> lagging() const;
  std::vector<std::string> faults() const;

 private:
  bool is_lagging(const LaneReader& lane) const;
  // Nothing older comes any more, from lanes that hold no hit and from lanes that are not known yet.
  int64_t due_before_ms() const;
  void refuse_ahead();

  const Store& store_;
  HitMaker hits_;
  ReadingNotes notes_;
  std::map<unsigned, std::unique_ptr<LaneReader>> lanes_;
  std::map<unsigned, LanePlace> places_;  // of lanes that are gone too
  LaneReader* chosen_ = nullptr;
  int64_t now_ms_ = 0;
  int64_t newest_ms_;  // of the hits that came out
  uint64_t refused_ = 0;
};

}  // namespace footfall
