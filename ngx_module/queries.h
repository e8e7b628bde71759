// Report queries on threads of their own: the event loop hands a job over and is told by a descriptor when one is done.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/service.h"

namespace footfall {

inline constexpr unsigned kQueriesAtOnce = 2;  // per worker

struct QueryJob {
  ServiceRequest request;  // an empty path: the page
  ServiceAnswer answer;    // set by the thread; without a body and no 304: it could not be made
  void* waiter = nullptr;  // the event loop's alone; null: nobody waits any more
};

class QueryPool {
 public:
  // Null: the system gives no descriptor or thread. All signals are blocked in the threads.
  static std::unique_ptr<QueryPool> start(const std::string& store_path, QueryService::OwnFault own_fault);
  // Waits for running queries, but not longer than a query may take.
  ~QueryPool();

  // Readable when a job is done.
  int descriptor() const;

  // False: kQueriesAtOnce are running. A job that nobody waits for still runs to its end.
  bool submit(std::shared_ptr<QueryJob> job);

  // The jobs that are done since the last call. Clears the descriptor.
  std::vector<std::shared_ptr<QueryJob>> take_done();

 private:
  struct State;
  explicit QueryPool(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the threads: one that hangs may outlive the pool
};

}  // namespace footfall
