#include "hit/lists.h"

#include "test.h"
#include "hit/list_texts.h"

using namespace footfall;

namespace {

std::string_view kind_name(SourceKind kind) {
  constexpr std::string_view kNames[] = {"none", "payment", "ai", "video", "shopping", "email", "social", "search"};
  return kNames[static_cast<size_t>(kind)];
}

void expect_known(const KnownSource* known, std::string_view name, std::string_view kind) {
  if (known == nullptr) print_error("%.*s is not known\n", static_cast<int>(name.size()), name.data());
  assert_non_null(known);
  expect_text(known->name, name);
  expect_text(kind_name(known->kind), kind);
}

void expect_host(std::string_view host, std::string_view name, std::string_view kind) {
  expect_known(find_host(host), name, kind);
}

void expect_source(std::string_view source, std::string_view name, std::string_view kind) {
  expect_known(find_source(source), name, kind);
}

void knows_hosts_of_every_list(void**) {
  expect_host("bing.com", "bing", "search");
  expect_host("duckduckgo.com", "duckduckgo", "search");
  expect_host("facebook.com", "facebook", "social");
  expect_host("t.co", "twitter", "social");
  expect_host("chatgpt.com", "chatgpt", "ai");
  expect_host("perplexity.ai", "perplexity", "ai");
  expect_host("vimeo.com", "vimeo", "video");
  expect_host("etsy.com", "etsy", "shopping");
  expect_host("outlook.live.com", "outlook", "email");
  expect_host("paypal.com", "paypal", "payment");
  expect_host("com.google.android.gm", "gmail", "email");
  expect_host("com.google.android.googlequicksearchbox", "google", "search");
}

void a_host_stands_for_those_below_it(void**) {
  expect_host("l.instagram.com", "instagram", "social");
  expect_host("old.reddit.com", "reddit", "social");
  expect_host("hooks.stripe.com", "stripe", "payment");
  assert_null(find_host("notfacebook.com"));
  assert_null(find_host("facebook.com.evil.example"));
  assert_null(find_host("example.com"));
}

void the_most_specific_host_wins(void**) {
  expect_host("google.com", "google", "search");
  expect_host("mail.google.com", "gmail", "email");
  expect_host("gemini.google.com", "gemini", "ai");
  expect_host("accounts.google.com", "google login", "payment");
  expect_host("shopping.google.com", "google shopping", "shopping");
  expect_host("pay.amazon.com", "amazon pay", "payment");
  expect_host("amazon.com", "amazon", "shopping");
  expect_host("login.live.com", "microsoft login", "payment");
  expect_host("pay.weixin.qq.com", "wechat pay", "payment");
}

// What marketers look for in their reports.
void sources_that_marketers_know(void**) {
  static constexpr struct {
    std::string_view kind, name, hosts;
  } kCases[] = {
      {"search", "google", "google.de google.at google.ch google.com.tr google.co.jp encrypted.google.com"},
      {"search", "google", "com.google.android.googlequicksearchbox"},
      {"search", "bing", "bing.com cn.bing.com com.microsoft.bing"},
      {"search", "yandex", "yandex.ru ya.ru yandex.com.tr yandex.kz"},
      {"search", "baidu", "baidu.com m.baidu.com"},
      {"search", "duckduckgo", "duckduckgo.com html.duckduckgo.com"},
      {"search", "ecosia", "ecosia.org"},
      {"search", "qwant", "qwant.com lite.qwant.com"},
      {"search", "startpage", "startpage.com eu.startpage.com"},
      {"search", "brave", "search.brave.com"},
      {"search", "naver", "naver.com search.naver.com m.search.naver.com"},
      {"search", "seznam", "seznam.cz search.seznam.cz"},
      {"social", "facebook", "facebook.com m.facebook.com l.facebook.com lm.facebook.com fb.me com.facebook.katana"},
      {"social", "instagram", "instagram.com l.instagram.com com.instagram.android"},
      {"social", "threads", "threads.net threads.com l.threads.net"},
      {"social", "whatsapp", "whatsapp.com web.whatsapp.com wa.me com.whatsapp"},
      {"social", "telegram", "t.me web.telegram.org org.telegram.messenger"},
      {"social", "reddit", "reddit.com old.reddit.com out.reddit.com redd.it com.reddit.frontpage"},
      {"social", "bluesky", "bsky.app go.bsky.app xyz.blueskyweb.app"},
      {"social", "mastodon", "mastodon.social chaos.social org.joinmastodon.android"},
      {"social", "twitter", "t.co x.com twitter.com com.twitter.android"},
      {"social", "linkedin", "linkedin.com lnkd.in com.linkedin.android"},
      {"social", "pinterest", "pinterest.com pinterest.de pinterest.co.uk pin.it com.pinterest"},
      {"video", "youtube", "youtube.com m.youtube.com youtu.be com.google.android.youtube"},
      {"email", "gmail", "mail.google.com com.google.android.gm"},
      {"email", "outlook", "outlook.live.com outlook.office.com outlook.office365.com outlook.com"},
      {"email", "yahoo mail", "mail.yahoo.com"},
      {"email", "web.de mail", "web.de navigator.web.de bap.navigator.web.de deref-web.de"},
      {"email", "gmx", "gmx.net gmx.de gmx.at navigator.gmx.net bap.navigator.gmx.net 3c.gmx.net deref-gmx.net"},
      {"email", "mail.ru mail", "mail.ru e.mail.ru"},
      {"email", "proton mail", "proton.me mail.proton.me"},
      {"email", "icloud mail", "icloud.com www3.icloud.com"},
      {"ai", "chatgpt", "chatgpt.com chat.openai.com com.openai.chatgpt"},
      {"ai", "perplexity", "perplexity.ai"},
      {"ai", "copilot", "copilot.microsoft.com copilot.com"},
      {"ai", "gemini", "gemini.google.com bard.google.com"},
      {"ai", "claude", "claude.ai"},
      {"ai", "you", "you.com"},
      {"shopping", "amazon", "amazon.de amazon.com amazon.co.uk amazon.com.au amzn.to amzn.eu"},
      {"shopping", "ebay", "ebay.de ebay.com ebay.co.uk com.ebay.mobile"},
      {"shopping", "idealo", "idealo.de idealo.at"},
      {"shopping", "etsy", "etsy.com"},
      {"shopping", "google shopping", "shopping.google.com shopping.google.de"},
      {"shopping", "geizhals", "geizhals.de geizhals.at geizhals.eu"},
      {"shopping", "billiger", "billiger.de"},
      {"shopping", "guenstiger", "guenstiger.de"},
      {"shopping", "kelkoo", "kelkoo.de kelkoo.co.uk"},
      {"shopping", "pricerunner", "pricerunner.com pricerunner.se"},
      {"payment", "paypal", "paypal.com paypal.de sandbox.paypal.com"},
      {"payment", "klarna", "klarna.com pay.klarna.com"},
      {"payment", "stripe", "checkout.stripe.com hooks.stripe.com"},
      {"payment", "adyen", "checkoutshopper-live.adyen.com"},
      {"payment", "mollie", "mollie.com"},
      {"payment", "sofort", "sofort.com"},
      {"payment", "giropay", "giropay.de"},
      {"payment", "google login", "accounts.google.com accounts.google.de"},
      {"payment", "microsoft login", "login.microsoftonline.com login.live.com"},
      {"payment", "apple login", "appleid.apple.com account.apple.com"},
      {"payment", "cardinal commerce", "centinelapi.cardinalcommerce.com"},
  };
  for (const auto& each : kCases) {
    for (std::string_view hosts = each.hosts; !hosts.empty();) {
      const std::string_view host = hosts.substr(0, hosts.find(' '));
      hosts.remove_prefix(std::min(host.size() + 1, hosts.size()));
      expect_host(host, each.name, each.kind);
    }
  }
}

// Below a search engine, and no search.
void what_lies_below_an_engine_may_be_a_site_like_others(void**) {
  for (const char* host : {"docs.google.com", "sites.google.com", "play.google.com", "ads.google.com"})
    expect_host(host, host, "none");
}

void youtube_is_video_though_social_lists_have_it(void**) {
  expect_host("youtube.com", "youtube", "video");
  expect_host("m.youtube.com", "youtube", "video");
  expect_host("youtu.be", "youtube", "video");
  expect_source("youtube", "youtube", "video");
}

void a_star_is_any_country(void**) {
  for (const char* host :
       {"google.de", "google.co.uk", "google.com.au", "google.cat", "google.com", "www2.google.de"}) {
    expect_host(host, "google", "search");
  }
  expect_host("amazon.co.jp", "amazon", "shopping");
  expect_host("images.google.fr", "google images", "search");
  expect_host("accounts.google.de", "google login", "payment");
  for (const char* host : {"google.evil.com", "google.example", "google.net.evil", "google.c", "google", "oogle.de",
                           "google.evil.de", "google..de", ".de", "."}) {
    assert_null(find_host(host));
  }
}

void knows_names_and_aliases(void**) {
  expect_source("google", "google", "search");
  expect_source("fb", "facebook", "social");
  expect_source("ig", "instagram", "social");
  expect_source("yt", "youtube", "video");
  expect_source("x", "twitter", "social");
  expect_source("ddg", "duckduckgo", "search");
  expect_source("openai", "chatgpt", "ai");
  expect_source("www.google.com", "google", "search");
  expect_source("m.facebook.com", "facebook", "social");
  expect_source("chatgpt.com", "chatgpt", "ai");
  assert_null(find_source("newsletter"));
  assert_null(find_source(""));
  assert_null(find_source("ads"));
}

void an_advertising_name_is_that_of_its_source(void**) {
  expect_source("fb-ads", "facebook", "social");
  expect_source("google_ads", "google", "search");
  expect_source("adwords", "google", "search");
  expect_source("bingads", "bing", "search");
  for (const char* source : {"adwords", "fb-ads", "google_ads", "googleads", "bing ads", "native-ads", "gads"}) {
    assert_true(is_advertising_source(source));
  }
  for (const char* source : {"threads", "downloads", "leads", "google", "fb", "", "ad", "adwordsx"}) {
    assert_false(is_advertising_source(source));
  }
}

void threads_is_a_social_network(void**) {
  expect_source("threads", "threads", "social");
  expect_host("l.threads.net", "threads", "social");
}

void an_engine_tells_its_term_arguments(void**) {
  expect_text(find_host("google.com")->term_arguments, "q");
  expect_text(find_host("yandex.ru")->term_arguments, "text");
  expect_text(find_host("facebook.com")->term_arguments, "");
}

void spam_is_a_listed_host_or_one_below(void**) {
  for (const char* host : {"semalt.com", "forum.semalt.com", "a.b.semalt.com", "darodar.com", "qiwi.xyz"})
    assert_true(is_referrer_spam(host));
  for (const char* host : {"notsemalt.com", "semalt.com.example", "com", "", ".", "..", "semalt", "google.com", "[::1]",
                           "192.0.2.1", "semalt.com."})
    assert_false(is_referrer_spam(host));
  assert_true(is_referrer_spam("iminent.com"));
  assert_false(is_referrer_spam("search.iminent.com"));
  assert_true(spam_hosts() > 2000);
}

// Some toolbars' searches are in Matomo's lists of both: their users are people.
void no_known_source_is_spam(void**) {
  for (std::string_view text : {list_texts::payment, list_texts::ai, list_texts::video, list_texts::shopping,
                                list_texts::email, list_texts::social, list_texts::search}) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      const std::string_view host = line.substr(0, line.find('\t'));
      if (is_referrer_spam(host)) print_error("%.*s\n", static_cast<int>(host.size()), host.data());
      assert_false(is_referrer_spam(host));
    }
  }
}

