// From what a request brought to a hit: every field, the visitor's keys, hostile bytes, and no allocation once warm.
#include "hit/builder.h"

#include <cstdlib>
#include <new>
#include <optional>

#include "base/bytes.h"
#include "base/limits.h"
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

HitBuilder builder;  // statics: a failed assertion leaves by longjmp
RawHit raw;
HitContext context;
VisitorKeys keys;
std::string text;

int begin(void**) {
  raw = RawHit();
  raw.uri = "/";
  context = HitContext();
  keys = VisitorKeys();
  keys.id = {1};
  keys.customer = {2};
  keys.anonymous = {3};
  keys.previous = {4};
  keys.has_anonymous = true;
  return 0;
}

const Hit& build() { return builder.build(raw, context, keys); }

void every_field_is_mapped(void**) {
  raw.time_ms = 1'790'000'000'123;
  raw.request_time_ms = 45;
  raw.bytes_sent = 5'000'000'000;
  raw.status = 206;
  raw.method = Method::post;
  raw.content = ContentKind::html;
  raw.prefetch = raw.own_bot = true;
  raw.uri = "/shop//item?variant=red&q=blue+shoes&utm_source=Mail&gclid=1";
  raw.referrer = "https://www.blog.example/post?x";
  raw.agent = "Mozilla/5.0";
  raw.host = "shop.example";
  raw.country = "de";
  raw.events_header = "sign_up";
  RawEvent event;
  event.name = "view_item";
  raw.events = {event};
  context.kept_path_arguments = {"variant"};
  context.search_argument = "q";

  const Hit& hit = build();
  expect_number(hit.time_ms, 1'790'000'000'123);
  expect_number(hit.request_time_ms, 45);
  expect_number(static_cast<int64_t>(hit.bytes_sent), 5'000'000'000);
  expect_number(hit.status, 206);
  assert_true(hit.method == Method::post && hit.content == ContentKind::html);
  expect_number(hit.flags, kHitPrefetch | kHitOwnBot | kHitHasUtm);
  expect_number(hit.click_ids, click_id_bit(ClickId::gclid));
  expect_text(hit.path, "/shop/item?variant=red");
  expect_text(hit.search_term, "blue shoes");
  expect_text(hit.source, "mail");
  expect_text(hit.referrer_host, "blog.example");
  expect_text(hit.referrer_path, "/post");
  expect_text(hit.agent, "Mozilla/5.0");
  expect_text(hit.country, "DE");
  expect_number(hit.events.size(), 2);
  expect_text(hit.events[0].name, "sign_up");  // the header's first
  expect_text(hit.events[1].name, "view_item");
}

void nothing_of_the_last_hit_is_left(void**) {
  every_field_is_mapped(nullptr);
  begin(nullptr);
  const Hit& hit = build();
  expect_text(hit.path, "/");
  expect_number(hit.flags, 0);
  expect_number(hit.click_ids, 0);
  expect_number(hit.events.size(), 0);
  assert_false(hit.has_campaign());
  for (const std::string_view field : {hit.agent, hit.referrer_host, hit.referrer_path, hit.country, hit.search_term}) {
    expect_text(field, "");
  }
  assert_true(hit.id_key.is_zero() && hit.anonymous_key.is_zero() && hit.previous_anonymous_key.is_zero());
}

// What core/hit/README.md says of an anonymous visitor's key, with an IPv6 address.
Hash128 anonymous_key(const Key128& key, std::string_view address, std::string_view agent) {
  return HashBeginning(key, agent).with_end(load_le64(address.data()), load_le64(address.data() + 8));
}

void a_visitor_is_known_by_keys_alone(void**) {
  raw.visitor_id = "user-1";
  raw.address = std::string_view("\x7F\0\0\x01", 4);
  raw.agent = "Firefox";
  const Hit& hit = build();
  const std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\x7F\0\0\x01", 16);
  assert_true(hit.id_key == keyed_hash(keys.id, "user-1"));
  assert_true(hit.anonymous_key == anonymous_key(keys.anonymous, mapped, "Firefox"));  // an id carries it too
  assert_true(hit.previous_anonymous_key.is_zero());

  raw.address = mapped;  // nginx listening on IPv6 sees the same visitor
  assert_true(build().anonymous_key == anonymous_key(keys.anonymous, mapped, "Firefox"));

  keys.has_previous = true;
  assert_true(build().previous_anonymous_key == anonymous_key(keys.previous, mapped, "Firefox"));

  keys.has_anonymous = keys.has_previous = false;  // no salt could be read
  assert_true(build().anonymous_key.is_zero());
  assert_true(build().previous_anonymous_key.is_zero());
  assert_false(build().id_key.is_zero());
}

void without_address_or_id_there_is_no_visitor(void**) {
  keys.has_previous = true;
  for (const std::string_view address : {std::string_view(""), std::string_view("abc"), std::string_view("12345")}) {
    raw.address = address;
    assert_true(build().id_key.is_zero());
    assert_true(build().anonymous_key.is_zero());
    assert_true(build().previous_anonymous_key.is_zero());
  }
}

void an_agent_is_cut_before_it_is_hashed(void**) {
  raw.address = "1234";
  text = std::string(8192, 'x');
  raw.agent = text;
  const Hash128 long_key = build().anonymous_key;
  expect_number(static_cast<int64_t>(build().agent.size()), kAgentBytesMax);
  assert_true((build().flags & kHitFieldCut) != 0);
  raw.agent = std::string_view(text).substr(0, kAgentBytesMax);
  assert_true(build().anonymous_key == long_key);
  expect_number(build().flags, 0);

  raw.visitor_id = text;
  assert_true(build().id_key == keyed_hash(keys.id, std::string_view(text).substr(0, kVisitorIdBytesMax)));
  assert_true((build().flags & kHitFieldCut) != 0);
}

void a_cut_target_says_what_was_cut(void**) {
  text = "/" + std::string(kRawUriBytesMax + 100, 'x');
  raw.uri = text;
  expect_number(static_cast<int64_t>(build().path.size()), kPathBytesMax);
  expect_number(build().flags, kHitPathCut);

  text = "/p?utm_campaign=spring&x=" + std::string(64 * 1024, 'x');
  raw.uri = text;
  expect_text(build().path, "/p");
  expect_text(build().campaign, "spring");
  expect_number(build().flags, kHitFieldCut | kHitHasUtm);

  raw.uri = "/p?utm_campaign=spring%C";  // the stage cut it inside an escape
  raw.uri_cut = true;
  expect_text(build().campaign, "spring");
  raw.uri = "/p%C3";
  expect_text(build().path, "/p%C3");
  expect_number(build().flags, kHitPathCut);
  raw.uri = "/p%";
  expect_text(build().path, "/p");
}

void the_flusher_and_a_log_give_the_same_hit(void**) {
  static std::string cut, whole;
  whole = "/p?a=" + std::string(kRawUriBytesMax, '%') + "&utm_source=x";
  cut = whole.substr(0, kRawUriBytesMax);
  raw.uri = whole;
  const uint32_t flags = build().flags;
  expect_text(build().source, "");
  raw.uri = cut;
  raw.uri_cut = true;
  expect_number(build().flags, flags);
  expect_text(build().source, "");
}

void a_garbage_request_has_a_path(void**) {
  for (const std::string_view uri : {"", "*", "\x16\x03\x01", "shop.example:443"}) {
    raw.uri = uri;
    expect_text(build().path, "/");
  }
}

void a_page_has_the_name_that_the_shop_gives_it(void**) {
  raw.uri = "/index.php?page=7&variant=red&utm_source=mail";
  raw.path = "/shop//cup";
  context.kept_path_arguments = {"variant"};
  expect_text(build().path, "/shop/cup?variant=red");  // arguments are the request's
  expect_text(build().source, "mail");
  expect_number(build().flags, kHitHasUtm);
  raw.path = "/caf\xC3\xA9?x=1#top";
  expect_text(build().path, "/caf%C3%A9?variant=red");
  raw.path = "https://shop.example/cup";
  expect_text(build().path, "/cup?variant=red");
  for (const std::string_view no_path : {"", "-", "cup", "?x=1", " /cup"}) {
    raw.path = no_path;
    expect_text(build().path, "/index.php?variant=red");
  }
  expect_number(build().flags, kHitHasUtm);
}

void a_given_name_is_bounded_and_does_not_mend_garbage(void**) {
  text = "/" + std::string(kRawPathBytesMax, 'x');
  raw.path = text;
  expect_number(static_cast<int64_t>(build().path.size()), kPathBytesMax);
  expect_number(build().flags, kHitPathCut);
  text = "/";
  while (text.size() < kRawPathBytesMax - 1) text += "%41";
  text += "%41";
  raw.path = std::string_view(text).substr(0, kRawPathBytesMax + 1);  // as the stage cuts it
  const std::string_view cut = build().path;
  assert_true(cut.starts_with("/AAA") && cut.find('%') == std::string_view::npos);
  expect_number(build().flags, kHitPathCut);
  raw.path = "/cup";
  raw.uri = "";
  expect_text(build().path, "/");
}

void a_country_has_two_letters(void**) {
  const std::pair<std::string_view, std::string_view> kCountries[] = {
      {"DE", "DE"}, {"de", "DE"}, {" fR ", "FR"},   {"", ""},  {"-", ""},           {"--", ""},
      {"DEU", ""},  {"D1", ""},   {"\xC3\x96", ""}, {"D", ""}, {"Deutschland", ""}, {"D\0", ""}};
  for (const auto& [told, country] : kCountries) {
    raw.country = told;
    expect_text(build().country, country);
    expect_number(build().flags, 0);
  }
}

void the_shops_own_search_is_its_argument(void**) {
  context.search_argument = "q";
  const std::pair<std::string_view, std::string_view> kTargets[] = {{"/s?q=Blue+Shoes", "Blue Shoes"},
                                                                    {"/s?q=&q=x", "x"},
                                                                    {"/s?Q=x", ""},
                                                                    {"/s?%71=x", "x"},
                                                                    {"/s?q=%20", ""},
                                                                    {"/s", ""},
                                                                    {"/s#?q=x", ""}};
  for (const auto& [uri, term] : kTargets) {
    raw.uri = uri;
    expect_text(build().search_term, term);
  }
  text = "/s?q=" + std::string(kCampaignFieldBytesMax + 1, 'x');
  raw.uri = text;
  expect_number(static_cast<int64_t>(build().search_term.size()), kCampaignFieldBytesMax);
  expect_number(build().flags, kHitFieldCut);
  context.search_argument = "";
  expect_text(build().search_term, "");
}

// What path and prefix give: code_test. Here: when the hit takes it, and what stays as it was.
void a_code_is_taken_of_what_its_prefix_answers(void**) {
  context.codes_prefix = "/go/";
  raw.uri = "/go/SPRING24?qr&utm_source=leaflet";
  for (const auto& [status, code] : {std::pair<uint16_t, std::string_view>{302, "SPRING24"}, {404, "SPRING24"}, {200, ""}, {301, ""}, {405, ""}, {503, ""}}) {
    raw.status = status;
    const Hit& hit = build();
    expect_text(hit.code, code);
    assert_true((hit.flags & kHitCodeQr) == (code.empty() ? 0u : kHitCodeQr));
    expect_text(hit.path, "/go/SPRING24");
    expect_text(hit.source, "leaflet");
  }
  raw.status = 302;
  raw.path = "/home";  // a page's own name says nothing of codes
  expect_text(build().code, "SPRING24");
  expect_text(build().path, "/home");
  raw.uri = "/go/spring24?squr=1";
  expect_text(build().code, "spring24");
  expect_number(build().flags, 0);
  raw.uri = "/go/a%01b";
  expect_text(build().code, "a\xEF\xBF\xBD" "b");
  expect_number(build().flags, kHitFieldCut);
  raw.uri = "/sale?qr";
  expect_text(build().code, "");
  expect_number(build().flags, 0);
  raw.uri = "/go/SPRING24";
  context.codes_prefix = "";
  expect_text(build().code, "");
}

void a_cached_answer_does_not_tell_its_header_again(void**) {
  RawEvent event;
  event.name = "view_item";
  raw.events = {event};
  raw.events_header = "purchase;id=1;value=1";
  raw.from_cache = true;
  expect_number(build().events.size(), 1);
  expect_text(build().events[0].name, "view_item");
  raw.events_header = "((";
  expect_number(build().flags, 0);
}

void a_malformed_header_leaves_the_page_and_its_directives(void**) {
  RawEvent event;
  event.name = "view_item";
  raw.events = {event};
  raw.events_header = "purchase;id=\"1\";value=1, oops oops";
  expect_number(build().events.size(), 1);
  expect_text(build().events[0].name, "view_item");
  expect_number(build().flags, kHitEventsMalformed);
  raw.events_header = "";
  raw.events_cut = true;
  expect_number(build().flags, kHitEventsMalformed);
}

void hostile_bytes_reach_no_text(void**) {
  uint64_t state = 3;
  const auto random_bytes = [&state](size_t bytes, std::string& to) {
    to.clear();
    while (to.size() < bytes) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      to.push_back(static_cast<char>(state >> 56));
    }
  };
  static std::string uri, agent, referrer, country, value, address;
  context.search_argument = "q";
  context.kept_path_arguments = {"k"};
  context.codes_prefix = "/go/";
  raw.status = 404;
  for (int round = 0; round < 500; ++round) {
    random_bytes(30, text);
    uri = "/go/" + text + "?utm_source=" + text + "&q=" + text + "&k=" + text;
    random_bytes(700, agent);
    random_bytes(40, referrer);
    referrer = "https://blog.example/" + referrer;
    random_bytes(40, country);
    random_bytes(20, value);
    random_bytes(16, address);
    raw.uri = uri;
    raw.agent = agent;
    raw.referrer = referrer;
    raw.host = raw.country = country;
    raw.visitor_id = agent;
    raw.address = address;
    raw.events_header = value;
    RawEvent event;
    event.name = "a";
    event.item = event.coupon = event.items = event.customer = event.value = event.currency = value;
    RawEvent order = event;
    order.is_order = true;
    order.id = "A";
    raw.events = {event, order};
    const Hit& hit = build();
    expect_number(hit.events.size(), 2);
    for (const std::string_view field :
         {hit.path, hit.agent, hit.referrer_host, hit.referrer_path, hit.source, hit.country, hit.search_term, hit.code,
          hit.events[0].item, hit.events[0].coupon, hit.events[1].id}) {
      assert_true(is_clean(field));
    }
    for (const char c : hit.path) assert_true(c > 0x20 && c < 0x7F);
  }
}

