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
