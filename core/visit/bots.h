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

using AgentClassifier = BotClass (*)(std::string_view agent);

// An empty agent is no_user_agent. Needs the target footfall_bot_table.
BotClass classify_agent(std::string_view agent);

// The classifier where no table is linked: knows the empty agent alone.
BotClass classify_empty_agent(std::string_view agent);

}  // namespace footfall
