#include "query/service.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>

#include "lane/store.h"
#include "lane/store.h"
#include "query/attribution.h"
#include "query/cohorts.h"
#include "query/collect.h"
#include "query/engine.h"
#include "query/health.h"
#include "query/ledger.h"
#include "query/openapi.h"
#include "query/prometheus.h"
#include "query/query.h"
#include "query/roi.h"
#include "query/spend_match.h"
#include "rollup/summary.h"

namespace footfall {
namespace {

constexpr auto kTimeMax = std::chrono::seconds(5);
constexpr std::string_view kLaterReports[] = {"funnel", "paths", "transitions", "clues", "live"};

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

// Names a summary as long as it is that one: a store made anew below the same path has another.
struct SummaryIdentity {
  std::string path;
  FileIdentity file;
  bool operator==(const SummaryIdentity&) const = default;
};

SummaryIdentity identify_summary(const std::string& path) { return {path, identify(path + "/data.mdb")}; }

// A snapshot with what it lives in; the reader outlives it.
struct View {
  std::shared_ptr<SummaryReader> reader;
  SummaryIdentity summary;
  SummarySnapshot snapshot;
  StringHasher hasher;
};

class OutOfTime {
 public:
  bool operator()() const { return std::chrono::steady_clock::now() > end_; }

 private:
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kTimeMax;
};

std::string hex16(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

// A question together with what it is asked of.
struct Asked {
  View view;
  Query query;

  std::variant<Report, QueryError> run(const OutOfTime& out_of_time) {
    if (query.report == &attribution_report()) return run_attribution(query, view.snapshot, out_of_time);
    if (query.report == &cohorts_report()) return run_cohorts(query, view.snapshot, out_of_time);
    if (query.report == &roi_report()) return run_roi(query, view.snapshot, view.hasher, out_of_time);
    if (query.report == &spend_report()) return run_spend(query, view.snapshot, out_of_time);
    auto answer = run_query(query, view.snapshot, view.hasher, out_of_time);
    if (query.report == &ledger_report())
      if (Report* report = std::get_if<Report>(&answer)) {
        auto coverage = run_query(coverage_query(query), view.snapshot, view.hasher, out_of_time);
        if (const QueryError* error = std::get_if<QueryError>(&coverage)) return *error;
        return to_ledger(std::move(*report), coverage_shares(std::get<Report>(coverage)));
      }
    return answer;
  }

  // Weak: equal tags tell equal figures, while `as_of` may have moved on.
  std::string etag(ReportFormat format) const {
    std::string text = FOOTFALL_VERSION;
    const auto add = [&](std::string_view part) { text.append("\n").append(part); };
    add(view.summary.path);
    for (const uint64_t number : {uint64_t{view.summary.file.device}, uint64_t{view.summary.file.inode}, view.snapshot.version(),
                                  query.offset, uint64_t(format)})
      add(std::to_string(number));
    for (const auto& [name, value] : query.shown()) add(value);
    const Hash128 hash = view.hasher(text);  // keyed by the store's secret: a store made anew has other tags
    return "W/\"" + hex16(hash.high ^ hash.low) + "\"";
  }
};

// Reports that are answered as queries are; nullptr: a query that names its dimensions.
struct NamedReport {
  std::string_view name;
  const FixedReport* fixed;
};
std::span<const NamedReport> named_reports() {
  static const NamedReport kReports[] = {{"query", nullptr}, {"ledger", &ledger_report()}, {"attribution", &attribution_report()},
                                         {"roi", &roi_report()},
                                         {"spend", &spend_report()},
                                         {"cohorts", &cohorts_report()}};
  return kReports;
}

const NamedReport* find_report(std::string_view name) {
  for (const NamedReport& report : named_reports())
    if (report.name == name) return &report;
  return nullptr;
}

ServiceAnswer refuse(const QueryError& error) {
  return {.http_status = error.http_status, .body = to_json(error) + '\n'};
}

std::string render(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::csv:
      return to_csv(report);
    case ReportFormat::pb:
      return to_protobuf(report);
    case ReportFormat::json:
      break;
  }
  return to_json(report) + '\n';
}

QueryError no_such_report(std::string_view name) {
  const bool later = std::find(std::begin(kLaterReports), std::end(kLaterReports), name) != std::end(kLaterReports);
  std::vector<std::string> allowed;
  for (const NamedReport& report : named_reports()) allowed.emplace_back(report.name);
  allowed.emplace_back("health");
  return {404, "not_found", later ? "this report comes with a later version" : "there is no such report", {}, allowed};
}

ServiceAnswer answer_openapi(std::string_view if_none_match) {
  static const std::string body = openapi_json();
  static const std::string etag = "\"" + hex16(XXH3_64bits(body.data(), body.size())) + "\"";
  if (is_listed(if_none_match, etag)) return {.http_status = 304, .content_type = {}, .body = {}, .etag = etag};
  return {.body = body, .etag = etag};
}

}  // namespace

struct QueryService::State {
  State(std::string path, OwnFault own_fault) : store_path(std::move(path)), own_fault(std::move(own_fault)) {}

