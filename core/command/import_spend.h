// What `footfall import spend` says once its days are counted: which of them nobody came by, and what was probably meant.
#pragma once

#include <map>
#include <string>

#include "aggregate/spend_lines.h"
#include "command/command.h"

namespace footfall {

// Asks the store, which this process has not open. What cannot be told is said.
void tell_unmatched_spend(const Config& config, const std::map<std::string, SpendOfSite>& sites);

}  // namespace footfall
