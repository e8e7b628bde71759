#include "query/source_join.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "credit/spend.h"

namespace footfall {

void SourceJoin::see(const RollupKey& key, const Counters& counters) {
  if (key.value == kNullValue || key.value == kOtherValue) return;
  texts_.saw(key.value, key.bucket_start_s);
  Seen& seen = seen_[key.value];
  seen.visits += counters[Counter::visits];
  seen.has_spend |= counters[Amount::cost] != 0 || counters[Counter::clicks] != 0 || counters[Counter::impressions] != 0;
}

void SourceJoin::settle(SummarySnapshot& snapshot) {
  bool any = false;
  for (const auto& [value, seen] : seen_) any |= seen.has_spend;
  if (!any) return;
  texts_.load(snapshot);
  struct Best {
    int64_t visits = 0;
    std::string text;
    Hash128 value;
  };
  std::map<std::string, Best, std::less<>> best;  // of touches, by known name
  for (const auto& [value, seen] : seen_) {
    const std::string* text = texts_.find(value);
    if (text == nullptr || seen.visits <= 0) continue;
    Best& known = best[std::string(joined_source(*text))];
    if (std::pair(-seen.visits, *text) < std::pair(-known.visits, known.text)) known = {seen.visits, *text, value};
  }
  for (const auto& [value, seen] : seen_) {
    const std::string* text = texts_.find(value);
    if (!seen.has_spend || text == nullptr) continue;
    const auto found = best.find(joined_source(*text));
    if (found != best.end() && found->second.value != value) moved_[value] = found->second.value;
  }
}

Hash128 SourceJoin::row_of_spend(const Hash128& value) const {
  const auto moved = moved_.find(value);
  return moved == moved_.end() ? value : moved->second;
}

void SourceNames::see(std::string_view text, __int128 visits) { visits_[std::string(joined_source(text))][std::string(text)] += visits; }

std::string SourceNames::shown(const std::string& joined) const {
  const auto of = visits_.find(joined);
  if (of == visits_.end()) return joined;
  const auto most = std::max_element(of->second.begin(), of->second.end(), [](const auto& one, const auto& other) { return one.second < other.second; });
  return most->second > 0 ? most->first : joined;
}

Counters take_spend(Counters& from) {
  Counters spend;
  spend[Amount::cost] = std::exchange(from[Amount::cost], 0);
  for (const Counter counter : {Counter::clicks, Counter::impressions}) spend[counter] = std::exchange(from[counter], 0);
  return spend;
}

}  // namespace footfall
