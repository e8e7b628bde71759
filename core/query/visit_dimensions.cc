#include "query/visit_dimensions.h"

#include <algorithm>

#include "credit/model.h"
#include "hit/hit.h"
#include "site/match.h"

namespace footfall {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr VisitColumn kNoColumn = static_cast<VisitColumn>(UINT8_MAX);
constexpr std::string_view kPageGroup = "page_group", kEntryPage = "entry_page", kExitPage = "exit_page";

// A fact goes by the most particular of these that it has.
struct Columns {
  std::string_view dimension;
  VisitColumn visit = kNoColumn;  // of visits, and of what happened in them
  VisitColumn touch = kNoColumn;  // of conversions: of the touch that gets the credit
  VisitColumn view = kNoColumn;   // of views; of visits: of the entry page's
  VisitColumn event = kNoColumn;
  VisitColumn conversion = kNoColumn;
  VisitColumn item = kNoColumn;  // of conversions, each of their parts its own
};

using enum VisitColumn;
constexpr Columns kColumns[] = {
    {.dimension = "channel", .visit = channel, .touch = touch_channel},
    {.dimension = "source", .visit = source, .touch = touch_source},
    {.dimension = "medium", .visit = medium, .touch = touch_medium},
    {.dimension = "campaign", .visit = campaign, .touch = touch_campaign},
    {.dimension = "content", .visit = content, .touch = touch_content},
    {.dimension = "term", .visit = term, .touch = touch_term},
    {.dimension = "code", .visit = code, .touch = touch_code},
    {.dimension = "referrer_host", .visit = referrer_host, .touch = touch_referrer_host},
    {.dimension = "referrer", .visit = referrer, .touch = touch_referrer},
    {.dimension = "country", .visit = country},
    {.dimension = "device", .visit = device},
    {.dimension = "browser", .visit = browser},
    {.dimension = "os", .visit = os},
    {.dimension = "new_returning", .visit = new_returning},
    {.dimension = "page", .view = view_page},
    {.dimension = kPageGroup, .view = view_page},
    {.dimension = kEntryPage, .view = view_page},
    {.dimension = kExitPage, .view = view_page},
    {.dimension = "search_term", .view = view_search_term},
    {.dimension = "event", .event = event_name, .conversion = conversion_event},
    {.dimension = "goal", .conversion = conversion_goal},
    {.dimension = "coupon", .conversion = conversion_coupon},
    {.dimension = "currency", .conversion = conversion_currency},
    {.dimension = "item", .event = event_item, .item = item_id},
    {.dimension = "item_category", .item = item_category},
};

const Columns* find_columns(const DimensionInfo& dimension) {
  const auto found = std::find_if(std::begin(kColumns), std::end(kColumns),
                                  [&](const Columns& columns) { return columns.dimension == dimension.name; });
  return found == std::end(kColumns) ? nullptr : found;
}

// What a conversion of nobody known, or whose touches all lie before the lookback, is credited to.
std::string_view text_without_touch(VisitColumn column) {
  return column == touch_channel ? kDirectChannel : column == touch_source ? kDirectSource : std::string_view();
}

}  // namespace

VisitTable table_of(Fact fact) {
  switch (fact) {
    case Fact::visit:
      return VisitTable::visits;
    case Fact::page_visit:
    case Fact::view:
      return VisitTable::views;
    case Fact::event:
      return VisitTable::events;
    case Fact::conversion:
      return VisitTable::conversions;
  }
  return VisitTable::visits;
}

bool is_kept_with_visits(const DimensionInfo& dimension) { return find_columns(dimension) != nullptr; }

bool BlockDimensions::is_of_items(const DimensionInfo& dimension) {
  const Columns* columns = find_columns(dimension);
  return columns != nullptr && columns->item != kNoColumn;
}

