// Referrers: host and path of the header, and whether it is the shop itself.
#include "hit/referrer.h"

#include "base/limits.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

TextArena arena;
ReferrerReader reader;
Hit hit;
std::string input, expected, roundabout, path;

const Hit& read(std::string_view referrer, std::string_view own_host = "shop.example") {
  arena.clear();
  hit = Hit();
  reader.read(referrer, own_host, arena, hit);
  return hit;
}

void host_and_path_are_read(void**) {
  static constexpr struct {
    std::string_view referrer, host, path;
  } kCases[] = {
      {"https://www.google.com/", "google.com", "/"},
      {"https://google.com", "google.com", "/"},
      {"http://Blog.Example/Post/1?utm=x#top", "blog.example", "/Post/1"},
      {"HTTPS://WWW.BLOG.EXAMPLE:8443/a", "blog.example", "/a"},
      {"https://blog.example?q=secret", "blog.example", "/"},
      {"https://blog.example#x", "blog.example", "/"},
      {"https://blog.example./a", "blog.example", "/a"},
      {"https://www.blog.example.:443/a", "blog.example", "/a"},
      {"https://blog.example:/a", "blog.example", "/a"},
      {"https://user:pass@blog.example/a", "blog.example", "/a"},
      {"https://evil.example@blog.example/", "blog.example", "/"},
      {"https://blog.example/a@b", "blog.example", "/a@b"},
      {"https://blog.example\\@evil.example/", "blog.example", "/\\@evil.example/"},
      {"https://www.com/", "www.com", "/"},              // a site of that name
      {"https://www.www.example/", "www.example", "/"},  // once
      {"https://www2.blog.example/", "www2.blog.example", "/"},
      {"https://xn--bcher-kva.example/%c3%a9//x", "xn--bcher-kva.example", "/%C3%A9/x"},
      {"https://my_host.example/", "my_host.example", "/"},
      {"http://192.0.2.1:8080/a", "192.0.2.1", "/a"},
      {"http://[2001:DB8::1]:8080/a", "[2001:db8::1]", "/a"},
      {"http://[::1]", "[::1]", "/"},
      {"http://[::ffff:192.0.2.1]/", "[::ffff:192.0.2.1]", "/"},
      {"http://localhost:3000/", "localhost", "/"},
      {"android-app://com.google.android.gm/", "com.google.android.gm", "/"},
      {"Android-App://com.Slack", "com.slack", "/"},
      {"  https://blog.example/ ", "blog.example", "/"},
  };
  for (const auto& c : kCases) {
    read(c.referrer);
    expect_text(hit.referrer_host, c.host);
    expect_text(hit.referrer_path, c.path);
    expect_text(hit.referrer_term, "");
    assert_int_equal(hit.flags, 0);
  }
}

void what_is_no_web_address_is_no_referrer(void**) {
  static const std::string_view kReferrers[] = {
      "",
      "-",
      "https://",
      "https:///path",
      "https:/blog.example/",
      "https:blog.example",
      "//blog.example/",
      "blog.example/a",
      "ftp://blog.example/",
      "javascript://blog.example/",
      "file:///etc/passwd",
      "about:blank",
      "httpsx://blog.example/",
      "ios-app://123/",
      "https://blo g.example/",
      "https://blog.example\r\nX-Injected: 1/",
      "https://b\xC3\xBC"
      "cher.example/",  // raw international names
      "https://blog.example%2eevil/",
      "https://<script>/",
      "https://blog\".example/",
      std::string_view("https://blog\0.example/", 22),
      "https://.example/",
      "https://a..b/",
      "https://./",
      "https://../",
      "https://blog.example..",
      "https://blog.example:80x/",
      "https://blog.example:80:80/",
      "https://[::1/",
      "https://[::1]x/",
      "https://[::1%25eth0]/",
      "https://[]/",
      "https://[1.2.3.4]/",
      "https://[::g]/",
      "https://a]/",
      "https://user@/",
  };
  for (const std::string_view referrer : kReferrers) {
    read(referrer);
    expect_text(hit.referrer_host, "");
    expect_text(hit.referrer_path, "");
    assert_int_equal(hit.flags, 0);
  }
}

void the_shop_itself_is_marked(void**) {
  static constexpr struct {
    std::string_view referrer, own_host;
    bool own;
  } kCases[] = {
      {"https://shop.example/cart", "shop.example", true},
      {"https://www.shop.example/", "SHOP.example:8443", true},
      {"https://shop.example/", "www.shop.example", true},
      {"https://shop.example./", "shop.example", true},
      {"http://[::1]:80/", "[::1]:8080", true},
      {"http://127.0.0.1/", "127.0.0.1:8080", true},
      {"https://blog.shop.example/", "shop.example", false},
      {"https://shop.example.evil.example/", "shop.example", false},
      {"https://shop.example/", "", false},
      {"", "", false},
      {"garbage", "gar bage", false},
  };
  for (const auto& c : kCases) {
    read(c.referrer, c.own_host);
    assert_int_equal((hit.flags & kHitReferrerOwn) != 0, c.own);
  }
}

