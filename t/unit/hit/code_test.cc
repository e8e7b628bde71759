// A target's path to a code: below the prefix or not, in whatever spelling it comes.
#include "hit/code.h"

#include <string>

#include "hit/hit.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

TextArena arena;  // statics: a failed assertion leaves by longjmp
std::string text;
bool marred;

int begin(void**) { return arena.clear(), text.clear(), marred = false, 0; }

std::string_view code(std::string_view path, std::string_view prefix = "/go/") {
  arena.clear();
  marred = false;
  return code_of_path(path, prefix, arena, marred);
}

void a_code_stands_behind_the_prefix(void**) {
  expect_text(code("/go/SPRING24"), "SPRING24");
  expect_text(code("/go/spring-24._~"), "spring-24._~");
  expect_text(code("/go/SPRING24/"), "SPRING24");  // typed off a leaflet
  expect_text(code("/go/%53PRING24"), "SPRING24");
  expect_text(code("/%67o//SPRING24"), "SPRING24");  // where nginx finds the location too
  expect_text(code("/go/%20SPRING24"), "SPRING24");
  expect_text(code("/go/caf%c3%a9"), "caf\xC3\xA9");
  expect_text(code("/go/A+B"), "A+B");  // a path is no form
  expect_text(code("/de/go/A", "/de/go/"), "A");
  assert_false(marred);
}

void elsewhere_there_is_none(void**) {
  for (const std::string_view path : {"", "/", "/go", "/go/", "/go//", "/goat", "/GO/A", "/x/go/A", "/x/../go/A", "*"})
    expect_text(code(path), "");
  expect_text(code("/go/A", ""), "");
  assert_false(marred);
}

void what_no_code_can_be_stays_to_be_counted(void**) {
  expect_text(code("/go/..%2fevil"), "../evil");
  expect_text(code("/go///evil.example"), "evil.example");
  expect_text(code("/go/A/B"), "A/B");
  assert_false(marred);
  expect_text(code("/go/A%0d%0aX:y"), "A\xEF\xBF\xBD\xEF\xBF\xBDX:y");
  assert_true(marred);
  expect_text(code("/go/A%00"), "A\xEF\xBF\xBD");
  assert_true(marred);
}

// One longer than the longest does not pass for it.
void a_longer_one_is_cut_and_told(void**) {
  text = "/go/" + std::string(kHitCodeBytesMax, 'x');
  expect_number(static_cast<int64_t>(code(text).size()), kHitCodeBytesMax);
  assert_false(marred);
  text += 'x';
  expect_number(static_cast<int64_t>(code(text).size()), kHitCodeBytesMax);
  assert_true(marred);
  text = "/go/" + std::string(5000, 'x');
  expect_number(static_cast<int64_t>(code(text).size()), kHitCodeBytesMax);
  assert_true(marred);
}

void whatever_comes_is_text_within_its_bound(void**) {
  Random random(7);
  for (int round = 0; round < 20'000; ++round) {
    text = "/go/SPRING24%C3%A9%2F/x";
    for (int changes = 0; changes < 3; ++changes) random.mutate(text);
    const std::string_view got = code(text);
    assert_true(got.size() <= kHitCodeBytesMax && is_clean(got));
  }
}

void a_prefix_is_a_normal_path_between_slashes(void**) {
  for (const std::string_view good : {"/go/", "/de/go/", "/a-b~/"}) assert_true(is_codes_prefix(good));
  for (const std::string_view bad : {"", "/", "//", "/go", "go/", "/go//", "//go/", "/g%6f/", "/\xC3\xA9/", "/go/?/", "/go#/", "/g o/"})
    assert_false(is_codes_prefix(bad));
  text = "/" + std::string(kCodesPrefixBytesMax - 2, 'x') + "/";
  assert_true(is_codes_prefix(text));
  text = "/x" + text.substr(1);
  assert_false(is_codes_prefix(text));
}

void a_printed_square_says_so_by_an_argument(void**) {
  for (const std::string_view query : {"qr", "qr=", "qr=1", "utm_source=x&qr", "q%72", "qr=0"}) assert_true(says_qr(query));
  for (const std::string_view query : {"", "QR", "qrs", "x=qr", "q=r"}) assert_false(says_qr(query));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_code_stands_behind_the_prefix, begin),
      cmocka_unit_test_setup(elsewhere_there_is_none, begin),
      cmocka_unit_test_setup(what_no_code_can_be_stays_to_be_counted, begin),
      cmocka_unit_test_setup(a_longer_one_is_cut_and_told, begin),
      cmocka_unit_test_setup(whatever_comes_is_text_within_its_bound, begin),
      cmocka_unit_test_setup(a_prefix_is_a_normal_path_between_slashes, begin),
      cmocka_unit_test_setup(a_printed_square_says_so_by_an_argument, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
