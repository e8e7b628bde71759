#include "query/spend_match.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/money.h"
#include "credit/attribution.h"
#include "credit/spend_record.h"
#include "query/spend_notes.h"
#include "query/visit_scan.h"
#include "rollup/kept_visit.h"
#include "site/checks.h"
#include "visit/touch.h"

namespace footfall {
namespace {

constexpr size_t kNamesMax = 50'000;      // of a part, that near misses are looked for among
constexpr size_t kSlice = 4'096;          // records between two looks at the time

using Parts = std::array<std::string_view, kSpendParts>;

bool is_paid(std::string_view channel) {
  return channel.starts_with("paid_") || channel == "display" || channel == "cross_network";
}

// --- spend -----------------------------------------------------------------------------------------------------------

// The newest telling of each key and day in the range, added up by key.
class Spend {
 public:
  explicit Spend(const Query& query) : query_(query) {}

  // False: out of time.
  Result<bool> read(SummarySnapshot& snapshot, const std::function<bool()>& out_of_time) {
    std::string prefix;
    BytesWriter(prefix).be16(*query_.site_number).u8(kSpendKind);
    size_t seen = 0;
    bool is_late = false;
    const Status status = snapshot.each_of_prefix(KeyedDatabase::orders, prefix, [&](std::string_view key, std::string_view value) {
      is_late = is_late || (++seen % kSlice == 0 && out_of_time());
      if (!is_late) take(key, value);
    });
    if (!status) return status.error();
    return !is_late;
  }

  std::vector<SpendMatch::Entry> entries(std::map<std::string, __int128>& unconverted_micros) const {
    std::vector<SpendMatch::Entry> entries(keys_.size());
    for (const auto& [key, place] : keys_) entries[place].key = key, entries[place].is_spend = true;
    for (const auto& [name, day] : days_) {
      SpendMatch::Entry& entry = entries[day.key];
      if (entry.key.channel.empty()) entry.key.channel = day.channel;
      entry.has_cost |= day.has_rate;
      if (day.has_rate) entry.cost_micros += day.cost_micros;
      else for (auto* to : {&unconverted_micros, &entry.unconverted_micros}) (*to)[std::string(day.currency.text())] += day.cost_micros;
    }
    return entries;
  }
  // Without the channel that was not told.
  std::vector<SpendKey> keys() const {
    std::vector<SpendKey> keys(keys_.size());
    for (const auto& [key, place] : keys_) keys[place] = key;
    return keys;
  }

 private:
  struct Day {
    uint16_t import = 0;
    bool has_rate = true;
    Currency currency;
    size_t key = 0;
    int64_t cost_micros = 0;
    std::string channel;
  };

  void take(std::string_view key, std::string_view value) {
    if (key.size() != kOrderKeyIdBytes + sizeof(uint16_t) || !decode_spend(value, record_)) return;
    const int64_t day_s = record_.day_ms / 1000;
    if (day_s < query_.range.from_s || day_s >= query_.range.to_s) return;
    BytesReader reader(key.substr(sizeof(uint16_t) + 1));
    const Hash128 name = reader.hash();
    const uint16_t import = reader.be16();
    const auto [place, fresh] = days_.try_emplace(name);
    if (!fresh && place->second.import > import) return;
    place->second = {.import = import, .has_rate = record_.booked.has_rate, .currency = record_.booked.currency,
                     .key = keys_.try_emplace(record_.key, keys_.size()).first->second,
                     .cost_micros = record_.booked.cost_micros, .channel = std::move(record_.booked.rows.channel)};
  }

  const Query& query_;
  SpendRecord record_;
  std::map<SpendKey, size_t> keys_;
  absl::flat_hash_map<Hash128, Day> days_;
};

// --- which keys a touch matches --------------------------------------------------------------------------------------

// A key matches whatever has all that it tells.
class Keys {
 public:
  explicit Keys(const std::vector<SpendKey>& keys) {
    for (size_t at = 0; at < keys.size(); ++at) {
      unsigned told = 0;
      std::string name;
      for (size_t part = 0; part < kSpendParts; ++part) {
        if ((keys[at].*kSpendKeyParts[part]).empty()) continue;
        told |= 1u << part;
        BytesWriter(name).text(joined_part(part, keys[at].*kSpendKeyParts[part]));
      }
      looks_at_ |= told;
      by_told_[told][name].push_back(at);
    }
  }

  bool looks_at(size_t part) const { return (looks_at_ >> part & 1) != 0; }

