#include "code_targets.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>

#include "site/code_table.h"
#include "site/config_file.h"

namespace footfall {

namespace {
constexpr auto kLookEvery = std::chrono::milliseconds(500);
}

struct CodeTargets::State {
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

void CodeTargets::State::look() {
  if (config.look()) delete next.exchange(new CodeTable(config.config()));
}

void CodeTargets::State::follow() {
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

CodeTargets::CodeTargets(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<CodeTargets> CodeTargets::start(const std::string& store_path) {
  std::unique_ptr<CodeTargets> targets(new CodeTargets(std::make_unique<State>(store_path)));
  State* const state = targets->state_.get();
  state->look();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // nginx's signals belong to its own thread
  try {
    state->thread = std::thread([state] { state->follow(); });
  } catch (const std::system_error&) {
    targets.reset();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return targets;
}

CodeTargets::~CodeTargets() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

std::string_view CodeTargets::find(std::string_view site, std::string_view code) {
  if (state_->next.load(std::memory_order_relaxed) != nullptr) state_->table.reset(state_->next.exchange(nullptr));
  return state_->table != nullptr ? state_->table->target(site, code) : std::string_view();
}

}  // namespace footfall
