// Counts kept visits a second time: fact by fact, from their plain values, without columns or codes.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "credit/attribution.h"
#include "query/query.h"
#include "rollup/kept_visit.h"
#include "site/match.h"
#include "visit/channel.h"

namespace footfall {

using Values = std::map<std::string, std::string, std::less<>>;  // by dimension; absent or empty: null

// One thing that a metric counts.
struct CountedFact {
  std::string id;  // facts of one id are one visit or order: counted once a group, where the metric does so
  int64_t time_s = 0;
  Values values;
  __int128 value = 0;
};

class Recount {
 public:
  Recount(const Query& query, const std::vector<KeptVisit>& visits, std::vector<PageGroup> page_groups)
      : query_(query), visits_(visits), page_groups_(std::move(page_groups)) {}

  using Group = std::tuple<int64_t, std::string, std::string>;  // time, values of the dimensions
  struct Sums {
    __int128 total = 0;
    std::map<Group, __int128> rows;  // those that are not zero
  };

  Sums count(const Metric& metric) const {
    const std::string name(metric.name);
    const bool once = (metric.not_additive_by & query_.groups()) != 0;
    Sums sums;
    std::set<std::string> ids;
    std::set<std::pair<std::string, Group>> ids_of_groups;
    for (const CountedFact& fact : facts(name)) {
      if (!is_meant(fact)) continue;
      if (!once || ids.insert(fact.id).second) sums.total += fact.value;
      const Group group = group_of(fact);
      if (!once || ids_of_groups.insert({fact.id, group}).second) sums.rows[group] += fact.value;
    }
    // By page, visits without any view are in no row; nor are they left out of the totals unless pages are asked for.
    if (name == "visits" && has_page(query_.groups()) && !filters_page()) {
      sums.total = 0;
      for (const KeptVisit& visit : visits_) {
        const CountedFact fact{"", whole_s(visit.start_ms), of_visit(visit), visit.is_visit()};
        if (is_meant(fact)) sums.total += fact.value;
      }
    }
    std::erase_if(sums.rows, [](const auto& row) { return row.second == 0; });
    return sums;
  }

  // The visitors' hashes.
  std::set<uint64_t> visitors() const {
    std::set<uint64_t> hashes;
    for (const KeptVisit& visit : visits_)
      if (visit.is_visit() && is_meant({"", whole_s(visit.start_ms), of_visit(visit), 1})) hashes.insert(visit.visitor);
    return hashes;
  }

 private:
  static bool has_page(uint16_t groups) { return (groups & kByPage) != 0; }
  bool filters_page() const {
    return std::any_of(query_.filter.begin(), query_.filter.end(),
                       [](const Condition& condition) { return condition.dimension->group == kByPage; });
  }

  bool is_meant(const CountedFact& fact) const {
    if (fact.time_s < query_.range.from_s || fact.time_s >= query_.range.to_s) return false;
    return std::all_of(query_.filter.begin(), query_.filter.end(), [&](const Condition& condition) {
      const std::string_view text = value(fact, *condition.dimension);
      return condition.holds(text.empty() ? nullptr : &text);
    });
  }

  static std::string_view value(const CountedFact& fact, const DimensionInfo& dimension) {
    const auto found = fact.values.find(dimension.name);
    return found == fact.values.end() ? std::string_view() : std::string_view(found->second);
  }

  Group group_of(const CountedFact& fact) const {
    const DimensionInfo* time = query_.time();
    Group group{time == nullptr ? 0 : unit_start_s(time->unit, fact.time_s, query_.zone), "", ""};
    const auto others = query_.others();
    if (others.size() > 0) std::get<1>(group) = value(fact, *others[0]);
    if (others.size() > 1) std::get<2>(group) = value(fact, *others[1]);
    return group;
  }

  // --- what happened ---

  static void put_touch(const KeptTouch& touch, Values& to) {
    to["channel"] = touch.channel;
    to["source"] = touch.source;
    to["medium"] = touch.medium;
    to["campaign"] = touch.campaign;
    to["content"] = touch.content;
    to["term"] = touch.term;
    to["code"] = touch.code;
    to["referrer_host"] = touch.referrer_host;
    to["referrer"] = touch.referrer;
  }

  void put_page(const KeptView& view, Values& to) const {
    to["page"] = view.page;
    to["search_term"] = view.search_term;
    for (const PageGroup& group : page_groups_) {
      if (view.page.empty() || !matches(group.path, view.page)) continue;
      to["page_group"] = group.name;
      return;
    }
  }