  // see(key, is_most): each of them; that which tells most of the touch, once.
  template <class See>
  void each_match(const Parts& touch, See see) const {
    std::array<std::string, kSpendParts> texts;
    for (size_t part = 0; part < kSpendParts; ++part) texts[part] = joined_part(part, touch[part]);
    size_t most = SIZE_MAX;
    int most_told = -1;
    std::vector<size_t> matches;
    for (const auto& [told, keys] : by_told_) {
      std::string name;
      for (size_t part = 0; part < kSpendParts; ++part)
        if (told >> part & 1) BytesWriter(name).text(texts[part]);
      const auto found = keys.find(name);
      if (found == keys.end()) continue;
      matches.insert(matches.end(), found->second.begin(), found->second.end());
      if (const int told_parts = __builtin_popcount(told); told_parts > most_told) most = found->second.front(), most_told = told_parts;
    }
    for (const size_t key : matches) see(key, key == most);
  }

 private:
  unsigned looks_at_ = 0;
  std::map<unsigned, absl::flat_hash_map<std::string, std::vector<size_t>>> by_told_;
};

// --- touches ---------------------------------------------------------------------------------------------------------

class Touches {
 public:
  Touches(const Query& query, const Keys& keys, SpendMatch& to, std::vector<bool>& is_matched)
      : query_(query), keys_(keys), to_(to), is_matched_(is_matched) {}

  // False: the block is broken.
  bool take(VisitBlock& block, const std::function<bool()>& out_of_time) {
    const std::vector<int64_t>* starts = block.ints(VisitColumn::start_ms);
    const std::vector<int64_t>* flags = block.ints(VisitColumn::flags);
    const std::vector<int64_t>* conversions = block.ints(VisitColumn::conversions);
    std::array<const TextColumn*, kSpendParts> columns{};
    for (size_t part = 0; part < kSpendParts; ++part)
      columns[part] = block.texts(static_cast<VisitColumn>(static_cast<size_t>(VisitColumn::channel) + part));
    if (!starts || !flags || !conversions || std::any_of(columns.begin(), columns.end(), [](const auto* one) { return one == nullptr; }))
      return false;
    absl::flat_hash_map<std::array<uint32_t, kSpendParts>, int64_t> visits;
    for (size_t row = 0; row < block.rows(VisitTable::visits); ++row) {
      if ((*conversions)[row] > 0 && !take_conversions(block, row)) return false;
      if (row % kSlice == 0 && out_of_time()) return true;
      if (((*flags)[row] & kKeptIsVisit) == 0 || !is_in_range(whole_s((*starts)[row]))) continue;
      std::array<uint32_t, kSpendParts> codes{};
      for (size_t part = 0; part < kSpendParts; ++part)
        if (part < kSpendContent || part == kSpendCode || keys_.looks_at(part)) codes[part] = columns[part]->codes[row];
      ++visits[codes];
    }
    for (const auto& [codes, count] : visits) {
      Parts touch;
      for (size_t part = 0; part < kSpendParts; ++part) touch[part] = columns[part]->texts[codes[part]];
      see(touch, true, {.visits = count});
    }
    return true;
  }

  void put_paid(std::vector<SpendMatch::Entry>& to) const {
    for (const auto& [key, paid] : paid_)
      if (paid.came) to.push_back({.key = key, .is_matched = false, .brought = paid.brought});
  }

  const SpendNames& names() const { return names_; }

 private:
  bool is_in_range(int64_t time_s) const { return time_s >= query_.range.from_s && time_s < query_.range.to_s; }

  // Touches of orders and goals, also those within a visit, and a code's that only a coupon told; and what they brought.
  bool take_conversions(VisitBlock& block, size_t row) {
    if (!block.read(row, visit_)) return false;
    for (const KeptConversion& conversion : visit_.conversions) {
      const int64_t time_s = whole_s(visit_.start_ms) + conversion.time_s;
      brought_.assign(conversion.touches.size(), {});
      if (!conversion.is_goal && is_in_range(time_s)) credit(conversion);
      for (size_t at = 0; at < brought_.size(); ++at) {
        const KeptTouch& touch = conversion.touches[at];
        const bool came = !conversion.is_change && is_in_range(time_s - touch.age_s);  // the age of a change's are its order's
        if (came || brought_[at].orders_millionths != 0 || brought_[at].revenue_micros != 0)
          see({touch.channel, touch.source, touch.medium, touch.campaign, touch.content, touch.term, touch.code}, came, brought_[at]);
      }
    }
    return true;
  }

  // An order, or what came to one later, shared among the touches of the lookback, as queries have it.
  void credit(const KeptConversion& conversion) {
    size_t first = 0;
    while (first < conversion.touches.size() && conversion.touches[first].age_s > query_.lookback_days * kDayS) ++first;
    std::vector<JourneyTouch> journey;
    for (size_t at = first; at < conversion.touches.size() && journey.size() < kTouchesMax; ++at)
      journey.push_back({conversion.touches[at].age_s * 1000, conversion.touches[at].channel == kDirectChannel});
    if (journey.empty()) return;
    const Credits credits = credits_of(query_.model, journey);
    std::vector<int64_t> micros(credits.size());
    split_micros(conversion.value_micros, credits, micros);
    for (size_t at = 0; at < credits.size(); ++at)
      brought_[first + at] = {.orders_millionths = conversion.is_change ? 0 : credits[at], .revenue_micros = micros[at]};
  }

