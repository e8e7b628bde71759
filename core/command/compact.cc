// Makes the summary smaller: a copy without the pages that hold nothing, then it goes by the copy. Killed at any moment
// it leaves one of both whole, and the rest is cleaned up by the next one, or by the aggregator when it begins.
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "base/lmdb_copy.h"
#include "command/command.h"
#include "command/progress.h"
#include "lane/generations.h"
#include "query/text.h"

namespace footfall {
namespace {

uint64_t file_bytes(const std::string& folder) {
  struct stat file;
  return stat((folder + "/data.mdb").c_str(), &file) == 0 ? static_cast<uint64_t>(file.st_size) : 0;
}

// Shows how far a copy has come, from beside it: LMDB does not tell.
class CopyProgress {
 public:
  CopyProgress(std::string folder, uint64_t total)
      : watcher_([this, folder = std::move(folder), total] {
          for (ProgressBar bar; !done_; std::this_thread::sleep_for(std::chrono::milliseconds(100)))
            bar.show(file_bytes(folder), total, 0);
        }) {}
  ~CopyProgress() {
    done_ = true;
    watcher_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread watcher_;
};

Status copy_summary(const std::string& from, const std::string& to, uint64_t map_bytes) {
  Result<LmdbEnv> env = LmdbEnv::open(from, {.map_bytes = map_bytes, .read_only = true});
  if (!env) return env.error();
  const CopyProgress progress(to, env->use().used_bytes);
  return copy_compacted(*env, to);
}

Status compact_store(const Store& store, const Config& config) {
  Result<FileLock> lock = FileLock::try_lock(store.path() + "/writer");
  if (!lock) return lock.error();
  lock->write_pid();
  if (Status status = remove_other_generations(store); !status) return status;
  const uint32_t next = current_generation(store) + 1;
  const std::string from = store.summary_path(), to = generation_path(store, next);
  const uint64_t before = file_bytes(from);
  if (before == 0) return Error::not_found("there is no summary yet");
  Status status = copy_summary(from, to, static_cast<uint64_t>(config.map_bytes));
  const uint64_t after = file_bytes(to);
  if (status) status = name_generation(store, next);
  (void)remove_other_generations(store);  // what cannot go now goes the next time
  if (!status) return status;
  std::printf("summary: %llu bytes before, %llu after\n", static_cast<unsigned long long>(before),
              static_cast<unsigned long long>(after));
  return {};
}

}  // namespace

int compact(const Common& common) {
  const std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  const Result<Store> store = open_existing_store(*config);
  const Status done = store ? compact_store(*store, *config) : Status(store.error());
  if (!done) {
    std::fprintf(stderr, "footfall compact: %s\n", terminal_text(done.error().text).c_str());
    return kExitFailed;
  }
  return kExitWell;
}

}  // namespace footfall
