#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "aggregate/aggregator.h"
#include "command/command.h"
#include "site/toml.h"

namespace footfall {
namespace {

std::atomic<bool> stop_wanted = false;
std::atomic<bool> reload_wanted = false;
std::atomic<bool> interrupted = false;  // either

void want_stop(int) {
  stop_wanted = true;
  interrupted = true;
}

void want_reload(int) {
  reload_wanted = true;
  interrupted = true;
}

void handle_signals() {
  struct sigaction action = {};
  action.sa_handler = want_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = want_reload;
  action.sa_flags = SA_RESTART;
  sigaction(SIGHUP, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void log(LogLevel level, std::string_view text) {
  const auto at = level == LogLevel::error     ? spdlog::level::err
                  : level == LogLevel::warning ? spdlog::level::warn
                                               : spdlog::level::info;
  spdlog::log(at, "{}", text);
}

bool wait_a_second() {
  for (int i = 0; i < 20 && !stop_wanted; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return !stop_wanted;
}

// The toml again. One that is wrong leaves the one before in force.
Status reload(const Common& common, Aggregator& aggregator, Config& config) {
  Result<Config> wanted = read_config(common);
  if (!wanted) return aggregator.refuse_configuration(wanted.error().text);
  const Status taken = aggregator.reconfigure(*wanted);
  if (!taken && taken.error().code == Error::Code::invalid)
    return aggregator.refuse_configuration(taken.error().text);
  config = std::move(*wanted);
  return taken;
}

// Until it is to stop. SIGHUP reads the configuration again.
Status run(const Common& common, Aggregator& aggregator, Config& config) {
  for (;;) {
    if (Status ended = aggregator.run(interrupted); !ended) return ended;
    interrupted = false;  // before the others are looked at: a signal that comes now sets it again
    if (stop_wanted) return {};
    if (!reload_wanted.exchange(false)) continue;
    if (Status reloaded = reload(common, aggregator, config); !reloaded) return reloaded;
  }
}

// A fault of the store (a full disk, say) ends a run; what was counted is stored, so another one goes on from there.
int run_daemon(const Common& common, Store store, Config config, AggregatorOptions options) {
  bool opened_before = false;
  std::string last_fault;
  while (!stop_wanted) {
    // Another store may lie there by now, with a secret of its own.
    if (Result<Store> there = Store::open(config.store); there && opened_before) store = std::move(*there);
    Result<std::unique_ptr<Aggregator>> aggregator = Aggregator::open(store, config, options);
    options.begin_anew.clear();
    Status ended;
    if (aggregator) {
      if (!opened_before) spdlog::info("aggregating into {}", store.path());
      opened_before = true;
      ended = run(common, **aggregator, config);
      if (ended) return kExitWell;
    } else {
      ended = aggregator.error();
    }
    if (!opened_before) {
      spdlog::error("{}", ended.error().text);
      return kExitFailed;
    }
    if (ended.error().text != last_fault) spdlog::error("{}; trying again each second", ended.error().text);
    last_fault = ended.error().text;
    if (!wait_a_second()) break;
  }
  return kExitWell;
}

}  // namespace

int aggregate(const Common& given, bool once, const std::string& begin_anew) {
  Common common = given;  // a default file that goes later is missed
  if (has_config_file(common) && common.config_path.empty()) common.config_path = kDefaultConfigPath;
  spdlog::set_default_logger(spdlog::stderr_logger_mt("footfall"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  const std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  Result<Store> store = open_store(*config);
  if (!store) {
    spdlog::error("{}", store.error().text);
    return kExitFailed;
  }
  handle_signals();
  AggregatorOptions options{.begin_anew = begin_anew, .classify = classify_agent, .log = log};
  if (!once && begin_anew.empty()) return run_daemon(common, *store, *config, options);

  Result<std::unique_ptr<Aggregator>> aggregator = Aggregator::open(*store, *config, options);
  Status done;
  if (!aggregator) done = aggregator.error();
  else if (once) done = (*aggregator)->run_once();
  if (done) return kExitWell;
  spdlog::error("{}", done.error().text);
  return kExitFailed;
}

}  // namespace footfall
