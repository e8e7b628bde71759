// Counters as the message that stands for them; for rollup's own sources.
#pragma once

#include "rollup/counters.h"

namespace footfall {

namespace v1 {
class Rollup;
}

// `to` is empty before.
void fill_rollup(const Counters& counters, v1::Rollup& to);
// Adds what the message says to `to`. False: it is no rollup; `to` is then as it was.
bool merge_rollup(const v1::Rollup& rollup, Counters& to);

}  // namespace footfall
