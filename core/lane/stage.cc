#include "lane/stage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"

namespace footfall {
namespace {

// Fixed part of a record; see the drawing in stage.h.
struct Record {
  uint32_t bytes;
  uint16_t context;
  uint16_t status;
  int64_t time_ms;
  uint64_t bytes_sent;
  uint32_t request_time_ms;
  uint8_t method;
  uint8_t content;
  uint16_t flags;
  uint8_t address;
  uint8_t country;
  uint16_t events;
  uint16_t uri;
  uint16_t path;
  uint16_t referrer;
  uint16_t agent;
  uint16_t host;
  uint16_t visitor;
  uint16_t header;
  uint16_t unused[3];
};
static_assert(sizeof(Record) == 56 && alignof(Record) == 8);

enum RecordFlag : uint16_t { kPrefetch = 1, kOwnBot = 2, kFromCache = 4, kUriCut = 8, kEventsCut = 16 };

constexpr size_t kDirectiveEventsBytesMax = 4096;
constexpr size_t kCountryBytesMax = 16;
constexpr int64_t kOldestTimeMs = 788'918'400'000;  // 1995-01-01: an older clock is broken

uint64_t round_up(uint64_t bytes, uint64_t multiple) { return (bytes + multiple - 1) / multiple * multiple; }

uint16_t bound(std::string_view field, size_t bytes_max) {
  return static_cast<uint16_t>(field.size() < bytes_max ? field.size() : bytes_max);
}

uint8_t* copy(uint8_t* to, std::string_view field, size_t bytes) {
  if (bytes != 0) std::memcpy(to, field.data(), bytes);
  return to + bytes;
}

constexpr std::string_view RawEvent::* kEventFields[] = {
    &RawEvent::name, &RawEvent::item,  &RawEvent::value,  &RawEvent::currency,
    &RawEvent::id,   &RawEvent::items, &RawEvent::coupon, &RawEvent::customer};

size_t event_bytes(const RawEvent& event) {
  size_t bytes = 1;
  for (auto field : kEventFields) bytes += 2 + (event.*field).size();
  return bytes;
}

uint8_t* copy_event(uint8_t* to, const RawEvent& event) {
  *to++ = event.is_order ? 1 : 0;
  for (auto field : kEventFields) {
    const std::string_view text = event.*field;
    store_le16(to, static_cast<uint16_t>(text.size()));
    to = copy(to + 2, text, text.size());
  }
  return to;
}

}  // namespace

std::string_view drop_reason_name(DropReason reason) {
  switch (reason) {
    case DropReason::stage_full: return "stage_full";
    case DropReason::oversized: return "oversized";
    case DropReason::clock: return "clock";
    case DropReason::signal: return "signal";
  }
  return "unknown";
}

StageFile& StageFile::operator=(StageFile&& other) noexcept {
  if (this != &other) {
    if (map_ != nullptr) munmap(map_, bytes_);
    map_ = std::exchange(other.map_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

StageFile::~StageFile() {
  if (map_ != nullptr) munmap(map_, bytes_);
}

Result<StageFile> StageFile::create(const std::string& path, uint32_t lane, uint64_t epoch,
                                    const uint8_t (&boot_id)[16], uint64_t record_bytes) {
  record_bytes = stage_record_bytes(record_bytes);
  const size_t bytes = kStageHeaderBytes + kStageContextsBytes + record_bytes;
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return Error::io("create " + path, errno);
  fchmod(fd, 0660);
  StageFile made;
  if (int code = posix_fallocate(fd, 0, static_cast<off_t>(bytes)); code != 0) {
    ::close(fd);
    ::unlink(path.c_str());
    return Error::io("allocate " + path, code);
  }
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  const int map_errno = errno;
  ::close(fd);
  if (map == MAP_FAILED) return Error::io("map " + path, map_errno);
  made.map_ = static_cast<uint8_t*>(map);
  made.bytes_ = bytes;
  std::memset(made.map_, 0, bytes);  // touches every page once, here and not in a request

  StageHeader& header = made.header();
  header.version = kStageVersion;
  header.lane = lane;
  header.epoch = epoch;
  std::memcpy(header.boot_id, boot_id, sizeof header.boot_id);
  header.record_bytes = record_bytes;
  std::atomic_thread_fence(std::memory_order_release);
  header.magic = kStageMagic;
  return made;
}

Result<StageFile> StageFile::open(const std::string& path, bool writable) {
  const int fd = ::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? Error::not_found(path) : Error::io("open " + path, errno);
  struct stat file;
  if (fstat(fd, &file) != 0 || file.st_size < static_cast<off_t>(kStageHeaderBytes + kStageContextsBytes)) {
    ::close(fd);
    return Error::corrupt(path + ": shorter than a stage's header");
  }
  StageFile made;
  void* map = mmap(nullptr, file.st_size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  const int map_errno = errno;
  ::close(fd);
  if (map == MAP_FAILED) return Error::io("map " + path, map_errno);
  made.map_ = static_cast<uint8_t*>(map);
  made.bytes_ = file.st_size;

  const StageHeader& header = made.header();
  if (header.magic != kStageMagic) return Error::corrupt(path + ": no stage");
  if (header.version != kStageVersion) return Error::version(path + ": stage version " + std::to_string(header.version));
  const uint64_t head = header.head.load(std::memory_order_acquire);
  const uint64_t tail = header.tail.load(std::memory_order_acquire);
  const uint64_t wiped = header.wiped.load(std::memory_order_acquire);
  const bool sizes = header.record_bytes >= kStageRecordBytesMin && header.record_bytes % 4096 == 0 &&
                     header.record_bytes == made.bytes_ - kStageHeaderBytes - kStageContextsBytes &&
                     header.contexts_used.load() <= kStageContextsBytes;
  const bool positions = head % 8 == 0 && tail % 8 == 0 && wiped % 8 == 0;
  const bool order = wiped <= tail && tail <= head && head - wiped <= header.record_bytes;  // they move if not ours
  if (!sizes || !positions || (writable && !order))
    return Error::corrupt(path + ": sizes or positions that cannot be");
  return made;
}

Result<StageFile> StageFile::snapshot() const {
  void* map = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return Error::io("map a stage's copy", errno);
  StageFile copied;
  copied.map_ = static_cast<uint8_t*>(map);
  copied.bytes_ = bytes_;
  std::memcpy(copied.map_, map_, kStageHeaderBytes);  // positions first: what they cover was whole before
  std::atomic_thread_fence(std::memory_order_acquire);
  std::memcpy(copied.map_ + kStageHeaderBytes, map_ + kStageHeaderBytes, bytes_ - kStageHeaderBytes);
  std::atomic_thread_fence(std::memory_order_acquire);
  return copied;
}

StageWriter::StageWriter(StageFile& file)
    : file_(file),
      head_(file.header().head.load(std::memory_order_relaxed)),
      record_bytes_(file.header().record_bytes),
      wiped_seen_(file.header().wiped.load(std::memory_order_acquire)) {}

Result<uint16_t> StageWriter::add_context(const HitContext& context) {
  std::string entry;
  BytesWriter writer(entry);
  const auto text8 = [&](std::string_view text) {
    writer.u8(bound(text, 255)).bytes(text.substr(0, 255));
  };
  text8(context.site);
  text8(context.search_argument);
  writer.u8(bound({nullptr, context.kept_path_arguments.size()}, 255));
  for (std::string_view name : context.kept_path_arguments) text8(name);

  StageHeader& header = file_.header();
  const uint32_t used = header.contexts_used.load(std::memory_order_relaxed);
  BytesReader reader({reinterpret_cast<const char*>(file_.contexts()), used});
  uint16_t index = 0;
  for (; !reader.at_end(); ++index)
    if (reader.text16() == entry) return index;
  if (used + 2 + entry.size() > kStageContextsBytes || index >= kStagePadding)
    return Error::full("the stage's table of contexts: sites and argument lists of past configurations");
  store_le16(file_.contexts() + used, static_cast<uint16_t>(entry.size()));
  std::memcpy(file_.contexts() + used + 2, entry.data(), entry.size());
  header.contexts_used.store(used + 2 + entry.size(), std::memory_order_release);
  return index;
}

void StageWriter::count_drop(DropReason reason) noexcept {
  auto& counter = file_.header().dropped[static_cast<size_t>(reason)];
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // one producer: no locked add
}

void StageWriter::set_clock(int64_t now_ms) noexcept {
  StageHeader& header = file_.header();
  if (now_ms < header.last_time_ms) now_ms = header.last_time_ms;
  header.last_time_ms = now_ms;
  header.clock_ms.store(now_ms, std::memory_order_release);
}

// Room for `bytes` in one piece at `position`, or null. Pads to the end of the records where they do not fit.
uint8_t* StageWriter::place(uint64_t position, size_t bytes) noexcept {
  const uint64_t at = position % record_bytes_;
  const uint64_t to_end = record_bytes_ - at;
  const uint64_t needed = bytes <= to_end ? bytes : to_end + bytes;
  if (position + needed - wiped_seen_ > record_bytes_) {
    wiped_seen_ = file_.header().wiped.load(std::memory_order_acquire);
    if (position + needed - wiped_seen_ > record_bytes_) return nullptr;
  }
  uint8_t* record = file_.records() + at;
  if (bytes <= to_end) return record;
  store_le32(record, static_cast<uint32_t>(to_end));
  store_le16(record + 4, kStagePadding);
  head_ = position + to_end;
  return file_.records();
}

bool StageWriter::append(const RawHit& hit, uint16_t context) noexcept {
  StageHeader& header = file_.header();
  if (hit.time_ms < kOldestTimeMs) return count_drop(DropReason::clock), false;

  Record record;
  std::memset(record.unused, 0, sizeof record.unused);
  record.context = context;
  record.status = hit.status;
  record.time_ms = hit.time_ms < header.last_time_ms ? header.last_time_ms : hit.time_ms;  // never runs back in a lane
  record.bytes_sent = hit.bytes_sent;
  record.request_time_ms = hit.request_time_ms;
  record.method = static_cast<uint8_t>(hit.method);
  record.content = static_cast<uint8_t>(hit.content);
  record.flags = (hit.prefetch ? kPrefetch : 0) | (hit.own_bot ? kOwnBot : 0) | (hit.from_cache ? kFromCache : 0) |
                 (hit.uri_cut || hit.uri.size() > kRawUriBytesMax ? kUriCut : 0) | (hit.events_cut ? kEventsCut : 0);
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
    if (events == kEventsMax || events_bytes + bytes > kDirectiveEventsBytesMax) {
      record.flags |= kEventsCut;
      break;
    }
    events_bytes += bytes;
    ++events;
  }
  record.events = static_cast<uint16_t>(events_bytes);

  const size_t bytes = sizeof record + record.address + record.country + record.uri + record.path + record.referrer +
                       record.agent + record.host + record.visitor + record.header + events_bytes;
  if (bytes > kRawRecordBytesMax) return count_drop(DropReason::oversized), false;
  record.bytes = static_cast<uint32_t>(round_up(bytes, 8));

  uint8_t* const begin = place(head_, record.bytes);
  if (begin == nullptr) return count_drop(DropReason::stage_full), false;
  uint8_t* to = begin;
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

  head_ += record.bytes;
  header.last_time_ms = record.time_ms;
  header.staged.store(header.staged.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  header.head.store(head_, std::memory_order_release);
  return true;
}

StageReader::StageReader(StageFile& file, uint64_t position, uint64_t number)
    : file_(file), position_(position), number_(number) {}

StageReader::Outcome StageReader::next() {
  StageHeader& header = file_.header();
  const uint64_t head = header.head.load(std::memory_order_acquire);
  for (;;) {
    if (position_ == head) return Outcome::empty;
    if (position_ > head || head - position_ > header.record_bytes) return Outcome::overrun;
    const uint64_t at = position_ % header.record_bytes;
    const uint64_t room = std::min(header.record_bytes - at, head - position_);
    const uint8_t* record = file_.records() + at;
    const uint32_t bytes = load_le32(record);
    if (bytes < 8 || bytes % 8 != 0 || bytes > room) return Outcome::corrupt;
    if (load_le16(record + 4) == kStagePadding) {
      if (at + bytes != header.record_bytes) return Outcome::corrupt;
      position_ += bytes;
      continue;
    }
    if (!decode(record, bytes)) return Outcome::corrupt;
    position_ += bytes;
    ++number_;
    return Outcome::hit;
  }
}

bool StageReader::decode(const uint8_t* from, uint32_t bytes) {
  if (bytes < sizeof(Record) || bytes > round_up(kRawRecordBytesMax, 8)) return false;
  Record record;
  std::memcpy(&record, from, sizeof record);
  context_ = context_at(record.context);
  if (context_ == nullptr || record.method > static_cast<uint8_t>(Method::other) ||
      record.content > static_cast<uint8_t>(ContentKind::other))
    return false;

  BytesReader reader({reinterpret_cast<const char*>(from) + sizeof record, bytes - sizeof record});
  hit_.time_ms = record.time_ms;
  hit_.request_time_ms = record.request_time_ms;
  hit_.bytes_sent = record.bytes_sent;
  hit_.status = record.status;
  hit_.method = static_cast<Method>(record.method);
  hit_.content = static_cast<ContentKind>(record.content);
  hit_.prefetch = (record.flags & kPrefetch) != 0;
  hit_.own_bot = (record.flags & kOwnBot) != 0;
  hit_.from_cache = (record.flags & kFromCache) != 0;
  hit_.uri_cut = (record.flags & kUriCut) != 0;
  hit_.events_cut = (record.flags & kEventsCut) != 0;
  hit_.address = reader.bytes(record.address);
  hit_.country = reader.bytes(record.country);
  hit_.uri = reader.bytes(record.uri);
  hit_.path = reader.bytes(record.path);
  hit_.referrer = reader.bytes(record.referrer);
  hit_.agent = reader.bytes(record.agent);
  hit_.host = reader.bytes(record.host);
  hit_.visitor_id = reader.bytes(record.visitor);
  hit_.events_header = reader.bytes(record.header);
  hit_.events.clear();
  BytesReader events(reader.bytes(record.events));
  while (!events.at_end() && hit_.events.size() <= kEventsMax) {
    RawEvent event;
    event.is_order = events.u8() != 0;
    for (auto field : kEventFields) event.*field = events.text16();
    hit_.events.push_back(event);
  }
  return reader.ok() && events.ok();
}

const HitContext* StageReader::context_at(uint16_t index) {
  const uint32_t used = file_.header().contexts_used.load(std::memory_order_acquire);
  if (used > kStageContextsBytes) return nullptr;
  BytesReader table({reinterpret_cast<const char*>(file_.contexts()) + contexts_read_, used - contexts_read_});
  while (index >= contexts_.size() && !table.at_end()) {
    const std::string_view entry = table.text16();
    if (!table.ok()) return nullptr;
    BytesReader reader(entry);
    HitContext context;
    context.site = reader.bytes(reader.u8());
    context.search_argument = reader.bytes(reader.u8());
    for (int count = reader.u8(); count > 0; --count) context.kept_path_arguments.push_back(reader.bytes(reader.u8()));
    if (!reader.ok()) return nullptr;
    contexts_.push_back(std::move(context));
    contexts_read_ += 2 + entry.size();
  }
  return index < contexts_.size() ? &contexts_[index] : nullptr;
}

void StageReader::release() {
  StageHeader& header = file_.header();
  header.drained_next.store(number_, std::memory_order_relaxed);
  header.tail.store(position_, std::memory_order_release);
  finish_release(file_);
  header.drained.store(number_, std::memory_order_relaxed);
}

// `tail` moves before anything is wiped, so that who copies the stage sees that its copy may be torn, and who takes the
// stage over after a kill in between begins behind the wiped records. `wiped` moves last, and tells that all was done.
void finish_release(StageFile& file) {
  StageHeader& header = file.header();
  const uint64_t wiped = header.wiped.load(std::memory_order_relaxed);
  const uint64_t bytes = header.tail.load(std::memory_order_relaxed) - wiped;
  if (bytes == 0) return;
  std::atomic_thread_fence(std::memory_order_release);
  const uint64_t at = wiped % header.record_bytes;
  const uint64_t first = std::min(bytes, header.record_bytes - at);
  wipe(file.records() + at, first);
  wipe(file.records(), bytes - first);
  header.drained.store(header.drained_next.load(std::memory_order_relaxed), std::memory_order_relaxed);
  header.wiped.store(wiped + bytes, std::memory_order_release);
}

uint64_t StageReader::release_all() {
  StageHeader& header = file_.header();
  const uint64_t staged = header.staged.load(std::memory_order_relaxed);  // at most one more than head covers
  const uint64_t lost = staged > number_ ? staged - number_ : 0;
  position_ = header.head.load(std::memory_order_acquire);
  number_ += lost;
  release();
  return lost;
}

}  // namespace footfall
