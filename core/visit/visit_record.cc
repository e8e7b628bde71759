#include "visit/visit_record.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "base/limits.h"

namespace footfall {
namespace {

// visit: version u8 | start_ms i64 | last_ms i64 | first touch | last touch | entry page u16+bytes | exit page u16+bytes |
//        entry_ms i64 | exit_ms i64 | pageviews u32 | events u32 | orders u32 | flags u8 | distinct visitor u64 |
//        pages u32 x u64 | goals u32 x u32 | minutes u32 x (start_s i64, pageviews u32, events u32) |
//        country u16+bytes | device u8 | entry term u16+bytes | exit term u16+bytes | import u16 |
//        since version 4: browser u8 | system u8 | new_returning u8 | minutes x (pages left u32, page time i64) |
//        steps u32+bytes
constexpr uint8_t kVersion = 4;
constexpr uint8_t kVersionBefore = 3;  // knows none of what stands behind the import
constexpr size_t kMinutesLookedBack = 8;
enum : uint8_t { kCart = 1, kGoal = 2 };

}  // namespace

std::string_view new_returning_name(NewReturning visitor) {
  constexpr std::string_view kNames[kNewReturning] = {"unknown", "new", "returning"};
  const auto number = static_cast<unsigned>(visitor);
  return number < kNewReturning ? kNames[number] : kNames[0];
}

VisitFigures Visit::figures() const {
  VisitFigures figures;
  figures.visits = 1;
  figures.bounces = pageviews == 1 && events == 0 ? 1 : 0;
  figures.duration_ms = last_ms - start_ms;
  figures.converted = orders > 0 || reached_goal ? 1 : 0;
  figures.with_cart = has_cart ? 1 : 0;
  figures.cart_left = has_cart && orders == 0 ? 1 : 0;
  return figures;
}

VisitMinute& Visit::minute(int64_t time_ms) {
  const int64_t start_s = minute_start_s(time_ms);
  // Nearly always one of the last; a minute may stand there twice.
  const auto end = minutes.rbegin() + static_cast<std::ptrdiff_t>(std::min(minutes.size(), kMinutesLookedBack));
  const auto found = std::find_if(minutes.rbegin(), end,
                                  [&](const VisitMinute& minute) { return minute.minute_start_s == start_s; });
  if (found != end) return *found;
  minutes.push_back({.minute_start_s = start_s});
  return minutes.back();
}

bool Visit::view(std::string_view path, uint64_t path_hash, int64_t time_ms, std::string_view term) {
  if (pageviews == 0) {
    entry_page = path;
    entry_term = term;
    entry_ms = time_ms;
  }
  const bool is_late = pageviews > 0 && time_ms < exit_ms;
  if (!is_late) {
    if (pageviews > 0) {
      VisitMinute& left = minute(exit_ms);
      ++left.pages_left;
      left.page_time_ms += time_ms - exit_ms;
    }
    exit_page = path;
    exit_term = term;
    exit_ms = time_ms;
  }
  last_ms = std::max(last_ms, time_ms);
  ++pageviews;
  ++minute(time_ms).pageviews;
  const bool is_first = note_page(path_hash);
  const unsigned flags = (is_first ? kViewFirstOfPage : 0) | (is_late ? kViewLate : 0);
  append_view({step_s(time_ms), path, term, static_cast<uint8_t>(flags), ms_of_second(time_ms)}, steps);
  return is_first;
}

bool Visit::note_page(uint64_t path_hash) {
  if (std::find(pages.begin(), pages.end(), path_hash) != pages.end()) return false;
  if (pages.size() < kVisitPagesMax) pages.push_back(path_hash);
  return pages.back() == path_hash;
}

void Visit::count_event(int64_t time_ms, std::string_view name, std::string_view item) {
  last_ms = std::max(last_ms, time_ms);
  ++events;
  ++minute(time_ms).events;
  append_event({.time_s = step_s(time_ms), .name = name, .item = item}, steps);
}

void Visit::keep(const KeptConversion& conversion) { append_conversion(conversion, steps); }

void Visit::let_go_of_steps() {
  steps.clear();
  if (!has_page()) return;
  append_view({step_s(entry_ms), entry_page, entry_term, kViewUncounted, ms_of_second(entry_ms)}, steps);
  append_view({step_s(exit_ms), exit_page, exit_term, kViewUncounted, ms_of_second(exit_ms)}, steps);
}

bool Visit::reach(std::string_view goal) {
  reached_goal = true;
  const uint32_t hash = static_cast<uint32_t>(XXH3_64bits(goal.data(), goal.size()));
  if (std::find(goals.begin(), goals.end(), hash) != goals.end()) return false;
  goals.push_back(hash);
  return true;
}

std::string encode_visit(const Visit& visit) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).le64(visit.start_ms).le64(visit.last_ms);
  encode_touch(visit.first_touch, writer);
  encode_touch(visit.last_touch(), writer);
  writer.text16(visit.entry_page).text16(visit.exit_page).le64(visit.entry_ms).le64(visit.exit_ms);
  writer.le32(visit.pageviews).le32(visit.events).le32(visit.orders);
  writer.u8((visit.has_cart ? kCart : 0) | (visit.reached_goal ? kGoal : 0)).le64(visit.distinct_visitor);
  writer.le32(static_cast<uint32_t>(visit.pages.size()));
  for (uint64_t page : visit.pages) writer.le64(page);
  writer.le32(static_cast<uint32_t>(visit.goals.size()));
  for (uint32_t goal : visit.goals) writer.le32(goal);
  writer.le32(static_cast<uint32_t>(visit.minutes.size()));
  for (const VisitMinute& minute : visit.minutes)
    writer.le64(minute.minute_start_s).le32(minute.pageviews).le32(minute.events);
  writer.text16(visit.country).u8(static_cast<uint8_t>(visit.device));
  writer.text16(visit.entry_term).text16(visit.exit_term).le16(visit.import);
  writer.u8(static_cast<uint8_t>(visit.browser)).u8(static_cast<uint8_t>(visit.system));
  writer.u8(static_cast<uint8_t>(visit.new_returning));
  for (const VisitMinute& minute : visit.minutes)
    writer.le32(minute.pages_left).le64(static_cast<uint64_t>(minute.page_time_ms));
  writer.text32(visit.steps);
  return bytes;
}

