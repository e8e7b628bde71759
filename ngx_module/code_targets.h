// The targets of codes in a worker: read from the store's file `config` before the worker serves, then followed by a
// thread of its own. The event loop asks a table that nobody changes, and takes a newer one over without a lock.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace footfall {

class CodeTargets {
 public:
  // What lies there is read now. Null: the system gives no thread. All signals are blocked in the thread.
  static std::unique_ptr<CodeTargets> start(const std::string& store_path);
  ~CodeTargets();

  // As CodeTable::target; empty as well while no aggregator has stored a configuration. For the event loop alone: the view
  // lives until it asks again.
  std::string_view find(std::string_view site, std::string_view code);

 private:
  struct State;
  explicit CodeTargets(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace footfall
