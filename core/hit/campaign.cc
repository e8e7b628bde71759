#include "hit/campaign.h"

#include <array>

#include "base/limits.h"
#include "hit/url.h"

namespace footfall {
namespace {

// What may name a part of a touch, the stronger first where several name the same.
struct CampaignArgument {
  std::string_view name;
  std::string_view Hit::*field;
};
constexpr CampaignArgument kCampaignArguments[] = {
    {"utm_source", &Hit::source},
    {"source", &Hit::source},
    {"ref", &Hit::source},
    {"utm_medium", &Hit::medium},
    {"utm_campaign", &Hit::campaign},
    {"utm_id", &Hit::campaign},
    {"utm_term", &Hit::term},
    {"utm_content", &Hit::content_label},
};
constexpr size_t kCampaignArgumentCount = std::size(kCampaignArguments);

struct ClickIdArgument {
  std::string_view name;
  ClickId kind;
};
constexpr ClickIdArgument kClickIdArguments[] = {
    {"gclid", ClickId::gclid},           {"gbraid", ClickId::gbraid}, {"wbraid", ClickId::wbraid},
    {"gad_source", ClickId::gad_source}, {"dclid", ClickId::dclid},   {"msclkid", ClickId::msclkid},
    {"fbclid", ClickId::fbclid},         {"ttclid", ClickId::ttclid}, {"twclid", ClickId::twclid},
    {"li_fat_id", ClickId::li_fat_id},   {"yclid", ClickId::yclid},
};

constexpr std::string_view kUtmPrefix = "utm_";

using CampaignValues = std::array<std::string_view, kCampaignArgumentCount>;

void take_argument(std::string_view name, std::string_view value, CampaignValues& values, Hit& hit) {
  if (name.starts_with(kUtmPrefix) && name.size() > kUtmPrefix.size()) hit.flags |= kHitHasUtm;
  for (size_t at = 0; at < kCampaignArgumentCount; ++at) {
    if (name == kCampaignArguments[at].name && values[at].empty()) values[at] = value;
  }
  for (const ClickIdArgument& argument : kClickIdArguments) {
    if (name == argument.name) hit.click_ids |= click_id_bit(argument.kind);
  }
}

}  // namespace

void read_campaign(std::string_view query, TextArena& arena, Hit& hit) {
  CampaignValues values;
  QueryReader arguments(query);
  while (arguments.next()) {
    const ArgumentName name(arguments.raw_name());
    const size_t before = arena.size();
    const std::string_view value = argument_value(arguments.raw_value(), arena);
    if (!value.empty()) take_argument(name, value, values, hit);
    // What no campaign argument holds on to need not fill the arena.
    bool held = false;
    for (const std::string_view taken : values) held |= !value.empty() && taken.data() == value.data();
    if (!held) arena.rewind(before);
  }

  bool marred = false;
  for (size_t at = 0; at < kCampaignArgumentCount; ++at) {
    std::string_view& field = hit.*kCampaignArguments[at].field;
    if (field.empty()) field = clean_text(values[at], kCampaignFieldBytesMax, arena, marred);
  }
  hit.source = lower_ascii(hit.source, arena);
  hit.medium = lower_ascii(hit.medium, arena);
  if (marred) hit.flags |= kHitFieldCut;
}

}  // namespace footfall
