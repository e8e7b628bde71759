#include "lane/reading_notes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace footfall {

// A store of an older version has no such file; what is in one that was just made is all zero.
struct ReadingNotes::Table {
  struct Lane {
    std::atomic<uint32_t> generation;
    std::atomic<uint32_t> deaths;
  };

  std::atomic<uint64_t> magic;
  std::atomic<uint32_t> inside;  // lane + 1, 0: in no ring
  std::atomic<uint32_t> generation;
  Lane lanes[kLanesMax];
};

namespace {

constexpr uint64_t kMagic = 0x314e4441524646ull;  // "FFRADN1"
constexpr size_t kFileBytes = 4096;

}  // namespace

ReadingNotes::ReadingNotes() : own_(std::make_unique<Table>()) { table_ = own_.get(); }

ReadingNotes::ReadingNotes(ReadingNotes&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)), own_(std::move(other.own_)) {}

ReadingNotes::~ReadingNotes() {
  if (table_ != nullptr && own_ == nullptr) munmap(table_, kFileBytes);
}

Result<ReadingNotes> ReadingNotes::open(const std::string& path) {
  static_assert(sizeof(Table) <= kFileBytes);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return Error::io("open " + path, errno);
  struct stat file;
  const bool fresh = fstat(fd, &file) == 0 && file.st_size == 0;
  if (fresh) fchmod(fd, 0660);
  const int allocated = posix_fallocate(fd, 0, kFileBytes);  // or a full disk would kill who writes a note
  void* const map = allocated == 0 ? mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  const int map_errno = allocated == 0 ? errno : allocated;
  ::close(fd);
  if (map == MAP_FAILED) return Error::io("map " + path, map_errno);
  ReadingNotes notes;
  notes.own_.reset();
  notes.table_ = static_cast<Table*>(map);
  notes.count_death();
  return notes;
}

void ReadingNotes::count_death() {
  if (table_->magic.load() != kMagic) {
    table_->inside.store(0);
    for (Table::Lane& lane : table_->lanes) lane.deaths.store(0);
    table_->magic.store(kMagic);
  }
  const uint32_t inside = table_->inside.exchange(0);
  if (inside == 0 || inside > kLanesMax) return;
  Table::Lane& lane = table_->lanes[inside - 1];
  const uint32_t generation = table_->generation.load();
  const uint32_t before = lane.generation.load() == generation ? lane.deaths.load() : 0;
  lane.generation.store(generation);
  lane.deaths.store(before + 1);
}

ReadingNotes::Inside::Inside(ReadingNotes& notes, unsigned lane, uint32_t generation) : notes_(notes) {
  notes_.table_->generation.store(generation, std::memory_order_release);
  notes_.table_->inside.store(lane + 1, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // written before LMDB is entered
}

ReadingNotes::Inside::~Inside() { notes_.table_->inside.store(0, std::memory_order_release); }

uint32_t ReadingNotes::deaths(unsigned lane, uint32_t generation) const {
  if (lane >= kLanesMax) return 0;
  const Table::Lane& noted = table_->lanes[lane];
  return noted.generation.load() == generation ? noted.deaths.load() : 0;
}

void ReadingNotes::survived(unsigned lane, uint32_t generation) {
  if (deaths(lane, generation) != 0) table_->lanes[lane].deaths.store(0);
}

}  // namespace footfall
