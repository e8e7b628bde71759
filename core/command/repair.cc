#include "command/repair.h"

#include <cstdio>
#include <string>
#include <vector>

#include "base/clock.h"
#include "query/text.h"
#include "rollup/check.h"
#include "rollup/repair.h"

namespace footfall {
namespace {

constexpr uint64_t kToldMax = 1'000;
constexpr int kRoundsMax = 8;

struct Told {
  uint64_t lines = 0;
  void operator()(const std::string& text) {
    if (++lines <= kToldMax) std::printf("  %s\n", terminal_text(text).c_str());
  }
};

Result<LmdbEnv> open_summary(const Store& store, const Config& config) {
  return LmdbEnv::open(store.summary_path(), {.map_bytes = static_cast<uint64_t>(config.map_bytes), .databases = 16});
}

Status repair_figures(const Store& store, const Config& config, Told& told) {
  Result<LmdbEnv> env = open_summary(store, config);
  if (!env) return env.error();
  const std::string aside = store.path() + "/set-aside." + std::to_string(now_ms());
  SummaryRepair repair(*env, aside, [&](const std::string& text) { told(text); });
  if (Status status = repair.run(); !status) return status;
  if (repair.set_aside() > 0) told("what was set aside lies in " + aside);
  return {};
}

// What kept visits and orders lack now nobody can count again. Of each day it is told once, by the first dimension that
// shows it: so this may take some rounds.
Result<CareNotes> find_incomplete(const Store& store, const Config& config) {
  Result<SummaryReader> reader = SummaryReader::open(store.summary_path(), static_cast<uint64_t>(config.map_bytes));
  if (!reader) return reader.error();
  Result<SummarySnapshot> snapshot = reader->snapshot();
  if (!snapshot) return snapshot.error();
  const StringHasher hasher(store.secret());
  SummaryCheck check(
      *snapshot, hasher, [](std::string) {}, [](uint64_t, uint64_t) {});
  if (Status status = check.run(); !status) return status.error();
  return check.incomplete();
}

Status note(const Store& store, const Config& config, const CareNotes& found) {
  Result<LmdbEnv> env = open_summary(store, config);
  if (!env) return env.error();
  return add_care(*env, found);
}

Status note_incomplete(const Store& store, const Config& config, Told& told) {
  for (int round = 0; round < kRoundsMax; ++round) {
    const Result<CareNotes> found = find_incomplete(store, config);
    if (!found) return found.error();
    if (found->empty()) return {};
    if (Status status = note(store, config, *found); !status) return status;
    told(std::to_string(found->size()) +
         " days whose kept visits or remembered orders are not whole are noted as such");
  }
  return {};
}

}  // namespace

Status repair_summary(const Store& store, const Config& config) {
  Result<FileLock> lock = FileLock::try_lock(store.path() + "/writer");
  if (!lock) return lock.error();
  lock->write_pid();
  std::printf("repair:\n");
  Told told;
  if (Status status = repair_figures(store, config, told); !status) return status;
  if (Status status = note_incomplete(store, config, told); !status) return status;
  if (told.lines > kToldMax) std::printf("  and %llu more\n", static_cast<unsigned long long>(told.lines - kToldMax));
  if (told.lines == 0) std::printf("  nothing to do\n");
  return {};
}

}  // namespace footfall
