// Values of log lines: escapes, request lines, addresses; and JSON objects.
#include "hit/log_text.h"

#include "hit/log_json.h"
#include "test.h"

namespace footfall {
namespace {

std::string text;  // statics: a failed assertion leaves by longjmp

const std::string& undone(std::string_view escaped) {
  text.clear();
  append_unescaped(escaped, text);
  assert_true(text.size() <= escaped.size());
  return text;
}

void every_writers_escapes_are_undone(void**) {
  expect_text(undone("plain"), "plain");
  expect_text(undone("\\x22\\x5C\\xc3\\xA9"), "\"\\\xC3\xA9");                                      // nginx
  expect_text(undone("a\\\"b\\\\x22\\n\\t\\r\\v"), "a\"b\\x22\n\t\r\v");                            // Apache
  expect_text(undone("\\/\\u00e9\\u20AC\\ud83d\\ude00"), "/\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");  // JSON
  expect_text(undone("\\x00"), std::string_view("\0", 1));
}

void what_is_no_escape_stays(void**) {
  for (const std::string_view same : {"\\", "a\\", "\\x", "\\x2", "\\xzz", "\\u12", "\\u00g0", "\\q", "%22"})
    expect_text(undone(same), same);
  expect_text(undone("\\ud83d"), "\xEF\xBF\xBD");  // half a pair
  expect_text(undone("\\ude00"), "\xEF\xBF\xBD");
  expect_text(undone("\\ud83dx"), "\xEF\xBF\xBDx");
  expect_text(undone("\\ud83d\\u0041"),
              "\xEF\xBF\xBD"
              "A");
}

void a_request_line_is_taken_apart(void**) {
  static constexpr struct {
    std::string_view request, target;
    Method method;
    bool well_formed;
  } kCases[] = {
      {"GET / HTTP/1.1", "/", Method::get, true},
      {"HEAD /a?b=c HTTP/2.0", "/a?b=c", Method::head, true},
      {"POST /a HTTP/1.0", "/a", Method::post, true},
      {"PUT /a HTTP/1.0", "/a", Method::put, true},
      {"DELETE /a HTTP/1.0", "/a", Method::del, true},
      {"OPTIONS * HTTP/1.1", "*", Method::options, true},
      {"M-SEARCH * HTTP/1.1", "*", Method::other, true},
      {"get / HTTP/1.1", "/", Method::other, false},
      {"GET http://shop.example/a HTTP/1.1", "http://shop.example/a", Method::get, true},
      {"GET /a b  c HTTP/1.1", "/a b  c", Method::get, false},
      {"GET /a HTTP/1.1 HTTP/1.1", "/a HTTP/1.1", Method::get, false},
      {"GET /a HTTP/1.1 x", "/a HTTP/1.1 x", Method::get, false},
      {"GET  /a HTTP/1.1", "/a", Method::get, true},
      {"GET /a", "/a", Method::get, false},
      {"GET /a\x01 HTTP/1.1", "/a\x01", Method::get, false},
      {"GET  HTTP/1.1", "", Method::get, false},
      {"GET ", "", Method::get, false},
      {"GET", "", Method::other, false},
      {"", "", Method::other, false},
      {" /a HTTP/1.1", "", Method::other, false},
      {"\x16\x03\x01 \x02", "", Method::other, false},
  };
  for (const auto& c : kCases) {
    const RequestLine line = split_request(c.request);
    expect_text(line.target, c.target);
    expect_number(static_cast<int>(line.method), static_cast<int>(c.method));
    expect_number(is_well_formed(line), c.well_formed);
  }
}

void an_absolute_target_names_its_host(void**) {
  static constexpr struct {
    std::string_view target, authority, rest;
  } kCases[] = {
      {"http://shop.example:80/a?b", "shop.example:80", "/a?b"},
      {"https://shop.example", "shop.example", ""},
      {"http://shop.example?u=http://x/", "shop.example", "?u=http://x/"},
      {"http:///a", "", "/a"},
      {"/a?u=http://x/", "", "/a?u=http://x/"},
      {"a?u=http://x/", "", "a?u=http://x/"},
      {"shop.example:443", "", "shop.example:443"},
      {"", "", ""},
  };
  for (const auto& c : kCases) {
    std::string_view target = c.target;
    expect_text(take_authority(target), c.authority);
    expect_text(target, c.rest);
  }
}

void content_types_are_told(void**) {
  assert_true(content_kind_of("") == ContentKind::none);
  for (const std::string_view html :
       {"text/html", "text/html; charset=utf-8", "Text/HTML;charset=x", "application/xhtml+xml"})
    assert_true(content_kind_of(html) == ContentKind::html);
  for (const std::string_view other : {"text/htmlx", "text/plain", "text/htm", "image/png"})
    assert_true(content_kind_of(other) == ContentKind::other);
}

void addresses_become_bytes(void**) {
  static AddressRoom room;
  expect_text(read_log_address("203.0.113.7", room), std::string_view("\xCB\0\x71\x07", 4));
  expect_text(read_log_address("0.0.0.0", room), std::string_view("\0\0\0\0", 4));
  expect_text(read_log_address("2001:db8::7", room),
              std::string_view("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07", 16));
  expect_text(read_log_address("::ffff:1.2.3.4", room),
              std::string_view("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\x01\x02\x03\x04", 16));
  for (const std::string_view none : {"", "-", "unix:", "unix:/run/x.sock"})
    expect_text(read_log_address(none, room), "");
}

void a_hosts_name_stands_for_its_address(void**) {
  static std::string first;
  static AddressRoom room;
  for (const std::string_view name :
       {"dsl-7.isp.example", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "1.2.3.x", "::g", "1.2.3.0004", "1..2.3",
        ".1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4294967297", "1.2.3.\xB1"}) {
    first = read_log_address(name, room);
    expect_number(static_cast<int64_t>(first.size()), 16);
    expect_text(std::string_view(first).substr(0, 8), std::string_view("\x01\0\0\0\0\0\0\0", 8));
    expect_text(read_log_address(name, room), first);
  }
  assert_true(read_log_address("dsl-8.isp.example", room) != first);
}

// The members as `key=value;`, or `bad`.
const std::string& members_of(std::string_view line) {
  text.clear();
  JsonMembers members(line);
  JsonMember member;
  while (members.next(member)) text += std::string(member.key) + "=" + std::string(member.value) + ";";
  return members.ok() ? text : text = "bad";
}

void the_members_of_an_object_come_in_turn(void**) {
  expect_text(members_of("{}"), "");
  expect_text(members_of(" { } \r"), "");
  expect_text(members_of("{\"a\":\"x\",\"b\":12.5e-3,\"c\":true,\"d\":false,\"e\":null}"), "a=x;b=12.5e-3;c=1;d=;e=;");
  expect_text(members_of("\t{ \"a\" : \"x\" , \"b\" : -1 } "), "a=x;b=-1;");
  expect_text(members_of("{\"a\":\"q\\\"uote \\\\\",\"b\":\"\"}"), "a=q\\\"uote \\\\;b=;");
  expect_text(members_of("{\"a\":{\"b\":[1,{\"c\":\"]}\\\"\"}]},\"d\":[],\"e\":5}"), "a=;d=;e=5;");
}

void what_is_no_object_is_bad(void**) {
  for (const std::string_view line : {"",
                                      "[]",
                                      "x",
                                      "{",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "{\"a\":}",
                                      "{\"a\":1",
                                      "{\"a\":1,",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{\"a\":1}}",
                                      "{\"a\":1} {\"b\":2}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\":x}",
                                      "{\"a\":-}",
                                      "{\"a\":\"x}",
                                      "{\"a\":\"x\\\"}",
                                      "{a:1}",
                                      "{\"a\":[}",
                                      "{\"a\":[1,2}",
                                      "{\"a\":[\"}",
                                      "{} x",
                                      "{\"a\":tru}"}) {
    expect_text(members_of(line), "bad");
  }
  text = "{\"a\":" + std::string(100'000, '[');
  expect_text(members_of(std::string(text)), "bad");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_writers_escapes_are_undone),
      cmocka_unit_test(what_is_no_escape_stays),
      cmocka_unit_test(a_request_line_is_taken_apart),
      cmocka_unit_test(an_absolute_target_names_its_host),
      cmocka_unit_test(content_types_are_told),
      cmocka_unit_test(addresses_become_bytes),
      cmocka_unit_test(a_hosts_name_stands_for_its_address),
      cmocka_unit_test(the_members_of_an_object_come_in_turn),
      cmocka_unit_test(what_is_no_object_is_bad),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
