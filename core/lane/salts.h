// A day's salt: 32 random bytes in the store's file salt.DAY, made the day before by the first who links it, used on its
// UTC day and one visit gap beyond, and 48 h after the day began overwritten and unlinked. Never inside LMDB: freed pages
// and backups keep things.
#pragma once

#include <cstdint>
#include <optional>

#include "hit/builder.h"
#include "lane/store.h"

namespace footfall {

class SaltKeeper {
 public:
  explicit SaltKeeper(const Store& store);

  // Keys for a hit of that time; cached while the day lasts. Files are touched when the day changes, so never on the
  // event loop. Salts that have had their time are destroyed on the way.
  const VisitorKeys& keys(int64_t time_ms, int64_t visit_gap_ms);

  // Those that need no salt: of ids and customers.
  const VisitorKeys& lasting_keys() const { return keys_; }

  // Destroys the salts of days whose 48 h are over at now_ms. How many.
  int destroy_old(int64_t now_ms) const;

 private:
  std::optional<Secret256> salt_of(int64_t day, bool make) const;
  std::string salt_path(int64_t day) const { return store_path_ + "/salt." + std::to_string(day); }

  std::string store_path_;
  VisitorKeys keys_;
  int64_t day_ = INT64_MIN;
  std::optional<Key128> previous_;
};

}  // namespace footfall
