#include "query/drafts.h"

#include <algorithm>

namespace footfall {
namespace {

// Nulls come last, whichever way the order goes.
template <class Value>
int compare(const Value* left, const Value* right, bool descending) {
  if (left == nullptr || right == nullptr) return (left == nullptr) - (right == nullptr);
  const int sign = *left < *right ? -1 : *right < *left ? 1 : 0;
  return descending ? -sign : sign;
}

const __int128* value_of(const Figure& figure) { return figure.is_null ? nullptr : &figure.value; }

}  // namespace

Drafts::Drafts(const Query& query, const PartTable& table, const Collected& now, const Collected* before)
    
    : query_(query),
      table_(table),
      now_(now),
      before_(before),
      columns_(query.figure_columns()),
      others_(query.others()),
      zeros_(table.size() + 1) {
  draft(now);
  if (before != nullptr) draft(*before);
  for (Draft& draft : drafts_) draft.figures = figures(draft);
  sort();
  page_from_ = std::min<uint64_t>(query.offset, drafts_.size());
  page_to_ = page_from_ + std::min<uint64_t>(query.limit, drafts_.size() - page_from_);
  const Distinct* none = nullptr;
  const Distinct* visitors = table.has_visitors() ? &now.totals.visitors(0) : none;
  const Distinct* before_visitors = table.has_visitors() && before != nullptr ? &before->totals.visitors(0) : none;
  totals_ = figures(now.totals.sums(0), visitors, before != nullptr ? before->totals.sums(0) : Sums(zeros_),
                    before_visitors, false);
}

// --- which rows ------------------------------------------------------------------------------------------------------

// A row of the time before goes to the row of the same values, at the time that it is compared with.
void Drafts::draft(const Collected& of) {
  const bool is_now = &of == &now_;
  for (size_t group = 0; group < of.rows.size(); ++group) {
    if (of.rows.is_zero(group)) continue;
    GroupKey key = of.rows.key(group);
    if (!is_now && query_.time() != nullptr) {
      const std::optional<int64_t> time_s = time_now(key.time_s);
      if (!time_s) continue;
      key.time_s = *time_s;
    }
    const auto known = places_.find(key);
    if (known != places_.end()) {
      (is_now ? drafts_[known->second].now : drafts_[known->second].before) = group;
      continue;
    }
    const auto texts = texts_of(key);
    if (!texts) continue;
    places_.emplace(key, drafts_.size());
    Draft draft;
    draft.time_s = key.time_s;
    draft.texts = *texts;
    (is_now ? draft.now : draft.before) = group;
    if (before_ != nullptr && query_.time() != nullptr) draft.is_comparable = time_before(key.time_s).has_value();
    drafts_.push_back(std::move(draft));
  }
}

// nullopt: the row is part of `other`.
std::optional<std::array<const std::string*, 2>> Drafts::texts_of(const GroupKey& key) {
  std::array<const std::string*, 2> texts = {};
  for (size_t i = 0; i < others_.size(); ++i) {
    const Hash128& value = i == 0 ? key.value : key.second;
    if (value == kNullValue) continue;
    if (value == kOtherValue) {
      has_cut_values_ = true;
      return std::nullopt;
    }
    texts[i] = now_.texts.find(value);
    if (texts[i] == nullptr && before_ != nullptr) texts[i] = before_->texts.find(value);
    if (texts[i] != nullptr) continue;
    ++unknown_values_;
    return std::nullopt;
  }
  return texts;
}

std::optional<int64_t> Drafts::time_before(int64_t time_s) {
  const auto [known, fresh] = times_before_.try_emplace(time_s);
  if (fresh) known->second = query_.comparison->before_of(query_.time()->unit, time_s);
  return known->second;
}

std::optional<int64_t> Drafts::time_now(int64_t before_s) {
  const auto [known, fresh] = times_now_.try_emplace(before_s);
  if (fresh) known->second = query_.comparison->now_of(query_.time()->unit, before_s);
  return known->second;
}

bool Drafts::has_incomparable() const {
  return std::any_of(page().begin(), page().end(), [](const Draft& draft) { return !draft.is_comparable; });
}

// --- figures ---------------------------------------------------------------------------------------------------------

std::vector<Figure> Drafts::figures(const Draft& draft) const {
  static const Distinct kNobody;
  const auto sums = [&](const Collected* of, const std::optional<size_t>& group) {
    return group ? of->rows.sums(*group) : Sums(zeros_);
  };
  const auto visitors = [&](const Collected* of, const std::optional<size_t>& group) {
    return group && table_.has_visitors() ? &of->rows.visitors(*group) : &kNobody;
  };
  std::vector<Figure> all = figures(sums(&now_, draft.now), visitors(&now_, draft.now), sums(before_, draft.before),
                                    visitors(before_, draft.before), true);
  if (draft.is_comparable) return all;
  for (size_t i = 0; i < all.size(); ++i)
    if (!columns_[i].is_of_now()) all[i] = Figure{};
  return all;
}

std::vector<Figure> Drafts::figures(Sums now, const Distinct* now_visitors, Sums before,
                                    const Distinct* before_visitors, bool is_row) const {
  std::vector<Figure> all;
  Quotient exact_now, exact_before;
  for (const auto& [metric, of] : columns_) {
    using Of = FigureColumn::Of;
    switch (of) {
      case Of::now:
        exact_now = quotient(metric, now, now_visitors, now_, is_row);
        all.push_back(figure(metric, exact_now));
        break;
      case Of::now_low:
        all.push_back(bounds(metric, now, now_, is_row).low);
        break;
      case Of::now_high:
        all.push_back(bounds(metric, now, now_, is_row).high);
        break;
      case Of::before:
        exact_before = quotient(metric, before, before_visitors, *before_, is_row);
        all.push_back(figure(metric, exact_before));
        break;
      case Of::before_low:
        all.push_back(bounds(metric, before, *before_, is_row).low);
        break;
      case Of::before_high:
        all.push_back(bounds(metric, before, *before_, is_row).high);
        break;
      case Of::change:
        all.push_back(figure_of_change(exact_now, exact_before));
        break;
    }
  }
  return all;
}

Quotient Drafts::quotient(size_t metric, Sums sums, const Distinct* visitors, const Collected& of, bool is_row) const {
  const Metric& info = *query_.metrics[metric];
  if (info.is_visitors()) {
    if (!of.visitors_known || visitors == nullptr) return {};
    return {.is_null = false, .top = table_.visitors(*visitors, sums)};
  }
  if (info.is_quantile()) {
    const Figure settled = figure_of_quantile(table_.top(metric, sums));
    return {.is_null = settled.is_null, .top = settled.value};
  }
  if (info.needs_margin() && !query_.margin_micros) return {};
  if (counts_twice(metric, of, is_row) || lacks_credit(info, of, is_row)) return {};
  return quotient_of(info, info.bottom.kind != Part::Kind::none, table_.top(metric, sums), table_.bottom(metric, sums));
}

Figure Drafts::figure(size_t metric, const Quotient& quotient) const {
  const Metric& info = *query_.metrics[metric];
  if (quotient.is_null) return {};
  if (info.is_merged()) return {.is_null = false, .value = quotient.top};
  return figure_of(info, info.bottom.kind != Part::Kind::none, quotient.top, quotient.bottom, query_.currency);
}

Bounds Drafts::bounds(size_t metric, Sums sums, const Collected& of, bool is_row) const {
  const __int128 top = table_.top(metric, sums), bottom = table_.bottom(metric, sums);
  if (counts_twice(metric, of, is_row)) return {};
  const IntervalKind kind = query_.metrics[metric]->interval();
  if (kind == IntervalKind::rate) return bounds_of_rate(top, bottom);
  if (query_.journey_model) return {};
  // Where several values share an order, nobody knows what it brought them together.
  if (query_.shares_touches() && of.adds_values && (!is_row || others_.empty())) return {};
  const ReturnSums returns = table_.return_sums(sums);
  return kind == IntervalKind::rpv ? bounds_of_rpv(returns, query_.currency) : bounds_of_roas(returns, bottom);
}

// Rollups of several values cannot tell which visits or orders they share.
bool Drafts::counts_twice(size_t metric, const Collected& of, bool is_row) const {
  return of.adds_values && (!is_row || others_.empty()) &&
         (query_.metrics[metric]->not_additive_by & query_.groups()) != 0;
}

// Totals are known, unless they are those of a filter on touches.
bool Drafts::lacks_credit(const Metric& metric, const Collected& of, bool is_row) const {
  if (of.has_credit || !metric.is_credited()) return false;
  return is_row || std::any_of(query_.filter.begin(), query_.filter.end(), [](const Condition& condition) {
           return condition.dimension->group == kByTouch;
         });
}

bool Drafts::shares_rows() const { return !gives_whole(query_.model) && (query_.row_groups() & kByTouch) != 0; }

std::vector<__int128> Drafts::rest(const Collected& of) const {
  const Sums total = of.totals.sums(0);
  std::vector<__int128> rest(total.begin(), total.end());
  for (const Draft& draft : page()) {
    const std::optional<size_t>& group = &of == &now_ ? draft.now : draft.before;
    if (!group) continue;
    const Sums shown = of.rows.sums(*group);
    for (size_t i = 0; i < rest.size(); ++i) rest[i] -= shown[i];
  }
  return rest;
}

std::vector<Figure> Drafts::other() const {
  const std::vector<__int128> now = rest(now_);
  const std::vector<__int128> before = before_ != nullptr ? rest(*before_) : zeros_;
  std::vector<Figure> all = figures(now, nullptr, before, nullptr, false);
  for (size_t i = 0; i < all.size(); ++i) {
    const Metric& metric = *query_.metrics[columns_[i].metric];
    // What rows share an order squares to less than the order: the rest tells nothing.
    const bool is_unknown = columns_[i].is_bound() && metric.interval() != IntervalKind::rate && shares_rows();
    const bool is_before = !columns_[i].is_of_now();
    if (lacks_credit(metric, now_, true) || (is_before && lacks_credit(metric, *before_, true))) all[i] = Figure{};
    if (is_unknown || (metric.not_additive_by & query_.row_groups()) != 0) all[i] = Figure{};
  }
  return all;
}

bool Drafts::has_estimates(const Collected& of) const {
  if (!table_.has_visitors() || !of.visitors_known) return false;
  return !of.totals.visitors(0).is_exact() || std::any_of(page().begin(), page().end(), [&](const Draft& draft) {
    const std::optional<size_t>& group = &of == &now_ ? draft.now : draft.before;
    return group && !of.rows.visitors(*group).is_exact();
  });
}

// --- order -----------------------------------------------------------------------------------------------------------

int Drafts::compare_in_order(const Draft& left, const Draft& right) const {
  const size_t column = query_.order_column;
  if (column >= query_.by.size())
    return compare(value_of(left.figures[column - query_.by.size()]),
                   value_of(right.figures[column - query_.by.size()]), query_.descending);
  const DimensionInfo* dimension = query_.by[column];
  if (dimension->is_time()) return compare(&left.time_s, &right.time_s, query_.descending);
  const size_t place = static_cast<size_t>(std::find(others_.begin(), others_.end(), dimension) - others_.begin());
  return compare(left.texts[place], right.texts[place], query_.descending);
}

void Drafts::sort() {
  std::sort(drafts_.begin(), drafts_.end(), [&](const Draft& left, const Draft& right) {
    if (const int order = compare_in_order(left, right); order != 0) return order < 0;
    for (size_t i = 0; i < left.texts.size(); ++i)
      if (const int order = compare(left.texts[i], right.texts[i], false); order != 0) return order < 0;
    return left.time_s < right.time_s;
  });
}

}  // namespace footfall