bool BlockDimensions::read(Fact fact, const DimensionInfo& dimension, Codes& to) {
  const Columns* columns = find_columns(dimension);
  if (columns == nullptr) return false;
  if (dimension.name == kEntryPage || dimension.name == kExitPage)
    return at_end(fact, dimension.name == kEntryPage, to);
  if (fact == Fact::event && columns->event != kNoColumn) return own(block_.texts(columns->event), to);
  if (fact == Fact::conversion && columns->conversion != kNoColumn) return own(block_.texts(columns->conversion), to);
  if (fact == Fact::conversion && columns->touch != kNoColumn) return of_credited_touch(columns->touch, to);
  if (columns->view != kNoColumn && table_of(fact) != VisitTable::events && table_of(fact) != VisitTable::conversions)
    return of_view(fact, dimension, columns->view, to);
  if (columns->visit != kNoColumn) return of_visit(fact, columns->visit, to);
  static const std::vector<std::string_view> kNull(1);  // facts of that kind have no such value
  to.texts = &kNull;
  to.own.assign(block_.rows(table_of(fact)), 0);
  to.codes = to.own.data();
  return true;
}

bool BlockDimensions::read_of_items(const DimensionInfo& dimension, Codes& to) {
  const Columns* columns = find_columns(dimension);
  return columns != nullptr && columns->item != kNoColumn && own(block_.texts(columns->item), to);
}

bool BlockDimensions::is_of_touches(const DimensionInfo& dimension) {
  const Columns* columns = find_columns(dimension);
  return columns != nullptr && columns->touch != kNoColumn;
}

bool BlockDimensions::read_of_touches(const DimensionInfo& dimension, Codes& to) {
  const Columns* columns = find_columns(dimension);
  if (columns == nullptr || columns->touch == kNoColumn) return false;
  to.extra = text_without_touch(columns->touch);
  return own(block_.texts(columns->touch), to);
}

bool BlockDimensions::own(const TextColumn* column, Codes& to) {
  if (column == nullptr) return false;
  to.texts = &column->texts;
  to.codes = column->codes.data();
  return true;
}

bool BlockDimensions::of_visit(Fact fact, VisitColumn name, Codes& to) {
  const TextColumn* column = block_.texts(name);
  if (!own(column, to) || fact == Fact::visit) return column != nullptr;
  const std::vector<uint32_t>* owner = owners(table_of(fact));
  if (owner == nullptr) return false;
  to.own.resize(owner->size());
  for (size_t row = 0; row < owner->size(); ++row) to.own[row] = column->codes[(*owner)[row]];
  to.codes = to.own.data();
  return true;
}

bool BlockDimensions::at_end(Fact fact, bool entry, Codes& to) {
  const TextColumn* pages = block_.texts(view_page);
  const std::vector<uint32_t>* end = ends(entry);
  const std::vector<uint32_t>* owner = fact == Fact::visit ? nullptr : owners(table_of(fact));
  if (pages == nullptr || end == nullptr || (fact != Fact::visit && owner == nullptr)) return false;
  to.texts = &pages->texts;
  to.own.resize(block_.rows(table_of(fact)));
  for (size_t row = 0; row < to.own.size(); ++row) {
    const uint32_t view = (*end)[owner == nullptr ? row : (*owner)[row]];
    to.own[row] = view == kNone ? 0 : pages->codes[view];
  }
  to.codes = to.own.data();
  return true;
}

bool BlockDimensions::of_view(Fact fact, const DimensionInfo& dimension, VisitColumn name, Codes& to) {
  const TextColumn* column = block_.texts(name);
  if (!own(column, to)) return false;
  const bool grouped = dimension.name == kPageGroup;
  std::vector<uint32_t> groups;
  if (grouped) {
    groups = group_pages(*column);
    to.texts = &group_names_;
  }
  if (fact == Fact::view || fact == Fact::page_visit) {
    if (!grouped) return true;
    to.own.resize(column->codes.size());
    for (size_t row = 0; row < to.own.size(); ++row) to.own[row] = groups[column->codes[row]];
  } else {
    const std::vector<uint32_t>* entry = ends(true);
    if (entry == nullptr) return false;
    to.own.resize(entry->size());
    for (size_t row = 0; row < to.own.size(); ++row) {
      const uint32_t code = (*entry)[row] == kNone ? 0 : column->codes[(*entry)[row]];
      to.own[row] = grouped ? groups[code] : code;
    }
  }
  to.codes = to.own.data();
  return true;
}

