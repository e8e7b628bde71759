// Codes, by redirect, landing and coupon; and customers who are several visitors.
#include "aggregate/checked.h"
#include "aggregate/shop.h"

namespace footfall {
namespace {

using enum Counter;
using enum Amount;
constexpr auto kChannel = Dimension::channel;
constexpr int64_t kOne = kCreditWhole;

Config shop_with_codes() {
  Config config = two_shops();
  CodeConfig mailing;
  mailing.code = "SPRING24";
  mailing.channel = "direct_mail";
  mailing.campaign = "spring-mailing";
  mailing.target = "/sale";
  mailing.landings = {"/s24"};
  mailing.coupons = {"MAIL24"};
  CodeConfig radio;
  radio.code = "RADIO";
  radio.channel = "audio";
  radio.source = "wave-fm";
  CodeConfig leaflet;
  leaflet.code = "Leaflet";
  leaflet.channel = "print";
  leaflet.target = "/sale?utm_source=print&utm_medium=leaflet&utm_campaign=x";
  config.sites[0].codes = {mailing, radio, leaflet};
  return config;
}

int open_with_codes(void**) { return the_shop = std::make_unique<Shop>(shop_with_codes()), 0; }

// A visitor asks for PREFIX/CODE and is sent on.
Shop& go(std::string_view code, uint32_t flags = 0, Method method = Method::get, uint16_t status = 302) {
  RawHit raw = shop().request("/go/" + std::string(code), {});
  raw.status = status;
  raw.method = method;
  static HitBuilder builder;
  HitContext context;
  context.codes_prefix = "/go/";
  VisitorKeys keys;
  keys.id = Key128{1};
  Hit hit = builder.build(raw, context, keys);
  hit.flags |= flags;
  return shop().count(hit, "shop", false);
}

void a_redirect_opens_a_visit_and_is_no_page(void**) {
  shop().at("10:00");
  go("spring24");
  expect_figure(visits, 1);
  expect_figure(pageviews, 0);
  expect_figure(bounces, 0);
  expect_figure(kChannel, "direct_mail", visits, 1);
  expect_figure(Dimension::source, "SPRING24", visits, 1);
  expect_figure(Dimension::campaign, "spring-mailing", visits, 1);
  shop().at("10:01").hit("/sale");
  expect_figure(visits, 1);
  expect_figure(bounces, 1);
  expect_figure(duration_ms, 60'000);
  shop().at("10:02").order("A-1", "10.00");
  expect_figure(kChannel, "direct_mail", orders_last, kOne);
  shop().settle("12:00");
  expect_figure(Dimension::code, "SPRING24", visits, 1);
  expect_figure(Dimension::code, "SPRING24", orders_first, kOne);
}

void a_redirect_keeps_a_visit_open(void**) {
  shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:20");
  go("SPRING24");
  shop().at("10:45").order("A-1", "10.00");
  expect_figure(visits, 1);
  expect_figure(kChannel, "email", visits, 1);
  expect_figure(kChannel, "direct_mail", orders_last, kOne);
  expect_figure(kChannel, "email", orders_first, kOne);
  expect_figure(duration_ms, 45 * 60'000);
}

void a_printed_square_is_told_from_a_typed_code(void**) {
  shop().at("10:00");
  go("SPRING24", kHitCodeQr);
  shop().visitor("ben");
  go("SPRING24");
  expect_figure(Dimension::medium, "qr", visits, 1);
  expect_figure(Dimension::medium, "", visits, 1);
}

void what_is_no_code_opens_nothing(void**) {
  shop().at("10:00");
  go("NONE", 0, Method::get, 404);
  go("NONE");
  go("SPRING24", 0, Method::head);
  go("SPRING24", kHitPrefetch);
  go("SPRING24", 0, Method::get, 404);
  expect_figure(visits, 0);
  expect_figure(hits, 5);
  expect_figure(errors_4xx, 2);
}

void a_landing_is_a_codes_own(void**) {
  shop().at("10:00").hit("/s24", "utm_campaign=other&utm_source=x");
  expect_figure(kChannel, "direct_mail", visits, 1);
  expect_figure(Dimension::campaign, "spring-mailing", visits, 1);  // before utm_campaign
  expect_figure(Dimension::source, "SPRING24", visits, 1);
  shop().visitor("ben").hit("/s24/more");
  expect_figure(kChannel, "direct", visits, 1);
}

void the_page_behind_a_redirect_makes_no_further_touch(void**) {
  shop().at("10:00").from("https://forum.example/");
  go("RADIO");
  shop().at("10:00:01").from("https://forum.example/").hit("/sale");
  shop().order("A-1", "5.00");
  expect_figure(kChannel, "audio", orders_last, kOne);
  expect_figure(Dimension::source, "wave-fm", orders_last, kOne);
}

void a_coupon_tells_its_code(void**) {
  shop().at("10:00").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:10").order("A-1", "10.00", ";coupon=\"mail24\"");
  expect_figure(kChannel, "direct_mail", orders_last_non_direct, kOne);
  expect_figure(kChannel, "email", orders_first, kOne);
  expect_figure(kChannel, "email", visits, 1);
  shop().at("10:20").order("A-2", "10.00", ";coupon=\"OTHER\"");
  expect_figure(kChannel, "direct_mail", orders_last, 2 * kOne);  // the touch stays
}

void a_coupon_adds_none_where_its_code_was_there(void**) {
  shop().at("10:00");
  go("SPRING24");
  shop().at("10:05").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:10").order("A-1", "10.00", ";coupon=\"MAIL24\"");
  expect_figure(kChannel, "email", orders_last, kOne);
  expect_figure(kChannel, "direct_mail", orders_first, kOne);
}

void a_target_brings_nothing_new(void**) {
  shop().at("10:00");
  go("LEAFLET");
  shop().at("10:00:01").hit("/sale", "utm_source=print&utm_medium=leaflet&utm_campaign=x");
  shop().at("10:05").order("A-1", "10.00");
  expect_figure(kChannel, "print", visits, 1);
  expect_figure(kChannel, "print", orders_last, kOne);
  shop().at("10:06").hit("/sale", "utm_source=news&utm_medium=email").order("A-2", "10.00");
  expect_figure(kChannel, "email", orders_last, kOne);
}

void one_of_several_coupons_tells_its_code(void**) {
  shop().at("10:00").order("A-1", "10.00", ";coupon=\"TEN, mail24;OTHER\"");
  expect_figure(kChannel, "direct_mail", orders_last, kOne);
}

void an_order_of_nobody_has_its_coupon(void**) {
  shop().at("10:00").visitor("").address("").order("A-1", "10.00", ";coupon=\"MAIL24\"").order("A-2", "5.00");
  expect_figure(kChannel, "direct_mail", orders_last, kOne);
  expect_figure(kChannel, "direct", orders_last, kOne);
  expect_figure(Dimension::coverage, "known", orders_last, kOne);
  expect_figure(Dimension::coverage, "no_visitor", orders_last, kOne);
}

// --- customers -------------------------------------------------------------------------------------------------------

void a_customer_is_one_on_two_machines(void**) {
  shop().at("10:00").visitor("phone").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:10").order("A-1", "10.00", ";customer=\"c7\"");
  shop().at("2026-10-03 10:00").visitor("phone").hit("/", "utm_source=google&utm_medium=cpc");
  shop().settle("2026-10-03 12:00");
  shop().at("2026-10-04 10:00").visitor("desk").hit("/").order("A-2", "20.00", ";customer=\"c7\"");
  expect_figure(kChannel, "paid_search", orders_last_non_direct, kOne);
  expect_figure(kChannel, "email", orders_first, 2 * kOne);
  expect_figure(kChannel, "direct", orders_last, kOne);
  shop().at("2026-10-05 10:00").visitor("").address("").order("A-3", "30.00", ";customer=\"c7\"");  // on the phone
  expect_figure(kChannel, "paid_search", orders_last_non_direct, 2 * kOne);
  shop().visitor("desk2").hit("/").order("A-4", "1.00", ";customer=\"c8\"");
  expect_figure(kChannel, "direct", orders_first, kOne);
}

void touches_of_one_time_are_told_once(void**) {
  shop().at("10:00").visitor("anna").order("A-1", "10.00", ";customer=\"c7\";coupon=\"MAIL24\"");  // direct and the coupon, at once
  for (const char* id : {"A-2", "A-3", "A-4"}) shop().at("10:10").order(id, "10.00", ";customer=\"c7\"");
  expect_number(shop().stored_order("A-4")->touches.size(), 2);
}

void of_a_customer_with_very_many_machines_no_more_are_kept(void**) {
  for (int i = 0; i < 12; ++i) {
    const std::string name = "v" + std::to_string(i);
    shop().at_ms(time_of("10:00") + i * 60'000).visitor(name).hit("/", "utm_medium=email&utm_source=s" + std::to_string(i));
    shop().order("A-" + std::to_string(i), "1.00", ";customer=\"c7\"");
  }
  expect_number(shop().stored_order("A-11")->touches.size(), 9);  // of eight, and its own
  shop().forget("v0");
  shop().at("11:00").visitor("v11").order("A-12", "1.00", ";customer=\"c7\"");
  expect_number(shop().stored_order("A-12")->touches.size(), 2);  // its own alone
}

void a_forgotten_visitor_is_no_customers(void**) {
  shop().at("10:00").visitor("phone").hit("/", "utm_source=news&utm_medium=email");
  shop().at("10:10").order("A-1", "10.00", ";customer=\"c7\"");
  shop().forget("phone");
  shop().at("2026-10-02 10:00").visitor("desk").hit("/").order("A-2", "20.00", ";customer=\"c7\"");
  expect_figure(kChannel, "email", orders_first, kOne);
  expect_figure(kChannel, "direct", orders_first, kOne);
}

void what_is_known_of_first_touches(void**) {
  shop().at("10:00").visitor("anna").hit("/", "utm_source=news&utm_medium=email").order("A-1", "1.00");
  shop().visitor("ben").hit("/").order("A-2", "2.00");
  shop().visitor("").address("\x0a\x01\x02\x03").hit("/").order("A-3", "4.00");
  expect_figure(Dimension::coverage, "known", revenue_last, 1'000'000);
  expect_figure(Dimension::coverage, "direct", revenue_last, 2'000'000);
  expect_figure(Dimension::coverage, "cookieless", revenue_last, 4'000'000);
}

void all_of_it_can_be_checked(void**) {
  store_config(shop());
  shop().at("10:00").visitor("anna");
  go("SPRING24");
  shop().at("10:10").order("A-1", "10.00", ";customer=\"c7\";coupon=\"MAIL24\"");
  shop().settle("12:00");
  expect_whole(shop(), "with codes and customers");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define codes_test(name) cmocka_unit_test_setup_teardown(name, open_with_codes, close_shop)
  const CMUnitTest tests[] = {
      codes_test(a_redirect_opens_a_visit_and_is_no_page),
      codes_test(a_redirect_keeps_a_visit_open),
      codes_test(a_printed_square_is_told_from_a_typed_code),
      codes_test(what_is_no_code_opens_nothing),
      codes_test(a_landing_is_a_codes_own),
      codes_test(the_page_behind_a_redirect_makes_no_further_touch),
      codes_test(a_coupon_tells_its_code),
      codes_test(a_coupon_adds_none_where_its_code_was_there),
      codes_test(an_order_of_nobody_has_its_coupon),
      codes_test(a_customer_is_one_on_two_machines),
      codes_test(touches_of_one_time_are_told_once),
      codes_test(of_a_customer_with_very_many_machines_no_more_are_kept),
      codes_test(a_target_brings_nothing_new),
      codes_test(one_of_several_coupons_tells_its_code),
      codes_test(a_forgotten_visitor_is_no_customers),
      codes_test(what_is_known_of_first_touches),
      codes_test(all_of_it_can_be_checked),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