  // `came`: in the range; else it only brought something there.
  void see(const Parts& touch, bool came, const SpendMatch::Brought& brought) {
    for (size_t part = 0; part < kSpendParts && came; ++part)
      if (!touch[part].empty() && names_[part].size() < kNamesMax) names_[part].insert(std::string(touch[part]));
    bool any = false;
    keys_.each_match(touch, [&](size_t key, bool is_most) {
      any = true;
      if (came) is_matched_[key] = true;
      if (is_most) to_.entries[key].brought.add(brought);
    });
    if (any || !is_paid(touch[0])) return;
    SpendKey key{.channel = std::string(touch[0]), .source = std::string(touch[1]), .medium = std::string(touch[2]),
                 .campaign = std::string(touch[kSpendCampaign]), .code = std::string(touch[kSpendCode])};
    const auto known = paid_.find(key);
    if (known == paid_.end() && paid_.size() >= kPaidTouchesMax) return void(to_.visits_left_out += static_cast<uint64_t>(brought.visits));
    Paid& paid = known != paid_.end() ? known->second : paid_[std::move(key)];
    paid.came |= came;
    paid.brought.add(brought);
  }

  struct Paid {
    bool came = false;
    SpendMatch::Brought brought;
  };

  const Query& query_;
  const Keys& keys_;
  SpendMatch& to_;
  std::vector<bool>& is_matched_;
  KeptVisit visit_;
  std::vector<SpendMatch::Brought> brought_;  // by a conversion's touches
  SpendNames names_;
  std::map<SpendKey, Paid> paid_;
};

// --- the whole ---------------------------------------------------------------------------------------------------------

bool is_before(const SpendMatch::Entry& one, const SpendMatch::Entry& other) {
  if (one.is_spend != other.is_spend) return one.is_spend;
  if (one.cost_micros != other.cost_micros) return one.cost_micros > other.cost_micros;
  if (one.brought.visits != other.brought.visits) return one.brought.visits > other.brought.visits;
  return one.brought.revenue_micros != other.brought.revenue_micros ? one.brought.revenue_micros > other.brought.revenue_micros : one.key < other.key;
}

// As the site's settings have it, and with them all other figures.
void spell_codes(const SiteConfig& site, std::vector<SpendMatch::Entry>& entries) {
  for (SpendMatch::Entry& entry : entries)
    for (const CodeConfig& code : site.codes)
      if (entry.is_spend && is_same_code(code.code, entry.key.code)) entry.key.code = code.code;
}

}  // namespace

int digits_of_currency(std::string_view text) { return currency_digits(parse_currency(text).value_or(Currency{{'X', 'X', 'X'}})); }

void SpendMatch::Brought::add(const Brought& other, int sign) {
  visits += sign * other.visits;
  orders_millionths += sign * other.orders_millionths;
  revenue_micros += sign * other.revenue_micros;
}

std::variant<SpendMatch, QueryError> match_spend(const Query& query, SummarySnapshot& snapshot,
                                                 const std::function<bool()>& out_of_time) {
  SpendMatch match;
  if (!query.site_number) return match;
  Spend spend(query);
  const Result<bool> read = spend.read(snapshot, out_of_time);
  if (!read) return store_fault(read.error());
  if (!*read) return too_slow();
  match.entries = spend.entries(match.unconverted_micros);
  match.has_spend = !match.entries.empty();
  if (const int64_t since_s = visits_tell_from_s(query, snapshot); since_s > query.range.from_s) match.visits_since_s = since_s;

  const std::vector<SpendKey> told = spend.keys();
  const Keys keys(told);
  std::vector<bool> is_matched(told.size(), match.visits_since_s.has_value());
  Touches touches(query, keys, match, is_matched);
  bool is_late = false, is_broken = false;
  const Status status = match.visits_since_s ? Status() : snapshot.each_visit_block(
      *query.site_number, query.range.from_s, query.range.to_s, [&](VisitBlock& block) -> Status {
        is_late = out_of_time();
        is_broken = !is_late && !touches.take(block, out_of_time);
        is_late = is_late || out_of_time();
        return is_late || is_broken ? Status(Error::corrupt("block of visits")) : Status();
      });
  if (is_late) return too_slow();
  if (!status) return store_fault(status.error());
  for (size_t at = 0; at < told.size(); ++at) match.entries[at].is_matched = is_matched[at];
  touches.put_paid(match.entries);
  const SiteConfig site = site_or_default(snapshot.config(), query.site);
  spell_codes(site, match.entries);
  write_spend_notes(touches.names(), site, told, match);
  std::sort(match.entries.begin(), match.entries.end(), is_before);
  return match;
}

}  // namespace footfall
