// Figures by hour counted again from what is kept of visits: the rules of aggregate/bookings, told a second time. They must be
// those of the rollups, in every row.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "aggregate/shop.h"
#include "aggregate/traffic.h"
#include "credit/attribution.h"
#include "rollup/visit_block.h"
#include "site/match.h"

namespace footfall {

class KeptFigures {
 public:
  KeptFigures(Sites& sites, int64_t lookback_s) : sites_(sites), lookback_s_(lookback_s) {}

  void add(uint16_t site, const KeptVisit& visit) {
    site_ = site;
    visit_ = &visit;
    rows_ = {{Dimension::total, ""},
             {Dimension::channel, visit.first_touch.channel},
             {Dimension::source, visit.first_touch.source},
             {Dimension::medium, visit.first_touch.medium},
             {Dimension::campaign, visit.first_touch.campaign},
             {Dimension::referrer_host, visit.first_touch.referrer_host},
             {Dimension::country, visit.country},
             {Dimension::device, visit.device},
             {Dimension::browser, visit.browser},
             {Dimension::system, visit.os},
             {Dimension::new_returning, visit.new_returning},
             {Dimension::content, visit.first_touch.content},
             {Dimension::term, visit.first_touch.term},
             {Dimension::code, visit.first_touch.code},
             {Dimension::referrer, visit.first_touch.referrer},
             {Dimension::entry_page, visit.views.empty() ? "" : visit.views.front().page},
             {Dimension::exit_page, visit.views.empty() ? "" : exit().page}};
    if (visit.is_visit()) add_visit();
    for (const KeptView& view : visit.views) add_view(view);
    add_times_on_pages();
    for (const KeptEvent& event : visit.events) {
      for (Counters* counters : visit_rows(event.time_s)) (*counters)[Counter::events] += 1;
      at(Dimension::event, event.name, event.time_s)[Counter::events] += 1;
      at(Dimension::item, event.item, event.time_s)[Counter::events] += 1;
    }
    for (const KeptConversion& conversion : visit.conversions) add_conversion(conversion);
  }

  const Figures& figures() const { return figures_; }

 private:
  using Row = std::pair<Dimension, std::string_view>;

  const KeptView& exit() const {
    const auto& views = visit_->views;
    size_t exit = views.size() - 1;
    while (exit > 0 && (views[exit].flags & kViewLate)) --exit;
    return views[exit];
  }

  Counters& at(Dimension dimension, std::string_view text, int64_t time_s) {
    const Zone& zone = sites_.at(site_).zone;
    const int64_t hour_s = zone.bucket_start_s(Level::hour, whole_s(visit_->start_ms) + time_s);
    return figures_[{site_, dimension, Level::hour, hour_s, std::string(text)}];
  }

  std::vector<Counters*> visit_rows(int64_t time_s) {
    std::vector<Counters*> rows;
    for (const auto& [dimension, text] : rows_) rows.push_back(&at(dimension, text, time_s));
    return rows;
  }

  void add_visit() {
    const int64_t bounces = (visit_->flags & kKeptBounce) != 0;
    for (Counters* counters : visit_rows(0)) {
      (*counters)[Counter::visits] += 1;
      (*counters)[Counter::bounces] += bounces;
      (*counters)[Counter::duration_ms] += visit_->duration_ms;
      (*counters)[Counter::visits_converted] += (visit_->flags & kKeptConverted) != 0;
      (*counters)[Counter::visits_with_cart] += (visit_->flags & kKeptWithCart) != 0;
      (*counters)[Counter::visits_cart_left] += (visit_->flags & kKeptCartLeft) != 0;
      counters->visitors.add(visit_->visitor);
    }
    if (visit_->views.empty()) return;
    const KeptView& entry = visit_->views.front();
    each_page_row(entry, 0, [&](Counters& counters) { counters[Counter::bounces] += bounces; });
    add_to_view(entry, Counter::entries);
    add_to_view(exit(), Counter::exits);
  }

