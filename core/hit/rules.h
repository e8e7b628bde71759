// Events and orders that a page's address alone tells, by the site's `[[event]]` and `[order_page]`. Read here, before
// the ring, so that nothing of a query goes further than what an event holds, and customers' ids go hashed.
#pragma once

#include <string_view>

#include "hit/event_list.h"
#include "site/config.h"

namespace footfall {

// Adds what the site's rules read from a hit whose path, and whose events by header and directives, are read already:
// an order, unless one was told already, then events in the order of their rules. An error and a HEAD tell nothing; a
// confirmation page with neither id nor value is just a page; past the hit's 16th event kHitEventsMalformed is set.
// `query`: as sent; values are form-decoded, of equal names the first that is not empty counts.
void read_rules(const SiteConfig& site, std::string_view query, const Hit& hit, EventRoom& room);

}  // namespace footfall
