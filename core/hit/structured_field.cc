#include "hit/structured_field.h"

#include <algorithm>

namespace footfall {
namespace {

constexpr size_t kIntegerDigitsMax = 15;
constexpr size_t kWholeDigitsMax = 12;  // of a decimal, before the point
constexpr size_t kFractionDigitsMax = 3;
constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~:/";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(lower_ascii(c)); }

bool begins_token(char c) { return is_letter(c) || c == '*'; }
bool goes_on_in_token(char c) { return is_letter(c) || is_digit(c) || kTokenMarks.find(c) != std::string_view::npos; }

bool begins_key(char c) { return is_lower(c) || c == '*'; }
bool goes_on_in_key(char c) { return begins_key(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }

template <class Belongs>
size_t run_length(std::string_view text, Belongs belongs) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), belongs) - text.begin());
}

size_t token_length(std::string_view text) {
  return text.empty() || !begins_token(text.front()) ? 0 : run_length(text, goes_on_in_token);
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Padding may be left out, as RFC 8941 advises to allow; `=` stands nowhere but at the end.
bool append_base64(std::string_view text, std::string& to) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      to.push_back(static_cast<char>(bits >> count & 0xFF));
    }
  }
  return true;
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && token_length(text) == text.size(); }

TokenList::TokenList(std::string_view header, TextArena& arena) : rest_(header), arena_(arena) {
  while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  while (rest_.ends_with(' ')) rest_.remove_suffix(1);
}

bool TokenList::take(char c) {
  if (!rest_.starts_with(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

std::string_view TokenList::take_first(size_t count) {
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

bool TokenList::next_member(std::string_view& token) {
  std::string_view key;
  BareItem value;
  while (next_parameter(key, value)) {
  }
  if (!ok_ || rest_.empty()) return false;

  if (!first_) {
    const auto skip_white_space = [this] {
      take_first(run_length(rest_, [](char c) { return c == ' ' || c == '\t'; }));
    };
    skip_white_space();
    if (rest_.empty()) return false;
    if (!take(',')) return fail();
    skip_white_space();
  }
  first_ = false;
  const size_t length = token_length(rest_);
  if (length == 0) return fail();
  token = take_first(length);
  return true;
}

bool TokenList::next_parameter(std::string_view& key, BareItem& value) {
  if (first_ || !take(';')) return false;
  while (take(' ')) {
  }
  if (rest_.empty() || !begins_key(rest_.front())) return fail();
  key = take_first(run_length(rest_, goes_on_in_key));
  value = {};
  return take('=') ? read_item(value) || fail() : true;
}

bool TokenList::read_item(BareItem& to) {
  if (rest_.empty()) return false;
  const char lead = rest_.front();
  if (lead == '-' || is_digit(lead)) return read_number(to);
  if (lead == '"') return read_string(to);
  if (lead == ':') return read_bytes(to);
  if (take('?')) {
    to.kind = BareItem::Kind::boolean;
    to.truth = rest_.starts_with('1');
    return take('1') || take('0');
  }
  to.kind = BareItem::Kind::token;
  to.text = take_first(token_length(rest_));
  return !to.text.empty();
}

bool TokenList::read_number(BareItem& to) {
  const size_t sign = rest_.starts_with('-') ? 1 : 0;
  const size_t whole = run_length(rest_.substr(sign), is_digit);
  if (whole == 0) return false;
  if (!rest_.substr(sign + whole).starts_with('.')) {
    to.kind = BareItem::Kind::integer;
    to.text = take_first(sign + whole);
    return whole <= kIntegerDigitsMax;
  }
  const size_t fraction = run_length(rest_.substr(sign + whole + 1), is_digit);
  to.kind = BareItem::Kind::decimal;
  to.text = take_first(sign + whole + 1 + fraction);
  return whole <= kWholeDigitsMax && fraction >= 1 && fraction <= kFractionDigitsMax;
}

bool TokenList::read_string(BareItem& to) {
  size_t end = 1;
  bool escapes = false;
  for (; end < rest_.size() && rest_[end] != '"'; ++end) {
    if (rest_[end] < 0x20 || rest_[end] > 0x7E) return false;
    if (rest_[end] != '\\') continue;
    escapes = true;
    ++end;
    if (end >= rest_.size() || (rest_[end] != '"' && rest_[end] != '\\')) return false;
  }
  if (end >= rest_.size()) return false;
  to.kind = BareItem::Kind::string;
  to.text = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  if (!escapes) return true;

  const size_t start = arena_.size();
  std::string* undone = arena_.room_for(to.text.size());
  if (undone == nullptr) return false;
  for (size_t at = 0; at < to.text.size(); ++at) {
    if (to.text[at] == '\\') ++at;
    undone->push_back(to.text[at]);
  }
  to.text = arena_.since(start);
  return true;
}

bool TokenList::read_bytes(BareItem& to) {
  const size_t end = rest_.find(':', 1);
  if (end == std::string_view::npos) return false;
  const std::string_view base64 = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  const size_t start = arena_.size();
  std::string* decoded = arena_.room_for(base64.size());
  if (decoded == nullptr || !append_base64(base64, *decoded)) return false;
  to.kind = BareItem::Kind::bytes;
  to.text = arena_.since(start);
  return true;
}

}  // namespace footfall