  Result<View> view() {
    Result<Store> store = Store::open(store_path);
    if (!store) return store.error();
    SummaryIdentity wanted = identify_summary(store->summary_path());
    if (!wanted.file) wanted = identify_summary(store->summary_path());  // gone in between, as another became current
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
    return View{reader, identity, std::move(*snapshot), StringHasher(store->secret())};
  }

  std::variant<Asked, QueryError> ask(std::string_view arguments, int64_t now_ms, const FixedReport* report) {
    Result<View> made = view();
    if (!made) return fault_of(made.error(), store_path);
    SummarySnapshot& snapshot = made->snapshot;
    const QueryContext context{.now_ms = now_ms,
                               .sites = snapshot.checkpoint().sites,
                               .config = snapshot.config(),
                               .first_day_s = [&](uint16_t site, const Zone& zone) {
                                 return first_day_s(snapshot, site, zone, now_ms / 1000);
                               },
                               .kept_since_s = snapshot.checkpoint().kept_since_s,
                               .has_imports = [&](uint16_t site, int64_t from_s, int64_t to_s, const Zone& zone) {
                                 return has_imports(snapshot, site, from_s, to_s, zone);
                               }};
    auto query = parse_query(arguments, context, report);
    if (auto* error = std::get_if<QueryError>(&query)) return std::move(*error);
    return Asked{std::move(*made), std::move(std::get<Query>(query))};
  }

  ServiceAnswer answer_query(const ServiceRequest& request, const FixedReport* fixed) {
    const OutOfTime out_of_time;
    auto made = ask(request.arguments, request.now_ms, fixed);
    if (const auto* error = std::get_if<QueryError>(&made)) return refuse(*error);
    Asked& asked = std::get<Asked>(made);
    const ReportFormat format = asked.query.format ? *asked.query.format : accepted_format(request.accept);
    const std::string etag = asked.etag(format);
    if (is_listed(request.if_none_match, etag))
      return {.http_status = 304, .content_type = {}, .body = {}, .etag = etag};
    const auto report = asked.run(out_of_time);
    if (const auto* error = std::get_if<QueryError>(&report)) return refuse(*error);
    return {.content_type = std::string(content_type_of(format)),
            .body = render(std::get<Report>(report), format),
            .etag = etag};
  }

  StoreHealth health(const Result<View>& view, int64_t now_ms) {
    SummaryGlimpse glimpse;
    if (view)
      glimpse.checkpoint = view->snapshot.checkpoint();
    else if (view.error().code != Error::Code::not_found)
      glimpse.fault = view.error().text;
    glimpse.caught_up_ms = caught_up_ms;
    StoreHealth health = read_store_health(store_path, glimpse, now_ms);
    if (health.is_caught_up()) caught_up_ms = now_ms;
    add_own_fault(health);
    date_faults(health, now_ms);
    return health;
  }

