#include "aggregate/migration.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/lmdb.h"
#include "lane/generations.h"

namespace footfall {
namespace {

// In the summary's database `meta`: its format u32. Not there: that of the store.
constexpr std::string_view kFormatKey = "format";
constexpr unsigned kDatabases = 64;

bool is_there(const std::string& summary) {
  struct stat file;
  return stat((summary + "/data.mdb").c_str(), &file) == 0 && file.st_size > 0;
}

Result<uint32_t> format_of(const std::string& summary) {
  Result<LmdbEnv> env = LmdbEnv::open(summary, {.read_only = true, .databases = kDatabases});
  if (!env) return env.error();
  Result<LmdbTxn> txn = LmdbTxn::read(*env);
  if (!txn) return txn.error();
  Result<LmdbDatabase> meta = txn->database("meta");
  if (!meta) return meta.error().code == Error::Code::not_found ? Result<uint32_t>(0) : meta.error();
  const Result<std::string_view> stored = txn->get(*meta, kFormatKey);
  if (!stored) return stored.error().code == Error::Code::not_found ? Result<uint32_t>(0) : stored.error();
  return stored->size() == 4 ? Result<uint32_t>(load_le32(stored->data())) : Error::corrupt(summary + ": format");
}

Status note_format(const std::string& summary, uint32_t format) {
  Result<LmdbEnv> env = LmdbEnv::open(summary, {.databases = kDatabases});
  if (!env) return env.error();
  Result<LmdbTxn> txn = LmdbTxn::write(*env);
  if (!txn) return txn.error();
  Result<LmdbDatabase> meta = txn->database("meta");
  if (!meta) return meta.error();
  std::string bytes;
  BytesWriter(bytes).le32(format);
  if (Status status = txn->put(*meta, kFormatKey, bytes); !status) return status;
  return txn->commit();
}

// The summary alone; that the store is of the next format is said afterwards.
Status make_next_summary(const Store& store, const Migration& step) {
  const std::string summary = store.summary_path();
  if (!is_there(summary)) return {};
  const Result<uint32_t> format = format_of(summary);
  if (!format) return format.error();
  if (*format > step.from) return {};  // cut off behind its name
  if (Status status = remove_other_generations(store); !status) return status;
  const uint32_t next = current_generation(store) + 1;
  const std::string to = generation_path(store, next);
  if (Status status = step.make(summary, to); !status) return status;
  if (Status status = note_format(to, step.from + 1); !status) return status;
  return name_generation(store, next);
}

}  // namespace

Status migrate(Store& store, const StoreVersion& version) {
  while (store.format() < version.format) {
    const auto step = std::find_if(version.migrations.begin(), version.migrations.end(),
                                   [&](const Migration& known) { return known.from == store.format(); });
    if (step == version.migrations.end())
      return Error::version(store.path() + ": this footfall knows no way from format " + std::to_string(store.format()));
    if (Status status = make_next_summary(store, *step); !status) return status;
    if (Status status = store.note_format(step->from + 1); !status) return status;
    (void)remove_other_generations(store);  // what cannot go now goes when the aggregator begins again
  }
  return {};
}

}  // namespace footfall
