// Targets, the one spelling of a path, and the arguments of a query.
#include "hit/url.h"

#include "base/limits.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

TextArena arena;
std::string path;  // statics: a failed assertion leaves by longjmp
std::string again;
std::string input;

int begin(void**) { return arena.clear(), 0; }

const std::string& normal(std::string_view uri, size_t bytes_max = kPathBytesMax) {
  path.clear();
  append_normal_path(split_target(uri).path, bytes_max, path);
  return path;
}

bool kept_path(std::string_view uri, const std::vector<std::string_view>& names, std::string& to) {
  arena.clear();
  to.clear();
  const Target target = split_target(uri);
  const KeptPathArguments kept(target.query, names, arena);
  return append_normal_path(target.path, kPathBytesMax, to) && kept.append(to, 0, kPathBytesMax);
}

void a_target_is_split_into_path_and_query(void**) {
  static constexpr struct {
    std::string_view uri, path, query;
  } kCases[] = {
      {"", "", ""},
      {"/", "/", ""},
      {"/a?b=1", "/a", "b=1"},
      {"/a?b=1#c?d", "/a", "b=1"},
      {"/a#b?c=1", "/a", ""},
      {"/a??b=?", "/a", "?b=?"},
      {"/?", "/", ""},
      {"//a", "//a", ""},
      {"/http://x/y", "/http://x/y", ""},
      {"http://shop.example", "", ""},
      {"http://shop.example/a?b", "/a", "b"},
      {"HTTPS://shop.example:8443?b=1", "", "b=1"},
      {"http://shop.example#x", "", ""},
      {"http:///a", "/a", ""},
      {"*", "", ""},
      {"shop.example:443", "", ""},
      {"\x16\x03\x01", "", ""},
      {"a/b?c=1", "", ""},
      {"?b=1", "", ""},
      {"://x/a", "", ""},
      {"1x://x/a", "", ""},
  };
  for (const auto& c : kCases) {
    const Target target = split_target(c.uri);
    expect_text(target.path, c.path);
    expect_text(target.query, c.query);
  }
}

void a_path_has_one_spelling(void**) {
  static const struct {
    std::string_view uri, path;
  } kCases[] = {
      {"", "/"},
      {"*", "/"},
      {"http://shop.example", "/"},
      {"http://shop.example/cart?x", "/cart"},
      {"/Cart/", "/Cart/"},  // case and a trailing slash stay
      {"//a///b//", "/a/b/"},
      {"/%41%2d%5F%7e%2E", "/A-_~."},  // unreserved
      {"/a%2fb%3f", "/a%2Fb%3F"},      // others upper-case, still escaped
      {"/%2f/%2F", "/%2F/%2F"},        // an escaped slash is no slash
      {"/é", "/%C3%A9"},
      {"/%c3%a9", "/%C3%A9"},
      {"/\xFF", "/%FF"},
      {"/a b", "/a%20b"},
      {"/a+b", "/a+b"},
      {"/a%2bb", "/a%2Bb"},
      {"/%zz", "/%25zz"},
      {"/%25zz", "/%25zz"},
      {"/%", "/%25"},
      {"/%4", "/%254"},
      {"/%%41", "/%25A"},
      {"/%2541", "/%2541"},  // decoded once only
      {"/a\"b'c<d>e\\f`g{h}i|j^k[l]", "/a\"b'c<d>e\\f`g{h}i|j^k[l]"},
      {"/!$&()*+,;=:@", "/!$&()*+,;=:@"},
      {"/%21%24", "/%21%24"},  // reserved: kept as it was spelt
      {std::string_view("/a\0\r\n\x7F", 6), "/a%00%0D%0A%7F"},
      {"/a/./b/../c", "/a/./b/../c"},  // dot segments are names
      {"/%2e%2e/x", "/../x"},
      {"/a#b", "/a"},
  };
  for (const auto& c : kCases) expect_text(normal(c.uri), c.path);
}

void a_long_path_is_cut_between_characters(void**) {
  static const std::string stem = "/" + std::string(kPathBytesMax - 8, 'x');  // 7 bytes are left
  static const struct {
    std::string_view tail, kept;
  } kCases[] = {
      {"1234567", "1234567"},    {"12345678", "1234567"}, {"123456%20", "123456"},  // not inside an escape
      {"12345%20", "12345"},     {"1234%20", "1234%20"},  {"1234%20z", "1234%20"}, {"1%C3%A9", "1%C3%A9"},
      {"12%C3%A9", "12"},  // not between the escapes of é
      {"éé", "%C3%A9"},          {"1%E2%82%AC", "1"},     {"%E2%82%AC", ""},       {"🛒", ""},
      {"1%80%80%80", "1%80%80"},  // no characters: between any escapes
      {"1%E2%82z", "1%E2%82"},   {"1%C3%C3%A9", "1%C3"},
  };
  for (const auto& c : kCases) {
    path.clear();
    input = stem + std::string(c.tail);
    again = stem + std::string(c.kept);
    const bool whole = append_normal_path(input, kPathBytesMax, path);
    expect_text(path, again);
    path.clear();
    append_normal_path(input, 1 << 20, path);
    assert_int_equal(whole, path.size() <= kPathBytesMax);
  }
}

