#include "hit/hit.h"

#include <algorithm>
#include <iterator>

#include "hit/text.h"

namespace footfall {
namespace {

constexpr std::string_view kPageExtensions[] = {"html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp"};
constexpr std::string_view kDownloadExtensions[] = {
    "pdf", "zip", "gz",  "tgz",  "bz2", "xz",   "7z",  "rar",  "exe", "msi",  "dmg", "iso", "apk",
    "deb", "rpm", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "csv", "epub", "mp3", "mp4", "webm",
};

// What follows the last dot of the path's last segment; empty: no extension (`/x.`, `/v2/`).
std::string_view extension_of(std::string_view path) {
  path = path.substr(0, path.find('?'));
  for (size_t at = path.size(); at > 0; --at) {
    if (path[at - 1] == '.') return path.substr(at);
    if (path[at - 1] == '/') break;
  }
  return {};
}

template <size_t n>
bool is_one_of(std::string_view extension, const std::string_view (&list)[n]) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](std::string_view listed) {
                       return extension.size() == listed.size() && equal_ignoring_case(extension, listed);
                     });
}

}  // namespace

bool is_page(const Hit& hit) {
  const bool answered = (hit.status >= 200 && hit.status < 300) || hit.status == 304;
  if (!answered || hit.method != Method::get || (hit.flags & kHitPrefetch) != 0) return false;
  if (hit.content != ContentKind::none) return hit.content == ContentKind::html;
  const std::string_view extension = extension_of(hit.path);
  return extension.empty() || is_one_of(extension, kPageExtensions);
}

HitClass classify(const Hit& hit) {
  if (hit.status >= 400) return HitClass::error;
  if (hit.status >= 300 && hit.status != 304) return HitClass::redirect;
  if (hit.method != Method::get && hit.method != Method::head) return HitClass::action;
  if (is_page(hit)) return HitClass::page;
  return is_one_of(extension_of(hit.path), kDownloadExtensions) ? HitClass::download : HitClass::asset;
}

}  // namespace footfall
