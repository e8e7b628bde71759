#include "site/checks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/limits.h"

namespace footfall {
namespace {

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// 1..bytes_max letters, digits and others of `also`.
bool is_word(std::string_view text, std::string_view also, size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && std::all_of(text.begin(), text.end(), [also](char c) {
    return is_alnum(c) || also.find(c) != std::string_view::npos;
  });
}

// Printable ASCII without space, quotes and what a normalised path never holds.
bool is_path_text(std::string_view text) {
  return text.size() <= kPathBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < '\x7f' && std::string_view("\"'<>\\^`{|}#").find(c) == std::string_view::npos;
         });
}

constexpr size_t kCodeBytesMax = 64;
constexpr int kTrillionthDigits = 12;

}  // namespace

bool is_label(std::string_view text, size_t bytes_max) {
  if (text.empty() || text.size() > bytes_max || text.front() == ' ' || text.back() == ' ') return false;
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

bool is_site_name(std::string_view text) { return is_word(text, "._-:*", kSiteNameBytesMax); }

bool is_event_name(std::string_view text) { return is_word(text, "._-:", kEventNameBytesMax); }

bool is_argument_name(std::string_view text) {
  return is_label(text, 64) && text.find_first_of("&=#; ") == std::string_view::npos;
}

bool is_path(std::string_view text) { return text.starts_with('/') && is_path_text(text); }

bool is_path_pattern(std::string_view text) {
  return (text.starts_with('/') || text.starts_with('*')) && is_path_text(text);
}

// A host with or without a port, and nobody's name or password before it.
bool is_authority(std::string_view text) {
  const size_t colon = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const bool has_port = colon != std::string_view::npos;
  if (has_port && (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos)) return false;
  return normalised_host(text.substr(0, colon)).has_value();
}

bool is_target(std::string_view text) {
  const size_t mark = text.find('#');
  if (mark != std::string_view::npos) {
    if (!is_path_text(text.substr(mark + 1))) return false;
    text = text.substr(0, mark);
  }
  if (is_path(text)) return !text.starts_with("//");
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    return is_path_text(rest) && is_authority(rest.substr(0, rest.find_first_of("/?")));
  }
  return false;
}

bool is_code(std::string_view text) { return is_word(text, "._~-", kCodeBytesMax); }

std::optional<std::string> normalised_host(std::string_view text) {
  std::string host = lower_ascii(text);
  if (host.ends_with('.')) host.pop_back();
  if (host.starts_with("www.")) host.erase(0, 4);
  const bool is_six = host.starts_with('[') && host.ends_with(']');
  const std::string_view inner = is_six ? std::string_view(host).substr(1, host.size() - 2) : host;
  if (!is_word(inner, is_six ? ".:" : ".-_", kReferrerHostBytesMax)) return std::nullopt;
  if (inner.front() == '.' || inner.find("..") != std::string_view::npos) return std::nullopt;
  return host;
}

std::string plain_decimal(double value) {
  std::array<char, 400> text;  // 1e308 has 309 digits
  if (!std::isfinite(value)) return {};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
  return {text.data(), end};
}

std::optional<int64_t> parse_trillionths(std::string_view text) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  const auto digits = [](std::string_view t) {
    return std::all_of(t.begin(), t.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > 6 || !digits(whole) || !digits(fraction)) return std::nullopt;
  int64_t value = 0;
  for (const char c : whole) value = value * 10 + (c - '0');
  for (size_t i = 0; i < kTrillionthDigits; ++i) value = value * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  if (fraction.size() > kTrillionthDigits && fraction[kTrillionthDigits] >= '5') ++value;
  return value > 0 ? std::optional(value) : std::nullopt;
}

size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t changed = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[to.size()];
}

std::string lower_ascii(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace footfall
