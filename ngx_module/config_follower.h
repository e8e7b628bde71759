// The configuration in a worker's event loop: read from the store's file `config` before the worker serves, then followed
// by a thread of its own. The loop asks a table that nobody changes, and takes a newer one over without a lock.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ngx.h"
#include "site/code_table.h"

namespace footfall {

class ConfigFollower {
 public:
  // What lies there is read now. Null: the system gives no thread. All signals are blocked in the thread.
  static std::unique_ptr<ConfigFollower> start(const std::string& store_path);
  ~ConfigFollower();

  // Codes, and the configuration with them; null while no aggregator has stored one. For the event loop alone: it lives
  // until that asks again.
  const CodeTable* table();

 private:
  struct State;
  explicit ConfigFollower(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// This worker's, if its configuration has a footfall_codes or footfall_ingest. A failure is logged: followed_table() is
// null then.
void start_following(ngx_cycle_t* cycle, std::string_view store_path);
void stop_following() noexcept;
const CodeTable* followed_table();

}  // namespace footfall
