#include "worker.h"

#include <unistd.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "conf.h"
#include "config_follower.h"
#include "lane/flusher.h"
#include "lane/lane.h"
#include "lane/missed.h"
#include "lane/store.h"
#include "status.h"

namespace footfall {

Capture capture;

namespace {

constexpr int64_t kClaimEveryMs = 1000;
constexpr int64_t kLogEveryMs = 1000;
constexpr int64_t kSameFaultEveryMs = 60'000;

// What this process holds. Reached through one pointer, so that nothing is left to destructors at exit.
struct Worker {
  std::unique_ptr<Store> store;
  std::unique_ptr<Lane> lane;
  std::unique_ptr<StageWriter> writer;
  std::unique_ptr<Flusher> flusher;
  RawHit hit;

  int64_t next_claim_ms = 0;
  int64_t next_log_ms = 0;

  // What was logged already.
  uint64_t dropped[kDropReasons] = {};
  uint64_t malformed_events = 0;
  uint64_t corrupt = 0;
  uint64_t missed = 0;  // told in the store
  int64_t fault_since_ms = 0;
  std::string claim_fault;
  int64_t claim_fault_ms = 0;
  int64_t let_go_ms = 0;  // when a replaced lane is let go, drained or not; 0: the lane is well
};
Worker* worker;

// What query threads are told.
std::mutex fault_mutex;
std::optional<HealthFault> fault_now;

ngx_event_t tick;
ngx_connection_t tick_connection;  // nginx's debug log names a timer by its connection's descriptor

MainConf* conf_of(ngx_cycle_t* cycle) {
  return static_cast<MainConf*>(ngx_http_cycle_get_module_main_conf(cycle, ngx_http_footfall_module));
}

int64_t now_ms() {
  const ngx_time_t* now = ngx_timeofday();
  return static_cast<int64_t>(now->sec) * 1000 + static_cast<int64_t>(now->msec);
}

// --- claiming a lane -------------------------------------------------------------------------------------------------

// Views of the configuration.
HitContext context_of(const LocConf* loc) {
  HitContext context{view(loc->site), {}, view(loc->search_argument), view(loc->codes_prefix)};
  if (loc->kept_arguments == nullptr) return context;
  const auto* names = static_cast<const ngx_str_t*>(loc->kept_arguments->elts);
  for (ngx_uint_t i = 0; i < loc->kept_arguments->nelts; ++i) context.kept_path_arguments.push_back(view(names[i]));
  return context;
}

// Adds the locations of this configuration to the stage's table. One that finds no room is not captured.
void add_contexts(ngx_cycle_t* cycle, const MainConf* main) {
  auto* const* loc = static_cast<LocConf* const*>(main->captured.elts);
  for (ngx_uint_t i = 0; i < main->captured.nelts; ++i) {
    const Result<uint16_t> index = worker->writer->add_context(context_of(loc[i]));
    loc[i]->context = index ? *index : kNoContext;
    if (!index) ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: %s", index.error().text.c_str());
  }
}

LaneOptions lane_options(const MainConf* main, const Store& store) {
  LaneOptions options;
  options.ring_bytes = static_cast<uint64_t>(main->ring_bytes);
  options.stage_bytes = static_cast<uint64_t>(main->stage_bytes);
  options.stage_folder = store.stage_folder(std::string(view(main->stage_folder)), std::nullopt);
  options.lanes_max = static_cast<unsigned>(main->lanes_max);
  return options;
}

std::optional<Error> try_claim(ngx_cycle_t* cycle, const MainConf* main) {
  const std::string path(view(main->store));
  Result<Store> store = Store::open(path);
  // The master made it at the start or could not; where its cause went since, a worker may go on with what there is.
  if (!store && store.error().code == Error::Code::not_found) store = Store::create(path, std::nullopt);
  if (!store) return store.error();
  if (Status local = check_file_system(store->path()); !local) return local.error();
  Result<std::unique_ptr<Lane>> lane = Lane::claim(*store, lane_options(main, *store));
  if (!lane) return lane.error();

  worker->store = std::make_unique<Store>(std::move(*store));
  worker->lane = std::move(*lane);
  worker->writer = std::make_unique<StageWriter>(worker->lane->stage);
  add_contexts(cycle, main);
  FlusherOptions options;
  options.flush_ms = static_cast<int64_t>(main->flush_ms);
  options.sync_ms = static_cast<int64_t>(main->sync_ms);
  worker->flusher = Flusher::start(*worker->store, *worker->lane, options);
  return std::nullopt;
}

void forget_lane() {
  worker->flusher.reset();
  worker->writer.reset();
  worker->lane.reset();
  worker->store.reset();
}

// The same fault is told once a minute.
void log_claim_fault(ngx_cycle_t* cycle, const std::string& fault) {
  const int64_t now = now_ms();
  if (fault == worker->claim_fault && now < worker->claim_fault_ms + kSameFaultEveryMs) return;
  worker->claim_fault = fault;
  worker->claim_fault_ms = now;
  ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: capture is off, %uL hits missed so far: %s", capture.missed,
                fault.c_str());
}

// What the lane counted before this process is not this process's to log.
void note_counts_so_far() {
  const StageHeader& header = worker->lane->stage.header();
  for (size_t i = 0; i < kDropReasons; ++i) worker->dropped[i] = header.dropped[i].load(std::memory_order_relaxed);
  if (!worker->flusher) return;
  const FlusherReport report = worker->flusher->report();
  worker->malformed_events = report.malformed_events;
  worker->corrupt = report.corrupt;
}

void set_capture_fault(const std::string& text) {
  const std::lock_guard lock(fault_mutex);
  if (text.empty()) return fault_now.reset();
  const int64_t since_ms = fault_now ? fault_now->since_ms : now_ms();
  fault_now = HealthFault{std::nullopt, text, since_ms};
}

// An empty `why`: there is a lane.
void tell_what_was_missed(const MainConf* main, const std::string& why) {
  set_capture_fault(why);
  const uint64_t news = capture.missed - worker->missed;
  if (news == 0 && why.empty()) return;
  if (tell_missed(std::string(view(main->store)), news, why, now_ms())) worker->missed = capture.missed;
}

void claim(ngx_cycle_t* cycle, const MainConf* main) {
  worker->next_claim_ms = now_ms() + kClaimEveryMs;
  if (std::optional<Error> fault = try_claim(cycle, main)) {
    forget_lane();
    tell_what_was_missed(main, fault->text);
    return log_claim_fault(cycle, fault->text);
  }
  tell_what_was_missed(main, "");
  note_counts_so_far();
  worker->writer->set_clock(now_ms());
  capture.hit = &worker->hit;
  capture.writer = worker->writer.get();
  if (!worker->claim_fault.empty()) {
    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "footfall: capture is on, lane %ud; %uL hits were missed before",
                  worker->lane->number, capture.missed);
    worker->claim_fault.clear();
  }
}

