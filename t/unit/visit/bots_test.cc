#include "visit/bots.h"

#include <rapidjson/document.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "test.h"
#include "visit/agent_matcher.h"

using namespace footfall;

namespace {

// --- the matcher, on a table of its own ------------------------------------------------------------------------------

constexpr AgentPattern kPatterns[] = {
    {"ExampleBot/", "", BotClass::search_crawler, 1, false, false},
    {"fetcher", "", BotClass::http_client, 9, true, false},
    {"Ends Here", "", BotClass::monitoring, 5, false, true},
    {"Spider", "example.com", BotClass::ai_crawler, 2, false, false},
    {"Two", "parts", BotClass::seo_crawler, 3, true, true},
    {"ds9", "", BotClass::seo_crawler, 3, false, false},
};
const AgentMatcher matcher(kPatterns);

void expect_class(BotClass actual, BotClass expected) { expect_text(bot_class_name(actual), bot_class_name(expected)); }
void expect_matched(std::string_view agent, BotClass expected) { expect_class(matcher.classify(agent).bot, expected); }

void finds_a_text_anywhere_and_in_its_case_only(void**) {
  expect_matched("ExampleBot/1", BotClass::search_crawler);
  expect_matched("Mozilla/5.0 (compatible; ExampleBot/", BotClass::search_crawler);
  expect_matched("Mozilla/5.0 (compatible; ds9", BotClass::seo_crawler);
  expect_matched("Mozilla/5.0 (compatible; examplebot/1)", BotClass::none);
  expect_matched("ExampleBot", BotClass::none);
}

void respects_start_and_end(void**) {
  expect_matched("fetcher 7", BotClass::http_client);
  expect_matched("a fetcher 7", BotClass::none);
  expect_matched("It Ends Here", BotClass::monitoring);
  expect_matched("It Ends Here not", BotClass::none);
  expect_matched("Ends Here, and Ends Here", BotClass::monitoring);
  expect_matched("Two of many parts", BotClass::seo_crawler);
  expect_matched("Two of many parts more", BotClass::none);
}

void asks_for_the_second_text_behind_the_first(void**) {
  expect_matched("Spider (+https://example.com)", BotClass::ai_crawler);
  expect_matched("https://example.com Spider", BotClass::none);
}

void takes_the_lowest_rank_of_all_that_hold(void**) {
  expect_matched("fetcher for ExampleBot/2", BotClass::search_crawler);
  expect_matched("ds9 ExampleBot/2", BotClass::search_crawler);
}

void knows_short_and_hostile_agents(void**) {
  expect_matched("", BotClass::no_user_agent);
  expect_matched("d", BotClass::none);
  expect_matched("ds", BotClass::none);
  expect_matched(std::string_view("\0\xff\xfe ds9\0", 8), BotClass::seo_crawler);
  expect_class(classify_empty_agent("").bot, BotClass::no_user_agent);
  expect_class(classify_empty_agent("curl/8").bot, BotClass::none);
}

void the_longest_of_equal_rank_names_it(void**) {
  static constexpr AgentPattern kNamed[] = {
      {"Example", "", BotClass::seo_crawler, 3, false, false, "Example", 16},
      {"ExampleBot", "", BotClass::seo_crawler, 3, false, false, "ExampleBot", 17},
      {"Ex.", "", BotClass::http_client, 2, false, false, "Ex", 18},
  };
  static const AgentMatcher named(kNamed);
  expect_text(named.classify("ExampleBot/1").reason, "ExampleBot");
  expect_text(named.classify("Example/1 ExampleBot/1").reason, "ExampleBot");
  expect_text(named.classify("ExampleBot/1 Ex.").reason, "Ex");
  assert_int_equal(named.classify("Example/1").number, 16);
  expect_text(named.classify("").reason, "no user agent");
  expect_text(named.classify("Mozilla").reason, "");
}

void names_every_class(void**) {
  expect_text(bot_class_name(BotClass::none), "none");
  expect_text(bot_class_name(BotClass::ai_assistant), "ai_assistant");
  expect_text(bot_class_name(BotClass::no_user_agent), "no_user_agent");
  expect_text(bot_class_name(BotClass::own_flag), "own_flag");
  expect_text(bot_class_name(static_cast<BotClass>(200)), "none");
}

// --- the generated table
// ----------------------------------------------------------------------------------------------

#ifdef FOOTFALL_BOT_INSTANCES

struct Share {
  int found = 0;
  int all = 0;
  double ratio() const { return all == 0 ? 0 : static_cast<double>(found) / all; }
};

// `show`: print the agents of this outcome, few as they are.
Share share_of_bots(const char* file, bool show) {
  Share share;
  std::ifstream lines(file);
  for (std::string agent; std::getline(lines, agent);) {
    if (agent.starts_with("# ")) continue;
    const bool found = classify_agent(agent).bot != BotClass::none;
    share.found += found, ++share.all;
    if (found == show) print_message("# %s: %s\n", found ? "taken for a bot" : "not found", agent.c_str());
  }
  return share;
}

void finds_98_percent_of_the_lists_own_agents(void**) {
  const Share share = share_of_bots(FOOTFALL_BOT_INSTANCES, false);
  print_message("# the list's own agents: %d of %d found, %.2f %%\n", share.found, share.all, 100 * share.ratio());
  assert_true(share.all > 1500);
  assert_true(share.ratio() >= 0.98);
}

void takes_at_most_3_browsers_in_1000_for_bots(void**) {
  const Share share = share_of_bots(FOOTFALL_SOURCE_DIR "/t/data/browsers.txt", true);
  print_message("# browsers: %d of %d taken for bots, %.2f %%\n", share.found, share.all, 100 * share.ratio());
  assert_true(share.all > 100);
  assert_true(share.ratio() <= 0.003);
}

void names_agents_as_people_do(void**) {
  const struct {
    const char *agent, *name;
  } cases[] = {
      {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"},
      {"Googlebot-Image/1.0", "Googlebot-Image"},
      {"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bingbot"},
      {"curl/7.88.1", "curl"},
      {"Wget/1.21.3", "Wget"},
      {"python-requests/2.31.0", "python-requests"},
      {"Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "ClaudeBot"},
      {"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookexternalhit"},
      {"<script>alert(1)</script>\"=1+1 Googlebot/2.1", "Googlebot"},
  };
  for (const auto& each : cases) expect_text(classify_agent(each.agent).reason, each.name);
}

// Agents that a large network of sites saw lately: npm's user-agents, a JSON list of objects with `userAgent`.
std::set<std::string> browsers_seen() {
  std::ifstream file(FOOTFALL_BROWSERS_SEEN);
  const std::string json((std::istreambuf_iterator<char>(file)), {});
  rapidjson::Document all;
  all.Parse(json.data(), json.size());
  std::set<std::string> agents;
  if (!all.IsArray()) return agents;
  for (const rapidjson::Value& each : all.GetArray()) agents.insert(each["userAgent"].GetString());
  return agents;
}

void takes_at_most_3_seen_browsers_in_1000_for_bots(void**) {
  static Share share;
  for (const std::string& agent : browsers_seen()) {
    const BotVerdict verdict = classify_agent(agent);
    share.found += verdict.bot != BotClass::none, ++share.all;
    if (verdict.bot != BotClass::none)
      print_message("# taken for %.*s: %s\n", static_cast<int>(verdict.reason.size()), verdict.reason.data(), agent.c_str());
  }
  print_message("# browsers seen: %d of %d taken for bots, %.2f %%\n", share.found, share.all, 100 * share.ratio());
  assert_true(share.all > 500);
  assert_true(share.ratio() <= 0.003);
}

void tells_the_classes_apart(void**) {
  const struct {
    const char* agent;
    BotClass bot;
  } cases[] = {
      {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", BotClass::search_crawler},
      {"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", BotClass::search_crawler},
      {"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
       BotClass::ai_crawler},
      {"Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", BotClass::ai_crawler},
      {"Mozilla/5.0 (compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot)", BotClass::ai_search},
      {"Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)", BotClass::ai_search},
      {"Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)", BotClass::ai_assistant},
      {"Mozilla/5.0 (compatible; Claude-User/1.0; +Claude-User@anthropic.com)", BotClass::ai_assistant},
      {"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", BotClass::seo_crawler},
      {"Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", BotClass::seo_crawler},
      {"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", BotClass::social_preview},
      {"WhatsApp/2.23.20.0", BotClass::social_preview},
      {"Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", BotClass::monitoring},
      {"curl/7.88.1", BotClass::http_client},
      {"Wget/1.21.3", BotClass::http_client},
      {"python-requests/2.31.0", BotClass::http_client},
      {"Go-http-client/1.1", BotClass::http_client},
      {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
       BotClass::headless_browser},
      {"", BotClass::no_user_agent},
      {"Viber", BotClass::social_preview},
      {"Fetch/2.0a (CMS Detection/Web/SEO analysis tool, see http://guess.scritch.org)", BotClass::seo_crawler},
      {"MozacFetch/124.0.20240308131505", BotClass::none},  // Firefox for Android by itself
      {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", BotClass::none},
      {"Mozilla/5.0 (Linux; Android 4.1.1; HTC Butterfly Build/JRO03C) Chrome/30.0.1599.82 Mobile", BotClass::none},
  };
  for (const auto& each : cases) expect_class(classify_agent(each.agent).bot, each.bot);
}

#endif

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(finds_a_text_anywhere_and_in_its_case_only),
      cmocka_unit_test(respects_start_and_end),
      cmocka_unit_test(asks_for_the_second_text_behind_the_first),
      cmocka_unit_test(takes_the_lowest_rank_of_all_that_hold),
      cmocka_unit_test(knows_short_and_hostile_agents),
      cmocka_unit_test(the_longest_of_equal_rank_names_it),
      cmocka_unit_test(names_every_class),
#ifdef FOOTFALL_BOT_INSTANCES
      cmocka_unit_test(finds_98_percent_of_the_lists_own_agents),
      cmocka_unit_test(takes_at_most_3_browsers_in_1000_for_bots),
      cmocka_unit_test(takes_at_most_3_seen_browsers_in_1000_for_bots),
      cmocka_unit_test(names_agents_as_people_do),
      cmocka_unit_test(tells_the_classes_apart),
#endif
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
