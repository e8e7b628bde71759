#include "visit/touch.h"

#include <random>

#include "test.h"

using namespace footfall;

namespace {

SiteConfig shop() {
  SiteConfig site;
  site.name = "shop";
  site.hosts = {"shop.example"};
  site.payment_hosts = {"bank.example"};
  site.channels = {{"marketplace", {"market.example"}, {}, {}, {}}};
  return site;
}

const SiteConfig kShop = shop();
const TouchReader kReader(kShop);

CodeConfig spring() {
  CodeConfig code;
  code.code = "SPRING24", code.channel = "direct_mail", code.campaign = "spring-mailing";
  return code;
}
const CodeConfig kSpring = spring();

// A small language of hits; no destructor that matters.
Hit page() {
  Hit hit;
  hit.time_ms = 1000, hit.status = 200;
  return hit;
}

Hit from(std::string_view host) {
  Hit hit = page();
  hit.referrer_host = host;
  return hit;
}

Hit utm(std::string_view source, std::string_view medium = "", std::string_view campaign = "") {
  Hit hit = page();
  hit.source = source, hit.medium = medium, hit.campaign = campaign, hit.flags |= kHitHasUtm;
  return hit;
}

Hit click(Hit hit, ClickId id) { return hit.click_ids |= click_id_bit(id), hit; }

// What the tests ask of a touch, kept outside of their stacks.
Touch touch;
std::optional<Touch> further;

void expect_first(const Hit& hit, std::string_view channel, std::string_view source, const CodeArrival& by = {}) {
  touch = kReader.first_touch(hit, by);
  expect_text(touch.channel, channel);
  expect_text(touch.source, source);
}

// A further hit after one that the visit began with.
void expect_further(const Hit& first, const Hit& next, std::string_view channel, const CodeArrival& by = {}) {
  touch = kReader.first_touch(first);
  further = kReader.further_touch(next, touch, by);
  assert_true(further.has_value());
  expect_text(further->channel, channel);
}

void expect_no_further(const Hit& first, const Hit& next) {
  touch = kReader.first_touch(first);
  further = kReader.further_touch(next, touch);
  assert_false(further.has_value());
}

void nothing_known_is_direct(void**) {
  expect_first(page(), "direct", "(direct)");
  assert_true(touch.is_direct());
  expect_number(touch.time_ms, 1000);
  expect_text(touch.medium, "");
  assert_true(touch.carried_arguments == 0);
}

void source_is_the_first_that_is_there(void**) {
  Hit hit = click(utm("newspaper"), ClickId::fbclid);
  hit.referrer_host = "google.com";
  expect_first(hit, "unassigned", "newspaper");
  expect_text(touch.referrer_host, "google.com");
  hit.source = {}, hit.flags = 0;
  expect_first(hit, "organic_search", "google");
  hit.referrer_host = {};
  expect_first(hit, "organic_social", "facebook");
  expect_first(hit, "direct_mail", "SPRING24", {&kSpring, {}});
}

void a_referrer_is_named_by_the_lists_else_by_its_host(void**) {
  expect_first(from("mail.google.com"), "email", "gmail");
  expect_first(from("gemini.google.com"), "ai_assistant", "gemini");
  expect_first(from("google.co.uk"), "organic_search", "google");
  expect_first(from("blog.example"), "referral", "blog.example");
  expect_text(touch.referrer_host, "blog.example");
  expect_first(from("market.example"), "marketplace", "market.example");
}

void the_referrer_is_kept_with_its_path(void**) {
  Hit hit = from("blog.example");
  hit.referrer_path = "/shoes";
  touch = kReader.first_touch(hit);
  expect_text(touch.referrer, "blog.example/shoes");
  hit = from("paypal.com");
  hit.referrer_path = "/pay";
  touch = kReader.first_touch(hit);
  expect_text(touch.referrer, "");
}

void tagged_sources_are_shown_as_sent(void**) {
  expect_first(utm("fb", "cpc", "Spring"), "paid_social", "fb");
  expect_text(touch.medium, "cpc");
  expect_text(touch.campaign, "Spring");
}

void click_ids_name_a_source(void**) {
  const struct {
    ClickId id;
    const char *source, *channel;
  } cases[] = {{ClickId::gclid, "google", "paid_search"},       {ClickId::msclkid, "bing", "paid_search"},
               {ClickId::fbclid, "facebook", "organic_social"}, {ClickId::ttclid, "tiktok", "organic_social"},
               {ClickId::twclid, "x", "organic_social"},        {ClickId::li_fat_id, "linkedin", "organic_social"},
               {ClickId::yclid, "yandex", "paid_search"},       {ClickId::dclid, "(direct)", "direct"}};
  for (const auto& each : cases) expect_first(click(page(), each.id), each.channel, each.source);
}

void a_campaign_without_source_is_not_direct(void**) { expect_first(utm("", "", "spring"), "unassigned", "(direct)"); }

void own_and_local_referrers_are_not_external(void**) {
  for (const char* host : {"shop.example", "pay.shop.example", "localhost", "127.0.0.1", "10.1.2.3", "192.168.0.9",
                           "172.20.0.1", "169.254.1.1", "[::1]", "::1", "[fd00::1]", "dev.localhost"}) {
    expect_first(from(host), "direct", "(direct)");
    expect_text(touch.referrer_host, "");
  }
  for (const char* host : {"notshop.example", "8.8.8.8", "172.32.0.1", "10.example", "1.2.3", "[2001:db8::1]"}) {
    expect_first(from(host), "referral", host);
  }
  Hit hit = from("other-name.example");
  hit.flags |= kHitReferrerOwn;
  expect_first(hit, "direct", "(direct)");
}

void payment_and_login_are_direct_at_the_start(void**) {
  for (const char* host : {"paypal.com", "checkout.stripe.com", "accounts.google.com", "login.microsoftonline.com",
                           "klarna.com", "bank.example", "3ds.bank.example"}) {
    expect_first(from(host), "direct", "(direct)");
    expect_text(touch.referrer_host, "");
  }
}

void a_code_tells_channel_source_and_campaign(void**) {
  expect_first(utm("x", "flyer", "other"), "direct_mail", "SPRING24", {&kSpring, "qr"});
  expect_text(touch.code, "SPRING24");
  expect_text(touch.campaign, "spring-mailing");
  expect_text(touch.medium, "qr");
  static CodeConfig radio;
  radio.code = "R1", radio.channel = "audio", radio.source = "fm4";
  expect_first(utm("x", "", "autumn"), "audio", "fm4", {&radio, {}});
  expect_text(touch.campaign, "autumn");
  radio = {};
}

void a_term_of_an_engine_stands_where_none_was_sent(void**) {
  Hit hit = from("duckduckgo.com");
  hit.referrer_term = "red shoes";
  expect_first(hit, "organic_search", "duckduckgo");
  expect_text(touch.term, "red shoes");
  hit.term = "shoes";
  expect_first(hit, "organic_search", "duckduckgo");
  expect_text(touch.term, "shoes");
  hit.term = {}, hit.flags |= kHitReferrerOwn;
  expect_first(hit, "direct", "(direct)");
  expect_text(touch.term, "");
}

// --- inside a visit
// ---------------------------------------------------------------------------------------------------

void a_plain_page_makes_no_touch(void**) {
  expect_no_further(page(), page());
  expect_no_further(utm("fb", "cpc"), page());
  expect_no_further(from("google.com"), from("shop.example"));
}

void other_arguments_make_a_touch(void**) {
  expect_further(page(), utm("newsletter", "email"), "email");
  expect_further(utm("google", "cpc", "a"), utm("google", "cpc", "b"), "paid_search");
  // the referrer was google, but no argument said so
  expect_further(from("google.com"), utm("google"), "organic_search");
  expect_no_further(utm("google", "cpc", "a"), utm("google", "cpc", "a"));
  expect_further(utm("ab", "c"), utm("a", "bc"), "unassigned");
}

void another_external_referrer_makes_a_touch(void**) {
  expect_further(page(), from("google.com"), "organic_search");
  expect_further(from("google.com"), from("bing.com"), "organic_search");
  expect_no_further(from("google.com"), from("google.com"));
  expect_further(utm("newsletter", "email"), from("google.com"), "organic_search");
}

void payment_and_login_make_no_touch(void**) {
  expect_no_further(utm("fb", "cpc"), from("paypal.com"));
  expect_no_further(from("google.com"), from("accounts.google.com"));
  expect_no_further(page(), from("3ds.bank.example"));
}

void a_click_id_alone_makes_no_touch(void**) {
  expect_no_further(page(), click(page(), ClickId::gclid));
  expect_no_further(from("google.com"), click(from("google.com"), ClickId::gclid));
}

void a_code_makes_a_touch_once(void**) {
  expect_further(page(), page(), "direct_mail", {&kSpring, {}});
  touch = kReader.first_touch(page(), {&kSpring, {}});
  static CodeConfig lower;
  lower = kSpring, lower.code = "spring24";
  further = kReader.further_touch(page(), touch, {&lower, {}});
  assert_false(further.has_value());
  lower = {};
}

// --- stored form
// -------------------------------------------------------------------------------------------------------

std::string bytes;

void expect_kept(const Touch& kept) {
  bytes.clear();
  BytesWriter to(bytes);
  encode_touch(kept, to);
  BytesReader from_bytes(bytes);
  static Touch back;
  assert_true(decode_touch(from_bytes, back));
  assert_true(from_bytes.at_end());
  assert_true(back == kept);
}

void touches_are_kept_as_they_are(void**) {
  touch = Touch{};
  expect_kept(touch);
  assert_int_equal(bytes.size(), 11);
  touch = kReader.first_touch(utm("google", "cpc", "a"));
  expect_kept(touch);
  touch = kReader.first_touch(from("market.example"));
  expect_kept(touch);
  Hit hit = utm("s", "m", "c");
  hit.content_label = "l", hit.term = std::string_view("t\0t", 3), hit.referrer_host = "google.com", hit.time_ms = -5;
  hit.referrer_path = "/search";
  touch = kReader.first_touch(hit, {&kSpring, "qr"});
  expect_kept(touch);
  for (const std::string_view channel : table_channels()) {
    touch.channel = channel;
    expect_kept(touch);
  }
}

void cut_bytes_are_refused(void**) {
  touch = kReader.first_touch(utm("s", "m", "c"), {&kSpring, "qr"});
  expect_kept(touch);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    BytesReader from_bytes(std::string_view(bytes).substr(0, cut));
    assert_false(decode_touch(from_bytes, touch));
  }
}

