#include "config_follower.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>

#include "site/config_file.h"

namespace footfall {

namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(500);

ConfigFollower* follower;  // this worker's

}  // namespace

struct ConfigFollower::State {
  explicit State(const std::string& store_path) : config(store_path + "/config") {}
  ~State() { delete next.load(); }

  void look();
  void follow();

  ConfigWatch config;  // the thread's, once it runs
  std::atomic<const CodeTable*> next{nullptr};  // newer than `table`; whoever takes it out owns it
  std::unique_ptr<const CodeTable> table;       // the event loop's

  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::thread thread;
};

void ConfigFollower::State::look() {
  if (config.look()) delete next.exchange(new CodeTable(config.config()));
}

void ConfigFollower::State::follow() {
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, kLookEvery, [&] { return stopping; })) {
    lock.unlock();
    try {
      look();
    } catch (...) {  // out of memory: the table before stays, and the next configuration is tried again
    }
    lock.lock();
  }
}

ConfigFollower::ConfigFollower(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<ConfigFollower> ConfigFollower::start(const std::string& store_path) {
  std::unique_ptr<ConfigFollower> started(new ConfigFollower(std::make_unique<State>(store_path)));
  State* const state = started->state_.get();
  state->look();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // nginx's signals belong to its own thread
  try {
    state->thread = std::thread([state] { state->follow(); });
  } catch (const std::system_error&) {
    started.reset();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

ConfigFollower::~ConfigFollower() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

const CodeTable* ConfigFollower::table() {
  if (state_->next.load(std::memory_order_relaxed) != nullptr) state_->table.reset(state_->next.exchange(nullptr));
  return state_->table.get();
}

void start_following(ngx_cycle_t* cycle, std::string_view store_path) {
  follower = ConfigFollower::start(std::string(store_path)).release();
  if (follower != nullptr) return;
  ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: codes lead nowhere: the thread that follows them cannot be started");
}

void stop_following() noexcept {
  delete follower;
  follower = nullptr;
}

const CodeTable* followed_table() { return follower != nullptr ? follower->table() : nullptr; }

}  // namespace footfall
