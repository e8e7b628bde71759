#include "hit/hit.h"

#include <algorithm>
#include <array>

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

// An extension as one number: its characters behind a 1, which tells how many there are.
constexpr uint64_t with(uint64_t word, char c) { return word << 8 | static_cast<uint8_t>(c); }

template <size_t n>
constexpr std::array<uint64_t, n> words_of(const std::string_view (&list)[n]) {
  std::array<uint64_t, n> words{};
  for (size_t i = 0; i < n; ++i) {
    words[i] = 1;
    for (const char c : list[i]) words[i] = with(words[i], c);
  }
  return words;
}
constexpr auto kPageWords = words_of(kPageExtensions);
constexpr auto kDownloadWords = words_of(kDownloadExtensions);

template <size_t n>
bool is_one_of(std::string_view extension, const std::array<uint64_t, n>& words) {
  if (extension.size() >= sizeof(uint64_t)) return false;  // as none that is listed
  uint64_t word = 1;
  for (const char c : extension) word = with(word, lower_ascii(c));
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

bool is_page(const Hit& hit) {
  const bool answered = (hit.status >= 200 && hit.status < 300) || hit.status == 304;
  if (!answered || hit.method != Method::get || (hit.flags & kHitPrefetch) != 0) return false;
  if (hit.content != ContentKind::none) return hit.content == ContentKind::html;
  const std::string_view extension = extension_of(hit.path);
  return extension.empty() || is_one_of(extension, kPageWords);
}

HitClass classify(const Hit& hit) {
  if (hit.status >= 400) return HitClass::error;
  if (hit.status >= 300 && hit.status != 304) return HitClass::redirect;
  if (hit.method != Method::get && hit.method != Method::head) return HitClass::action;
  if (is_page(hit)) return HitClass::page;
  return is_one_of(extension_of(hit.path), kDownloadWords) ? HitClass::download : HitClass::asset;
}

}  // namespace footfall
