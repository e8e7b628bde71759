// Patterns of paths and agents, address ranges and what `exclude` covers.
#include "site/match.h"

#include <string>

#include "site/address.h"
#include "site/config.h"
#include "test.h"

using namespace footfall;

namespace {

std::string address(std::initializer_list<int> bytes) { return {bytes.begin(), bytes.end()}; }

void test_pattern_without_star_is_the_text_itself(void**) {
  assert_true(matches("/cart", "/cart"));
  assert_false(matches("/cart", "/cart/"));
  assert_false(matches("/cart", "/car"));
  assert_false(matches("/cart", "/Cart"));
  assert_true(matches("", ""));
  assert_false(matches("", "/"));
}

void test_star_takes_any_run(void**) {
  assert_true(matches("*", ""));
  assert_true(matches("*", "/any/thing?x=1"));
  assert_true(matches("/cart/add*", "/cart/add"));
  assert_true(matches("/cart/add*", "/cart/add/7"));
  assert_false(matches("/cart/add*", "/cart/ad"));
  assert_true(matches("*.html", "/a.html"));
  assert_false(matches("*.html", "/a.html5"));
  assert_true(matches("/*/item/*", "/shoes/item/7"));
  assert_false(matches("/*/item/*", "/item/7"));
  assert_true(matches("/a**b", "/ab"));
}

void test_ends_do_not_share_letters(void**) {
  assert_false(matches("aba*aba", "aba"));
  assert_false(matches("aba*aba", "ababa"));
  assert_true(matches("aba*aba", "abaaba"));
  assert_false(matches("*ab*ab", "xab"));
  assert_true(matches("*ab*ab", "abab"));
}

void test_inner_parts_are_found_leftmost(void**) {
  assert_true(matches("a*bc*c", "abcbcc"));
  assert_true(matches("*a*a*b", "aaab"));
  assert_false(matches("*a*b*a", "aab"));
}

// All patterns of up to 4 and texts of up to 6 letters against the definition itself.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] != '*') {
    return !text.empty() && text[0] == pattern[0] && matches_by_definition(pattern.substr(1), text.substr(1));
  }
  for (size_t taken = 0; taken <= text.size(); ++taken) {
    if (matches_by_definition(pattern.substr(1), text.substr(taken))) return true;
  }
  return false;
}

// The index-th word over the letters, shorter ones first.
std::string word(unsigned index, std::string_view letters) {
  std::string result;
  for (; index > 0; index = (index - 1) / letters.size()) result += letters[(index - 1) % letters.size()];
  return result;
}

void test_all_short_patterns_match_as_defined(void**) {
  constexpr unsigned kPatterns = 1 + 3 + 9 + 27 + 81 + 243, kTexts = 1 + 2 + 4 + 8 + 16 + 32 + 64;
  for (unsigned p = 0; p < kPatterns; ++p) {
    for (unsigned t = 0; t < kTexts; ++t) {
      const std::string pattern = word(p, "ab*"), text = word(t, "ab");
      if (matches(pattern, text) != matches_by_definition(pattern, text)) {
        print_error("pattern %s, text %s\n", pattern.c_str(), text.c_str());
        fail();
      }
    }
  }
}

void test_inside_an_agent_without_case(void**) {
  assert_true(matches_inside("uptimerobot", "Mozilla/5.0 (compatible; UptimeRobot/2.0)"));
  assert_true(matches_inside("Uptime*2.0", "Mozilla/5.0 (compatible; UptimeRobot/2.0)"));
  assert_false(matches_inside("Pingdom", "Mozilla/5.0 (compatible; UptimeRobot/2.0)"));
  assert_false(matches_inside("", "Mozilla/5.0"));
}

void test_address_ranges_read_and_write(void**) {
  const struct {
    const char* text;
    const char* shown;
  } kRows[] = {{"10.0.0.0/8", "10.0.0.0/8"},
               {"10.1.2.3/8", "10.0.0.0/8"},
               {"192.0.2.7", "192.0.2.7"},
               {"192.0.2.7/32", "192.0.2.7"},
               {"0.0.0.0/0", "0.0.0.0/0"},
               {"2001:DB8::/32", "2001:db8::/32"},
               {"2001:db8::1/33", "2001:db8::/33"},
               {"::1", "::1"},
               {"::/0", "::/0"}};
  for (const auto& row : kRows) {
    const std::optional<AddressRange> range = parse_address_range(row.text);
    assert_true(range.has_value());
    expect_text(format_address_range(*range), row.shown);
  }
}

void test_what_is_no_address_range(void**) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "10.0.0.0/8 ", "10.0.0.0/+8",
                           "::/129", "shop.example", "256.0.0.1", "10.0.0.0/8/8", "10.0.0.0/0008"}) {
    if (parse_address_range(text)) {
      print_error("%s was taken\n", text);
      fail();
    }
  }
  assert_false(parse_address_range(std::string_view("10.0.0.1\0x", 10)).has_value());
}

void test_ranges_cover_addresses(void**) {
  const AddressRange staff = *parse_address_range("10.32.0.0/11");
  assert_true(covers(staff, address({10, 32, 0, 0})));
  assert_true(covers(staff, address({10, 63, 255, 255})));
  assert_false(covers(staff, address({10, 64, 0, 0})));
  assert_true(covers(staff, address({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 40, 0, 1})));
  assert_false(covers(staff, ""));
  assert_false(covers(staff, "10.32.0.1"));

  const AddressRange all_six = *parse_address_range("::/0");
  assert_true(covers(all_six, std::string(16, '\x20')));
  assert_false(covers(all_six, address({10, 32, 0, 0})));
  assert_true(covers(*parse_address_range("0.0.0.0/0"), address({8, 8, 8, 8})));
  assert_false(covers(*parse_address_range("0.0.0.0/0"), std::string(16, '\x20')));
}

void test_a_site_excludes_staff_monitors_and_paths(void**) {
  static SiteConfig site = default_site("shop");
  site.exclude = {*parse_address_range("10.0.0.0/8")};
  site.exclude_agents = {"UptimeRobot"};
  site.exclude_paths = {"/admin/*"};
  const std::string staff = address({10, 1, 2, 3}), shopper = address({198, 51, 100, 7});
  assert_true(is_excluded(site, staff, "Firefox", "/"));
  assert_true(is_excluded(site, shopper, "UptimeRobot/2.0", "/"));
  assert_true(is_excluded(site, shopper, "Firefox", "/admin/users"));
  assert_false(is_excluded(site, shopper, "Firefox", "/administration"));
  assert_false(is_excluded(default_site("other"), staff, "UptimeRobot/2.0", "/admin/"));
  assert_false(is_excluded(site, "", "", ""));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_pattern_without_star_is_the_text_itself),
      cmocka_unit_test(test_star_takes_any_run),
      cmocka_unit_test(test_ends_do_not_share_letters),
      cmocka_unit_test(test_inner_parts_are_found_leftmost),
      cmocka_unit_test(test_all_short_patterns_match_as_defined),
      cmocka_unit_test(test_inside_an_agent_without_case),
      cmocka_unit_test(test_address_ranges_read_and_write),
      cmocka_unit_test(test_what_is_no_address_range),
      cmocka_unit_test(test_ranges_cover_addresses),
      cmocka_unit_test(test_a_site_excludes_staff_monitors_and_paths),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
