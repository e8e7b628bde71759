// What one line of an access log looks like: the fields that we read, in their order, and the text between them. Made
// once from a format's name or from an nginx log_format string; LogReader (log_line.h) reads lines by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace footfall {

// The log format whose import equals live capture, as it stands behind `log_format footfall` in nginx's configuration.
// `$footfall_events` is one Footfall-Event list of everything that header and directives told, `$footfall_signals` what
// was done about privacy signals (`anonymous`, `drop` or nothing), the prefetch and bot flags are `1` or nothing.
inline constexpr std::string_view kFootfallLogFormat =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" "
    "\"$http_user_agent\" $msec $bytes_sent \"$sent_http_content_type\" $request_time \"$footfall_site\" "
    "\"$http_host\" \"$footfall_visitor\" \"$footfall_path\" \"$footfall_country\" \"$footfall_bot\" "
    "\"$footfall_signals\" \"$footfall_prefetch\" \"$footfall_events\"";

// What is read of a line. Each is an nginx variable; `skipped` is any other.
enum class LogField : uint8_t {
  skipped,
  remote_addr,
  time_local,
  time_iso8601,
  msec,
  request,
  request_method,
  request_uri,
  status,
  bytes_sent,
  body_bytes_sent,
  referrer,
  agent,
  host,
  http_host,
  server_name,
  request_time,
  content_type,
  site,
  visitor,
  path,
  country,
  bot,
  signals,
  prefetch,
  events,
};
inline constexpr size_t kLogFields = static_cast<size_t>(LogField::events) + 1;

// By an nginx variable's name without `$`, or by one of the usual names in JSON (`timestamp`, `user_agent`, …).
LogField log_field(std::string_view name);

// One field and where it ends.
struct LogStep {
  LogField field = LogField::skipped;
  std::string variable;       // for messages, without `$`
  std::string until;          // the text behind it; empty: it goes to the end of the line
  size_t bytes_min = 0;       // `until` is not looked for before
  bool quoted = false;        // in double quotes, so that an escaped one does not end it
  uint64_t until_word = 0;    // `until` as it lies in memory, and which of these bits count: none if it is too long
  uint64_t until_mask = 0;
  bool after_blanks = false;  // never empty and without blanks at its start: more than one blank may stand before it
};

class LogFormat {
 public:
  // A name (`combined`, `common`, `vhost`, `json`, `footfall`), a log_format string of nginx, maybe with `escape=…`
  // before it, or a whole `log_format NAME …;` as it stands in nginx's configuration. Error::invalid: no such name; a
  // variable that cannot be told from its neighbour; or what is missing of a time
  // (`$time_local`, `$time_iso8601` or `$msec`), a request (`$request` or `$request_uri`) and `$status`.
  static Result<LogFormat> parse(std::string_view name_or_format);

  bool is_json() const { return json_; }               // one object a line; there are no steps
  const std::string& start() const { return start_; }  // text before the first field
  const std::vector<LogStep>& steps() const { return steps_; }
  bool has_escapes() const { return has_escapes_; }      // false: escape=none
  bool is_open_ended() const { return is_open_ended_; }  // more fields may follow behind a blank: they are not read

 private:
  static Result<LogFormat> of_string(std::string_view text);
  void add_variable(std::string_view name);
  void join_vhost_ports();
  void keep_times_whole();
  void prepare_words();
  Status check();

  bool json_ = false;
  bool has_escapes_ = true;
  bool is_open_ended_ = false;
  std::string start_;
  std::vector<LogStep> steps_;
};

}  // namespace footfall
