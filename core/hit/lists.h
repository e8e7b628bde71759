// Known sources: which hosts and names are search engines, social networks and so on, and what each is called. Made
// from lists/*.txt at first use; afterwards read only, from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace footfall {

// In falling order of precedence: a host or name that several lists have belongs to the first of these kinds.
// none: a site like others below a listed one, docs.google.com say.
enum class SourceKind : uint8_t { none, payment, ai, video, shopping, email, social, search };

struct KnownSource {
  std::string_view name;  // lower case: google, facebook, chatgpt
  SourceKind kind = SourceKind::none;
  std::string_view term_arguments;  // search engines: arguments that hold what was searched for, by comma
};

// The entry of the most specific listed host: the host itself or the nearest one above it. `host` in lower case without
// port and leading www. nullptr: not listed.
const KnownSource* find_host(std::string_view host);

// The entry of a tagged source: a name (`google`), a usual alias (`fb`), or a host (`m.facebook.com`), in lower case.
const KnownSource* find_source(std::string_view source);

// Whether the source names an advertising system: `adwords`, or a known source or alias, or anything with a separator,
// before `ads` (`fb-ads`, `googleads`, `native_ads`). A listed name such as `threads` is none.
bool is_advertising_source(std::string_view source);

// Whether `host` is `above` or lies below it: `m.shop.example` below `shop.example`.
bool is_host_or_below(std::string_view host, std::string_view above);

// Whether the host, or one above it, is there for the sake of its name in shops' reports alone: referrer spam. A known
// source is none. `host` as for find_host.
bool is_referrer_spam(std::string_view host);

// Entries by host, and names and aliases; for tests and tools.
size_t known_hosts();
size_t known_names();
size_t spam_hosts();

}  // namespace footfall
