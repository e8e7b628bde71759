#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "command/command.h"
#include "query/service.h"
#include "query/text.h"

namespace footfall {
namespace {

void append_escaped(std::string& to, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~,:;|").find(c) != std::string_view::npos;
    if (plain) {
      to += c;
    } else {
      to += '%';
      to += kHex[static_cast<unsigned char>(c) >> 4];
      to += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
}

// Those that need no value: `--advice` is `--advice 1`.
bool is_flag(std::string_view name) { return name == "advice" || name == "levels"; }

// `--by channel` and `--by=channel` are the API's `by=channel`. Empty: an argument is no parameter (told on standard error).
std::optional<std::string> arguments_of(const std::vector<std::string>& parameters) {
  std::string arguments;
  for (size_t i = 0; i < parameters.size(); ++i) {
    std::string_view name = parameters[i];
    if (!name.starts_with("--") || name.size() == 2) {
      std::fprintf(stderr, "footfall query: \"%s\" is no parameter; parameters are written --NAME VALUE\n", parameters[i].c_str());
      return std::nullopt;
    }
    name.remove_prefix(2);
    std::string_view value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (is_flag(name) && (i + 1 == parameters.size() || parameters[i + 1].starts_with("--"))) {
      value = "1";
    } else if (i + 1 < parameters.size()) {
      value = parameters[++i];
    } else {
      std::fprintf(stderr, "footfall query: --%s wants a value\n", std::string(name).c_str());
      return std::nullopt;
    }
    if (!arguments.empty()) arguments += '&';
    append_escaped(arguments, name);
    arguments += '=';
    append_escaped(arguments, value);
  }
  return arguments;
}

int exit_code(int http_status) {
  if (http_status < 400) return kExitWell;
  return http_status == 400 || http_status == 404 ? kExitUsage : kExitFailed;
}

// What a table says below its figures, and CSV has no place for.
void print_notes(const Report& report) {
  for (const std::string& warning : report.meta.warnings)
    std::fprintf(stderr, "footfall query: %s\n", terminal_text(warning).c_str());
  if (!report.meta.next_cursor.empty())
    std::fprintf(stderr, "footfall query: %zu of %llu rows; on with --cursor %s\n", report.rows.size(),
                 static_cast<unsigned long long>(report.meta.rows_total), report.meta.next_cursor.c_str());
}

}  // namespace

int query(const Common& common, const std::string& report, const std::vector<std::string>& parameters,
          const std::string& format) {
  const std::optional<Config> config = load(common);
  if (!config) return kExitFailed;
  const std::optional<std::string> arguments = arguments_of(parameters);
  if (!arguments) return kExitUsage;
  QueryService service(config->store);

  // Health is JSON whatever the format.
  if (report != "health" && (format == "table" || format == "csv")) {
    std::variant<Report, QueryError> answer = service.query(*arguments, now_ms(), report);
    if (const Report* figures = std::get_if<Report>(&answer)) {
      std::fputs((format == "csv" ? to_csv(*figures) : to_table(*figures)).c_str(), stdout);
      if (format == "csv") print_notes(*figures);
      return kExitWell;
    }
    const QueryError& error = std::get<QueryError>(answer);
    std::string allowed;
    for (const std::string& name : error.allowed) allowed += (allowed.empty() ? "; allowed: " : ", ") + name;
    std::fprintf(stderr, "footfall query: %s%s\n", error.message.c_str(), allowed.c_str());
    return exit_code(error.http_status);
  }
  const std::string form = format == "table" ? "" : std::string(arguments->empty() ? "" : "&") + "format=" + format;
  const ServiceAnswer answer = service.answer(report, *arguments + form, now_ms());
  const bool well = answer.http_status < 400;
  std::fwrite(answer.body.data(), 1, answer.body.size(), well ? stdout : stderr);
  return exit_code(answer.http_status);
}

}  // namespace footfall
