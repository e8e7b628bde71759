// The members of one JSON object, as a log has it on a line. Lenient about what is in strings (raw control characters,
// bytes that are no UTF-8), strict about where they end.
#pragma once

#include <string_view>

namespace footfall {

// One member. `value` is a string's content with its escapes, or a number's, as spelt; of `true` it is `1`, of `false`
// and null empty; objects and lists are passed over, their value is empty.
struct JsonMember {
  std::string_view key;  // with its escapes
  std::string_view value;
};

class JsonMembers {
 public:
  explicit JsonMembers(std::string_view line);

  // The next member. False: no more, or not ok().
  bool next(JsonMember& to);
  // At the end: the line was one object and nothing else.
  bool ok() const { return ok_; }

 private:
  bool fail() { return ok_ = false, rest_ = {}, false; }
  void end();
  void skip_blanks();
  bool take(char c);
  bool read_string(std::string_view& to);
  bool read_value(JsonMember& to);
  bool read_word(std::string_view& to);
  bool pass_nested();

  std::string_view rest_;
  bool ok_ = true;
  bool first_ = true;
  bool over_ = false;
};

}  // namespace footfall
