// Takes back what one import brought.
#pragma once

#include <cstdint>

#include "aggregate/sites.h"
#include "base/error.h"
#include "base/keyed_hash.h"
#include "rollup/summary.h"

namespace footfall {

// One transaction: the import's figures, orders and touches are gone, and `state` names it as undone. Everything must be
// folded. Refunds and other changes that others told of its orders wait for them again; of orders that stay, what is left of
// their changes is as if those of the import had never been told. A visit that a later import went on with becomes that import's, as one visit since its start, but without
// what the undone one viewed and told in it; so rows go on adding up to totals.
Status undo_import(SummaryWriter& summary, CheckpointState& state, Sites& sites, const StringHasher& hasher, uint16_t import);

}  // namespace footfall