void every_alias_and_extra_line_is_in_form(void**) {
  for (std::string_view text : {list_texts::aliases, list_texts::extra}) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(line.size() + 1);
      if (line.starts_with("#")) continue;
      const std::string_view name = line.substr(line.rfind('\t') + 1);
      assert_non_null(find_source(name));
      expect_text(find_source(name)->name, name);
    }
  }
  assert_true(known_hosts() > 900);
  assert_true(known_names() > 400);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(knows_hosts_of_every_list),
      cmocka_unit_test(a_host_stands_for_those_below_it),
      cmocka_unit_test(the_most_specific_host_wins),
      cmocka_unit_test(sources_that_marketers_know),
      cmocka_unit_test(what_lies_below_an_engine_may_be_a_site_like_others),
      cmocka_unit_test(youtube_is_video_though_social_lists_have_it),
      cmocka_unit_test(a_star_is_any_country),
      cmocka_unit_test(knows_names_and_aliases),
      cmocka_unit_test(an_advertising_name_is_that_of_its_source),
      cmocka_unit_test(threads_is_a_social_network),
      cmocka_unit_test(an_engine_tells_its_term_arguments),
      cmocka_unit_test(spam_is_a_listed_host_or_one_below),
      cmocka_unit_test(no_known_source_is_spam),
      cmocka_unit_test(every_alias_and_extra_line_is_in_form),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
