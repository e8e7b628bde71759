// From a line of an access log to the hit that live capture would have made: every format, every fault, what is told of
// sites and hosts, and lines from a hostile world.
#include "hit/log_line.h"

#include <arpa/inet.h>

#include <cstdlib>
#include <fstream>
#include <new>
#include <optional>
#include <vector>

#include "hit/builder.h"
#include "hit/codec.h"
#include "random.h"
#include "test.h"

namespace {
size_t allocations = 0;
}

void* operator new(size_t bytes) {
  ++allocations;
  return std::malloc(bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace footfall {
namespace {

constexpr int64_t kTenOClock = 1'795'510'800'000;  // 24 November 2026, 10:00 in Berlin

std::optional<LogReader> reader;  // statics: a failed assertion leaves by longjmp
std::string line, text;

void use(std::string_view format) { reader.emplace(*LogFormat::parse(format)); }

LineOutcome read(std::string_view of) {
  line = of;
  return reader->read(line);
}

const RawHit& hit(std::string_view of) {
  if (read(of) != LineOutcome::hit) {
    print_error("no hit, but %s at $%s: %s\n", std::string(line_fault_name(reader->fault())).c_str(),
                std::string(reader->fault_variable()).c_str(), line.substr(0, 300).c_str());
    fail();
  }
  return reader->hit();
}

#define expect_fault(of, expected_fault, variable)                                  \
  do {                                                                              \
    assert_true(read(of) == LineOutcome::rejected);                                 \
    expect_text(line_fault_name(reader->fault()), line_fault_name(expected_fault)); \
    expect_text(reader->fault_variable(), variable);                                \
  } while (0)

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file(std::string(FOOTFALL_SOURCE_DIR) + "/t/data/" + name);
  std::vector<std::string> lines;
  for (std::string each; std::getline(file, each);) lines.push_back(each);
  return lines;
}

// One word per line of a file: its path's start or its fault.
const std::string& told_of(const std::string& name) {
  static std::string told;
  told.clear();
  for (const std::string& each : lines_of(name)) {
    switch (read(each)) {
      case LineOutcome::hit:
        told += std::string(reader->hit().uri) + " " + std::to_string(reader->hit().status) + "|";
        break;
      case LineOutcome::blank:
        told += "blank|";
        break;
      case LineOutcome::dropped:
        told += "dropped|";
        break;
      case LineOutcome::rejected:
        told += std::string(line_fault_name(reader->fault())) + "|";
        break;
    }
  }
  return told;
}

// --- formats ---------------------------------------------------------------------------------------------------------

void a_combined_log_is_read(void**) {
  use("combined");
  expect_text(told_of("combined.log"),
              "/category/tea?utm_source=mail&utm_campaign=spring 200|/style.css 200|/cart 302| 400|/search?q=a b 200|"
              "off_format|off_format|blank|");
  const RawHit& first = hit(lines_of("combined.log")[0]);
  expect_number(first.time_ms, kTenOClock);
  expect_number(first.status, 200);
  expect_number(static_cast<int64_t>(first.bytes_sent), 5120);
  assert_true(first.method == Method::get && first.content == ContentKind::none);
  expect_text(first.address, std::string_view("\xCB\0\x71\x07", 4));
  expect_text(first.referrer, "https://www.google.com/");
  expect_text(first.agent, "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0");
  for (const std::string_view absent :
       {first.host, first.visitor_id, first.country, first.events_header, reader->site()})
    expect_text(absent, "");
  assert_false(first.prefetch || first.own_bot);

  const RawHit& third = hit(lines_of("combined.log")[2]);
  expect_text(third.agent, "Mozilla/5.0 \"quoted\" \xC3\xA9");
  expect_text(third.referrer, "");
  assert_true(third.method == Method::post);
  expect_number(static_cast<int64_t>(third.address.size()), 16);
}

void a_common_log_is_read(void**) {
  use("common");
  expect_text(told_of("common.log"), "/ 200|/logo.gif 304| 408|bad_status|");
  const RawHit& second = hit(lines_of("common.log")[1]);
  expect_number(second.time_ms, 971'211'336'000);
  expect_number(static_cast<int64_t>(second.bytes_sent), 0);
  expect_number(static_cast<int64_t>(second.address.size()), 16);  // a host's name
  expect_text(second.agent, kAgentNotLogged);
}

void a_vhost_log_is_read(void**) {
  use("vhost");
  expect_text(told_of("vhost.log"), "/a\"b 200|/post 404|/ 200|");
  const RawHit& first = hit(lines_of("vhost.log")[0]);
  expect_text(first.host, "shop.example:443");
  expect_text(reader->site(), "shop.example");
  expect_text(first.agent, "Mozilla/5.0 (\"x\\y\")");
  hit(lines_of("vhost.log")[1]);
  expect_text(reader->site(), "blog.example");
  expect_text(hit(lines_of("vhost.log")[2]).host, "[2001:db8::1]:8080");
  expect_text(reader->site(), "");  // no name that a site can have
}

void a_json_log_is_read(void**) {
  use("json");
  expect_text(told_of("json.log"), "/tea?q=\xC3\xA9 200|/cart 302|/x 404|not_json|no_request|");
  const RawHit& first = hit(lines_of("json.log")[0]);
  expect_number(first.time_ms, kTenOClock);
  expect_number(first.request_time_ms, 125);
  expect_text(first.agent, "Mozilla/5.0 \"x\" \\ /");
  const RawHit& second = hit(lines_of("json.log")[1]);
  expect_number(second.time_ms, kTenOClock + 1'250);
  expect_number(static_cast<int64_t>(second.bytes_sent), 77);
  assert_true(second.method == Method::post && second.own_bot && second.content == ContentKind::none);
  expect_text(second.host, "shop.example");
  expect_text(reader->site(), "shop.example");
  const RawHit& third = hit(lines_of("json.log")[2]);
  expect_number(third.time_ms, kTenOClock + 2'500);
  expect_text(third.agent, "Mozilla/5.0");
  expect_text(third.referrer, "https://blog.example/");
}

void a_footfall_log_is_read(void**) {
  use("footfall");
  expect_text(told_of("footfall.log"), "/thank-you?order=A-1 200|/next 200|dropped|");
  const RawHit& first = hit(lines_of("footfall.log")[0]);
  expect_number(first.time_ms, kTenOClock + 250);
  expect_number(first.request_time_ms, 37);
  expect_number(static_cast<int64_t>(first.bytes_sent), 5444);  // not the body's alone
  assert_true(first.content == ContentKind::html);
  assert_false(first.prefetch || first.own_bot);
  expect_text(first.host, "shop.example");
  expect_text(first.visitor_id, "user-17");
  expect_text(first.country, "DE");
  expect_text(first.path, "");
  expect_text(first.events_header, "purchase;id=\"A-1\";value=129.90;currency=\"EUR\", sign_up");
  expect_text(reader->site(), "shop");

  const RawHit& second = hit(lines_of("footfall.log")[1]);
  assert_true(second.prefetch && second.own_bot);
  expect_text(second.visitor_id, "");
  expect_text(second.path, "/named");
  expect_text(second.events_header, "");
}

void an_anonymous_visitor_has_no_id(void**) {
  use("footfall");
  text = lines_of("footfall.log")[0];
  expect_text(hit(text).visitor_id, "user-17");
  text.replace(text.find("\"DE\" \"\" \"\""), 10, "\"DE\" \"\" \"anonymous\"");
  expect_text(hit(text).visitor_id, "");
}

void any_log_format_string_is_read(void**) {
  use("$time_iso8601|$upstream_addr|$request_method|$request_uri|$status|${request_time}s|$http_host");
  const RawHit& first = hit("2026-11-24T10:00:00+01:00|10.0.0.1:80, 10.0.0.2:80|HEAD|/a b|304|0.5s|Shop.example:8080");
  expect_number(first.time_ms, kTenOClock);
  assert_true(first.method == Method::head);
  expect_text(first.uri, "/a b");
  expect_number(first.request_time_ms, 500);
  expect_text(first.host, "Shop.example:8080");
  expect_text(reader->site(), "");  // whatever clients send makes no sites

  use("escape=json {\"t\":\"$msec\",\"r\":\"$request\",\"s\":$status,\"a\":\"$http_user_agent\"}");
  expect_text(hit(R"({"t":"1795510800.000","r":"GET /\"x HTTP/1.1","s":200,"a":"b\\c\u0001"})").agent, "b\\c\x01");
  expect_text(reader->hit().uri, "/\"x");
  expect_fault(R"({"t":"1795510800.000","r":"GET /x HTTP/1.1","s":200,"a":"b"} )", LineFault::off_format,
               "http_user_agent");

  use("escape=none $msec \"$request\" $status \"$http_user_agent\"");
  expect_text(hit(R"(1795510800.000 "GET /\x41 HTTP/1.1" 200 "say "hi"")").agent, "say \"hi\"");
  expect_text(reader->hit().uri, "/\\x41");
}

void the_finest_time_counts(void**) {
  use("$time_local $msec $request_uri $status");
  expect_number(hit("24/Nov/2026:10:00:00 +0100 1795510800.123 / 200").time_ms, kTenOClock + 123);
  expect_number(hit("24/Nov/2026:10:00:00 +0100 - / 200").time_ms, kTenOClock);
  expect_fault("24/Nov/2026", LineFault::off_format, "time_local");
  expect_fault("24/Nov/2026:10:00:00 +0100 x / 200", LineFault::bad_time, "msec");
}

// --- what stands in a line
// ---------------------------------------------------------------------------------------------

std::string combined(std::string_view request, std::string_view status = "200", std::string_view bytes = "5",
                     std::string_view user = "-") {
  return "203.0.113.7 - " + std::string(user) + " [24/Nov/2026:10:00:00 +0100] \"" + std::string(request) + "\" " +
         std::string(status) + " " + std::string(bytes) + " \"-\" \"Mozilla/5.0\"";
}

void a_garbage_request_is_a_hit(void**) {
  use("combined");
  for (const std::string_view request :
       {"-", "", "\\x16\\x03\\x01\\x02", "\\x00", "GET", "GET /a b HTTP/1.1", "GET /a", "get /a HTTP/1.1",
        "GET /\\x09 HTTP/1.1", "GET /\\x01 HTTP/1.1", "SSH-2.0-x"}) {
    expect_text(hit(combined(request, "400")).uri, "");
    expect_number(reader->hit().status, 400);
  }
  expect_text(hit(combined("GET /fine HTTP/1.1", "400")).uri, "/fine");  // refused for another reason
  expect_text(hit(combined("GET /fine HTTP/9.1", "505")).uri, "");
  expect_text(hit(combined("GET /" + std::string(9000, 'x'), "414")).uri, "");
  expect_text(hit(combined("GET /a b HTTP/1.1", "200")).uri, "/a b");  // servers that take blanks
  expect_text(hit(combined("GET /old", "200")).uri, "/old");           // HTTP/0.9

  HitBuilder builder;
  const Hit& built = builder.build(hit(combined("\\x16\\x03", "400")), HitContext(), VisitorKeys());
  expect_text(built.path, "/");
  assert_true(classify(built) == HitClass::error);
}

void a_user_may_be_called_anything(void**) {
  use("combined");
  for (const std::string_view user :
       {"john doe", "- - [", "a [24/Nov/2020:10:00:00 +0100] x", "\\x22GET / HTTP/1.1\\x22"}) {
    const RawHit& first = hit(combined("GET /x HTTP/1.1", "200", "5", user));
    expect_number(first.time_ms, kTenOClock);
    expect_text(first.uri, "/x");
  }
}

void the_request_lines_host_goes_first(void**) {
  use("$msec \"$request\" $status \"$http_host\" $server_name");
  expect_text(hit("1795510800.000 \"GET http://a.example:80/x HTTP/1.1\" 200 \"b.example\" c.example").host,
              "a.example:80");
  expect_text(reader->hit().uri, "/x");
  expect_text(hit("1795510800.000 \"GET /x HTTP/1.1\" 200 \"b.example\" c.example").host, "b.example");
  expect_text(reader->site(), "c.example");
  expect_text(hit("1795510800.000 \"GET /x HTTP/1.1\" 200 \"-\" c.example").host, "");  // none was sent
}

void a_given_site_goes_before_a_servers_name(void**) {
  use("$msec $request_uri $status $host $server_name $footfall_site");
  hit("1795510800.000 / 200 h.example s.example shop");
  expect_text(reader->site(), "shop");
  hit("1795510800.000 / 200 h.example s.example -");
  expect_text(reader->site(), "s.example");
  hit("1795510800.000 / 200 h.example:80 - -");
  expect_text(reader->site(), "h.example");
  hit("1795510800.000 / 200 - - -");
  expect_text(reader->site(), "");
  hit("1795510800.000 / 200 - - a/b");
  expect_text(reader->site(), "");
  hit("1795510800.000 / 200 - - " + std::string(65, 'x'));
  expect_text(reader->site(), "");
}

void bytes_are_what_was_sent_else_the_body(void**) {
  use("$msec $request_uri $status $body_bytes_sent $bytes_sent");
  expect_number(static_cast<int64_t>(hit("1795510800 / 200 5 300").bytes_sent), 300);
  expect_number(static_cast<int64_t>(hit("1795510800 / 200 5 -").bytes_sent), 5);
  expect_number(static_cast<int64_t>(hit("1795510800 / 200 - -").bytes_sent), 0);
  expect_number(static_cast<int64_t>(hit("1795510800 / 200 5 5000000000").bytes_sent), 5'000'000'000);
  assert_true(hit("1795510800 / 200 5 9999999999999999999").bytes_sent == 9'999'999'999'999'999'999u);
  assert_true(hit("1795510800 / 200 5 18446744073709551615").bytes_sent == UINT64_MAX);
  assert_true(hit("1795510800 / 200 5 000000000000000000000007").bytes_sent == 7);
}

void more_blanks_change_nothing(void**) {
  use("combined");
  expect_number(hit("  203.0.113.7 - - [24/Nov/2026:10:00:00 +0100] \"GET / HTTP/1.1\"  200   5 \"-\" \"a\"  ").status,
                200);
  expect_number(static_cast<int64_t>(reader->hit().bytes_sent), 5);
  expect_text(reader->hit().address, std::string_view("\xCB\0\x71\x07", 4));
}

void frames_are_taken_off(void**) {
  use("combined");
  expect_text(hit("\xEF\xBB\xBF" + combined("GET / HTTP/1.1") + "\r").agent, "Mozilla/5.0");
  expect_text(reader->hit().address, std::string_view("\xCB\0\x71\x07", 4));
  for (const std::string_view blank : {"", " ", "\r", "\t \r", "\xEF\xBB\xBF"})
    assert_true(read(blank) == LineOutcome::blank);
}

// --- faults ----------------------------------------------------------------------------------------------------------

void each_fault_has_its_name(void**) {
  use("combined");
  expect_fault(std::string(kLogLineBytesMax + 1, 'x'), LineFault::too_long, "");
  expect_fault(std::string(kLogLineBytesMax, 'x'), LineFault::off_format, "remote_addr");
  expect_fault("203.0.113.7 - - 24/Nov/2026", LineFault::off_format, "remote_user");
  expect_fault("203.0.113.7 - - [24/Nov/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 5 \"-\"", LineFault::off_format,
               "http_referer");
  expect_fault("203.0.113.7 - - [24/Nov/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"a", LineFault::off_format,
               "http_user_agent");
  expect_fault("203.0.113.7 - - [24/Nov/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"a\\\"",
               LineFault::off_format, "http_user_agent");
  expect_fault("203.0.113.7 - - [-] \"GET / HTTP/1.1\" 200 5 \"-\" \"a\"", LineFault::no_time, "");
  expect_fault("203.0.113.7 - - [24/Foo/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"a\"", LineFault::bad_time,
               "time_local");
  for (const std::string_view status : {"-", "20x", "1000", "-1", "+200", "2e2", "0200"})
    expect_fault(combined("GET / HTTP/1.1", status), LineFault::bad_status, "status");
  for (const std::string_view bytes : {"x", "-1", "1.5", "99999999999999999999"})
    expect_fault(combined("GET / HTTP/1.1", "200", bytes), LineFault::bad_number, "body_bytes_sent");
  use("$msec $request_uri $status $request_time");
  expect_fault("1795510800 / 200 soon", LineFault::bad_number, "request_time");
  expect_fault("1795510800 / 200", LineFault::off_format, "status");
  use("json");
  expect_fault("x", LineFault::not_json, "");
  expect_fault("{\"status\":200,\"request\":\"GET / HTTP/1.1\"}", LineFault::no_time, "");
  expect_fault("{\"msec\":1795510800,\"status\":200}", LineFault::no_request, "");
  expect_fault("{\"msec\":1795510800,\"request_uri\":\"/\"}", LineFault::bad_status, "status");
  for (const LineFault fault : {LineFault::none, LineFault::too_long, LineFault::bad_number})
    assert_false(line_fault_text(fault).empty());
}

void two_lines_torn_into_one_are_none(void**) {
  use("combined");
  text = combined("GET / HTTP/1.1");
  expect_fault(text + text, LineFault::off_format, "http_user_agent");
  expect_fault(text.substr(0, 55) + text, LineFault::off_format, "request");
  expect_fault(text.substr(0, text.size() - 4) + text, LineFault::off_format, "http_user_agent");
}

void a_fault_leaves_nothing_behind(void**) {
  use("footfall");
  text = lines_of("footfall.log")[0];
  hit(text);
  assert_true(read("x") == LineOutcome::rejected);
  const RawHit& next = hit(lines_of("footfall.log")[1]);
  expect_text(next.host, "");
  expect_text(next.country, "");
  expect_text(reader->fault_variable(), "");
  assert_true(reader->fault() == LineFault::none);
}

void a_line_of_another_format_is_refused(void**) {
  use("combined");
  for (const std::string& each : lines_of("vhost.log")) assert_true(read(each) == LineOutcome::rejected);
  for (const std::string& each : lines_of("json.log")) assert_true(read(each) == LineOutcome::rejected);
  use("footfall");
  for (const std::string& each : lines_of("combined.log")) assert_true(read(each) != LineOutcome::hit);
  use("vhost");
  for (const std::string& each : lines_of("combined.log")) assert_true(read(each) != LineOutcome::hit);
}

// --- told from the lines ---------------------------------------------------------------------------------------------

void a_format_is_told_from_a_files_first_lines(void**) {
  static std::vector<std::string> lines;
  static std::vector<std::string_view> views;
  const auto detected = [](const std::string& name) {
    lines = lines_of(name);
    views.assign(lines.begin(), lines.end());
    return detect_log_format(views);
  };
  assert_true(detected("json.log")->is_json());
  expect_text(detected("combined.log")->steps().back().variable, "http_user_agent");
  expect_text(detected("combined.log")->steps().front().variable, "remote_addr");
  expect_text(detected("common.log")->steps().back().variable, "body_bytes_sent");
  expect_text(detected("vhost.log")->steps().front().variable, "host");
  expect_text(detected("footfall.log")->steps().back().variable, "footfall_events");
  assert_false(detected("browsers.txt").ok());
  assert_false(detect_log_format({}).ok());

  // A line that was cut off is one of `combined` still; it outvotes nobody.
  lines = lines_of("footfall.log");
  lines.push_back(lines[0].substr(0, lines[0].find("\" 1795") + 1));
  views.assign(lines.begin(), lines.end());
  expect_text(detect_log_format(views)->steps().back().variable, "footfall_events");
}

// --- the same hit as live
// ----------------------------------------------------------------------------------------------

enum class Writer { nginx, apache, json };

std::string escaped(std::string_view value, Writer writer) {
  std::string to;
  char escape[8];
  for (const char c : value) {
    const uint8_t byte = static_cast<uint8_t>(c);
    const bool special = c == '"' || c == '\\';
    if (writer != Writer::nginx && special) {
      to += {'\\', c};
    } else if (writer == Writer::json && byte < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04X", byte);
      to += escape;
    } else if (writer != Writer::json && (special || byte < 0x20 || byte >= 0x7F)) {
      std::snprintf(escape, sizeof escape, writer == Writer::nginx ? "\\x%02X" : "\\x%02x", byte);
      to += escape;
    } else {
      to += c;
    }
  }
  return to;
}

std::string seconds_of(int64_t ms) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%lld.%03lld", static_cast<long long>(ms / 1000),
                static_cast<long long>(ms % 1000));
  return seconds;
}

std::string address_text(std::string_view address) {
  char name[INET6_ADDRSTRLEN] = "-";
  if (!address.empty()) inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, address.data(), name, sizeof name);
  return name;
}

constexpr std::string_view kMethodNames[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"};
constexpr std::string_view kContentNames[] = {"-", "text/html; charset=utf-8", "image/png"};

// What nginx would write of the hit with the README's log format.
std::string footfall_line(const RawHit& hit, std::string_view site) {
  const auto quoted = [](std::string_view value) { return " \"" + escaped(value, Writer::nginx) + "\""; };
  std::string to = address_text(hit.address) + " - - [01/Jan/2020:00:00:00 +0000]";
  to += quoted(std::string(kMethodNames[static_cast<size_t>(hit.method)]) + " " + std::string(hit.uri) + " HTTP/1.1");
  to += " " + std::to_string(hit.status) + " 7" + quoted(hit.referrer) + quoted(hit.agent) + " " +
        seconds_of(hit.time_ms) + " " + std::to_string(hit.bytes_sent);
  to += quoted(kContentNames[static_cast<size_t>(hit.content)]) + " " + seconds_of(hit.request_time_ms) + quoted(site) +
        quoted(hit.host) + quoted(hit.visitor_id) + quoted(hit.path) + quoted(hit.country) +
        quoted(hit.own_bot ? "1" : "") + quoted("") + quoted(hit.prefetch ? "1" : "") + quoted(hit.events_header);
  return to;
}

std::string apache_line(const RawHit& hit) {
  const auto quoted = [](std::string_view value) { return " \"" + escaped(value, Writer::apache) + "\""; };
  return address_text(hit.address) + " - - [24/Nov/2026:10:00:00 +0100]" +
         quoted("GET " + std::string(hit.uri) + " HTTP/1.1") + " 200 5" + quoted(hit.referrer) + quoted(hit.agent);
}

std::string json_line(const RawHit& hit) {
  const auto quoted = [](std::string_view value) { return "\"" + escaped(value, Writer::json) + "\""; };
  return "{\"request\":" + quoted("GET " + std::string(hit.uri) + " HTTP/1.1") +
         ",\"http_user_agent\":" + quoted(hit.agent) + ", \"status\":200,\"msec\":" + seconds_of(hit.time_ms) +
         ",\"http_referer\":" + quoted(hit.referrer) + ",\"footfall_visitor\":" + quoted(hit.visitor_id) + "}";
}

// Random values and the hit that they make; a value of `-` is none, as in every log.
struct RandomHit {
  std::string uri, path, referrer, agent, host, visitor, country, events, address;
  RawHit hit;

  explicit RandomHit(Random& random) {
    uri = "/" + bytes(random, 60, '!');
    path = random.below(2) == 0 ? "" : bytes(random, 40, '/');
    referrer = bytes(random, 60);
    if (random.below(2) == 0) referrer = "https://blog.example/" + referrer;
    agent = bytes(random, 40);
    host = bytes(random, 20);
    visitor = bytes(random, 20);
    country = bytes(random, 4);
    events = random.below(2) == 0 ? bytes(random, 40) : "purchase;id=\"A\\\\\\\"1\";value=1.5, sign_up";
    address =
        random.below(4) == 0 ? "" : bytes(random, 1).append("0123456789abcdef").substr(0, random.below(2) ? 4 : 16);
    hit.time_ms = kTenOClock + static_cast<int64_t>(random.below(1'000'000'000));
    hit.request_time_ms = static_cast<uint32_t>(random.below(100'000));
    hit.bytes_sent = random.below(UINT64_MAX);
    hit.status = static_cast<uint16_t>(random.below(1000));
    if (hit.status == 400 || hit.status == 414 || hit.status == 505) hit.status = 200;
    hit.method = static_cast<Method>(random.below(7));
    hit.content = static_cast<ContentKind>(random.below(3));
    hit.prefetch = random.below(2) == 0;
    hit.own_bot = random.below(2) == 0;
    hit.address = address;
    hit.uri = uri, hit.path = path, hit.referrer = referrer, hit.agent = agent, hit.host = host;
    hit.visitor_id = visitor, hit.country = country, hit.events_header = events;
  }

  static std::string bytes(Random& random, size_t bytes_max, uint8_t lowest = 0) {
    std::string to;
    for (size_t left = random.below(bytes_max + 1); left > 0; --left) {
      static constexpr std::string_view kTroublesome = "\"\\-[]{} \n\r\t/x2u";
      uint8_t byte = random.below(3) == 0 ? static_cast<uint8_t>(kTroublesome[random.below(kTroublesome.size())])
                                          : static_cast<uint8_t>(random.next());
      if (byte < lowest) byte = lowest;
      to.push_back(static_cast<char>(byte));
    }
    return to == "-" ? "" : to;
  }
};

void expect_same_texts(const RawHit& actual, const RawHit& expected) {
  expect_text(actual.uri, expected.uri);
  expect_text(actual.referrer, expected.referrer);
  expect_text(actual.agent, expected.agent);
}

void a_line_reads_back_as_the_hit_that_it_was_written_from(void**) {
  static std::optional<RandomHit> written;
  static LogReader footfall(*LogFormat::parse("footfall")), apache(*LogFormat::parse("combined")),
      json(*LogFormat::parse("json"));
  static HitBuilder live, imported;
  static std::string live_bytes, imported_bytes;
  VisitorKeys keys;
  keys.id = {1}, keys.anonymous = {2}, keys.customer = {3};
  keys.has_anonymous = true;
  Random random(7);
  for (int round = 0; round < 3000; ++round) {
    written.emplace(random);
    const RawHit& expected = written->hit;

    line = footfall_line(expected, "shop");
    assert_true(footfall.read(line) == LineOutcome::hit);
    expect_text(footfall.site(), "shop");
    expect_same_texts(footfall.hit(), expected);
    live_bytes.clear(), imported_bytes.clear();
    encode_hit(live.build(expected, HitContext(), keys), live_bytes);
    encode_hit(imported.build(footfall.hit(), HitContext(), keys), imported_bytes);
    expect_text(imported_bytes, live_bytes);

    line = apache_line(expected);
    assert_true(apache.read(line) == LineOutcome::hit);
    expect_same_texts(apache.hit(), expected);

    line = json_line(expected);
    assert_true(json.read(line) == LineOutcome::hit);
    expect_same_texts(json.hit(), expected);
    expect_text(json.hit().visitor_id, expected.visitor_id);
    expect_number(json.hit().time_ms, expected.time_ms);
  }
}

// --- a hostile world
// -----------------------------------------------------------------------------------------------------

constexpr std::pair<std::string_view, std::string_view> kFormatsAndFiles[] = {
    {"combined", "combined.log"}, {"common", "common.log"},     {"vhost", "vhost.log"},
    {"json", "json.log"},         {"footfall", "footfall.log"}, {"escape=none $msec $request $status", "combined.log"},
};

void broken_lines_are_read_or_refused(void**) {
  static HitBuilder builder;
  static std::string broken;
  static std::vector<std::string> lines;
  Random random(11);
  for (const auto& [format, file] : kFormatsAndFiles) {
    use(format);
    lines = lines_of(std::string(file));
    for (int round = 0; round < 4000; ++round) {
      broken = lines[random.below(lines.size())];
      random.mutate(broken);
      broken.shrink_to_fit();  // so that a sanitizer sees a byte read too far
      const LineOutcome outcome = reader->read(broken);
      if (outcome == LineOutcome::rejected) assert_true(reader->fault() != LineFault::none);
      if (outcome != LineOutcome::hit) continue;
      const Hit& built = builder.build(reader->hit(), HitContext(), VisitorKeys());
      assert_true(built.time_ms >= 0 && built.status < 1000);
      assert_true(reader->site().size() <= 64);
    }
  }
}

void lines_of_a_mebibyte_end_soon(void**) {
  for (const auto& [format, file] : kFormatsAndFiles) {
    use(format);
    for (const std::string_view pattern :
         {"\"", "\\", "\\\"", " ", " - ", "[", "\" \"", "{", "{\"a\":", "\"\\", "\xFF"}) {
      text.clear();
      while (text.size() + pattern.size() <= kLogLineBytesMax) text += pattern;
      assert_true(reader->read(text) == (pattern == " " ? LineOutcome::blank : LineOutcome::rejected));
    }
  }
  use("combined");
  text = combined("GET /" + std::string(kLogLineBytesMax - 200, 'x') + " HTTP/1.1");
  expect_number(static_cast<int64_t>(hit(text).uri.size()), kLogLineBytesMax - 199);
  text = combined("GET /\\x41" + std::string(kLogLineBytesMax - 200, 'x') + " HTTP/1.1");
  assert_true(hit(text).uri.starts_with("/Axx"));
}

void a_nul_is_a_byte_like_any_other(void**) {
  use("combined");
  line = combined("GET /a HTTP/1.1");
  line[line.find("/a") + 1] = '\0';
  assert_true(reader->read(line) == LineOutcome::hit);
  expect_text(reader->hit().uri, std::string_view("/\0", 2));
}

void a_warm_reader_allocates_nothing(void**) {
  static std::vector<std::string> lines;
  for (const auto& [format, file] : kFormatsAndFiles) {
    use(format);
    lines = lines_of(std::string(file));
    const auto read_all = [] {
      for (const std::string& each : lines) reader->read(each);
    };
    read_all();
    const size_t before = allocations;
    for (int round = 0; round < 20; ++round) read_all();
    expect_number(static_cast<int64_t>(allocations - before), 0);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_combined_log_is_read),
      cmocka_unit_test(a_common_log_is_read),
      cmocka_unit_test(a_vhost_log_is_read),
      cmocka_unit_test(a_json_log_is_read),
      cmocka_unit_test(a_footfall_log_is_read),
      cmocka_unit_test(an_anonymous_visitor_has_no_id),
      cmocka_unit_test(any_log_format_string_is_read),
      cmocka_unit_test(the_finest_time_counts),
      cmocka_unit_test(a_garbage_request_is_a_hit),
      cmocka_unit_test(a_user_may_be_called_anything),
      cmocka_unit_test(the_request_lines_host_goes_first),
      cmocka_unit_test(a_given_site_goes_before_a_servers_name),
      cmocka_unit_test(bytes_are_what_was_sent_else_the_body),
      cmocka_unit_test(more_blanks_change_nothing),
      cmocka_unit_test(frames_are_taken_off),
      cmocka_unit_test(each_fault_has_its_name),
      cmocka_unit_test(two_lines_torn_into_one_are_none),
      cmocka_unit_test(a_fault_leaves_nothing_behind),
      cmocka_unit_test(a_line_of_another_format_is_refused),
      cmocka_unit_test(a_format_is_told_from_a_files_first_lines),
      cmocka_unit_test(a_line_reads_back_as_the_hit_that_it_was_written_from),
      cmocka_unit_test(broken_lines_are_read_or_refused),
      cmocka_unit_test(lines_of_a_mebibyte_end_soon),
      cmocka_unit_test(a_nul_is_a_byte_like_any_other),
      cmocka_unit_test(a_warm_reader_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
