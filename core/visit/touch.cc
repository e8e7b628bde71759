#include "visit/touch.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

#include "hit/text.h"

namespace footfall {
namespace {

// The name that a click id stands for where nothing else names the source. gbraid, wbraid, gad_source and dclid name
// none.
constexpr std::pair<ClickId, std::string_view> kClickSources[] = {
    {ClickId::gclid, "google"},  {ClickId::msclkid, "bing"}, {ClickId::fbclid, "facebook"},
    {ClickId::ttclid, "tiktok"}, {ClickId::twclid, "x"},     {ClickId::li_fat_id, "linkedin"},
    {ClickId::yclid, "yandex"},
};

std::string_view click_source(uint32_t click_ids) {
  for (const auto& [id, source] : kClickSources) {
    if (click_ids & click_id_bit(id)) return source;
  }
  return {};
}

// The first that is there.
std::string_view first_of(std::initializer_list<std::string_view> candidates) {
  for (const std::string_view candidate : candidates) {
    if (!candidate.empty()) return candidate;
  }
  return {};
}

// Digits of a dotted quad's first two parts; false: the host is no IPv4 literal.
bool leading_octets(std::string_view host, unsigned& first, unsigned& second) {
  unsigned parts[4] = {}, part = 0, digits = 0;
  for (const char c : host) {
    if (c == '.') {
      if (digits == 0 || ++part > 3) return false;
      digits = 0;
    } else if (c >= '0' && c <= '9' && ++digits <= 3) {
      parts[part] = parts[part] * 10 + static_cast<unsigned>(c - '0');
    } else {
      return false;
    }
  }
  if (part != 3 || digits == 0) return false;
  first = parts[0], second = parts[1];
  return true;
}

// localhost, and literals of loopback, private and link-local addresses: machines of the shop, not of the world.
bool is_local(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  if (host.find(':') != std::string_view::npos) {
    if (host.starts_with("[")) host.remove_prefix(1);
    if (host.ends_with("]")) host.remove_suffix(1);
    return host == "::1" || host == "::" || host.starts_with("fc") || host.starts_with("fd") || host.starts_with("fe8");
  }
  unsigned first = 0, second = 0;
  if (!leading_octets(host, first, second)) return false;
  return first == 0 || first == 10 || first == 127 || (first == 169 && second == 254) ||
         (first == 172 && second >= 16 && second <= 31) || (first == 192 && second == 168);
}

bool is_any_or_below(const std::vector<std::string>& hosts, std::string_view host) {
  return std::any_of(hosts.begin(), hosts.end(),
                     [host](const std::string& above) { return is_host_or_below(host, above); });
}

}  // namespace

// 0 stands for none, so a hash of 0 becomes 1.
uint64_t carried_arguments(const Hit& hit) {
  if (!hit.has_campaign()) return 0;
  std::string all;
  BytesWriter to(all);
  to.text16(hit.source).text16(hit.medium).text16(hit.campaign).text16(hit.content_label).text16(hit.term);
  return std::max<uint64_t>(1, XXH3_64bits(all.data(), all.size()));
}

bool is_same_code(std::string_view left, std::string_view right) { return equal_ignoring_case(left, right); }

TouchReader::TouchReader(const SiteConfig& site)
    : own_hosts_(site.hosts), payment_hosts_(site.payment_hosts), rules_(site.channels) {}

bool TouchReader::is_own(std::string_view host) const { return is_local(host) || is_any_or_below(own_hosts_, host); }

TouchReader::Referrer TouchReader::referrer_of(const Hit& hit) const {
  const std::string_view host = hit.referrer_host;
  if (host.empty() || (hit.flags & kHitReferrerOwn) || is_own(host) || is_any_or_below(payment_hosts_, host)) return {};
  const KnownSource* known = find_host(host);
  if (known != nullptr && known->kind == SourceKind::payment) return {};
  return {host, known};
}

Touch TouchReader::first_touch(const Hit& hit, const CodeArrival& by) const { return touch_of(hit, by, referrer_of(hit)); }

Touch TouchReader::touch_of(const Hit& hit, const CodeArrival& by, const Referrer& came_from) const {
  const std::string_view referrer = came_from.host;
  const bool has_code = by.code != nullptr;
  const std::string_view code_source = has_code ? first_of({by.code->source, by.code->code}) : "";

  Touch touch;
  touch.time_ms = hit.time_ms;
  touch.source =
      first_of({code_source, hit.source, came_from.name(), click_source(hit.click_ids), kDirectSource});
  touch.medium = first_of({by.medium, hit.medium});
  touch.campaign = first_of({has_code ? std::string_view(by.code->campaign) : "", hit.campaign});
  touch.content_label = hit.content_label;
  touch.term = first_of({hit.term, referrer.empty() ? std::string_view() : hit.referrer_term});
  touch.code = has_code ? by.code->code : "";
  touch.referrer_host = referrer;
  if (!referrer.empty()) touch.referrer.assign(referrer).append(hit.referrer_path);
  touch.carried_arguments = carried_arguments(hit);
  // The page that it leads to brings nothing new.
  if (touch.carried_arguments == 0) touch.carried_arguments = by.target_arguments;

  const Arrival arrival{.source = touch.source,
                        .medium = touch.medium,
                        .campaign = touch.campaign,
                        .referrer_host = referrer,
                        .code_channel = has_code ? std::string_view(by.code->channel) : "",
                        .click_ids = hit.click_ids,
                        .has_campaign = hit.has_campaign(),
                        .has_utm = (hit.flags & kHitHasUtm) != 0};
  touch.channel = channel_of(arrival, rules_);
  return touch;
}

Touch TouchReader::touch_of_code(const CodeConfig& code, int64_t time_ms) const {
  Hit hit;
  hit.time_ms = time_ms;
  return first_touch(hit, {&code, "", 0});
}

std::optional<Touch> TouchReader::further_touch(const Hit& hit, const Touch& last, const CodeArrival& by) const {
  const auto carries_other_arguments = [&] {
    return hit.has_campaign() && carried_arguments(hit) != last.carried_arguments;
  };
  const auto comes_by_other_code = [&] { return by.code != nullptr && !is_same_code(by.code->code, last.code); };
  // Mostly it is the host of the page before, whatever it is known as.
  const bool has_other_host = hit.referrer_host != last.referrer_host;
  const bool is_another = comes_by_other_code() || carries_other_arguments();
  if (!is_another && !has_other_host) return std::nullopt;
  const Referrer referrer = referrer_of(hit);
  if (!is_another && referrer.host.empty()) return std::nullopt;
  return touch_of(hit, by, referrer);
}

// touch: channel u8 (1 + place in the table; 0: a text follows) | parts u16 (bit per part that is there) | time u64
//        | [carried u64] | [channel text16] | texts text16…, in the order of kTexts
namespace {

struct TextPart {
  std::string Touch::*text;
  unsigned bit;
};
constexpr TextPart kTexts[] = {{&Touch::source, 0}, {&Touch::medium, 1},        {&Touch::campaign, 2},
                               {&Touch::content_label, 3}, {&Touch::term, 4},   {&Touch::code, 5},
                               {&Touch::referrer_host, 6}, {&Touch::referrer, 8}};
constexpr unsigned kCarriedBit = 7;
constexpr unsigned kPartsKnown = (1u << 9) - 1;

// A part is left out where it says what it says in a touch of which nothing is known.
bool is_absent(const Touch& touch, const TextPart& part) {
  const std::string& text = touch.*part.text;
  return part.text == &Touch::source ? text == kDirectSource : text.empty();
}

uint8_t channel_number(std::string_view channel) {
  const auto channels = table_channels();
  const auto found = std::find(channels.begin(), channels.end(), channel);
  return found == channels.end() ? 0 : static_cast<uint8_t>(found - channels.begin() + 1);
}

}  // namespace

void encode_touch(const Touch& touch, BytesWriter& to) {
  unsigned parts = touch.carried_arguments != 0 ? 1u << kCarriedBit : 0;
  for (const TextPart& part : kTexts) {
    if (!is_absent(touch, part)) parts |= 1u << part.bit;
  }
  const uint8_t channel = channel_number(touch.channel);
  to.u8(channel).le16(static_cast<uint16_t>(parts)).le64(static_cast<uint64_t>(touch.time_ms));
  if (touch.carried_arguments != 0) to.le64(touch.carried_arguments);
  if (channel == 0) to.text16(touch.channel);
  for (const TextPart& part : kTexts) {
    if (parts & (1u << part.bit)) to.text16(touch.*part.text);
  }
}

bool decode_touch(BytesReader& from, Touch& to) {
  const auto channels = table_channels();
  const uint8_t channel = from.u8();
  const unsigned parts = from.le16();
  if (channel > channels.size() || parts > kPartsKnown) from.fail();
  to = Touch{};
  to.time_ms = static_cast<int64_t>(from.le64());
  if (parts & (1u << kCarriedBit)) to.carried_arguments = from.le64();
  if (channel == 0) to.channel = from.text16();
  if (channel != 0 && channel <= channels.size()) to.channel = channels[channel - 1];
  for (const TextPart& part : kTexts) {
    if (parts & (1u << part.bit)) to.*part.text = from.text16();
  }
  return from.ok();
}

}  // namespace footfall
