// A store of the previous format becomes one of this format, when the aggregator opens it. The next summary is made whole beside
// the one that holds, as a generation of its own; it says of which format it is, so whatever dies on the way, who comes
// next begins anew or goes on. Readers take both formats, so they never wait.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "lane/store.h"

namespace footfall {

// From one format to the next.
struct Migration {
  uint32_t from;
  // Makes a summary of the next format in the folder `to`, which is not there yet. `summary` stays as it is; neither is open.
  std::function<Status(const std::string& summary, const std::string& to)> make;
};

// What a version of footfall knows. This one: format 1 is the first, so there is no way to it.
struct StoreVersion {
  uint32_t format = kStoreFormat;
  std::vector<Migration> migrations{};
};

// For who holds the lock `writer` and has nothing of the store open. Nothing to do: costs nothing. Error::version: there is
// no way from the store's format.
Status migrate(Store& store, const StoreVersion& version);

}  // namespace footfall
