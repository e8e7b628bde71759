#include "credit/near_miss.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "credit/spend.h"
#include "site/checks.h"

namespace footfall {
namespace {

constexpr size_t kSpellingBytesMin = 4, kSpellingBytesMax = 64, kTwoEditsBytesMin = 6;

// A name made comparable: lower case, one sign between words; and what is cheap to tell from it.
struct Spelling {
  std::string text, figures;
  std::array<int16_t, 32> letters{};

  explicit Spelling(std::string_view name) : text(lower_ascii(name)) {
    for (char& c : text) {
      if (c == '_' || c == ' ' || c == '+' || c == '.') c = '-';
      if (c >= '0' && c <= '9') figures.push_back(c);
      ++letters[static_cast<uint8_t>(c) % letters.size()];
    }
  }
  bool has_spelling() const { return text.size() >= kSpellingBytesMin && text.size() <= kSpellingBytesMax; }
};

struct Known {
  std::string name, lower, joined;
  Spelling spelling;
};

// Edits between them if there are at most `most`. An edit changes at most two counts of letters, which spares most comparisons.
std::optional<size_t> edits(const Spelling& a, const Spelling& b, size_t most, size_t& tries_left) {
  int apart = std::abs(static_cast<int>(a.text.size()) - static_cast<int>(b.text.size()));
  for (size_t i = 0; i < a.letters.size(); ++i) apart += std::abs(a.letters[i] - b.letters[i]);
  if (static_cast<size_t>(apart) > 2 * most || tries_left == 0) return std::nullopt;
  --tries_left;
  const size_t distance = edit_distance(a.text, b.text);
  return distance <= most ? std::optional(distance) : std::nullopt;
}

std::optional<NearMiss> nearest(const std::string& name, const std::vector<Known>& known, size_t& tries_left) {
  const Spelling spelling(name);
  const std::string lower = lower_ascii(name);
  const std::string_view joined = joined_source(lower);
  const size_t most = spelling.text.size() >= kTwoEditsBytesMin ? 2 : 1;
  const Known* by_alias = nullptr;
  const Known* by_spelling = nullptr;
  size_t least = SIZE_MAX;
  for (const Known& other : known) {
    if (other.lower == lower) return NearMiss{name, other.name, Nearness::letter_case};
    if (by_alias == nullptr && other.joined == joined) by_alias = &other;
    if (by_alias != nullptr || !spelling.has_spelling() || !other.spelling.has_spelling() || spelling.figures != other.spelling.figures)
      continue;
    const std::optional<size_t> distance = edits(spelling, other.spelling, most, tries_left);
    if (distance && *distance < least) by_spelling = &other, least = *distance;
  }
  if (by_alias != nullptr) return NearMiss{name, by_alias->name, Nearness::alias};
  if (by_spelling != nullptr) return NearMiss{name, by_spelling->name, Nearness::spelling};
  return std::nullopt;
}

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

std::vector<NearMiss> near_misses(std::vector<std::string> names, std::vector<std::string> known) {
  sort_unique(names), sort_unique(known);
  std::vector<Known> others;
  for (const std::string& name : known) {
    std::string lower = lower_ascii(name);
    std::string joined(joined_source(lower));
    others.push_back({name, std::move(lower), std::move(joined), Spelling(name)});
  }
  std::vector<NearMiss> misses;
  size_t tries_left = kSpellingTriesMax, pairs_left = kPairsMax;
  for (const std::string& name : names) {
    if (others.size() > pairs_left) break;
    pairs_left -= others.size();
    if (std::binary_search(known.begin(), known.end(), name)) continue;
    if (std::optional<NearMiss> miss = nearest(name, others, tries_left)) misses.push_back(*std::move(miss));
  }
  return misses;
}

}  // namespace footfall
