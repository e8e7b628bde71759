// Which code of the configuration a hit or an order came by: marketing that has no link (core/README.md, "Codes").
#pragma once

#include <string_view>

#include "base/string_map.h"
#include "hit/hit.h"
#include "site/config.h"
#include "visit/touch.h"

namespace footfall {

// Of one site. Reads only; usable from any thread. Views of the configuration, which outlives it.
class CodeFinder {
 public:
  explicit CodeFinder(const SiteConfig& site);

  // By PREFIX/CODE where that was answered with a redirect, else by the page's path, where it is a code's landing.
  CodeArrival find(const Hit& hit) const;
  // The code that has the coupon; nullptr: none has. In any case of letters, as codes.
  const CodeConfig* of_coupon(std::string_view coupon) const;
  bool empty() const { return by_code_.empty(); }

 private:
  static const CodeConfig* find(const StringMap<const CodeConfig*>& in, std::string_view text);

  StringMap<const CodeConfig*> by_code_, by_coupon_;  // in lower case
  StringMap<uint64_t> target_arguments_;              // of codes, in lower case, whose target has any
  StringMap<const CodeConfig*> by_landing_;
};

// Whether a visitor was sent on by PREFIX/CODE: opens or extends a visit, and is no page view.
inline bool is_code_redirect(const Hit& hit) {
  return !hit.code.empty() && hit.status == 302 && hit.method == Method::get && (hit.flags & kHitPrefetch) == 0;
}

}  // namespace footfall