  // What all of a visit's facts have; of the visit itself also its entry page's.
  static Values of_visit(const KeptVisit& visit) {
    Values values;
    put_touch(visit.first_touch, values);
    values["country"] = visit.country;
    values["device"] = visit.device;
    values["browser"] = visit.browser;
    values["os"] = visit.os;
    values["new_returning"] = visit.new_returning;
    if (visit.views.empty()) return values;
    values["entry_page"] = visit.views[0].page;
    const KeptView* exit = &visit.views[0];
    for (const KeptView& view : visit.views)
      if ((view.flags & kViewLate) == 0) exit = &view;
    values["exit_page"] = exit->page;
    return values;
  }

  struct Share {
    const KeptTouch* touch = nullptr;  // null: nobody knows how the buyer came
    int64_t millionths = kCreditWhole;
  };
  // Who gets what of a conversion; one gets all where no touch is asked about.
  std::vector<Share> shares_of(const KeptConversion& conversion) const {
    std::vector<Share> shares;
    std::vector<JourneyTouch> journey;
    for (const KeptTouch& touch : conversion.touches) {
      if (journey.empty() && touch.age_s > query_.lookback_days * kDayS) continue;
      shares.push_back({&touch, 0});
      journey.push_back({touch.age_s * 1000, touch.channel == kDirectChannel});
    }
    if (shares.empty() || ((query_.groups() & kByTouch) == 0 && !gives_whole(query_.model))) return {Share{}};
    const Credits credits = credits_of(query_.model, journey);
    for (size_t i = 0; i < shares.size(); ++i) shares[i].millionths = credits[i];
    std::erase_if(shares, [](const Share& share) { return share.millionths == 0; });
    return shares;
  }

  static std::vector<int64_t> split(int64_t micros, const std::vector<Share>& shares) {
    std::vector<int64_t> parts;
    int64_t left = micros;
    for (const Share& share : shares) {
      parts.push_back(static_cast<int64_t>(static_cast<__int128>(micros) * share.millionths / kCreditWhole));
      left -= parts.back();
    }
    parts.back() += left;
    return parts;
  }

  std::vector<CountedFact> facts(const std::string& metric) const {
    std::vector<CountedFact> facts;
    for (size_t i = 0; i < visits_.size(); ++i) facts_of(visits_[i], std::to_string(i), metric, facts);
    return facts;
  }

  void facts_of(const KeptVisit& visit, const std::string& id, const std::string& metric,
                std::vector<CountedFact>& to) const {
    const int64_t start_s = whole_s(visit.start_ms);
    const Values values = of_visit(visit);
    if (metric == "bounces" && visit.is_visit()) {
      Values own = values;
      if (!visit.views.empty()) put_page(visit.views[0], own);
      to.push_back({id, start_s, own, (visit.flags & kKeptBounce) != 0});
    }
    if (metric == "visits" && !has_page(query_.groups()) && visit.is_visit()) to.push_back({id, start_s, values, 1});
    for (const KeptView& view : visit.views) {
      Values own = values;
      put_page(view, own);
      if (metric == "visits" && has_page(query_.groups()) && (view.flags & kViewFirstOfPage) != 0)
        to.push_back({id, start_s, own, 1});
      if (metric == "pageviews" && (view.flags & kViewUncounted) == 0)
        to.push_back({id, start_s + view.time_s, own, 1});
      if (metric == "time_on_page_n") to.push_back({id, start_s + view.time_s, own, time_to_next_s(visit, view) >= 0});
      if (metric == "entries" && visit.is_visit() && &view == &visit.views[0])
        to.push_back({id, start_s + view.time_s, own, 1});
      if (metric == "exits" && visit.is_visit() && is_exit(visit, view))
        to.push_back({id, start_s + view.time_s, own, 1});
    }
    if (metric == "events")
      for (const KeptEvent& event : visit.events) {
        Values own = values;
        own["event"] = event.name;
        own["item"] = event.item;
        to.push_back({id, start_s + event.time_s, own, 1});
      }
    for (size_t i = 0; i < visit.conversions.size(); ++i)
      facts_of(visit.conversions[i], start_s, values, id + "." + std::to_string(i), metric, to);
  }

