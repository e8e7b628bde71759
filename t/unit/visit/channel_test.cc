#include "visit/channel.h"

#include <regex.h>

#include <random>

#include "hit/hit.h"
#include "test.h"

using namespace footfall;

namespace {

// An arrival by campaign arguments alone.
Arrival tagged(std::string_view source, std::string_view medium = "", std::string_view campaign = "") {
  return {.source = source, .medium = medium, .campaign = campaign, .has_campaign = true, .has_utm = true};
}

// An arrival by a link from elsewhere, without arguments.
Arrival linked(std::string_view source, std::string_view host) { return {.source = source, .referrer_host = host}; }

Arrival with_click(Arrival arrival, ClickId id) { return arrival.click_ids |= click_id_bit(id), arrival; }

void expect_channel(const Arrival& arrival, std::string_view expected) {
  expect_text(channel_of(arrival, {}), expected);
}

// --- a row each
// -------------------------------------------------------------------------------------------------------

void row_1_direct(void**) {
  expect_channel({}, "direct");
  expect_channel({.click_ids = click_id_bit(ClickId::dclid)}, "direct");
  expect_channel({.campaign = "x", .has_campaign = true, .has_utm = true}, "unassigned");
  expect_channel({.medium = "email", .has_campaign = true, .has_utm = true}, "email");
  expect_channel(linked("partner.example", "partner.example"), "referral");
}

void row_2_a_codes_own(void**) {
  Arrival arrival = tagged("SPRING24", "cpc");
  arrival.code_channel = "direct_mail";
  expect_channel(arrival, "direct_mail");
  expect_channel({.code_channel = "print"}, "print");
}

void row_3_cross_network(void**) {
  expect_channel(tagged("google", "cpc", "my cross-network one"), "cross_network");
  expect_channel(tagged("google", "cpc", "CROSS-NETWORK"), "cross_network");
}

void row_4_paid_shopping(void**) {
  expect_channel(tagged("amazon", "cpc"), "paid_shopping");
  expect_channel(tagged("google", "cpc", "Shopping-DE"), "paid_shopping");
  expect_channel(tagged("google", "ppc", "eshop"), "paid_shopping");
  expect_channel(tagged("google", "ppc", "workshop"), "paid_search");
}

void row_5_paid_search(void**) {
  expect_channel(tagged("google", "cpc"), "paid_search");
  expect_channel(tagged("google", "cpm"), "paid_search");
  expect_channel(tagged("google_ads"), "paid_search");
  expect_channel(tagged("adwords"), "paid_search");
  expect_channel(with_click({.source = "google"}, ClickId::gclid), "paid_search");
  for (const ClickId id : {ClickId::gclid, ClickId::gbraid, ClickId::wbraid, ClickId::gad_source}) {
    expect_channel(with_click(linked("google", "google.com"), id), "paid_search");
  }
  expect_channel(with_click(linked("google images", "images.google.com"), ClickId::gclid), "paid_search");
  expect_channel(with_click(linked("bing", "bing.com"), ClickId::msclkid), "paid_search");
  expect_channel(with_click(linked("yandex", "yandex.ru"), ClickId::yclid), "paid_search");
  expect_channel(with_click(linked("bing", "bing.com"), ClickId::gclid), "organic_search");
  expect_channel(with_click(linked("google", "google.com"), ClickId::fbclid), "organic_search");
}

void row_6_paid_social(void**) {
  expect_channel(tagged("facebook", "paid_social"), "paid_social");
  expect_channel(tagged("ig", "cpc"), "paid_social");
  expect_channel(tagged("fb-ads"), "paid_social");
}

void a_facebook_click_id_alone_is_not_paid(void**) {
  expect_channel(with_click({.source = "facebook"}, ClickId::fbclid), "organic_social");
  expect_channel(with_click(linked("facebook", "l.facebook.com"), ClickId::fbclid), "organic_social");
}

void row_7_paid_video(void**) {
  expect_channel(tagged("youtube", "cpv-cpc"), "paid_video");
  expect_channel(tagged("yt", "paid"), "paid_video");
}

void row_8_display(void**) {
  for (const char* medium : {"display", "banner", "expandable", "interstitial", "cpm"}) {
    expect_channel(tagged("publisher", medium), "display");
  }
}

void row_9_paid_other(void**) {
  for (const char* medium : {"cpc", "ppc", "retargeting", "paid", "paid-listing", "pmax", "xcpx"}) {
    expect_channel(tagged("publisher", medium), "paid_other");
  }
  expect_channel(tagged("native_ads"), "paid_other");
  expect_channel(tagged("publisher", "xppc"), "unassigned");
  expect_channel(tagged("chatgpt", "cpc"), "paid_other");
}

void row_10_organic_shopping(void**) {
  expect_channel(linked("idealo", "idealo.de"), "organic_shopping");
  expect_channel(tagged("partner", "", "top-shop"), "organic_shopping");
}

void row_11_organic_social(void**) {
  expect_channel(linked("instagram", "l.instagram.com"), "organic_social");
  expect_channel(tagged("threads"), "organic_social");
  for (const char* medium : {"social", "social-network", "social-media", "sm", "social network", "social media"}) {
    expect_channel(tagged("somewhere", medium), "organic_social");
  }
}

void row_12_organic_video(void**) {
  expect_channel(linked("youtube", "youtube.com"), "organic_video");
  expect_channel(tagged("somewhere", "a video ad"), "organic_video");
}

void row_13_ai_assistant(void**) {
  expect_channel(linked("chatgpt", "chatgpt.com"), "ai_assistant");
  expect_channel(tagged("chatgpt.com"), "ai_assistant");
  expect_channel(linked("gemini", "gemini.google.com"), "ai_assistant");
  expect_channel(tagged("somewhere", "ai-assistant"), "ai_assistant");
}

void row_14_organic_search(void**) {
  expect_channel(linked("google", "google.com"), "organic_search");
  expect_channel(tagged("somewhere", "organic"), "organic_search");
  expect_channel(tagged("google.co.uk"), "organic_search");
}

void row_15_email(void**) {
  expect_channel(linked("gmail", "mail.google.com"), "email");
  for (const char* word : {"email", "e-mail", "e_mail", "e mail", "newsletter"}) {
    expect_channel(tagged("somewhere", word), "email");
    expect_channel(tagged(word, ""), "email");
  }
}

void rows_16_to_19_by_medium(void**) {
  expect_channel(tagged("awin", "affiliate"), "affiliate");
  expect_channel(tagged("awin", "affiliates"), "affiliate");
  expect_channel(tagged("podcast", "audio"), "audio");
  expect_channel(tagged("somewhere", "sms"), "sms");
  expect_channel(tagged("sms"), "sms");
  expect_channel(tagged("app", "web-push"), "push");
  expect_channel(tagged("app", "mobile-app"), "push");
  expect_channel(tagged("app", "notifications"), "push");
  expect_channel(tagged("app", "pushed"), "unassigned");
}

void row_20_referral(void**) {
  for (const char* medium : {"referral", "app", "link"}) expect_channel(tagged("somewhere", medium), "referral");
  expect_channel(linked("blog.example", "blog.example"), "referral");
  expect_channel(linked("docs.google.com", "docs.google.com"), "referral");
  // `ref` is a campaign argument but none of utm_*
  expect_channel({.source = "partner", .referrer_host = "blog.example", .has_campaign = true}, "referral");
  expect_channel({.source = "partner", .has_campaign = true}, "unassigned");
}

void row_21_unassigned(void**) {
  expect_channel(tagged("somewhere", "leaflet", "x"), "unassigned");
  Arrival arrival = tagged("somewhere");
  arrival.referrer_host = "google.com";
  expect_channel(arrival, "unassigned");
  expect_channel(tagged("paypal"), "unassigned");
}

void case_of_campaign_and_source_does_not_matter(void**) {
  expect_channel(tagged("Google", "CPC"), "paid_search");
  expect_channel(tagged("partner", "", "SHOPPING"), "organic_shopping");
}

// --- the site's own rules --------------------------------------------------------------------------------------------

void own_rules_go_first(void**) {
  static std::vector<ChannelRule> rules;
  rules = {{"marketplace", {"market.example"}, {}, {}, {}},
           {"influencer", {}, {"instagram"}, {"creator"}, {}},
           {"season", {}, {}, {}, {"xmas*"}},
           {"nothing asked", {}, {}, {}, {}}};
  expect_text(channel_of(linked("market.example", "market.example"), rules), "marketplace");
  expect_text(channel_of(linked("m.market.example", "m.market.example"), rules), "marketplace");
  expect_text(channel_of(linked("supermarket.example", "supermarket.example"), rules), "referral");
  expect_text(channel_of(tagged("instagram", "creator"), rules), "influencer");
  expect_text(channel_of(tagged("instagram", "cpc"), rules), "paid_social");
  expect_text(channel_of(tagged("google", "cpc", "XMAS-24"), rules), "season");
  expect_text(channel_of({}, rules), "direct");
  Arrival by_code = tagged("instagram", "creator");
  by_code.code_channel = "print";
  expect_text(channel_of(by_code, rules), "influencer");
  rules.clear();
}

void the_table_names_each_channel_once(void**) {
  const auto channels = table_channels();
  assert_int_equal(channels.size(), 20);
  expect_text(channels.front(), "direct");
  expect_text(channels.back(), "unassigned");
  for (size_t i = 0; i < channels.size(); ++i) {
    for (size_t j = 0; j < i; ++j) assert_true(channels[i] != channels[j]);
  }
}

// --- the predicates against the expressions that the table is written in
// ----------------------------------------------

std::string random_text(std::mt19937& random) {
  static constexpr std::string_view kPieces[] = {
      "c", "p", "cp", "cpc", "ppc",      "paid", "retargeting", "pmax", "-", "shop", "sho", "pin",
      "e", "a", "z",  "1",   "shopping", "work", "ping",        " ",    "_", "d",    "f",   "S"};
  std::string text;
  for (unsigned pieces = random() % 5; pieces > 0; --pieces) text += kPieces[random() % std::size(kPieces)];
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// POSIX's, as GCC 12 warns of std::regex under the sanitizers. Frees itself, and lives in statics.
struct Expression {
  explicit Expression(const char* text) { assert_int_equal(regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB), 0); }
  ~Expression() { regfree(&compiled); }
  bool matches(const std::string& text) const { return regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0; }
  regex_t compiled;
};

void paid_media_are_those_of_the_expression(void**) {
  static const Expression paid("^(.*cp.*|ppc|retargeting|paid.*|pmax)$");
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    static std::string medium;
    medium = random_text(random);
    expect_channel(tagged("etsy", medium), paid.matches(medium) ? "paid_shopping" : "organic_shopping");
  }
}

