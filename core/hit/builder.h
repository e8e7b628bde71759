// RawHit to Hit: the one place where what a request brought is read. Used by the flusher and by imports alike, so both
// doors give the same hit.
#pragma once

#include <string>
#include <string_view>

#include "base/keyed_hash.h"
#include "hit/raw_hit.h"

namespace footfall {

// The keys that a hit's visitor hashes are made under. `anonymous` is today's (UTC, by the hit's time); `previous` is
// yesterday's and used only where `has_previous` (within one visit gap after midnight).
struct VisitorKeys {
  Key128 id{};        // derived from the store's secret
  Key128 customer{};  // likewise, another purpose
  Key128 anonymous{};
  Key128 previous{};
  bool has_anonymous = false;  // false: no salt could be read; the hit stays without visitor, counted
  bool has_previous = false;
};

// Not thread-safe; keep one per thread. Does not allocate once warm.
class HitBuilder {
 public:
  // The hit's views live until the next build.
  const Hit& build(const RawHit& raw, const HitContext& context, const VisitorKeys& keys);

 private:
  Hit hit_;
  std::string arena_;  // reserved once to its bound, so that views stay
};

}  // namespace footfall
