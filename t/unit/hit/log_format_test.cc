// What a log's lines look like: named formats, nginx's log_format strings, and what is said of a wrong one.
#include "hit/log_format.h"

#include <fstream>
#include <iterator>

#include "test.h"

namespace footfall {
namespace {

std::string text;  // statics: a failed assertion leaves by longjmp
std::string readme;

// The format's steps as `start[field:variable]until[…]…`, to be compared with one look.
std::string shape_of(const LogFormat& format) {
  std::string shape = format.start();
  for (const LogStep& step : format.steps()) {
    shape += step.field == LogField::skipped ? "(" + step.variable + ")" : "[" + step.variable + "]";
    shape += step.until;
  }
  return shape;
}

const std::string& shape(std::string_view name_or_format) {
  const Result<LogFormat> format = LogFormat::parse(name_or_format);
  return text = format ? shape_of(*format) : "refused: " + format.error().text;
}

void named_formats_are_known(void**) {
  expect_text(shape("common"), "[remote_addr] - (remote_user) [[time_local]] \"[request]\" [status] [body_bytes_sent]");
  expect_text(shape("combined"),
              "[remote_addr] - (remote_user) [[time_local]] \"[request]\" [status] [body_bytes_sent] "
              "\"[http_referer]\" \"[http_user_agent]\"");
  expect_text(shape("vhost"),
              "[host] [remote_addr] - (remote_user) [[time_local]] \"[request]\" [status] [body_bytes_sent] "
              "\"[http_referer]\" \"[http_user_agent]\"");
  assert_true(LogFormat::parse("json")->is_json());
  assert_false(LogFormat::parse("combined")->is_json());
  text = shape_of(*LogFormat::parse(kFootfallLogFormat));
  expect_text(shape_of(*LogFormat::parse("footfall")), text);
  expect_number(static_cast<int64_t>(LogFormat::parse("footfall")->steps().size()), 21);
}

// What a newcomer copies into nginx's configuration is what `--format footfall` reads.
void the_docs_show_the_footfall_format(void**) {
  for (const char* name : {"/README.md", "/core/hit/README.md"}) {
    std::ifstream file(std::string(FOOTFALL_SOURCE_DIR) + name);
    text.assign(std::istreambuf_iterator<char>(file), {});
    const size_t from = text.find("log_format footfall '"), to = text.find("';", from);
    assert_true(from != std::string::npos && to != std::string::npos);
    expect_text(shape_of(*LogFormat::parse(std::string_view(text).substr(from, to + 2 - from))),
                shape_of(*LogFormat::parse("footfall")));
  }
}

void only_named_formats_may_go_on(void**) {
  assert_true(LogFormat::parse("combined")->is_open_ended());
  assert_true(LogFormat::parse("vhost")->is_open_ended());
  assert_false(LogFormat::parse("footfall")->is_open_ended());
  assert_false(LogFormat::parse("$msec $request_uri $status")->is_open_ended());
}

void a_log_format_string_is_read(void**) {
  expect_text(shape("$msec|${request}|$status"), "[msec]|[request]|[status]");
  expect_text(shape("at $time_iso8601 '$request' $upstream_addr $status."),
              "at [time_iso8601] '[request]' (upstream_addr) [status].");
  expect_text(shape("$msec $request $status $msec"), "[msec] [request] [status] (msec)");  // the first is read
  expect_text(shape("$msec $request $status \"$uid_got$uid_set\""), "[msec] [request] [status] \"(uid_got)\"");
  expect_text(shape("${msec}s $request $status"), "[msec]s [request] [status]");
}

void a_host_and_its_port_are_one_field(void**) {
  expect_text(shape("$host:$server_port $msec \"$request\" $status"), "[host] [msec] \"[request]\" [status]");
  expect_text(shape("$server_name:$server_port $msec \"$request\" $status"),
              "[server_name] [msec] \"[request]\" [status]");
  expect_text(shape("$host:$pid $msec \"$request\" $status"), "[host]:(pid) [msec] \"[request]\" [status]");
}

void escaping_is_told_before_the_string(void**) {
  assert_true(LogFormat::parse("$msec $request $status")->has_escapes());
  assert_true(LogFormat::parse("escape=default $msec $request $status")->has_escapes());
  assert_true(LogFormat::parse("escape=json $msec $request $status")->has_escapes());
  assert_false(LogFormat::parse("escape=none $msec $request $status")->has_escapes());
  expect_text(shape("escape=none $msec $request $status"), "[msec] [request] [status]");
  expect_text(shape("escape=html $msec $request $status"),
              "refused: log format: `escape=html` is none of escape=default, escape=json, escape=none");
}

void a_whole_directive_is_read(void**) {
  expect_text(shape("log_format main escape=json '$msec \"$request\"'\n   ' $status \\'$host\\'';\n# more"),
              "[msec] \"[request]\" [status] '[host]'");
  assert_false(LogFormat::parse("log_format x escape=none '$msec $request $status';")->has_escapes());
  expect_text(shape("log_format x \"$msec \\\"$request\\\" \\x $status\";"), "[msec] \"[request]\" \\x [status]");
  expect_text(shape("log_format x $msec\\t$request\\t$status;"), "[msec]\t[request]\t[status]");
}

void what_is_missing_is_named(void**) {
  expect_text(shape("$remote_addr $request $status"),
              "refused: log format: it lacks a time ($time_local, $time_iso8601 or $msec)");
  expect_text(shape("$msec $status"), "refused: log format: it lacks a request ($request or $request_uri)");
  expect_text(shape("$msec $request_uri"), "refused: log format: it lacks $status");
  expect_text(shape("$remote_addr"),
              "refused: log format: it lacks a time ($time_local, $time_iso8601 or $msec); a request ($request or "
              "$request_uri); $status");
}

void what_cannot_be_read_is_refused(void**) {
  expect_text(shape("combinde"),
              "refused: log format `combinde`: no such name; combined, common, vhost, json, footfall, or an nginx "
              "log_format string");
  expect_text(shape(""),
              "refused: log format ``: no such name; combined, common, vhost, json, footfall, or an nginx log_format "
              "string");
  expect_text(shape("$msec $ $status"), "refused: log format: no variable's name behind `$` at `$ $status`");
  expect_text(shape("$msec ${request $status"),
              "refused: log format: no variable's name behind `$` at `${request $status`");
  expect_text(shape("$msec $request$status"), "refused: log format: nothing stands between $request and $status");
  expect_text(shape("$scheme$host $msec $request $status"),
              "refused: log format: nothing stands between $scheme and $host");
  expect_text(shape("log_format x;"),
              "refused: log format: it lacks a time ($time_local, $time_iso8601 or $msec); a "
              "request ($request or $request_uri); $status");
  assert_true(shape(std::string(100'000, '$')).starts_with("refused: "));
  assert_true(shape(std::string(100'000, 'x')).size() < 300);
}

// The log_format footfall of a document, as nginx would read it; empty: it has none.
const std::string& documented(const std::string& path) {
  std::ifstream file(std::string(FOOTFALL_SOURCE_DIR) + path);
  readme.assign(std::istreambuf_iterator<char>(file), {});
  const size_t start = readme.find("log_format footfall ");
  readme = start == std::string::npos ? "" : readme.substr(start, readme.find(';', start) + 1 - start);
  return readme;
}

void the_documented_format_is_the_one_that_is_read(void**) {
  assert_false(documented("/core/hit/README.md").empty());
  text = shape_of(*LogFormat::parse("footfall"));
  const std::string expected = text;
  expect_text(shape(readme), expected);
}

void the_front_page_shows_it_too(void**) {
  text = shape_of(*LogFormat::parse("footfall"));
  const std::string expected = text;
  expect_text(shape(readme), expected);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(named_formats_are_known),
      cmocka_unit_test(the_docs_show_the_footfall_format),
      cmocka_unit_test(only_named_formats_may_go_on),
      cmocka_unit_test(a_log_format_string_is_read),
      cmocka_unit_test(a_host_and_its_port_are_one_field),
      cmocka_unit_test(escaping_is_told_before_the_string),
      cmocka_unit_test(a_whole_directive_is_read),
      cmocka_unit_test(what_is_missing_is_named),
      cmocka_unit_test(what_cannot_be_read_is_refused),
      cmocka_unit_test(the_documented_format_is_the_one_that_is_read),
      cmocka_unit_test(the_front_page_shows_it_too),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
