#include "visit/code_finder.h"

#include "site/checks.h"

namespace footfall {

CodeFinder::CodeFinder(const SiteConfig& site) {
  for (const CodeConfig& code : site.codes) {
    by_code_.try_emplace(lower_ascii(code.code), &code);
    for (const std::string& landing : code.landings) by_landing_.try_emplace(landing, &code);
    for (const std::string& coupon : code.coupons) by_coupon_.try_emplace(lower_ascii(coupon), &code);
  }
}

const CodeConfig* CodeFinder::find(const StringMap<const CodeConfig*>& in, std::string_view text) {
  const auto found = in.find(text);
  return found == in.end() ? nullptr : found->second;
}

CodeArrival CodeFinder::find(const Hit& hit) const {
  if (empty()) return {};
  if (is_code_redirect(hit)) {
    const CodeConfig* code = find(by_code_, lower_ascii(hit.code));
    return {code, code != nullptr && (hit.flags & kHitCodeQr) != 0 ? "qr" : ""};
  }
  if (by_landing_.empty()) return {};
  return {find(by_landing_, path_without_arguments(hit.path)), ""};
}

const CodeConfig* CodeFinder::of_coupon(std::string_view coupon) const {
  return coupon.empty() || by_coupon_.empty() ? nullptr : find(by_coupon_, lower_ascii(coupon));
}

}  // namespace footfall
