#include "query/filter.h"

#include <algorithm>

#include "query/text.h"
#include "site/match.h"

namespace footfall {
namespace {

constexpr std::string_view kForm = "; it must be as channel:is:email|sms;page:starts:/sale";

QueryError bad(std::string message, std::vector<std::string> allowed = {}) {
  return {400, "bad_request", std::move(message), "filter", std::move(allowed)};
}

bool is_escaped(char c) { return c == ';' || c == '|' || c == '\\'; }

// The text up to the next separator that is not escaped; `rest` then begins with it or is empty.
std::string_view take_until(char separator, std::string_view& rest) {
  size_t at = 0;
  while (at < rest.size() && rest[at] != separator) at += rest[at] == '\\' && at + 1 < rest.size() ? 2 : 1;
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(taken.size());
  return taken;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && is_escaped(text[i + 1])) ++i;
    plain += text[i];
  }
  return plain;
}

std::string escaped(std::string_view text) {
  std::string form;
  for (const char c : text) {
    if (is_escaped(c)) form += '\\';
    form += c;
  }
  return form;
}

std::vector<std::string> filter_dimensions() {
  std::vector<std::string> names;
  for (const DimensionInfo& dimension : dimensions())
    if (!dimension.is_time()) names.emplace_back(dimension.name);
  return names;
}

std::variant<const DimensionInfo*, QueryError> read_dimension(const std::string& name) {
  const DimensionInfo* dimension = find_dimension(name);
  if (dimension == nullptr) return bad("there is no dimension " + quoted(name), filter_dimensions());
  if (dimension->is_time()) return bad("time is no filter: ask for it with `from` and `to`", filter_dimensions());
  return dimension;
}

std::variant<Condition, QueryError> read_condition(std::string_view text) {
  const size_t first = text.find(':');
  const size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos)
    return bad("condition " + quoted(text) + " is off the form" + std::string(kForm));
  auto dimension = read_dimension(std::string(text.substr(0, first)));
  if (auto* error = std::get_if<QueryError>(&dimension)) return std::move(*error);
  const std::string_view op = text.substr(first + 1, second - first - 1);
  const auto found = std::find(kFilterOpNames.begin(), kFilterOpNames.end(), op);
  if (found == kFilterOpNames.end())
    return bad("there is no filter op " + quoted(op), {kFilterOpNames.begin(), kFilterOpNames.end()});
  Condition condition{
      std::get<const DimensionInfo*>(dimension), static_cast<FilterOp>(found - kFilterOpNames.begin()), {}};
  for (std::string_view rest = text.substr(second + 1);;) {
    condition.values.push_back(unescaped(take_until('|', rest)));
    if (rest.empty()) break;
    rest.remove_prefix(1);
  }
  std::sort(condition.values.begin(), condition.values.end());
  condition.values.erase(std::unique(condition.values.begin(), condition.values.end()), condition.values.end());
  return condition;
}

}  // namespace

bool Condition::holds(const std::string_view* text) const {
  const std::string_view own = text == nullptr ? std::string_view() : *text;
  const auto any = [&](auto test) {
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
      return value.empty() || own.empty() ? value.empty() && own.empty() : test(value);
    });
  };
  switch (op) {
    case FilterOp::is:
      return std::binary_search(values.begin(), values.end(), own);
    case FilterOp::is_not:
      return !std::binary_search(values.begin(), values.end(), own);
    case FilterOp::contains:
      return any([&](const std::string& value) { return own.find(value) != std::string_view::npos; });
    case FilterOp::starts:
      return any([&](const std::string& value) { return own.starts_with(value); });
    case FilterOp::matches:
      return any([&](const std::string& value) { return matches(value, own); });
  }
  return false;
}

std::variant<Filter, QueryError> parse_filter(std::string_view text) {
  Filter filter;
  size_t values = 0;
  for (std::string_view rest = text;;) {
    auto condition = read_condition(take_until(';', rest));
    if (auto* error = std::get_if<QueryError>(&condition)) return std::move(*error);
    filter.push_back(std::move(std::get<Condition>(condition)));
    values += filter.back().values.size();
    if (filter.size() > kFilterConditionsMax || values > kFilterValuesMax)
      return bad("a filter has at most " + std::to_string(kFilterConditionsMax) + " conditions and " +
                 std::to_string(kFilterValuesMax) + " values");
    if (rest.empty()) return filter;
    rest.remove_prefix(1);
  }
}

std::string filter_text(const Filter& filter) {
  std::string text;
  for (const Condition& condition : filter) {
    if (!text.empty()) text += ';';
    text.append(condition.dimension->name).append(":").append(kFilterOpNames[static_cast<size_t>(condition.op)]);
    for (size_t i = 0; i < condition.values.size(); ++i)
      text.append(i == 0 ? ":" : "|").append(escaped(condition.values[i]));
  }
  return text;
}

std::vector<const DimensionInfo*> dimensions_of(const Filter& filter) {
  std::vector<const DimensionInfo*> named;
  for (const Condition& condition : filter)
    if (std::find(named.begin(), named.end(), condition.dimension) == named.end()) named.push_back(condition.dimension);
  return named;
}

bool holds(const Filter& filter, const DimensionInfo& dimension, const std::string_view* text) {
  return std::all_of(filter.begin(), filter.end(), [&](const Condition& condition) {
    return condition.dimension != &dimension || condition.holds(text);
  });
}

}  // namespace footfall