void a_warm_builder_allocates_nothing(void**) {
  RawEvent order;
  order.is_order = true;
  order.id = "A%20\x01";
  order.value = "5";
  order.items = "a%20b:1:2 c:1:2 d:1:2";
  raw.uri = "/go/%C3%A9?utm_source=MAIL%20%00&k=%41+b&q=x+y&ref=%20&qr";
  raw.status = 404;
  context.codes_prefix = "/go/";
  raw.address = "1234";
  raw.visitor_id = "v";
  raw.agent = "agent\xFF";
  raw.referrer = "https://WWW.Blog.Example/%c3";
  raw.host = "SHOP.example";
  context.search_argument = "q";
  context.kept_path_arguments = {"k"};
  static RawHit plain;
  plain = raw;
  raw.events_header = R"(purchase;id="\"1\"";value=1;items="a:1:1 b:1:1", sign_up, oops)";
  raw.events = {order, order};
  const auto build_all = [] {
    builder.build(raw, context, keys);
    builder.build(plain, context, keys);
  };
  build_all();
  build_all();
  const size_t before = allocations;
  for (int round = 0; round < 100; ++round) build_all();
  expect_number(static_cast<int64_t>(allocations - before), 0);
  expect_number(build().events.size(), 5);
}

// A builder that has read many hits, under keys that change now and then, gives the bytes that a new one gives.
void what_is_remembered_changes_no_hit(void**) {
  static constexpr std::string_view kAgents[] = {
      "", "curl/8.0", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      " Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/129.0 ", "                    ",
      "Mozilla/5.0 (Windows NT 10.0) \xC3\xA9t\xC3\xA9", "Mozilla/5.0 (Windows NT 10.0) \xFF\x01 broken",
  };
  static constexpr std::string_view kQueries[] = {
      "", "?utm_source=News&utm_medium=email&utm_campaign=autumn+sale", "?utm_source=News&utm_medium=email&id=4711",
      "?source=blog&ref=friend&utm_medium=%20", "?utm_source=mail%00&utm_medium=EMAIL&utm_content=%ff", "?gclid=abcdefghijkl",
      "?utm_campaign=autumn&utm_id=17&utm_term=shoes", "?utm_source=&utm_medium=&utm_other=x&&&", "?q=blue+shoes&k=very+blue",
  };
  static constexpr std::string_view kReferrers[] = {
      "", "https://www.google.com/search?q=shoes", "https://Blog.example/a%c3%a9/page?x#y", "http://shop.example/cart#top",
      "https://user@shop.example:443/cart", "ftp://shop.example/abcdefghijk", "  https://blog.example/post/1 ?x", "https:///abcdefghijkl",
      "https://www.blog.example/post/1/with/a/long/path//and/more",
  };
  static constexpr std::string_view kAddresses[] = {"", "1234", "1235", "0123456789abcdef", "x"};
  static constexpr std::string_view kHosts[] = {"", "shop.example", "WWW.shop.example:80", "blog.example"};
  static std::string agent, uri, referrer, bytes, expected;
  static std::optional<HitBuilder> fresh, warm;
  Random random(11);
  warm.emplace();
  context.search_argument = "q";
  for (int round = 0; round < 4'000; ++round) {
    agent = kAgents[random.below(std::size(kAgents))];
    referrer = kReferrers[random.below(std::size(kReferrers))];
    uri = "/a" + std::string(random.below(30), 'b') + std::string(kQueries[random.below(std::size(kQueries))]);
    if (random.below(4) == 0) random.mutate(agent);
    if (random.below(4) == 0) random.mutate(referrer);
    if (random.below(4) == 0) random.mutate(uri);
    if (random.below(20) == 0) agent += std::string(random.below(600), 'x');
    context.kept_path_arguments.assign(random.below(4) == 0, "k");
    raw.agent = agent, raw.referrer = referrer, raw.uri = uri;
    raw.address = kAddresses[random.below(std::size(kAddresses))];
    raw.host = kHosts[random.below(std::size(kHosts))];
    if (random.below(50) == 0) keys.anonymous[0] = static_cast<uint8_t>(random.below(3));
    if (random.below(50) == 0) keys.previous[0] = static_cast<uint8_t>(random.below(3));
    if (random.below(20) == 0) keys.has_anonymous = random.below(2) != 0;
    if (random.below(20) == 0) keys.has_previous = random.below(2) != 0;
    bytes.clear(), expected.clear();
    fresh.emplace();
    encode_hit(fresh->build(raw, context, keys), expected);
    encode_hit(warm->build(raw, context, keys), bytes);
    assert_true(bytes == expected);
  }
  fresh.reset(), warm.reset();
}

