// Goes round and round through a keyed database, a slice at a time, and takes out what is too old; and where there is more
// than may be, the oldest of it: how much there is of each hour is found in one round and taken out in the next.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/lmdb.h"

namespace footfall {

class RoundSweep {
 public:
  struct Fate {
    bool is_over = false;
    int64_t hour = INT64_MAX;  // since 1970, of its age; INT64_MAX: never forgotten for want of room
  };
  using FateOf = std::function<Fate(std::string_view key, std::string_view value)>;

  // Looks at about `entries`, more where there is too much. `most`: how many there may be.
  Status step(LmdbTxn& txn, LmdbDatabase database, uint64_t entries, uint64_t most, const FateOf& fate_of);

  uint64_t removed() const { return removed_; }      // for their age
  uint64_t forgotten() const { return forgotten_; }  // for want of room

 private:
  void end_round(uint64_t there, uint64_t most);
  bool must_go(int64_t hour);

  std::string from_;                  // where the next slice begins
  std::map<int64_t, uint64_t> ages_;  // of this round: how many of each hour
  int64_t forget_before_ = INT64_MIN; // hours that go for want of room …
  uint64_t forget_in_hour_ = 0;       // … and how many of that one itself
  uint64_t removed_ = 0, forgotten_ = 0;
};

}  // namespace footfall
