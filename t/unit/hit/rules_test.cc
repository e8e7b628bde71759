// What a page's address tells by the site's rules: events, orders, and who is excluded.
#include "hit/rules.h"

#include "base/limits.h"
#include "hit/builder.h"
#include "test.h"

namespace footfall {
namespace {

HitBuilder builder;  // statics: a failed assertion leaves by longjmp
SiteConfig site;
RawHit raw;
HitContext context;
VisitorKeys keys;

int begin(void**) {
  site = default_site("shop");
  site.events = {{"add_to_cart", "/cart/add*", "sku", "price", "cur"}, {"sign_up", "/welcome", "", "", ""}};
  site.order_page = {"/thank-you", "order", "total", "cur", "items", "coupon", "customer"};
  raw = RawHit();
  raw.status = 200;
  raw.content = ContentKind::html;
  raw.agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0";
  raw.address = {"\xC0\x00\x02\x07", 4};
  context = HitContext();
  keys = VisitorKeys();
  keys.customer = {2};
  keys.anonymous = {3};
  keys.has_anonymous = true;
  return 0;
}

const Hit& build() { return builder.build(raw, context, keys, &site); }
const Hit& get(std::string_view uri) {
  raw.uri = uri;
  return build();
}

void a_page_that_matches_tells_its_event(void**) {
  const Hit& hit = get("/cart/add/now?price=4.50&sku=Blue+cup%21&cur=usd");
  expect_number(hit.events.size(), 1);
  expect_text(hit.events[0].name, "add_to_cart");
  expect_text(hit.events[0].item, "Blue cup!");
  assert_true(hit.events[0].has_value);
  expect_number(hit.events[0].value_micros, 4'500'000);
  expect_text(hit.events[0].currency.text(), "USD");
  expect_number(get("/cart?sku=1").events.size(), 0);
  expect_number(get("/CART/add").events.size(), 0);  // paths are matched with case
}

void arguments_are_not_needed(void**) {
  expect_text(get("/cart/add").events.at(0).item, "");
  assert_false(get("/cart/add").events.at(0).has_value);
  expect_text(get("/welcome?sku=1").events.at(0).item, "");  // that rule reads none
}

void the_path_is_matched_as_it_is_shown(void**) {
  expect_number(get("//cart//%61dd").events.size(), 1);
  context.kept_path_arguments = {"variant"};
  expect_number(get("/welcome?variant=red").events.size(), 1);  // without what footfall_args keeps
  raw.path = "/welcome";                                        // footfall_path's
  expect_text(get("/p/17?sku=1").events.at(0).name, "sign_up");
}

void a_value_that_is_none_leaves_the_event(void**) {
  const Hit& hit = get("/cart/add?sku=1&price=cheap");
  assert_false(hit.events.at(0).has_value);
  expect_number(hit.flags, kHitFieldCut);
}

void the_confirmation_page_tells_its_order(void**) {
  const Hit& hit = get("/thank-you?order=A%2D1+b&total=129.90&cur=chf&coupon=MAIL24&items=s1:2:29.95+s%252F2:1:70&customer=anna");
  expect_number(hit.events.size(), 1);
  const Event& order = hit.events[0];
  assert_true(order.is_order() && order.fault == OrderFault::none);
  expect_text(order.id, "A-1 b");
  expect_number(order.value_micros, 129'900'000);
  expect_text(order.currency.text(), "CHF");
  expect_text(order.coupon, "MAIL24");
  expect_number(order.items.size(), 2);
  expect_number(order.items[0].quantity, 2);
  expect_number(order.items[1].price_micros, 70'000'000);
  assert_true(order.customer == keyed_hash(keys.customer, "anna"));  // as a header's: the same person by either
}

void an_order_is_judged_like_any_other(void**) {
  assert_true(get("/thank-you?order=A1").events.at(0).fault == OrderFault::bad_value);
  assert_true(get("/thank-you?total=5").events.at(0).fault == OrderFault::no_id);
  assert_true(get("/thank-you?order=A1&total=-5").events.at(0).fault == OrderFault::bad_value);
  assert_true(get("/thank-you?order=A1&total=5&cur=euros").events.at(0).fault == OrderFault::bad_currency);
  const std::string digits(kValueBytesMax, '0');
  assert_true(get("/thank-you?order=A1&total=5" + digits).events.at(0).fault == OrderFault::bad_value);
  raw.uri = {};  // it pointed into a string that is gone
}

void a_confirmation_page_with_neither_is_just_a_page(void**) {
  expect_number(get("/thank-you").events.size(), 0);
  expect_number(get("/thank-you?order=&total=+&items=s1:1:1").events.size(), 0);
  expect_number(get("/thank-you?order=%20").flags, 0);
}

void what_the_shop_tells_itself_goes_before(void**) {
  raw.events_header = R"(purchase;id="H1";value=7)";
  expect_number(get("/thank-you?order=A1&total=5").events.size(), 1);
  expect_text(build().events[0].id, "H1");
  raw.events_header = "purchase";  // rejected, and yet told
  expect_number(build().events.size(), 1);
  raw.events_header = "sign_up";   // no order
  expect_number(build().events.size(), 2);
  raw.events_header = {};
  RawEvent order;
  order.is_order = true;
  order.id = "D1";
  order.value = "9";
  raw.events = {order};
  expect_number(build().events.size(), 1);
  expect_text(build().events[0].id, "D1");
}

void errors_and_heads_tell_nothing(void**) {
  raw.status = 404;
  expect_number(get("/welcome").events.size(), 0);
  raw.status = 399;
  expect_number(build().events.size(), 1);
  raw.status = 303;
  raw.method = Method::post;
  expect_number(get("/cart/add?sku=1").events.size(), 1);  // as shops do: POST, then a redirect
  raw.method = Method::head;
  expect_number(build().events.size(), 0);
}

void a_hit_tells_sixteen_events_at_most(void**) {
  site.events.assign(20, {"seen", "/thank-you", "item", "", ""});
  const std::string uri = "/thank-you?order=A1&total=5&item=" + std::string(3'000, 'x');
  const Hit& hit = get(uri);
  expect_number(hit.events.size(), kEventsMax);
  assert_true(hit.events[0].is_order());  // the last to be lost
  expect_text(hit.events.back().item, std::string(kEventItemBytesMax, 'x'));
  expect_number(hit.flags, kHitEventsMalformed | kHitFieldCut);
  raw.uri = {};
}

void the_first_of_equal_arguments_that_says_something_counts(void**) {
  expect_text(get("/cart/add?sku=&sku=+&sku=2&sku=3&SKU=4").events.at(0).item, "2");
}

void hostile_arguments_become_clean_text(void**) {
  expect_text(get("/cart/add?sku=a%00b%FF").events.at(0).item, "a\xEF\xBF\xBD" "b\xEF\xBF\xBD");
  assert_true(get("/thank-you?order=a%00b&total=1").events.at(0).fault == OrderFault::no_id);
  expect_number(get("/thank-you?order=A1&total=1&items=::::").events.at(0).items.size(), 0);
}

void without_settings_nothing_is_told(void**) {
  raw.uri = "/welcome";
  expect_number(builder.build(raw, context, keys).events.size(), 0);
}

void expect_excluded(bool expected) {
  raw.visitor_id = "staff-7";
  raw.referrer = "https://intranet.example/";
  raw.events_header = "sign_up";
  const Hit& hit = get("/welcome?utm_source=mail");
  assert_true(((hit.flags & kHitExcluded) != 0) == expected);
  assert_true(hit.id_key.is_zero() == expected && hit.anonymous_key.is_zero() == expected);
  assert_true(hit.events.empty() == expected);
  assert_true(hit.agent.empty() == expected && hit.source.empty() == expected && hit.referrer_host.empty() == expected);
  expect_text(hit.path, expected ? "/" : "/welcome");
}

void the_excluded_leave_no_trace(void**) {
  keys.id = {1};
  expect_excluded(false);
  site.exclude = {*parse_address_range("192.0.2.0/24")};
  expect_excluded(true);
  raw.address = {"\xC0\x00\x03\x07", 4};
  expect_excluded(false);
  site.exclude_agents = {"linux*firefox"};
  expect_excluded(true);
  site.exclude_agents.clear();
  site.exclude_paths = {"/wel*e"};
  expect_excluded(true);
  site.exclude_paths = {"/wel"};
  expect_excluded(false);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_page_that_matches_tells_its_event, begin),
      cmocka_unit_test_setup(arguments_are_not_needed, begin),
      cmocka_unit_test_setup(the_path_is_matched_as_it_is_shown, begin),
      cmocka_unit_test_setup(a_value_that_is_none_leaves_the_event, begin),
      cmocka_unit_test_setup(the_confirmation_page_tells_its_order, begin),
      cmocka_unit_test_setup(an_order_is_judged_like_any_other, begin),
      cmocka_unit_test_setup(a_confirmation_page_with_neither_is_just_a_page, begin),
      cmocka_unit_test_setup(what_the_shop_tells_itself_goes_before, begin),
      cmocka_unit_test_setup(errors_and_heads_tell_nothing, begin),
      cmocka_unit_test_setup(a_hit_tells_sixteen_events_at_most, begin),
      cmocka_unit_test_setup(the_first_of_equal_arguments_that_says_something_counts, begin),
      cmocka_unit_test_setup(hostile_arguments_become_clean_text, begin),
      cmocka_unit_test_setup(without_settings_nothing_is_told, begin),
      cmocka_unit_test_setup(the_excluded_leave_no_trace, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