void shop_campaigns_are_those_of_the_expression(void**) {
  static const Expression shop("^(.*(([^a-df-z]|^)shop|shopping).*)$");
  std::mt19937 random(2);
  for (int i = 0; i < 5000; ++i) {
    static std::string campaign;
    campaign = random_text(random);
    expect_channel(tagged("publisher", "ppc", campaign), shop.matches(campaign) ? "paid_shopping" : "paid_other");
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(row_1_direct),
      cmocka_unit_test(row_2_a_codes_own),
      cmocka_unit_test(row_3_cross_network),
      cmocka_unit_test(row_4_paid_shopping),
      cmocka_unit_test(row_5_paid_search),
      cmocka_unit_test(row_6_paid_social),
      cmocka_unit_test(a_facebook_click_id_alone_is_not_paid),
      cmocka_unit_test(row_7_paid_video),
      cmocka_unit_test(row_8_display),
      cmocka_unit_test(row_9_paid_other),
      cmocka_unit_test(row_10_organic_shopping),
      cmocka_unit_test(row_11_organic_social),
      cmocka_unit_test(row_12_organic_video),
      cmocka_unit_test(row_13_ai_assistant),
      cmocka_unit_test(row_14_organic_search),
      cmocka_unit_test(row_15_email),
      cmocka_unit_test(rows_16_to_19_by_medium),
      cmocka_unit_test(row_20_referral),
      cmocka_unit_test(row_21_unassigned),
      cmocka_unit_test(case_of_campaign_and_source_does_not_matter),
      cmocka_unit_test(own_rules_go_first),
      cmocka_unit_test(the_table_names_each_channel_once),
      cmocka_unit_test(paid_media_are_those_of_the_expression),
      cmocka_unit_test(shop_campaigns_are_those_of_the_expression),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
