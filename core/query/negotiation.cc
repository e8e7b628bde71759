#include "query/negotiation.h"

#include <algorithm>
#include <string>

#include "hit/text.h"

namespace footfall {
namespace {

// Takes the part up to the next separator off `rest`, quoted strings being whole; the separator goes with it.
std::string_view take_part(std::string_view& rest, char separator) {
  bool is_quoted = false;
  size_t end = 0;
  for (; end < rest.size() && (is_quoted || rest[end] != separator); ++end) is_quoted ^= rest[end] == '"';
  const std::string_view part = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::string lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_ascii(c);
  return lower;
}

struct MediaType {
  std::string_view type, subtype;
  ReportFormat format;
};

// The first of a format is what it is sent as.
constexpr MediaType kMediaTypes[] = {
    {"application", "json", ReportFormat::json},
    {"text", "csv", ReportFormat::csv},
    {"application", "x-protobuf", ReportFormat::pb},
    {"application", "protobuf", ReportFormat::pb},
    {"application", "vnd.google.protobuf", ReportFormat::pb},
};

constexpr int kWeightOne = 1000;

// How closely a range names a type; 0: not at all.
int closeness(const MediaType& media, std::string_view type, std::string_view subtype) {
  if (type == "*") return subtype == "*" ? 1 : 0;
  if (type != media.type) return 0;
  return subtype == "*" ? 2 : subtype == media.subtype ? 3 : 0;
}

// `0.8` in thousandths; further digits do not count. What is no weight is as if there were none: 1.
int weight_of(std::string_view text) {
  if (text.empty() || text[0] != '0') return kWeightOne;
  if (text.size() > 1 && text[1] != '.') return kWeightOne;
  int weight = 0, digit_worth = 100;
  for (const char c : text.substr(std::min<size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return kWeightOne;
    weight += (c - '0') * digit_worth;
    digit_worth /= 10;
  }
  return weight;
}

struct Liking {
  int closeness = 0;
  int weight = 0;

  void hear(int heard_closeness, int heard_weight) {
    if (heard_closeness > closeness || (heard_closeness == closeness && heard_weight > weight))
      *this = {heard_closeness, heard_weight};
  }
  bool operator>(const Liking& other) const {
    return weight != other.weight ? weight > other.weight : closeness > other.closeness;
  }
};

}  // namespace

std::optional<ReportFormat> find_format(std::string_view name) {
  const auto found = std::find(kFormatNames.begin(), kFormatNames.end(), name);
  if (found == kFormatNames.end()) return std::nullopt;
  return static_cast<ReportFormat>(found - kFormatNames.begin());
}

std::string_view content_type_of(ReportFormat format) {
  switch (format) {
    case ReportFormat::csv:
      return "text/csv; charset=utf-8; header=present";
    case ReportFormat::pb:
      return "application/x-protobuf";
    case ReportFormat::json:
      break;
  }
  return "application/json; charset=utf-8";
}

ReportFormat accepted_format(std::string_view accept) {
  std::array<Liking, std::size(kMediaTypes)> likings;
  for (std::string_view rest = accept; !rest.empty();) {
    std::string_view parameters = take_part(rest, ',');
    const std::string range = lower(take_part(parameters, ';'));
    int weight = kWeightOne;
    while (!parameters.empty()) {
      const std::string parameter = lower(take_part(parameters, ';'));
      if (parameter.starts_with("q=")) weight = weight_of(std::string_view(parameter).substr(2));
    }
    const size_t slash = range.find('/');
    if (slash == std::string::npos) continue;
    const std::string_view type = std::string_view(range).substr(0, slash);
    const std::string_view subtype = std::string_view(range).substr(slash + 1);
    for (size_t i = 0; i < likings.size(); ++i)
      if (const int close = closeness(kMediaTypes[i], type, subtype); close > 0) likings[i].hear(close, weight);
  }
  Liking best;  // of weight 0: refused
  ReportFormat format = ReportFormat::json;
  for (size_t i = 0; i < likings.size(); ++i)
    if (likings[i].weight > 0 && likings[i] > best) best = likings[i], format = kMediaTypes[i].format;
  return format;
}

bool is_listed(std::string_view if_none_match, std::string_view etag) {
  const auto opaque = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  if (trim(if_none_match) == "*") return true;
  while (!if_none_match.empty())
    if (opaque(take_part(if_none_match, ',')) == opaque(etag)) return true;
  return false;
}

}  // namespace footfall
