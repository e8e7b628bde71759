// Conversions by touches, of models that share one among them: each is split into what its touches get.
#include <algorithm>
#include <array>

#include "credit/attribution.h"
#include "query/block_scan.h"

namespace footfall {

bool BlockScan::take_shares(const Rows& rows) {
  std::vector<ShareRow> shares;
  if (!share(rows, shares) || !filter_shares(shares)) return false;
  Groups groups;
  if (!plan_.query.by.empty() && !group_shares(shares, groups)) return false;
  for (const Measured& measured : plan_.of(Fact::conversion))
    if (!add_shares(measured, shares, groups)) return false;
  if (!plan_.shows_revenue) return true;
  Rows left;  // once each, though a filter took some of its touches
  for (const ShareRow& share : shares)
    if (left.empty() || left.back() != share.conversion) left.push_back(share.conversion);
  return add_unconverted(left);
}

bool BlockScan::share(const Rows& rows, std::vector<ShareRow>& shares) {
  const std::vector<uint32_t>* offsets = block_.offsets(VisitTable::touches);
  const std::vector<int64_t>* age_s = block_.ints(VisitColumn::touch_age_s);
  const TextColumn* channels = block_.texts(VisitColumn::touch_channel);
  const std::vector<int64_t>* value_micros = block_.ints(VisitColumn::conversion_value_micros);
  const std::vector<int64_t>* refund_micros = block_.ints(VisitColumn::conversion_refund_micros);
  for (const auto* column : {age_s, value_micros, refund_micros})
    if (column == nullptr || offsets == nullptr || channels == nullptr) return false;
  const int64_t lookback_s = plan_.query.lookback_days * kDayS;
  std::vector<JourneyTouch> journey;
  std::array<int64_t, kTouchesMax> revenue, refunds;
  for (const uint32_t row : rows) {
    uint32_t first = (*offsets)[row];
    const uint32_t end = (*offsets)[row + 1];
    while (first < end && (*age_s)[first] > lookback_s) ++first;
    if (first == end) {
      shares.push_back({row, kNoTouch, kCreditWhole, (*value_micros)[row], (*refund_micros)[row]});
      continue;
    }
    if (end - first > kTouchesMax) return false;
    journey.clear();
    for (uint32_t touch = first; touch < end; ++touch)
      journey.push_back({(*age_s)[touch] * 1000, channels->texts[channels->codes[touch]] == kDirectChannel});
    const Credits credits = credits_of(plan_.query.model, journey);
    split_micros((*value_micros)[row], credits, revenue);
    split_micros((*refund_micros)[row], credits, refunds);
    for (size_t i = 0; i < journey.size(); ++i)
      shares.push_back({row, first + static_cast<uint32_t>(i), credits[i], revenue[i], refunds[i]});
  }
  return true;
}

uint32_t BlockScan::shared_code(const DimensionInfo& dimension, const Codes& codes, const ShareRow& share) {
  if (!BlockDimensions::is_of_touches(dimension)) return codes.codes[share.conversion];
  return share.touch == kNoTouch ? static_cast<uint32_t>(codes.texts->size()) : codes.codes[share.touch];
}

bool BlockScan::filter_shares(std::vector<ShareRow>& shares) {
  for (const DimensionInfo* dimension : plan_.filtered) {
    if (!BlockDimensions::is_of_touches(*dimension)) continue;
    Codes codes;
    if (!dimensions_.read_of_touches(*dimension, codes)) return false;
    const std::vector<uint8_t> means = verdicts(*dimension, codes);
    std::erase_if(shares, [&](const ShareRow& share) { return means[shared_code(*dimension, codes, share)] == 0; });
  }
  return true;
}

bool BlockScan::group_shares(const std::vector<ShareRow>& shares, Groups& groups) {
  std::optional<VisitGroups> by = groups_by(Fact::conversion);
  if (!by) return false;
  for (const ShareRow& share : shares) {
    uint32_t codes[2] = {0, 0};
    for (size_t i = 0; i < plan_.others.size(); ++i) codes[i] = shared_code(*plan_.others[i], by->codes()[i], share);
    const std::optional<uint32_t> group = by->find(times_s_[share.conversion], codes[0], codes[1]);
    is_full_ = !group;
    if (is_full_) return false;
    groups.push_back(*group);
  }
  return true;
}

// What an order's touches get in one group is added up before it is squared; their rows lie side by side.
bool BlockScan::add_share_squares(const Measured& measured, const std::vector<ShareRow>& shares, const Groups& groups) {
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  if (flags == nullptr) return false;
  const auto value_of = [&](const ShareRow& share) {
    return measured.measure == Measure::revenue_squares ? share.micros : share.millionths;
  };
  std::vector<std::pair<uint32_t, int64_t>> by_group;  // of one order
  for (size_t first = 0, end; first < shares.size(); first = end) {
    int64_t total = 0;
    by_group.clear();
    for (end = first; end < shares.size() && shares[end].conversion == shares[first].conversion; ++end) {
      total += value_of(shares[end]);
      if (groups.empty()) continue;
      const auto known = std::find_if(by_group.begin(), by_group.end(), [&](const auto& one) { return one.first == groups[end]; });
      if (known != by_group.end()) known->second += value_of(shares[end]);
      else by_group.emplace_back(groups[end], value_of(shares[end]));
    }
    if (((*flags)[shares[first].conversion] & (kConversionGoal | kConversionChange)) != 0) continue;
    plan_.to.totals.sum(0, measured.part) += square_of(total);
    for (const auto& [group, value] : by_group) plan_.to.rows.sum(group, measured.part) += square_of(value);
  }
  return true;
}

bool BlockScan::add_shares(const Measured& measured, const std::vector<ShareRow>& shares, const Groups& groups) {
  const std::vector<int64_t>* flags = block_.ints(VisitColumn::conversion_flags);
  const std::vector<int64_t>* pieces = block_.ints(VisitColumn::conversion_quantity);
  if (flags == nullptr || pieces == nullptr) return false;
  if (measured.measure == Measure::revenue_squares || measured.measure == Measure::order_squares)
    return add_share_squares(measured, shares, groups);
  for (size_t i = 0; i < shares.size(); ++i) {
    const ShareRow& share = shares[i];
    const auto counts = [&](int64_t none_of) { return ((*flags)[share.conversion] & none_of) == 0 ? share.millionths : 0; };
    int64_t value = 0;
    switch (measured.measure) {
      case Measure::conversions:
        value = counts(kConversionChange);
        break;
      case Measure::orders:
        value = counts(kConversionGoal | kConversionChange);
        break;
      case Measure::items:
        value = (*pieces)[share.conversion] * share.millionths;
        break;
      case Measure::revenue:
        value = share.micros;
        break;
      case Measure::refunds:
        value = share.refund_micros;
        break;
      case Measure::revenue_net:
        value = share.micros - share.refund_micros;
        break;
      default:
        return false;  // the others do not go with touches
    }
    plan_.to.totals.sum(0, measured.part) += value;
    if (!groups.empty()) plan_.to.rows.sum(groups[i], measured.part) += value;
  }
  return true;
}

}  // namespace footfall
