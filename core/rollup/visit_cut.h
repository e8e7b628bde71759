// A visit that went over from one import into the next, and lost the steps of the first: for the undo of an import.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/visit_log.h"
#include "visit/kept_steps.h"

namespace footfall {

// How many steps of each kind a visit had at some time.
struct StepCounts {
  size_t views = 0, events = 0, conversions = 0;
};
StepCounts count_steps(std::string_view steps);

// Takes out the steps behind the first `from`, up to the first `to`. The entry and the exit page are told still where
// they were among them, without counting as views. Steps that are not that many stay as they are.
void cut_steps(KeptSteps& steps, const StepCounts& from, const StepCounts& to);

struct VisitCut {
  uint16_t site = 0;
  uint16_t import = 0;  // that the record is of
  int64_t day_s = 0;    // in which it begins
  int64_t start_ms = 0;
  uint64_t visitor = 0;
  StepCounts from, to;
};

// In rows and blocks alike; what is not there is passed over.
Status cut_visits(LmdbTxn& txn, VisitLogDatabases databases, const std::vector<VisitCut>& cuts);

}  // namespace footfall
