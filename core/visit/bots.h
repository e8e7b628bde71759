// Classes of bots, and the classifier by user agent. Most of the code takes an AgentClassifier; only what links the
// target footfall_bot_table has classify_agent, whose table is made at build time.
#pragma once

#include <cstdint>
#include <string_view>

namespace footfall {

// Numbers are stored.
enum class BotClass : uint8_t {
  none = 0,  // a browser, or nothing known
  search_crawler = 1,
  ai_crawler = 2,    // gathers for training
  ai_search = 3,     // indexes for an assistant's search
  ai_assistant = 4,  // fetches because somebody asked just now
  seo_crawler = 5,
  social_preview = 6,
  monitoring = 7,
  http_client = 8,
  headless_browser = 9,
  no_user_agent = 10,
  behaviour = 11,  // told by what it did
  own_flag = 12,   // told by the shop
};
inline constexpr unsigned kBotClasses = 13;

// `search_crawler`, …; `none`.
std::string_view bot_class_name(BotClass bot);

// What a visitor did that no person does; from that hit on. Numbers are stored.
enum class Behaviour : uint8_t {
  none = 0,
  robots_txt = 1,
  too_many_pages = 2,
  referrer_spam = 3,
  not_told = 7,  // noted by a version that did not tell which
};

// A class and why, as the ledger tells it.
struct BotVerdict {
  BotClass bot = BotClass::none;
  uint16_t number = 0;      // of the reason: no other of this class has it; not stored
  std::string_view reason;  // `Googlebot`, `robots.txt`; empty: no bot. Lives as long as the program
};
inline constexpr uint16_t kAgentReasonsFrom = 16;  // numbers of agents' names; those below are fixed ones

BotVerdict verdict_of(Behaviour behaviour);
BotVerdict verdict_of_own_flag();

using AgentClassifier = BotVerdict (*)(std::string_view agent);

// An empty agent is no_user_agent. Needs the target footfall_bot_table.
BotVerdict classify_agent(std::string_view agent);

// The classifier where no table is linked: knows the empty agent alone.
BotVerdict classify_empty_agent(std::string_view agent);

}  // namespace footfall
