// Generations of the summary: PATH/summary.G, of which PATH/current names the one that holds. A new one is made whole
// beside it, then named; so whatever dies on the way, one of both is whole. For who holds the lock `writer`.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "lane/store.h"

namespace footfall {

uint32_t current_generation(const Store& store);
std::string generation_path(const Store& store, uint32_t generation);

// From its return on that one holds, also after a power cut. Readers follow at their next question.
Status name_generation(const Store& store, uint32_t generation);

// Removes all but the current one: what was before, and what was not made to its end. Who still reads one reads on: its
// pages go when it is closed.
Status remove_other_generations(const Store& store);

}  // namespace footfall
