#include "rollup/round_sweep.h"

#include <algorithm>

namespace footfall {
namespace {

constexpr uint64_t kHasteFactor = 8;  // a slice's, while there is too much
constexpr uint64_t kSpareShare = 20;  // a twentieth more goes than must, so that not every round has to

}  // namespace

Status RoundSweep::step(LmdbTxn& txn, LmdbDatabase database, uint64_t entries, uint64_t most, const FateOf& fate_of) {
  uint64_t there_are = txn.entries(database);
  if (there_are > most) entries *= kHasteFactor;
  entries = std::min(entries, there_are);
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
  if (!cursor) return cursor.error();
  bool there = from_.empty() ? cursor->first() : cursor->seek(from_);
  for (; there && entries > 0; there = cursor->next(), --entries) {
    const Fate fate = fate_of(cursor->key(), cursor->value());
    const bool forgotten = !fate.is_over && must_go(fate.hour);
    if (fate.is_over || forgotten) {
      if (Status status = cursor->remove(); !status) return status;
      ++(forgotten ? forgotten_ : removed_);
    } else if (fate.hour != INT64_MAX) {
      ++ages_[fate.hour];
    }
  }
  if (there) {
    from_ = cursor->key();
    return {};
  }
  from_.clear();
  end_round(txn.entries(database), most);
  return {};
}

bool RoundSweep::must_go(int64_t hour) {
  if (hour < forget_before_) return true;
  if (hour != forget_before_ || forget_in_hour_ == 0) return false;
  --forget_in_hour_;
  return true;
}

void RoundSweep::end_round(uint64_t there, uint64_t most) {
  forget_before_ = INT64_MIN;
  forget_in_hour_ = 0;
  uint64_t excess = there > most ? there - most + most / kSpareShare : 0;
  for (const auto& [hour, count] : ages_) {
    if (excess == 0) break;
    forget_before_ = hour;
    forget_in_hour_ = std::min(excess, count);
    excess -= forget_in_hour_;
  }
  ages_.clear();
}

}  // namespace footfall
