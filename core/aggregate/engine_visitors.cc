// Whose visits are open and who is remembered: out of the store and into it, and what memory holds of them meanwhile.
#include <algorithm>

#include "aggregate/engine.h"
#include "base/prefetch.h"

namespace footfall {
namespace {

// Nothing is left of whom another key took over.
bool is_anybody(const Visitor& visitor) { return visitor.is_bot() || !visitor.touches.empty(); }

}  // namespace

void Engine::restore_open_visit(std::string_view key, std::string_view value) {
  BytesReader reader(key);
  const uint16_t site = reader.be16();
  const VisitorKey visitor{site, reader.hash()};
  if (reader.u8() != static_cast<uint8_t>(timeline_)) return;
  Visit visit;
  if (!reader.ok() || site >= sites_.size() || !decode_visit(value, visit)) return;
  ends_.push({visit.last_ms + gap_ms(sites_.at(site)), visitor});
  if (visitors_.size() >= visits_max_) return void(++spilled_);
  Entry& entry = entry_of(visitor);
  entry.visit = std::make_unique<OpenVisit>(std::move(visit));
  entry.visit_stored = true;
}

void Engine::forget() {
  visitors_.clear();
  changed_.clear();
  ends_ = {};
  spilled_ = 0;
}

void Engine::set_clocks(int64_t clock_s, std::map<uint16_t, int64_t> import_clocks_s) {
  bookings_.set_clock_s(std::max(clock_s, Bookings::kFirstClockS));
  import_clocks_s_ = std::move(import_clocks_s);
}

// What the store sweeps in its own time (rollup/upkeep.h) is not there from the moment on that it may.
bool Engine::is_forgotten(const VisitorKey& key, const Visitor& visitor) const {
  const VisitorSeen& seen = visitor.seen;
  int64_t clock_s = bookings_.clock_s();
  if (seen.import != clock_import_)
    if (const auto known = import_clocks_s_.find(seen.import); known != import_clocks_s_.end())
      clock_s = std::max(clock_s, known->second);
  return is_over(seen, sites_.at(key.site).config.visit_gap_s, sites_.config().retention.visitors_s, clock_s);
}

void Engine::load_open_visit(const VisitorKey& key, Entry& entry) {
  const std::optional<std::string> stored =
      find_stored_(KeyedDatabase::open_visits, visitor_key(key.site, key.visitor, timeline_));
  Visit visit;
  if (!stored || !decode_visit(*stored, visit)) return;
  entry.visit = std::make_unique<OpenVisit>(std::move(visit));
  entry.visit_stored = true;
  --spilled_;
}

Engine::Entry* Engine::find_open(const VisitorKey& key) {
  if (const auto place = visitors_.find(key); place != visitors_.end()) return &place->second;
  if (spilled_ == 0) return nullptr;
  Entry& entry = entry_of(key);
  return entry.visit ? &entry : nullptr;
}

Engine::Entry& Engine::entry_of(const VisitorKey& key) {
  const auto [place, fresh] = visitors_.try_emplace(key);
  if (fresh) {
    if (spilled_ > 0) load_open_visit(key, place->second);
    Visitor& visitor = place->second.visitor;
    if (const std::optional<std::string> stored =
            find_stored_(KeyedDatabase::visitors, visitor_key(key.site, key.visitor, timeline_))) {
      place->second.visitor_stored = true;
      if (!decode_visitor(*stored, visitor) || is_forgotten(key, visitor)) visitor = Visitor();
    }
  } else if (!place->second.visit && is_anybody(place->second.visitor) && is_forgotten(key, place->second.visitor)) {
    place->second.visitor = Visitor();
    place->second.visitor_changed = true;
  }
  return place->second;
}

void Engine::expect_visit(const VisitorKey& key) {
  const auto place = visitors_.find(key);
  if (place != visitors_.end() && place->second.visit) prefetch(place->second.visit.get(), sizeof(OpenVisit));
}

// First the place in the table, then, some hits later, the visit.
void Engine::expect(const Hit& hit, std::string_view site_name) {
  const VisitorKey key = key_of(sites_.find(site_name), hit);
  expect_entry(key);
  expected_[told_ % kExpected] = key;
  if (told_ >= kVisitsExpectedBehind) expect_visit(expected_[(told_ - kVisitsExpectedBehind) % kExpected]);
  ++told_;
}

// Of keys that are looked up in their order: those that come behind the one at `i`.
void Engine::expect_beyond(const std::vector<VisitorKey>& keys, size_t i) {
  constexpr size_t kSoon = 12, kNext = 6;
  if (i + kSoon < keys.size()) expect_entry(keys[i + kSoon]);
  if (i + kNext < keys.size()) expect_visit(keys[i + kNext]);
}

void Engine::note_change(const VisitorKey& key, Entry& entry) {
  if (entry.is_listed || !(entry.visitor_changed || entry.visit_changed)) return;
  changed_.push_back(key);
  entry.is_listed = true;
}

// Whoever is forgotten by now is not stored only to be swept: of a log of many days that is nearly everybody.
void Engine::store_visitor(const VisitorKey& key, Entry& entry) {
  const bool stays = is_anybody(entry.visitor) && (entry.visit || !is_forgotten(key, entry.visitor));
  if (stays || entry.visitor_stored)
    changes_.set(KeyedDatabase::visitors, visitor_key(key.site, key.visitor, timeline_),
                 stays ? encode_visitor(entry.visitor) : std::string());
  entry.visitor_stored = stays;
}

void Engine::flush() {
  for (size_t i = 0; i < changed_.size(); ++i) {
    expect_beyond(changed_, i);
    const VisitorKey& key = changed_[i];
    const auto place = visitors_.find(key);
    if (place == visitors_.end()) continue;
    Entry& entry = place->second;
    if (entry.visitor_changed) store_visitor(key, entry);
    if (entry.visit_changed && (entry.visit || entry.visit_stored))
      changes_.set(KeyedDatabase::open_visits, visitor_key(key.site, key.visitor, timeline_),
                   entry.visit ? encode_visit(*entry.visit) : std::string());
    if (entry.visit_changed) entry.visit_stored = entry.visit != nullptr;
    entry.visitor_changed = entry.visit_changed = entry.is_listed = false;
  }
  changed_.clear();
}

// Visits wait by the time at which they end if nothing more comes. One that went on is put back.
void Engine::close_visits(int64_t time_ms) {
  std::vector<VisitorKey> ended;
  for (; !ends_.empty() && ends_.top().time_ms < time_ms; ends_.pop()) ended.push_back(ends_.top().key);
  for (size_t i = 0; i < ended.size(); ++i) {
    expect_beyond(ended, i);
    Entry* entry = find_open(ended[i]);
    if (entry == nullptr || !entry->visit) continue;
    const int64_t end_ms = entry->visit->last_ms + gap_ms(sites_.at(ended[i].site));
    if (end_ms < time_ms) {
      close(ended[i], *entry);
      note_change(ended[i], *entry);
    } else {
      ends_.push({end_ms, ended[i]});
    }
  }
}

void Engine::close_beyond_most() {
  const auto most = static_cast<size_t>(sites_.config().open_visits_max);
  for (size_t open = open_visits(); open > most && !ends_.empty();) {
    const VisitEnd told = ends_.top();
    ends_.pop();
    Entry* entry = find_open(told.key);
    if (entry == nullptr || !entry->visit) continue;
    if (const int64_t end_ms = entry->visit->last_ms + gap_ms(sites_.at(told.key.site)); end_ms > told.time_ms) {
      ends_.push({end_ms, told.key});
      continue;
    }
    close(told.key, *entry);
    note_change(told.key, *entry);
    ++closed_early_;
    --open;
  }
}

void Engine::settle(int64_t time_ms) {
  close_visits(time_ms);
  close_beyond_most();
  absl::erase_if(visitors_, [](const auto& place) {
    const Entry& entry = place.second;
    return !entry.visit && !entry.visitor_changed && !entry.visit_changed;
  });
  if (visitors_.size() > visits_max_) spill();
}

// They are read again when their visitor comes, or when they are over.
void Engine::spill() {
  std::vector<int64_t> last_ms;
  for (const auto& [key, entry] : visitors_)
    if (entry.visit) last_ms.push_back(entry.visit->last_ms);
  if (last_ms.size() <= visits_kept_) return;
  const auto newest_to_go = last_ms.end() - 1 - static_cast<ptrdiff_t>(visits_kept_);
  std::nth_element(last_ms.begin(), newest_to_go, last_ms.end());
  spilled_ += absl::erase_if(visitors_, [&](const auto& place) {
    const Entry& entry = place.second;
    return entry.visit && entry.visit->last_ms <= *newest_to_go && entry.visit_stored && !entry.visitor_changed &&
           !entry.visit_changed;
  });
}

void Engine::forget_visitor(const Hash128& visitor, const Hash128& instead, Forgotten& found) {
  for (uint16_t site = 0; site < sites_.size(); ++site) {
    const VisitorKey key{site, visitor};
    Entry& entry = entry_of(key);
    if (!entry.visit && !is_anybody(entry.visitor)) continue;
    if (entry.visit) {
      if (entry.visit->distinct_visitor == visitor.low) entry.visit->distinct_visitor = instead.low;
      close({site, instead}, entry);
      ++found.open_visits;
    }
    if (is_anybody(entry.visitor)) ++found.visitors;
    entry.visitor = Visitor();
    entry.visitor_changed = true;
    note_change(key, entry);
  }
}

size_t Engine::open_visits() const {
  return spilled_ + static_cast<size_t>(std::count_if(visitors_.begin(), visitors_.end(), [](const auto& place) {
           return place.second.visit != nullptr;
         }));
}

}  // namespace footfall
