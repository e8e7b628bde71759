#include "hit/log_json.h"

#include <algorithm>
#include <cstring>

namespace footfall {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_number(std::string_view word) {
  const size_t digit = word.starts_with('-') ? 1 : 0;
  if (digit >= word.size() || word[digit] < '0' || word[digit] > '9') return false;
  return word.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

}  // namespace

JsonMembers::JsonMembers(std::string_view line) : rest_(line) {
  if (!take('{')) fail();
}

bool JsonMembers::next(JsonMember& to) {
  if (!ok_ || over_) return false;
  if (first_ && take('}')) return end(), false;
  if (!first_ && !take(',')) return fail();
  first_ = false;
  to = {};
  if (!read_string(to.key) || !take(':') || !read_value(to)) return fail();
  if (take('}')) end();
  return ok_;
}

void JsonMembers::end() {
  over_ = true;
  skip_blanks();
  if (!rest_.empty()) fail();
}

void JsonMembers::skip_blanks() {
  while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
}

bool JsonMembers::take(char c) {
  skip_blanks();
  if (rest_.empty() || rest_.front() != c) return false;
  rest_.remove_prefix(1);
  return true;
}

bool JsonMembers::read_string(std::string_view& to) {
  if (!take('"')) return false;
  for (size_t at = 0; (at = rest_.find('"', at)) != std::string_view::npos; ++at) {
    size_t backslashes = 0;
    while (backslashes < at && rest_[at - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 != 0) continue;
    to = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return true;
  }
  return false;
}

bool JsonMembers::read_value(JsonMember& to) {
  skip_blanks();
  if (rest_.empty()) return false;
  if (rest_.front() == '"') return read_string(to.value);
  to.value = "";  // there, and empty
  if (rest_.front() == '{' || rest_.front() == '[') return pass_nested();
  std::string_view word;
  if (!read_word(word)) return false;
  if (word == "true") return to.value = "1", true;
  if (word == "false" || word == "null") return true;
  to.value = word;
  return is_number(word);
}

bool JsonMembers::read_word(std::string_view& to) {
  const auto ends = [](char c) { return c == ',' || c == '}' || is_blank(c); };
  const auto end = std::find_if(rest_.begin(), rest_.end(), ends);
  to = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
  rest_.remove_prefix(to.size());
  return !to.empty();
}

// Counts brackets of both kinds as one: whether they pair up is of no interest where nothing is read.
bool JsonMembers::pass_nested() {
  for (size_t depth = 0; !rest_.empty();) {
    const char c = rest_.front();
    if (c == '"') {
      std::string_view passed;
      if (!read_string(passed)) return false;
      continue;
    }
    rest_.remove_prefix(1);
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return false;
}

}  // namespace footfall
