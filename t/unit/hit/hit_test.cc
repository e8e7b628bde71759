// The class of a hit: first match by status, method, content and path.
#include "hit/hit.h"

#include "test.h"

namespace footfall {
namespace {

constexpr auto kGet = Method::get;
constexpr auto kHtml = ContentKind::html;
constexpr auto kNone = ContentKind::none;
constexpr auto kOther = ContentKind::other;

HitClass class_of(Method method, int status, ContentKind content, std::string_view path, uint32_t flags = 0) {
  Hit hit;
  hit.method = method;
  hit.status = static_cast<uint16_t>(status);
  hit.content = content;
  hit.path = path;
  hit.flags = flags;
  return classify(hit);
}

void expect_class(HitClass actual, HitClass expected, std::string_view path) {
  if (actual != expected) print_error("path %.*s\n", static_cast<int>(path.size()), path.data());
  assert_int_equal(static_cast<int>(actual), static_cast<int>(expected));
}

void the_first_match_counts(void**) {
  static const struct {
    Method method;
    int status;
    ContentKind content;
    std::string_view path;
    HitClass expected;
  } kCases[] = {
      {kGet, 404, kHtml, "/", HitClass::error},
      {Method::post, 500, kHtml, "/", HitClass::error},
      {kGet, 400, kNone, "/", HitClass::error},
      {kGet, 499, kNone, "/", HitClass::error},
      {kGet, 301, kHtml, "/", HitClass::redirect},
      {Method::post, 302, kNone, "/", HitClass::redirect},
      {Method::head, 307, kNone, "/", HitClass::redirect},
      {Method::post, 200, kHtml, "/", HitClass::action},
      {Method::put, 304, kNone, "/", HitClass::action},
      {Method::options, 204, kNone, "/", HitClass::action},
      {Method::other, 200, kHtml, "/", HitClass::action},
      {Method::del, 200, kOther, "/a.pdf", HitClass::action},
      {kGet, 200, kHtml, "/", HitClass::page},
      {kGet, 206, kHtml, "/a.pdf", HitClass::page},  // what the answer is goes before what it is called
      {kGet, 304, kNone, "/", HitClass::page},
      {kGet, 304, kNone, "/logo.png", HitClass::asset},
      {kGet, 304, kNone, "/list.pdf", HitClass::download},
      {kGet, 200, kOther, "/", HitClass::asset},
      {kGet, 200, kOther, "/api.html", HitClass::asset},
      {kGet, 200, kOther, "/list.PDF", HitClass::download},
      {Method::head, 200, kHtml, "/", HitClass::asset},  // HEAD is never a page
      {Method::head, 200, kOther, "/a.zip", HitClass::download},
      {kGet, 101, kNone, "/socket", HitClass::asset},
      {kGet, 0, kHtml, "/", HitClass::asset},
  };
  for (const auto& c : kCases) expect_class(class_of(c.method, c.status, c.content, c.path), c.expected, c.path);
}

void a_prefetch_is_no_page(void**) {
  expect_class(class_of(kGet, 200, kHtml, "/", kHitPrefetch), HitClass::asset, "/");
  expect_class(class_of(kGet, 200, kNone, "/a.zip", kHitPrefetch), HitClass::download, "/a.zip");
  expect_class(class_of(kGet, 200, kHtml, "/", kHitOwnBot | kHitExcluded), HitClass::page, "/");
}

void without_content_type_the_extension_decides(void**) {
  for (const std::string_view path :
       {"/", "/x", "/x.", "/v2/", "/v1.2/", "/a.b/c", "/index.html", "/INDEX.HTM", "/a.xhtml", "/a.shtml", "/a.php",
        "/a.asp", "/a.aspx", "/a.JsP", "/x?file=a.png", "/x?p=/a.zip", "/a.tar.html", ""}) {
    expect_class(class_of(kGet, 200, kNone, path), HitClass::page, path);
  }
  for (const std::string_view path : {"/v1.2", "/a.css", "/a.js", "/a.htmlx", "/.env", "/a.html.gif", "/a.png?x=/"}) {
    expect_class(class_of(kGet, 200, kNone, path), HitClass::asset, path);
  }
}

void downloads_have_their_extensions(void**) {
  for (const char* extension :
       {"pdf", "zip", "gz",  "tgz",  "bz2", "xz",   "7z",  "rar",  "exe", "msi",  "dmg", "iso", "apk",
        "deb", "rpm", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "csv", "epub", "mp3", "mp4", "webm"}) {
    static std::string path;
    path = std::string("/files/a.") + extension;
    expect_class(class_of(kGet, 200, kOther, path), HitClass::download, path);
    path += "?v=1";
    expect_class(class_of(kGet, 200, kNone, path), HitClass::download, path);
  }
  expect_class(class_of(kGet, 200, kOther, "/pdf"), HitClass::asset, "/pdf");
  expect_class(class_of(kGet, 200, kOther, "/a.pdf/"), HitClass::asset, "/a.pdf/");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_first_match_counts),
      cmocka_unit_test(a_prefetch_is_no_page),
      cmocka_unit_test(without_content_type_the_extension_decides),
      cmocka_unit_test(downloads_have_their_extensions),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