  template <class Change>
  void each_page_row(const KeptView& view, int64_t time_s, Change change) {
    change(at(Dimension::page, view.page, time_s));
    change(at(Dimension::search_term, view.search_term, time_s));
    const auto& groups = sites_.at(site_).config.page_groups;
    if (groups.empty()) return;
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return matches(group.path, view.page.substr(0, view.page.find('?')));
    });
    change(at(Dimension::page_group, group == groups.end() ? "" : std::string_view(group->name), time_s));
  }

  void add_to_view(const KeptView& view, Counter counter, int64_t count = 1) {
    for (Counters* counters : visit_rows(view.time_s)) (*counters)[counter] += count;
    each_page_row(view, view.time_s, [&](Counters& counters) { counters[counter] += count; });
  }

  // From each page that was an exit, as long as it was one.
  void add_times_on_pages() {
    const KeptView* exit = nullptr;
    for (const KeptView& view : visit_->views) {
      if (view.flags & kViewLate) continue;
      if (exit != nullptr && (view.flags & kViewUncounted) == 0) {
        add_to_view(*exit, Counter::pages_left);
        add_to_view(*exit, Counter::page_time_ms, time_between_ms(*exit, view));
      }
      exit = &view;
    }
  }

  void add_view(const KeptView& view) {
    if (view.flags & kViewUncounted) return;
    add_to_view(view, Counter::pageviews);
    if (view.flags & kViewFirstOfPage) at(Dimension::page, view.page, 0)[Counter::visits] += 1;
  }

  struct Credit {
    int64_t orders = 0, items = 0, revenue = 0, conversions = 1'000'000, refunds = 0;
  };
  static void give(Counters& to, const Credit& credit, Model model) {
    const auto add = [&](Model by, int64_t sign) {
      to[credited(Counter::conversions_last, by)] += sign * credit.conversions;
      to[credited(Counter::orders_last, by)] += sign * credit.orders;
      to[credited(Counter::items_last, by)] += sign * credit.items;
      to[credited(Amount::revenue_last, by)] += sign * credit.revenue;
      to[credited(Amount::refunds_last, by)] += sign * credit.refunds;
    };
    add(model, 1);
    if (model == Model::last)
      for (const Model shared : {Model::linear, Model::position, Model::time_decay}) add(shared, -1);
  }
  static void give_all(Counters& to, const Credit& credit, int64_t goal_value) {
    for (const Model model : kAllModels) give(to, credit, model);
    to[Amount::goal_value] += goal_value;
  }

  // By each model, to each touch in reach.
  void give_touches(const KeptConversion& told, const Credit& whole) {
    std::vector<KeptTouch> touches;
    for (const KeptTouch& touch : told.touches)
      if (touch.age_s <= lookback_s_) touches.push_back(touch);
    if (touches.empty()) touches.push_back({.channel = kDirectChannel, .source = kDirectSource});
    std::vector<JourneyTouch> journey;
    for (const KeptTouch& touch : touches) journey.push_back({touch.age_s * 1000, touch.channel == kDirectChannel});
    for (const Model model : kAllModels) {
      const Credits credits = credits_of(model, journey);
      int64_t revenue_left = whole.revenue, refunds_left = whole.refunds;
      for (size_t i = 0; i < touches.size(); ++i) {
        const auto money = [&](int64_t all, int64_t& left) {
          const auto cut = static_cast<int64_t>(static_cast<__int128>(all) * credits[i] / 1'000'000);
          const int64_t part = i + 1 < touches.size() ? cut : left;
          left -= part;
          return part;
        };
        const KeptTouch& touch = touches[i];
        const Credit part{whole.orders / 1'000'000 * credits[i], whole.items / 1'000'000 * credits[i],
                          money(whole.revenue, revenue_left), whole.conversions / 1'000'000 * credits[i],
                          money(whole.refunds, refunds_left)};
        for (const Row& row : {Row{Dimension::channel, touch.channel}, Row{Dimension::source, touch.source},
                               Row{Dimension::medium, touch.medium}, Row{Dimension::campaign, touch.campaign},
                               Row{Dimension::referrer_host, touch.referrer_host},
                               Row{Dimension::content, touch.content}, Row{Dimension::term, touch.term},
                               Row{Dimension::code, touch.code}, Row{Dimension::referrer, touch.referrer}})
          give(at(row.first, row.second, told.time_s), part, model);
      }
    }
  }

  void add_conversion(const KeptConversion& told) {
    Credit whole{told.is_goal ? 0 : 1'000'000, told.quantity * 1'000'000, told.value_micros};
    if (told.is_change) whole = {.items = 0, .revenue = told.value_micros, .conversions = 0, .refunds = told.refund_micros};
    const int64_t goal_value = told.goal_value_micros;
    for (const Row& row : {Row{Dimension::total, ""}, Row{Dimension::country, visit_->country},
                           Row{Dimension::device, visit_->device}, Row{Dimension::browser, visit_->browser},
                           Row{Dimension::system, visit_->os}, Row{Dimension::new_returning, visit_->new_returning},
                           Row{Dimension::event, told.event}, Row{Dimension::goal, told.goal},
                           Row{Dimension::coupon, told.coupon}, Row{Dimension::order_currency, told.currency}})
      give_all(at(row.first, row.second, told.time_s), whole, goal_value);
    give_touches(told, whole);
    if (!told.has_rate)
      give_all(at(Dimension::currency, told.currency, told.time_s),
               {.orders = told.is_change ? 0 : 1'000'000, .revenue = told.own_value_micros, .conversions = 0}, 0);
    add_items(told, whole);
  }

  void add_items(const KeptConversion& told, const Credit& whole) {
    if (told.is_goal) {
      const std::string_view item = told.items.empty() ? "" : told.items.front().id;
      give_all(at(Dimension::item, item, told.time_s), whole, told.goal_value_micros);
      give_all(at(Dimension::item_category, "", told.time_s), whole, told.goal_value_micros);
      return;
    }
    add_parts(told, whole, Dimension::item, &KeptItem::id);
    add_parts(told, whole, Dimension::item_category, &KeptItem::category);
  }

  // What has no name goes with what no item brought.
  void add_parts(const KeptConversion& told, const Credit& whole, Dimension dimension, std::string_view KeptItem::*name) {
    std::map<std::string_view, Credit> parts;
    Credit left = whole;
    for (const KeptItem& item : told.items) {
      if ((item.*name).empty()) continue;
      Credit of_item{whole.orders, 0, 0, whole.conversions, 0};
      Credit& part = parts.try_emplace(item.*name, of_item).first->second;
      part.items += item.quantity * 1'000'000;
      (told.is_change ? part.refunds : part.revenue) += told.has_rate ? item.value_micros : 0;
    }
    for (const auto& [text, part] : parts) {
      give_all(at(dimension, text, told.time_s), part, 0);
      left.items -= part.items;
      left.revenue -= part.revenue;
      left.refunds -= part.refunds;
    }
    const bool is_all_named = std::none_of(told.items.begin(), told.items.end(),
                                           [&](const KeptItem& item) { return (item.*name).empty(); });
    if (!told.items.empty() && is_all_named) left.orders = left.conversions = 0;
    give_all(at(dimension, "", told.time_s), left, 0);
  }

  Sites& sites_;
  const int64_t lookback_s_;
  Figures figures_;
  uint16_t site_ = 0;
  const KeptVisit* visit_ = nullptr;
  std::vector<Row> rows_;
};

