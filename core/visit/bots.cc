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

BotVerdict verdict_of(Behaviour behaviour) {
  const auto because = [&](std::string_view reason) {
    return BotVerdict{BotClass::behaviour, static_cast<uint16_t>(behaviour), reason};
  };
  switch (behaviour) {
    case Behaviour::none:
      return {};
    case Behaviour::robots_txt:
      return because("robots.txt");
    case Behaviour::too_many_pages:
      return because("too many pages");
    case Behaviour::referrer_spam:
      return because("referrer spam");
    case Behaviour::not_told:
      break;
  }
  return because("not told");
}

BotVerdict verdict_of_own_flag() { return {BotClass::own_flag, 0, "own flag"}; }

BotVerdict classify_empty_agent(std::string_view agent) {
  return agent.empty() ? BotVerdict{BotClass::no_user_agent, 0, "no user agent"} : BotVerdict();
}

}  // namespace footfall
