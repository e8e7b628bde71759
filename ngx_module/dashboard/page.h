// The page at the root of a status location: one site's figures of a time (today, where none is
// chosen) as plain HTML, readable on a phone, without
// scripts. No nginx type here; the queries behind it block, so never on the event loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/service.h"

namespace footfall {

// `arguments` is the raw query string; of it `site` and `range` are used. Whatever the store's state, a whole page comes back that
// says what is known and what to do next.
std::string render_page(QueryService& service, int64_t now_ms, std::string_view arguments);

// The Content-Security-Policy that allows the page's own style and nothing else.
std::string_view page_security_policy();

}  // namespace footfall