  // -1: no page follows.
  static int64_t time_to_next_s(const KeptVisit& visit, const KeptView& view) {
    if ((view.flags & kViewLate) != 0) return -1;
    for (const KeptView* next = &view + 1; next < visit.views.data() + visit.views.size(); ++next)
      if ((next->flags & kViewLate) == 0) return (next->flags & kViewUncounted) != 0 ? -1 : next->time_s - view.time_s;
    return -1;
  }

  // The first view is the exit where all others came late.
  static bool is_exit(const KeptVisit& visit, const KeptView& view) {
    const KeptView* exit = &visit.views[0];
    for (const KeptView& one : visit.views)
      if ((one.flags & kViewLate) == 0) exit = &one;
    return exit == &view;
  }

  struct Piece {
    const KeptItem* item = nullptr;  // null: what the items leave
    bool is_one = true;
    int64_t pieces = 0, micros = 0, refund_micros = 0;
  };
  // What items leave comes last.
  std::vector<Piece> pieces_of(const KeptConversion& conversion) const {
    Piece left{nullptr, true, conversion.quantity, conversion.value_micros, conversion.refund_micros};
    const bool by_items = (query_.groups() & (kByItem | kByCategory)) != 0;
    if (!by_items || conversion.items.empty()) return {left};
    std::vector<Piece> pieces;
    for (const KeptItem& item : conversion.items) {
      const int64_t own = !conversion.is_goal && conversion.has_rate ? item.value_micros : 0;
      pieces.push_back({&item, true, conversion.is_goal ? 0 : item.quantity, conversion.is_change ? 0 : own, conversion.is_change ? own : 0});
      left.pieces -= pieces.back().pieces;
      left.micros -= pieces.back().micros;
      left.refund_micros -= pieces.back().refund_micros;
    }
    left.is_one = false;
    if (!conversion.is_goal) pieces.push_back(left);
    return pieces;
  }

  void facts_of(const KeptConversion& conversion, int64_t start_s, Values values, const std::string& id,
                const std::string& metric, std::vector<CountedFact>& to) const {
    const std::vector<Share> shares = shares_of(conversion);
    const std::vector<Piece> pieces = pieces_of(conversion);
    values["event"] = conversion.event;
    values["goal"] = conversion.goal;
    values["coupon"] = conversion.coupon;
    values["currency"] = conversion.currency;
    std::vector<int64_t> left = split(conversion.value_micros, shares), left_refunds = split(conversion.refund_micros, shares);
    for (const Piece& piece : pieces) {
      const std::vector<int64_t> micros = &piece == &pieces.back() ? left : split(piece.micros, shares);
      const std::vector<int64_t> refunds = &piece == &pieces.back() ? left_refunds : split(piece.refund_micros, shares);
      for (size_t i = 0; i < shares.size(); ++i) {
        left[i] -= micros[i];
        left_refunds[i] -= refunds[i];
        facts_of(conversion, piece, shares[i], micros[i], refunds[i], start_s + conversion.time_s, values,
                 id + "/" + std::to_string(i), metric, to);
      }
    }
  }

  static void facts_of(const KeptConversion& conversion, const Piece& piece, const Share& share, int64_t micros, int64_t refund_micros,
                       int64_t time_s, Values values, const std::string& id, const std::string& metric, std::vector<CountedFact>& to) {
    static const KeptTouch kNone{.channel = kDirectChannel, .source = kDirectSource};
    put_touch(share.touch != nullptr ? *share.touch : kNone, values);
    if (piece.item != nullptr) values["item"] = piece.item->id;
    if (piece.item != nullptr) values["item_category"] = piece.item->category;
    if (metric == "items") to.push_back({id, time_s, values, static_cast<__int128>(piece.pieces) * share.millionths});
    if (metric == "revenue") to.push_back({id, time_s, values, micros});
    if (metric == "refunds") to.push_back({id, time_s, values, refund_micros});
    if (metric == "revenue_net") to.push_back({id, time_s, values, micros - refund_micros});
    if (!piece.is_one || conversion.is_change) return;
    if (metric == "conversions") to.push_back({id, time_s, values, share.millionths});
    if (metric == "orders" && !conversion.is_goal) to.push_back({id, time_s, values, share.millionths});
    if (metric == "goal_value") to.push_back({id, time_s, values, conversion.goal_value_micros});
  }

  const Query& query_;
  const std::vector<KeptVisit>& visits_;
  const std::vector<PageGroup> page_groups_;
};

}  // namespace footfall
