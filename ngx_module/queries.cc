#include "queries.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "dashboard/page.h"

namespace footfall {

namespace {
constexpr auto kStopWithin = std::chrono::seconds(5);
}

struct QueryPool::State {
  State(const std::string& store_path, QueryService::OwnFault own_fault) : service(store_path, std::move(own_fault)) {}
  ~State() {
    if (done_fd >= 0) ::close(done_fd);
  }

  QueryService service;
  int done_fd = -1;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<QueryJob>> waiting;
  std::vector<std::shared_ptr<QueryJob>> done;  // reserved: a thread never allocates for it
  unsigned running = 0;                         // handed over and not taken back yet
  unsigned threads = 0;
  bool stopping = false;
};

namespace {

ServiceAnswer answer_job(QueryService& service, const QueryJob& job) {
  const ServiceRequest& request = job.request;
  if (!request.path.empty()) return service.answer(request);
  return {.http_status = 200,
          .content_type = "text/html; charset=utf-8",
          .body = render_page(service, request.now_ms, request.arguments)};
}

void run_job(QueryService& service, QueryJob& job) noexcept {
  try {
    job.answer = answer_job(service, job);
  } catch (...) {
    job.answer = {.http_status = 503, .content_type = {}, .body = {}};  // the event loop words it
  }
}

}  // namespace

QueryPool::QueryPool(std::shared_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<QueryPool> QueryPool::start(const std::string& store_path, QueryService::OwnFault own_fault) {
  auto state = std::make_shared<State>(store_path, std::move(own_fault));
  state->done.reserve(kQueriesAtOnce);
  state->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (state->done_fd < 0) return nullptr;

  const auto work = [state] {
    std::unique_lock lock(state->mutex);
    for (;;) {
      state->changed.wait(lock, [&] { return state->stopping || !state->waiting.empty(); });
      if (state->stopping) break;
      const std::shared_ptr<QueryJob> job = std::move(state->waiting.front());
      state->waiting.pop_front();
      lock.unlock();
      run_job(state->service, *job);
      lock.lock();
      state->done.push_back(job);
      eventfd_write(state->done_fd, 1);
    }
    --state->threads;
    state->changed.notify_all();
  };

  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // nginx's signals belong to its own thread
  auto pool = std::unique_ptr<QueryPool>(new QueryPool(state));
  try {
    for (unsigned i = 0; i < kQueriesAtOnce; ++i) {
      std::thread(work).detach();
      std::lock_guard lock(state->mutex);
      ++state->threads;
    }
  } catch (const std::system_error&) {
    pool.reset();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pool;
}

QueryPool::~QueryPool() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, kStopWithin, [&] { return state_->threads == 0; });
}

int QueryPool::descriptor() const { return state_->done_fd; }

bool QueryPool::submit(std::shared_ptr<QueryJob> job) {
  std::lock_guard lock(state_->mutex);
  if (state_->running == kQueriesAtOnce) return false;
  state_->waiting.push_back(std::move(job));
  ++state_->running;
  state_->changed.notify_one();
  return true;
}

std::vector<std::shared_ptr<QueryJob>> QueryPool::take_done() {
  eventfd_t count;
  eventfd_read(state_->done_fd, &count);
  std::lock_guard lock(state_->mutex);
  std::vector<std::shared_ptr<QueryJob>> taken(state_->done.begin(), state_->done.end());
  state_->done.clear();
  state_->running -= static_cast<unsigned>(taken.size());
  return taken;
}

}  // namespace footfall
