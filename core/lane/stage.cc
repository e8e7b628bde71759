#include "lane/stage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "lane/stage_record.h"

namespace footfall {

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
    file_ = other.file_;
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
  made.file_ = identify(fd);
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
  made.file_ = identify(fd);
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
  if (bytes < sizeof(StageRecord) || bytes > round_up_to_8(kRawRecordBytesMax)) return false;
  StageRecord record;
  std::memcpy(&record, from, sizeof record);
  context_ = context_at(record.context);
  if (context_ == nullptr || record.method > Method::other || record.content > ContentKind::other) return false;
  const size_t texts_bytes = size_t{record.address} + record.country + record.uri + record.path + record.referrer +
                             record.agent + record.host + record.visitor + record.header + record.events;
  if (texts_bytes > bytes - sizeof record) return false;

  hit_.time_ms = record.time_ms;
  hit_.request_time_ms = record.request_time_ms;
  hit_.bytes_sent = record.bytes_sent;
  hit_.status = record.status;
  hit_.method = record.method;
  hit_.content = record.content;
  hit_.prefetch = (record.flags & kRecordPrefetch) != 0;
  hit_.own_bot = (record.flags & kRecordOwnBot) != 0;
  hit_.from_cache = (record.flags & kRecordFromCache) != 0;
  hit_.uri_cut = (record.flags & kRecordUriCut) != 0;
  hit_.events_cut = (record.flags & kRecordEventsCut) != 0;
  hit_.event_only = (record.flags & kRecordEventOnly) != 0;
  const char* at = reinterpret_cast<const char*>(from) + sizeof record;
  const auto take = [&at](size_t length) { return std::string_view(std::exchange(at, at + length), length); };
  hit_.address = take(record.address);
  hit_.country = take(record.country);
  hit_.uri = take(record.uri);
  hit_.path = take(record.path);
  hit_.referrer = take(record.referrer);
  hit_.agent = take(record.agent);
  hit_.host = take(record.host);
  hit_.visitor_id = take(record.visitor);
  hit_.events_header = take(record.header);
  hit_.events.clear();
  if (record.events != 0 && !decode_events(take(record.events))) return false;
  return !hit_.event_only || hit_.events.size() == 1;
}

bool StageReader::decode_events(std::string_view bytes) {
  BytesReader events(bytes);
  while (!events.at_end() && hit_.events.size() <= kEventsMax) {
    RawEvent event;
    event.is_order = events.u8() != 0;
    for (auto field : kRecordEventFields) event.*field = events.text16();
    hit_.events.push_back(event);
  }
  return events.ok();
}

const HitContext* StageReader::context_at(uint16_t index) {
  if (index < contexts_.size()) return &contexts_[index];
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
    if (!reader.at_end()) context.codes_prefix = reader.bytes(reader.u8());
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
