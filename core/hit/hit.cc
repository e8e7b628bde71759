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
  const size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
}

template <size_t n>
bool is_one_of(std::string_view extension, const std::string_view (&list)[n]) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](std::string_view listed) { return equal_ignoring_case(extension, listed); });
}

bool answers_with_html(const Hit& hit, std::string_view extension) {
  if (hit.content != ContentKind::none) return hit.content == ContentKind::html;
  return extension.empty() || is_one_of(extension, kPageExtensions);
}

}  // namespace

HitClass classify(const Hit& hit) {
  const bool not_modified = hit.status == 304;
  if (hit.status >= 400) return HitClass::error;
  if (hit.status >= 300 && !not_modified) return HitClass::redirect;
  if (hit.method != Method::get && hit.method != Method::head) return HitClass::action;

  const std::string_view extension = extension_of(hit.path);
  const bool answered = not_modified || hit.status >= 200;
  const bool may_be_page = hit.method == Method::get && answered && (hit.flags & kHitPrefetch) == 0;
  if (may_be_page && answers_with_html(hit, extension)) return HitClass::page;
  return is_one_of(extension, kDownloadExtensions) ? HitClass::download : HitClass::asset;
}

}  // namespace footfall
