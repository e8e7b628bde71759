// Everything that can be asked of a store, as text: `ask_all STORE NOW_MS` reads arguments of queries (`site=shop&by=channel`), a line
// each, and gives each one's answer, with all metrics that go with it, as CSV; `ledger?site=shop` is that report's.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "query/service.h"

namespace {

// The metrics that go with it, as the refusal of one that there is not tells them.
std::string metrics_of(footfall::QueryService& service, const std::string& arguments, int64_t now_ms) {
  std::string metrics;
  const std::variant<footfall::Report, footfall::QueryError> refused = service.query(arguments + "&metrics=none", now_ms);
  if (const auto* error = std::get_if<footfall::QueryError>(&refused))
    for (const std::string& name : error->allowed) metrics += (metrics.empty() ? "" : ",") + name;
  return metrics;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace footfall;
  if (argc != 3) return std::fprintf(stderr, "usage: ask_all STORE NOW_MS < QUERIES\n"), 2;
  QueryService service(argv[1]);
  const int64_t now_ms = std::strtoll(argv[2], nullptr, 10);
  int code = 0;
  for (std::string arguments; std::getline(std::cin, arguments);) {
    const std::string range = arguments.find("from=") == std::string::npos ? "&range=all" : "";
    const size_t named = arguments.find('?');
    const bool is_query = named == std::string::npos;
    const std::string report = is_query ? "query" : arguments.substr(0, named);
    const std::string asked = (is_query ? arguments + "&metrics=" + metrics_of(service, arguments, now_ms)
                                        : arguments.substr(named + 1)) + "&limit=10000" + range;
    const std::variant<Report, QueryError> answer = service.query(asked, now_ms, report);
    if (const Report* report = std::get_if<Report>(&answer)) {
      std::printf("= %s: %llu lost\n%s", arguments.c_str(), static_cast<unsigned long long>(report->meta.lost_hits),
                  to_csv(*report).c_str());
    } else {
      std::printf("= %s: %s\n", arguments.c_str(), std::get<QueryError>(answer).message.c_str());
      code = 1;
    }
  }
  return code;
}
