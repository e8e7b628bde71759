// What a checkpoint writes: live traffic of a given rate, counted and stored as the aggregator does it, by the clock of its
// hits. Every 0.5 s a checkpoint, every 30 s or 32 MiB a fold. Bytes are those that the process hands to the kernel
// (wchar of /proc/self/io): LMDB writes whole pages, and a meta page for each commit.
//   bench_writes [JSON]     prints the table
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <vector>

#include "aggregate/shop.h"
#include "random.h"

namespace footfall {
namespace {

constexpr int64_t kCheckpointMs = 500, kFoldMs = 30'000;
constexpr uint64_t kFoldBytes = 32 << 20;
constexpr uint64_t kPages = 5'000, kViewsOfVisit = 4, kVisitS = 240;

uint64_t written_bytes() {
  std::ifstream from("/proc/self/io");
  std::string name;
  for (uint64_t bytes; from >> name >> bytes;)
    if (name == "wchar:") return bytes;
  return 0;
}

struct Load {
  int64_t hits_per_s;
  int64_t seconds;
  uint64_t limit_bytes;  // of a checkpoint
};

struct Measured {
  std::vector<uint64_t> checkpoints;  // bytes of each
  std::vector<uint64_t> folds;
  uint64_t hits = 0;
};

// A third are pictures and scripts. Few pages are seen by most, some visitors come by a mailing, one in 200 hits buys.
void send(Shop& shop, Random& random, const Load& load, int64_t time_ms) {
  const uint64_t open_visitors = static_cast<uint64_t>(load.hits_per_s) * kVisitS / kViewsOfVisit / 2;
  const auto begun = static_cast<uint64_t>(time_ms / 1000) * static_cast<uint64_t>(load.hits_per_s) / kViewsOfVisit / 2;
  shop.at_ms(time_ms).visitor("v" + std::to_string(begun + random.below(open_visitors)));
  if (random.below(3) == 0) return void(shop.asset("/a/" + std::to_string(random.below(300)) + ".png"));
  const std::string page = "/p/" + std::to_string(random.below(1 + random.below(1 + random.below(kPages))));
  const uint64_t kind = random.below(200);
  if (kind == 0) return void(shop.order("o" + std::to_string(random.below(UINT64_MAX)), "49.90", ";items=\"cup:2:24.95\""));
  if (kind < 15) return void(shop.hit(page, "utm_source=news&utm_medium=email&utm_campaign=c" + std::to_string(kind)));
  if (kind < 40) shop.from("https://www.google.com/");
  shop.hit(page);
}

Measured measure(const Load& load) {
  Shop shop(two_shops());
  Random random(11);
  Measured measured;
  const int64_t start_ms = time_of("2026-10-05 10:00"), end_ms = start_ms + load.seconds * 1000;
  int64_t folded_ms = start_ms;
  for (int64_t from_ms = start_ms; from_ms < end_ms; from_ms += kCheckpointMs) {
    const int64_t hits = load.hits_per_s * kCheckpointMs / 1000, to_ms = from_ms + kCheckpointMs;
    for (int64_t i = 0; i < hits; ++i) send(shop, random, load, from_ms + i * kCheckpointMs / hits);
    measured.hits += static_cast<uint64_t>(hits);
    const bool folds = to_ms - folded_ms >= kFoldMs || shop.unfolded_bytes() >= kFoldBytes;
    if (folds) shop.engine().close_visits(to_ms);
    const uint64_t before = written_bytes();
    shop.checkpoint();
    const uint64_t stored = written_bytes();
    measured.checkpoints.push_back(stored - before);
    if (!folds) continue;
    shop.fold_at(to_ms);
    measured.folds.push_back(written_bytes() - stored);
    folded_ms = to_ms;
  }
  return measured;
}

uint64_t sum(const std::vector<uint64_t>& of) {
  uint64_t all = 0;
  for (const uint64_t one : of) all += one;
  return all;
}

}  // namespace
}  // namespace footfall

int main(int arguments, char** argument) {
  using namespace footfall;
  constexpr Load kLoads[] = {{10, 600, 64 << 10}, {1'000, 120, 16 << 20}, {100'000, 12, 16 << 20}};
  std::string json;
  bool is_within = true;
  std::printf("%10s %8s %14s %14s %12s %7s %14s %12s\n", "hits/s", "s", "KiB/checkpoint", "at most", "bound", "folds",
              "KiB/fold", "B/hit, all");
  for (const Load& load : kLoads) {
    const Measured measured = measure(load);
    const uint64_t most = *std::max_element(measured.checkpoints.begin(), measured.checkpoints.end());
    const double mean = static_cast<double>(sum(measured.checkpoints)) / static_cast<double>(measured.checkpoints.size());
    const double of_fold = measured.folds.empty() ? 0 : static_cast<double>(sum(measured.folds)) / static_cast<double>(measured.folds.size());
    const double of_hit = static_cast<double>(sum(measured.checkpoints) + sum(measured.folds)) / static_cast<double>(measured.hits);
    std::printf("%10ld %8ld %14.1f %14.1f %12.1f %7zu %14.1f %12.0f\n", load.hits_per_s, load.seconds, mean / 1024,
                static_cast<double>(most) / 1024, static_cast<double>(load.limit_bytes) / 1024, measured.folds.size(),
                of_fold / 1024, of_hit);
    is_within = is_within && most <= load.limit_bytes;
    json += (json.empty() ? "" : ",") + std::string("{\"hits_per_s\":") + std::to_string(load.hits_per_s) +
            ",\"checkpoint_bytes_most\":" + std::to_string(most) + ",\"bound_bytes\":" + std::to_string(load.limit_bytes) + "}";
  }
  if (arguments > 1) std::ofstream(argument[1]) << '[' << json << "]\n";
  return is_within ? 0 : 1;
}
