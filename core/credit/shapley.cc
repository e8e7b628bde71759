#include "credit/shapley.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "base/bytes.h"
#include "credit/shares.h"

namespace footfall {
namespace {

// channel sets: version u8 | crowded_out varint | varint x channel text, ascending | varint x (set varint | journeys varint | conversions varint)
//               set: bit 0 the rest, bit 1 + i the channel i; ascending
constexpr uint8_t kVersion = 1;
constexpr uint64_t kRestBit = 1;
static_assert(kJourneyChannelsMax + 1 <= 64 && kShapleyChannelsMax + 1 < 20);

uint64_t sum_of(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

// A set whose bits stand elsewhere: to[i] is what bit i becomes.
uint64_t translated(uint64_t set, std::span<const uint64_t> to) {
  uint64_t all = 0;
  for (; set != 0; set &= set - 1) all |= to[static_cast<size_t>(std::countr_zero(set))];
  return all;
}

// The mean, over all orders in which `players` may come together, of what each adds to those before it. `worth` by coalition.
std::vector<double> shapley_values(std::span<const double> worth, int players) {
  // How many of the orders have just those s before a player: s! (n - s - 1)! / n!.
  std::vector<double> weight(static_cast<size_t>(players));
  for (int s = 0; s < players; ++s) {
    double orders = players;  // n * C(n - 1, s)
    for (int i = 1; i <= s; ++i) orders = orders * (players - i) / i;
    weight[static_cast<size_t>(s)] = 1 / orders;
  }
  std::vector<double> values(static_cast<size_t>(players));
  for (size_t set = 0; set < worth.size(); ++set)
    for (size_t player = 0; player < values.size(); ++player)
      if (const size_t with = set | size_t{1} << player; with != set)
        values[player] += weight[static_cast<size_t>(std::popcount(set))] * (worth[with] - worth[set]);
  return values;
}

}  // namespace

ChannelSets::Set ChannelSets::bit_of(std::string_view channel) {
  const auto found = std::find(channels_.begin(), channels_.end(), channel);
  const auto place = static_cast<size_t>(found - channels_.begin());
  if (found == channels_.end()) {
    if (channels_.size() == kJourneyChannelsMax) return kRestBit;
    channels_.emplace_back(channel);
  }
  return kRestBit << (1 + place);
}

void ChannelSets::count(Set set, const Counts& counts, bool is_crowded) {
  if (counts.journeys == 0) return;
  if (!sets_.contains(set) && sets_.size() >= kChannelSetsMax && set != kRestBit) set = kRestBit, is_crowded = true;
  if (is_crowded) crowded_out_ = sum_of(crowded_out_, counts.journeys);
  Counts& sum = sets_[set];
  sum.journeys = sum_of(sum.journeys, counts.journeys);
  sum.conversions = sum_of(sum.conversions, counts.conversions);
}

void ChannelSets::add(std::span<const std::string_view> channels, bool converts, uint64_t journeys) {
  if (channels.empty()) return;
  Set set = 0;
  for (const std::string_view channel : channels) set |= bit_of(channel);
  count(set, {journeys, converts ? journeys : 0}, (set & kRestBit) != 0);
}

void ChannelSets::merge(const ChannelSets& other) {
  if (&other == this) return merge(ChannelSets(other));
  std::vector<Set> to{kRestBit};
  for (const std::string& channel : other.channels_) to.push_back(bit_of(channel));
  std::vector<std::pair<Set, Counts>> sorted(other.sets_.begin(), other.sets_.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [set, counts] : sorted) {
    const Set here = translated(set, to);
    count(here, counts, (here & kRestBit) != 0 && (set & kRestBit) == 0);
  }
  crowded_out_ = sum_of(crowded_out_, other.crowded_out_);
}

std::string ChannelSets::encode() const {
  std::vector<size_t> order;
  for (size_t i = 0; i < channels_.size(); ++i)
    if (std::any_of(sets_.begin(), sets_.end(), [&](const auto& set) { return (set.first >> (1 + i) & 1) != 0; })) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return channels_[a] < channels_[b]; });
  std::vector<Set> to(1 + channels_.size());
  to[0] = kRestBit;
  for (size_t i = 0; i < order.size(); ++i) to[1 + order[i]] = kRestBit << (1 + i);
  std::map<Set, Counts> sorted;
  for (const auto& [set, counts] : sets_) sorted.emplace(translated(set, to), counts);

  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).varint(crowded_out_).varint(order.size());
  for (const size_t i : order) writer.text(channels_[i]);
  writer.varint(sorted.size());
  for (const auto& [set, counts] : sorted) writer.varint(set).varint(counts.journeys).varint(counts.conversions);
  return bytes;
}

