// Where a request says that it came from: host and path of the Referer header, and the request's own host to compare.
#pragma once

#include <string_view>

#include "hit/hit.h"
#include "hit/text.h"

namespace footfall {

// `authority` ([user@]host[:port]) as the one spelling of its host: lower-case, without port, user, trailing dot and
// leading `www.` (but `www.com` stays: what is left must hold a dot). IPv6 literals keep their brackets. Empty: no
// valid host (letters, digits, - . _ alone; at most kReferrerHostBytesMax; no empty label; international names come as
// punycode, raw ones are refused).
std::string_view normal_host(std::string_view authority, TextArena& arena);

// Sets the hit's referrer fields, and kHitReferrerOwn where its host is that of the request. Only http, https and
// android-app count; of other schemes, and without a valid host, there is no referrer. The path is normal (url.h),
// without query and fragment.
void read_referrer(std::string_view referrer, std::string_view own_host, TextArena& arena, Hit& hit);

// What was searched for, where `host` is a listed search engine. No engine is listed yet: always empty.
std::string_view search_term_of(std::string_view host, std::string_view query);

}  // namespace footfall
