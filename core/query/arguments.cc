#include "query/arguments.h"

#include <algorithm>

#include "hit/text.h"
#include "query/text.h"

namespace footfall {
namespace {

QueryError refuse_name(const std::string& name, std::span<const std::string_view> known, bool comes_later) {
  return {400, "bad_request",
          comes_later ? "parameter " + quoted(name) + " comes with a later version"
                      : "there is no parameter " + quoted(name),
          valid_utf8(name.substr(0, 64)), std::vector<std::string>(known.begin(), known.end())};
}

}  // namespace

std::variant<Arguments, QueryError> Arguments::parse(std::string_view raw, std::span<const std::string_view> known,
                                                     std::span<const std::string_view> later) {
  if (raw.size() > kArgumentsBytesMax)
    return QueryError{
        400, "bad_request", "the query is longer than " + std::to_string(kArgumentsBytesMax) + " bytes", {}, {}};
  Arguments arguments;
  TextArena arena;
  while (!raw.empty()) {
    const std::string_view piece = raw.substr(0, raw.find('&'));
    raw.remove_prefix(std::min(raw.size(), piece.size() + 1));
    if (piece.empty()) continue;
    const size_t equals = std::min(piece.find('='), piece.size());
    const std::string name(decode_form(piece.substr(0, equals), arena));
    const std::string value(decode_form(piece.substr(std::min(equals + 1, piece.size())), arena));
    if (std::find(known.begin(), known.end(), name) == known.end())
      return refuse_name(name, known, std::find(later.begin(), later.end(), name) != later.end());
    if (arguments.find(name) != nullptr)
      return QueryError{400, "bad_request", "`" + name + "` is given twice", name, {}};
    arguments.values_.emplace_back(name, value);
  }
  return arguments;
}

const std::string* Arguments::find(std::string_view name) const {
  for (const auto& [known, value] : values_)
    if (known == name) return &value;
  return nullptr;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace footfall
