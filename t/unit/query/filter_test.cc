// Filters: what they say, what they mean, what is refused.
#include "query/filter.h"

#include <optional>
#include <string>

#include "query/shop.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

Filter the_filter;
const Filter& read(std::string_view text) {
  auto parsed = parse_filter(text);
  if (const auto* error = std::get_if<QueryError>(&parsed)) fail_msg("refused: %s", error->message.c_str());
  the_filter = std::move(std::get<Filter>(parsed));
  return the_filter;
}

QueryError the_error;
const QueryError& refused(std::string_view text) {
  auto parsed = parse_filter(text);
  if (std::holds_alternative<Filter>(parsed)) fail_msg("taken: %.*s", int(text.size()), text.data());
  the_error = std::get<QueryError>(parsed);
  expect_text(the_error.param, "filter");
  return the_error;
}

// Whether a fact of that page is meant; none: null.
bool means(std::string_view filter, std::optional<std::string_view> page) {
  return holds(read(filter), *find_dimension("page"), page ? &*page : nullptr);
}

void a_filter_is_conditions_of_values(void**) {
  const Filter& filter = read("channel:is:email|sms;page:starts:/sale");
  expect_number(static_cast<int64_t>(filter.size()), 2);
  expect_text(filter[0].dimension->name, "channel");
  expect_text(joined(filter[0].values), "email sms");
  assert_true(filter[1].op == FilterOp::starts);
  expect_text(filter_text(filter), "channel:is:email|sms;page:starts:/sale");
}

void ops_mean_what_they_say(void**) {
  assert_true(means("page:is:/a|/b", "/b"));
  assert_false(means("page:is:/a|/b", "/B"));
  assert_false(means("page:is:/a", std::nullopt));
  assert_true(means("page:is_not:/a|/b", "/c"));
  assert_true(means("page:is_not:/a|/b", std::nullopt));
  assert_false(means("page:is_not:/a|/b", "/a"));
  assert_true(means("page:contains:sal|cup", "/cups"));
  assert_false(means("page:contains:cups", "/cup"));
  assert_true(means("page:starts:/sale", "/sale/x"));
  assert_false(means("page:starts:/sale", "/x/sale"));
  assert_true(means("page:matches:/p/*/cup*", "/p/1/cups"));
  assert_false(means("page:matches:/p/*", "/q/p/1"));
}

void an_empty_value_is_null(void**) {
  for (const char* op : {"is", "contains", "starts", "matches"}) {
    assert_true(means("page:" + std::string(op) + ":", std::nullopt));
    assert_false(means("page:" + std::string(op) + ":", "/"));
    assert_true(means("page:" + std::string(op) + ":/|", std::nullopt));
    assert_true(means("page:" + std::string(op) + ":/|", "/"));
    assert_false(means("page:" + std::string(op) + ":/", std::nullopt));
  }
  assert_true(means("page:is_not:", "/"));
  assert_false(means("page:is_not:", std::nullopt));
  assert_false(means("page:matches:*", std::nullopt));
}

void all_conditions_on_a_dimension_hold(void**) {
  assert_true(means("page:starts:/p;channel:is:email;page:contains:cup", "/p/cup"));
  assert_false(means("page:starts:/p;channel:is:email;page:contains:cup", "/p/bowl"));
  expect_number(static_cast<int64_t>(dimensions_of(read("page:starts:/p;channel:is:email;page:contains:x")).size()), 2);
}

void separators_are_escaped(void**) {
  expect_text(joined(read(R"(page:is:a\|b|c\;d\\)")[0].values), R"(a|b c;d\)");
  expect_number(static_cast<int64_t>(read(R"(page:is:a\\;channel:is:b)").size()), 2);
  expect_text(joined(read(R"(page:is:C:\new\)")[0].values), R"(C:\new\)");  // others stand for themselves
  expect_text(joined(read("page:is:http://x:8/|b")[0].values), "b http://x:8/");
}

void what_was_read_is_read_again(void**) {
  static constexpr char kBytes[] = R"(ab:;|\/*)";
  Random random(5);
  for (int round = 0; round < 2000; ++round) {
    Filter made;
    for (uint64_t i = 0; i <= random.below(3); ++i) {
      Condition condition{&dimensions()[5 + random.below(5)], static_cast<FilterOp>(random.below(5)), {}};
      std::string value;
      for (uint64_t length = random.below(6); length > 0; --length) value += kBytes[random.below(sizeof kBytes - 1)];
      condition.values.push_back(value);
      made.push_back(condition);
    }
    assert_true(read(filter_text(made)) == made);
  }
}

void what_is_off_the_form_is_refused(void**) {
  for (const char* text : {"", ";", "page", "page:is", "page:is:/;", ":is:a"}) (void)refused(text);
  expect_text(joined(refused("page:like:/").allowed), "is is_not contains starts matches");
  assert_true(refused("planet:is:x").message.starts_with("there is no dimension \"planet\""));
  assert_true(refused("day:is:2026-10-31").message.starts_with("time is no filter"));
}

void a_filter_is_bounded(void**) {
  static std::string text;
  text = "page:is:0";
  for (int i = 1; i < 1000; ++i) text += "|" + std::to_string(i);
  (void)read(text);
  (void)refused(text + "|more");
  text = "page:is:/";
  for (int i = 1; i < 16; ++i) text += ";page:is:/";
  (void)read(text);
  (void)refused(text + ";page:is:/");
}

int forget(void**) {
  the_filter = {};
  the_error = {};
  return 0;
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_filter_is_conditions_of_values), cmocka_unit_test(ops_mean_what_they_say),
      cmocka_unit_test(an_empty_value_is_null),           cmocka_unit_test(all_conditions_on_a_dimension_hold),
      cmocka_unit_test(separators_are_escaped),           cmocka_unit_test(what_was_read_is_read_again),
      cmocka_unit_test(what_is_off_the_form_is_refused),  cmocka_unit_test(a_filter_is_bounded),
  };
  return cmocka_run_group_tests(tests, nullptr, forget);
}
