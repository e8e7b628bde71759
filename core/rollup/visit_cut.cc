#include "rollup/visit_cut.h"

#include <algorithm>
#include <map>

#include "rollup/kept_visit.h"
#include "rollup/visit_block.h"

namespace footfall {
namespace {

template <class Step>
void erase_steps(std::vector<Step>& steps, size_t from, size_t to) {
  if (from > to || to > steps.size()) return;
  steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(from), steps.begin() + static_cast<std::ptrdiff_t>(to));
}

void cut_views(KeptSteps& steps, size_t from, size_t to) {
  std::vector<KeptView>& views = steps.views;
  if (from >= to || to > views.size()) return;
  size_t exit = views.size() - 1;
  while (exit > 0 && (views[exit].flags & kViewLate) != 0) --exit;
  std::vector<KeptView> told;  // in place of those that go
  for (size_t i = from; i < to; ++i) {
    if (i != 0 && i != exit) continue;
    told.push_back(views[i]);
    told.back().flags = kViewUncounted;
  }
  for (KeptEvent& event : steps.events) {
    const size_t gone = std::clamp<size_t>(event.views_before, from, to) - from;
    event.views_before -= static_cast<uint32_t>(std::min(gone, to - from - told.size()));
  }
  erase_steps(views, from, to);
  views.insert(views.begin() + static_cast<std::ptrdiff_t>(from), told.begin(), told.end());
}

bool cut(KeptVisit& visit, const std::vector<const VisitCut*>& cuts) {
  const auto found = std::find_if(cuts.begin(), cuts.end(), [&](const VisitCut* cut) {
    return visit.is_visit() && cut->start_ms == visit.start_ms && cut->visitor == visit.visitor;
  });
  if (found == cuts.end()) return false;
  cut_steps(visit, (*found)->from, (*found)->to);
  return true;
}

// False: nothing of it is to be cut.
Result<bool> cut_block(std::string_view stored, const std::vector<const VisitCut*>& cuts, std::string& to) {
  std::optional<VisitBlock> block = VisitBlock::open(stored);
  if (!block) return Error::corrupt("block of visits");
  VisitBlockBuilder builder;
  KeptVisit visit;
  bool any = false;
  for (size_t row = 0; row < block->rows(VisitTable::visits); ++row) {
    if (!block->read(row, visit)) return Error::corrupt("block of visits");
    any |= cut(visit, cuts);
    builder.add(visit);
  }
  if (any) to = builder.finish();
  return any;
}

Result<bool> cut_row(std::string_view stored, const std::vector<const VisitCut*>& cuts, std::string& to) {
  KeptVisit visit;
  if (!decode_kept_visit(stored, visit)) return Error::corrupt("row of a visit");
  const bool any = cut(visit, cuts);
  if (any) to = encode_kept_visit(visit);
  return any;
}

template <class Cut>
Status cut_group(LmdbTxn& txn, LmdbDatabase database, VisitLogKey group, Cut cut_value) {
  std::map<std::string, std::string> changed;
  {
    Result<LmdbCursor> cursor = LmdbCursor::open(txn, database);
    if (!cursor) return cursor.error();
    const std::string first = encode_visit_key(group);
    group.number = UINT32_MAX;
    const std::string last = encode_visit_key(group);
    for (bool there = cursor->seek(first); there && cursor->key() <= last; there = cursor->next()) {
      std::string value;
      const Result<bool> any = cut_value(cursor->value(), value);
      if (!any) return any.error();
      if (*any) changed.emplace(cursor->key(), std::move(value));
    }
  }
  for (const auto& [key, value] : changed)
    if (Status status = txn.put(database, key, value); !status) return status;
  return {};
}

}  // namespace

StepCounts count_steps(std::string_view steps) {
  KeptSteps decoded;
  if (!decode_steps(steps, decoded)) return {};
  return {decoded.views.size(), decoded.events.size(), decoded.conversions.size()};
}

void cut_steps(KeptSteps& steps, const StepCounts& from, const StepCounts& to) {
  erase_steps(steps.events, from.events, to.events);
  erase_steps(steps.conversions, from.conversions, to.conversions);
  cut_views(steps, from.views, to.views);
}

Status cut_visits(LmdbTxn& txn, VisitLogDatabases databases, const std::vector<VisitCut>& cuts) {
  std::map<std::string, std::pair<VisitLogKey, std::vector<const VisitCut*>>> groups;
  for (const VisitCut& cut : cuts) {
    const VisitLogKey group{cut.site, cut.day_s, cut.import, 0};
    auto& [key, of_group] = groups[encode_visit_key(group)];
    key = group;
    of_group.push_back(&cut);
  }
  for (const auto& [name, group] : groups) {
    const auto& [key, of_group] = group;
    const auto in_row = [&](std::string_view stored, std::string& to) { return cut_row(stored, of_group, to); };
    const auto in_block = [&](std::string_view stored, std::string& to) { return cut_block(stored, of_group, to); };
    if (Status status = cut_group(txn, databases.rows, key, in_row); !status) return status;
    if (Status status = cut_group(txn, databases.blocks, key, in_block); !status) return status;
  }
  return {};
}

}  // namespace footfall
