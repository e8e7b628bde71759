// What a query says of how a visitor came: campaign arguments and click ids. Meaning: numbers.md §2, as told in
// core/README.md.
#pragma once

#include <string_view>

#include "hit/hit.h"
#include "hit/text.h"

namespace footfall {

// Sets the hit's campaign fields, click ids and kHitHasUtm, and kHitFieldCut where a value was cut or cleaned. The
// views point into the query or the arena.
void read_campaign(std::string_view query, TextArena& arena, Hit& hit);

}  // namespace footfall
