#include "visit/bots.h"

namespace footfall {

std::string_view bot_class_name(BotClass bot) {
  constexpr std::string_view kNames[kBotClasses] = {"none",         "search_crawler",   "ai_crawler",     "ai_search",
                                                    "ai_assistant", "seo_crawler",      "social_preview", "monitoring",
                                                    "http_client",  "headless_browser", "no_user_agent",  "behaviour",
                                                    "own_flag"};
  const auto number = static_cast<unsigned>(bot);
  return number < kBotClasses ? kNames[number] : "none";
}

BotClass classify_empty_agent(std::string_view agent) {
  return agent.empty() ? BotClass::no_user_agent : BotClass::none;
}

}  // namespace footfall
