#include "lane/stage_writer.h"

#include <string>

#include "base/bytes.h"

namespace footfall {
namespace {

constexpr size_t kDirectiveEventsBytesMax = 4096;
constexpr size_t kCountryBytesMax = 16;

uint16_t bound(std::string_view field, size_t bytes_max) {
  return static_cast<uint16_t>(std::min(field.size(), bytes_max));
}

uint8_t* copy(uint8_t* to, std::string_view field, size_t bytes) { return copy_field(to, field.substr(0, bytes)); }

size_t event_bytes(const RawEvent& event) {
  size_t bytes = 1;
  for (auto field : kRecordEventFields) bytes += 2 + (event.*field).size();
  return bytes;
}

uint8_t* copy_event(uint8_t* to, const RawEvent& event) {
  *to++ = event.is_order ? 1 : 0;
  for (auto field : kRecordEventFields) {
    const std::string_view text = event.*field;
    store_le16(to, static_cast<uint16_t>(text.size()));
    to = copy_field(to + 2, text);
  }
  return to;
}

}  // namespace

StageWriter::StageWriter(StageFile& file)
    : header_(&file.header()),
      contexts_(file.contexts()),
      records_(file.records()),
      record_bytes_(header_->record_bytes),
      head_(header_->head.load(std::memory_order_relaxed)) {
  measure_room();
}

Result<uint16_t> StageWriter::add_context(const HitContext& context) {
  std::string entry;
  BytesWriter writer(entry);
  const auto text8 = [&](std::string_view text) { writer.u8(bound(text, 255)).bytes(text.substr(0, 255)); };
  text8(context.site);
  text8(context.search_argument);
  writer.u8(bound({nullptr, context.kept_path_arguments.size()}, 255));
  for (std::string_view name : context.kept_path_arguments) text8(name);
  if (!context.codes_prefix.empty()) text8(context.codes_prefix);  // so that other contexts are what they were

  const uint32_t used = header_->contexts_used.load(std::memory_order_relaxed);
  BytesReader reader({reinterpret_cast<const char*>(contexts_), used});
  uint16_t index = 0;
  for (; !reader.at_end(); ++index)
    if (reader.text16() == entry) return index;
  if (used + 2 + entry.size() > kStageContextsBytes || index >= kStagePadding)
    return Error::full("the stage's table of contexts: sites and argument lists of past configurations");
  store_le16(contexts_ + used, static_cast<uint16_t>(entry.size()));
  std::memcpy(contexts_ + used + 2, entry.data(), entry.size());
  header_->contexts_used.store(used + 2 + entry.size(), std::memory_order_release);
  return index;
}

void StageWriter::count_drop(DropReason reason) noexcept {
  auto& counter = header_->dropped[static_cast<size_t>(reason)];
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // one producer: no locked add
}

bool StageWriter::drop(DropReason reason) noexcept { return count_drop(reason), false; }

void StageWriter::set_clock(int64_t now_ms) noexcept {
  if (now_ms < header_->last_time_ms) now_ms = header_->last_time_ms;
  header_->last_time_ms = now_ms;
  header_->clock_ms.store(now_ms, std::memory_order_release);
}

void StageWriter::measure_room() noexcept {
  const uint64_t at = head_ % record_bytes_;
  const uint64_t free = record_bytes_ - (head_ - header_->wiped.load(std::memory_order_acquire));
  next_ = records_ + at;
  room_end_ = next_ + std::min(free, record_bytes_ - at);
}

// Sees what the consumer has wiped meanwhile, and pads to the end of the records where `bytes` do not fit before it.
bool StageWriter::make_room(uint32_t bytes) noexcept {
  measure_room();
  if (static_cast<size_t>(room_end_ - next_) >= bytes) return true;
  const uint64_t to_end = record_bytes_ - (next_ - records_);
  const uint64_t free = record_bytes_ - (head_ - header_->wiped.load(std::memory_order_acquire));
  if (bytes <= to_end || to_end + bytes > free) return false;
  store_le32(next_, static_cast<uint32_t>(to_end));
  store_le16(next_ + 4, kStagePadding);
  head_ += to_end;  // shown with the record behind it
  measure_room();
  return true;
}

// A lane's time never runs back. An event told by itself has its own, whenever it is told.
int64_t StageWriter::time_of(const RawHit& hit) const noexcept {
  return hit.event_only ? header_->last_time_ms : std::max(hit.time_ms, header_->last_time_ms);
}

bool StageWriter::append(const RawHit& hit, uint16_t context) noexcept {
  const int64_t time_ms = time_of(hit);
  if (const std::optional<DropReason> reason = write(hit, context)) return drop(*reason);
  show(1, time_ms);
  return true;
}

// Writes the record and goes behind it; it is not shown yet. A reason: nothing was written.
std::optional<DropReason> StageWriter::write(const RawHit& hit, uint16_t context) noexcept {
  if (hit.time_ms < kOldestTimeMs) return DropReason::clock;

  StageRecord record;
  std::memset(record.unused, 0, sizeof record.unused);
  record.context = context;
  record.status = hit.status;
  record.time_ms = hit.event_only ? hit.time_ms : time_of(hit);
  record.bytes_sent = hit.bytes_sent;
  record.request_time_ms = hit.request_time_ms;
  record.method = hit.method;
  record.content = hit.content;
  record.flags = (hit.prefetch ? kRecordPrefetch : 0) | (hit.own_bot ? kRecordOwnBot : 0) |
                 (hit.from_cache ? kRecordFromCache : 0) | (hit.events_cut ? kRecordEventsCut : 0) |
                 (hit.event_only ? kRecordEventOnly : 0) |
                 (hit.uri_cut || hit.uri.size() > kRawUriBytesMax ? kRecordUriCut : 0);
  record.address = hit.address.size() <= 16 ? static_cast<uint8_t>(hit.address.size()) : 0;
  record.country = static_cast<uint8_t>(bound(hit.country, kCountryBytesMax));
  record.uri = bound(hit.uri, kRawUriBytesMax);
  record.path = bound(hit.path, kRawPathBytesMax + 1);  // one byte too many says that it was too long
  record.referrer = bound(hit.referrer, kRawReferrerBytesMax);
  record.agent = bound(hit.agent, kAgentBytesMax);
  record.host = bound(hit.host, kRawHostBytesMax);
  record.visitor = bound(hit.visitor_id, kVisitorIdBytesMax);
  record.header = bound(hit.events_header, kEventHeaderBytesMax + 1);  // likewise
  size_t events_bytes = 0;
  size_t events = 0;
  for (const RawEvent& event : hit.events) {
    const size_t bytes = event_bytes(event);
    if (events == kEventsMax || (events_bytes + bytes > kDirectiveEventsBytesMax && !hit.event_only)) {
      record.flags |= kRecordEventsCut;
      break;
    }
    events_bytes += bytes;
    ++events;
  }
  record.events = static_cast<uint16_t>(events_bytes);

  const size_t bytes = sizeof record + record.address + record.country + record.uri + record.path + record.referrer +
                       record.agent + record.host + record.visitor + record.header + events_bytes;
  if (bytes > kRawRecordBytesMax) return DropReason::oversized;
  record.bytes = round_up_to_8(bytes);

  if (!has_room(record.bytes)) return DropReason::stage_full;
  uint8_t* to = next_;
  std::memcpy(to, &record, sizeof record);
  to += sizeof record;
  to = copy(to, hit.address, record.address);
  to = copy(to, hit.country, record.country);
  to = copy(to, hit.uri, record.uri);
  to = copy(to, hit.path, record.path);
  to = copy(to, hit.referrer, record.referrer);
  to = copy(to, hit.agent, record.agent);
  to = copy(to, hit.host, record.host);
  to = copy(to, hit.visitor_id, record.visitor);
  to = copy(to, hit.events_header, record.header);
  for (size_t i = 0; i < events; ++i) to = copy_event(to, hit.events[i]);
  advance(record.bytes);
  return std::nullopt;
}

StageBatch::Outcome StageBatch::add(const RawHit& hit, uint16_t context) noexcept {
  const int64_t time_ms = std::max(writer_.time_of(hit), time_ms_);
  if (const std::optional<DropReason> reason = writer_.write(hit, context)) {
    if (*reason == DropReason::clock) return Outcome::clock;
    return *reason == DropReason::oversized ? Outcome::oversized : Outcome::no_room;
  }
  ++hits_;
  time_ms_ = time_ms;
  return writer_.head_ - start_ <= writer_.record_bytes_ / 2 ? Outcome::added : Outcome::too_large;
}

void StageBatch::show() noexcept {
  if (hits_ != 0) writer_.show(hits_, time_ms_);
  start_ = writer_.head_;
  hits_ = 0;
}

StageBatch::~StageBatch() {
  const uint64_t bytes = writer_.head_ - start_;
  if (bytes == 0) return;
  const uint64_t at = start_ % writer_.record_bytes_;
  const uint64_t first = std::min(bytes, writer_.record_bytes_ - at);
  wipe(writer_.records_ + at, first);
  wipe(writer_.records_, bytes - first);
  writer_.head_ = start_;
  writer_.measure_room();
}

}  // namespace footfall