Result<ChannelSets> ChannelSets::decode(std::string_view bytes) {
  BytesReader reader(bytes);
  if (const uint8_t version = reader.u8(); reader.ok() && version != kVersion)
    return Error::version("channel sets: version " + std::to_string(version));
  ChannelSets to;
  to.crowded_out_ = reader.varint();
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const std::string_view channel = reader.text();
    const bool is_next = to.channels_.empty() || channel > to.channels_.back();
    if (!is_next || to.channels_.size() == kJourneyChannelsMax) return Error::corrupt("channel sets: channels");
    to.channels_.emplace_back(channel);
  }
  const Set known = to.channels_.size() == 63 ? ~Set{0} : (Set{2} << to.channels_.size()) - 1;
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const Set set = reader.varint();
    const uint64_t journeys = reader.varint(), conversions = reader.varint();
    const bool is_set = set != 0 && (set & ~known) == 0 && journeys > 0 && conversions <= journeys;
    if (!is_set || !to.sets_.emplace(set, Counts{journeys, conversions}).second) return Error::corrupt("channel sets: sets");
  }
  if (!reader.ok() || !reader.at_end()) return Error::corrupt("channel sets: length");
  return to;
}

std::vector<size_t> ChannelSets::told_apart() const {
  std::vector<uint64_t> journeys(channels_.size());
  for (const auto& [set, counts] : sets_)
    for (size_t i = 0; i < channels_.size(); ++i)
      if (set >> (1 + i) & 1) journeys[i] = sum_of(journeys[i], counts.journeys);
  std::vector<size_t> channels;
  for (size_t i = 0; i < channels_.size(); ++i)
    if (journeys[i] > 0) channels.push_back(i);
  std::sort(channels.begin(), channels.end(), [&](size_t a, size_t b) {
    return journeys[a] != journeys[b] ? journeys[a] > journeys[b] : channels_[a] < channels_[b];
  });
  if (channels.size() > kShapleyChannelsMax) channels.resize(kShapleyChannelsMax);
  std::sort(channels.begin(), channels.end(), [&](size_t a, size_t b) { return channels_[a] < channels_[b]; });
  return channels;
}

std::vector<ShapleyRow> ChannelSets::solve() const {
  const std::vector<size_t> channels = told_apart();
  // Player 0 is the rest, so that a rest nobody has is left out by starting at 1.
  std::vector<uint64_t> to(1 + channels_.size(), kRestBit);
  for (size_t i = 0; i < channels.size(); ++i) to[1 + channels[i]] = kRestBit << (1 + i);
  Set seen = 0;
  for (const auto& [set, counts] : sets_) seen |= translated(set, to);
  const unsigned skip = (seen & kRestBit) == 0 ? 1 : 0;
  const size_t players = 1 + channels.size() - skip;

  // By coalition: first of just these channels, then of any within them.
  std::vector<std::array<unsigned __int128, 2>> within(size_t{1} << players);
  std::vector<ShapleyRow> rows(players);
  for (const auto& [set, counts] : sets_) {
    const size_t coalition = translated(set, to) >> skip;
    within[coalition][0] += counts.journeys;
    within[coalition][1] += counts.conversions;
    for (size_t player = 0; player < players; ++player)
      if (coalition >> player & 1) rows[player].journeys = sum_of(rows[player].journeys, counts.journeys);
  }
  for (size_t player = 0; player < players; ++player)
    for (size_t set = 0; set < within.size(); ++set)
      if (set >> player & 1)
        for (const int part : {0, 1}) within[set][part] += within[set ^ size_t{1} << player][part];
  std::vector<double> worth(within.size());
  for (size_t set = 0; set < within.size(); ++set)
    if (within[set][0] > 0) worth[set] = static_cast<double>(within[set][1]) / static_cast<double>(within[set][0]);

  const std::vector<double> values = shapley_values(worth, static_cast<int>(players));
  const std::vector<int64_t> shares = shares_of(values);
  for (size_t player = 0; player < players; ++player) {
    ShapleyRow& row = rows[player];
    row.is_rest = player + skip == 0;
    if (!row.is_rest) row.channel = channels_[channels[player + skip - 1]];
    row.value = values[player], row.share = shares[player];
  }
  return rows;
}

}  // namespace footfall
