// Feeds two lanes of a store with random traffic, as two workers would, by a clock of its own: `feed_lanes STORE CLOCK SEED HITS`.
// The clock is a file (t/data/die_at.c) that goes on as hits are in the rings, so that an aggregator under it sees days go
// by in a second. Says `fed` when all are there, and lives, as the lanes' owner, until its input ends.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "aggregate/traffic.h"
#include "aggregate/worker.h"

namespace footfall {
namespace {

constexpr int64_t kStepMs = 30 * 60'000;  // a hit is never an hour ahead of the clock
constexpr unsigned kStepPauseMicros = 4'000;
constexpr int64_t kQuietMs = 6 * 3'600'000;  // at the end: visits close
constexpr uint64_t kRingBytes = 8 << 20;
constexpr size_t kHitsOfBlock = 20;

volatile int64_t* map_clock(const char* path) {
  const int fd = open(path, O_RDWR);
  void* at = fd < 0 ? MAP_FAILED : mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0) close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<volatile int64_t*>(at);
}

// Both lanes first, then their workers' clocks, then the aggregator's: nothing is ever late.
void go_on(Worker (&workers)[2], volatile int64_t* clock, int64_t to_ms) {
  for (Worker& worker : workers) worker.flush(kHitsOfBlock);
  for (Worker& worker : workers) worker.clock(to_ms);
  *clock = to_ms;
  usleep(kStepPauseMicros);
}

int feed(const Store& store, volatile int64_t* clock, uint64_t seed, size_t hits) {
  const std::vector<Request> traffic = random_traffic(seed, hits);
  int64_t step_ms = traffic.front().time_ms - 1;
  *clock = step_ms;
  Worker workers[] = {Worker(store, kStageRecordBytesMin, kRingBytes), Worker(store, kStageRecordBytesMin, kRingBytes)};
  go_on(workers, clock, step_ms);
  std::puts("ready");
  std::fflush(stdout);
  Random random(seed);
  for (const Request& request : traffic) {
    while (request.time_ms >= step_ms) go_on(workers, clock, step_ms += kStepMs);
    RawHit raw = request.raw();
    const uint8_t address[] = {192, 0, 2, static_cast<uint8_t>(request.visitor.back())};
    raw.address = {reinterpret_cast<const char*>(address), sizeof address};
    if (random.below(3) == 0) raw.visitor_id = {};
    workers[random.below(2)].stage(raw, request.site);
  }
  for (const int64_t end_ms = step_ms + kQuietMs; step_ms < end_ms;) go_on(workers, clock, step_ms += kStepMs);
  std::puts("fed");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace
}  // namespace footfall

int main(int argc, char** argv) {
  using namespace footfall;
  if (argc != 5) return std::fprintf(stderr, "usage: feed_lanes STORE CLOCK SEED HITS\n"), 2;
  const Result<Store> store = Store::open(argv[1]);
  volatile int64_t* const clock = map_clock(argv[2]);
  if (!store || clock == nullptr) return std::fprintf(stderr, "feed_lanes: no store or no clock\n"), 1;
  return feed(*store, clock, std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10));
}