// --- the tick --------------------------------------------------------------------------------------------------------

void log_drops(ngx_log_t* log) {
  const StageHeader& header = worker->lane->stage.header();
  for (size_t i = 0; i < kDropReasons; ++i) {
    const uint64_t count = header.dropped[i].load(std::memory_order_relaxed);
    const uint64_t news = count - worker->dropped[i];
    worker->dropped[i] = count;
    const auto reason = static_cast<DropReason>(i);
    if (news == 0 || reason == DropReason::signal) continue;  // a signal's drop is what was asked for
    const ngx_str_t name = as_ngx_str(drop_reason_name(reason));
    ngx_log_error(NGX_LOG_WARN, log, 0, "footfall: %uL hits dropped: %V (%uL in all, lane %ud)", news, &name, count,
                  worker->lane->number);
  }
}

void log_flusher(ngx_log_t* log) {
  const FlusherReport report = worker->flusher->report();
  if (report.malformed_events > worker->malformed_events) {
    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "footfall: %uL event lists off their grammar, their events are not told (%uL in all)",
                  report.malformed_events - worker->malformed_events, report.malformed_events);
  }
  if (report.corrupt > worker->corrupt) {
    ngx_log_error(NGX_LOG_WARN, log, 0, "footfall: %uL staged hits could not be read (%uL in all)",
                  report.corrupt - worker->corrupt, report.corrupt);
  }
  if (report.fault_since_ms != 0 && worker->fault_since_ms == 0) {
    ngx_log_error(NGX_LOG_WARN, log, 0, "footfall: hits stay in the stage: %s", report.fault.c_str());
  }
  if (report.fault_since_ms == 0 && worker->fault_since_ms != 0) {
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "footfall: hits reach the ring again");
  }
  worker->malformed_events = report.malformed_events;
  worker->corrupt = report.corrupt;
  worker->fault_since_ms = report.fault_since_ms;
}

// Its files are not where the aggregator looks for them: nothing more is staged, what is there goes the way that is left to
// it, and another lane is claimed.
void leave_replaced_lane(ngx_cycle_t* cycle) {
  const StageHeader& header = worker->lane->stage.header();
  capture.writer = nullptr;
  if (worker->let_go_ms == 0) {
    worker->let_go_ms = now_ms() + kClaimEveryMs;
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: the files of lane %ud were removed or replaced; another is claimed",
                  worker->lane->number);
  }
  const uint64_t left = header.staged.load() - header.drained.load();
  if (left != 0 && now_ms() < worker->let_go_ms) return;
  worker->flusher.reset();
  worker->lane->settle();
  capture.missed += header.staged.load() - header.drained.load();
  forget_lane();
  worker->let_go_ms = 0;
  worker->next_claim_ms = 0;
}

