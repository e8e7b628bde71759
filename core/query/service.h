// Answers the query API from a store, whether or not the aggregator lives. The same code serves nginx's status location
// and `footfall query`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "query/health.h"
#include "query/report.h"

namespace footfall {

struct ServiceRequest {
  std::string path;           // below the location: v1/query, v1/health, metrics, openapi.json
  std::string arguments;      // the raw query string as sent
  std::string accept;         // the header's value; empty: not sent
  std::string if_none_match;  // likewise
  int64_t now_ms = 0;
};

struct ServiceAnswer {
  int http_status = 200;  // 304: the reader's answer still holds, and there is no body
  std::string content_type = "application/json; charset=utf-8";
  std::string body;
  std::string etag = {};  // with its quotes; empty: none
};

class QueryService {
 public:
  // Nothing is opened yet; a store that is missing now may appear later. One service per process and store. `own_fault`:
  // what this process knows to be wrong with its own capture, for health; called by any thread.
  using OwnFault = std::function<std::optional<HealthFault>()>;
  explicit QueryService(std::string store_path, OwnFault own_fault = {});
  ~QueryService();

  // Thread-safe, blocks on disk: never on the event loop. Unknown paths are a 404, refused queries a 400, no summary
  // yet a 503, each as JSON. The tag of a query's answer changes with whatever is stored and with the question; not
  // with `as_of` and `complete_through` alone, which a quiet shop's aggregator moves on.
  ServiceAnswer answer(const ServiceRequest& request);

  // The same for v1/REPORT, to a reader without headers.
  ServiceAnswer answer(std::string_view report, std::string_view arguments, int64_t now_ms);

  // The same for a caller that renders by itself; `report`: `query`, or another of those there are that is one.
  std::variant<Report, QueryError> query(std::string_view arguments, int64_t now_ms, std::string_view report = "query");

  // The names of the sites there are, in the order they were first seen.
  std::vector<std::string> sites();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// /v1/health as JSON: true with the aggregator dead or never started. Reads lane states and stages, and what the
// aggregator last wrote.
std::string health_json(QueryService& service, int64_t now_ms);

}  // namespace footfall
