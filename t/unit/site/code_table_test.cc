// Where a code leads: by site, without case, and never to what is no target.
#include "site/code_table.h"

#include "site/checks.h"

#include <optional>

#include "test.h"

namespace footfall {
namespace {

std::optional<CodeTable> table;  // statics: a failed assertion leaves by longjmp

CodeConfig code(std::string name, std::string target) {
  CodeConfig made;
  made.code = std::move(name);
  made.channel = "print";
  made.target = std::move(target);
  return made;
}

int begin(void**) {
  auto config = std::make_shared<Config>();
  config->sites = {default_site("shop"), default_site("other")};
  config->sites[0].hosts = {"shop.example"};
  config->sites[0].codes = {code("SPRING24", "/sale?utm_term=x"), code("Far", "https://partner.example/a"), code("home", ""),
                            code("slashes", "//evil.example"), code("lines", "/a\r\nSet-Cookie: a=b"),
                            code("script", "javascript:alert(1)"), code("no-path", "sale")};
  config->sites[1].codes = {code("SPRING24", "/other")};
  table.emplace(std::move(config));
  return 0;
}

int end(void**) { return table.reset(), 0; }

void a_code_leads_where_its_site_says(void**) {
  expect_text(table->target("shop", "SPRING24"), "/sale?utm_term=x");
  expect_text(table->target("shop", "sPrInG24"), "/sale?utm_term=x");
  expect_text(table->target("shop", "far"), "https://partner.example/a");
  expect_text(table->target("shop", "HOME"), "/");
  expect_text(table->target("shop.example", "SPRING24"), "/sale?utm_term=x");
  expect_text(table->target("other", "spring24"), "/other");
}

void what_nobody_named_leads_nowhere(void**) {
  expect_text(table->target("shop", "SPRING25"), "");
  expect_text(table->target("shop", ""), "");
  expect_text(table->target("shop", "/"), "");
  expect_text(table->target("other", "far"), "");
  expect_text(table->target("nobody", "SPRING24"), "");
  expect_text(table->target("", "SPRING24"), "");
}

void what_is_no_target_leads_nowhere(void**) {
  for (const std::string_view name : {"slashes", "lines", "script", "no-path"}) expect_text(table->target("shop", name), "");
}

void what_a_target_is(void**) {
  for (const char* good : {"/", "/sale?a=b", "/sale#top", "https://partner.example", "http://partner.example:8080/a?b=c#d", "https://[2001:db8::1]/",
                           "https://127.0.0.1/a"})
    if (!is_target(good)) fail_msg("%s is a target", good);
  for (const char* bad : {"", "sale", "//evil.example", "https://", "https:///a", "https://?a", "http://user:word@evil.example/", "https://a b/", "https://host:port/",
                          "https://host:/", "javascript:alert(1)", "/a#b#c", "/a\nb", "https://\\evil.example", "ftp://host/"})
    if (is_target(bad)) fail_msg("%s is no target", bad);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_code_leads_where_its_site_says, begin, end),
      cmocka_unit_test_setup_teardown(what_nobody_named_leads_nowhere, begin, end),
      cmocka_unit_test_setup_teardown(what_is_no_target_leads_nowhere, begin, end),
      cmocka_unit_test(what_a_target_is),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
