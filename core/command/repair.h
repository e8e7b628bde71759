// `footfall check --repair`.
#pragma once

#include "base/error.h"
#include "lane/store.h"
#include "site/config.h"

namespace footfall {

// Takes the lock `writer`, whose holder the error names, makes the summary whole as far as can be, and says what it
// did.
Status repair_summary(const Store& store, const Config& config);

}  // namespace footfall
