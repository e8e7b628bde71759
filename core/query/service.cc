#include "query/service.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

#include "lane/store.h"
#include "query/engine.h"
#include "query/health.h"
#include "query/query.h"
#include "rollup/summary.h"

namespace footfall {
namespace {

constexpr auto kTimeMax = std::chrono::seconds(5);
constexpr std::string_view kLaterReports[] = {"funnel", "paths",   "transitions", "attribution", "roi",
                                              "clues",  "cohorts", "ledger",      "live"};

QueryError fault_of(const Error& error, const std::string& store_path) {
  if (error.code == Error::Code::not_found)
    return {503,
            "no_data_yet",
            "nothing has been counted in " + store_path + " so far; start `footfall aggregate --store " + store_path +
                "` (/v1/health tells whether hits come in)",
            {},
            {}};
  return {503, "store_fault", error.text, {}, {}};
}

// Names a file as long as it is that file: a store made anew below the same path has another.
struct FileIdentity {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

FileIdentity identify(const std::string& summary_path) {
  struct stat file;
  FileIdentity identity{summary_path};
  if (stat((summary_path + "/data.mdb").c_str(), &file) == 0)
    identity.device = file.st_dev, identity.inode = file.st_ino;
  return identity;
}

}  // namespace

struct QueryService::State {
  // A snapshot with what it lives in; the reader outlives it.
  struct View {
    std::shared_ptr<SummaryReader> reader;
    SummarySnapshot snapshot;
    StringHasher hasher;
  };

  explicit State(std::string path) : store_path(std::move(path)) {}

  Result<View> view() {
    Result<Store> store = Store::open(store_path);
    if (!store) return store.error();
    const FileIdentity wanted = identify(store->summary_path());
    std::lock_guard lock(mutex);
    if (reader && identity != wanted) reader.reset();
    if (!reader) {
      Result<SummaryReader> opened = SummaryReader::open(wanted.path, Config().map_bytes);
      if (!opened) return opened.error();
      reader = std::make_shared<SummaryReader>(std::move(*opened));
      identity = wanted;
    }
    Result<SummarySnapshot> snapshot = reader->snapshot();
    if (!snapshot) {
      reader.reset();  // a map that has grown past ours is opened anew next time
      return snapshot.error();
    }
    if (const std::optional<Heartbeat> heartbeat = read_heartbeat(store_path))
      snapshot->confirm(heartbeat->checkpoint, heartbeat->as_of_ms, heartbeat->complete_through_ms);
    return View{reader, std::move(*snapshot), StringHasher(store->secret())};
  }

  const std::string store_path;
  std::mutex mutex;
  std::shared_ptr<SummaryReader> reader;
  FileIdentity identity;
  std::atomic<int64_t> caught_up_ms{0};
};

QueryService::QueryService(std::string store_path) : state_(std::make_unique<State>(std::move(store_path))) {}
QueryService::~QueryService() = default;

std::variant<Report, QueryError> QueryService::query(std::string_view arguments, int64_t now_ms) {
  const auto end = std::chrono::steady_clock::now() + kTimeMax;
  Result<State::View> view = state_->view();
  if (!view) return fault_of(view.error(), state_->store_path);
  SummarySnapshot& snapshot = view->snapshot;
  const QueryContext context{
      .now_ms = now_ms,
      .sites = snapshot.checkpoint().sites,
      .config = snapshot.config(),
      .first_day_s = [&](uint16_t site, const Zone& zone) { return first_day_s(snapshot, site, zone, now_ms / 1000); }};
  auto query = parse_query(arguments, context);
  if (auto* error = std::get_if<QueryError>(&query)) return std::move(*error);
  return run_query(std::get<Query>(query), snapshot, view->hasher,
                   [end] { return std::chrono::steady_clock::now() > end; });
}

ServiceAnswer QueryService::answer(std::string_view report, std::string_view arguments, int64_t now_ms) {
  const auto refuse = [](const QueryError& error) {
    return ServiceAnswer{.http_status = error.http_status, .body = to_json(error) + '\n'};
  };
  if (report == "query") {
    const auto made = query(arguments, now_ms);
    if (const auto* error = std::get_if<QueryError>(&made)) return refuse(*error);
    return {.body = to_json(std::get<Report>(made)) + '\n'};
  }
  if (report == "health") {
    SummaryGlimpse glimpse;
    if (Result<State::View> view = state_->view())
      glimpse.checkpoint = view->snapshot.checkpoint();
    else if (view.error().code != Error::Code::not_found)
      glimpse.fault = view.error().text;
    glimpse.caught_up_ms = state_->caught_up_ms;
    const HealthReport made = make_health(state_->store_path, glimpse, now_ms);
    if (made.is_caught_up) state_->caught_up_ms = now_ms;
    return {.body = made.json + '\n'};
  }
  const bool later = std::find(std::begin(kLaterReports), std::end(kLaterReports), report) != std::end(kLaterReports);
  return refuse({404,
                 "not_found",
                 later ? "this report comes with a later version" : "there is no such report",
                 {},
                 {"query", "health"}});
}

std::vector<std::string> QueryService::sites() {
  const Result<State::View> view = state_->view();
  return view ? view->snapshot.checkpoint().sites : std::vector<std::string>();
}

std::string health_json(QueryService& service, int64_t now_ms) { return service.answer("health", {}, now_ms).body; }

}  // namespace footfall
