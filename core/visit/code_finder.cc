#include "visit/code_finder.h"

#include <algorithm>

#include "hit/campaign.h"
#include "hit/text.h"
#include "site/checks.h"

namespace footfall {
namespace {

uint64_t arguments_of(std::string_view target) {
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return 0;
  TextArena arena;
  Hit hit;
  read_campaign(target.substr(mark + 1), arena, hit);
  return carried_arguments(hit);
}

}  // namespace

CodeFinder::CodeFinder(const SiteConfig& site) {
  for (const CodeConfig& code : site.codes) {
    by_code_.try_emplace(lower_ascii(code.code), &code);
    if (const uint64_t carried = arguments_of(code.target); carried != 0) target_arguments_.try_emplace(lower_ascii(code.code), carried);
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
    if (code == nullptr) return {};
    const auto carried = target_arguments_.find(lower_ascii(code->code));
    return {code, (hit.flags & kHitCodeQr) != 0 ? "qr" : "", carried != target_arguments_.end() ? carried->second : 0};
  }
  if (by_landing_.empty()) return {};
  return {find(by_landing_, path_without_arguments(hit.path)), "", 0};
}

const CodeConfig* CodeFinder::of_coupon(std::string_view coupon) const {
  if (coupon.empty() || by_coupon_.empty()) return nullptr;
  if (const CodeConfig* code = find(by_coupon_, lower_ascii(coupon))) return code;
  constexpr std::string_view kBetween = ",;| ";  // several of one order
  for (size_t at = coupon.find_first_not_of(kBetween); at != std::string_view::npos;) {
    const size_t end = std::min(coupon.find_first_of(kBetween, at), coupon.size());
    if (const CodeConfig* code = find(by_coupon_, lower_ascii(coupon.substr(at, end - at)))) return code;
    at = coupon.find_first_not_of(kBetween, end);
  }
  return nullptr;
}

}  // namespace footfall
