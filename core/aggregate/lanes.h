// All lanes of a store, merged by time. A hit comes out once no lane can bring an older one; equal times go by lane, then
// by number. A lane more than 2 s behind the clock is not waited for; what it brings then is late.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/lane_reader.h"

namespace footfall {

class Lanes {
 public:
  // Goes on from the places of the last checkpoint.
  Lanes(const Store& store, const std::vector<LanePlace>& places);

  // Looks for lanes that came or went, and reads what is new. `with_stage`: also stages that workers own.
  void poll(int64_t now_ms, bool with_stage);

  // The next hit that is due; false: none. `all`: also those that an older one could still precede.
  bool next(bool all);
  const Hit& hit() const { return chosen_->hit(); }
  std::string_view site() const { return chosen_->site(); }
  bool is_late() const { return chosen_->hit().time_ms < newest_ms_; }
  void pop();

  bool holds_all() const;                     // the last poll read all there was, in every lane that can be read
  int64_t complete_through_ms() const;        // every hit before it came out
  std::vector<LanePlace> places() const;
  uint64_t take_lost();
  std::vector<uint32_t> lagging() const;
  std::vector<std::string> faults() const;

 private:
  const Store& store_;
  SaltKeeper salts_;
  std::map<unsigned, std::unique_ptr<LaneReader>> lanes_;
  std::map<unsigned, LanePlace> places_;      // of lanes that are gone too
  LaneReader* chosen_ = nullptr;
  int64_t now_ms_ = 0;
  int64_t looked_ms_ = INT64_MIN;
  int64_t newest_ms_ = INT64_MIN;             // of the hits that came out
};

}  // namespace footfall