void any_bytes_are_read_within_bounds(void**) {
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    bytes.assign(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 3 ? random() % 4 : random());
    BytesReader from_bytes(bytes);
    if (decode_touch(from_bytes, touch)) expect_kept(Touch(touch));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(nothing_known_is_direct),
      cmocka_unit_test(source_is_the_first_that_is_there),
      cmocka_unit_test(a_referrer_is_named_by_the_lists_else_by_its_host),
      cmocka_unit_test(the_referrer_is_kept_with_its_path),
      cmocka_unit_test(tagged_sources_are_shown_as_sent),
      cmocka_unit_test(click_ids_name_a_source),
      cmocka_unit_test(a_campaign_without_source_is_not_direct),
      cmocka_unit_test(own_and_local_referrers_are_not_external),
      cmocka_unit_test(payment_and_login_are_direct_at_the_start),
      cmocka_unit_test(a_code_tells_channel_source_and_campaign),
      cmocka_unit_test(a_term_of_an_engine_stands_where_none_was_sent),
      cmocka_unit_test(a_plain_page_makes_no_touch),
      cmocka_unit_test(other_arguments_make_a_touch),
      cmocka_unit_test(another_external_referrer_makes_a_touch),
      cmocka_unit_test(payment_and_login_make_no_touch),
      cmocka_unit_test(a_click_id_alone_makes_no_touch),
      cmocka_unit_test(a_code_makes_a_touch_once),
      cmocka_unit_test(touches_are_kept_as_they_are),
      cmocka_unit_test(cut_bytes_are_refused),
      cmocka_unit_test(any_bytes_are_read_within_bounds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