void long_ones_are_bounded(void**) {
  input = "https://blog.example/" + std::string(600, 'x');
  read(input);
  expect_number(static_cast<int64_t>(hit.referrer_path.size()), kReferrerPathBytesMax);
  assert_true((hit.flags & kHitFieldCut) != 0);

  const std::string label(49, 'a');
  expected = label + "." + label + "." + label + "." + label + "." + label + ".xyz";
  expect_number(static_cast<int64_t>(expected.size()), kReferrerHostBytesMax);
  input = "https://" + expected + "/";
  expect_text(read(input).referrer_host, expected);
  input = "https://a" + expected + "/";
  expect_text(read(input).referrer_host, "");
}

// A plain name takes a short cut, which one with a user before it cannot take: both come to the same.
void a_plain_name_is_read_as_any_other(void**) {
  static constexpr std::string_view kPieces[] = {"a", "blog", ".",   "..",  "www.",     "WWW.",   "-",  "_",
                                                 "7", "X",    ":",   ":80", "[::1]",    "/",      "//", "?",
                                                 "#", "\\",   "%41", " ",   "\xC3\xA9", "example"};
  Random random(5);
  int hosts = 0;
  for (int round = 0; round < 30'000; ++round) {
    expected.clear();
    for (uint64_t count = random.below(7); count > 0; --count) expected += kPieces[random.below(std::size(kPieces))];
    if (random.below(50) == 0) expected.insert(0, std::string(250, 'w') + ".");
    roundabout = "hTTps://user@" + expected;
    read(roundabout, "user@www.blog.example");
    path = hit.referrer_path;  // the arena is cleared
    const std::string host(hit.referrer_host);
    const uint32_t flags = hit.flags;
    input = "https://" + expected;
    input.shrink_to_fit();
    read(input, "www.blog.example");
    expect_text(hit.referrer_host, host);
    expect_text(hit.referrer_path, path);
    expect_number(hit.flags, flags);
    hosts += !host.empty();
  }
  assert_true(hosts > 5000 && hosts < 25'000);
}

void a_listed_engine_tells_the_term(void**) {
  static constexpr struct {
    std::string_view referrer, term;
  } kCases[] = {
      {"https://www.google.com/search?q=red+shoes", "red shoes"},
      {"https://www.google.co.uk/search?hl=en&q=red%20shoes%20&ei=x", "red shoes"},
      {"https://www.bing.com/search?q=caf%C3%A9&form=QBLH", "caf\xC3\xA9"},
      {"https://yandex.ru/search/?lr=2&text=%D1%82%D1%83%D1%84%D0%BB%D0%B8", "\xD1\x82\xD1\x83\xD1\x84\xD0\xBB\xD0\xB8"},
      {"https://www.baidu.com/s?ie=utf-8&wd=shoes", "shoes"},
      {"https://search.yahoo.com/search?p=shoes", "shoes"},
      {"https://duckduckgo.com/?q=shoes#top", "shoes"},
      {"https://duckduckgo.com/?q=#q=shoes", ""},      // a fragment is not the query
      {"https://search.naver.com/search.naver?query=shoes", "shoes"},
      {"https://www.google.com/search?q=", ""},
      {"https://www.google.com/search?oq=shoes", ""},  // not the engine's argument
      {"https://www.google.com/?Q=shoes", ""},         // names are case-sensitive
      {"https://www.google.com/?q=%20+&q=second", "second"},
      {"https://blog.example/?q=secret", ""},          // no listed engine
      {"https://mail.google.com/mail/?q=invoice", ""}, // mail, not search
      {"https://gemini.google.com/app?q=secret", ""},
      {"https://google.evil.example/?q=secret", ""},
      {"https://www.facebook.com/search?q=secret", ""},
  };
  for (const auto& c : kCases) {
    read(c.referrer);
    expect_text(hit.referrer_term, c.term);
    assert_int_equal(hit.flags, 0);
    read(c.referrer);  // remembered
    expect_text(hit.referrer_term, c.term);
  }
}

void the_shops_own_search_is_no_term(void**) {
  read("https://www.google.com/search?q=shoes", "www.google.com");
  expect_text(hit.referrer_term, "");
  assert_int_equal(hit.flags, kHitReferrerOwn);
}

void a_term_is_cleaned_and_bounded(void**) {
  read("https://www.google.com/search?q=a%00b%ff");
  expect_text(hit.referrer_term, "a\xEF\xBF\xBD" "b\xEF\xBF\xBD");
  assert_int_equal(hit.flags, kHitFieldCut);
  input = "https://www.google.com/search?q=" + std::string(kCampaignFieldBytesMax + 1, 'x');
  read(input);
  expect_number(hit.referrer_term.size(), kCampaignFieldBytesMax);
  assert_int_equal(hit.flags, kHitFieldCut);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(host_and_path_are_read),
      cmocka_unit_test(what_is_no_web_address_is_no_referrer),
      cmocka_unit_test(the_shop_itself_is_marked),
      cmocka_unit_test(long_ones_are_bounded),
      cmocka_unit_test(a_plain_name_is_read_as_any_other),
      cmocka_unit_test(a_listed_engine_tells_the_term),
      cmocka_unit_test(the_shops_own_search_is_no_term),
      cmocka_unit_test(a_term_is_cleaned_and_bounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