bool BlockDimensions::of_credited_touch(VisitColumn name, Codes& to) {
  const TextColumn* column = block_.texts(name);
  const std::vector<uint32_t>* credited = credited_touches();
  if (column == nullptr || credited == nullptr) return false;
  to.texts = &column->texts;
  to.extra = text_without_touch(name);
  to.own.resize(credited->size());
  for (size_t row = 0; row < to.own.size(); ++row)
    to.own[row] =
        (*credited)[row] == kNone ? static_cast<uint32_t>(column->texts.size()) : column->codes[(*credited)[row]];
  to.codes = to.own.data();
  return true;
}

// The first group whose pattern holds the page, told once a page.
std::vector<uint32_t> BlockDimensions::group_pages(const TextColumn& pages) {
  if (group_names_.empty()) {
    group_names_.emplace_back();
    for (const PageGroup& group : page_groups_)
      if (std::find(group_names_.begin(), group_names_.end(), group.name) == group_names_.end())
        group_names_.push_back(group.name);
  }
  std::vector<uint32_t> groups(pages.texts.size(), 0);
  for (size_t page = 1; page < pages.texts.size(); ++page) {
    const auto group = std::find_if(page_groups_.begin(), page_groups_.end(),
                                    [path = path_without_arguments(pages.texts[page])](const PageGroup& one) {
                                      return matches(one.path, path);
                                    });
    if (group == page_groups_.end()) continue;
    const auto name = std::find(group_names_.begin(), group_names_.end(), group->name);
    groups[page] = static_cast<uint32_t>(name - group_names_.begin());
  }
  return groups;
}

const std::vector<uint32_t>* BlockDimensions::owners(VisitTable nested) {
  std::optional<std::vector<uint32_t>>& owners = owners_[static_cast<size_t>(nested)];
  if (owners) return &*owners;
  const std::vector<uint32_t>* offsets = block_.offsets(nested);
  if (offsets == nullptr) return nullptr;
  owners.emplace(block_.rows(nested));
  for (uint32_t owner = 0; owner + 1 < offsets->size(); ++owner)
    std::fill(owners->begin() + (*offsets)[owner], owners->begin() + (*offsets)[owner + 1], owner);
  return &*owners;
}

// The entry page is the first view's; the exit page the last one's that did not come late.
const std::vector<uint32_t>* BlockDimensions::ends(bool entry) {
  std::optional<std::vector<uint32_t>>& ends = ends_[entry];
  if (ends) return &*ends;
  const std::vector<uint32_t>* offsets = block_.offsets(VisitTable::views);
  const std::vector<int64_t>* flags = entry ? nullptr : block_.ints(view_flags);
  if (offsets == nullptr || (!entry && flags == nullptr)) return nullptr;
  ends.emplace(block_.rows(VisitTable::visits), kNone);
  for (size_t visit = 0; visit < ends->size(); ++visit) {
    const uint32_t first = (*offsets)[visit];
    uint32_t view = (*offsets)[visit + 1];
    if (view == first) continue;
    if (entry)
      view = first + 1;
    else
      while (view > first + 1 && ((*flags)[view - 1] & kViewLate) != 0) --view;
    (*ends)[visit] = view - 1;
  }
  return &*ends;
}

// By the rules of credit/model.h, over the lookback that is asked for.
const std::vector<uint32_t>* BlockDimensions::credited_touches() {
  if (credited_) return &*credited_;
  const std::vector<uint32_t>* offsets = block_.offsets(VisitTable::touches);
  const std::vector<int64_t>* age_s = block_.ints(touch_age_s);
  const TextColumn* channels = block_.texts(touch_channel);
  if (offsets == nullptr || age_s == nullptr || channels == nullptr) return nullptr;
  const int64_t lookback_s = query_.lookback_days * kDayS;
  credited_.emplace(block_.rows(VisitTable::conversions), kNone);
  for (size_t conversion = 0; conversion < credited_->size(); ++conversion) {
    uint32_t first = (*offsets)[conversion], last = (*offsets)[conversion + 1];
    while (first < last && (*age_s)[first] > lookback_s) ++first;
    if (first == last) continue;
    uint32_t touch = query_.model == Model::first ? first : last - 1;
    if (query_.model == Model::last_non_direct) {
      while (touch > first && channels->texts[channels->codes[touch]] == kDirectChannel) --touch;
      if (channels->texts[channels->codes[touch]] == kDirectChannel) touch = last - 1;
    }
    (*credited_)[conversion] = touch;
  }
  return &*credited_;
}

}  // namespace footfall
