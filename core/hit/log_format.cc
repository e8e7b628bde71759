#include "hit/log_format.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace footfall {
namespace {

constexpr std::string_view kCommon = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
constexpr std::string_view kCombined =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" "
    "\"$http_user_agent\"";
// Apache writes a port behind the host, which is taken off where the host is read.
constexpr std::string_view kVhost =
    "$host $remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" "
    "\"$http_user_agent\"";

constexpr struct {
  std::string_view name;
  LogField field;
} kVariables[] = {
    {"remote_addr", LogField::remote_addr},
    {"time_local", LogField::time_local},
    {"time_iso8601", LogField::time_iso8601},
    {"msec", LogField::msec},
    {"request", LogField::request},
    {"request_method", LogField::request_method},
    {"request_uri", LogField::request_uri},
    {"status", LogField::status},
    {"bytes_sent", LogField::bytes_sent},
    {"body_bytes_sent", LogField::body_bytes_sent},
    {"http_referer", LogField::referrer},
    {"http_user_agent", LogField::agent},
    {"host", LogField::host},
    {"http_host", LogField::http_host},
    {"server_name", LogField::server_name},
    {"request_time", LogField::request_time},
    {"sent_http_content_type", LogField::content_type},
    {"footfall_site", LogField::site},
    {"footfall_visitor", LogField::visitor},
    {"footfall_path", LogField::path},
    {"footfall_country", LogField::country},
    {"footfall_bot", LogField::bot},
    {"footfall_signals", LogField::signals},
    {"footfall_prefetch", LogField::prefetch},
    {"footfall_events", LogField::events},
    // What hand-made JSON calls them; nginx has no variables of these names.
    {"time", LogField::time_iso8601},
    {"timestamp", LogField::time_iso8601},
    {"@timestamp", LogField::time_iso8601},
    {"method", LogField::request_method},
    {"referer", LogField::referrer},
    {"referrer", LogField::referrer},
    {"http_referrer", LogField::referrer},
    {"user_agent", LogField::agent},
};

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Fields that are never empty and never begin with a blank.
bool is_dense(LogField field) {
  switch (field) {
    case LogField::remote_addr:
    case LogField::time_local:
    case LogField::time_iso8601:
    case LogField::msec:
    case LogField::status:
    case LogField::bytes_sent:
    case LogField::body_bytes_sent:
    case LogField::request_time:
      return true;
    default:
      return false;
  }
}

// A variable at the front of `text`, which begins with `$`; takes it off. Nothing: no name follows.
std::optional<std::string_view> take_variable(std::string_view& text) {
  const bool braced = text.size() > 1 && text[1] == '{';
  const size_t begin = braced ? 2 : 1;
  const size_t end = static_cast<size_t>(std::find_if_not(text.begin() + begin, text.end(), is_name) - text.begin());
  if (end == begin || (braced && (end == text.size() || text[end] != '}'))) return std::nullopt;
  const std::string_view name = text.substr(begin, end - begin);
  text.remove_prefix(end + (braced ? 1 : 0));
  return name;
}

// The next word of an nginx directive, quotes and backslashes undone. False: none is left, or `;` came.
bool take_word(std::string_view& text, std::string& word) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  if (text.empty() || text.front() == ';') return false;
  const char quote = text.front() == '"' || text.front() == '\'' ? text.front() : '\0';
  word.clear();
  for (size_t at = quote != '\0' ? 1 : 0;; ++at) {
    const bool over = at >= text.size();
    if (over || (quote != '\0' ? text[at] == quote : is_blank(text[at]) || text[at] == ';')) {
      text.remove_prefix(over ? text.size() : at + (quote != '\0' ? 1 : 0));
      return true;
    }
    if (text[at] == '\\' && at + 1 < text.size()) {
      const char next = text[at + 1];
      static constexpr std::string_view kEscapes = "\"'\\ntr";
      const size_t which = kEscapes.find(next);
      if (which != std::string_view::npos)
        ++at, word.push_back("\"'\\\n\t\r"[which]);
      else
        word.push_back('\\');
    } else {
      word.push_back(text[at]);
    }
  }
}

// `log_format NAME [escape=…] 'text' 'text';` as `[escape=…] text`.
std::string directive_text(std::string_view directive) {
  std::string word, text;
  take_word(directive, word);  // log_format
  take_word(directive, word);  // its name
  while (take_word(directive, word)) {
    text += word;
    if (word.starts_with("escape=")) text += ' ';
  }
  return text;
}

std::string quoted_start(std::string_view text) {
  return "`" + std::string(text.substr(0, 80)) + (text.size() > 80 ? "…`" : "`");
}

}  // namespace

LogField log_field(std::string_view name) {
  for (const auto& variable : kVariables) {
    if (variable.name == name) return variable.field;
  }
  return LogField::skipped;
}