void a_path_of_any_length_stays_within_its_room(void**) {
  for (const std::string_view unit : {"é", "%", "a", "/", "%41", "%E2%82%AC", "🛒", "\xFF"}) {
    input = "/";
    while (input.size() < 70'000) input += unit;
    path.clear();
    path.reserve(normal_path_room(kPathBytesMax));
    const char* before = path.data();
    append_normal_path(input, kPathBytesMax, path);
    assert_true(path.size() <= kPathBytesMax);
    assert_ptr_equal(path.data(), before);
  }
}

void the_normal_path_of_a_normal_path_is_itself(void**) {
  static constexpr std::string_view kPieces[] = {
      "/", "//",  "%",        "%2",   "%2f",          "%41", "%25", "%C3%A9", "%C3", "é",           "a",
      "Z", "~",   ".",        "..",   "\\",           "'",   "\"",  " ",      "+",   "&",           "=",
      ";", "%zz", "\xE2\x82", "🛒", "%F0%9F%9B%92", "%80", "\1",  "[",      "|",   "verylongname"};
  uint64_t state = 1;
  const auto random = [&state](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  for (int round = 0; round < 3000; ++round) {
    input = "/";
    // Every fourth is long enough to be cut.
    const uint64_t pieces = round % 4 == 0 ? 300 + random(400) : random(20);
    for (uint64_t at = 0; at < pieces; ++at) {
      if (random(8) == 0) {
        input += static_cast<char>(random(256));
      } else {
        input += kPieces[random(std::size(kPieces))];
      }
    }
    const std::string_view as_path = std::string_view(input).substr(0, input.find_first_of("?#"));
    path.clear();
    append_normal_path(as_path, kPathBytesMax, path);
    again.clear();
    assert_true(append_normal_path(path, kPathBytesMax, again));
    expect_text(again, path);
    assert_true(path.size() <= kPathBytesMax && path.front() == '/');
    assert_true(path.find("//") == std::string::npos);
    for (const char c : path) assert_true(c > 0x20 && c < 0x7F && c != '#' && c != '?');
  }
}

void arguments_that_stay_are_sorted_and_spelt_one_way(void**) {
  static const std::vector<std::string_view> names = {"size", "color", "q[]", "size"};
  static constexpr struct {
    std::string_view uri, path;
  } kCases[] = {
      {"/p?size=1&color=red", "/p?color=red&size=1"},
      {"/p?color=red&x=1&size=1&y", "/p?color=red&size=1"},
      {"/p?Size=1", "/p"},                // names are case-sensitive
      {"/p?size=1&size=2", "/p?size=1"},  // the first of equal names
      {"/p?size=&size=2", "/p?size=2"},   // empty is absent
      {"/p?size=%20+", "/p"},
      {"/p?size", "/p"},
      {"/p?size=+a+b%20", "/p?size=a%20b"},
      {"/p?%73ize=1", "/p?size=1"},
      {"/p?q%5B%5D=1", "/p?q%5B%5D=1"},
      {"/p?q[]=1", "/p?q%5B%5D=1"},
      {"/p?size=a%26b%3Dc%2Bd%25e", "/p?size=a%26b=c%2Bd%25e"},
      {"/p?size=a=b", "/p?size=a=b"},
      {"/p?size=\"'<\x01\xC3\xA9", "/p?size=%22%27%3C%01%C3%A9"},
      {"/p?&&size=1&", "/p?size=1"},
      {"/p?a;size=1", "/p"},  // `;` parts nothing
      {"/p/#?size=1", "/p/"},
      {"http://x?size=1", "/?size=1"},
  };
  for (const auto& c : kCases) {
    assert_true(kept_path(c.uri, names, path));
    expect_text(path, c.path);
    assert_true(kept_path(path, names, again));
    expect_text(again, path);
  }
  assert_true(kept_path("/p?size=1", {}, path));
  expect_text(path, "/p");
}

void arguments_are_cut_where_the_path_is_full(void**) {
  static const std::vector<std::string_view> names = {"a", "b"};
  static const std::string stem = "/" + std::string(kPathBytesMax - 13, 'x');  // 12 bytes are left
  static const struct {
    std::string_view query, kept;
    bool whole;
  } kCases[] = {
      {"?a=123456789", "?a=123456789", true},
      {"?a=1234567890", "?a=123456789", false},
      {"?a=1234%C3%A9", "?a=1234", false},
      {"?a=12345+++6789", "?a=12345", false},  // what trimming would take goes at once
      {"?a=12345&b=78901", "?a=12345&b=7", false},
      {"?a=123456&b=789", "?a=123456", false},  // nothing of b's value fits
      {"?b=123456789&a=12345678", "?a=12345678", false},
      {"?b=123456789&a=1234567890", "?a=123456789", false},
  };
  for (const auto& c : kCases) {
    input = stem + std::string(c.query);
    const bool whole = kept_path(input, names, path);
    expect_text(std::string_view(path).substr(stem.size()), c.kept);
    assert_int_equal(whole, c.whole);
    assert_true(path.size() <= kPathBytesMax);
    assert_true(kept_path(path, names, again));
    expect_text(again, path);
  }
  input = stem + "123456789012?a=1";  // the path alone is full
  assert_true(kept_path(input, {}, path));
  assert_false(kept_path(input, names, path));
  expect_text(path, input.substr(0, kPathBytesMax));
}

void a_query_is_read_leniently(void**) {
  static constexpr struct {
    std::string_view query, value;
  } kCases[] = {
      {"q=shoes", "shoes"},
      {"a&q=red+shoes&q=x", "red shoes"},
      {"Q=x", ""},
      {"q", ""},
      {"q=", ""},
      {"&&=&q=%zz", "%zz"},
      {"xq=1", ""},
      {"q==", "="},
      {"%71=x", "x"},
      {"q=%20a%09", "a"},
      {"q=&q=second", "second"},
      {"=q", ""},
      {"", ""},
      {"q =x", ""},
  };
  for (const auto& c : kCases) expect_text(find_argument(c.query, "q", arena), c.value);

  static const std::string long_name = std::string(200, '%') + "=x";
  QueryReader arguments(long_name);
  assert_true(arguments.next());
  expect_text(ArgumentName(arguments.raw_name()), "");
  assert_false(arguments.next());
}

// What is called plain is what append_normal_path leaves as it is, but for escapes, and nothing else is.
void a_plain_path_is_its_own_normal_path(void**) {
  static constexpr std::string_view kPieces[] = {
      "/", "//", "a", "Az09", "-._~", "%41",      "%2F",         "%",
      "?", "#",  " ", "\x7F", "\x1F", "\xC3\xA9", "\"<>\\^`{|}", "!$&'()*+,:;=@[]"};
  Random random(3);
  int plain_ones = 0;
  for (int round = 0; round < 20'000; ++round) {
    input = "/";
    // Most of one that is long is plain, so that the one piece that is not may lie in any block.
    for (uint64_t count = random.below(60); count > 0; --count)
      input += random.below(20) > 0 ? "ab/c"[input.ends_with('/') ? 0 : random.below(4)] : '-';
    if (random.below(3) > 0) input.insert(random.below(input.size() + 1), kPieces[random.below(std::size(kPieces))]);
    input.shrink_to_fit();  // so that a sanitizer sees a read past the end
    path.clear();
    const bool stays =
        append_normal_path(input, kPathBytesMax, path) && path == input && input.find('%') == std::string::npos;
    assert_int_equal(is_plain_path(input, kPathBytesMax), stays);
    plain_ones += stays;
  }
  assert_true(plain_ones > 5000 && plain_ones < 15'000);
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t at = 1; at < 35; ++at) {
      input = "/" + std::string(34, 'a');
      input[at] = static_cast<char>(byte);
      path.clear();
      append_normal_path(input, kPathBytesMax, path);
      assert_int_equal(is_plain_path(input, kPathBytesMax), path == input);
    }
  }
  assert_false(is_plain_path("", kPathBytesMax));
  assert_false(is_plain_path("a", kPathBytesMax));
  assert_true(is_plain_path("/" + std::string(15, 'a'), 16));
  assert_false(is_plain_path("/" + std::string(16, 'a'), 16));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_target_is_split_into_path_and_query, begin),
      cmocka_unit_test_setup(a_path_has_one_spelling, begin),
      cmocka_unit_test_setup(a_long_path_is_cut_between_characters, begin),
      cmocka_unit_test_setup(a_path_of_any_length_stays_within_its_room, begin),
      cmocka_unit_test_setup(the_normal_path_of_a_normal_path_is_itself, begin),
      cmocka_unit_test_setup(a_plain_path_is_its_own_normal_path, begin),
      cmocka_unit_test_setup(arguments_that_stay_are_sorted_and_spelt_one_way, begin),
      cmocka_unit_test_setup(arguments_are_cut_where_the_path_is_full, begin),
      cmocka_unit_test_setup(a_query_is_read_leniently, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
