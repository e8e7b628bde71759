#include "dashboard/html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace footfall {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

template <class... Args>
std::string print(const char* format, Args... args) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, format, args...);
  return {text, static_cast<size_t>(length < 0 ? 0 : length)};
}

// 1234567.89 as 1,234,567.89; the digits stay what the report spelt.
std::string group_digits(std::string_view number) {
  const size_t sign = number.starts_with('-') ? 1 : 0;
  const size_t end = std::min(number.find_first_not_of("0123456789", sign), number.size());
  std::string grouped(number.substr(0, sign));
  for (size_t i = sign; i < end; ++i) {
    if (i > sign && (end - i) % 3 == 0) grouped += ',';
    grouped += number[i];
  }
  return grouped.append(number.substr(end));
}

std::string show_seconds(const std::string& text) {
  const long seconds = std::lround(std::strtod(text.c_str(), nullptr));
  if (seconds < 60) return print("%ld s", seconds);
  return print("%ld min %02ld s", seconds / 60, seconds % 60);
}

// 2026-10-01T14:00:00+02:00 as 14:00, a date alone as it is.
std::string_view show_time(std::string_view text) {
  const size_t clock = text.find('T');
  return clock != std::string_view::npos && text.size() >= clock + 6 ? text.substr(clock + 1, 5) : text;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

std::string escape_url(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += print("%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

std::string unescape_url(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string argument_of(std::string_view arguments, std::string_view name) {
  while (!arguments.empty()) {
    const std::string_view pair = arguments.substr(0, arguments.find('&'));
    arguments.remove_prefix(std::min(pair.size() + 1, arguments.size()));
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return unescape_url(pair.substr(equals + 1));
  }
  return {};
}

std::string show_cell(const Cell& cell, const Column& column) {
  if (cell.kind == Cell::Kind::null) return "–";
  switch (column.type) {
    case ColumnType::ratio:
      return print("%.1f %%", std::strtod(cell.text.c_str(), nullptr) * 100);
    case ColumnType::seconds:
      return show_seconds(cell.text);
    case ColumnType::money:
    case ColumnType::integer:
    case ColumnType::decimal:
      return escape_html(group_digits(cell.text));
    case ColumnType::time:
      return escape_html(show_time(cell.text));
    case ColumnType::string:
      break;
  }
  return escape_html(cell.text);
}

std::string show_age(int64_t ms) {
  const long seconds = static_cast<long>(ms < 0 ? 0 : ms / 1000);
  if (seconds < 120) return print("%ld s", seconds);
  if (seconds < 2 * 3600) return print("%ld min", seconds / 60);
  if (seconds < 2 * 86400) return print("%ld h", seconds / 3600);
  return print("%ld days", seconds / 86400);
}

int64_t parse_instant_ms(std::string_view text) {
  std::tm fields{};
  const std::string copy(text.substr(0, 19));
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &fields.tm_year, &fields.tm_mon, &fields.tm_mday,
                  &fields.tm_hour, &fields.tm_min, &fields.tm_sec) != 6) {
    return -1;
  }
  fields.tm_year -= 1900;
  fields.tm_mon -= 1;
  return static_cast<int64_t>(timegm(&fields)) * 1000;
}

}  // namespace footfall
