// Answers the query API from a store, whether or not the aggregator lives. The same code serves nginx's status location
// and `footfall query`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "query/report.h"

namespace footfall {

struct ServiceAnswer {
  int http_status = 200;
  std::string content_type = "application/json";
  std::string body;
};

class QueryService {
 public:
  // Nothing is opened yet; a store that is missing now may appear later. One service per process and store.
  explicit QueryService(std::string store_path);
  ~QueryService();

  // `report` is the word behind /v1/ (query, health, …), `arguments` the raw query string as sent. Thread-safe, blocks on
  // disk: never on the event loop. Unknown reports are a 404, refused queries a 400, no summary yet a 503, each as JSON.
  ServiceAnswer answer(std::string_view report, std::string_view arguments, int64_t now_ms);

  // The same for a caller that renders by itself.
  std::variant<Report, QueryError> query(std::string_view arguments, int64_t now_ms);

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