namespace {

bool read_since_4(BytesReader& reader, Visit& to) {
  const uint8_t browser = reader.u8(), system = reader.u8(), new_returning = reader.u8();
  if (browser >= kBrowsers || system >= kSystems || new_returning >= kNewReturning) return false;
  to.browser = static_cast<Browser>(browser);
  to.system = static_cast<System>(system);
  to.new_returning = static_cast<NewReturning>(new_returning);
  for (VisitMinute& minute : to.minutes) {
    minute.pages_left = reader.le32();
    minute.page_time_ms = static_cast<int64_t>(reader.le64());
  }
  to.steps = reader.text32();
  return reader.ok();
}

}  // namespace

bool decode_visit(std::string_view bytes, Visit& to) {
  BytesReader reader(bytes);
  const uint8_t version = reader.u8();
  if (version != kVersion && version != kVersionBefore) return false;
  to = Visit();
  to.start_ms = static_cast<int64_t>(reader.le64());
  to.last_ms = static_cast<int64_t>(reader.le64());
  Touch last_touch;
  if (!decode_touch(reader, to.first_touch) || !decode_touch(reader, last_touch)) return false;
  if (last_touch != to.first_touch) to.later_touch.need() = std::move(last_touch);
  to.entry_page = reader.text16();
  to.exit_page = reader.text16();
  to.entry_ms = static_cast<int64_t>(reader.le64());
  to.exit_ms = static_cast<int64_t>(reader.le64());
  to.pageviews = reader.le32();
  to.events = reader.le32();
  to.orders = reader.le32();
  const uint8_t flags = reader.u8();
  to.has_cart = (flags & kCart) != 0;
  to.reached_goal = (flags & kGoal) != 0;
  to.distinct_visitor = reader.le64();
  for (uint32_t left = reader.le32(); left > 0 && reader.ok(); --left) to.pages.push_back(reader.le64());
  for (uint32_t left = reader.le32(); left > 0 && reader.ok(); --left) to.goals.push_back(reader.le32());
  for (uint32_t left = reader.le32(); left > 0 && reader.ok(); --left) {
    VisitMinute minute;
    minute.minute_start_s = static_cast<int64_t>(reader.le64());
    minute.pageviews = reader.le32();
    minute.events = reader.le32();
    to.minutes.push_back(minute);
  }
  to.country = reader.text16();
  const uint8_t device = reader.u8();
  if (device >= kDevices) return false;
  to.device = static_cast<Device>(device);
  to.entry_term = reader.text16();
  to.exit_term = reader.text16();
  to.import = reader.le16();
  if (version != kVersionBefore && !read_since_4(reader, to)) return false;
  return reader.ok() && reader.at_end();
}

}  // namespace footfall
