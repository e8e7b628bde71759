#include "rollup/kept_sums.h"

#include <algorithm>

#include "credit/attribution.h"

namespace footfall {
namespace {

// By these a conversion goes to the touch that the model credits, all else to the visit's first touch.
struct TouchText {
  Dimension dimension;
  std::string_view KeptTouch::*text;
};
constexpr TouchText kTouchTexts[] = {
    {Dimension::channel, &KeptTouch::channel},   {Dimension::source, &KeptTouch::source},
    {Dimension::medium, &KeptTouch::medium},     {Dimension::campaign, &KeptTouch::campaign},
    {Dimension::content, &KeptTouch::content},   {Dimension::term, &KeptTouch::term},
    {Dimension::code, &KeptTouch::code},         {Dimension::referrer_host, &KeptTouch::referrer_host},
    {Dimension::referrer, &KeptTouch::referrer},
};

struct VisitText {
  Dimension dimension;
  std::string_view KeptVisit::*text;
};
constexpr VisitText kVisitTexts[] = {
    {Dimension::country, &KeptVisit::country},
    {Dimension::device, &KeptVisit::device},
    {Dimension::browser, &KeptVisit::browser},
    {Dimension::system, &KeptVisit::os},
    {Dimension::new_returning, &KeptVisit::new_returning},
};

// Groups of pages are not among them: which there were then, nobody knows.
constexpr Dimension kKeptDimensions[] = {
    Dimension::total,  Dimension::page,           Dimension::channel,     Dimension::source,
    Dimension::medium, Dimension::campaign,       Dimension::entry_page,  Dimension::exit_page,
    Dimension::event,  Dimension::goal,           Dimension::currency,    Dimension::country,
    Dimension::device, Dimension::item,           Dimension::search_term, Dimension::browser,
    Dimension::system, Dimension::new_returning,  Dimension::content,     Dimension::term,
    Dimension::code,   Dimension::referrer_host,  Dimension::referrer,    Dimension::item_category,
    Dimension::coupon, Dimension::order_currency,
};

constexpr size_t place_of(Counter counter) { return static_cast<size_t>(counter); }
constexpr size_t place_of(Amount amount) { return kCounters + static_cast<size_t>(amount); }

// Neither spend nor steps of journeys nor squares are told by visits.
bool is_told_by_visits(size_t sum) {
  if (sum >= kCounters) return sum < place_of(Amount::cost);
  return static_cast<Counter>(sum) < Counter::clicks;
}

bool is_of_hits(Counter counter) {
  return counter <= Counter::excluded_hits || counter == Counter::duplicate_orders ||
         counter == Counter::rejected_orders || counter == Counter::malformed_events;
}

// The last view that was not late. There is a view.
const KeptView& exit_of(const KeptVisit& visit) {
  size_t exit = visit.views.size() - 1;
  while (exit > 0 && (visit.views[exit].flags & kViewLate) != 0) --exit;
  return visit.views[exit];
}

}  // namespace

std::span<const Dimension> KeptSums::dimensions() { return kKeptDimensions; }

std::span<const uint8_t> KeptSums::sums() {
  static const std::vector<uint8_t> kList = [] {
    std::vector<uint8_t> list;
    for (size_t sum = 0; sum < kSums; ++sum)
      if (is_told_by_visits(sum) && (sum >= kCounters || !is_of_hits(static_cast<Counter>(sum)))) list.push_back(static_cast<uint8_t>(sum));
    return list;
  }();
  return kList;
}

KeptSums::Agrees KeptSums::agrees(Dimension dimension, size_t sum, bool has_undone_imports) {
  if (has_undone_imports) {
    if (sum == place_of(Counter::pages_left) || sum == place_of(Counter::page_time_ms)) return Agrees::no;
    if (dimension == Dimension::entry_page || dimension == Dimension::exit_page) return Agrees::in_all;
  }
  return Agrees::by_value;
}

Hash128 KeptSums::hash_of(std::string_view text) {
  if (text.empty()) return kNullValue;
  const auto [known, fresh] = hashes_.try_emplace(text.data());
  if (fresh) known->second = hasher_(text);
  return known->second;
}

KeptSums::Day& KeptSums::day_of(int64_t time_s) {
  if (day_ == nullptr || time_s < day_start_s_ || time_s >= day_end_s_) {
    day_start_s_ = zone_.bucket_start_s(Level::day, time_s);
    day_end_s_ = zone_.next_bucket_s(Level::day, time_s);
    day_ = &days_[day_start_s_];
  }
  return *day_;
}

void KeptSums::add(Day& day, const Row& row, Counter counter, __int128 amount) {
  day.by[static_cast<size_t>(row.first)].add(row.second, place_of(counter), amount);
}

void KeptSums::add(const KeptVisit& visit) {
  start_s_ = whole_s(visit.start_ms);
  rows_ = {{Dimension::total, kNullValue}};
  for (const TouchText& of : kTouchTexts) rows_.emplace_back(of.dimension, hash_of(visit.first_touch.*of.text));
  for (const VisitText& of : kVisitTexts) rows_.emplace_back(of.dimension, hash_of(visit.*of.text));
  const bool has_page = !visit.views.empty();
  rows_.emplace_back(Dimension::entry_page, has_page ? hash_of(visit.views.front().page) : kNullValue);
  rows_.emplace_back(Dimension::exit_page, has_page ? hash_of(exit_of(visit).page) : kNullValue);
  if (visit.is_visit()) add_visit(visit);
  add_views(visit);
  for (const KeptEvent& event : visit.events) {
    add_to_visit(event.time_s, Counter::events, 1);
    Day& day = day_of(start_s_ + event.time_s);
    add(day, {Dimension::event, hash_of(event.name)}, Counter::events, 1);
    add(day, {Dimension::item, hash_of(event.item)}, Counter::events, 1);
  }
  for (const KeptConversion& conversion : visit.conversions) add_conversion(visit, conversion);
}

void KeptSums::add_to_visit(int64_t time_s, Counter counter, __int128 amount) {
  if (amount == 0) return;
  Day& day = day_of(start_s_ + time_s);
  for (const Row& row : rows_) add(day, row, counter, amount);
}

void KeptSums::add_to_page(const KeptView& view, int64_t time_s, Counter counter, __int128 amount) {
  Day& day = day_of(start_s_ + time_s);
  add(day, {Dimension::page, hash_of(view.page)}, counter, amount);
  add(day, {Dimension::search_term, hash_of(view.search_term)}, counter, amount);
}

void KeptSums::add_to_view(const KeptView& view, Counter counter, __int128 amount) {
  add_to_visit(view.time_s, counter, amount);
  add_to_page(view, view.time_s, counter, amount);
}

void KeptSums::add_visit(const KeptVisit& visit) {
  const int64_t bounces = (visit.flags & kKeptBounce) != 0;
  add_to_visit(0, Counter::visits, 1);
  add_to_visit(0, Counter::bounces, bounces);
  add_to_visit(0, Counter::duration_ms, visit.duration_ms);
  add_to_visit(0, Counter::visits_converted, (visit.flags & kKeptConverted) != 0);
  add_to_visit(0, Counter::visits_with_cart, (visit.flags & kKeptWithCart) != 0);
  add_to_visit(0, Counter::visits_cart_left, (visit.flags & kKeptCartLeft) != 0);
  if (visit.views.empty()) return;
  add_to_page(visit.views.front(), 0, Counter::bounces, bounces);
  add_to_view(visit.views.front(), Counter::entries, 1);
  add_to_view(exit_of(visit), Counter::exits, 1);
}

// The time on a page is that of what was an exit, as long as it was one.
void KeptSums::add_views(const KeptVisit& visit) {
  const KeptView* exit = nullptr;
  for (const KeptView& view : visit.views) {
    const bool is_counted = (view.flags & kViewUncounted) == 0;
    if (is_counted) {
      add_to_view(view, Counter::pageviews, 1);
      if ((view.flags & kViewFirstOfPage) != 0)
        add(day_of(start_s_), {Dimension::page, hash_of(view.page)}, Counter::visits, 1);
    }
    if ((view.flags & kViewLate) != 0) continue;
    if (exit != nullptr && is_counted) {
      add_to_view(*exit, Counter::pages_left, 1);
      add_to_view(*exit, Counter::page_time_ms, time_between_ms(*exit, view));
    }
    exit = &view;
  }
}

// --- conversions -----------------------------------------------------------------------------------------------------

void KeptSums::give(Day& day, const Row& row, const Credit& credit, Model model) {
  const auto add_by = [&](Model to, int64_t sign) {
    add(day, row, credited(Counter::conversions_last, to), sign * credit.conversions);
    add(day, row, credited(Counter::orders_last, to), sign * credit.orders);
    add(day, row, credited(Counter::items_last, to), sign * credit.items);
    for (const auto& [amount, micros] : {std::pair(Amount::revenue_last, credit.revenue_micros),
                                         std::pair(Amount::refunds_last, credit.refund_micros)})
      day.by[static_cast<size_t>(row.first)].add(row.second, place_of(credited(amount, to)), sign * micros);
  };
  add_by(model, 1);
  if (model != Model::last) return;
  for (const Model shared : kAllModels)  // which tell what they give beyond `last`
    if (!gives_whole(shared)) add_by(shared, -1);
}

void KeptSums::give_all(Day& day, const Row& row, const Credit& credit, int64_t goal_value_micros) {
  for (const Model model : kAllModels) give(day, row, credit, model);
  day.by[static_cast<size_t>(row.first)].add(row.second, place_of(Amount::goal_value), goal_value_micros);
}

// As the journey of a conversion is cut out elsewhere, of touches that are kept.
void KeptSums::give_touches(Day& day, const KeptConversion& told, const Credit& whole) {
  touches_.clear();
  journey_.clear();
  for (const KeptTouch& touch : told.touches)
    if (touch.age_s <= lookback_s_) touches_.push_back(touch);
  if (touches_.empty()) touches_.push_back({.channel = kDirectChannel, .source = kDirectSource});
  for (const KeptTouch& touch : touches_) journey_.push_back({touch.age_s * 1000, touch.channel == kDirectChannel});
  std::vector<int64_t> revenue(touches_.size()), refunds(touches_.size());
  for (const Model model : kAllModels) {
    const Credits shares = credits_of(model, journey_);
    split_micros(whole.revenue_micros, shares, revenue);
    split_micros(whole.refund_micros, shares, refunds);
    for (size_t i = 0; i < touches_.size(); ++i) {
      const auto part = [&](int64_t millionths) { return millionths / kCreditWhole * shares[i]; };
      const Credit credit{part(whole.conversions), part(whole.orders), part(whole.items), revenue[i], refunds[i]};
      for (const TouchText& of : kTouchTexts) give(day, {of.dimension, hash_of(touches_[i].*of.text)}, credit, model);
    }
  }
}

void KeptSums::add_conversion(const KeptVisit& visit, const KeptConversion& told) {
  Day& day = day_of(start_s_ + told.time_s);
  const int64_t one = told.is_change ? 0 : kCreditWhole;
  const Credit whole{one, told.is_goal ? 0 : one, told.quantity * kCreditWhole, told.value_micros, told.refund_micros};
  give_all(day, {Dimension::total, kNullValue}, whole, told.goal_value_micros);
  for (const VisitText& of : kVisitTexts)
    give_all(day, {of.dimension, hash_of(visit.*of.text)}, whole, told.goal_value_micros);
  for (const auto& [dimension, text] :
       {std::pair(Dimension::event, told.event), std::pair(Dimension::goal, told.goal),
        std::pair(Dimension::coupon, told.coupon), std::pair(Dimension::order_currency, told.currency)})
    give_all(day, {dimension, hash_of(text)}, whole, told.goal_value_micros);
  give_touches(day, told, whole);
  if (!told.has_rate)
    give_all(day, {Dimension::currency, hash_of(told.currency)}, {0, one, 0, told.own_value_micros, 0}, 0);
  if (told.is_goal) {
    const std::string_view item = told.items.empty() ? "" : told.items.front().id;
    give_all(day, {Dimension::item, hash_of(item)}, whole, told.goal_value_micros);
    give_all(day, {Dimension::item_category, kNullValue}, whole, told.goal_value_micros);
    return;
  }
  add_parts(day, told, whole, Dimension::item, &KeptItem::id);
  add_parts(day, told, whole, Dimension::item_category, &KeptItem::category);
}

// What has no name goes with what no item brought.
void KeptSums::add_parts(Day& day, const KeptConversion& told, const Credit& whole, Dimension dimension,
                         std::string_view KeptItem::*name) {
  std::map<std::string_view, Credit> parts;
  Credit left = whole;
  bool is_all_named = !told.items.empty();
  for (const KeptItem& item : told.items) {
    if ((item.*name).empty()) {
      is_all_named = false;
      continue;
    }
    Credit& part = parts.try_emplace(item.*name, Credit{whole.conversions, whole.orders, 0, 0, 0}).first->second;
    part.items += item.quantity * kCreditWhole;
    (told.is_change ? part.refund_micros : part.revenue_micros) += told.has_rate ? item.value_micros : 0;
  }
  for (const auto& [text, part] : parts) {
    give_all(day, {dimension, hash_of(text)}, part, 0);
    left.items -= part.items;
    left.revenue_micros -= part.revenue_micros;
    left.refund_micros -= part.refund_micros;
  }
  if (is_all_named) left.orders = left.conversions = 0;
  give_all(day, {dimension, kNullValue}, left, 0);
}

}  // namespace footfall
