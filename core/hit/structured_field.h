// Strict reader of an RFC 8941 list whose members are tokens with parameters, as `purchase;id="A-1";value=9.90,
// sign_up`. Other members (strings, numbers, inner lists) are off our grammar. Nothing is told twice: members and
// parameters come in turn, and ok() says at the end whether all of it was well formed.
#pragma once

#include <cstdint>
#include <string_view>

#include "hit/text.h"

namespace footfall {

// The value of a parameter. `text` is a string's or byte sequence's content, a token, or a number as it was spelt; it
// points into the header or, where something had to be undone, into the arena.
struct BareItem {
  enum class Kind : uint8_t { boolean, integer, decimal, string, token, bytes };
  Kind kind = Kind::boolean;
  std::string_view text;
  bool truth = true;  // of a boolean; a parameter without `=` is true
};

// sf-token: a letter or `*`, then letters, digits and !#$%&'*+-.^_`|~:/
bool is_token(std::string_view text);

class TokenList {
 public:
  TokenList(std::string_view header, TextArena& arena);

  // The next member; what is left of the last one's parameters is skipped, but read. False: no more, or not ok().
  bool next_member(std::string_view& token);
  // The next parameter of the member. False: no more, or not ok().
  bool next_parameter(std::string_view& key, BareItem& value);
  bool ok() const { return ok_; }

 private:
  bool fail() { return rest_ = {}, ok_ = false; }
  bool take(char c);
  std::string_view take_first(size_t count);
  bool read_item(BareItem& to);
  bool read_number(BareItem& to);
  bool read_string(BareItem& to);
  bool read_bytes(BareItem& to);

  std::string_view rest_;
  TextArena& arena_;
  bool first_ = true;
  bool ok_ = true;
};

}  // namespace footfall
