// Free text of requests: trimmed, decoded, clean, bounded.
#include "hit/text.h"

#include "test.h"

namespace footfall {
namespace {

TextArena arena;
bool marred;

int begin(void**) { return arena.clear(), marred = false, 0; }

std::string_view clean(std::string_view text, size_t bytes_max = 256) {
  return clean_text(text, bytes_max, arena, marred);
}

void good_text_stays_where_it_is(void**) {
  for (const std::string_view text : {"", "plain", "Grüße", "日本語", "🛒 cart", "a\xC2\xA0"}) {
    assert_ptr_equal(clean(text).data(), text.data());
    expect_text(clean(text), text);
  }
  assert_false(marred);
}

void white_space_at_the_ends_goes_uncounted(void**) {
  expect_text(clean(" \t\r\n\v\fspring mail \n"), "spring mail");
  expect_text(clean(" \r\n "), "");
  assert_false(marred);
}

void what_is_no_text_becomes_one_replacement_each(void**) {
  static const struct {
    std::string_view text, cleaned;
  } kCases[] = {
      {std::string_view("a\0b", 3), "a\uFFFDb"},
      {"a\r\nb", "a\uFFFD\uFFFDb"},
      {"a\x7F", "a\uFFFD"},
      {"a\xC2\x85", "a\uFFFD"},  // C1 control NEL
      {"\xFF\xFE", "\uFFFD\uFFFD"},
      {"\xC3", "\uFFFD"},                                // a character that ends too soon
      {"\xE2\x82z", "\uFFFDz"},                          // its two bytes are one fault
      {"\xC0\xAF", "\uFFFD\uFFFD"},                      // overlong slash
      {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},            // overlong in three bytes
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},            // a surrogate
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},  // above U+10FFFF
      {"\xF0\x9F\x9B", "\uFFFD"},
      {"\x80", "\uFFFD"},
  };
  for (const auto& c : kCases) {
    marred = false;
    expect_text(clean(c.text), c.cleaned);
    assert_true(marred);
    assert_true(is_clean(clean(c.text)));
  }
}

// Sixteen bytes are looked at together, the last ones twice: each byte at each place counts as it does alone.
void every_byte_counts_wherever_it_stands(void**) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t at = 0; at < 39; ++at) {
      std::string text(39, 'a');
      text[at] = static_cast<char>(byte);
      assert_int_equal(is_clean(text), byte >= 0x20 && byte < 0x7F);
      text.replace(at, 1, "\xC3\xA9");
      assert_true(is_clean(text));
    }
  }
}

void long_text_is_cut_between_characters(void**) {
  static const struct {
    std::string_view text;
    size_t bytes_max;
    std::string_view cut;
  } kCases[] = {
      {"abcdef", 5, "abcde"}, {"abcdé", 5, "abcd"}, {"ab日本", 5, "ab日"},      {"🛒🛒", 7, "🛒"},
      {"a b cd", 4, "a b"},   {"ab\xFFz", 4, "ab"}, {"ab\xFFz", 5, "ab\uFFFD"}, {"日本", 2, ""},
  };
  for (const auto& c : kCases) {
    marred = false;
    expect_text(clean(c.text, c.bytes_max), c.cut);
    assert_true(marred);
  }
  marred = false;
  expect_text(clean("abcde", 5), "abcde");
  assert_false(marred);
}

void decoding_undoes_what_is_an_escape_and_nothing_else(void**) {
  static constexpr struct {
    std::string_view text, form, percent;
  } kCases[] = {
      {"plain", "plain", "plain"}, {"a+b", "a b", "a+b"},       {"a%20b", "a b", "a b"},
      {"a%2Bb", "a+b", "a+b"},     {"%zz%4", "%zz%4", "%zz%4"}, {"%", "%", "%"},
      {"%%41", "%A", "%A"},        {"%2541", "%41", "%41"},     {"%c3%A9", "é", "é"},
  };
  for (const auto& c : kCases) {
    expect_text(decode_form(c.text, arena), c.form);
    expect_text(decode_percent(c.text, arena), c.percent);
  }
  expect_text(decode_form("a%00b", arena), std::string_view("a\0b", 3));
}

void letters_become_small_but_others_stay(void**) {
  expect_text(lower_ascii("NewsLETTER ÄÖÜ", arena), "newsletter ÄÖÜ");
  expect_text(lower_ascii("@[`{", arena), "@[`{");
  assert_true(equal_ignoring_case("WWW.Shop", "www.sHOP"));
  assert_false(equal_ignoring_case("www", "www."));
}

void a_full_arena_gives_nothing_and_moves_nothing(void**) {
  const std::string_view first = decode_form("a+b", arena);
  static const std::string large = std::string(TextArena::kBytesMax - 3, '+');
  expect_number(static_cast<int64_t>(decode_form(large, arena).size()), static_cast<int64_t>(large.size()));
  expect_text(decode_form("c+d", arena), "");
  expect_text(lower_ascii("CD", arena), "");
  expect_text(clean("c\1d"), "");
  expect_text(first, "a b");
  assert_null(arena.room_for(1));
  assert_null(arena.room_for(SIZE_MAX));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(good_text_stays_where_it_is, begin),
      cmocka_unit_test_setup(white_space_at_the_ends_goes_uncounted, begin),
      cmocka_unit_test_setup(what_is_no_text_becomes_one_replacement_each, begin),
      cmocka_unit_test_setup(every_byte_counts_wherever_it_stands, begin),
      cmocka_unit_test_setup(long_text_is_cut_between_characters, begin),
      cmocka_unit_test_setup(decoding_undoes_what_is_an_escape_and_nothing_else, begin),
      cmocka_unit_test_setup(letters_become_small_but_others_stay, begin),
      cmocka_unit_test_setup(a_full_arena_gives_nothing_and_moves_nothing, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