  void add_own_fault(StoreHealth& health) const {
    std::optional<HealthFault> own = own_fault ? own_fault() : std::nullopt;
    const auto tells_it = [&](const HealthFault& fault) { return fault.text.ends_with(own->text); };
    if (own && std::none_of(health.faults.begin(), health.faults.end(), tells_it)) health.faults.push_back(std::move(*own));
  }

  // A fault of the store as a whole has nowhere to keep since when it is there: since it was first asked for.
  void date_faults(StoreHealth& health, int64_t now_ms) {
    std::map<std::string, int64_t> dated;
    const std::lock_guard lock(dates_mutex);
    for (HealthFault& fault : health.faults) {
      if (fault.since_ms != 0) continue;
      const auto known = first_seen_ms.find(fault.text);
      if (known != first_seen_ms.end()) fault.since_ms = known->second;
      dated[fault.text] = known != first_seen_ms.end() ? known->second : now_ms;
    }
    first_seen_ms = std::move(dated);
  }

  StoreHealth health(int64_t now_ms) { return health(view(), now_ms); }

  ServiceAnswer answer_metrics(int64_t now_ms) {
    const OutOfTime out_of_time;
    Result<View> seen = view();
    auto text = to_prometheus(health(seen, now_ms), seen ? &seen->snapshot : nullptr,
                              seen ? seen->hasher : StringHasher(Secret256{}), out_of_time);
    if (const auto* error = std::get_if<QueryError>(&text)) return refuse(*error);
    return {.content_type = std::string(kPrometheusType), .body = std::move(std::get<std::string>(text))};
  }

  const std::string store_path;
  const OwnFault own_fault;
  std::mutex dates_mutex;
  std::map<std::string, int64_t> first_seen_ms;  // by the fault's text
  std::mutex mutex;
  std::shared_ptr<SummaryReader> reader;
  SummaryIdentity identity;
  std::atomic<int64_t> caught_up_ms{0};
};

QueryService::QueryService(std::string store_path, OwnFault own_fault)
    : state_(std::make_unique<State>(std::move(store_path), std::move(own_fault))) {}
QueryService::~QueryService() = default;

std::variant<Report, QueryError> QueryService::query(std::string_view arguments, int64_t now_ms,
                                                     std::string_view report) {
  const OutOfTime out_of_time;
  const NamedReport* named = find_report(report);
  if (named == nullptr) return no_such_report(report);
  auto asked = state_->ask(arguments, now_ms, named->fixed);
  if (auto* error = std::get_if<QueryError>(&asked)) return std::move(*error);
  return std::get<Asked>(asked).run(out_of_time);
}

ServiceAnswer QueryService::answer(const ServiceRequest& request) {
  constexpr std::string_view kReports = "v1/";
  if (request.path == "v1/health") return {.body = to_json(state_->health(request.now_ms)) + '\n'};
  if (request.path == "metrics") return state_->answer_metrics(request.now_ms);
  if (request.path == "openapi.json") return answer_openapi(request.if_none_match);
  std::string_view name = request.path;
  if (name.starts_with(kReports)) name.remove_prefix(kReports.size());
  if (const NamedReport* report = find_report(name); report != nullptr && name.size() < request.path.size())
    return state_->answer_query(request, report->fixed);
  return refuse(no_such_report(name));
}

ServiceAnswer QueryService::answer(std::string_view report, std::string_view arguments, int64_t now_ms) {
  return answer({"v1/" + std::string(report), std::string(arguments), {}, {}, now_ms});
}

std::vector<std::string> QueryService::sites() {
  const Result<View> view = state_->view();
  return view ? view->snapshot.checkpoint().sites : std::vector<std::string>();
}

std::string health_json(QueryService& service, int64_t now_ms) { return service.answer("health", {}, now_ms).body; }

}  // namespace footfall