// A table of four places and more texts than that: each is found as it was put in, or not at all.
void a_memo_answers_what_was_put_in(void**) {
  static TextMemo<uint64_t, 40, 4> memo;
  Random random(3);
  uint64_t found = 0;
  for (int round = 0; round < 20'000; ++round) {
    const uint64_t number = random.below(8);
    text = "a text that is number " + std::to_string(number);
    if (const uint64_t* value = memo.find(text)) {
      expect_number(static_cast<int64_t>(*value), static_cast<int64_t>(number));
      ++found;
    } else {
      memo.put(text, number);
    }
    if (random.below(1'000) == 0) {
      memo.wipe();
      assert_true(memo.find(text) == nullptr);
    }
  }
  assert_true(found > 2'000 && found < 18'000);
  assert_false(memo.takes("short"));
  assert_false(memo.takes("0123456789012345678901234567890123456789x"));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(every_field_is_mapped, begin),
      cmocka_unit_test_setup(nothing_of_the_last_hit_is_left, begin),
      cmocka_unit_test_setup(a_visitor_is_known_by_keys_alone, begin),
      cmocka_unit_test_setup(without_address_or_id_there_is_no_visitor, begin),
      cmocka_unit_test_setup(an_agent_is_cut_before_it_is_hashed, begin),
      cmocka_unit_test_setup(a_cut_target_says_what_was_cut, begin),
      cmocka_unit_test_setup(the_flusher_and_a_log_give_the_same_hit, begin),
      cmocka_unit_test_setup(a_garbage_request_has_a_path, begin),
      cmocka_unit_test_setup(a_page_has_the_name_that_the_shop_gives_it, begin),
      cmocka_unit_test_setup(a_given_name_is_bounded_and_does_not_mend_garbage, begin),
      cmocka_unit_test_setup(a_country_has_two_letters, begin),
      cmocka_unit_test_setup(a_code_is_taken_of_what_its_prefix_answers, begin),
      cmocka_unit_test_setup(the_shops_own_search_is_its_argument, begin),
      cmocka_unit_test_setup(a_cached_answer_does_not_tell_its_header_again, begin),
      cmocka_unit_test_setup(a_malformed_header_leaves_the_page_and_its_directives, begin),
      cmocka_unit_test_setup(hostile_bytes_reach_no_text, begin),
      cmocka_unit_test_setup(a_warm_builder_allocates_nothing, begin),
      cmocka_unit_test_setup(what_is_remembered_changes_no_hit, begin),
      cmocka_unit_test(a_memo_answers_what_was_put_in),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
