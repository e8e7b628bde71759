// Families of browsers and systems: what agents of today and of long ago say they are.
#include "visit/browser.h"

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "test.h"

using namespace footfall;

namespace {

void expect_families(std::string_view agent, std::string_view browser, std::string_view system) {
  expect_text(browser_name(browser_of(agent)), browser);
  expect_text(system_name(system_of(agent)), system);
}

void tells_desktop_browsers(void**) {
  expect_families("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
                  "Safari/537.36", "Chrome", "Windows");
  expect_families("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
                  "Safari/537.36 Edg/141.0.0.0", "Edge", "Windows");
  expect_families("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 "
                  "Safari/605.1.15", "Safari", "macOS");
  expect_families("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux");
  expect_families("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
                  "Safari/537.36", "Chrome", "Chrome OS");
  expect_families("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
                  "Safari/537.36 OPR/116.0.0.0", "Opera", "Windows");
  expect_families("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer", "Windows");
  expect_families("Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox", "BSD");
}

void tells_phones_and_tablets(void**) {
  expect_families("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile "
                  "Safari/537.36", "Chrome", "Android");
  expect_families("Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "SamsungBrowser/28.0 Chrome/115.0.0.0 Mobile Safari/537.36", "Samsung Internet", "Android");
  expect_families("Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox", "Android");
  expect_families("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                  "Version/26.0 Mobile/15E148 Safari/604.1", "Safari", "iOS");
  expect_families("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                  "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1", "Chrome", "iOS");
  expect_families("Mozilla/5.0 (Linux; U; Android 2.3.6; en-us; Nexus S) AppleWebKit/533.1 (KHTML, like Gecko) Version/4.0 "
                  "Mobile Safari/533.1", "Android Browser", "Android");
  expect_families("Mozilla/5.0 (Mobile; Nokia_2720_Flip; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.2", "Firefox", "KaiOS");
  expect_families("Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16", "Opera Mini",
                  "Android");
  expect_families("Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; Touch; rv:11.0; IEMobile/11.0) "
                  "like iPhone OS 7_0_3 Mac OS X AppleWebKit/537 (KHTML, like Gecko) Mobile Safari/537",
                  "Internet Explorer", "Windows Phone");
}

void an_app_is_told_before_the_engine_it_shows_pages_with(void**) {
  const std::string phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
                            "Gecko) Mobile/15E148";
  expect_families(phone, "iOS WebView", "iOS");
  expect_families(phone + " [FBAN/FBIOS;FBAV/467.0.0.40.101;FBSN/iOS;FBSV/17.5.1]", "Facebook", "iOS");
  expect_families(phone + " Snapchat/12.88.0.36 (like Safari/8617.2.4.10.8, panda)", "Snapchat", "iOS");
  const std::string view = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, "
                           "like Gecko) Version/4.0 Chrome/131.0.6778.81 Mobile Safari/537.36";
  expect_families(view, "Android WebView", "Android");
  expect_families(view + " Instagram 334.0.0.42.95 Android (34/14; 420dpi)", "Instagram", "Android");
}

void tells_what_is_no_computer(void**) {
  expect_families("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 "
                  "Chrome/94.0.4606.31 TV Safari/537.36", "Samsung Internet", "Tizen");
  expect_families("Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.211 "
                  "Safari/537.36 WebAppManager", "Chrome", "webOS");
  expect_families("Mozilla/5.0 (PlayStation; PlayStation 5/8.20) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 "
                  "Safari/605.1.15", "Safari", "PlayStation");
}

void the_rest_is_other(void**) {
  expect_families("", "other", "other");
  expect_families("Lynx/2.8.9rel.1 libwww-FM/2.14", "other", "other");
  expect_text(browser_name(static_cast<Browser>(99)), "other");
  expect_text(system_name(static_cast<System>(99)), "other");
}

// Agents that people have today: a table that does not know one would show.
void knows_the_browsers_that_people_use(void**) {
  std::ifstream agents(FOOTFALL_SOURCE_DIR "/t/data/browsers.txt");
  static std::string agent;
  size_t seen = 0;
  while (std::getline(agents, agent)) {
    if (agent.empty() || agent[0] == '#') continue;
    ++seen;
    if (agent.find("Thunderbird") == std::string::npos && browser_of(agent) == Browser::other) fail_msg("%s", agent.c_str());
    if (system_of(agent) == System::other) fail_msg("%s", agent.c_str());
  }
  assert_true(seen > 150);
}

// core/README.md shows the tables as they are.
void the_tables_stand_in_the_readme(void**) {
  static std::string readme;
  std::ifstream file(FOOTFALL_SOURCE_DIR "/core/README.md");
  std::ostringstream text;
  text << file.rdbuf();
  readme = text.str();
  if (readme.find(browser_table_markdown()) == std::string::npos)
    fail_msg("core/README.md should hold:\n%s", browser_table_markdown().c_str());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(tells_desktop_browsers),
      cmocka_unit_test(tells_phones_and_tablets),
      cmocka_unit_test(an_app_is_told_before_the_engine_it_shows_pages_with),
      cmocka_unit_test(tells_what_is_no_computer),
      cmocka_unit_test(the_rest_is_other),
      cmocka_unit_test(knows_the_browsers_that_people_use),
      cmocka_unit_test(the_tables_stand_in_the_readme),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