// Counters that hits have, and no visit.
inline bool is_of_hits(Counter counter) {
  return counter <= Counter::excluded_hits || counter == Counter::duplicate_orders ||
         counter == Counter::rejected_orders || counter == Counter::malformed_events;
}

// A line per row, of what visits have. By the exit page that a visit had when it went over into another import, its visitor
// stays counted.
inline std::string told_of_visits(const Figures& figures, bool with_visitors) {
  static Figures of_visits;
  of_visits.clear();
  for (const auto& [name, counters] : figures) {
    if (name.level != Level::hour || name.dimension == Dimension::coverage) continue;  // no visit tells that
    if (name.dimension >= Dimension::journey_channel) continue;
    Counters without_hits = counters;
    for (size_t i = 0; i < kCounters; ++i)
      if (is_of_hits(static_cast<Counter>(i))) without_hits[static_cast<Counter>(i)] = 0;
    without_hits.took_ms.reset();
    if (without_hits.has_rare())  // no visit tells squares
      for (size_t i = static_cast<size_t>(Amount::revenue_squares_last); i < kAmounts; ++i)
        without_hits[static_cast<Amount>(i)] = 0;
    if (!with_visitors) without_hits.visitors = Distinct();
    if (!without_hits.is_zero()) of_visits.emplace(name, std::move(without_hits));
  }
  return told(of_visits);
}

// Everything that is kept, of all sites, credited over a lookback.
inline Figures kept_figures(int lookback_days = 30) {
  static std::unique_ptr<KeptFigures> kept;
  kept = std::make_unique<KeptFigures>(shop().sites(), lookback_days * kDayS);
  shop().read_snapshot([](SummarySnapshot& snapshot) {
    for (uint16_t site = 0; site < shop().sites().size(); ++site) {
      const Status read = snapshot.each_visit_block(site, 0, 4'000'000'000, [&](VisitBlock& block) -> Status {
        KeptVisit visit;
        for (size_t row = 0; row < block.rows(VisitTable::visits); ++row) {
          if (!block.read(row, visit)) return Error::corrupt("block");
          kept->add(site, visit);
        }
        return {};
      });
      assert_true(read.ok());
    }
  });
  return kept->figures();
}

// What rollups tell by a lookback: what was counted by the site's own, and what the other gives beyond.
inline Figures figures_by_lookback(const Figures& booked, int lookback_days) {
  Figures figures;
  for (const auto& [name, counters] : booked) {
    RowName row = name;
    if (is_by_lookback(name.dimension)) {
      const auto of = std::find_if(kTouchDimensions.begin(), kTouchDimensions.end(), [&](Dimension touch) {
        return by_lookback(touch, lookback_days) == name.dimension;
      });
      if (of == kTouchDimensions.end()) continue;
      row.dimension = *of;
    }
    const auto [place, fresh] = figures.try_emplace(row, counters);
    if (!fresh) place->second.merge_sums(counters);
    if (is_by_lookback(name.dimension)) place->second[Counter::journeys_converted] = 0;
  }
  return figures;
}

inline void expect_kept_visits_to_tell_the_same(const std::string& when, bool with_visitors = true) {
  static std::string told_by_rollups, kept;
  static Figures booked;
  booked = shop().figures();
  for (const int days : kLookbackDays) {
    kept = told_of_visits(kept_figures(days), with_visitors);
    told_by_rollups = told_of_visits(figures_by_lookback(booked, days), with_visitors);
    expect_same(kept, told_by_rollups, when + ", lookback " + std::to_string(days) + "d");
  }
}

}  // namespace footfall
