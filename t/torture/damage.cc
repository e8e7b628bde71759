// Takes the totals of all months, or of all days, out of a store that nobody uses: `damage STORE month|day`. What is finer tells
// them all, so `footfall check --repair` must bring them back as they were.
#include <cstdio>
#include <string_view>

#include "base/lmdb.h"
#include "lane/store.h"
#include "rollup/keys.h"

namespace {

using namespace footfall;

int fail(const Error& error) { return std::fprintf(stderr, "damage: %s\n", error.text.c_str()), 1; }

}  // namespace

int main(int argc, char** argv) {
  const std::string_view level = argc == 3 ? argv[2] : "";
  if (level != "month" && level != "day") return std::fprintf(stderr, "usage: damage STORE month|day\n"), 2;
  const Result<Store> store = Store::open(argv[1]);
  if (!store) return fail(store.error());
  Result<LmdbEnv> env = LmdbEnv::open(store->summary_path(), {.map_bytes = 256 << 20, .databases = 16});
  if (!env) return fail(env.error());
  Result<LmdbTxn> txn = LmdbTxn::write(*env);
  if (!txn) return fail(txn.error());
  const Result<LmdbDatabase> rollups = txn->database("rollups");
  if (!rollups) return fail(rollups.error());
  unsigned taken = 0;
  {
    Result<LmdbCursor> cursor = LmdbCursor::open(*txn, *rollups);
    if (!cursor) return fail(cursor.error());
    for (bool there = cursor->first(); there; there = cursor->next()) {
      const std::optional<RollupKey> key = decode_rollup_key(cursor->key());
      if (!key || key->dimension != Dimension::total || level_name(key->level) != level) continue;
      if (const Status removed = cursor->remove(); !removed) return fail(removed.error());
      ++taken;
    }
  }
  if (const Status done = txn->commit(); !done) return fail(done.error());
  return taken > 0 ? 0 : 1;
}
