// line: day | site | channel | source | medium | campaign | content | term | code | cost_micros | currency | clicks |
//       impressions, with tabs between; empty: not told
//
// hit:  one event `marketing_spend`: item = day, id = channel, coupon = code, value and currency = cost; an item `clicks` and one
//       `impressions`, whose price is the count, where they were told. Source to term are the hit's own.
#include "credit/spend_hit.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>

namespace footfall {
namespace {

constexpr std::string_view kEventName = "marketing_spend";
constexpr std::string_view kClicks = "clicks", kImpressions = "impressions";
constexpr char kGap = '\t';
constexpr char kHeadSign = '#';

enum Field : size_t { day, site, channel, source, medium, campaign, content, term, code, cost, currency, clicks, impressions };
constexpr size_t kFields = 13;

std::optional<int64_t> number_of(std::string_view text) {
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::optional<absl::CivilDay> day_of(std::string_view text) {
  absl::CivilDay day;
  if (text.size() != 10 || !absl::ParseCivilTime(std::string(text), &day)) return std::nullopt;
  return day;
}

std::optional<std::array<std::string_view, kFields>> fields_of(std::string_view line) {
  std::array<std::string_view, kFields> fields;
  for (size_t at = 0; at < kFields; ++at) {
    const size_t end = line.find(kGap);
    if ((end == std::string_view::npos) != (at + 1 == kFields)) return std::nullopt;
    fields[at] = line.substr(0, end);
    line.remove_prefix(at + 1 == kFields ? line.size() : end + 1);
  }
  return fields;
}

}  // namespace

std::string spend_line(const ToldSpend& spend, std::string_view site) {
  const auto count = [](const std::optional<uint64_t>& number) { return number ? std::to_string(*number) : std::string(); };
  const SpendKey& key = spend.key;
  std::string line = absl::FormatCivilTime(spend.day);
  for (const std::string_view text : {site, std::string_view(key.channel), std::string_view(key.source), std::string_view(key.medium),
                                      std::string_view(key.campaign), std::string_view(key.content), std::string_view(key.term),
                                      std::string_view(key.code)})
    line.append(1, kGap).append(text);
  line.append(1, kGap).append(std::to_string(spend.amounts.cost_micros));
  line.append(1, kGap).append(spend.amounts.currency ? spend.amounts.currency->text() : std::string_view());
  line.append(1, kGap).append(count(spend.amounts.clicks)).append(1, kGap).append(count(spend.amounts.impressions));
  return line;
}

std::string spend_head_line(const Hash128& rows) {
  char text[40];
  std::snprintf(text, sizeof text, "%c%016llx%016llx", kHeadSign, static_cast<unsigned long long>(rows.high),
                static_cast<unsigned long long>(rows.low));
  return text;
}

int64_t spend_time_ms(absl::CivilDay day) { return ((day - absl::CivilDay(1970, 1, 1)) * 24 + 12) * 3'600'000; }

LineOutcome SpendLineReader::read(std::string_view line) {
  if (line.empty() || line.front() == kHeadSign) return LineOutcome::blank;
  const auto fields = fields_of(line);
  if (!fields) return LineOutcome::rejected;
  const auto told = [&](Field field) { return (*fields)[field]; };
  const std::optional<absl::CivilDay> on = day_of(told(day));
  const std::optional<int64_t> micros = number_of(told(cost));
  if (!on || !micros) return LineOutcome::rejected;
  Event event;
  event.name = kEventName;
  event.item = told(day);
  event.id = told(channel);
  event.coupon = told(code);
  event.has_value = true;
  event.value_micros = *micros;
  if (!told(currency).empty()) {
    const std::optional<Currency> parsed = parse_currency(told(currency));
    if (!parsed) return LineOutcome::rejected;
    event.currency = *parsed;
  }
  for (const auto& [field, name] : {std::pair(clicks, kClicks), std::pair(impressions, kImpressions)}) {
    if (told(field).empty()) continue;
    const std::optional<int64_t> count = number_of(told(field));
    if (!count) return LineOutcome::rejected;
    event.items.push_back({.id = name, .price_micros = *count});
  }
  hit_ = {};
  hit_.time_ms = spend_time_ms(*on);
  hit_.flags = kHitEventOnly | kHitSpend;
  hit_.path = "/";
  hit_.source = told(source), hit_.medium = told(medium), hit_.campaign = told(campaign);
  hit_.content_label = told(content), hit_.term = told(term);
  hit_.events.push_back(std::move(event));
  site_ = told(site);
  return LineOutcome::hit;
}

bool spend_of(const Hit& hit, ToldSpend& to) {
  if (hit.events.size() != 1 || hit.events.front().name != kEventName) return false;
  const Event& event = hit.events.front();
  const std::optional<absl::CivilDay> on = day_of(event.item);
  if (!on || !event.has_value || event.value_micros < 0) return false;
  to = {};
  to.day = *on;
  to.key = {.channel = std::string(event.id), .source = std::string(hit.source), .medium = std::string(hit.medium),
            .campaign = std::string(hit.campaign), .content = std::string(hit.content_label), .term = std::string(hit.term),
            .code = std::string(event.coupon)};
  to.amounts.cost_micros = event.value_micros;
  if (event.currency != Currency{}) to.amounts.currency = event.currency;
  for (const OrderItem& item : event.items) {
    if (item.price_micros < 0) return false;
    (item.id == kClicks ? to.amounts.clicks : to.amounts.impressions) = static_cast<uint64_t>(item.price_micros);
  }
  return true;
}

}  // namespace footfall
