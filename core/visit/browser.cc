#include "visit/browser.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace footfall {
namespace {

constexpr std::string_view kBrowserNames[kBrowsers] = {
    "other",           "Chrome",           "Safari",           "Firefox",         "Edge",
    "Opera",           "Opera Mini",       "Samsung Internet", "Internet Explorer", "Android Browser",
    "Android WebView", "iOS WebView",      "Vivaldi",          "Yandex Browser",  "DuckDuckGo",
    "Ecosia",          "UC Browser",       "QQ Browser",       "Huawei Browser",  "Mi Browser",
    "Oppo Browser",    "Whale",            "Silk",             "Epiphany",        "Facebook",
    "Instagram",       "TikTok",           "Pinterest",        "Snapchat",        "LinkedIn",
    "Twitter",         "WeChat",           "Line",             "KakaoTalk",       "Naver",
    "Google app"};

constexpr std::string_view kSystemNames[kSystems] = {"other",         "Windows",   "macOS", "Linux", "Android",
                                                     "iOS",           "Chrome OS", "Windows Phone", "HarmonyOS",
                                                     "KaiOS",         "Tizen",     "webOS", "PlayStation",
                                                     "Nintendo",      "BSD"};

template <class Family>
struct Row {
  Family family;
  std::string_view mark;      // somewhere in the agent
  std::string_view also{};    // … and this too
  std::string_view without{};  // … but this nowhere
};

// Apps go before the engine that they show pages with, and who is built on Chrome or Safari before those.
constexpr Row<Browser> kBrowserRows[] = {
    {Browser::instagram, "Instagram"},
    {Browser::facebook, "FBAN/"},
    {Browser::facebook, "FBAV/"},
    {Browser::facebook, "FB_IAB"},
    {Browser::facebook, "MetaIAB"},
    {Browser::tiktok, "BytedanceWebview"},
    {Browser::tiktok, "musical_ly"},
    {Browser::tiktok, "trill_"},
    {Browser::pinterest, "[Pinterest/"},
    {Browser::snapchat, "Snapchat"},
    {Browser::linkedin, "LinkedInApp"},
    {Browser::twitter, "Twitter for "},
    {Browser::wechat, "MicroMessenger"},
    {Browser::kakaotalk, "KAKAOTALK"},
    {Browser::naver, "NAVER("},
    {Browser::line, " Line/"},
    {Browser::google_app, "GSA/"},
    {Browser::edge, "Edg/"},
    {Browser::edge, "EdgA/"},
    {Browser::edge, "EdgiOS/"},
    {Browser::edge, "Edge/"},
    {Browser::opera_mini, "Opera Mini"},
    {Browser::opera, "OPR/"},
    {Browser::opera, "OPT/"},
    {Browser::opera, "OPiOS/"},
    {Browser::opera, "Opera"},
    {Browser::samsung_internet, "SamsungBrowser/"},
    {Browser::vivaldi, "Vivaldi/"},
    {Browser::yandex, "YaBrowser/"},
    {Browser::duckduckgo, "DuckDuckGo/"},
    {Browser::duckduckgo, "Ddg/"},
    {Browser::ecosia, "Ecosia "},
    {Browser::uc_browser, "UCBrowser/"},
    {Browser::uc_browser, "UBrowser/"},
    {Browser::qq_browser, "QQBrowser/"},
    {Browser::huawei_browser, "HuaweiBrowser/"},
    {Browser::mi_browser, "MiuiBrowser/"},
    {Browser::oppo_browser, "HeyTapBrowser/"},
    {Browser::whale, "Whale/"},
    {Browser::silk, "Silk/"},
    {Browser::epiphany, "Epiphany/"},
    {Browser::internet_explorer, "MSIE "},
    {Browser::internet_explorer, "Trident/"},
    {Browser::firefox, "FxiOS/"},
    {Browser::firefox, "Firefox/"},
    {Browser::android_webview, "; wv)"},
    {Browser::chrome, "CriOS/"},
    {Browser::chrome, "Chrome/"},
    {Browser::chrome, "Chromium/"},
    {Browser::android_browser, "Android", "Version/"},
    {Browser::safari, "Version/", "Safari/"},
    {Browser::ios_webview, "AppleWebKit/", " Mobile/", "Safari/"},
    {Browser::safari, "Safari/", "Apple"},
};

constexpr Row<System> kSystemRows[] = {
    {System::windows_phone, "Windows Phone"},
    {System::tizen, "Tizen"},
    {System::webos, "Web0S"},
    {System::webos, "webOS"},
    {System::kaios, "KAIOS/"},
    {System::harmony_os, "HarmonyOS"},
    {System::harmony_os, "OpenHarmony"},
    {System::playstation, "PlayStation"},
    {System::nintendo, "Nintendo"},
    {System::windows, "Windows"},
    {System::ios, "iPhone"},
    {System::ios, "iPad"},
    {System::ios, "iPod"},
    {System::android, "Android"},
    {System::chrome_os, "CrOS"},
    {System::macos, "Macintosh"},
    {System::bsd, "BSD"},
    {System::linux, "Linux"},
    {System::linux, "X11"},
};

bool has(std::string_view agent, std::string_view mark) { return agent.find(mark) != std::string_view::npos; }

template <class Family>
Family first_of(std::span<const Row<Family>> rows, std::string_view agent) {
  const auto found = std::find_if(rows.begin(), rows.end(), [agent](const Row<Family>& row) {
    return has(agent, row.mark) && has(agent, row.also) && (row.without.empty() || !has(agent, row.without));
  });
  return found == rows.end() ? Family::other : found->family;
}

// Marks of one family stand behind each other in the table, and in one row of the text.
template <class Family>
void append_table(std::string& to, std::string_view heading, std::span<const Row<Family>> rows,
                  std::string_view (*name)(Family)) {
  to.append("| ").append(heading).append(" | agent has |\n|---|---|\n");
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row<Family>& row = rows[i];
    const bool goes_on = i > 0 && rows[i - 1].family == row.family;
    if (!goes_on) to.append(i > 0 ? " |\n| " : "| ").append(name(row.family)).append(" | ");
    if (goes_on) to.append(", ");
    to.append("`").append(row.mark).append("`");
    if (!row.also.empty()) to.append(" and `").append(row.also).append("`");
    if (!row.without.empty()) to.append(" without `").append(row.without).append("`");
  }
  to.append(" |\n| other | the rest |\n");
}

}  // namespace

std::string_view browser_name(Browser browser) {
  return kBrowserNames[std::min(static_cast<unsigned>(browser), kBrowsers) % kBrowsers];
}

std::string_view system_name(System system) {
  return kSystemNames[std::min(static_cast<unsigned>(system), kSystems) % kSystems];
}

Browser browser_of(std::string_view agent) { return first_of(std::span<const Row<Browser>>(kBrowserRows), agent); }
System system_of(std::string_view agent) { return first_of(std::span<const Row<System>>(kSystemRows), agent); }

std::string browser_table_markdown() {
  std::string table;
  append_table(table, "browser", std::span<const Row<Browser>>(kBrowserRows), browser_name);
  table += '\n';
  append_table(table, "os", std::span<const Row<System>>(kSystemRows), system_name);
  return table;
}

}  // namespace footfall