Result<LogFormat> LogFormat::parse(std::string_view name_or_format) {
  const std::string_view text = name_or_format;
  if (text == "json") {
    LogFormat format;
    format.json_ = true;
    return format;
  }
  if (text == "footfall") return of_string(kFootfallLogFormat);
  if (text == "combined" || text == "common" || text == "vhost") {
    Result<LogFormat> format = of_string(text == "combined" ? kCombined : text == "common" ? kCommon : kVhost);
    format->is_open_ended_ = true;  // nginx's own example adds a field to `combined`; so do many
    return format;
  }
  if (text.starts_with("log_format") && text.size() > 10 && is_blank(text[10])) return of_string(directive_text(text));
  if (text.find('$') != std::string_view::npos) return of_string(text);
  return Error::invalid("log format " + quoted_start(text) +
                        ": no such name; combined, common, vhost, json, footfall, or an nginx log_format string");
}

Result<LogFormat> LogFormat::of_string(std::string_view text) {
  LogFormat format;
  if (text.starts_with("escape=")) {
    const std::string_view escape = text.substr(0, text.find(' '));
    if (escape != "escape=default" && escape != "escape=json" && escape != "escape=none")
      return Error::invalid("log format: " + quoted_start(escape) +
                            " is none of escape=default, escape=json, escape=none");
    format.has_escapes_ = escape != "escape=none";
    text.remove_prefix(escape.size());
    if (!text.empty()) text.remove_prefix(1);
  }
  while (!text.empty()) {
    if (text.front() != '$') {
      (format.steps_.empty() ? format.start_ : format.steps_.back().until).push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    const std::string_view rest = text;
    const std::optional<std::string_view> name = take_variable(text);
    if (!name) return Error::invalid("log format: no variable's name behind `$` at " + quoted_start(rest));
    format.add_variable(*name);
  }
  format.join_vhost_ports();
  format.keep_times_whole();
  format.prepare_words();
  if (Status status = format.check(); !status) return status.error();
  return format;
}

void LogFormat::add_variable(std::string_view name) {
  const std::string& before = steps_.empty() ? start_ : steps_.back().until;
  LogStep step;
  step.field = log_field(name);
  step.variable = name;
  // The first of equal ones is read.
  if (std::any_of(steps_.begin(), steps_.end(), [&](const LogStep& other) { return other.field == step.field; }))
    step.field = LogField::skipped;
  step.quoted = has_escapes_ && before.ends_with('"');
  step.after_blanks = is_dense(step.field) && (before.empty() ? steps_.empty() : before.ends_with(' '));
  if (!steps_.empty() && before.empty() && steps_.back().field == LogField::skipped && step.field == LogField::skipped)
    return;  // two that nobody reads are as good as one: `$uid_got$uid_set`
  steps_.push_back(std::move(step));
}

// `$host:$server_port`: an IPv6 host has colons of its own, so both are one field.
void LogFormat::join_vhost_ports() {
  for (size_t at = 0; at + 1 < steps_.size(); ++at) {
    LogStep& step = steps_[at];
    const bool is_host = step.field == LogField::host || step.field == LogField::server_name;
    if (!is_host || step.until != ":" || steps_[at + 1].variable != "server_port") continue;
    step.until = steps_[at + 1].until;
    steps_.erase(steps_.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
}

// `$time_local $msec`: its own blank does not end it.
void LogFormat::keep_times_whole() {
  for (LogStep& step : steps_) {
    if (step.field == LogField::time_local && step.until.starts_with(' '))
      step.bytes_min = std::string_view("24/Nov/2026:10:00:00 ").size();
  }
}

void LogFormat::prepare_words() {
  for (LogStep& step : steps_) {
    step.until_word = 1;  // under no mask: never found
    const size_t bytes = step.until.size();
    if (bytes == 0 || bytes > sizeof step.until_word) continue;
    step.until_word = 0;
    std::memcpy(&step.until_word, step.until.data(), bytes);
    std::memset(&step.until_mask, 0xFF, bytes);
  }
}

Status LogFormat::check() {
  for (size_t at = 0; at + 1 < steps_.size(); ++at) {
    if (steps_[at].until.empty())
      return Error::invalid("log format: nothing stands between $" + steps_[at].variable + " and $" +
                            steps_[at + 1].variable);
  }
  const auto has = [&](LogField field) {
    return std::any_of(steps_.begin(), steps_.end(), [&](const LogStep& step) { return step.field == field; });
  };
  std::string missing;
  const auto need = [&](bool there, std::string_view what) {
    if (!there) missing += (missing.empty() ? "" : "; ") + std::string(what);
  };
  need(has(LogField::time_local) || has(LogField::time_iso8601) || has(LogField::msec),
       "a time ($time_local, $time_iso8601 or $msec)");
  need(has(LogField::request) || has(LogField::request_uri), "a request ($request or $request_uri)");
  need(has(LogField::status), "$status");
  if (missing.empty()) return {};
  return Error::invalid("log format: it lacks " + missing);
}

}  // namespace footfall
