#include "hit/campaign.h"

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "hit/byte_block.h"
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

// What any of these names begins with: most arguments are none of them.
constexpr ByteSet first_letters() {
  ByteSet letters("");
  for (const CampaignArgument& argument : kCampaignArguments) letters.add(argument.name.substr(0, 1));
  for (const ClickIdArgument& argument : kClickIdArguments) letters.add(argument.name.substr(0, 1));
  return letters;
}
constexpr ByteSet kFirstLetters = first_letters();

using CampaignValues = std::array<std::string_view, kCampaignArgumentCount>;

// The place in kCampaignArguments, or past its end.
size_t campaign_place(std::string_view name) {
  size_t at = 0;
  while (at < kCampaignArgumentCount && name != kCampaignArguments[at].name) ++at;
  return at;
}

uint32_t click_id_bits(std::string_view name) {
  for (const ClickIdArgument& argument : kClickIdArguments)
    if (name == argument.name) return click_id_bit(argument.kind);
  return 0;
}

// Most queries have nothing to decode, and that is seen at once.
bool has_escapes(std::string_view query) {
  if (query.size() < kByteBlock) return ByteSet("%+").find(query) < query.size();
  return !none_of_blocks(query.data(), query.size(), [](const char* from) {
    const ByteBlock block = load_block(from);
    return (block == '%') | (block == '+');
  });
}

constexpr std::string_view Hit::*kFields[] = {&Hit::source, &Hit::medium, &Hit::campaign, &Hit::content_label, &Hit::term};

}  // namespace

bool read_campaign(std::string_view query, TextArena& arena, Hit& hit) {
  if (query.empty()) return true;
  CampaignValues values;
  QueryReader arguments(query);
  const bool is_plain = !has_escapes(query);
  bool all_kept = true;
  while (arguments.next()) {
    std::optional<ArgumentName> decoded;
    const std::string_view name = is_plain ? arguments.raw_name() : decoded.emplace(arguments.raw_name());
    if (name.empty() || !kFirstLetters.has(name.front())) {
      all_kept = false;
      continue;
    }
    const bool is_utm = name.size() > kUtmPrefix.size() && name.starts_with(kUtmPrefix);
    const size_t place = campaign_place(name);
    const uint32_t click_ids = is_utm ? 0 : click_id_bits(name);
    if (!is_utm && place == kCampaignArgumentCount && click_ids == 0) {
      all_kept = false;
      continue;
    }

    const size_t before = arena.size();
    const std::string_view value =
        is_plain ? trim(arguments.raw_value()) : argument_value(arguments.raw_value(), arena);
    if (!value.empty()) {
      if (is_utm) hit.flags |= kHitHasUtm;
      hit.click_ids |= click_ids;
    }
    if (!value.empty() && place < kCampaignArgumentCount && values[place].empty()) {
      values[place] = value;
    } else {
      all_kept &= value.empty();
      arena.rewind(before);  // nobody holds on to it
    }
  }

  bool marred = false;
  for (size_t at = 0; at < kCampaignArgumentCount; ++at) {
    std::string_view& field = hit.*kCampaignArguments[at].field;
    if (values[at].empty()) continue;
    if (!field.empty()) {
      all_kept = false;  // a stronger one names it
      continue;
    }
    field = clean_text(values[at], kCampaignFieldBytesMax, arena, marred);
  }
  hit.source = lower_ascii(hit.source, arena);
  hit.medium = lower_ascii(hit.medium, arena);
  if (marred) hit.flags |= kHitFieldCut;
  return all_kept && !marred;
}

bool CampaignReader::pack(const Hit& hit, Campaign& to) {
  size_t end = 0;
  for (size_t at = 0; at < std::size(kFields); ++at) {
    const std::string_view field = hit.*kFields[at];
    if (field.size() > to.text.size() - end) return false;
    std::copy(field.begin(), field.end(), to.text.begin() + end);
    to.bytes[at] = static_cast<uint16_t>(field.size());
    end += field.size();
  }
  to.flags = hit.flags & kHitHasUtm;
  return true;
}

void CampaignReader::read(std::string_view query, TextArena& arena, Hit& hit) {
  if (query.empty()) return;
  if (!campaigns_.takes(query)) {
    read_campaign(query, arena, hit);
    return;
  }
  if (const Campaign* known = campaigns_.find(query)) {
    const char* from = known->text.data();
    for (size_t at = 0; at < std::size(kFields); ++at) {
      hit.*kFields[at] = {from, known->bytes[at]};
      from += known->bytes[at];
    }
    hit.flags |= known->flags;
    return;
  }
  Campaign campaign;
  if (read_campaign(query, arena, hit) && pack(hit, campaign)) campaigns_.put(query, campaign);
}

}  // namespace footfall