void tick_lane(ngx_cycle_t* cycle) {
  const int64_t now = now_ms();
  worker->writer->set_clock(now);
  if (worker->let_go_ms != 0 || worker->flusher->report().replaced) return leave_replaced_lane(cycle);
  if (now < worker->next_log_ms) return;
  worker->next_log_ms = now + kLogEveryMs;
  log_drops(cycle->log);
  if (worker->flusher) log_flusher(cycle->log);
}

void on_tick(ngx_event_t* event) noexcept {
  auto* cycle = const_cast<ngx_cycle_t*>(ngx_cycle);
  const MainConf* main = conf_of(cycle);  // a single process may have been reloaded to one without footfall
  if (worker == nullptr) return;
  try {
    if (worker->lane) {
      tick_lane(cycle);
    } else if (main != nullptr && main->store.data != nullptr && !ngx_exiting && now_ms() >= worker->next_claim_ms) {
      claim(cycle, main);
    }
  } catch (...) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: out of memory in the tick");
  }
  event->log = cycle->log;
  ngx_add_timer(event, main != nullptr ? main->flush_ms : 1000);
}

void start_tick(ngx_cycle_t* cycle, const MainConf* main) {
  tick_connection.fd = static_cast<ngx_socket_t>(-1);
  tick.data = &tick_connection;
  tick.handler = on_tick;
  tick.log = cycle->log;
  tick.cancelable = 1;  // a worker that shuts down waits for its requests alone
  ngx_add_timer(&tick, main->flush_ms);
}

// --- the master ------------------------------------------------------------------------------------------------------

std::optional<StoreOwner> workers_owner(ngx_cycle_t* cycle) {
  if (geteuid() != 0) return std::nullopt;
  auto* core = reinterpret_cast<ngx_core_conf_t*>(ngx_get_conf(cycle->conf_ctx, ngx_core_module));
  return StoreOwner{core->user, core->group};
}

void make_store(ngx_cycle_t* cycle, const MainConf* main) {
  const std::optional<StoreOwner> owner = workers_owner(cycle);
  const std::string path(view(main->store));
  const Result<Store> store = Store::create(path, owner);
  if (!store) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: capture is off until the store %s can be made: %s",
                  path.c_str(), store.error().text.c_str());
    return;
  }
  const std::string wanted(view(main->stage_folder));
  if (store->stage_folder(wanted, owner).empty() && !wanted.empty()) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: stage_path %s cannot be made; stages lie beside the rings",
                  wanted.c_str());
  }
}

bool runs_here() { return ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE; }

}  // namespace

std::optional<HealthFault> capture_fault() {
  const std::lock_guard lock(fault_mutex);
  return fault_now;
}

uint16_t context_of_site(std::string_view site) {
  if (capture.writer == nullptr) return kNoContext;
  const Result<uint16_t> index = capture.writer->add_context({site, {}, {}});
  return index ? *index : kNoContext;
}

ngx_int_t init_module(ngx_cycle_t* cycle) noexcept {
  const MainConf* main = conf_of(cycle);
  if (ngx_test_config || main == nullptr || main->store.data == nullptr) return NGX_OK;
  try {
    make_store(cycle, main);
  } catch (...) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: out of memory while the store was made");
  }
  return NGX_OK;
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept {
  const MainConf* main = conf_of(cycle);
  if (!runs_here() || main == nullptr || main->store.data == nullptr) return NGX_OK;
  try {
    if (main->shows_status) start_queries(cycle, view(main->store));
    if (main->follows_config) start_following(cycle, view(main->store));
    if (main->captured.nelts == 0 && !main->takes_events) return NGX_OK;
    worker = new Worker;
    worker->hit.events.reserve(kEventsMax + 1);
    claim(cycle, main);
    start_tick(cycle, main);
  } catch (...) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "footfall: capture is off: out of memory at the start of the worker");
  }
  return NGX_OK;
}

void exit_process(ngx_cycle_t*) noexcept {
  stop_queries();
  stop_following();
  capture.writer = nullptr;
  if (worker == nullptr) return;
  if (tick.timer_set) ngx_del_timer(&tick);
  delete worker;  // stops the flusher before the lane goes; what is not flushed stays in the stage
  worker = nullptr;
}

}  // namespace footfall
